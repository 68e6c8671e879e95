# SPDX-License-Identifier: MIT
"""How old a connection may become, and how idle ones are kept alive."""

import re
import subprocess

import pytest
from conftest import BUILD, Person
from kit import at_once, cal, needs_microsoft, refreshes
from metrics import parse, total

from stack.smoke import REALMS

IDLE_DAYS, MAX_DAYS = 20, 60
ENDED = re.compile(r"idle connections: (\d+) refreshed, (\d+) refused for good, (\d+) failed, (\d+) skipped, (\d+) left\n")


@pytest.fixture(scope="module")
def site(make_stack):
    """A stack, and a database, of this file alone: `maintain` takes every row that it finds."""
    return make_stack(workers=2, REFRESH_IDLE_DAYS=IDLE_DAYS, TOKEN_MAX_AGE_DAYS=MAX_DAYS)


@pytest.fixture
def people(site, realm):
    """people(3, days=20): as many, connected just now, whose tokens are that old."""
    for table in ("microsoft_oauth_tokens", "beta_microsoft_oauth_tokens"):
        site.sql(f"DELETE FROM {table}")
    site.sim.clear_requests()

    def make(count, days):
        made = [Person(site, realm).connect() for _ in range(count)]
        for someone in made:
            someone.set_row(f"updated_at = UTC_TIMESTAMP() - INTERVAL {days} DAY")
        return made
    return make


def maintain(site, *arguments, check=True, **env):
    """(the counts, the completed process) of one run."""
    done = site.ctl("maintain", *arguments, check=check, env=env)
    found = ENDED.search(done.stdout)
    return [int(number) for number in found.groups()] if found else None, done


def aged(someone, days):
    """Connected so many days ago, but for the rest as fresh as can be."""
    someone.set_row(f"connected_at = UTC_TIMESTAMP() - INTERVAL {days} DAY, updated_at = updated_at")


# mutant: src/flow/refresh.c: if (!row.found || !row.is_active) => if (!row.found || (!row.is_active && !row.is_too_old))
def test_a_connection_ends_at_its_age(people, site):
    someone, other = people(2, days=0)
    aged(other, MAX_DAYS - 1)
    aged(someone, MAX_DAYS)
    assert cal(other, "GET").status == 200
    assert someone.api("GET", "auth/microsoft/user").body["microsoft"]["connected"] is False
    needs_microsoft(cal(someone, "GET"), someone)
    assert someone.row("is_active, inactive_reason") == ["0", "max_age"]
    assert re.search(rf"level=warning event=token\.reconnect_forced .*days={MAX_DAYS} ", site.logs())
    needs_microsoft(cal(someone, "GET"), someone)
    assert not site.sim.requests(target="graph", user=someone.user)
    assert cal(someone.connect(), "GET").status == 200


def test_a_refresh_makes_no_connection_younger(people):
    someone, = people(1, days=0)
    aged(someone, MAX_DAYS - 1)
    before = someone.row("connected_at")
    someone.set_row("expires_at = UTC_TIMESTAMP()")
    assert cal(someone, "GET").status == 200 and refreshes(someone) == 1
    assert someone.row("connected_at") == before
    aged(someone, MAX_DAYS)
    someone.set_row("expires_at = UTC_TIMESTAMP()")
    needs_microsoft(cal(someone, "GET"), someone)
    assert refreshes(someone) == 1


def test_rows_from_before_count_by_their_creation(people):
    someone, = people(1, days=0)
    someone.set_row(f"connected_at = NULL, created_at = UTC_TIMESTAMP() - INTERVAL {MAX_DAYS} DAY")
    needs_microsoft(cal(someone, "GET"), someone)


def test_imported_rows_count_by_their_creation(people, site):
    """As docs/moving-over.md brings them in: after migrate, by the columns of the old service alone."""
    kept = ("access_token, refresh_token, id_token, token_type, expires_at, scope, microsoft_id, microsoft_email, "
            "tenant_id, is_active, last_used_at, updated_at")
    old, young = people(2, days=0)
    for someone, days in ((old, MAX_DAYS), (young, MAX_DAYS - 1)):
        site.sql(f"REPLACE INTO {someone.table} ({someone.key_column}, {kept}, created_at) "
                 f"SELECT {someone.key_column}, {kept}, UTC_TIMESTAMP() - INTERVAL {days} DAY FROM {someone.table} "
                 f"WHERE {someone.key_column} = '{someone.subject}'")
        assert someone.row("connected_at, seal") == ["NULL", "NULL"]
    needs_microsoft(cal(old, "GET"), old)
    assert old.row("is_active, inactive_reason") == ["0", "max_age"]
    assert cal(young, "GET").status == 200
    # Each connect says when it was, over an imported row as well.
    assert cal(old.connect(), "GET").status == 200 and old.row("connected_at") != ["NULL"]


