# SPDX-License-Identifier: MIT
"""graphgatectl users: the local accounts, and all that belongs to them, counted, merged and deleted."""

import json

import pytest
from conftest import NO_LIMITS, Person
from kit import each, is_problem, needs_microsoft

ACCOUNTS = {"main": "users", "beta": "beta_teachers"}
NOBODY = {"main": "999999", "beta": "11111111-2222-4333-8444-555555555555"}
SAME = {"main": "888888", "beta": "22222222-2222-4333-8444-555555555555"}


@pytest.fixture(scope="module")
def site(make_stack):
    """A stack with a database of this file's own."""
    return make_stack(workers=2, SIGN_IN="provision", TOKEN_MAX_AGE_DAYS=2999, **NO_LIMITS)


@pytest.fixture
def ctl(site):
    """ctl("users", …): run with the administrator's account; worker=True: with the worker's."""
    def run(*arguments, check=True, worker=False):
        account = site.database.worker if worker else site.database.admin
        return site.ctl(*arguments, check=check, env={"DATABASE_URL": site.mariadb.url(account)})
    return run


@pytest.fixture
def member(site, realm):
    """member(): somebody who has signed in; .subject is the account."""
    def make():
        someone = Person(site, realm)
        answer = someone.sign_in()
        someone.subject, someone.refresh = answer.body["user_info"]["id"], answer.body["refresh_token"]
        return someone
    return make


def account_of(someone):
    """The row of its account, or None."""
    rows = someone.stack.sql(f"SELECT tenant_id, microsoft_id, email FROM {ACCOUNTS[someone.realm.name]} WHERE id = '{someone.subject}'")
    return rows[0] if rows else None


def belongings(ctl, someone):
    """The counts that `show` gives; all 0 for nobody."""
    names = ("accounts", "connections", "sessions", "session_codes", "sign_ins", "rate_limit_rows")
    done = ctl("users", "show", "--user", someone.subject, "--json", check=False)
    return [json.loads(done.stdout)[name] for name in names] if done.returncode == 0 else [0] * 6


def furnish(someone):
    """A row in every table that may have one."""
    sql, who = someone.stack.sql, f"'{someone.realm.name}', '{someone.subject}'"
    sql(f"INSERT INTO session_codes (code_hash, realm, subject, expires_at) VALUES (SHA2(UUID(), 224), {who}, NOW() + INTERVAL 1 HOUR)"
        .replace("SHA2(UUID(), 224)", "LEFT(SHA2(UUID(), 224), 43)"))
    sql(f"INSERT INTO login_states (state_hash, browser_hash, realm, subject, sealed, expires_at) "
        f"VALUES (LEFT(SHA2(UUID(), 224), 43), 'b', {who}, 's', NOW() + INTERVAL 1 HOUR)")
    sql(f"INSERT INTO rate_limits (k, win, used, prev, admitted, ends_at) VALUES "
        f"('calendar:{someone.realm.name}:{someone.subject}/60', 1, 1, 0, 1, NOW() + INTERVAL 1 HOUR), "
        f"('oauth_start:{someone.realm.name}:{someone.subject}/60', 1, 1, 0, 1, NOW() + INTERVAL 1 HOUR), "
        f"('calendar:{someone.realm.name}:{someone.subject}0/60', 1, 1, 0, 1, NOW() + INTERVAL 1 HOUR)")


def events(someone, event):
    return someone.stack.sql(f"SELECT realm, result, detail FROM audit_log WHERE event = '{event}' AND subject = '{someone.subject}' ORDER BY id")


