# SPDX-License-Identifier: MIT
"""Microsoft's answers, mapped: every status and every broken answer of Graph's."""

import socket
import threading

import pytest
from kit import MESSAGE, asked, cal, each, event, events, fill, graph, is_problem, needs_microsoft, one, refreshes

from stack.process import free_port

LEAST = {"subject": "s", "start": "2027-03-02T09:00:00Z", "end": "2027-03-02T09:30:00Z"}
EVENT = one("AAMkADk3AAAAAAAA")
OPERATIONS = [("GET", "", None), ("GET", "/events", None), ("POST", "/events", LEAST), ("GET", EVENT, None),
              ("PATCH", EVENT, {"subject": "x"}), ("PUT", EVENT, {"subject": "x"}), ("DELETE", EVENT, None)]

STATUSES = [
    (400, "ErrorInvalidRequest", 400, "microsoft_rejected"), (403, "ErrorAccessDenied", 403, "microsoft_forbidden"),
    (403, "Authorization_RequestDenied", 403, "microsoft_forbidden"), (404, "ErrorItemNotFound", 404, "not_found"),
    (404, "MailboxNotEnabledForRESTAPI", 404, "not_found"), (409, "ErrorFolderExists", 409, "conflict"),
    (412, "ErrorIrresolvableConflict", 412, "precondition_failed"), (429, "TooManyRequests", 429, "microsoft_throttled"),
    *[(status, "ErrorInternalServerError", 502, "microsoft_unavailable") for status in (500, 501, 502, 503, 504, 507, 599)],
]


@pytest.mark.parametrize("status, code, wanted, problem", STATUSES)
def test_status(connected, sim, status, code, wanted, problem):
    sim.fault("status", "graph", user=connected.user, count=None, status=status, code=code, message=MESSAGE)
    for method, below, body in OPERATIONS:
        answer = cal(connected, method, below, body)
        assert is_problem(answer, wanted, problem)["microsoft_code"] == code
        assert "auth_url" not in answer.body and "errors" not in answer.body


@pytest.mark.parametrize("body", ["", "<h1>" + MESSAGE, "{", "[]", "null", '{"error":"text"}', '{"error":{"code":7}}',
                                  '{"error":{"code":"","message":"x"}}', '{"error":{"code":"<script> ' + MESSAGE + '"}}',
                                  '{"error":{"code":"' + "x" * 5000 + '"}}'], ids=lambda body: body[:20])
def test_error_without_a_code_of_use(connected, sim, body):
    sim.fault("status", "graph", user=connected.user, count=None, status=400, body=body)
    assert "microsoft_code" not in is_problem(events(connected), 400, "microsoft_rejected")
    sim.clear_faults()
    sim.fault("status", "graph", user=connected.user, count=None, status=500, body=body)
    assert "microsoft_code" not in is_problem(events(connected), 502, "microsoft_unavailable")


@pytest.mark.promise("faults/microsoft", "A long Retry-After is passed on at once with 429, or 502 for 503; Graph is not asked again")
@pytest.mark.parametrize("given, low, high", [({"retry_after": 7}, 7, 7), ({"retry_after": 120}, 120, 120),
                                              ({"retry_after": 7200}, 7200, 7200),
                                              ({"retry_after_date": 40}, 37, 41)])
def test_throttled_with_graphs_retry_after(connected, sim, given, low, high):
    sim.fault("status", "graph", user=connected.user, code="ApplicationThrottled", message=MESSAGE, **given)
    answer = events(connected)
    assert is_problem(answer, 429, "microsoft_throttled")["microsoft_code"] == "ApplicationThrottled"
    assert low <= int(answer.headers["Retry-After"]) <= high
    assert events(connected).status == 200


@pytest.mark.parametrize("given", [{}, {"retry_after": "soon"}, {"retry_after": -5}])
def test_throttled_without_a_usable_retry_after(connected, sim, given):
    sim.fault("status", "graph", user=connected.user, count=None, code="TooManyRequests", **given)
    answer = events(connected)
    is_problem(answer, 429, "microsoft_throttled")
    assert answer.headers["Retry-After"] is None or answer.headers["Retry-After"].isdigit()


@pytest.mark.parametrize("method, below, body", OPERATIONS, ids=lambda part: part if isinstance(part, str) else "")
def test_one_401_is_healed_by_one_forced_refresh(person, sim, method, below, body):
    someone = person().connect()
    identifier = sim.add_events(someone.user, event("one"))[0]["id"]
    below = one(identifier) if below == EVENT else below
    sim.expire(someone.user)
    assert cal(someone, method, below, body).status in (200, 201)
    assert refreshes(someone) == 1 and [call["status"] for call in asked(someone)][0] == 401 and len(asked(someone)) == 2


