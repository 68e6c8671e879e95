# SPDX-License-Identifier: MIT
"""Creating, changing and deleting: what Graph is told, and what the caller gets."""

import http.client
import threading

import pytest
from kit import at_once, cal, event, graph, is_problem, last_sent, one, wait_for

START, END = "2027-03-02T09:00:00", "2027-03-02T09:30:00"
LEAST = {"subject": "s", "start": START + "Z", "end": END + "Z"}


def utc(text):
    return {"dateTime": text, "timeZone": "UTC"}


def made(person, body, **rest):
    answer = cal(person, "POST", "/events", body, **rest)
    assert answer.status == 201, answer
    assert set(answer.body) == {"success", "message", "event"} and answer.body["success"] is True
    return answer.body["event"]


# What a creation says beside LEAST (None: taken away), and what Graph is sent for it.
GOOD = [
    ({}, {"subject": "s", "start": utc(START), "end": utc(END)}),
    ({"subject": "x" * 255}, {"subject": "x" * 255}),
    ({"subject": "𝒳" * 255}, {"subject": "𝒳" * 255}),
    ({"subject": 'q"\\/\u2028\ud7ff☕'}, {"subject": 'q"\\/\u2028\ud7ff☕'}),
    ({"start": "2027-03-02T10:00:00+01:00"}, {"start": utc(START)}),
    ({"start": "2027-03-01T23:00:00-10:00"}, {"start": utc(START)}),
    ({"start": "2027-03-02t09:00:00z"}, {"start": utc(START)}),
    ({"start": START + "+02:00", "timezone": "Asia/Tokyo"}, {"start": utc("2027-03-02T07:00:00"), "end": utc(END)}),
    ({"start": START, "end": END}, {"start": utc(START), "end": utc(END)}),
    ({"start": START, "end": END, "timezone": "Europe/Berlin"},
     {"start": {"dateTime": START, "timeZone": "Europe/Berlin"}, "end": {"dateTime": END, "timeZone": "Europe/Berlin"}}),
    ({"start": START, "end": END, "timezone": "W. Europe Standard Time"},
     {"start": {"dateTime": START, "timeZone": "W. Europe Standard Time"}}),
    ({"start": "2027-03-02", "end": "2027-03-03", "is_all_day": True},
     {"start": utc("2027-03-02T00:00:00"), "end": utc("2027-03-03T00:00:00"), "isAllDay": True}),
    ({"start": "2027-03-02", "end": "2027-03-05", "is_all_day": True, "timezone": "Europe/Berlin"},
     {"start": {"dateTime": "2027-03-02T00:00:00", "timeZone": "Europe/Berlin"}, "isAllDay": True}),
    ({"start": "2027-03-02T00:00:00Z", "end": "2027-03-03T00:00:00Z", "is_all_day": True}, {"isAllDay": True}),
    ({"is_all_day": False}, {"isAllDay": False}),
    ({"body": "<b>x</b>"}, {"body": {"contentType": "html", "content": "<b>x</b>"}}),
    ({"body": "x", "body_type": "html"}, {"body": {"contentType": "html", "content": "x"}}),
    ({"body": "a < b", "body_type": "text"}, {"body": {"contentType": "text", "content": "a < b"}}),
    ({"body": "é" * 10000}, {"body": {"contentType": "html", "content": "é" * 10000}}),
    ({"body": ""}, {"body": {"contentType": "html", "content": ""}}),
    ({"location": "Raum 4"}, {"location": {"displayName": "Raum 4"}}),
    ({"location": "ö" * 255}, {"location": {"displayName": "ö" * 255}}),
    ({"location": ""}, {"location": {"displayName": ""}}),
    ({"attendees": ["a@example.org", "o'b+c@sub.example.org"]},
     {"attendees": [{"type": "required", "emailAddress": {"address": name}} for name in ("a@example.org", "o'b+c@sub.example.org")]}),
    ({"attendees": [f"a{number}@example.org" for number in range(100)]}, {}),
    ({"attendees": []}, {"attendees": []}),
    ({"reminder_minutes": 0}, {"reminderMinutesBeforeStart": 0}),
    ({"reminder_minutes": 20160}, {"reminderMinutesBeforeStart": 20160}),
    ({"body": None, "body_type": None, "location": None, "attendees": None, "is_all_day": None, "reminder_minutes": None,
      "timezone": None}, {}),
]
ABSENT = {"isAllDay", "body", "location", "attendees", "reminderMinutesBeforeStart"}


