# SPDX-License-Identifier: MIT
"""Calls to Graph that are made again: which, how often, when; what must never be done twice."""

import re

import pytest
from conftest import Person
from fcgi_client import direct
from kit import asked, event, is_problem, one
from trouble import kept

START, END = "2027-03-02T09:00:00Z", "2027-03-02T09:30:00Z"
LEAST = {"subject": "s", "start": START, "end": END}
SECTION = "faults/microsoft"
PASSING = [*[{"kind": "status", "status": status, "body": ""} for status in (429, 500, 502, 503, 504)],
           *[{"kind": "reset", "when": when} for when in ("before", "headers", "mid")], {"kind": "close"}, {"kind": "truncate"},
           {"kind": "truncate", "chunked": True}, {"kind": "status", "status": 429, "retry_after": 0}]
UNANSWERED = [{"kind": "reset", "when": "before"}, {"kind": "close"}]
FINAL = [*[{"kind": "status", "status": status, "body": ""} for status in (302, 400, 403, 404, 409, 410, 412, 501, 507)],
         {"kind": "malformed", "name": "cut"}, {"kind": "content_type"}, {"kind": "bomb"}]


def name_of(rule):
    return "-".join(str(part) for part in rule.values())


@pytest.fixture(name="fresh")
def _fresh(program, realm):
    """fresh(SETTING=…): somebody connected through a worker that has made no retry yet."""
    def make(**settings):
        someone = direct(Person, program(**settings), realm).connect()
        someone.rows = kept(someone)
        return someone
    return make


def beset(person, count, rule, **match):
    person.stack.sim.faults({"target": "graph", "user": person.user, "count": count, **match, **rule})


def at_peace(person):
    """What was tried left the connection as it was, and the next call works."""
    person.stack.sim.clear_faults()
    assert [row[:-1] for row in kept(person)] == [row[:-1] for row in person.rows]
    assert person.cal("GET", "/events").status == 200


@pytest.mark.promise(SECTION, "A passing failure of a read is healed by at most two more tries; the third failure is told")
@pytest.mark.parametrize("rule", PASSING, ids=name_of)
def test_reads_are_tried_again(fresh, rule):
    someone = fresh()
    for count, tries in ((1, 2), (2, 3)):
        before = len(asked(someone))
        beset(someone, count, rule)
        assert someone.cal("GET", "/events").status == 200
        assert len(asked(someone)) - before == tries
    before = len(asked(someone))
    beset(someone, None, rule)
    throttled = rule.get("status") == 429
    is_problem(someone.cal("GET"), *((429, "microsoft_throttled") if throttled else (502, "microsoft_unavailable")))
    # A kept connection that ends without a byte was closed meanwhile: libcurl opens another, once.
    assert len(asked(someone)) - before - (rule in UNANSWERED) == 3
    at_peace(someone)


@pytest.mark.promise(SECTION, "What would fail the same way again is not asked again, nor what took longer than its time-out")
@pytest.mark.parametrize("rule", [*FINAL, {"kind": "delay", "delay_ms": 2500}], ids=name_of)
def test_final_answers_are_not_tried_again(fresh, rule):
    someone = fresh(GRAPH_TIMEOUT_S=1)
    beset(someone, None, rule)
    assert someone.cal("GET", "/events").status >= 400
    assert "microsoft.retry" not in someone.stack.logs() and len(asked(someone)) <= 1
    at_peace(someone)


@pytest.mark.promise(SECTION, "One budget of two more tries for the whole request, however many pages a list has")
def test_one_budget_for_all_pages(fresh, sim):
    someone = fresh()
    sim.add_events(someone.user, *[event(f"e{number}", 1, number % 24) for number in range(120)])
    for skip in (0, 1, 2):
        beset(someone, 1, {"kind": "status", "status": 503, "body": "", "skip": 0}, query="skip" if skip else "top=")
    before = len(asked(someone))
    assert someone.cal("GET", "/events?limit=1000").status in (200, 502)
    assert sum(call["status"] == 503 for call in asked(someone)[before:]) <= 3
    at_peace(someone)


