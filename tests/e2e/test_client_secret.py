# SPDX-License-Identifier: MIT
"""Two client secrets at once: renewing one without a moment at which nobody can sign in."""

import uuid

import pytest
from conftest import Person
from fcgi_client import direct
from kit import expires_in, is_problem

GONE = "a-secret-that-is-gone-0123456789"
NEXT = "a-secret-of-next-year-0123456789"


@pytest.fixture
def application(stack):
    """An app registration of the test's own: application([secret, …]) sets its secrets; its id."""
    identifier = str(uuid.uuid4())

    def register(secrets):
        stack.sim.app(identifier, redirect_uris=[stack.redirect_uri], secrets=[{"value": value} for value in secrets])
        return identifier
    return register


@pytest.fixture
def site(program, application, realm):
    """site([NEXT], …): a worker of that application, with MSCLIENTSECRET=GONE, and somebody at it."""
    def make(secrets, second=NEXT, **settings):
        worker = program(MSCLIENTID=application(secrets), MSCLIENTSECRET=GONE, MSCLIENTSECRET_NEXT=second, **settings)
        return worker, direct(Person, worker, realm)
    return make


def secrets_sent(worker):
    """Which secrets came with the token calls, oldest first; the journal is empty again."""
    forms = worker.sim.requests(secrets=True, target="token")
    worker.sim.clear_requests()
    return [NEXT if NEXT in str(form) else GONE if GONE in str(form) else "?" for form in forms]


# mutant: src/flow/redeem.c: !is_client_refused(refusal) || => true ||
def test_the_next_one_is_tried_and_remembered(site):
    worker, someone = site([NEXT])
    worker.sim.clear_requests()
    someone.connect()
    assert secrets_sent(worker) == [GONE, NEXT]
    for _ in range(2):
        expires_in(someone, -1)
        assert someone.cal("GET").status == 200
    assert secrets_sent(worker) == [NEXT, NEXT]
    lines = [line for line in worker.logs().splitlines() if " event=client.secret " in line]
    assert len(lines) == 1 and " level=warning " in lines[0] and "swap them" in lines[0]
    assert "refused=MSCLIENTSECRET taken=MSCLIENTSECRET_NEXT" in lines[0]
    assert GONE not in worker.logs() and NEXT not in worker.logs()


def test_back_when_the_next_one_is_refused(site, application):
    worker, someone = site([NEXT])
    someone.connect()
    application([GONE])
    worker.sim.clear_requests()
    expires_in(someone, -1)
    assert someone.cal("GET").status == 200 and secrets_sent(worker) == [NEXT, GONE]
    expires_in(someone, -1)
    assert someone.cal("GET").status == 200 and secrets_sent(worker) == [GONE]
    assert "refused=MSCLIENTSECRET_NEXT taken=MSCLIENTSECRET " in worker.logs()


def test_both_refused(site):
    worker, someone = site([NEXT])
    someone.connect()
    worker.sim.app(worker.conf["MSCLIENTID"], secrets=[{"value": "another-secret-altogether"}])
    worker.sim.clear_requests()
    expires_in(someone, -1)
    is_problem(someone.cal("GET"), 503, "microsoft_client_rejected")
    assert secrets_sent(worker) == [NEXT, GONE] and someone.row("is_active") == ["1"]
    start = someone.api("GET", "auth/microsoft/")
    answer = someone.call("GET", worker.sim.authorize(start.body["auth_url"], someone.user))
    is_problem(answer, 503, "microsoft_client_rejected")
    assert len(secrets_sent(worker)) == 2
    assert GONE not in worker.logs() and NEXT not in worker.logs()


@pytest.mark.parametrize("second", [None, GONE], ids=["none", "the-same"])
def test_without_another_one_there_is_one_call(site, second):
    worker, someone = site([NEXT], second)
    someone.log_in()
    start = someone.api("GET", "auth/microsoft/")
    worker.sim.clear_requests()
    answer = someone.call("GET", worker.sim.authorize(start.body["auth_url"], someone.user))
    is_problem(answer, 503, "microsoft_client_rejected")
    assert secrets_sent(worker) == [GONE]


def test_a_refused_grant_is_asked_once(site):
    """The secret was taken: only what Microsoft says of the client makes a second call."""
    worker, someone = site([GONE])
    someone.connect()
    worker.sim.revoke(someone.user)
    worker.sim.clear_requests()
    expires_in(someone, -1)
    is_problem(someone.cal("GET"), 401, "microsoft_auth_required")
    assert secrets_sent(worker) == [GONE]
