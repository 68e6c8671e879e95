# SPDX-License-Identifier: MIT
"""Microsoft out of reach, broken, huge or hostile: what callers get, and that nobody is disconnected by it."""

import select
import socket

import pytest
from conftest import Person
from fcgi_client import direct
from kit import asked, event, expires_in, is_problem
from memory import IS_SANITIZED

from stack.process import free_port
from trouble import kept

AWAY = {
    "dns": lambda sim: f"https://{'x' * 64}.invalid",
    "refused": lambda sim: f"https://localhost:{free_port()}",
    "wrong_host": lambda sim: sim.https_bad["wrong_host"],
    "expired": lambda sim: sim.https_bad["expired"],
    "unknown_ca": lambda sim: sim.https_bad["unknown_ca"],
}
PROMISES = {
    "dns": "A name that does not resolve: 502 from Graph, 503 from sign-in and refresh, nobody is disconnected",
    "refused": "A refused connection: 502 from Graph, 503 from sign-in and refresh, nobody is disconnected",
    "wrong_host": "A certificate for another host is never talked to; 502 and 503, nobody is disconnected",
    "expired": "An expired certificate is never talked to; 502 and 503, nobody is disconnected",
    "unknown_ca": "A certificate of an unknown authority is never talked to; 502 and 503, nobody is disconnected",
}


def promised(names):
    """Each case with its promise."""
    return [pytest.param(name, marks=pytest.mark.promise("faults/microsoft", PROMISES[name])) for name in names]


def resident_mb(pid, field="VmRSS"):
    """The process's memory, or (VmHWM) the most it ever had."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field)) // 1024


def through(program, someone):
    """The same person, whose calls go to that program."""
    other = direct(Person, program, someone.realm, user=someone.user)
    other.number, other.subject, other.token = someone.number, someone.subject, someone.token
    return other


# mutant: src/ext/http.c: curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L); => curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
@pytest.mark.parametrize("name", promised(AWAY))
def test_out_of_reach(person, program, sim, name):
    base = AWAY[name](sim)
    someone = person().connect()
    rows, before = kept(someone), len(sim.requests())
    graphless, loginless = program(MICROSOFT_GRAPH_URL=base + "/v1.0"), program(MICROSOFT_LOGIN_URL=base)
    answer = through(graphless, someone).cal("GET", "/events")
    is_problem(answer, 502, "microsoft_unavailable")
    expires_in(someone, 200)
    assert through(loginless, someone).cal("GET", "/events").status == 200
    expires_in(someone, -10)
    answer = through(loginless, someone).cal("GET", "/events")
    is_problem(answer, 503, "microsoft_unavailable")
    assert int(answer.headers["Retry-After"]) <= 5
    newcomer = through(loginless, person())
    newcomer.token = None
    start = newcomer.api("GET", "auth/microsoft/").body["auth_url"]
    callback = sim.authorize(start.replace(base, sim.https), newcomer.user)
    is_problem(newcomer.call("GET", callback), 503, "microsoft_unavailable")
    targets = [call["target"] for call in sim.requests()[before:]]
    assert "token" not in targets and targets.count("graph") == 1
    assert [row[:-1] for row in kept(someone)] == [row[:-1] for row in rows]
    expires_in(someone, 3600)
    assert someone.cal("GET", "/events").status == 200


HEAVY = [
    pytest.param({"kind": "deep", "depth": 100000}, marks=pytest.mark.promise(
        "faults/microsoft", "JSON nested 100,000 levels deep is refused with 502; the worker goes on")),
    *[pytest.param({"kind": "oversize", "mb": 100, "chunked": chunked}, marks=pytest.mark.promise(
        "faults/microsoft", "An answer of 100 MB is cut off at 32 MB and refused with 502; the worker's memory stays bounded"))
      for chunked in (False, True)],
    *[pytest.param({"kind": "bomb", "mb": 300, "layers": layers}, marks=pytest.mark.promise(
        "faults/microsoft", "A gzip body that unpacks to 300 MB is cut off at 32 MB; the worker's memory stays bounded"))
      for layers in (1, 2)],
    pytest.param({"kind": "wide", "mb": 31}, marks=pytest.mark.promise(
        "faults/microsoft", "31 MB of JSON with 16 million values is refused before it fills the worker's memory")),
]


@pytest.fixture(name="lone")
def _lone(program):
    return program()


@pytest.mark.parametrize("rule", HEAVY)
def test_heavy_answer(person, lone, realm, sim, rule, measured):
    someone = direct(Person, lone, realm).connect()
    rows = kept(someone)
    assert someone.cal("GET").status == 200
    before = resident_mb(lone.pid)
    for _ in range(2):
        sim.faults({"target": "graph", "user": someone.user, "count": 1, **rule})
        answer = someone.cal("GET")
        assert (answer.status, answer.body.get("code")) == (502, "microsoft_unavailable")
    assert lone.alive() and someone.cal("GET").status == 200 and kept(someone) == rows
    peak, after = resident_mb(lone.pid, "VmHWM"), resident_mb(lone.pid)
    measured(f"{rule['kind']}: at most {peak - before} MB more than before, {max(0, after - before)} MB more afterwards")
    if not IS_SANITIZED:
        assert peak - before < 200 and after - before < 40


class Stranger:
    """Another host, to which no token may ever be sent: it notes that somebody came."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1.0/me/events"

    def was_visited(self):
        """Whether a connection is waiting to be taken."""
        return bool(select.select([self._listener], [], [], 0.1)[0])

    def close(self):
        """Its end."""
        self._listener.close()


