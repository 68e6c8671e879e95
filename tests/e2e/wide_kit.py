# SPDX-License-Identifier: MIT
"""What the tests of lists of several calendars share."""

from urllib.parse import quote, urlencode

import pytest
from kit import MESSAGE, cal, event, subjects

SPAN = {"start_time": "2027-03-01T00:00:00Z", "end_time": "2027-03-08T00:00:00Z"}
NAMES = "abcdefghijklmnopqrstuvwxyz"
ALL_NINE = [f"c{number}" for number in range(1, 10)]


def name_of(number):
    """A calendar's id, which the tests of faults find in a path."""
    return f"AAMkCalendarNo{number:04d}=="


def calendars(person, count, first=0):
    """So many more calendars of that person; their ids."""
    return [person.stack.sim.add_calendar(person.user, f"c{number}", id=name_of(number))["id"]
            for number in range(first, first + count)]


def wide(person, ids, **query):
    """GET events of these calendars."""
    return cal(person, "GET", "/events?" + urlencode([*[("calendar_id", one) for one in ids], *query.items()]))


def whole(answer):
    """Its subjects, where no calendar failed."""
    assert answer.status == 200 and answer.body["incomplete"] == [], answer
    return subjects(answer)


def failed(answer):
    """{calendar: code} of what is incomplete."""
    assert answer.status == 200, answer
    assert MESSAGE not in answer.text
    return {one["calendar_id"]: one["code"] for one in answer.body["incomplete"]}


def walk(person, ids, **query):
    """The subjects of every page."""
    answer, pages = wide(person, ids, **query), []
    while True:
        pages.append(whole(answer))
        if answer.body["next_cursor"] is None:
            return pages
        assert len(pages) < 300
        answer = cal(person, "GET", f"/events?cursor={answer.body['next_cursor']}")


def spoil(person, kind, calendar, count=None, **rest):
    """A fault of the calls for one calendar."""
    person.stack.sim.fault(kind, "graph", user=person.user, path=quote(calendar, safe=""), count=count, **rest)


def with_three(someone):
    """Gives somebody three calendars; c1 … c9 an hour apart, each in another calendar than the one before."""
    someone.ids = calendars(someone, 3)
    someone.stack.sim.add_events(someone.user, *[
        event(f"c{number}", 2, number, calendar=someone.ids[number % 3]) for number in range(9, 0, -1)])
    return someone


def with_many(someone):
    """Gives somebody 130, 41, 3 and 0 events in four calendars, of which some begin together; ids, names in order."""
    someone.ids = calendars(someone, 4)
    rows = [(f"{NAMES[number]}{item:03d}", item if number == 0 else 3 * item if number == 1 else 40 * item, one)
            for number, (one, count) in enumerate(zip(someone.ids, (130, 41, 3))) for item in range(count)]
    someone.stack.sim.add_events(someone.user, *[
        event(name, 1 + hours // 24, hours % 24, calendar=one) for name, hours, one in rows])
    someone.names = [name for name, *_ in sorted(rows, key=lambda row: (row[1], row[0][0]))]
    return someone


@pytest.fixture(name="three")
def _three(person):
    return with_three(person().connect())


@pytest.fixture(scope="module")
def _readers():
    return {}


@pytest.fixture(name="reader")
def _reader(person, realm, _readers):
    """Somebody with many events, for tests that leave them as they are."""
    if realm.name not in _readers:
        _readers[realm.name] = with_many(person().connect())
    return _readers[realm.name]
