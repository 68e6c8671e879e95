# SPDX-License-Identifier: MIT
"""GET events of several calendars where some fail: named, asked again, throttled together; and what is counted."""

import json

import pytest
from conftest import Person
from fcgi_client import direct
from kit import MESSAGE, asked, cal, event, is_problem, needs_microsoft, refreshes, subjects, wait_for
from metrics import TOKEN, Moves
from wide_kit import ALL_NINE, _reader, _readers, _three, calendars, failed, name_of, spoil, whole, wide  # noqa: F401


CODES = [({"status": 404, "code": "ErrorItemNotFound"}, "not_found", 404), ({"status": 403, "code": "ErrorAccessDenied"}, "microsoft_forbidden", 403),
         ({"status": 400, "code": "ErrorInvalidRequest"}, "microsoft_rejected", 400), ({"status": 409, "code": "ErrorFolderExists"}, "conflict", 409),
         ({"status": 412, "code": "ErrorIrresolvableConflict"}, "precondition_failed", 412),
         ({"status": 500, "code": "ErrorInternalServerError"}, "microsoft_unavailable", 502), ({"status": 302, "body": ""}, "microsoft_unavailable", 502),
         ({"status": 429, "code": "TooManyRequests", "retry_after": 90}, "microsoft_throttled", 429)]


@pytest.mark.parametrize("rule, code, status", CODES, ids=[str(status) for _, _, status in CODES])
def test_calendar_that_fails_is_named(three, sim, rule, code, status):
    spoil(three, "status", three.ids[1], message=MESSAGE, **rule)
    answer = wide(three, three.ids)
    assert failed(answer) == {three.ids[1]: code}
    assert answer.body["incomplete"][0].get("microsoft_code") == rule.get("code")
    assert answer.body["incomplete"][0].get("retry_after") == rule.get("retry_after")
    assert subjects(answer) == [name for name in ALL_NINE if int(name[1]) % 3 != 1]
    # What may pass is asked again; Graph's last word is not.
    assert (answer.body["next_cursor"] is not None) == (status in (429, 502))
    sim.clear_faults()
    if answer.body["next_cursor"]:
        assert whole(cal(three, "GET", f"/events?cursor={answer.body['next_cursor']}")) == ["c1", "c4", "c7"]
    sim.fault("status", "graph", user=three.user, count=None, message=MESSAGE, **rule)
    body = is_problem(wide(three, three.ids), status, code)
    assert body.get("microsoft_code") == rule.get("code")


BROKEN = [*[{"kind": "malformed", "name": name} for name in ("cut", "empty", "html", "array", "duplicate", "wrong_types")],
          {"kind": "truncate"}, {"kind": "content_type"}, {"kind": "deep"}, {"kind": "next_foreign"}, {"kind": "close"}]


@pytest.mark.parametrize("rule", BROKEN, ids=lambda rule: "-".join(map(str, rule.values())))
def test_broken_answer_of_one(three, rule):
    spoil(three, calendar=three.ids[2], **rule)
    assert failed(wide(three, three.ids)) == {three.ids[2]: "microsoft_unavailable"}
    assert not [call for call in three.stack.sim.requests() if "evil" in call.get("host", "")]


def test_when_all_fail_one_that_may_pass_is_the_answer(three):
    spoil(three, "status", three.ids[0], status=404, code="ErrorItemNotFound")
    spoil(three, "status", three.ids[1], status=503, body="")
    spoil(three, "status", three.ids[2], status=403, code="ErrorAccessDenied")
    is_problem(wide(three, three.ids), 502, "microsoft_unavailable")
    is_problem(wide(three, [three.ids[0], three.ids[2]]), 404, "not_found")
    is_problem(wide(three, [three.ids[2], three.ids[0]]), 403, "microsoft_forbidden")


def test_failure_in_the_middle_loses_nothing(reader, sim):
    """A second page fails: what came before it is given, the cursor begins behind that."""
    spoil(reader, "status", reader.ids[0], query="skip", status=500, code="ErrorInternalServerError")
    first = wide(reader, reader.ids, limit=150)
    assert failed(first) == {reader.ids[0]: "microsoft_unavailable"}
    sim.clear_faults()
    found = subjects(first)
    answer = first
    while answer.body["next_cursor"]:
        answer = cal(reader, "GET", f"/events?cursor={answer.body['next_cursor']}")
        found += whole(answer)
    assert sorted(found) == sorted(reader.names) and len(found) == len(set(found))


