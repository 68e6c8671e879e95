# SPDX-License-Identifier: MIT
"""The metrics add up exactly, however many workers count, whoever started them, and however they end."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import NO_LIMITS, Person, sign_jwt
from fcgi_client import direct
from kit import wait_for
from metrics import TOKEN, scrape, total

from stack.smoke import REALMS

REQUESTS, CLIENTS = 10_000, 12
GONE = "/nothing/here"
USER = "/api/v1/auth/microsoft/user"
# How often of ten: method, path, whether with a JWT; what it must be counted as.
MIX = (
    (4, ("GET", GONE, False), ("other", "GET", "404")), (1, ("HEAD", GONE, False), ("other", "HEAD", "404")),
    (1, ("PROPFIND", USER, False), ("auth/microsoft/user", "other", "405")),
    (1, ("POST", "/api/v1/beta/auth/microsoft/exchange", False), ("auth/microsoft/exchange", "POST", "415")),
    (1, ("GET", USER, "bad"), ("auth/microsoft/user", "GET", "401")), (2, ("GET", USER, True), ("auth/microsoft/user", "GET", "200")),
)
TEN = [(call, counted) for often, call, counted in MIX for _ in range(often)]


class Spawner:
    """Starts one process that serves by itself on a socket of ours, and another whenever it ends: as mod_fcgid does."""

    def __init__(self, program, directory, *arguments):
        self.address, self.started = directory / "lone", 0
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.address))
        self._listener.listen(512)
        self._words = [str(program.stack.bin_dir / "graphgate.fcgi"), *map(str, arguments)]
        self._env, self._log = program.env, directory / "lone.log"
        self._over, self._child = False, None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def _run(self):
        while not self._over:
            with open(self._log, "ab") as log:
                self._child = subprocess.Popen(  # pylint: disable=consider-using-with
                    self._words, stdin=self._listener, stdout=log, stderr=log, env=self._env)
            self.started += 1
            self._child.wait()

    def __exit__(self, *fault):
        self._over = True
        while self._thread.is_alive():
            with contextlib.suppress(ProcessLookupError):
                self._child.send_signal(signal.SIGTERM)
            self._thread.join(0.1)
        self._listener.close()


class Lone:
    """Stands in for a Program at another address."""

    def __init__(self, program, address):
        self._program, self.address = program, address

    def ask(self, *words, **rest):
        """One request, through the Program's own means."""
        return type(self._program).ask(self, *words, **rest)


def samples(risen, name, **labels):
    """By how much."""
    return total(risen[1], name, **labels) - total(risen[0], name, **labels)


def send(places, jwts, numbers):
    """These requests, spread over the places; how often each (route, method, status) was the answer."""
    def one(number):
        (method, path, who), counted = TEN[number % 10]
        token = {"HTTP_AUTHORIZATION": f"Bearer {jwts[who]}"} if who else {}
        answer = places[number // 10 % len(places)].ask(method, path, token)
        assert str(answer.status) == counted[2], answer
        return counted

    with ThreadPoolExecutor(CLIENTS) as pool:
        return Counter(pool.map(one, numbers))


def idle(place, workers):
    """Waits until so many workers wait for a request, but for the one that says so."""
    def check():
        seen = scrape(place)
        return (total(seen, "workers", state="busy"), total(seen, "workers", state="idle")) == (1, workers - 1)
    wait_for(check, 20)


@pytest.mark.no_server
def test_ten_thousand_requests_on_eight_workers_that_come_and_go(program, tmp_path, measured):
    """Two masters and a lone process, each started by itself, share one page; some of their workers are killed."""
    page = {"METRICS_TOKEN": TOKEN, "METRICS_FILE": tmp_path / "page", **NO_LIMITS}
    one = program("--workers", 3, "--max-requests", 60, **page)
    two = program("--workers", 4, "--max-requests", 90, **page)
    someone = direct(Person, one, REALMS[0]).log_in()
    jwts = {True: someone.token, "bad": sign_jwt("another key", someone.claims())}
    with Spawner(one, tmp_path, "--max-requests", 100) as spawner:
        lone = Lone(one, spawner.address)
        places = [one, two, lone]
        idle(one, 8)
        before = scrape(one)
        sent = send(places, jwts, range(REQUESTS // 2))
        idle(lone, 8)
        for victim in (*sorted(one.workers())[:1], *sorted(two.workers())[:2]):
            os.kill(victim, signal.SIGKILL)
        sent += send(places, jwts, range(REQUESTS // 2, REQUESTS))
        risen = before, scrape(two)
        assert sum(sent.values()) == REQUESTS
        scrapes = samples(risen, "http_requests_total", route="metrics")
        assert samples(risen, "http_requests_total") == REQUESTS + scrapes
        for (route, method, status), count in sent.items():
            labels = {"route": route, "method": method}
            assert samples(risen, "http_requests_total", status=status, **labels) == count, labels
        for route, method in {(route, method) for route, method, _ in sent}:
            labels = {"route": route, "method": method}
            count = sum(number for counted, number in sent.items() if counted[:2] == (route, method))
            assert samples(risen, "http_request_duration_seconds_count", **labels) == count
            assert samples(risen, "http_request_duration_seconds_bucket", le="+Inf", **labels) == count
        assert samples(risen, "bad_jwts_total", reason="signature") == samples(risen, "bad_jwts_total") == REQUESTS / 10
        # Whose account, and whose tokens.
        assert samples(risen, "db_calls_total", result="ok") == samples(risen, "db_calls_total") == 2 * REQUESTS / 5
        assert samples(risen, "db_call_duration_seconds_count") == 2 * REQUESTS / 5
        assert spawner.started > 20
        # All three say the same, but for what the scrapes themselves count.
        idle(one, 8)
        for place in places:
            assert total(scrape(place), "http_requests_total", route="other", method="GET", status="404") == 4 * REQUESTS / 10
        measured(f"{REQUESTS} requests by {spawner.started} lone processes and two masters' workers")


def test_a_killed_worker_is_not_busy_for_ever(program, tmp_path):
    """One that is killed in the midst of a request is no worker any more, and what it was at is not counted."""
    page = {"METRICS_TOKEN": TOKEN, "METRICS_FILE": tmp_path / "page"}
    other, victim = program("--workers", 1, **page), program("--workers", 1, GRAPH_TIMEOUT_S="20", **page)
    someone = direct(Person, victim, REALMS[0]).connect()
    idle(other, 2)
    victim.sim.fault("delay", "graph", user=someone.user, delay_ms=15000)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(someone.cal, "GET")
        wait_for(lambda: total(scrape(other), "workers", state="busy") == 2, 20)
        (pid,) = victim.workers()
        os.kill(pid, signal.SIGKILL)
        with pytest.raises((EOFError, OSError)):
            call.result()
    idle(other, 2)
    assert total(scrape(other), "http_requests_total", route="integration/microsoft/calendar") == 0


def test_a_worker_that_leaves_takes_nothing_with_it(program):
    """The last request of a worker counts, and the master has no part in it."""
    worker = program("--workers", 1, "--max-requests", 1, METRICS_TOKEN=TOKEN)
    for _ in range(20):
        worker.ask("GET", GONE)
    assert total(scrape(worker), "http_requests_total", route="other") == 20


def test_a_program_that_starts_again_counts_on(program):
    worker = program("--workers", 2, METRICS_TOKEN=TOKEN)
    worker.ask("GET", GONE)
    worker.stop()
    worker.start()
    assert total(scrape(worker), "http_requests_total", route="other") == 1