def test_401_for_ever(person, sim):
    someone = person().connect()
    sim.fault("status", "graph", user=someone.user, count=None, code="InvalidAuthenticationToken", message=MESSAGE)
    body = needs_microsoft(events(someone), someone)
    assert body["microsoft_code"] == "InvalidAuthenticationToken" and "claims" not in body
    assert (refreshes(someone), len(asked(someone)), someone.row("is_active")) == (1, 2, ["1"])
    sim.clear_faults()
    assert events(someone).status == 200


CLAIMS = {"access_token": {"nbf": {"essential": True, "value": "1772442895"}, "ünï": [1, None]}}


@pytest.mark.parametrize("more", [{}, {"padding": False}, {"several": True}], ids=str)
def test_claims_challenge(person, sim, more):
    someone = person().connect()
    sim.fault("cae", "graph", user=someone.user, count=2, claims=CLAIMS, **more)
    assert needs_microsoft(events(someone), someone)["claims"] == CLAIMS
    form = sim.requests(target="token", user=someone.user)[-1]["form"]
    assert form["grant_type"] == "refresh_token" and '"1772442895"' in form["claims"]
    sim.fault("cae", "graph", user=someone.user, claims=CLAIMS, **more)
    assert events(someone).status == 200


def test_claims_challenge_that_the_refresh_cannot_meet(person, sim):
    someone = person().connect()
    sim.fault("cae", "graph", user=someone.user, claims=CLAIMS)
    sim.fault("status", "token", user=someone.user, aadsts=50076)
    assert needs_microsoft(events(someone), someone)["claims"] == CLAIMS
    assert someone.row("is_active") == ["0"]


@pytest.mark.parametrize("header", ["Bearer", 'Bearer claims="%%%"', 'Bearer claims="bm8="', 'Bearer claims="WzFd"', 'Bearer claims='])
def test_challenge_without_claims_of_use(person, sim, header):
    someone = person().connect()
    sim.fault("status", "graph", user=someone.user, count=2, status=401, code="InvalidAuthenticationToken",
              headers={"WWW-Authenticate": header})
    assert "claims" not in needs_microsoft(events(someone), someone)


BROKEN = [*[{"kind": "malformed", "name": name} for name in (
    "cut", "empty", "html", "bytes", "nul", "array", "null", "string", "number", "trailing", "duplicate", "wrong_types", "bom")],
    {"kind": "deep"}, {"kind": "truncate"}, {"kind": "truncate", "chunked": True}, {"kind": "close"},
    {"kind": "content_type"}, {"kind": "content_type", "content_type": "text/plain"},
    *[{"kind": "reset", "when": when} for when in ("before", "headers", "mid")]]


@pytest.mark.promise("faults/microsoft", "Broken answers (cut, malformed, reset, nested, wrong type) are 502; the next good call works")
@pytest.mark.parametrize("rule", BROKEN, ids=lambda rule: "-".join(map(str, rule.values())))
def test_broken_answer(connected, sim, rule):
    identifier = sim.add_events(connected.user, event("one"))[0]["id"]
    calls = [("GET", "", None), ("GET", "/events", None), ("GET", one(identifier), None), ("PATCH", one(identifier), {"subject": "x"}),
             ("POST", "/events", LEAST)]
    sim.faults({"target": "graph", "user": connected.user, **rule})
    for method, below, body in calls:
        if rule.get("name") in ("wrong_types", "duplicate") and (method, below) not in (("GET", ""), ("GET", "/events")):
            continue
        is_problem(cal(connected, method, below, body), 502, "microsoft_unavailable")
    sim.clear_faults()
    assert events(connected).status == 200


@pytest.mark.parametrize("text", ["{}", '{"id":""}', '{"id":7}', '{"id":null}', "[]", ""])
def test_creation_without_an_id(connected, sim, text):
    sim.fault("malformed", "graph", user=connected.user, method="POST", body=text)
    is_problem(cal(connected, "POST", "/events", LEAST), 502, "microsoft_unavailable")


@pytest.mark.parametrize("headers", [{"Content-Type": "text/plain"}, {"Content-Type": "text/html"}, {}], ids=str)
@pytest.mark.parametrize("status", [200, 202])
def test_deletion_whose_answer_has_a_text(connected, sim, status, headers):
    """It is done, whatever Graph says beside its status."""
    sim.fault("status", "graph", user=connected.user, method="DELETE", status=status, body="gone", headers=headers)
    answer = cal(connected, "DELETE", EVENT)
    assert (answer.status, answer.body["success"]) == (200, True) and "gone" not in answer.text


