# SPDX-License-Identifier: MIT
"""Refreshes that fail: for good, for now, or by the operator's fault."""

import time

import pytest
from conftest import Person
from kit import MESSAGE, asked, at_once, cal, each, expires_in, is_problem, name_in_log, needs_microsoft, refreshes, wait_for

from stack.smoke import REALMS

TOKENS = "access_token, refresh_token, id_token, is_active"


def oauth(error, status=400, **rest):
    """The token endpoint's refusal with that word."""
    body = {"error": error, "error_description": f"AADSTS1: {MESSAGE}\r\nTrace ID: x", "error_codes": [1]}
    return {"kind": "status", "status": status, "body": {**body, **rest}}


PERMANENT = [
    oauth("invalid_grant"), oauth("interaction_required"), oauth("consent_required"), oauth("login_required"),
    oauth("invalid_grant", 401), oauth("invalid_grant", 403, suberror="bad_token"), oauth("invalid_grant", suberror="consent_required"),
    {"kind": "status", "aadsts": 700082}, {"kind": "status", "aadsts": 50076, "claims": "{}"}, {"kind": "status", "aadsts": 50058},
]
PASSING = [
    oauth("temporarily_unavailable"), oauth("server_error"), oauth("temporarily_unavailable", 503), oauth("server_error", 500),
    oauth("invalid_grant", 500), oauth("invalid_grant", 503), oauth("interaction_required", 502), oauth("invalid_client", 500),
    oauth("unauthorized_client", 504), oauth("invalid_grant", 429), oauth("invalid_client", 429), {"kind": "status", "status": 429},
    *[{"kind": "status", "status": status, "body": "<h1>busy</h1>"} for status in (500, 502, 503, 504)],
    {"kind": "status", "status": 400, "body": "<h1>what?</h1>"}, {"kind": "status", "status": 400, "body": {}},
    {"kind": "status", "status": 200, "body": {"error": "invalid_grant"}}, {"kind": "status", "status": 200, "body": {}},
    *[{"kind": "malformed", "name": name} for name in (
        "cut", "empty", "html", "bytes", "nul", "array", "null", "string", "number", "trailing", "duplicate", "wrong_types",
        "huge_number", "bom")],
    *[{"kind": "merge", "body": body} for body in (
        {"access_token": None}, {"access_token": ""}, {"access_token": "a\r\nX-Evil: 1"}, {"access_token": "x" * 65537},
        {"refresh_token": "x" * 65537}, {"expires_in": None}, {"expires_in": -1}, {"expires_in": "soon"}, {"token_type": "mac"})],
    {"kind": "deep"}, {"kind": "truncate"}, {"kind": "truncate", "chunked": True}, {"kind": "oversize", "mb": 1}, {"kind": "close"},
    *[{"kind": "reset", "when": when} for when in ("before", "headers", "mid")],
    {"kind": "redirect", "location": "http://127.0.0.1:9/stolen"}, {"kind": "redirect", "status": 307, "location": "/stolen"},
]
OPERATOR = [
    oauth("invalid_client", 401), oauth("invalid_client"), oauth("unauthorized_client"), oauth("invalid_request"),
    oauth("invalid_scope"), oauth("invalid_resource"), oauth("unsupported_grant_type"), oauth("access_denied"),
    oauth("a_word_of_next_year"), oauth("invalid_grant_"), {"kind": "status", "aadsts": 7000222}, {"kind": "status", "aadsts": 700016},
]


def name_of(rule):
    body = rule.get("body")
    word = body.get("error") or "-".join(body) if isinstance(body, dict) else body
    return "-".join(str(part) for part in (rule["kind"], rule.get("status"), rule.get("aadsts"), rule.get("name"), word) if part)[:50]


def beset(person, rule, seconds):
    """The person's refreshes fail by that rule, and the token ends in so many seconds."""
    person.stack.sim.faults({"target": "token", "grant": "refresh_token", "user": person.user, **rule})
    expires_in(person, seconds)


@pytest.mark.parametrize("seconds", [200, -10], ids=["valid", "expired"])
@pytest.mark.parametrize("rule", PERMANENT, ids=name_of)
def test_permanent(person, rule, seconds):
    someone = person().connect()
    kept = someone.row(TOKENS)
    beset(someone, rule, seconds)
    needs_microsoft(cal(someone, "GET"), someone)
    # A row that went inactive keeps its tokens, and costs Microsoft nothing more.
    assert someone.row(TOKENS) == [*kept[:3], "0"] and refreshes(someone) == 1
    someone.stack.sim.clear_faults()
    for method, below in (("GET", ""), ("GET", "/events"), ("DELETE", "/events/AAMkADk3AAAAAAAA")):
        needs_microsoft(cal(someone, method, below), someone)
    assert refreshes(someone) == 1 and not asked(someone)
    who = someone.api("GET", "auth/microsoft/user")
    assert who.status == 200 and who.body["microsoft"]["connected"] is False


def test_until_the_user_connects_again(person):
    someone = person().connect()
    beset(someone, PERMANENT[0], -10)
    needs_microsoft(cal(someone, "GET"), someone)
    someone.connect()
    assert someone.row("is_active") == ["1"] and cal(someone, "GET").status == 200


def passes(person, rule, problem):
    """Valid: the old token serves. Expired: 503. Both without a second call to Microsoft, and the row stays as it was."""
    sim, kept = person.stack.sim, person.row(TOKENS)
    sim.clear_requests()
    beset(person, rule, 200)
    for _ in range(2):
        assert cal(person, "GET").status == 200
    expires_in(person, -10)
    for _ in range(2):
        answer = cal(person, "GET")
        is_problem(answer, 503, problem)
        assert 1 <= int(answer.headers["Retry-After"]) <= 5
    assert person.row(TOKENS) == kept
    seen = sim.requests()
    assert [call["form"]["grant_type"] for call in seen if call["target"] == "token"] == ["refresh_token"]
    assert not [call for call in seen if "stolen" in call["path"]]


