# SPDX-License-Identifier: MIT
"""Cursors of the list: the whole list exactly once, and nothing else with them."""

import base64
import urllib.parse

import pytest
from conftest import Person
from cryptography.fernet import Fernet
from kit import asked, cal, event, events, fernet, fill, is_problem, subjects

from stack.smoke import REALMS

SPAN = {"start_time": "2027-03-01T00:00:00Z", "end_time": "2027-03-08T00:00:00Z"}


@pytest.fixture(scope="module")
def _readers():
    return {}


@pytest.fixture
def reader(person, realm, _readers):
    """Somebody with 130 events, and their names."""
    if realm.name not in _readers:
        someone = person().connect()
        _readers[realm.name] = someone, fill(someone, 130)
    return _readers[realm.name]


def cursor_of(person, **query):
    return events(person, **query).body["next_cursor"]


def walk(person, **query):
    """The subjects of every page, by its cursors alone after the first."""
    answer, pages = events(person, **query), []
    while True:
        pages.append(subjects(answer))
        if answer.body["next_cursor"] is None:
            return pages
        assert len(pages) < 200
        answer = events(person, cursor=answer.body["next_cursor"])


@pytest.mark.parametrize("query", [{}, SPAN, {"start_time": SPAN["start_time"]}, {"end_time": SPAN["end_time"]}],
                         ids=["all", "view", "from", "until"])
@pytest.mark.parametrize("limit", [7, 100, 101, 129, 130])
def test_whole_list_exactly_once(reader, query, limit):
    someone, names = reader
    pages = walk(someone, limit=limit, **query)
    assert sum(pages, []) == names
    assert all(len(page) == limit for page in pages[:-1]) and pages[-1]


def test_graphs_own_page_size_may_be_smaller(reader, sim):
    """Graph may give fewer than were asked for: limits that end inside of its pages."""
    someone, names = reader
    size = 9

    def page(number):
        link = f"{sim.https}/v1.0/me/events?%24skip={size * (number + 1)}&%24top={size}&%24orderby=start%2FdateTime"
        return {"@odata.nextLink": link, "value": [{"subject": name} for name in names[size * number:size * (number + 1)]]}

    for number in range(3):
        sim.fault("merge", "graph", user=someone.user, body=page(number), count=1)
    first = events(someone, limit=25)
    assert subjects(first) == names[:25]
    sim.clear_faults()
    second = events(someone, cursor=first.body["next_cursor"])
    assert subjects(second) == names[25:50]


def test_cursor_holds_the_other_parameters(person):
    someone = person().connect()
    other = someone.stack.sim.add_calendar(someone.user, "Other")["id"]
    someone.stack.sim.add_events(someone.user, event("elsewhere"), *[event(f"o{day}", day, calendar=other) for day in range(1, 6)])
    cursor = cursor_of(someone, limit=2, calendar_id=other, timezone="Asia/Tokyo", **SPAN)
    beside = {"limit": "nonsense", "timezone": "ä", "calendar_id": "..", "start_time": "x", "end_time": "2026-01-01T00:00:00Z"}
    for more in ({}, beside, {"limit": "5", "timezone": "UTC", "end_time": "2027-03-02T00:00:00Z"}):
        answer = events(someone, cursor=cursor, **more)
        assert subjects(answer) == ["o3", "o4"]
        assert {found["start"]["timeZone"] for found in answer.body["events"]} == {"Asia/Tokyo"}
    assert asked(someone)[-1]["path"].endswith("/calendarView")


def test_cursor_may_be_used_again(reader):
    someone, names = reader
    cursor = cursor_of(someone, limit=3)
    assert [subjects(events(someone, cursor=cursor)) for _ in range(2)] == [names[3:6]] * 2


def test_cursor_is_opaque(reader):
    cursor = cursor_of(reader[0], limit=3, timezone="Asia/Tokyo")
    plain = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    for word in (b"http", b"skip", b"me/events", b"Tokyo", reader[0].subject.encode()):
        assert word not in plain and word.decode() not in cursor
    assert urllib.parse.quote(cursor, safe="=") == cursor


@pytest.mark.promise(
    "attack/isolation", "A session code, a state, a cursor or an event id of another user gives nothing of that user's")
