# SPDX-License-Identifier: MIT
"""50,000 requests to the same workers: their memory stays where it was after the first ones."""

import itertools
import json
import os
import struct
import threading
import time

import pytest
from conftest import BUILD, CALENDAR, Person
from fcgi_client import BEGIN, END, PARAMS, STDIN, STDOUT, connect, direct, parameters_of, record, stream_of
from kit import wait_for

from stack.smoke import REALMS

TOTAL, WARM, CALLERS = 50000, 10000, 2
# What may be more at the end: a page here and there, no trend.
ALLOWED_KIB = 256


def private_kib(pid):
    """Memory that is the process's own."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        _, resident, shared = (int(word) for word in file.read().split()[:3])
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE") // 1024


def request_of(method, uri, token=None, body=b""):
    """The bytes of a request on a connection that stays open."""
    pairs = {"REQUEST_METHOD": method, "REQUEST_URI": uri, "REMOTE_ADDR": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1"}
    if token:
        pairs["HTTP_AUTHORIZATION"] = "Bearer " + token
    if body:
        pairs |= {"CONTENT_LENGTH": len(body), "CONTENT_TYPE": "application/json"}
    return (record(BEGIN, struct.pack(">HB5x", 1, 1)) + stream_of(PARAMS, parameters_of(pairs)) + stream_of(STDIN, body))


def mix_of(someone):
    """(status, bytes) of a hundred requests: what a worker meets in its life."""
    event = json.dumps({"subject": "Growth", "start": "2027-03-02T09:00:00Z", "end": "2027-03-02T09:30:00Z"}).encode()
    good, bad = someone.token, someone.token[:-6] + "AAAAAA"
    kinds = [
        (50, 404, request_of("GET", "/api/v1/nowhere")), (15, 401, request_of("GET", someone.path("auth/microsoft/user"), bad)),
        (10, 200, request_of("GET", "/api/v1/health/microsoft")), (12, 200, request_of("GET", someone.path("auth/microsoft/user"), good)),
        (5, 422, request_of("POST", someone.path(CALENDAR + "/events"), good, b'{"subject": ""}')),
        (4, 400, request_of("POST", someone.path("auth/microsoft/exchange"), None, b'{"session_code": "unknown"}')),
        (2, 302, request_of("GET", someone.path("auth/microsoft/"))), (1, 200, request_of("GET", someone.path(CALENDAR + "/events?limit=5"), good)),
        (1, 201, request_of("POST", someone.path(CALENDAR + "/events"), good, event))]
    return [(status, text) for count, status, text in kinds for _ in range(count)]


class Caller:
    """One connection that is used again and again, as by a web server that keeps it."""

    def __init__(self, address):
        self._address = address
        self._link = self._stream = None

    def ask(self, text):
        """The status of the answer; a connection that the worker gave up is made anew."""
        for _ in range(3):
            if self._link is None:
                self._link = connect(self._address)
                self._stream = self._link.makefile("rb")
            try:
                self._link.sendall(text)
                return self._status()
            except (OSError, EOFError):
                self._link.close()
                self._link = None
        raise AssertionError("no answer")

    def _status(self):
        out = b""
        while True:
            head = self._stream.read(8)
            if len(head) < 8:
                raise EOFError
            _, kind, _, length, padding = struct.unpack(">BBHHBx", head)
            content = self._stream.read(length + padding)[:length]
            out += content if kind == STDOUT and len(out) < 4096 else b""
            if kind == END:
                return int(out.partition(b"Status: ")[2][:3] or 200)


@pytest.mark.skipif("GG_SANITIZE 1" in (BUILD / "config.h").read_text(encoding="utf-8"), reason="a sanitizer keeps what is freed")
@pytest.mark.promise("faults/worker", "50,000 mixed requests to the same workers: their memory does not grow after the first 10,000")
def test_memory_is_flat(program, measured):
    master = program("--workers", CALLERS, "--max-requests", 10 * TOTAL, LOG_LEVEL="error")
    people = [direct(Person, master, realm).connect() for realm in REALMS]
    for one in people:
        one.log_in(exp=int(time.time()) + 3000)
    mixes = [mix_of(one) for one in people]
    pids = wait_for(lambda: len(found := master.workers()) == CALLERS and found)
    wrong, done, kept = [], itertools.count(), {}

    def run(number):
        caller = Caller(master.address)
        while (at := next(done)) < TOTAL and not wrong:
            # In the middle of a hundred others, in another order each time.
            wanted, text = mixes[(at // 100 + number) % 2][at * 37 % 100]
            if (status := caller.ask(text)) != wanted:
                wrong.append((wanted, status))
            if at == WARM:
                kept.update({pid: private_kib(pid) for pid in pids})

    began = time.monotonic()
    threads = [threading.Thread(target=run, args=(number,)) for number in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    assert not wrong and master.workers() == pids
    growth = {pid: private_kib(pid) - kept[pid] for pid in pids}
    measured(f"{TOTAL} requests in {took:.0f} s, {max(kept.values())} KiB each after {WARM}, then {max(growth.values()):+d} KiB")
    assert max(growth.values()) < ALLOWED_KIB, growth