def test_list_and_show(ctl, site, member, realm):
    someone, gone = member(), member()
    gone.api("DELETE", "auth/microsoft/token")
    rows = {row["id"]: row for row in map(json.loads, ctl("users", "list", "--json", "--realm", realm.name).stdout.splitlines())}
    assert rows[someone.subject] == {
        "realm": realm.name, "id": someone.subject, "tenant_id": site.sim.tenant_id, "microsoft_id": account_of(someone)[1],
        "email": f"{someone.user}@example.com", "full_name": f"User {someone.number}", "connected": "active"}
    assert rows[gone.subject]["connected"] == "no"
    lines = ctl("users", "list", worker=True).stdout.splitlines()
    assert any(line.startswith(f"{realm.name}\t{someone.subject}\t") for line in lines[1:])
    assert len(ctl("users", "list", "--limit", 1, "--realm", realm.name).stdout.splitlines()) == 2
    assert belongings(ctl, someone) == [1, 1, 1, 0, 0, 0] and belongings(ctl, gone) == [1, 0, 1, 0, 0, 0]
    shown = ctl("users", "show", "--user", someone.subject).stdout
    assert f"id                 {someone.subject}\n" in shown and "connections        1\n" in shown


def test_more_accounts_than_one_statement_gives(ctl, site, realm):
    table, new = ACCOUNTS[realm.name], "seq + 5000000" if realm.name == "main" else "UUID()"
    site.sql(f"INSERT INTO {table} (id, tenant_id, microsoft_id) SELECT {new}, 'many', seq FROM seq_1_to_2100")
    names = [line.split("\t")[1] for line in ctl("users", "list", "--realm", realm.name).stdout.splitlines()[1:]]
    site.sql(f"DELETE FROM {table} WHERE tenant_id = 'many'")
    assert len(names) == len(set(names)) >= 2100


def test_delete_takes_all_that_is_theirs(ctl, member, realm):
    someone, other = member(), member()
    each([someone, other], furnish)
    assert belongings(ctl, someone) == belongings(ctl, other) == [1, 1, 1, 1, 1, 2]
    assert "would be deleted" in ctl("users", "delete", "--user", someone.subject, "--dry-run").stdout
    assert belongings(ctl, someone) == [1, 1, 1, 1, 1, 2] and events(someone, "user.delete") == []
    said = ctl("users", "delete", "--user", someone.subject).stdout
    for line in ("accounts           1", "connections        1", "sessions           1", "session codes      1", "sign-ins under way 1",
                 "rate-limit rows    2", "The audit keeps its rows"):
        assert line in said
    assert belongings(ctl, someone) == [0] * 6 and account_of(someone) is None and someone.row("id") is None
    assert belongings(ctl, other) == [1, 1, 1, 1, 1, 2] and other.cal("GET").status == 200
    assert events(someone, "user.delete") == [[realm.name, result, "accounts=1 connections=1 sessions=1"] for result in ("begun", "ok")]
    is_problem(someone.api("POST", "auth/refresh", {"refresh_token": someone.refresh}), 401, "invalid_token")
    needs_microsoft(someone.cal("GET"), someone)
    assert Person(someone.stack, realm, someone.user).sign_in().body["user_info"]["id"] != someone.subject
    assert ctl("users", "delete", "--user", someone.subject, check=False).returncode == 1


def test_without_the_right_nothing_is_begun(ctl, member):
    one, two = member(), member()
    furnish(one)
    for arguments in (("delete", "--user", one.subject), ("merge", "--from", one.subject, "--into", two.subject, "--identity", "from")):
        done = ctl("users", *arguments, worker=True, check=False)
        assert done.returncode == 1 and "run it with an administrator's" in done.stderr and done.stdout == ""
    assert belongings(ctl, one) == [1, 1, 1, 1, 1, 2] and belongings(ctl, two) == [1, 1, 1, 0, 0, 0]
    assert one.cal("GET").status == two.cal("GET").status == 200


