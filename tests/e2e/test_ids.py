# SPDX-License-Identifier: MIT
"""Ids are opaque: whatever one says, no other resource of Graph's is reached by it."""

import re
from urllib.parse import quote, unquote, urlencode

import pytest
from behind import is_refused
from conftest import CALENDAR
from kit import asked, cal, event, fields, is_problem, one

# Encoded as they stand in the request. None of them is an event's.
STRANGE = [
    "%2F", "..", ".", "%2e", "%2e%2e", "%2E.", ".%2e", "..%2F", "%2F..", "..%2f..", "..%2Fcalendars", "a%2F..%2F..%2Fcalendars",
    "a%2Fb%2Fc", "%252e%252e", "%252F", "..%252f..%252fcalendars", "x%3F%24top%3D1", "x%3f", "%3F", "x%23y", "x%3By", "x%5C..%5Cy",
    "%5c", "%00", "a%00b", "a%0d%0ab", "a%0aHost:%20evil", "a%1fb", "a%7fb", "%ff", "%C0%AE%C0%AE", "%c0%af", "%zz", "%", "%2", "a%",
    "a%20b", "a+b", "a%2Bb", "$value", "%24count", "{event}", "x'or'1'eq'1", "a:b", "a@b", "a//b", "a&b=c", "a%26b", "%C3%A9",
    "%E2%80%AE", "instances", "x%2Finstances", "x%2Fattachments", "%2e%2e%2fcalendar%2fevents", "x" * 1024, "x" * 1025,
    "%2F" * 1200, "A" * 3500,
]
# What OData and Graph have below a collection beside its members.
RESERVED = ["delta", "DELTA", "%64elta", "$count", "%24count", "$value", "$", "microsoft.graph.delta()",
            "Microsoft.Graph.delta%28%29"]


def short(text):
    return text if len(text) < 40 else f"{text[:8]}x{len(text)}"


def stays_in_place(path, identifier):
    """Whether Graph was asked for the event of that very id: one segment, neither empty nor a dot or two."""
    match = re.fullmatch(r"/v1\.0/me/events/([^/?#]+)", path)
    return bool(match) and unquote(match[1]) == unquote(identifier) and unquote(match[1]) not in (".", "..")


@pytest.mark.promise(
    "attack/isolation", "No event or calendar id reaches another resource of Graph's: it is one encoded segment, or is not asked for")
@pytest.mark.parametrize("identifier", STRANGE, ids=short)
def test_strange_id(connected, identifier):
    for method, body in (("GET", None), ("PATCH", {"subject": "x"}), ("PUT", {"subject": "x"}), ("DELETE", None)):
        before = len(asked(connected))
        if is_refused(connected.stack, method, connected.path(f"{CALENDAR}/events/{identifier}")):
            continue
        answer = cal(connected, method, "/events/" + identifier, body)
        assert answer.status in (400, 404), (method, answer)
        is_problem(answer, answer.status, {400: "microsoft_rejected", 404: "not_found"}[answer.status])
        for call in asked(connected)[before:]:
            assert stays_in_place(call["path"], identifier) and not call["raw_query"]


# mutant: src/proto/event.c: !gg_str_is(s, "..") => s.n > 0
@pytest.mark.promise(
    "attack/isolation", "No event or calendar id reaches another resource of Graph's: it is one encoded segment, or is not asked for")
@pytest.mark.parametrize("identifier", ["%", "%zz", "%00", "a%00b", "%ff", "..", ".", "%2e%2E", "a%0ab", "a%7fb", "x" * 1025,
                                        *RESERVED])
def test_what_can_be_no_id_is_not_even_asked_for(connected, identifier):
    before = len(asked(connected))
    for method, body in (("GET", None), ("PATCH", {"subject": "x"}), ("DELETE", None)):
        if not is_refused(connected.stack, method, connected.path(f"{CALENDAR}/events/{identifier}")):
            is_problem(cal(connected, method, "/events/" + identifier, body), 404, "not_found")
    assert len(asked(connected)) == before


@pytest.mark.parametrize("below", ["/events/a/b", "/events/a/", "/events//a", "/events/a//", "/events/../events/a/b",
                                   "/calendarView", "/../calendar", "/events/a/instances", "//events"])
def test_other_paths_are_none(connected, below):
    before = len(asked(connected))
    answer = cal(connected, "GET", below)
    if below == "/events/a/":
        is_problem(answer, 400, "microsoft_rejected")
        return
    is_problem(answer, 404, "not_found")
    assert len(asked(connected)) == before


def test_empty_id_is_the_list(connected):
    assert "events" in cal(connected, "GET", "/events/").body


@pytest.mark.parametrize("identifier", ["AAMk//me/events/x+==", "-_/AAMk/+/me/calendar/x="])
def test_awkward_ids_that_exist(person, identifier):
    someone = person().connect()
    someone.stack.sim.add_events(someone.user, event("awkward", id=identifier))
    paths = [one(identifier), "/events/" + "".join(f"%{byte:02x}" for byte in identifier.encode())]
    for path in (*paths, paths[0] + "/"):
        answer = cal(someone, "GET", path)
        assert answer.status == 200 and answer.body["event"]["id"] == identifier
    answer = cal(someone, "PATCH", paths[1], {"subject": "changed"})
    assert answer.status == 200 and answer.body["event"]["subject"] == "changed"
    assert cal(someone, "DELETE", paths[0]).status == 200


@pytest.mark.promise(
    "attack/isolation", "No event or calendar id reaches another resource of Graph's: it is one encoded segment, or is not asked for")
@pytest.mark.parametrize("identifier", ["../events", "a/../../events", "../calendar", "x/events", "x?$top=1", "x#y", "a b", "é",
                                        "%2e%2e", "a&startDateTime=2027-01-01", "a;b"])
def test_strange_calendar_id(connected, identifier):
    query = urlencode({"calendar_id": identifier})
    body = {"subject": "s", "start": "2027-03-02T09:00:00Z", "end": "2027-03-02T10:00:00Z"}
    for method, sent in (("GET", None), ("POST", body)):
        answer = cal(connected, method, f"/events?{query}", sent)
        assert answer.status in (400, 404), answer
        assert asked(connected)[-1]["path"] == f"/v1.0/me/calendars/{quote(identifier, safe='')}/events"


@pytest.mark.promise(
    "attack/isolation", "No event or calendar id reaches another resource of Graph's: it is one encoded segment, or is not asked for")
@pytest.mark.parametrize("identifier", sorted({unquote(identifier) for identifier in RESERVED}))
def test_reserved_calendar_id(connected, identifier):
    before = len(asked(connected))
    query = urlencode({"calendar_id": identifier})
    body = {"subject": "s", "start": "2027-03-02T09:00:00Z", "end": "2027-03-02T10:00:00Z"}
    for method, sent in (("GET", None), ("POST", body)):
        assert fields(cal(connected, method, f"/events?{query}", sent)) == ["calendar_id"]
    assert len(asked(connected)) == before


def test_case_of_an_id_counts(connected, sim):
    identifier = sim.add_events(connected.user, event("one", id="AAMkADk3abcdEFGH"))[0]["id"]
    assert cal(connected, "GET", one(identifier)).status == 200
    is_problem(cal(connected, "GET", one(identifier.swapcase())), 404, "not_found")
