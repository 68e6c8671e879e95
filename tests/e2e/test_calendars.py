# SPDX-License-Identifier: MIT
"""GET calendars."""

import pytest
from kit import asked, cal, graph, is_problem, needs_microsoft


def of(person):
    answer = cal(person, "GET", "/")
    assert answer.status == 200, answer
    return answer.body


def test_calendars_are_graphs_own(person):
    someone = person().connect()
    someone.stack.sim.add_calendar(someone.user, "Zweite, größere ☕")
    body = of(someone)
    assert set(body) == {"success", "message", "event"} and body["success"] is True and body["message"]
    assert set(body["event"]) == {"calendars", "default_calendar"}
    theirs = graph(someone, "/me/calendars?$top=100")["value"]
    assert body["event"]["calendars"] == theirs and len(theirs) == 2
    assert body["event"]["default_calendar"] == next(one for one in theirs if one["isDefaultCalendar"])


def test_all_of_graphs_pages_are_read(person):
    someone = person().connect()
    for number in range(104):
        someone.stack.sim.add_calendar(someone.user, f"c{number:03d}")
    found = of(someone)["event"]["calendars"]
    assert [one["name"] for one in found] == ["Calendar", *(f"c{number:03d}" for number in range(104))]
    assert len(asked(someone, method="GET")) > 1


def test_default_is_the_one_that_says_so(connected, sim):
    body = {"value": [{"id": "a", "isDefaultCalendar": False}, {"id": "b", "isDefaultCalendar": True}, {"id": "c"}]}
    sim.fault("merge", "graph", user=connected.user, body=body)
    found = of(connected)["event"]
    assert found == {"calendars": body["value"], "default_calendar": body["value"][1]}


@pytest.mark.parametrize("kind", ["next_circle", "next_foreign"])
def test_pages_that_lead_nowhere(connected, sim, kind):
    sim.fault(kind, "graph", user=connected.user, count=None)
    before = len(asked(connected))
    is_problem(cal(connected, "GET"), 502, "microsoft_unavailable")
    assert len(asked(connected)) - before <= 2


def test_with_or_without_the_last_slash_and_head(connected):
    assert cal(connected, "GET", "").body == cal(connected, "GET", "/").body
    head = cal(connected, "HEAD", "/")
    assert (head.status, head.text) == (200, "")


def test_nobody_connected(person):
    someone = person().log_in()
    for below in ("", "/events", "/events/AAMkADk3AAAAAAAA"):
        needs_microsoft(cal(someone, "GET", below), someone)
    assert not asked(someone)


def test_other_methods_are_refused(connected):
    for below, allowed in (("", {"GET", "HEAD"}), ("/events", {"GET", "HEAD", "POST"}),
                           ("/events/x", {"GET", "HEAD", "PUT", "PATCH", "DELETE"})):
        answer = cal(connected, "OPTIONS", below)
        is_problem(answer, 405, "method_not_allowed")
        assert set(answer.headers["Allow"].split(", ")) == allowed
