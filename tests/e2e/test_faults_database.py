# SPDX-License-Identifier: MIT
"""A database that fails in every way, under load: 503 in bounded time, nothing lost, and back without a restart."""

import contextlib
import socket
import time

import pytest
from conftest import BUILD, NO_LIMITS, Person
from kit import each, wait_for
from trouble import Callers, Transaction, cut_connections, kept, lock_row, statements

from stack.mariadb import MariaDB
from stack.smoke import REALMS
from stack.stack import Stack

# Counted in the database, and never reached: a request whose limit cannot be counted must not pass.
LIMITS = {name: "1000000/60" for name in NO_LIMITS}
# Connecting takes 3 s at most, a statement 10; the rest is this machine's own slowness.
PATIENCE_S = 25


@pytest.fixture(scope="module")
def site(sim, tmp_path_factory):
    """A site with a MariaDB of its own."""
    server = MariaDB(tmp_path_factory.mktemp("db2")).start()
    with Stack(tmp_path_factory.mktemp("db2_site"), BUILD, LIMITS, mariadb=server, sim=sim, workers=4) as made:
        yield made
    server.stop()


@pytest.fixture(scope="module")
def people(site):
    """One connected person of each realm."""
    return [Person(site, realm).connect() for realm in REALMS]


def is_away(call):
    """The database's own refusal, whole, and in time."""
    return ((call.status, call.code) == (503, "database_unavailable") and call.took < PATIENCE_S and
            1 <= int(call.answer.headers["Retry-After"]) <= 60 and "SQL" not in str(call.answer.body))


def callers_of(people):
    return Callers(*[lambda one=one, path=path: one.api("GET", path) for one in people
                     for path in ("auth/microsoft/user", "integration/microsoft/calendar/", "auth/microsoft/")], pause_s=0.01)


def worst(callers):
    """The longest wait for a refusal, in seconds."""
    return max((call.took for call in callers.calls if call.status == 503), default=0)


@contextlib.contextmanager
def stopped(site):
    site.mariadb.stop()
    try:
        yield
    finally:
        site.mariadb.start()


@contextlib.contextmanager
def killed(site):
    site.mariadb.kill()
    try:
        yield
    finally:
        site.mariadb.start()


@contextlib.contextmanager
def read_only(site):
    site.mariadb.sql("SET GLOBAL read_only = 1")
    try:
        yield
    finally:
        site.mariadb.sql("SET GLOBAL read_only = 0")


@contextlib.contextmanager
def too_many_connections(site):
    """Others hold every connection that the server allows."""
    with Transaction(site.mariadb, site.database.name) as owner, contextlib.ExitStack() as held:
        owner.run("SET GLOBAL max_connections = 10; SET GLOBAL connect_timeout = 120")
        try:
            for _ in range(8):
                owner.run(f"KILL USER {site.database.worker}")
                for _ in range(4):
                    held.enter_context(socket.create_connection(("127.0.0.1", site.mariadb.port)))
                time.sleep(0.1)
            yield
        finally:
            owner.run("SET GLOBAL max_connections = 300; SET GLOBAL connect_timeout = 10")


@contextlib.contextmanager
def users_limit(site):
    """The account has had all the statements that it may run in an hour."""
    account = f"'{site.database.worker}'@'%'"
    site.mariadb.sql(f"ALTER USER {account} WITH MAX_QUERIES_PER_HOUR 1")
    cut_connections(site)
    try:
        yield
    finally:
        site.mariadb.sql(f"ALTER USER {account} WITH MAX_QUERIES_PER_HOUR 0; FLUSH USER_RESOURCES")
        cut_connections(site)


@contextlib.contextmanager
def locked_tables(site):
    """Somebody alters the tables, and takes long over it."""
    with Transaction(site.mariadb, site.database.name) as holder:
        holder.run("LOCK TABLES " + ", ".join(f"{table} WRITE" for table in (
            "microsoft_oauth_tokens", "beta_microsoft_oauth_tokens", "rate_limits", "login_states", "users", "beta_teachers")))
        yield


@pytest.mark.parametrize("fault", [
    pytest.param(fault, id=fault.__name__, marks=pytest.mark.promise("faults/database", sentence))
    for fault, sentence in {
        stopped: "The database stopped and started under load: 503 meanwhile, then service again without a restart",
        killed: "The database killed (SIGKILL) under load: 503 meanwhile, nothing lost, then service again",
        read_only: "A read-only database: 503, no limit is passed by uncounted, and service again when it takes writes",
        too_many_connections: "Too many connections: 503 meanwhile, then service again",
        users_limit: "The account's own limit reached: 503 meanwhile, then service again",
        locked_tables: "A statement that waits for ever (tables locked): given up in bounded time, 503"}.items()])