@pytest.mark.promise("faults/microsoft", "A broken or late token endpoint never disconnects: the old token serves while valid, then 503")
@pytest.mark.parametrize("rule", PASSING, ids=name_of)
def test_passing(person, rule):
    passes(person().connect(), rule, "microsoft_unavailable")


@pytest.mark.parametrize("rule", OPERATOR, ids=name_of)
def test_operators_fault(person, rule):
    someone = person().connect()
    passes(someone, rule, "microsoft_client_rejected")
    lines = [line for line in someone.stack.logs().splitlines() if "token.refresh" in line and f"subject={name_in_log(someone)} " in line]
    assert lines and all("level=error" in line for line in lines)


@pytest.mark.parametrize("rules, problem", [(PASSING[13], "microsoft_unavailable"), (OPERATOR[0], "microsoft_client_rejected")])
def test_expired_from_the_start(person, rules, problem):
    """The first failure, the caller's own, says the same as those after it."""
    someone = person().connect()
    beset(someone, rules, -10)
    for _ in range(3):
        answer = cal(someone, "GET")
        body = is_problem(answer, 503, problem)
        assert 1 <= int(answer.headers["Retry-After"]) <= 5 and "auth_url" not in body
    assert refreshes(someone) == 1


def test_many_at_once_share_one_failure(person):
    someone = person().connect()
    beset(someone, {**PASSING[13], "delay_ms": 200}, -10)
    answers = at_once(12, lambda _: cal(someone, "GET"))
    assert {(answer.status, answer.body["code"]) for answer in answers} == {(503, "microsoft_unavailable")}
    assert refreshes(someone) == 1


def test_forced_refresh_that_fails(person, sim):
    """Graph refused the token, so it is not served again, however long it would last."""
    for rule, status, code in ((PASSING[13], 503, "microsoft_unavailable"), (OPERATOR[0], 503, "microsoft_client_rejected"),
                               (PERMANENT[0], 401, "microsoft_auth_required")):
        someone = person().connect()
        sim.expire(someone.user)
        beset(someone, rule, 3600)
        is_problem(cal(someone, "GET"), status, code)
        assert refreshes(someone) == 1


def pause_of(person, rule):
    """Seconds until Microsoft is asked again after a failure, with callers all the time."""
    person.connect()
    beset(person, {**rule, "count": 1}, -10)
    is_problem(cal(person, "GET"), 503, "microsoft_client_rejected" if "aadsts" in rule else "microsoft_unavailable")
    begin = time.monotonic()
    wait_for(lambda: cal(person, "GET").status == 200, 12)
    return time.monotonic() - begin, refreshes(person)


BUSY = {"kind": "status", "status": 503, "body": ""}
PAUSES = [(BUSY, 4, 5.9), ({**BUSY, "retry_after": 0}, 0, 0.9), ({**BUSY, "retry_after": 1}, 0.5, 1.9), ({**BUSY, "retry_after": 3}, 2, 3.9),
          ({**BUSY, "retry_after": 600}, 4, 5.9), ({**BUSY, "retry_after_date": 3}, 0.9, 3.9),
          ({"kind": "status", "aadsts": 7000215}, 4, 5.9), ({**BUSY, "status": 429, "retry_after": 2}, 1, 2.9)]


@pytest.mark.promise("faults/microsoft", "After a failed refresh the token endpoint is left alone for 5 s, or for its shorter Retry-After")
def test_microsoft_is_left_alone_for_a_while(stack):
    """Five seconds, or the Retry-After given when that is shorter; both realms and all cases side by side."""
    cases = [(Person(stack, realm), *case) for realm in REALMS for case in PAUSES]
    found = each(cases, lambda case: pause_of(*case[:2]))
    for (seconds, calls), (_, rule, least, most) in zip(found, cases):
        assert least <= seconds <= most + 0.5 and calls == 2, (rule, seconds, calls)


def test_retry_after_is_said_to_the_caller(person):
    someone = person().connect()
    beset(someone, {**BUSY, "retry_after": 2}, -10)
    assert [int(cal(someone, "GET").headers["Retry-After"]) <= 2 for _ in range(2)] == [True, True]


def test_connect_ends_the_pause(person):
    someone = person().connect()
    beset(someone, OPERATOR[0], -10)
    is_problem(cal(someone, "GET"), 503, "microsoft_client_rejected")
    someone.connect()
    assert cal(someone, "GET").status == 200


def test_one_users_failure_is_not_anothers(person):
    first, second = person().connect(), person().connect()
    beset(first, BUSY, -10)
    is_problem(cal(first, "GET"), 503, "microsoft_unavailable")
    expires_in(second, -10)
    assert cal(second, "GET").status == 200


@pytest.mark.promise("faults/microsoft", "A broken or late token endpoint never disconnects: the old token serves while valid, then 503")
@pytest.mark.parametrize("rule", [{"kind": "delay", "delay_ms": 2500}, {"kind": "slow_body", "over_ms": 4000},
                                  {"kind": "slow_headers", "over_ms": 4000}], ids=name_of)
def test_time_out(person, make_stack, rule):
    hasty = make_stack(GRAPH_TIMEOUT_S=1, LOGIN_TIMEOUT_S=1, CONNECT_TIMEOUT_S=1, REQUEST_DEADLINE_S=3, workers=8)
    passes(person(stack=hasty).connect(), rule, "microsoft_unavailable")