LOST = [{"kind": "close"}, *[{"kind": "reset", "when": when} for when in ("before", "headers", "mid")], {"kind": "truncate"},
        {"kind": "status", "status": 504, "body": "", "effect": True}]


# mutant: src/flow/calendar.c: return gg_crypto_random_uuid(c->arena, out, err); => return *out = GG_STR(""), err->code == GG_OK;
@pytest.mark.promise(SECTION, "A create whose answer was lost is asked again and not doubled, with and without Idempotency-Key")
@pytest.mark.parametrize("key", [None, "order 66"])
@pytest.mark.parametrize("rule", LOST, ids=name_of)
def test_lost_creation_is_not_doubled(fresh, sim, rule, key):
    someone = fresh()
    beset(someone, 2, rule, method="POST")
    answer = someone.cal("POST", "/events", LEAST, **({"parameters": {"HTTP_IDEMPOTENCY_KEY": key}} if key else {}))
    assert answer.status == 201, answer
    tries = asked(someone, method="POST")
    assert len(tries) == 3 and len({call["body"]["transactionId"] for call in tries}) == 1
    assert [found["id"] for found in sim.events(someone.user)] == [answer.body["event"]["id"]]
    at_peace(someone)


@pytest.mark.promise(SECTION, "Two creates without Idempotency-Key are two events: only a retry of ours is recognised")
def test_two_creations_are_two(fresh, sim):
    someone = fresh()
    assert [someone.cal("POST", "/events", LEAST).status for _ in range(2)] == [201, 201]
    assert len(sim.events(someone.user)) == 2


@pytest.mark.promise(SECTION, "A deletion whose answer was lost is asked again, and 404 then means deleted")
@pytest.mark.parametrize("rule", [*UNANSWERED, LOST[-1]], ids=name_of)
def test_lost_deletion(fresh, sim, rule):
    someone = fresh()
    identifier = sim.add_events(someone.user, event("gone"))[0]["id"]
    beset(someone, 1, rule, method="DELETE")
    assert someone.cal("DELETE", one(identifier)).status == 200
    assert [call["status"] for call in asked(someone, method="DELETE")][1:] == [404] and not sim.events(someone.user)
    is_problem(someone.cal("DELETE", one(identifier)), 404, "not_found")
    at_peace(someone)


# mutant: src/flow/graph.c: return r->if_match.p == NULL ? GG_RETRY_REPEATABLE : GG_RETRY_ONCE; => return GG_RETRY_REPEATABLE;
@pytest.mark.promise(SECTION, "A change with If-Match whose answer was lost is not asked again: it would fail against itself")
@pytest.mark.parametrize("rule", LOST, ids=name_of)
def test_lost_change(fresh, sim, rule):
    someone = fresh()
    identifier = sim.add_events(someone.user, event("old"))[0]["id"]
    beset(someone, 1, rule, method="PATCH")
    assert someone.cal("PATCH", one(identifier), {"subject": "new"}).status == 200
    assert len(asked(someone, method="PATCH")) == 2
    beset(someone, 1, rule, method="PATCH")
    answer = someone.cal("PATCH", one(identifier), {"subject": "newer"}, parameters={"HTTP_IF_MATCH": "*"})
    is_problem(answer, 502, "microsoft_unavailable")
    assert len(asked(someone, method="PATCH")) == 3
    # 429 and 503 say that nothing was done: those are.
    for status in (429, 503):
        beset(someone, 1, {"kind": "status", "status": status, "body": ""}, method="PATCH")
        assert someone.cal("PATCH", one(identifier), {"subject": "x"}, parameters={"HTTP_IF_MATCH": "*"}).status == 200
    at_peace(someone)


@pytest.mark.promise(SECTION, "A short Retry-After of 429 and 503, in seconds or as a date, is waited for and never cut short")
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("given", [{"retry_after": 1}, {"retry_after_date": 1}], ids=str)
def test_short_retry_after_is_waited_for(fresh, status, given, measured):
    someone = fresh()
    beset(someone, 1, {"kind": "status", "status": status, "body": "", **given})
    assert someone.cal("GET", "/events").status == 200
    first, second = (call["time"] for call in asked(someone))
    # A date has whole seconds.
    assert second >= (first + 0.998 if "retry_after" in given else int(first + 1))
    measured(f"asked again after {second - first:.2f} s")