def test_idle_ones_are_refreshed(people, site):
    idle, fresh = people(3, IDLE_DAYS), people(3, IDLE_DAYS * 9 // 10 - 1)
    assert {tuple(someone.row("last_used_at")) for someone in idle} == {("NULL",)}
    idle[0].set_row("expires_at = UTC_TIMESTAMP() - INTERVAL 19 DAY, updated_at = updated_at")
    assert maintain(site)[0] == [3, 0, 0, 0, 0]
    assert [refreshes(someone) for someone in idle + fresh] == [1, 1, 1, 0, 0, 0]
    assert maintain(site)[0] == [0, 0, 0, 0, 0]
    # That is no use of theirs.
    assert {tuple(someone.row("last_used_at")) for someone in idle} == {("NULL",)}
    assert all(cal(someone, "GET").status == 200 for someone in idle)


def test_what_is_refused_becomes_inactive(people, site):
    good, bad = people(2, IDLE_DAYS)
    site.sim.revoke(bad.user)
    counts, done = maintain(site)
    assert counts == [1, 1, 0, 0, 0] and done.returncode == 0
    assert bad.row("is_active, inactive_reason") == ["0", "invalid_grant"] and good.row("is_active") == ["1"]
    assert maintain(site)[0] == [0, 0, 0, 0, 0]


def test_too_old_ones_cost_no_call(people, site):
    someone, = people(1, IDLE_DAYS)
    aged(someone, MAX_DAYS)
    assert maintain(site)[0] == [0, 1, 0, 0, 0]
    assert someone.row("is_active, inactive_reason") == ["0", "max_age"] and refreshes(someone) == 0


def test_four_at_a_time(people, site):
    crowd = people(12, IDLE_DAYS)
    site.sim.clear_requests()
    site.sim.fault("delay", "token", grant="refresh_token", count=None, delay_ms=400)
    assert maintain(site)[0] == [12, 0, 0, 0, 0]
    assert site.sim.counters()["token_peak"] == 4
    assert [refreshes(someone) for someone in crowd] == [1] * 12


# mutant: src/flow/idle.c: if (ok && (!due || row.is_leased => if (ok && (false || row.is_leased
@pytest.mark.promise("faults/microsoft", "maintain on several hosts at once: each token is refreshed once, each row deleted once")
def test_two_hosts_at_once(people, site):
    """Both take their time over each token, and meet at many."""
    crowd, states = people(12, IDLE_DAYS), 6000
    site.sql("INSERT INTO login_states (state_hash, browser_hash, realm, sealed, expires_at) SELECT LPAD(seq, 43, 'x'),"
             f" REPEAT('y', 43), 'main', 'z', NOW() - INTERVAL 1 DAY FROM seq_1_to_{states}")
    site.sim.fault("delay", "token", grant="refresh_token", count=None, delay_ms=100)
    runs = at_once(2, lambda _: maintain(site))
    assert [sum(counts[i] for counts, _ in runs) for i in range(3)] == [12, 0, 0], runs
    assert [refreshes(someone) for someone in crowd] == [1] * 12
    assert sum(int(re.search(r"^states: (\d+) deleted$", done.stdout, re.M)[1]) for _, done in runs) == states
    assert all(cal(someone, "GET").status == 200 for someone in crowd)


@pytest.mark.parametrize("fault", [{"status": 429, "retry_after": 60}, {"aadsts": 90055}, {"status": 503, "retry_after": 60}],
                         ids=lambda fault: "-".join(str(value) for value in fault.values()))
def test_stops_when_microsoft_throttles(people, site, fault):
    crowd = people(9, IDLE_DAYS)
    site.sim.fault("status", "token", grant="refresh_token", count=None, **fault)
    counts, done = maintain(site)
    assert "stopped: Microsoft asks for fewer calls" in done.stdout and counts[0] == counts[1] == counts[3] == 0
    assert 1 <= sum(refreshes(someone) for someone in crowd) == counts[2] <= 4 and counts[4] == 9 - counts[2]
    assert all(someone.row("is_active") == ["1"] for someone in crowd)
    # Those that failed are left alone for a moment; the others go on.
    site.sim.clear_faults()
    assert maintain(site)[0] == [9 - counts[2], 0, 0, counts[2], 0]


def test_stops_when_the_client_is_rejected(people, site):
    crowd = people(9, IDLE_DAYS)
    site.sim.fault("status", "token", grant="refresh_token", count=None, aadsts=7000222)
    counts, done = maintain(site, check=False)
    assert done.returncode == 1 and "rejects the application" in done.stderr
    assert 1 <= sum(refreshes(someone) for someone in crowd) == counts[2] <= 4
    assert all(someone.row("is_active") == ["1"] for someone in crowd)


def refreshed(site):
    """graphgate_token_refreshes_total as the workers show it, with class operator and in all."""
    answer = Person(site, REALMS[0]).log_in(scopes=["admin"]).call("GET", "/metrics")
    samples = parse(answer.body)
    return [total(samples, "token_refreshes_total", **labels) for labels in ({"class": "operator"}, {})]


# mutant: src/ctl/maintain.c: gg_setup_find_metrics(c->arena, &c->ctx); => (void)0;
def test_its_refreshes_are_counted_and_warned_of(people, site):
    people(2, IDLE_DAYS)
    rejected, before = refreshed(site)
    assert maintain(site)[0] == [2, 0, 0, 0, 0]
    assert refreshed(site) == [rejected, before + 2]
    people(1, IDLE_DAYS)
    done = maintain(site, MSCLIENTSECRET="one of long ago", MSCLIENTSECRET_NEXT=site.conf["MSCLIENTSECRET"])[1]
    assert re.search("^time=.* level=warning event=client.secret .*refused=MSCLIENTSECRET .*swap them", done.stderr), done.stderr
    site.sim.fault("status", "token", grant="refresh_token", count=None, aadsts=7000222)
    people(1, IDLE_DAYS)
    maintain(site, check=False)
    assert refreshed(site)[0] == rejected + 1


# mutant: src/base/hostfile.c: (how == GG_HOSTFILE_MAKE ? O_CREAT : 0) => O_CREAT
def test_it_makes_no_page(site, tmp_path):
    """One of root's in the workers' place would keep them out of it."""
    maintain(site, METRICS_FILE=tmp_path / "metrics")
    assert not list(tmp_path.iterdir())


# mutant: src/flow/idle.c: if (ok && (!due || row.is_leased => if (ok && (row.is_leased
def test_two_at_once_do_nothing_twice(people, site):
    crowd = people(10, IDLE_DAYS)
    site.sim.fault("delay", "token", grant="refresh_token", count=None, delay_ms=150)
    command = [str(BUILD / "graphgatectl"), "maintain"]
    runs = [subprocess.Popen(command, env=site.env, stdout=subprocess.PIPE, text=True)  # pylint: disable=consider-using-with
            for _ in range(2)]
    texts = [run.communicate(timeout=60)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], texts
    assert [refreshes(someone) for someone in crowd] == [1] * 10
    assert all(ENDED.search(text)[2] == ENDED.search(text)[3] == "0" for text in texts), texts


def test_a_limit_of_its_own(people, site):
    crowd = people(3, IDLE_DAYS)
    assert maintain(site, "--limit", 2)[0] == [2, 0, 0, 0, 0]
    assert sum(refreshes(someone) for someone in crowd) == 2
    for bad in ("0", "1001", "x"):
        assert maintain(site, "--limit", bad, check=False)[1].returncode == 2


def test_switched_off(people, site):
    someone, = people(1, 80)
    counts, done = maintain(site, REFRESH_IDLE_DAYS="0")
    assert counts is None and "REFRESH_IDLE_DAYS is 0" in done.stdout and refreshes(someone) == 0


def test_with_nothing_but_a_database(site):
    done = subprocess.run([str(BUILD / "graphgatectl"), "maintain"], capture_output=True, text=True, check=False,
                          env={"GRAPHGATE_CONFIG": "/nonexistent", "DATABASE_URL": site.conf["DATABASE_URL"]})
    assert done.returncode == 0 and done.stdout.count("deleted") >= 4
    assert "not refreshed: that needs the worker's whole configuration (MSCLIENTID is missing)" in done.stdout


def test_both_realms_at_once(site, people):
    people(0, 0)
    both = [Person(site, realm).connect() for realm in REALMS]
    for someone in both:
        someone.set_row(f"updated_at = UTC_TIMESTAMP() - INTERVAL {IDLE_DAYS} DAY")
    assert maintain(site)[0] == [2, 0, 0, 0, 0]