@pytest.mark.parametrize("chunked", [False, True])
def test_oversized_answer(connected, sim, chunked):
    sim.fault("oversize", "graph", user=connected.user, mb=40, chunked=chunked)
    is_problem(events(connected), 502, "microsoft_unavailable")
    assert events(connected).status == 200


def test_pages_that_are_too_large_together(person, sim):
    someone = person().connect()
    fill(someone, 210)
    sim.fault("oversize", "graph", user=someone.user, mb=20, count=None)
    answer = events(someone, limit=100)
    assert answer.status == 200 and len(answer.body["events"]) == 100
    is_problem(events(someone, limit=1000), 502, "microsoft_unavailable")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_never_followed(connected, sim, status):
    sim.fault("redirect", "graph", user=connected.user, count=None, status=status, location=sim.http + "/v1.0/me/stolen")
    for method, below, body in OPERATIONS:
        is_problem(cal(connected, method, below, body), 502, "microsoft_unavailable")
    assert not [call for call in sim.requests() if "stolen" in call["path"]]


@pytest.fixture
def hasty(make_stack):
    return make_stack(GRAPH_TIMEOUT_S=1, LOGIN_TIMEOUT_S=1, CONNECT_TIMEOUT_S=1, REQUEST_DEADLINE_S=3, workers=8)


SLOW = [{"kind": "delay", "delay_ms": 4000}, {"kind": "slow_headers", "over_ms": 4000}, {"kind": "slow_body", "over_ms": 4000},
        {"kind": "delay", "delay_after_ms": 4000}]


@pytest.mark.promise("faults/microsoft", "Slow headers and slow bodies end in 504 after GRAPH_TIMEOUT_S, and the next good call works")
def test_slow_answers(person, hasty, sim):
    """All at once; each takes GRAPH_TIMEOUT_S."""
    people = [person(stack=hasty).connect() for _ in SLOW]
    for someone, rule in zip(people, SLOW):
        sim.faults({"target": "graph", "user": someone.user, **rule})
    for answer in each(people, events):
        is_problem(answer, 504, "microsoft_timeout")
    sim.clear_faults()
    assert [someone.row("is_active") for someone in people] == [["1"]] * len(people)
    assert [events(someone).status for someone in people] == [200] * len(people)


@pytest.mark.promise("faults/microsoft", "A request ends by REQUEST_DEADLINE_S with 504, however many pages and retries it has")
def test_deadline_of_the_whole_request(person, hasty, sim):
    """Each page is in time, all of them are not."""
    someone = person(stack=hasty).connect()
    fill(someone, 120)
    page = graph(someone, "/me/events?$top=10")
    for number in range(1, 8):
        link = f"{sim.https}/v1.0/me/events?%24skip={10 * number}"
        sim.faults({"target": "graph", "user": someone.user, "kind": "merge", "count": 1, "delay_ms": 700,
                    "body": {"@odata.nextLink": link, "value": page["value"]}})
    is_problem(events(someone, limit=1000), 504, "microsoft_timeout")
    assert 3 <= len(asked(someone)) <= 8


def test_no_connection(person, make_stack, sim):
    refused = make_stack(MICROSOFT_GRAPH_URL=f"http://127.0.0.1:{free_port()}/v1.0", workers=1)
    someone = person(stack=refused).connect()
    for method, below, body in OPERATIONS:
        is_problem(cal(someone, method, below, body), 502, "microsoft_unavailable")
    assert sim and someone.row("is_active") == ["1"]


def test_certificate_of_nobody_trusted(person, make_stack):
    distrustful = make_stack(MICROSOFT_LOGIN_URL=person().stack.sim.http, MICROSOFT_CA_FILE=None, workers=1)
    someone = person(stack=distrustful).connect()
    is_problem(events(someone), 502, "microsoft_unavailable")
    assert not asked(someone)


@pytest.fixture(scope="module")
def full_house():
    """A listening socket that lets nobody in any more: connecting to it takes for ever."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        callers = [socket.socket() for _ in range(4)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(server.getsockname())
        threading.Event().wait(0.1)
        yield server.getsockname()[1]
        for caller in callers:
            caller.close()


@pytest.mark.promise("faults/microsoft", "A host that does not take connections costs CONNECT_TIMEOUT_S, and is 504")
def test_connecting_takes_too_long(person, make_stack, full_house):
    slow = make_stack(MICROSOFT_GRAPH_URL=f"http://127.0.0.1:{full_house}/v1.0", CONNECT_TIMEOUT_S=1, workers=1)
    is_problem(events(person(stack=slow).connect()), 504, "microsoft_timeout")