def test_away_and_back(site, people, fault, measured):
    """Under load, in both realms; the same workers serve before and after, and no token row has changed."""
    before, pids = kept(*people), set(site.serving_pids())
    with callers_of(people) as callers:
        callers.more(20, 200)
        with fault(site):
            callers.more(4, 503, PATIENCE_S)
            away = time.monotonic()
            wait_for(lambda: sum(call.at > away for call in callers.calls) > 3, 2 * PATIENCE_S)
            meanwhile = [call for call in callers.calls if call.at > away]
            # A worker keeps what it found for a second, or for as long as the finding took: it may be of before the fault.
            wait_for(lambda: people[0].call("GET", "/api/v1/health/microsoft").status == (200 if fault is read_only else 503), PATIENCE_S)
        mended = time.monotonic()
        callers.more(20, 200)
        wait_for(lambda: all(call.status == 200 for call in callers.calls[-12:]), 20)
        calm = time.monotonic()
        callers.more(30)
    # What is refused is refused in its own way and in time; there is no other kind of answer.
    assert all(call.status == 200 or is_away(call) for call in callers.calls), callers.tally()
    assert {call.status for call in meanwhile} == {503} and {call.status for call in callers.calls if call.at > calm} == {200}
    # mod_fcgid starts more of them when there is more to do.
    assert kept(*people) == before and pids <= set(site.serving_pids())
    first = min(call.at + call.took for call in callers.calls if call.status == 200 and call.at + call.took > mended)
    measured(f"longest refusal {worst(callers):.1f} s, good again after {max(0.0, first - mended):.2f} s")


# mutant: src/web/guard.c: wants_row ? &whose : NULL, &rate, err)) => wants_row ? &whose : NULL, &rate, err) && rate.limit == -1)
@pytest.mark.promise("faults/database", "A limit that cannot be counted lets nobody through")
def test_a_limit_is_not_passed_by_uncounted(site, people):
    """Only its own table is out of reach: all that follows would work."""
    asked = len(site.sim.requests(target="graph"))
    with Transaction(site.mariadb, site.database.name) as holder:
        holder.run("LOCK TABLES rate_limits WRITE")
        answers = each(people, lambda one: one.cal("GET"))
    assert [(answer.status, answer.body["code"]) for answer in answers] == [(503, "database_unavailable")] * 2
    assert len(site.sim.requests(target="graph")) == asked
    assert [answer.status for answer in each(people, lambda one: one.cal("GET"))] == [200, 200]


@pytest.fixture(name="engine")
def _engine(site, request):
    """The limits' table in that engine."""
    site.migrate("--limits-engine", request.param)
    yield request.param
    site.migrate("--limits-engine", "innodb")


def left(one):
    """What the limit still allows."""
    answer = one.cal("GET")
    assert answer.status == 200, answer.body
    return int(answer.headers["RateLimit-Remaining"])


@pytest.mark.parametrize("engine", [
    pytest.param(engine, marks=pytest.mark.promise("faults/database", f"Limits in {table}, the database killed (SIGKILL) under load: {sentence}"))
    for engine, table, sentence in (("innodb", "InnoDB", "none is forgotten"), ("aria", "Aria", "counted again after it"),
                                    ("memory", "MEMORY", "counted anew after it"))], indirect=True)
def test_limits_after_a_kill(site, people, engine):
    """What docs/performance.md says of each engine."""
    idle, newcomer, most = *(Person(site, people[0].realm).connect() for _ in range(2)), 1000000
    assert [left(idle) for _ in range(5)] == [most - number for number in range(1, 6)]
    with callers_of(people) as callers:
        callers.more(20, 200)
        with killed(site):
            callers.more(4, 503, PATIENCE_S)
        callers.more(20, 200)
    assert all(call.status == 200 or is_away(call) for call in callers.calls), callers.tally()
    kept_some = left(idle) < most - 1
    # Aria may have written them, and need not.
    assert kept_some if engine == "innodb" else engine == "aria" or not kept_some
    assert [left(newcomer) for _ in range(5)] == [most - number for number in range(1, 6)]