def test_cursor_of_another_user_or_realm(person, realm):
    someone = person().connect()
    fill(someone, 3)
    cursor = cursor_of(someone, limit=2)
    other = person().connect()
    is_problem(events(other, cursor=cursor), 400, "cursor_invalid")
    stranger = person(realm=next(one for one in _realms() if one.name != realm.name)).connect()
    is_problem(events(stranger, cursor=cursor), 400, "cursor_invalid")
    assert not asked(other) and not asked(stranger)


def _realms():
    from stack.smoke import REALMS  # pylint: disable=import-outside-toplevel
    return REALMS


@pytest.mark.promise(
    "attack/isolation", "A session code, a state, a cursor or an event id of another user gives nothing of that user's")
def test_every_changed_byte_is_noticed(reader):
    someone, names = reader
    cursor = cursor_of(someone, limit=3)
    before = len(asked(someone))
    end = len(cursor.rstrip("="))
    for at in sorted({0, 1, 5, 11, 12, 20, 33, end // 2, end - 45, end - 30, end - 10, end - 2}):
        changed = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1:]
        is_problem(events(someone, cursor=changed), 400, "cursor_invalid")
    for changed in (cursor[:-5], cursor + "A", cursor[4:], cursor * 2, cursor[:20] + cursor[24:]):
        is_problem(events(someone, cursor=changed), 400, "cursor_invalid")
    assert len(asked(someone)) == before
    assert subjects(events(someone, cursor=cursor)) == names[3:6]


@pytest.mark.parametrize("bad", ["x", "null", "0", "https://evil.example/", "A" * 200, "A" * 3000, "ä",
                                 Fernet(Fernet.generate_key()).encrypt(b'{"url":"/"}').decode()],
                         ids=["x", "null", "0", "url", "A200", "A3000", "umlaut", "another_key"])
def test_what_is_no_cursor_of_ours(connected, bad):
    is_problem(events(connected, cursor=bad), 400, "cursor_invalid")


def test_stored_tokens_are_no_cursors(connected):
    """They are sealed with the same key."""
    is_problem(events(connected, cursor=connected.row("access_token")[0]), 400, "cursor_invalid")
    for text in (b"{}", b"[]", b"null", b"", b"\xff", b'{"cursor":1}'):
        sealed = fernet(connected.stack).encrypt(text).decode()
        is_problem(events(connected, cursor=sealed), 400, "cursor_invalid")


def test_cursor_asks_for_a_connection_like_everything(person):
    someone = person().connect()
    fill(someone, 3)
    cursor = cursor_of(someone, limit=2)
    assert someone.api("DELETE", "auth/microsoft/token").status == 200
    is_problem(cal(someone, "GET", f"/events?cursor={cursor}"), 401, "microsoft_auth_required")


@pytest.mark.parametrize("link", ["/v1.0/me/events?", "events?", "?", "./events?", "//HOST/v1.0/me/events?"])
def test_next_link_may_be_relative(reader, sim, link):
    """As OData allows: what it leads to is relative to the page that it stands in."""
    someone, names = reader
    link = link.replace("HOST", sim.https.partition("//")[2]) + "%24skip=5&%24top=10&%24orderby=start%2FdateTime"
    sim.fault("merge", "graph", user=someone.user,
              body={"@odata.nextLink": link, "value": [{"subject": name} for name in names[:5]]})
    assert subjects(events(someone, limit=12)) == names[:12]


def test_very_small_pages_are_given_in_parts(stack, sim):
    """However many pages a list has: what was read of it, and a way to go on."""
    someone = Person(stack, REALMS[0]).connect()
    for number in range(1, 206):
        link = f"{sim.https}/v1.0/me/events?%24skip={number}"
        sim.fault("merge", "graph", user=someone.user, body={"@odata.nextLink": link, "value": [{"subject": f"s{number}"}]})
    answer = events(someone, limit=1000)
    part = subjects(answer)
    assert part == [f"s{number}" for number in range(1, len(part) + 1)] and len(part) >= 100
    rest = events(someone, cursor=answer.body["next_cursor"])
    assert subjects(rest) == [f"s{number}" for number in range(len(part) + 1, 206)] and rest.body["next_cursor"] is None
