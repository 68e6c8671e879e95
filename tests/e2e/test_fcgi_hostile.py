# SPDX-License-Identifier: MIT
"""Malformed FastCGI records at the socket of the program: they cost their connection, at worst a worker, never the service."""

import random
import socket
import struct
import time

import pytest
from fcgi_client import Program, connect

from stack.process import wait_until

WORKERS = 2
WITHIN_S = 20  # generous: under load a respawn takes longer
ROLE = struct.pack(">HB5x", 1, 1)
PAIRS = b"\x0e\x03REQUEST_METHODGET\x0b\x02REQUEST_URI/a"


def record(kind, content=b"", padding=0, version=1, number=1, length=None):
    """One record; length may lie."""
    return struct.pack(">BBHHBx", version, kind, number, len(content) if length is None else length, padding) + content \
        + b"\0" * padding


GOOD = record(1, ROLE) + record(4, PAIRS) + record(4) + record(5)
FOUR = struct.Struct(">I").pack
HUGE = FOUR(0xfffffffe)
MALFORMED = {
    "nothing": b"",
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "tls": bytes.fromhex("1603010200010001fc0303") + b"\0" * 200,
    "a cut header": GOOD[:5],
    "a cut begin": GOOD[:12],
    "a cut parameter": record(1, ROLE) + record(4, PAIRS)[:-3],
    "another version": record(1, ROLE, version=2) + GOOD,
    "a version of 0": b"\0" * 64,
    "a begin that is short": record(1, b"\0\1") + GOOD,
    "a begin that is long": record(1, ROLE * 4) + GOOD,
    "two begins": record(1, ROLE) * 2 + GOOD,
    "no such role": record(1, struct.pack(">HB5x", 99, 1)) + record(4) + record(5),
    "an authorizer": record(1, struct.pack(">HB5x", 2, 1)) + record(4) + record(5),
    "a filter": record(1, struct.pack(">HB5x", 3, 1)) + record(4) + record(5) + record(8),
    "no begin": record(4, PAIRS) + record(4) + record(5),
    "an abort first": record(2) + GOOD,
    "an abort between": record(1, ROLE) + record(2) + GOOD,
    "a body before the parameters": record(1, ROLE) + record(5, b"x") + record(4, PAIRS) + record(4),
    "another request's records": record(1, ROLE) + record(4, PAIRS, number=7) + record(4, number=7) + record(5, number=7),
    "no such type": record(200, b"x" * 300, 9) + GOOD,
    "no such type, of nobody": record(200, b"x" * 300, 9, number=0) * 50,
    "a question": record(9, b"\x0e\0FCGI_MAX_CONNS\x0f\0FCGI_MPXS_CONNS", number=0),
    "a question asked often": record(9, b"\x0f\0FCGI_MPXS_CONNS" * 200, number=0),
    "a question that is cut": record(9, b"\x7f\x7fX", number=0),
    "a length that lies": record(1, ROLE) + record(4, PAIRS, length=65535),
    "only padding": record(1, ROLE, 255) + record(4, b"", 255),
    "a name beyond its record": record(1, ROLE) + record(4, b"\x7f\x01AB") + record(4) + record(5),
    "a name of 2 GiB": record(1, ROLE) + record(4, FOUR(0xffffffff) + b"\0AB") + record(4) + record(5),
    "name and value of nearly 2 GiB": record(1, ROLE) + record(4, HUGE + HUGE + b"A" * 5000) + record(4) + record(5),
    "a value of 1 GiB": record(1, ROLE) + record(4, b"\1" + FOUR(0xc0000000) + b"A") + record(4) + record(5),
    "a cut length": record(1, ROLE) + record(4, b"\xff\xff") + record(4) + record(5),
    "no name": record(1, ROLE) + record(4, b"\0\0" * 2000) + record(4) + record(5),
    "NUL and = in a name": record(1, ROLE) + record(4, b"\4\4A=\0BC\0=D") + record(4) + record(5),
    "many parameters": record(1, ROLE) + record(4, b"\1\1AB" * 16000) * 8 + record(4) + record(5),
    "a body that never ends": record(1, ROLE) + record(4, PAIRS) + record(4) + record(5, b"x" * 60000) * 20,
    "answers' types": record(1, ROLE) + record(6, b"x") + record(7, b"x") + record(3, b"\0" * 8) + GOOD,
}


pytestmark = pytest.mark.no_server


@pytest.fixture(scope="module")
def program(stack, tmp_path_factory):
    made = Program(stack, tmp_path_factory.mktemp("hostile"), ("--workers", str(WORKERS)))
    yield made.start()
    made.stop()


def throw(program, data, leave=False):
    """Sends the bytes on a connection of their own; what comes back, if anything, is read unless the sender leaves."""
    with connect(program.address, 10) as link:
        try:
            link.sendall(data)
            link.shutdown(socket.SHUT_WR)
            while not leave and link.recv(65536):
                pass
        except OSError:
            pass


def answers(program):
    try:
        return program.ask("GET", "/api/v1/nowhere").status == 404
    except (OSError, EOFError):
        return False


def serves_again(program):
    """Seconds until every worker was there and a good request was answered, or None."""
    start = time.monotonic()
    there = wait_until(lambda: answers(program) and len(program.workers()) == WORKERS, WITHIN_S, 0.05)
    return time.monotonic() - start if there else None


@pytest.mark.promise("attack/input", "A malformed FastCGI record costs its connection, at worst one worker, which is replaced")
@pytest.mark.parametrize("name", MALFORMED)
def test_after_a_malformed_record_the_next_request_is_answered(program, name):
    for _ in range(WORKERS + 1):
        throw(program, MALFORMED[name])
    assert serves_again(program) is not None, program.logs()
    assert program.alive()


@pytest.mark.promise("attack/input", "A malformed FastCGI record costs its connection, at worst one worker, which is replaced")
def test_a_sender_that_leaves_holds_no_worker(program):
    for data in MALFORMED.values():
        throw(program, data, leave=True)
    assert serves_again(program) is not None, program.logs()


def scramble(dice):
    """A good request with some bytes changed, cut out or doubled, or bytes of chance behind a begin."""
    data = bytearray(GOOD if dice.random() < 0.8 else record(1, ROLE) + dice.randbytes(dice.randrange(300)))
    for _ in range(dice.randrange(1, 6)):
        at = dice.randrange(len(data))
        kind = dice.randrange(3)
        if kind == 0:
            data[at] = dice.randrange(129)  # huge lengths have rows above
        elif kind == 1:
            del data[at:at + dice.randrange(1, 9)]
        else:
            data[at:at] = data[at:at + dice.randrange(1, 40)]
        data = data or bytearray(b"\1")
    return bytes(data)


@pytest.mark.promise("attack/input", "Thousands of random FastCGI records leave the service answering")
def test_random_records(program, measured):
    dice, count = random.Random(20261122), 2000
    slowest = 0.0
    for number in range(1, count + 1):
        throw(program, scramble(dice), leave=number % 2 == 0)
        if number % 500 == 0:
            took = serves_again(program)
            assert took is not None, program.logs()
            slowest = max(slowest, took)
    assert program.alive()
    measured(f"{count} random requests; the good one behind them answered after {slowest:.1f} s at most")
