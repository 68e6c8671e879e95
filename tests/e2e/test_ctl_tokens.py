# SPDX-License-Identifier: MIT
"""graphgatectl tokens and stats: what is stored, seen and changed by the operator; no token is ever shown."""

import json

import pytest
from conftest import Person
from kit import expires_in, needs_microsoft, refreshes

from leaks import patterns
from stack.smoke import REALMS

TENANT = "11111111-2222-4333-8444-555555555555"


@pytest.fixture(scope="module")
def site(make_stack):
    """A stack with a database of this file's own."""
    return make_stack(workers=2, SIGN_IN="existing", TOKEN_MAX_AGE_DAYS=3000)


@pytest.fixture
def ctl(site):
    """ctl("tokens", …): the completed process, in whose output no secret may stand."""
    def run(*arguments, check=True, **env):
        done = site.ctl(*arguments, check=check, env=env)
        text = done.stdout + done.stderr
        assert not [kind for value, kind in patterns(site.sim).items() if value in text]
        assert "gAAAA" not in text
        return done
    return run


@pytest.fixture
def someone(site, realm):
    """Connected, and alone in the tables."""
    for table in ("microsoft_oauth_tokens", "beta_microsoft_oauth_tokens"):
        site.sql(f"DELETE FROM {table}")
    return Person(site, realm).connect()