@pytest.mark.promise(SECTION, "A long Retry-After is passed on at once with 429, or 502 for 503; Graph is not asked again")
@pytest.mark.parametrize("status, wanted", [(429, (429, "microsoft_throttled")), (503, (502, "microsoft_unavailable"))])
@pytest.mark.parametrize("given, low, high", [({"retry_after": 3}, 3, 3), ({"retry_after": 3600}, 3600, 3600),
                                              ({"retry_after_date": 40}, 37, 41)])
def test_long_retry_after_is_passed_on(fresh, status, wanted, given, low, high):
    someone = fresh()
    beset(someone, None, {"kind": "status", "status": status, "body": "", **given})
    answer = someone.cal("GET", "/events")
    is_problem(answer, *wanted)
    assert low <= int(answer.headers["Retry-After"]) <= high and len(asked(someone)) == 1
    at_peace(someone)


@pytest.mark.promise(SECTION, "In an outage a worker's retries add at most a tenth to its calls, after ten that it has in store")
def test_retries_do_not_multiply_an_outage(fresh, measured):
    someone = fresh()
    beset(someone, None, {"kind": "status", "status": 503, "body": ""})
    for _ in range(10):
        is_problem(someone.cal("GET", "/events"), 502, "microsoft_unavailable")
    store = len(asked(someone))
    assert store <= 10 + 11
    for _ in range(100):
        is_problem(someone.cal("GET", "/events"), 502, "microsoft_unavailable")
    more = len(asked(someone)) - store
    assert 100 < more <= 111
    measured(f"{store} calls for the first 10 requests, {more} for the next 100")
    at_peace(someone)


@pytest.mark.promise(SECTION, "The pauses before retries are random: workers spread out")
def test_jitter(fresh, measured):
    someone = fresh()
    beset(someone, 8, {"kind": "status", "status": 503, "body": ""})
    for _ in range(4):
        assert someone.cal("GET", "/events").status in (200, 502)
    pauses = [int(word) for word in re.findall(r"microsoft\.retry .*pause_ms=(\d+)", someone.stack.logs())]
    assert len(pauses) >= 6 and len(set(pauses)) >= 3 and max(pauses) <= 400
    measured(f"pauses of {', '.join(map(str, pauses))} ms")


@pytest.mark.promise(SECTION, "No retry begins that REQUEST_DEADLINE_S leaves less than a second for")
def test_retries_fit_the_deadline(fresh):
    someone = fresh(REQUEST_DEADLINE_S=1)
    beset(someone, None, {"kind": "status", "status": 503, "body": ""})
    is_problem(someone.cal("GET", "/events"), 502, "microsoft_unavailable")
    assert len(asked(someone)) == 1


@pytest.mark.promise(SECTION, "Keys and discovery that fail once in passing do not fail a sign-in; a code is redeemed only once")
@pytest.mark.parametrize("rule", [{"kind": "status", "status": 503, "body": ""}, {"kind": "reset", "when": "before"}], ids=name_of)
@pytest.mark.parametrize("target", ["keys", "discovery"])
def test_keys_are_tried_again(program, realm, sim, target, rule):
    someone = direct(Person, program(), realm)
    someone.stack.sql("DELETE FROM signing_keys")
    sim.faults({"target": target, "count": 1, **rule})
    someone.sign_in()
    assert sim.counters(someone.user)["authorization_code"] == 1
    other = direct(Person, program(), realm).log_in()
    start = other.api("GET", "auth/microsoft/").body["auth_url"]
    sim.faults({"target": "token", "user": other.user, **rule})
    is_problem(other.call("GET", sim.authorize(start, other.user)), 503, "microsoft_unavailable")
    assert sim.counters(other.user)["authorization_code"] == 1