@pytest.mark.parametrize("more, sent", GOOD)
def test_created(connected, more, sent):
    found = made(connected, {**LEAST, **more})
    call = last_sent(connected, "POST")
    assert {name: call["body"].get(name) for name in sent} == sent
    unasked = ABSENT - set(sent) - {"attendees" if more.get("attendees") else ""}
    assert not unasked & set(call["body"])
    assert call["path"] == "/v1.0/me/events" and call["status"] == 201
    assert found["id"] and found["subject"] == more.get("subject", "s")


@pytest.mark.parametrize("more, sent", [pair for pair in GOOD[1:-1] if not {"start", "end"} & set(pair[0])] + [
    ({"start": "2027-03-02T09:10:00"}, {"start": utc("2027-03-02T09:10:00")}),
    ({"end": "2027-03-02T11:00:00+01:00"}, {"end": utc("2027-03-02T10:00:00")}),
    ({"start": START, "end": END, "timezone": "Asia/Tokyo"}, {"start": {"dateTime": START, "timeZone": "Asia/Tokyo"}}),
    ({"start": "2027-03-02", "end": "2027-03-03", "is_all_day": True}, {"start": utc("2027-03-02T00:00:00"), "isAllDay": True}),
])
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_updated_with_only_what_is_there(connected, sim, method, more, sent):
    identifier = sim.add_events(connected.user, event("before"))[0]["id"]
    answer = cal(connected, method, one(identifier), {**more, "location": more.get("location")})
    assert answer.status == 200, answer
    assert set(answer.body) == {"success", "message", "event"} and answer.body["event"]["id"] == identifier
    body = last_sent(connected, "PATCH")["body"]
    assert {name: body.get(name) for name in sent} == sent
    if sent:
        assert set(body) - {"isReminderOn"} == set(sent) | ({"end"} & set(more))


def test_update_of_an_all_day_event_by_date_alone(connected, sim):
    """A date-only start in an update needs nothing else beside it."""
    day = {"dateTime": "2027-03-02T00:00:00", "timeZone": "UTC"}
    identifier = sim.add_events(connected.user, {"subject": "day", "isAllDay": True, "start": day,
                                                 "end": {**day, "dateTime": "2027-03-04T00:00:00"}})[0]["id"]
    answer = cal(connected, "PATCH", one(identifier), {"start": "2027-03-03"})
    assert answer.status == 200, answer
    assert last_sent(connected, "PATCH")["body"] == {"start": utc("2027-03-03T00:00:00")}


def test_location_leads_to_the_event(connected):
    """Every third of the simulator's ids holds what a path must not: / and +."""
    awkward = 0
    for _ in range(4):
        answer = cal(connected, "POST", "/events", LEAST)
        assert answer.headers["Location"].startswith(connected.path("integration/microsoft/calendar/events/"))
        found = connected.call("GET", answer.headers["Location"])
        assert (found.status, found.body["event"]["id"]) == (200, answer.body["event"]["id"])
        awkward += "/" in answer.body["event"]["id"] or "+" in answer.body["event"]["id"]
    assert awkward


def test_event_is_graphs_own(connected, sim):
    identifier = sim.add_events(connected.user, event("naïve ☕ \"q\" \\"))[0]["id"]
    answer = cal(connected, "GET", one(identifier))
    assert answer.status == 200 and set(answer.body) == {"success", "message", "event"}
    head = cal(connected, "HEAD", one(identifier))
    assert (head.status, head.text) == (200, "")
    theirs = graph(connected, "/me" + one(identifier))
    assert {**answer.body["event"], "@odata.context": 0} == {**theirs, "@odata.context": 0}