@pytest.mark.promise("faults/database", "The limits' table given another engine under load: no request fails, and what was counted stays")
def test_limits_move_under_load(site, people):
    idle, most = Person(site, people[0].realm).connect(), 1000000
    counted = iter(range(1, 10))
    with callers_of(people) as callers:
        for engine in ("memory", "aria", "memory", "innodb", "aria", "innodb"):
            callers.more(10, 200)
            assert left(idle) == most - next(counted)
            site.migrate("--limits-engine", engine)
        callers.more(10, 200)
    assert set(callers.tally()) == {(200, None)} and left(idle) == most - next(counted)


# mutant: src/flow/admit.c: (has_made_room(c) && take(c, limit, whose, rate, err)) => has_made_room(c)
@pytest.mark.promise("faults/database", "Limits in MEMORY, the table full: 503 for all, nobody passes uncounted, and old rows make room at once")
@pytest.mark.parametrize("engine", ["memory"], indirect=True)
@pytest.mark.usefixtures("engine")
def test_limits_without_room(site):
    people = [Person(site, realm).connect() for realm in REALMS]
    site.sql("SET SESSION max_heap_table_size = 1024 * 1024; ALTER TABLE rate_limits ENGINE=MEMORY")
    with pytest.raises(RuntimeError, match="is full"):
        site.sql("INSERT INTO rate_limits (k, win, used, prev, admitted, ends_at) SELECT CONCAT('full:', seq), 1, 1, 0, 1, "
                 "UTC_TIMESTAMP() + INTERVAL 1 HOUR FROM seq_1_to_20000")
    asked = len(site.sim.requests(target="graph"))
    refused = [one.api("GET", path) for one in people for path in ("integration/microsoft/calendar/", "auth/microsoft/", "auth/microsoft/user")]
    assert {(answer.status, answer.body["code"]) for answer in refused} == {(503, "database_unavailable")}
    assert len(site.sim.requests(target="graph")) == asked and "is full" in site.logs()
    site.sql("UPDATE rate_limits SET ends_at = UTC_TIMESTAMP() - INTERVAL 1 SECOND WHERE k LIKE 'full:%'")
    assert [answer.status for answer in each(people, lambda one: one.cal("GET"))] == [200, 200]
    assert [site.sql(f"SELECT used FROM rate_limits WHERE k LIKE 'calendar:%:{one.subject}/%'") for one in people] == [[["1"]]] * 2


@pytest.mark.promise("faults/database", "Connections cut between statements, or closed by wait_timeout: the caller sees nothing")
def test_connections_cut_while_idle(site, people):
    for _ in range(3):
        time.sleep(1.2)
        cut_connections(site)
        assert [one.cal("GET").status for one in people * 4] == [200] * 8
    site.mariadb.sql("SET GLOBAL wait_timeout = 1")
    try:
        cut_connections(site)
        assert [one.cal("GET").status for one in people * 4] == [200] * 8
        wait_for(lambda: not statements(site, "%") and not site.mariadb.rows(
            f"SELECT id FROM information_schema.processlist WHERE user = '{site.database.worker}'"), 20)
        assert [one.cal("GET").status for one in people * 4] == [200] * 8
    finally:
        site.mariadb.sql("SET GLOBAL wait_timeout = 28800")
        cut_connections(site)


@pytest.mark.promise("faults/database", "A connection cut in the middle of a statement: what may run twice is run again, unseen")
def test_a_connection_cut_in_a_statement(site, realm):
    someone = Person(site, realm).connect()
    like = f"DELETE FROM {someone.table} WHERE%"
    with Transaction(site.mariadb, site.database.name) as holder:
        lock_row(holder, someone)
        with Callers(lambda: someone.api("DELETE", "auth/microsoft/token"), pause_s=60) as callers:
            (first,) = wait_for(lambda: statements(site, like))
            site.mariadb.sql(f"KILL {first}")
            wait_for(lambda: (found := statements(site, like)) and found != [first])
            holder.run("COMMIT")
            wait_for(lambda: callers.calls, 20)
            callers.end()
    assert [call.status for call in callers.calls] == [200] and someone.row("id") is None


@pytest.mark.promise("faults/database", "A row that another transaction holds: 503 in bounded time for its user, nobody else waits")
def test_a_lock_that_is_waited_for_too_long(site, realm, measured):
    someone, other = Person(site, realm).connect(), Person(site, realm).connect()
    before = kept(someone)
    with Transaction(site.mariadb, site.database.name) as holder:
        lock_row(holder, someone)
        began = time.monotonic()
        with Callers(lambda: other.cal("GET"), pause_s=0.05) as others:
            answer = someone.api("DELETE", "auth/microsoft/token")
            took = time.monotonic() - began
    assert (answer.status, answer.body["code"]) == (503, "database_unavailable") and took < PATIENCE_S
    assert set(others.tally()) == {(200, None)} and max(call.took for call in others.calls) < took
    measured(f"given up after {took:.1f} s")
    time.sleep(0.2)
    # What was refused is not carried out later.
    assert kept(someone) == before and someone.cal("GET").status == 200


