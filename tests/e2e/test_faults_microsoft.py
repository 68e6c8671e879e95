# SPDX-License-Identifier: MIT
"""Microsoft out of reach, broken, huge or hostile: what callers get, and that nobody is disconnected by it."""

import os

import pytest
from conftest import Person
from fcgi_client import direct
from kit import expires_in, is_problem, wait_for

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
    print(before, peak, after)
    measured(f"{rule['kind']}: at most {peak - before} MB more than before, {max(0, after - before)} MB more afterwards")
    if "SAN_OPTIONS" not in " ".join(os.environ):
        assert peak - before < 200 and after - before < 40