@pytest.fixture(name="stranger")
def _stranger():
    made = Stranger()
    yield made
    made.close()


LEAST = {"subject": "s", "start": "2027-03-02T09:00:00Z", "end": "2027-03-02T09:30:00Z"}


# mutant: src/ext/http.c: curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L); => curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
@pytest.mark.promise("faults/microsoft", "A redirect is never followed: not with a token, a code or a secret, not for keys")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects(person, program, sim, stranger, status):
    rule = {"kind": "redirect", "status": status, "location": stranger.url}
    worker = program(GRAPH_TIMEOUT_S=2, LOGIN_TIMEOUT_S=2)
    someone = through(worker, person().connect())
    rows = kept(someone)
    sim.faults({"target": "graph", "user": someone.user, **rule})
    identifier = sim.add_events(someone.user, event("one"))[0]["id"]
    for method, below, body in (("GET", "", None), ("GET", "/events", None), ("POST", "/events", LEAST),
                                ("PATCH", f"/events/{identifier}", {"subject": "x"}), ("DELETE", f"/events/{identifier}", None)):
        is_problem(someone.cal(method, below, body), 502, "microsoft_unavailable")
    sim.faults({"target": "token", "user": someone.user, **rule})
    expires_in(someone, -10)
    is_problem(someone.cal("GET"), 503, "microsoft_unavailable")
    for target in ("token", "discovery", "keys"):
        sim.clear_faults()
        worker.sql("DELETE FROM signing_keys")
        newcomer = through(program(GRAPH_TIMEOUT_S=2, LOGIN_TIMEOUT_S=2), person())
        newcomer.token = None
        start = newcomer.api("GET", "auth/microsoft/").body["auth_url"]
        sim.faults({"target": target, **rule})
        is_problem(newcomer.call("GET", sim.authorize(start, newcomer.user)), 503, "microsoft_unavailable")
    assert not stranger.was_visited() and [row[:-1] for row in kept(someone)] == [row[:-1] for row in rows]
    sim.clear_faults()
    expires_in(someone, 3600)
    assert someone.cal("GET", "/events").status == 200


# mutant: src/flow/graph.c: return gg_graph_is_own(c, gg_str_of(to)) ? to : NULL; => return to;
@pytest.mark.promise("faults/microsoft", "A nextLink to another host is never followed; the list is 502")
@pytest.mark.parametrize("shape", ["{stranger}", "{bare}/v1.0/me", "//{host}/v1.0/me/events", "http://127.0.0.1@{host}/v1.0/me",
                                   "{stranger}?$skip=10#https://graph.microsoft.com/"])
def test_next_link_to_another_host(person, program, sim, stranger, shape):
    someone = through(program(GRAPH_TIMEOUT_S=2, MICROSOFT_GRAPH_URL=sim.http + "/v1.0"), person().connect())
    host = stranger.url.split("/")[2]
    link = shape.format(stranger=stranger.url, bare=f"http://{host}", host=host)
    for below in ("", "/events", "/events?limit=1000"):
        before = len(asked(someone))
        sim.fault("next_foreign", "graph", user=someone.user, location=link)
        is_problem(someone.cal("GET", below), 502, "microsoft_unavailable")
        assert len(asked(someone)) - before == 1
    assert not stranger.was_visited() and someone.row("is_active") == ["1"]
    assert someone.cal("GET", "/events").status == 200