# mutant: src/ext/db.c: {ER_LOCK_DEADLOCK, => {ER_XA_RBDEADLOCK,
@pytest.mark.promise("faults/database", "A deadlock is tried again, unseen by the caller")
def test_a_deadlock(site, realm):
    """The other transaction has changed much, so that InnoDB chooses graphgate's statement as the victim."""
    someone = Person(site, realm).connect()
    site.mariadb.sql("CREATE TABLE IF NOT EXISTS ballast (a INT)", site.database.name)
    deadlocks = "SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'"
    before = int(site.mariadb.rows(deadlocks)[0][1])
    where = f"WHERE {someone.key_column} = '{someone.subject}'"
    with Transaction(site.mariadb, site.database.name) as holder:
        holder.run("BEGIN; INSERT INTO ballast SELECT seq FROM seq_1_to_2000")
        holder.run(f"SELECT id FROM {someone.table} {where} LOCK IN SHARE MODE")
        with Callers(lambda: someone.api("DELETE", "auth/microsoft/token"), pause_s=60) as callers:
            wait_for(lambda: statements(site, f"DELETE FROM {someone.table} WHERE%"))
            holder.run(f"SELECT id FROM {someone.table} {where} FOR UPDATE")
            wait_for(lambda: int(site.mariadb.rows(deadlocks)[0][1]) > before)
            holder.run("COMMIT")
            wait_for(lambda: callers.calls, 20)
            callers.end()
    assert [call.status for call in callers.calls] == [200] and someone.row("id") is None


@pytest.mark.promise("faults/database", "A full disk: 503 for what cannot be stored, the rest goes on, and all goes on when there is room")
def test_disk_full(sim, tmp_path_factory):
    """InnoDB's file may not grow beyond 24 MiB here, and another's table takes all of them."""
    server = MariaDB(tmp_path_factory.mktemp("full")).start()
    server.stop()
    server.start(*disk_of(24))
    try:
        with Stack(tmp_path_factory.mktemp("full_site"), BUILD, NO_LIMITS, mariadb=server, sim=sim, workers=2) as full:
            _fill_and_free(full)
    finally:
        server.stop()


def disk_of(size_mb):
    """Options for an InnoDB that has so much room, and no more."""
    return "--innodb-file-per-table=0", f"--innodb-data-file-path=ibdata1:12M:autoextend:max:{size_mb}M"


def _fill_and_free(full):
    people = [Person(full, realm).connect() for realm in REALMS]
    before = kept(*people)
    server, name = full.mariadb, full.database.name
    server.sql("CREATE TABLE filler (a INT AUTO_INCREMENT PRIMARY KEY, b MEDIUMBLOB)", name)
    for size in (500000, 100000, 15000, 2000):
        with pytest.raises(RuntimeError, match="is full"):
            for _ in range(4000):
                server.sql(f"INSERT INTO filler (b) SELECT REPEAT('x', {size}) FROM seq_1_to_10", name)
    refused = [_refused(full, realm) for realm in REALMS]
    assert "is full" in full.logs()
    # What only notes a use cannot be written either, and is no reason to refuse.
    assert [one.cal("GET").status for one in people] == [200, 200] and kept(*people) == before
    assert [one.row("id") for one in refused] == [None, None]
    server.stop()
    server.start(*disk_of(64))
    for one in refused:
        wait_for(lambda one=one: [one.api("GET", "auth/microsoft/").status for _ in range(8)] == [200] * 8, 20)
        assert one.connect().cal("GET").status == 200


def _refused(full, realm):
    """The first newcomer whose tokens find no room."""
    for _ in range(40):
        newcomer = Person(full, realm).log_in()
        start = newcomer.api("GET", "auth/microsoft/")
        answer = start if start.status != 200 else newcomer.call("GET", full.sim.authorize(start.body["auth_url"], newcomer.user))
        if answer.status != 200:
            assert (answer.status, answer.body["code"]) == (503, "database_unavailable")
            return newcomer
    raise AssertionError("there was room for everybody")