def test_calendar_id_of_a_creation(connected, sim):
    other = sim.add_calendar(connected.user, f"Other {connected.realm.name}", id="AAMk/Made+here/idd==")["id"]
    answer = cal(connected, "POST", "/events?calendar_id=AAMk%2FMade%2Bhere%2Fidd%3D%3D", LEAST)
    assert answer.status == 201, answer
    assert [found["calendar"] for found in sim.events(connected.user) if found["id"] == answer.body["event"]["id"]] == [other]
    assert cal(connected, "POST", "/events?calendar_id=", LEAST).status == 201
    is_problem(cal(connected, "POST", "/events?calendar_id=AAMkADk3NoSuchCalendar==", LEAST), 404, "not_found")


def test_idempotency_key_makes_a_repeat_the_same_event(person):
    someone = person().connect()
    key = {"Idempotency-Key": "order 66/a"}
    first = made(someone, LEAST, headers=key)
    assert made(someone, LEAST, headers=key)["id"] == first["id"]
    assert made(someone, LEAST)["id"] != first["id"]
    assert made(someone, LEAST, headers={"Idempotency-Key": "order 67"})["id"] != first["id"]
    assert len(someone.stack.sim.events(someone.user)) == 3


def test_same_key_of_another_user_is_another_event(person):
    """Two of a site's users with one Microsoft account, and one key: two events."""
    first = person().connect()
    second = person(user=first.user).connect()
    key = {"Idempotency-Key": "one"}
    assert made(first, LEAST, headers=key)["id"] != made(second, LEAST, headers=key)["id"]


def test_many_repeats_at_once_are_one_event(person):
    someone = person().connect()
    found = at_once(8, lambda _: made(someone, LEAST, headers={"Idempotency-Key": "k" * 255})["id"])
    assert len(set(found)) == 1 and len(someone.stack.sim.events(someone.user)) == 1


def test_creation_whose_connection_breaks_is_made_at_most_once(person, sim):
    someone = person().connect()
    assert cal(someone, "GET").status == 200
    workers = 4
    for _ in range(workers):
        sim.fault("reset", "graph", user=someone.user, method="POST", when="before")
    for _ in range(workers):
        before = len(sim.events(someone.user))
        cal(someone, "POST", "/events", LEAST)
        assert len(sim.events(someone.user)) - before <= 1


def test_if_match(connected, sim):
    kept = sim.add_events(connected.user, event("one"))[0]
    etag = graph(connected, "/me" + one(kept["id"]))["@odata.etag"]
    assert cal(connected, "PATCH", one(kept["id"]), {"subject": "two"}, {"If-Match": etag}).status == 200
    assert last_sent(connected, "PATCH")["headers"]["if-match"] == etag
    for method in ("PATCH", "PUT"):
        answer = cal(connected, method, one(kept["id"]), {"subject": "three"}, {"If-Match": etag})
        body = is_problem(answer, 412, "precondition_failed")
        assert body["microsoft_code"] == "ErrorIrresolvableConflict"
    assert cal(connected, "PATCH", one(kept["id"]), {"subject": "four"}, {"If-Match": "*"}).status == 200
    assert cal(connected, "PATCH", one(kept["id"]), {"subject": "five"}).status == 200
    assert "if-match" not in last_sent(connected, "PATCH")["headers"]


def test_delete(connected, sim):
    identifier = sim.add_events(connected.user, event("gone"))[0]["id"]
    answer = cal(connected, "DELETE", one(identifier))
    assert answer.status == 200 and answer.body["success"] is True and set(answer.body) == {"success", "message"}
    assert identifier not in [found["id"] for found in sim.events(connected.user)]
    for method, body in (("DELETE", None), ("GET", None), ("PATCH", {"subject": "x"})):
        assert is_problem(cal(connected, method, one(identifier), body), 404, "not_found")["microsoft_code"] == "ErrorItemNotFound"


def test_caller_that_hangs_up_does_no_harm(connected, sim):
    sim.fault("delay", "graph", user=connected.user, delay_ms=300)

    def begin():
        connection = http.client.HTTPConnection(connected.stack.url.partition("//")[2], timeout=5)
        connection.request("GET", connected.path("integration/microsoft/calendar/"),
                           headers={"Authorization": f"Bearer {connected.token}"})
        connection.close()

    thread = threading.Thread(target=begin)
    thread.start()
    thread.join()
    assert wait_for(lambda: cal(connected, "GET").status == 200)