def test_calendar_that_goes_while_it_is_read(reader, sim):
    """Graph's word is final: it is named once, and the cursor goes on without it."""
    first = wide(reader, reader.ids[1:], limit=4)
    spoil(reader, "status", reader.ids[2], status=404, code="ErrorItemNotFound")
    second = cal(reader, "GET", f"/events?cursor={first.body['next_cursor']}")
    assert failed(second) == {reader.ids[2]: "not_found"}
    third = cal(reader, "GET", f"/events?cursor={second.body['next_cursor']}")
    assert set(name[0] for name in whole(third)) == {"b"} and sim


def test_unknown_zone_is_the_answer(three):
    body = is_problem(wide(three, three.ids, timezone="Europe/Atlantis"), 400, "microsoft_rejected")
    assert body["microsoft_code"] == "TimeZoneNotSupportedException"


def since(person, before):
    return asked(person)[before:]


# mutant: src/flow/fanout.c: later_ms(r->held_until_ms, w->not_before_ms) <= now_ms => w->not_before_ms <= now_ms
def test_throttling_holds_what_has_not_begun(person, sim):
    """One call is told to wait a second: nothing new is asked in that second, then all of it."""
    someone = person().connect()
    ids = calendars(someone, 9)
    sim.add_events(someone.user, *[event(f"e{number}", 2, number, calendar=one) for number, one in enumerate(ids)])
    sim.fault("delay", "graph", user=someone.user, path="No000[1-3]", delay_ms=150, count=None)
    spoil(someone, "status", ids[0], count=1, status=429, code="ApplicationThrottled", retry_after=1)
    assert whole(wide(someone, ids)) == [f"e{number}" for number in range(9)]
    calls = asked(someone)
    told = next(call for call in calls if call["status"] == 429)
    later = [call["time"] - told["time"] for call in calls if call["n"] > told["n"] + 3]
    assert len(calls) == 10 and len(later) == 6 and min(later) >= 0.99


def test_long_throttling_ends_the_rest(person, sim):
    """Nobody waits two minutes: what had not begun is not sent, and named with what Graph said."""
    someone = person().connect()
    ids = calendars(someone, 9)
    sim.add_events(someone.user, *[event(f"e{number}", 2, number, calendar=one) for number, one in enumerate(ids)])
    sim.fault("delay", "graph", user=someone.user, path="No000[1-3]", delay_ms=150, count=None)
    spoil(someone, "status", ids[0], count=1, status=429, code="ApplicationThrottled", retry_after=120)
    answer = wide(someone, ids)
    assert failed(answer) == {one: "microsoft_throttled" for one in [ids[0], *ids[4:]]}
    assert {one["retry_after"] for one in answer.body["incomplete"]} == {120}
    assert subjects(answer) == ["e1", "e2", "e3"] and len(asked(someone)) == 4
    rest = cal(someone, "GET", f"/events?cursor={answer.body['next_cursor']}")
    assert whole(rest) == [f"e{number}" for number in (0, 4, 5, 6, 7, 8)]


def test_one_budget_of_retries_for_all(three):
    for one in three.ids:
        spoil(three, "status", one, status=503, body="")
    before = len(asked(three))
    is_problem(wide(three, three.ids), 502, "microsoft_unavailable")
    assert len(since(three, before)) == 3 + 2


def test_one_401_for_all_is_healed_by_one_refresh(three, sim):
    sim.expire(three.user)
    before = len(asked(three))
    assert whole(wide(three, three.ids)) == ALL_NINE
    assert refreshes(three) == 1
    assert [call["status"] for call in since(three, before)] == [401] * 3 + [200] * 3


def test_401_for_ever(three, sim):
    """As of one calendar: whatever the others gave, the user must connect again."""
    spoil(three, "status", three.ids[0], code="InvalidAuthenticationToken", message=MESSAGE)
    body = needs_microsoft(wide(three, three.ids), three)
    assert body["microsoft_code"] == "InvalidAuthenticationToken"
    assert (refreshes(three), three.row("is_active")) == (1, ["1"])
    sim.clear_faults()
    assert whole(wide(three, three.ids)) == ALL_NINE