# mutant: src/flow/people.c: if (!note_begin(c, event, err)) => if (false)
def test_a_delete_that_fails_is_on_record(ctl, site, member, realm):
    """That it was begun, and what ended it; where the audit must have that and cannot, nothing is done."""
    someone = member()
    ctl("users", "delete", "--user", someone.subject, worker=True, check=False)
    assert events(someone, "user.delete") == [[realm.name, result, "accounts=1 connections=1 sessions=1"] for result in ("begun", "database_unavailable")]
    site.sql("RENAME TABLE audit_log TO audit_away")
    try:
        done = site.ctl("users", "delete", "--user", someone.subject, check=False,
                        env={"DATABASE_URL": site.mariadb.url(site.database.admin), "AUDIT_FAILURE": "closed"})
    finally:
        site.sql("RENAME TABLE audit_away TO audit_log")
    assert done.returncode == 1 and "a row of the audit could not be written" in done.stderr
    assert belongings(ctl, someone) == [1, 1, 1, 0, 0, 0] and len(events(someone, "user.delete")) == 2


def test_a_sites_own_table_keeps_its_row(ctl, site, member, realm):
    someone, second = member(), member()
    table = ACCOUNTS[realm.name]
    change = f"ALTER TABLE {table} MODIFY tenant_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin"
    site.sql(f"{change} NULL, MODIFY microsoft_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL")
    try:
        said = ctl("users", "delete", "--user", someone.subject).stdout
        assert "accounts           0" in said and f"The row in {table} is the site's" in said
        assert account_of(someone) == ["NULL", "NULL", f"{someone.user}@example.com"] and someone.row("id") is None
        # Who has no identity gets the other's; nothing is to be decided.
        moved = account_of(second)
        assert "identity moved" in ctl("users", "merge", "--from", second.subject, "--into", someone.subject).stdout
        assert account_of(someone)[:2] == moved[:2] and account_of(second)[:2] == ["NULL", "NULL"]
        assert Person(site, realm, second.user).sign_in().body["user_info"]["id"] == someone.subject
        assert "accounts           1" in ctl("users", "delete", "--user", someone.subject, "--account").stdout
        assert account_of(someone) is None
    finally:
        site.sql(f"DELETE FROM {table} WHERE tenant_id IS NULL; {change} NOT NULL")


def test_merge_wants_to_know_whose_identity(ctl, member):
    one, two = member(), member()
    before = account_of(one), account_of(two), one.row("access_token"), two.row("access_token")
    done = ctl("users", "merge", "--from", one.subject, "--into", two.subject, check=False)
    assert done.returncode == 1 and "--identity" in done.stderr
    done = ctl("users", "merge", "--from", one.subject, "--into", two.subject, "--identity", "from", "--dry-run")
    assert "would be merged" in done.stdout and "identity would be moved" in done.stdout
    assert (account_of(one), account_of(two), one.row("access_token"), two.row("access_token")) == before


def test_merge_with_the_first_ones_identity(ctl, site, member, realm):
    one, two = member(), member()
    furnish(one)
    one.set_row("connected_at = '2026-01-02 03:04:05'")
    identity, person = account_of(one), Person(site, realm, one.user)
    said = ctl("users", "merge", "--from", one.subject, "--into", two.subject, "--identity", "from").stdout
    assert f"merged into {two.subject}" in said and "identity moved" in said and "tokens moved" in said
    assert account_of(one) is None and account_of(two)[:2] == identity[:2] and belongings(ctl, one) == [0] * 6
    assert two.row("connected_at, microsoft_id, is_active") == ["2026-01-02 03:04:05", identity[1], "1"]
    # The tokens open under their new owner, and are the first one's.
    assert two.cal("GET").status == 200 and site.sim.requests(target="graph", user=one.user)
    two.set_row("expires_at = UTC_TIMESTAMP()")
    assert two.cal("GET").status == 200
    assert person.sign_in().body["user_info"]["id"] == two.subject
    assert events(one, "user.merge") == [[realm.name, result, f"into={two.subject} identity=moved tokens=moved"] for result in ("begun", "ok")]
    is_problem(one.api("POST", "auth/refresh", {"refresh_token": one.refresh}), 401, "invalid_token")


