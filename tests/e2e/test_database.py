# SPDX-License-Identifier: MIT
"""DATABASE_URL: its parts, several hosts, and a database that is away."""

import getpass
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from conftest import Person
from fcgi_client import connect, direct, receive, send
from kit import each, event
from wide_kit import calendars, whole

from stack.process import free_port, wait_until
from stack.smoke import REALMS

# Every character that means something in a URL or in SQL.
ODD = "a b@c:d/e%f?g&h=i,j#k'[l]é"


@pytest.fixture
def parts(stack):
    """The pieces of the stack's URL: credentials, port, database, socket."""
    url = stack.conf["DATABASE_URL"]
    head, _, query = url.partition("?")
    credentials, _, place = head.removeprefix("mariadb://").partition("@")
    host, _, database = place.partition("/")
    return {"who": credentials, "port": host.rpartition(":")[2], "db": database, "socket": query.partition("=")[2]}


def url_of(parts, hosts="127.0.0.1:{port}", **changed):
    given = {**parts, **changed}
    return f"mariadb://{given['who']}@{hosts.format(**given)}/{given['db']}"


def works(program, realm, url):
    """Whether a program with this URL reads and writes."""
    worker = program(DATABASE_URL=url)
    someone = direct(Person, worker, realm).connect()
    return someone.cal("GET").status == 200 and worker.health().status == 200


def check_away(worker, realm, patience_s=6):
    """Every endpoint that needs the database says so, in time."""
    someone = direct(Person, worker, realm).log_in()
    for path in ("auth/microsoft/user", "integration/microsoft/calendar/", "auth/microsoft/"):
        began = time.monotonic()
        answer = someone.api("GET", path)
        assert (answer.status, answer.body["code"]) == (503, "database_unavailable")
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert time.monotonic() - began < patience_s
    health = worker.health()
    assert (health.status, health.body["status"], health.body["configured"]) == (503, "unhealthy", True)
    assert "password" not in str(answer.body).lower()
    return worker


def test_over_tcp(program, parts, realm):
    assert works(program, realm, url_of(parts))


def test_over_a_socket(program, parts, realm):
    """The socket is what is used: the host beside it leads nowhere."""
    assert works(program, realm, url_of(parts, "localhost:1") + "?unix_socket=" + parts["socket"])


def test_localhost_without_a_socket_is_tcp(program, parts, realm):
    assert works(program, realm, url_of(parts, "localhost:{port}"))


@pytest.mark.parametrize("hosts", [
    "127.0.0.2,127.0.0.1:{port}", "127.0.0.1,127.0.0.2:{port}", "no-such-host.invalid,127.0.0.1:{port}",
    "[::1],127.0.0.2,127.0.0.1:{port}", "127.0.0.1:{dead},127.0.0.1:{port}", "%31%32%37.0.0.1:{port}"])
@pytest.mark.promise("faults/database", "The second host of DATABASE_URL takes over, and the first again: no request fails")
def test_several_hosts_fail_over(program, parts, realm, hosts):
    assert works(program, realm, url_of(parts, hosts, dead=free_port()))


def test_the_hosts_are_an_order(program, parts, realm):
    """The second one is not asked while the first answers."""
    with socket.socket() as second:
        second.bind(("127.0.0.1", 0))
        second.listen()
        second.setblocking(False)
        for _ in range(5):
            assert works(program, realm, url_of(parts, "127.0.0.1:{port},127.0.0.1:{second}", second=second.getsockname()[1]))
        with pytest.raises(BlockingIOError):
            second.accept()


