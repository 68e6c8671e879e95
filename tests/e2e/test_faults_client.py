# SPDX-License-Identifier: MIT
"""Clients that are slow, leave early, say too much, or only sit there: others are served, and no worker is lost."""

import contextlib
import resource
import selectors
import socket
import struct
import threading
import time
from urllib.parse import urlsplit

import pytest
from behind import MANY_HEADERS
from conftest import BUILD, NO_LIMITS, Person
from fcgi_client import ABORT, BEGIN, PARAMS, STDIN, connect, direct, receive, record, send
from kit import wait_for
from trouble import Callers

from stack.smoke import REALMS
from stack.stack import Stack

EXCHANGE = "/api/v1/auth/microsoft/exchange"
HEALTH = "/api/v1/health/microsoft"
BODY = {"CONTENT_LENGTH": 1000, "CONTENT_TYPE": "application/json"}


def site_of(stack):
    """Host and port of a stack's web server."""
    parts = urlsplit(stack.url)
    return parts.hostname, parts.port


def raw(stack, text):
    """A connection to the web server on which that was written."""
    link = socket.create_connection(site_of(stack), 60)
    link.sendall(text.encode("latin-1"))
    return link


def head(method, path, **headers):
    """The head of a request, without the empty line at its end."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *[f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]]
    return "\r\n".join(lines) + "\r\n"


def open_body(stack, person, length=1000):
    """A request whose body has begun."""
    return raw(stack, head("POST", EXCHANGE, Authorization=f"Bearer {person.token}", Content_Type="application/json",
                           Content_Length=length) + '\r\n{"session_code": "')


def status_of(link):
    """The status of the answer, 0 when the connection ends without one."""
    with contextlib.suppress(ConnectionError):
        line = link.makefile("rb").readline()
        return int(line.split()[1]) if line else 0
    return 0


class Trickle:
    """A body of a byte every half second, straight at the program; how it ended, and when."""

    def __init__(self, program):
        self.answer, self.took = None, 0.0
        self.program = program
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        began = time.monotonic()
        with connect(self.program.address) as link, selectors.DefaultSelector() as selector:
            send(link, "POST", EXCHANGE, BODY, open_end=True)
            selector.register(link, selectors.EVENT_READ)
            while not (ready := selector.select(0.5)) and time.monotonic() - began < 60:
                link.sendall(record(STDIN, b" "))
            self.took = time.monotonic() - began
            self.answer = receive(link) if ready else None

    def over(self):
        """Waits for its end."""
        self._thread.join()
        return self


@pytest.fixture
def slow(program):
    """One worker of two is at a body that trickles."""
    return Trickle(program("--workers", 2))


@pytest.fixture
def spoiled(request):
    """The workers of the site are the same afterwards as before: none was lost, none hangs."""
    site = request.getfixturevalue("stack")
    before = set(site.serving_pids())
    yield site
    someone = Person(site, REALMS[0]).log_in()
    assert [someone.api("GET", "auth/microsoft/user").status for _ in range(12)] == [200] * 12
    assert before <= set(site.serving_pids()) and "signal=" not in site.logs()


# mutant: src/ext/fcgi.c: got <= 0 || gg_deadline_left_ms(deadline) == 0 => got <= 0 || gg_deadline_left_ms(deadline) < 0
@pytest.mark.no_server
@pytest.mark.promise("faults/client", "A body that comes a byte at a time is given up after 20 s; others are served meanwhile")
def test_a_slow_body_at_the_worker(slow, measured):
    waits = []
    for _ in range(20):
        began = time.monotonic()
        assert slow.program.health().status == 200
        waits.append(time.monotonic() - began)
    assert slow.over().answer, "not given up"
    assert (slow.answer.status, slow.answer.body["code"]) == (400, "invalid_json") and 15 < slow.took < 45
    assert slow.program.health().status == 200
    measured(f"given up after {slow.took:.1f} s; others waited {max(waits):.2f} s at most")


@pytest.mark.promise("faults/client", "More slow bodies than workers, at the web server: they hold no worker, others are served")
def test_slow_bodies_at_the_web_server(spoiled, measured):
    someone = Person(spoiled, REALMS[0]).connect()
    with contextlib.ExitStack() as held:
        links = [held.enter_context(open_body(spoiled, someone)) for _ in range(3 * spoiled.workers)]
        waits = []
        for _ in range(6):
            for link in links:
                link.sendall(b"x")
            began = time.monotonic()
            assert someone.cal("GET").status == 200
            waits.append(time.monotonic() - began)
            time.sleep(0.3)
    assert max(waits) < 10, waits
    measured(f"{len(links)} slow bodies; others waited {max(waits):.2f} s at most")


@pytest.mark.promise("faults/client", "A body that is cut short is refused or dropped; nothing of it is carried out")
def test_a_body_cut_short(spoiled, program):
    someone = Person(spoiled, REALMS[0]).connect()
    for length in (1000, 1 << 20):
        with open_body(spoiled, someone, length) as link:
            link.shutdown(socket.SHUT_WR)
            # 500: mod_fcgid has one word for every body that it cannot read.
            assert status_of(link) in (0, 400, 408, *([500] if spoiled.server == "fcgid" else []))
    worker = program()
    with connect(worker.address) as link:
        send(link, "POST", EXCHANGE, BODY, b'{"session_code": "x"}')
        assert receive(link).body["code"] == "invalid_json"
    assert worker.health().status == 200


@pytest.mark.promise("faults/client", "Clients that close before the answer cost nothing but their own request")
def test_closed_before_the_answer(spoiled, sim):
    someone = Person(spoiled, REALMS[0]).connect()
    sim.fault("delay", "graph", user=someone.user, count=None, delay_ms=300)
    for number in range(5 * spoiled.workers):
        with raw(spoiled, head("GET", someone.path("integration/microsoft/calendar/"), Authorization=f"Bearer {someone.token}") + "\r\n") as link:
            time.sleep(0.02)
            if number % 2:      # a reset in place of an orderly end
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wait_for(lambda: len(sim.requests(target="graph", user=someone.user)) >= spoiled.workers, 20)
    sim.clear_faults()
    assert someone.cal("GET").status == 200


@pytest.mark.no_server
@pytest.mark.promise("faults/client", "A web server that aborts a request, or leaves in the middle of it, costs no worker")
def test_aborted_at_the_worker(program, sim):
    master = program("--workers", 1)
    someone = direct(Person, master, REALMS[0]).connect()
    pids = wait_for(master.workers)
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {someone.token}"}
    begin = record(BEGIN, struct.pack(">HB5x", 1, 0))
    for beginning in (begin, begin + record(PARAMS, b"\x05\x01NA"), begin + record(PARAMS, b"\x05\x01NAMESx") + record(PARAMS, b""),
                      begin + record(PARAMS, b"") + record(STDIN, b"half")):
        for ending in (record(ABORT, b""), b""):
            with connect(master.address) as link:
                link.sendall(beginning + ending)
            assert master.health().status == 200
    sim.fault("delay", "graph", user=someone.user, count=None, delay_ms=100)
    for ending in (record(ABORT, b""), b""):
        for _ in range(4):
            with connect(master.address) as link:
                send(link, "GET", someone.path("integration/microsoft/calendar/"), bearer)
                link.sendall(ending)
    assert master.health().status == 200 and master.workers() == pids
    assert "worker.end" not in master.logs()


@pytest.mark.promise("faults/client", "Headers of 64 KiB: a 4xx, never a crash")
@pytest.mark.parametrize("headers", [
    {"X_Long": "x" * 65536}, {"Authorization": "Bearer " + "x" * 65536}, {"Cookie": "a=" + "b" * 65536},
    {f"X_{number}": "y" * 1000 for number in range(64)}, {f"X_{number}": "" for number in range(6000)}],
    ids=["one", "token", "cookie", "many", "thousands"])
def test_headers_of_64_kib(spoiled, program, headers):
    with raw(spoiled, head("GET", "/api/v1/nowhere", Accept="*/*", **headers) + "\r\n") as link:
        status = status_of(link)
    assert 400 <= status < 500 or status == MANY_HEADERS[spoiled.server]
    worker = program()
    parameters = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    assert worker.ask("GET", "/api/v1/auth/microsoft/user", parameters).status == 401
    assert worker.health().status == 200


@pytest.fixture
def wide(mariadb, sim, tmp_path_factory):
    """A site behind lighttpd, which may open as many files as this machine lets anybody."""
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (25000, max(25000, usual[1])))
    except (ValueError, PermissionError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (usual[1], usual[1]))
    with Stack(tmp_path_factory.mktemp("wide"), BUILD, NO_LIMITS, mariadb=mariadb, sim=sim, server="lighttpd") as made:
        yield made
    resource.setrlimit(resource.RLIMIT_NOFILE, (usual[0], resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


@pytest.mark.no_server
@pytest.mark.promise("faults/client", "10,000 idle connections at the web server: requests are served beside them")
def test_idle_connections(wide, measured):
    # lighttpd takes a connection for each two files that it may open.
    most = min(10000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2 - 200)
    someone = Person(wide, REALMS[0]).connect()
    with contextlib.ExitStack() as held, Callers(lambda: someone.api("GET", "auth/microsoft/user"), pause_s=0.05) as callers:
        for number in range(most):
            link = held.enter_context(socket.socket())
            link.bind((f"127.0.{1 + number // 250 % 200}.{1 + number % 250}", 0))
            link.settimeout(20)
            link.connect(site_of(wide))
        callers.more(20)
        waits = [call.took for call in callers.calls]
    assert set(callers.tally()) == {(200, None)}, callers.tally()
    assert someone.call("GET", HEALTH).body["status"] == "healthy"
    measured(f"{most} idle connections; others waited {max(waits):.2f} s at most")