def test_merge_with_the_second_ones_identity(ctl, site, member, realm):
    one, two = member(), member()
    identity, tokens = account_of(two), two.row("access_token")
    said = ctl("users", "merge", "--from", one.subject, "--into", two.subject, "--identity", "into").stdout
    assert "identity left as it is" in said and "tokens left as they are" in said
    assert account_of(one) is None and one.row("id") is None and account_of(two) == identity and two.row("access_token") == tokens
    assert Person(site, realm, one.user).sign_in().body["user_info"]["id"] not in (one.subject, two.subject)


def test_merge_gives_tokens_to_who_has_none(ctl, member):
    one, two = member(), member()
    two.set_row("is_active = FALSE, inactive_reason = 'invalid_grant'")
    ctl("users", "merge", "--from", one.subject, "--into", two.subject, "--identity", "into")
    assert two.row("is_active, inactive_reason") == ["1", "NULL"] and two.cal("GET").status == 200
    assert one.row("id") is None


# mutant: src/flow/people.c: if (row->seal.p == NULL) => if (false)
def test_tokens_that_are_not_ones_own_do_not_move(ctl, member):
    """A row whose tokens were put there by somebody else gets no good seal by a merge."""
    one, two, three = member(), member(), member()
    cells = "access_token = '{}', refresh_token = '{}', id_token = '{}'".format(*one.row("access_token, refresh_token, id_token"))
    for seal in ("NULL", f"'{one.row('seal')[0]}'"):
        two.set_row(f"{cells}, seal = {seal}")
        three.set_row("is_active = FALSE")
        done = ctl("users", "merge", "--from", two.subject, "--into", three.subject, "--identity", "into", check=False)
        assert done.returncode == 1 and done.stdout == "" and "seal" in done.stderr
        assert account_of(two) and two.row("is_active") == ["1"] and three.row("is_active") == ["0"]


def test_a_merge_that_was_killed_is_finished_by_the_next(ctl, member, realm):
    one, two = member(), member()
    identity = account_of(one)
    table = ACCOUNTS[realm.name]
    # As it is when the tokens and the identity have moved, and nothing else has happened.
    one.stack.sql(f"UPDATE {table} SET tenant_id = 'merged', microsoft_id = '{one.subject}' WHERE id = '{one.subject}'; "
                  f"UPDATE {table} SET tenant_id = '{identity[0]}', microsoft_id = '{identity[1]}' WHERE id = '{two.subject}'")
    ctl("users", "merge", "--from", one.subject, "--into", two.subject)
    assert account_of(one) is None and account_of(two)[:2] == identity[:2] and two.cal("GET").status == 200


@pytest.mark.parametrize("arguments", [
    ("users",), ("users", "x"), ("users", "list", "x"), ("users", "list", "--user", "1"), ("users", "show"), ("users", "show", "--user", "x"),
    ("users", "delete"), ("users", "delete", "--user", "0"), ("users", "delete", "--user", "1", "--realm", "beta"),
    ("users", "merge"), ("users", "merge", "--from", "1"), ("users", "merge", "--from", "1", "--into", "1"),
    ("users", "merge", "--from", "1", "--into", NOBODY["beta"]), ("users", "merge", "--from", "1", "--into", "2", "--identity", "both")])
def test_wrong_usage(ctl, arguments):
    done = ctl(*arguments, check=False)
    assert done.returncode == 2 and "Usage:" in done.stderr and done.stdout == ""


def test_of_nobody(ctl, member, realm):
    someone = member()
    for arguments in (("show", "--user", NOBODY[realm.name]), ("delete", "--user", NOBODY[realm.name]),
                      ("merge", "--from", NOBODY[realm.name], "--into", SAME[realm.name]),
                      ("merge", "--from", someone.subject, "--into", NOBODY[realm.name])):
        done = ctl("users", *arguments, check=False)
        assert done.returncode == 1 and "there is no" in done.stderr, arguments
    assert belongings(ctl, someone) == [1, 1, 1, 0, 0, 0]
