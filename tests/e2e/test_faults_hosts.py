# SPDX-License-Identifier: MIT
"""The way to the database: hosts that are silent, refuse, or come and go, behind relays of the tests' own."""

import contextlib
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import Person
from fcgi_client import direct
from kit import expires_in, refreshes, stored, wait_for
from trouble import Callers, Relay, Transaction, kept, lock_row, statements

from stack.smoke import REALMS

# One time-out for connecting, one for a statement; a busy machine adds its own.
CONNECT_S, STATEMENT_S, SLACK_S = 1, 10, 9


@pytest.fixture
def relays(stack):
    """Two ports that lead to the stack's MariaDB."""
    made = [Relay(stack.mariadb.port) for _ in range(2)]
    yield made
    for one in made:
        one.down()


def url_of(stack, *ports):
    """The stack's DATABASE_URL by way of these ports."""
    head, _, rest = stack.mariadb.tcp_url(stack.database.worker).rpartition("@")
    return f"{head}@{','.join(f'127.0.0.1:{port}' for port in ports)}/{rest.partition('/')[2]}"


def refused_in(someone, most_s):
    """Asks for what needs the database; seconds until it said that it is away."""
    began = time.monotonic()
    answer = someone.api("GET", "auth/microsoft/user")
    took = time.monotonic() - began
    assert (answer.status, answer.body["code"]) == (503, "database_unavailable") and took < most_s, (answer, took)
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    return took


@pytest.mark.promise("faults/database", "The second host of DATABASE_URL takes over, and the first again: no request fails")
def test_the_second_host_takes_over_and_back(program, stack, realm, relays, measured):
    first, second = relays
    master = program("--workers", 2, DATABASE_URL=url_of(stack, first.port, second.port), CONNECT_TIMEOUT_S=CONNECT_S)
    someone = direct(Person, master, realm).connect()
    before, pids = kept(someone), master.workers()
    with Callers(*[lambda: someone.api("GET", "auth/microsoft/user"), lambda: someone.cal("GET")] * 2) as callers:
        callers.more(20)
        assert first.taken >= 1 and second.taken == 0
        first.down()
        callers.more(30)
        taken = second.taken
        assert taken >= 1
        first.up()
        known = first.taken
        second.down()
        callers.more(30)
        assert first.taken > known
    assert set(callers.tally()) == {(200, None)}, callers.tally()
    assert kept(someone) == before and master.workers() == pids
    measured(f"{len(callers.calls)} requests through two changes, slowest {max(call.took for call in callers.calls):.2f} s")


def cut_in_the_lease(stack, someone, relay):
    """The lease is taken, and nobody told: it waits for its row while its connection is cut."""
    with Transaction(stack.mariadb, stack.database.name) as holder, ThreadPoolExecutor(1) as pool:
        lock_row(holder, someone)
        asked = pool.submit(someone.cal, "GET")
        wait_for(lambda: statements(stack, f"UPDATE {someone.table} SET refresh_lease%"))
        relay.down()
        holder.run("ROLLBACK")
        return asked.result()


def silent_at_the_end(stack, someone, relay):
    """Microsoft's new tokens wait for their row, and the host that was told falls silent, and never stores them."""
    stack.sim.fault("delay", "token", grant="refresh_token", user=someone.user, delay_after_ms=500)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(someone.cal, "GET")
        wait_for(lambda: someone.row("refresh_lease") != ["NULL"], every=0.01)
        with Transaction(stack.mariadb, stack.database.name) as holder:
            lock_row(holder, someone)
            wait_for(lambda: statements(stack, f"UPDATE {someone.table} SET access_token%"))
            relay.hush()
            wait_for(lambda: not statements(stack, f"UPDATE {someone.table} SET access_token%"))
        return asked.result()


@pytest.mark.promise("faults/database", "A refresh whose database host is lost: the next host has the new tokens, and nobody waits for a lease")
@pytest.mark.parametrize("loss", [cut_in_the_lease, silent_at_the_end], ids=lambda loss: loss.__name__)
# mutant: src/store/token.c: ((gg_db_fault(s.db) == GG_DB_LOST || => ((
# mutant: src/store/token.c: OR refresh_lease=? OR => OR refresh_lease=REVERSE(?) OR
def test_a_refresh_whose_host_is_lost(program, stack, relays, loss):
    first, second = relays
    worker = program(DATABASE_URL=url_of(stack, first.port, second.port), CONNECT_TIMEOUT_S=CONNECT_S)
    someone = direct(Person, worker, REALMS[0]).connect()
    expires_in(someone, -10)
    assert loss(stack, someone, first).status == 200
    assert refreshes(someone) == 1 and stored(someone, "refresh_token") == stack.sim.token_of(someone.user, "refresh_token")
    assert someone.row("is_active, refresh_lease") == ["1", "NULL"]


@pytest.mark.promise("faults/database", "A database that goes silent in the middle: 503 in bounded time, and back when it speaks again")
def test_a_host_that_goes_silent(program, stack, relays, measured):
    """Its power is gone: connections stay open, and nothing comes."""
    relay = relays[0]
    worker = program(DATABASE_URL=url_of(stack, relay.port), CONNECT_TIMEOUT_S=CONNECT_S)
    someone = direct(Person, worker, REALMS[0]).connect()
    before = kept(someone)
    relay.hush()
    in_statement = refused_in(someone, STATEMENT_S + CONNECT_S + SLACK_S)
    connecting = refused_in(someone, CONNECT_S + SLACK_S)
    assert worker.health().status == 503
    relay.down()
    refused = refused_in(someone, SLACK_S)
    measured(f"given up after {in_statement:.1f} s in a statement, {connecting:.1f} s while connecting, {refused:.2f} s refused")
    relay.up()
    assert someone.cal("GET").status == 200 and kept(someone) == before


@pytest.mark.promise("faults/database", "A database that cannot be reached at all: 503 after CONNECT_TIMEOUT_S, and back by itself")
def test_a_host_that_takes_no_connection(program, stack, realm, relays, measured):
    """A listen queue that is full: what is sent to it is dropped, as by a firewall."""
    relay = relays[0]
    relay.down()
    worker = program(DATABASE_URL=url_of(stack, relay.port), CONNECT_TIMEOUT_S=CONNECT_S)
    someone = direct(Person, worker, realm).log_in()
    with contextlib.ExitStack() as held:
        listener = held.enter_context(socket.create_server(("127.0.0.1", relay.port), backlog=0))
        for _ in range(4):
            caller = held.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        time.sleep(0.2)
        took = refused_in(someone, CONNECT_S + SLACK_S)
    assert took > CONNECT_S - 0.2
    measured(f"given up after {took:.1f} s")
    relay.up()
    assert wait_for(lambda: someone.api("GET", "auth/microsoft/user").status == 200, 20)