def listed(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_list_and_show(ctl, someone, realm):
    row, = listed(ctl("tokens", "list", "--json"))
    assert (row["realm"], row["subject"], row["state"], row["reason"]) == (realm.name, someone.subject, "active", None)
    assert (row["email"], row["last_used_at"]) == (f"{someone.user}@example.com", None)
    assert "Calendars.ReadWrite" in row["scopes"] and row["connected_at"].endswith("Z")
    assert row["tenant_id"] == someone.stack.sim.tenant_id
    assert json.loads(ctl("tokens", "show", "--user", someone.subject, "--json").stdout) == row
    lines = ctl("tokens", "list").stdout.splitlines()
    assert len(lines) == 2 and lines[0].split("\t")[:3] == ["realm", "subject", "state"]
    assert lines[1].split("\t")[:3] == [realm.name, someone.subject, "active"]
    shown = ctl("tokens", "show", "--user", someone.subject).stdout
    assert f"subject       {someone.subject}\n" in shown and "state         active\n" in shown


@pytest.mark.parametrize("state, assignment", [
    ("active", "expires_at = UTC_TIMESTAMP() + INTERVAL 10 MINUTE"), ("expiring", "expires_at = UTC_TIMESTAMP() + INTERVAL 2 MINUTE"),
    ("expired", "expires_at = UTC_TIMESTAMP()"), ("inactive", "is_active = FALSE, inactive_reason = 'invalid_grant'")])
def test_filters(ctl, someone, realm, state, assignment):
    someone.set_row(assignment)
    other, = [one for one in REALMS if one != realm]
    for wanted in (["--state", state], ["--tenant", someone.stack.sim.tenant_id], ["--user", someone.subject], ["--realm", realm.name],
                   ["--state", state, "--realm", realm.name, "--user", someone.subject]):
        row, = listed(ctl("tokens", "list", "--json", *wanted))
        assert row["state"] == state and row["reason"] == ("invalid_grant" if state == "inactive" else None)
    for wanted in (["--tenant", TENANT], ["--realm", other.name], *[["--state", name] for name in (
            "active", "expiring", "expired", "inactive") if name != state]):
        assert listed(ctl("tokens", "list", "--json", *wanted)) == []


def test_more_rows_than_one_statement_gives(ctl, site, someone, realm):
    subject = "seq + 1000000" if realm.name == "main" else "UUID()"
    site.sql(f"INSERT INTO {someone.table} ({someone.key_column}, expires_at, tenant_id) "
             f"SELECT {subject}, UTC_TIMESTAMP(), '{TENANT}' FROM seq_1_to_2500")
    assert len({row["subject"] for row in listed(ctl("tokens", "list", "--json"))}) == 2501
    assert len(listed(ctl("tokens", "list", "--json", "--limit", 1007))) == 1007
    assert "2500 connections would be deleted" in ctl("tokens", "revoke", "--tenant", TENANT, "--dry-run").stdout
    assert len(listed(ctl("tokens", "list", "--json"))) == 2501


def test_nothing_acts_upon_a_terminal(ctl, someone):
    someone.set_row("microsoft_email = CONCAT('a', CHAR(27), '[2J', CHAR(10), CHAR(0xc2, 0x9b USING utf8mb4), '@é')")
    for done in (ctl("tokens", "list"), ctl("tokens", "show", "--user", someone.subject)):
        assert "a?[2J??" in done.stdout and "\x1b" not in done.stdout and "\x9b" not in done.stdout and "@é" in done.stdout


def test_revoke_is_a_disconnect(ctl, site, someone, realm):
    assert "1 connections would be deleted" in ctl("tokens", "revoke", "--user", someone.subject, "--dry-run").stdout
    assert someone.row("is_active") == ["1"]
    done = ctl("tokens", "revoke", "--user", someone.subject)
    assert "1 connections deleted" in done.stdout and "At Microsoft nothing has ended" in done.stdout
    assert someone.row("id") is None
    needs_microsoft(someone.cal("GET"), someone)
    assert "0 connections deleted" in ctl("tokens", "revoke", "--user", someone.subject).stdout
    events = site.sql(f"SELECT event, realm, result FROM audit_log WHERE subject = '{someone.subject}' AND event = 'token.revoke'")
    assert events == [["token.revoke", realm.name, "ok"]]


def test_revoke_of_a_tenant(ctl, site, someone):
    both = [Person(site, realm).connect() for realm in REALMS]
    for one in both:
        one.set_row(f"tenant_id = '{TENANT}'")
    done = ctl("tokens", "revoke", "--tenant", TENANT, check=False)
    assert done.returncode == 2 and "--yes" in done.stderr and all(one.row("id") for one in both)
    assert "1 connections deleted" in ctl("tokens", "revoke", "--tenant", TENANT, "--yes", "--realm", "beta").stdout
    assert "1 connections deleted" in ctl("tokens", "revoke", "--tenant", TENANT, "--yes").stdout
    assert [one.row("id") for one in both] == [None, None] and someone.row("is_active") == ["1"]


def test_refresh(ctl, someone):
    before = someone.row("access_token, expires_at")
    someone.set_row("expires_at = expires_at - INTERVAL 100 SECOND")
    done = ctl("tokens", "refresh", "--user", someone.subject)
    assert done.stdout.startswith("refreshed; the new token ends 20") and refreshes(someone) == 1
    after = someone.row("access_token, last_used_at")
    assert after[0] != before[0] and after[1] == "NULL"


@pytest.mark.parametrize("aadsts, words", [
    (50173, "invalid_grant: permanent: the user must connect again"), (7000215, "invalid_client: operator"), (90033, "passing")])
def test_a_refresh_that_fails(ctl, someone, aadsts, words):
    someone.stack.sim.fault("status", "token", user=someone.user, aadsts=aadsts)
    done = ctl("tokens", "refresh", "--user", someone.subject, check=False)
    assert done.returncode == 1 and done.stdout == "" and words in done.stderr and "AADSTS" not in done.stderr.partition("aadsts=")[0]
    assert someone.row("is_active") == ["0" if aadsts == 50173 else "1"]


def test_of_nobody(ctl, someone, realm):
    subject = "999999" if realm.name == "main" else TENANT
    assert someone.subject != subject
    for verb in ("show", "refresh"):
        done = ctl("tokens", verb, "--user", subject, check=False)
        assert done.returncode == 1 and done.stderr
    assert listed(ctl("tokens", "list", "--json", "--user", subject)) == []


@pytest.mark.parametrize("arguments", [
    ("tokens",), ("tokens", "x"), ("tokens", "list", "x"), ("tokens", "list", "--state", "x"), ("tokens", "list", "--realm", "x"),
    ("tokens", "list", "--user", "x"), ("tokens", "list", "--limit", "0"), ("tokens", "show"), ("tokens", "show", "--user", "0"),
    ("tokens", "show", "--user", "1", "--realm", "beta"), ("tokens", "show", "--user", TENANT, "--realm", "main"),
    ("tokens", "revoke"), ("tokens", "revoke", "--yes"), ("tokens", "revoke", "--user", "1", "--tenant", "t", "--yes"),
    ("tokens", "refresh"), ("tokens", "refresh", "--user", "1", "--json"), ("stats", "x"), ("stats", "--x")])
def test_wrong_usage(ctl, arguments):
    done = ctl(*arguments, check=False)
    assert done.returncode == 2 and "Usage:" in done.stderr and done.stdout == ""


@pytest.mark.parametrize("arguments, why", [
    (("tokens", "list", "--state", "gone"), "--state is one of active|expiring|expired|inactive"),
    (("tokens", "list", "--state", "active|expired"), "--state is one of "), (("tokens", "list", "--state", ""), "--state is one of "),
    (("tokens", "refresh", "--realm", "Main"), "--realm is one of main|beta"), (("users", "list", "--realm", "x"), "--realm is one of main|beta"),
    (("users", "merge", "--identity", "both"), "--identity is one of from|into"),
    (("jwt", "sign", "--sub", "1", "--type", "admin"), "--type is one of user|teacher"), (("log-subject", "--type", "x", "1"), "--type is one of user|teacher"),
    (("jwt", "sign", "--sub", "1", "--ttl", "0"), "--ttl is a whole number of seconds from 1 to 315360000"),
    (("tokens", "list", "--limit", "x"), "--limit is a whole number from 1 to 2147483647"),
    (("maintain", "--limit", "1001"), "--limit is a whole number from 1 to 1000"), (("tokens", "list", "--limit"), "--limit needs a value"),
    (("tokens", "list", "--json=1"), "--json takes no value"), (("tokens", "list", "--states=x"), "there is no option --states here"),
    (("seal", "-xy"), "there is no option -x here")])
def test_wrong_usage_says_what_would_be_right(ctl, arguments, why):
    done = ctl(*arguments, check=False)
    assert done.returncode == 2 and f": {why}" in done.stderr.splitlines()[0] and "Usage:" in done.stderr and done.stdout == ""


def test_stats(ctl, site, someone, realm):
    other, = [one for one in REALMS if one != realm]
    gone = Person(site, realm).connect()
    gone.set_row(f"is_active = FALSE, inactive_reason = 'invalid_grant', tenant_id = '{TENANT}'")
    expires_in(someone, -5)
    stats = json.loads(ctl("stats", "--json").stdout)
    mine = stats[realm.name]
    assert {name: mine[name] for name in ("total", "active", "expiring", "expired", "inactive")} == {
        "total": 2, "active": 0, "expiring": 0, "expired": 1, "inactive": 1}
    assert mine["reasons"] == [{"name": "invalid_grant", "rows": 1}] and mine["oldest_tokens"].startswith("20")
    assert {"name": TENANT, "rows": 1} in mine["tenants"] and len(mine["tenants"]) == 2
    assert stats[other.name]["total"] == 0 and stats[other.name]["oldest_tokens"] is None
    assert stats["audit_rows"] == int(site.sql("SELECT COUNT(*) FROM audit_log")[0][0]) > 0
    assert stats["sessions"] == int(site.sql("SELECT COUNT(*) FROM refresh_families")[0][0])
    text = ctl("stats").stdout
    assert f"{realm.name}: 2 connections" in text and "reason   invalid_grant" in text and "audit rows: " in text


def test_without_a_database(ctl):
    for arguments in (("tokens", "list"), ("stats",), ("tokens", "revoke", "--user", "1"), ("tokens", "refresh", "--user", "1")):
        done = ctl(*arguments, check=False, DATABASE_URL="mariadb://u:topsecret@127.0.0.1:1/x")
        assert done.returncode == 1 and done.stderr and "topsecret" not in done.stderr