@pytest.mark.promise("faults/database", "A database that cannot be reached at all: 503 after CONNECT_TIMEOUT_S, and back by itself")
def test_a_silent_host_is_given_up_in_time(program, parts, realm):
    """It takes connections and says nothing: CONNECT_TIMEOUT_S, then the next host."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = url_of(parts, "127.0.0.1:{silent},127.0.0.1:{port}", silent=silent.getsockname()[1])
        worker = program(DATABASE_URL=url, CONNECT_TIMEOUT_S=1)
        began = time.monotonic()
        assert direct(Person, worker, realm).log_in().api("GET", "auth/microsoft/user").status == 200
        assert 0.9 < time.monotonic() - began < 3


def test_parts_are_percent_decoded(program, parts, realm, stack):
    stack.mariadb.sql("CREATE OR REPLACE USER `{}`@'%' IDENTIFIED BY '{}'; GRANT ALL ON `{}`.* TO `{}`@'%'".format(
        ODD, ODD.replace("'", "''"), stack.database.name, ODD))
    who = f"{quote(ODD, safe='')}:{quote(ODD, safe='')}"
    assert works(program, realm, url_of(parts, who=who))
    encoded = "".join(f"%{byte:02x}" for byte in parts["db"].encode())
    assert works(program, realm, url_of(parts, db=encoded))
    stack.mariadb.sql(f"DROP USER `{ODD}`@'%'")


@pytest.mark.parametrize("who", ["{user}:wrong", "{user}", "nobody:x"])
def test_wrong_credentials(program, parts, realm, who):
    worker = program(DATABASE_URL=url_of(parts, who=who.format(user=parts["who"].partition(":")[0])))
    assert "Access denied" in check_away(worker, realm).logs()


@pytest.mark.promise("faults/database", "A database that cannot be reached at all: 503 after CONNECT_TIMEOUT_S, and back by itself")
def test_no_host_answers(program, parts, realm):
    check_away(program(DATABASE_URL=url_of(parts, "127.0.0.1:{dead},127.0.0.2:{dead}", dead=free_port())), realm)


def test_a_database_without_the_schema(program, parts, realm):
    check_away(program(DATABASE_URL=url_of(parts, db="no_such_database")), realm)


def test_a_certificate_that_cannot_be_verified(program, parts, realm, sim):
    """The server has no TLS: with ssl_ca it is not spoken to in plain text."""
    check_away(program(DATABASE_URL=url_of(parts) + "?ssl_ca=" + quote(sim.ca_file, safe="")), realm)


@pytest.mark.promise("faults/database", "Connections cut between statements, or closed by wait_timeout: the caller sees nothing")
def test_comes_back_with_the_database(stack, program, parts, realm):
    """Connections that were cut are made anew, unseen by the caller."""
    worker = program(DATABASE_URL=url_of(parts), LOG_LEVEL="debug")
    someone = direct(Person, worker, realm).connect()
    for pause in (0, 1.2):
        time.sleep(pause)
        user = parts["who"].partition(":")[0]
        ids = stack.mariadb.rows(f"SELECT id FROM information_schema.processlist WHERE user = '{user}'")
        stack.mariadb.sql("; ".join(f"KILL {row[0]}" for row in ids))
        assert someone.cal("GET").status == 200, (pause, worker.logs())


@pytest.fixture
def few(program, parts, stack):
    """few(workers) is a program that shares the three connections of an account; few.held() is how many there are."""
    stack.mariadb.sql(f"CREATE OR REPLACE USER few@'%' IDENTIFIED BY 'few' WITH MAX_USER_CONNECTIONS 3;"
                      f" GRANT ALL ON `{stack.database.name}`.* TO few@'%'")
    started = []

    def start(workers):
        started.append(program("--workers", workers, DATABASE_URL=url_of(parts, who="few:few"), DATABASE_CONNECTION="shared"))
        return started[-1]

    start.held = lambda: int(stack.mariadb.rows("SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'few'")[0][0])
    yield start
    for one in started:
        one.stop()
    stack.mariadb.sql("DROP USER few@'%'")


# mutant: src/flow/ctx.c: gg_db_rest(c->ctx->db); => (void)0;
# mutant: src/app/main.c: gg_db_rest(ctx->db); => (void)arg;
@pytest.mark.promise("faults/database", "More workers than the database has connections: with DATABASE_CONNECTION=shared all of them serve")
def test_fewer_connections_than_workers(few, sim):
    """The account has three; twelve workers wait for Microsoft at once, longer than anybody waits for a connection."""
    worker = few(12)
    people = [direct(Person, worker, REALMS[i % 2]).connect() for i in range(12)]
    sim.fault("delay", "graph", count=None, delay_ms=2000)
    assert {answer.status for answer in each(people, lambda someone: someone.cal("GET"))} == {200}
    assert {answer.status for answer in each(people, lambda someone: someone.api("GET", "auth/microsoft/user"))} == {200}
    assert wait_until(lambda: few.held() == 0, 10)


# mutant: src/flow/fanout.c: gg_db_rest(r->c->ctx->db); => (void)0;
def test_a_wide_read_holds_no_connection_while_it_waits(few, sim, realm):
    someone = direct(Person, few(1), realm).connect()
    ids, before = calendars(someone, 2), len(sim.requests(target="graph"))
    sim.fault("delay", "graph", count=None, delay_ms=4000)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(someone.cal, "GET", "/events?" + "&".join(f"calendar_id={one}" for one in ids))
        assert wait_until(lambda: len(sim.requests(target="graph")) == before + 2, 3)
        assert wait_until(lambda: few.held() == 0, 2) and not answer.done()
    assert whole(answer.result()) == []


# mutant: src/web/route.c: gg_db_rest(ctx->db); => (void)0;
def test_a_slow_reader_holds_no_connection(few, sim, realm):
    """Whoever leaves a large answer unread holds a worker, until its time is over; but no connection."""
    worker = few(1)
    someone = direct(Person, worker, realm).connect()
    sim.add_events(someone.user, event("large", body={"contentType": "text", "content": "x" * 1_000_000}))
    with connect(worker.address) as link:
        send(link, "GET", someone.realm.prefix + "/integration/microsoft/calendar/events", {"HTTP_AUTHORIZATION": f"Bearer {someone.token}"})
        assert link.recv(1, socket.MSG_PEEK)
        assert wait_until(lambda: few.held() == 0, 5)
        assert receive(link).status == 200


@pytest.fixture
def backup(stack):
    """backup(): the whole server takes no writes, as while it is copied, until the function that this gives is called."""
    client = subprocess.Popen(  # pylint: disable=consider-using-with
        ["mariadb", "--no-defaults", f"--socket={stack.mariadb.socket}", f"--user={getpass.getuser()}", "--batch",
         "--skip-column-names", "--unbuffered"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def begin():
        client.stdin.write("FLUSH TABLES WITH READ LOCK; SELECT 'held';\n")
        assert client.stdout.readline() == "held\n"

        def end():
            client.stdin.write("UNLOCK TABLES; SELECT 'released';\n")
            assert client.stdout.readline() == "released\n"
        return end

    yield begin
    client.communicate(timeout=10)


@pytest.mark.promise("faults/database", "A read-only database: 503, no limit is passed by uncounted, and service again when it takes writes")
def test_a_database_that_takes_no_writes(stack, backup):
    """503 in time; and what was answered so is not carried out later."""
    people = [Person(stack, realm).connect() for realm in REALMS]
    before = [someone.row("*") for someone in people]
    end = backup()
    try:
        began = time.monotonic()
        answers = each(people, lambda someone: someone.api("DELETE", "auth/microsoft/token"))
        took = time.monotonic() - began
    finally:
        end()
    assert [(answer.status, answer.body["code"]) for answer in answers] == [(503, "database_unavailable")] * 2
    assert took < 15
    time.sleep(0.5)
    assert [someone.row("*") for someone in people] == before
    assert [someone.api("DELETE", "auth/microsoft/token").status for someone in people] == [200, 200]