def test_claims_challenge_that_the_refresh_cannot_meet(three, sim):
    claims = {"access_token": {"nbf": {"essential": True, "value": "1772442895"}}}
    sim.fault("cae", "graph", user=three.user, claims=claims, count=None)
    sim.fault("status", "token", user=three.user, aadsts=50076)
    assert needs_microsoft(wide(three, three.ids), three)["claims"] == claims
    assert three.row("is_active") == ["0"]


def test_nobody_connected(person):
    someone = person().log_in()
    for ids in (["all"], ["a", "b"]):
        needs_microsoft(wide(someone, ids), someone)
    assert not asked(someone)


def test_list_of_calendars_fails(three):
    three.stack.sim.fault("status", "graph", user=three.user, path="/me/calendars$", count=None, status=403, code="ErrorAccessDenied")
    is_problem(wide(three, ["all"]), 403, "microsoft_forbidden")


def test_slow_calendar_is_named(person, make_stack, sim):
    hasty = make_stack(GRAPH_TIMEOUT_S=1, LOGIN_TIMEOUT_S=1, CONNECT_TIMEOUT_S=1, REQUEST_DEADLINE_S=3, workers=8)
    someone = person(stack=hasty).connect()
    ids = calendars(someone, 3)
    sim.add_events(someone.user, event("good", calendar=ids[0]), event("slow", calendar=ids[1]))
    spoil(someone, "delay", ids[1], delay_ms=4000)
    answer = wide(someone, ids)
    assert failed(answer) == {ids[1]: "microsoft_timeout"} and subjects(answer) == ["good"]


def test_pages_that_are_too_large_together(three):
    """What does not fit any more is not there yet, and can be asked for."""
    spoil(three, "oversize", "No000", mb=20)
    answer = wide(three, three.ids)
    assert list(failed(answer).values()) == ["microsoft_unavailable"] and len(subjects(answer)) == 6
    three.stack.sim.clear_faults()
    assert len(whole(cal(three, "GET", f"/events?cursor={answer.body['next_cursor']}"))) == 3


def test_each_call_is_counted_and_the_time_once(program, realm, sim):
    """In the metrics, and in the log's line."""
    worker = program(METRICS_TOKEN=TOKEN, LOG_LEVEL="debug", LOG_FORMAT="json")
    someone = direct(Person, worker, realm).connect()
    ids = calendars(someone, 4)
    sim.fault("status", "graph", user=someone.user, status=403, code="ErrorAccessDenied", path="No0002", count=None)
    sim.fault("delay", "graph", user=someone.user, path="/events$", delay_ms=300, count=None)
    with Moves(worker) as moved:
        answer = someone.cal("GET", "/events?calendar_id=all")
    assert [one["calendar_id"] for one in answer.body["incomplete"]] == [ids[2]]
    assert moved.only("graph_requests_total") == {("list_calendars", "200"): 1, ("list_events", "200"): 4, ("list_events", "403"): 1}
    assert moved("graph_request_duration_seconds_count", operation="list_events") == 5
    wanted = answer.headers["X-Request-ID"]
    wait_for(lambda: any("event\":\"request" in line.replace(" ", "") for line in worker.logs().splitlines() if wanted in line))
    lines = [json.loads(line) for line in worker.logs().splitlines() if wanted in line]
    calls = [line for line in lines if line["event"] == "graph.call"]
    assert sorted(call["status"] for call in calls) == [200] * 5 + [403] and len({call["client_request_id"] for call in calls}) == 6
    told = next(line for line in lines if line["event"] == "events.incomplete")
    assert (told["calendars"], told["failed"], told["code"], told["microsoft_code"]) == (5, 1, "microsoft_forbidden", "ErrorAccessDenied")
    # Those that wait beside one another take their time once.
    done = next(line for line in lines if line["event"] == "request")
    assert done["ms"] >= done["graph_ms"] >= 300 and sum(call["ms"] for call in calls) >= 3 * 300
    assert done["graph_ms"] < sum(call["ms"] for call in calls)


def test_audit_has_one_row(three):
    for ids, status, result in ((three.ids, 200, "ok"), ([name_of(77), name_of(78)], 404, "ErrorItemNotFound")):
        answer = wide(three, ids)
        three.stack.settle()
        found = three.stack.sql(f"SELECT event, result, detail FROM audit_log WHERE request_id = '{answer.headers['X-Request-ID']}'")
        assert (answer.status, found) == (status, [["token.use", result, "events.list"]])
