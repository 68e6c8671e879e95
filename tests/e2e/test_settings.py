# SPDX-License-Identifier: MIT
"""What single settings do: trust anchors, host names, scopes, time-outs, who may sign in."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import Person
from fcgi_client import direct

from stack.process import wait_until

# The identity platform and Graph, each with a way that leads through it.
LOGIN, GRAPH = "MICROSOFT_LOGIN_URL", "MICROSOFT_GRAPH_URL"


def callback_of(person, sim):
    """The callback of a sign-in that is done up to it."""
    start = person.api("GET", "auth/microsoft/")
    assert start.status == 200
    return sim.authorize(start.body["auth_url"], person.user)


def timed(call):
    """The answer, and how long it took."""
    began = time.monotonic()
    answer = call()
    return answer, time.monotonic() - began


@pytest.mark.parametrize("settings", [{"MICROSOFT_CA_FILE": None}, {"MICROSOFT_CA_FILE": "/etc/hostname"}])
def test_certificates_are_verified(program, realm, sim, settings):
    """Without the simulator's CA nothing is sent to it, neither a code nor a token."""
    connected = direct(Person, program(), realm).connect()
    worker = program(**settings)
    someone = direct(Person, worker, realm)
    answer = someone.call("GET", callback_of(someone, sim))
    assert answer.status == 503 and answer.body["code"] in ("microsoft_unavailable", "not_configured")
    someone.token = connected.token
    assert someone.cal("GET").status in (502, 503)
    assert not sim.counters(someone.user)["authorization_code"] and not sim.counters(connected.user)["graph_get"]


@pytest.mark.parametrize("setting", [LOGIN, GRAPH])
def test_host_names_are_verified(program, realm, sim, stack, setting):
    """The certificate is a good one, but of another name for the same machine."""
    url = stack.conf[setting].replace("localhost", "127.0.0.1").replace("127.0.0.1", "sim.localhost")
    connected = direct(Person, program(), realm).connect()
    worker = program(**{setting: url})
    someone = direct(Person, worker, realm)
    if setting == GRAPH:
        someone.token = connected.token
        assert (answer := someone.cal("GET")).body["code"] == "microsoft_unavailable" and answer.status == 502
        assert not sim.counters(connected.user)["graph_get"]
    else:
        start = someone.api("GET", "auth/microsoft/")
        callback = sim.authorize(start.body["auth_url"].replace("sim.localhost", "127.0.0.1"), someone.user)
        assert someone.call("GET", callback).body["code"] == "microsoft_unavailable"
        assert not sim.counters(someone.user)["authorization_code"]
    assert wait_until(lambda: "SSL" in worker.logs() or "certificate" in worker.logs(), 5)


def test_plain_http_on_loopback_works(program, realm, sim):
    worker = program(**{LOGIN: sim.http, GRAPH: sim.http + "/v1.0/", "MICROSOFT_CA_FILE": None})
    someone = direct(Person, worker, realm)
    someone.sign_in()
    assert someone.cal("GET").status == 200


def test_plain_http_goes_to_no_proxy(program, realm, sim):
    """One of the environment's would get secrets that may not leave the machine in plain text."""
    proxies = {name: "http://127.0.0.1:1" for name in ("http_proxy", "all_proxy", "ALL_PROXY")}
    worker = program(env=proxies, **{LOGIN: sim.http, GRAPH: sim.http + "/v1.0"})
    someone = direct(Person, worker, realm)
    someone.sign_in()
    assert someone.cal("GET").status == 200


@pytest.mark.parametrize("scopes", ["openid profile email offline_access User.Read Calendars.ReadWrite", "openid Calendars.Read"])
def test_scopes_that_are_asked_for(program, realm, scopes):
    start = direct(Person, program(MICROSOFT_SCOPES=scopes), realm).api("GET", "auth/microsoft/")
    assert parse_qs(urlsplit(start.body["auth_url"]).query)["scope"] == [scopes]


def test_scopes_by_default(program, realm):
    start = direct(Person, program(MICROSOFT_SCOPES=None), realm).api("GET", "auth/microsoft/")
    assert parse_qs(urlsplit(start.body["auth_url"]).query)["scope"] == [
        "openid profile email offline_access User.Read Calendars.ReadWrite"]


@pytest.mark.parametrize("tenant, sign_in, status", [
    (None, None, 200), (None, "provision", 200), (None, "existing", 403), (None, "off", 401),
    ("common", None, 403), ("organizations", None, 403), ("common", "provision", 200)])
def test_who_may_sign_in(program, realm, sim, tenant, sign_in, status):
    """provision is what one tenant gets unless told otherwise; existing is what many get."""
    sim.app(audience="multi" if tenant else "single")
    try:
        settings = {"MSTENANTID": tenant} if tenant else {}
        someone = direct(Person, program(SIGN_IN=sign_in, **settings), realm)
        answer = someone.api("GET", "auth/microsoft/")
        if status != 401:
            answer = someone.call("GET", sim.authorize(answer.body["auth_url"], someone.user))
        assert answer.status == status, answer.body
        if status == 403:
            assert answer.body["code"] == "account_unknown"
    finally:
        sim.app(audience="single")


@pytest.mark.parametrize("kind, rest", [("delay", {"delay_ms": 3000}), ("slow_body", {"over_ms": 3000})])
@pytest.mark.parametrize("setting", ["GRAPH_TIMEOUT_S", "REQUEST_DEADLINE_S"])
def test_time_outs_of_graph(program, realm, sim, kind, rest, setting):
    someone = direct(Person, program(**{setting: 1}), realm).connect()
    sim.fault(kind, "graph", user=someone.user, count=None, **rest)
    answer, took = timed(lambda: someone.cal("GET"))
    assert (answer.status, answer.body["code"]) == (504, "microsoft_timeout")
    assert 0.9 < took < 2


@pytest.mark.parametrize("setting", ["LOGIN_TIMEOUT_S", "REQUEST_DEADLINE_S"])
def test_time_outs_of_the_identity_platform(program, realm, sim, setting):
    someone = direct(Person, program(**{setting: 1}), realm)
    callback = callback_of(someone, sim)
    sim.fault("delay", "token", delay_ms=3000)
    answer, took = timed(lambda: someone.call("GET", callback))
    assert answer.status in (503, 504) and answer.body["code"] in ("microsoft_unavailable", "microsoft_timeout")
    assert 0.9 < took < 2
