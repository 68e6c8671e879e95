# SPDX-License-Identifier: MIT
"""GET events of several calendars: merged in order of start, nothing lost or doubled by its cursors."""

from urllib.parse import quote, urlencode

import pytest
from kit import asked, at_once, cal, event, fields, graph, is_problem, subjects
from wide_kit import ALL_NINE, NAMES, SPAN, _reader, _readers, _three, calendars, failed, name_of, spoil, walk, whole, wide  # noqa: F401

from stack.smoke import REALMS


@pytest.mark.parametrize("query", [{}, SPAN, {"start_time": SPAN["start_time"]}, {"end_time": SPAN["end_time"]}], ids=str)
def test_merged_in_order_of_start_behind_any_web_server(three, query):
    answer = wide(three, three.ids, **query)
    assert whole(answer) == ALL_NINE and answer.body["next_cursor"] is None
    assert set(answer.body) == {"success", "message", "events", "next_cursor", "incomplete"}
    kind = "calendarView" if len(query) == 2 else "events"
    assert {call["path"].rpartition("/")[2] for call in asked(three)} == {kind}


def test_events_are_unchanged(three):
    theirs = [one for calendar in three.ids for one in graph(three, f"/me/calendars/{quote(calendar, safe='')}/events")["value"]]
    answer = wide(three, three.ids)
    assert sorted(answer.body["events"], key=lambda one: one["id"]) == sorted(theirs, key=lambda one: one["id"])


def test_bytes_are_microsofts(three, sim):
    odd = '{"id":"x","subject":"\\u0041\\ud83d\\ude00\\/","big":123456789012345678901234567890,"small":1.10e-5,"zero":0.0}'
    spoil(three, "malformed", three.ids[1], body='{ "value" : [ ' + odd + " ] }")
    assert odd in wide(three, three.ids).text and sim


def test_all_is_every_calendar(three):
    three.stack.sim.add_events(three.user, event("first", 1))
    assert whole(wide(three, ["all"])) == ["first", *ALL_NINE]
    assert whole(wide(three, ["all", "all"], **SPAN, limit=2)) == ["first", "c1"]


def test_all_of_a_mailbox_with_one_calendar(person):
    someone = person().connect()
    assert whole(wide(someone, ["all"])) == []
    someone.stack.sim.add_events(someone.user, event("only"))
    assert whole(wide(someone, ["all"])) == ["only"]


def test_all_of_more_calendars_than_are_read(person):
    """None is left out silently; Graph lists them by pages of ten, here of a hundred."""
    someone = person().connect()
    ids = calendars(someone, 104)
    someone.stack.sim.add_events(someone.user, event("first", calendar=ids[0]), event("last", calendar=ids[103]))
    answer = wide(someone, ["all"])
    # The default calendar is the first of the twenty.
    assert failed(answer) == {one: "too_many_calendars" for one in ids[19:]}
    assert subjects(answer) == ["first"]


def test_plain_list_is_what_it_was(three):
    """One calendar: no other members, one call; an empty value is none."""
    for query in ("", f"?calendar_id={quote(three.ids[0])}", f"?calendar_id=&calendar_id={quote(three.ids[0])}", "?calendar_id=&calendar_id="):
        before = len(asked(three))
        answer = cal(three, "GET", "/events" + query)
        assert set(answer.body) == {"success", "message", "events", "next_cursor"}
        assert len(asked(three)) == before + 1 and "%24skip" not in asked(three)[-1]["raw_query"]


def test_calendar_named_twice(three):
    before = len(asked(three))
    assert whole(wide(three, [three.ids[1], three.ids[0], three.ids[1]])) == ["c1", "c3", "c4", "c6", "c7", "c9"]
    assert whole(wide(three, [three.ids[0]] * 2)) == ["c3", "c6", "c9"]
    assert len(asked(three)) == before + 3


@pytest.mark.parametrize("ids", [[name_of(number) for number in range(21)], ["all", name_of(0)], [name_of(0), "all"],
                                 [name_of(0), ".."], [name_of(0), "a\nb"], ["$count", name_of(0)]], ids=len)
def test_faults_of_the_query(person, ids):
    someone = person().connect()
    assert fields(wide(someone, ids)) == ["calendar_id"] and not asked(someone)
    assert sorted(fields(wide(someone, ids, limit=0, timezone="ä"))) == ["calendar_id", "limit", "timezone"]


def test_only_the_list_takes_several(three):
    body = {"subject": "s", "start": "2027-03-02T09:00:00Z", "end": "2027-03-02T09:30:00Z"}
    answer = cal(three, "POST", "/events?" + urlencode([("calendar_id", one) for one in three.ids]), body)
    assert fields(answer) == ["calendar_id"]
    assert fields(cal(three, "GET", "/events?limit=1&limit=2")) == ["limit"]


def test_twenty_calendars(person, sim):
    """Not more than four calls for them at once, as Graph saw it."""
    someone = person().connect()
    ids = calendars(someone, 20)
    sim.add_events(someone.user, *[event(f"e{number:02d}", 2, number, calendar=one) for number, one in enumerate(ids)])
    sim.fault("delay", "graph", user=someone.user, delay_ms=60, count=None)
    assert whole(wide(someone, reversed(ids))) == [f"e{number:02d}" for number in range(20)]
    assert len(asked(someone)) == 20
    assert sim.counters(someone.user)["graph_peak"] == 4


def zoned(subject, start, zone, calendar, **rest):
    end = start[:14] + "59:00"
    return {"subject": subject, "calendar": calendar, "start": {"dateTime": start, "timeZone": zone},
            "end": {"dateTime": end, "timeZone": zone}, **rest}


def whole_day(subject, day, calendar, zone="UTC"):
    return {"subject": subject, "calendar": calendar, "isAllDay": True,
            "start": {"dateTime": f"2027-03-{day:02d}T00:00:00", "timeZone": zone},
            "end": {"dateTime": f"2027-03-{day + 1:02d}T00:00:00", "timeZone": zone}}


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo", "America/Los_Angeles", "W. Europe Standard Time"])
def test_mixed_zones_and_whole_days(person, zone):
    """By what is shown, whatever zone an event was made in; a whole day begins with its date in every zone."""
    someone = person().connect()
    one, two, three = calendars(someone, 3)
    someone.stack.sim.add_events(
        someone.user,
        zoned("berlin 10", "2027-03-02T10:00:00", "Europe/Berlin", one), zoned("tokyo 17", "2027-03-02T17:30:00", "Asia/Tokyo", two),
        zoned("utc 8", "2027-03-02T08:00:00", "UTC", three), zoned("angeles 1", "2027-03-02T01:30:00", "America/Los_Angeles", one),
        zoned("utc 20", "2027-03-01T20:00:00", "UTC", two), whole_day("day 2", 2, one), whole_day("day 3", 3, three, "Asia/Tokyo"),
        zoned("utc 0", "2027-03-03T00:00:00", "UTC", two))
    for query in ({}, SPAN):
        answer = wide(someone, [one, two, three], **query, **({"timezone": zone} if zone else {}))
        found = answer.body["events"]
        assert {each["start"]["timeZone"] for each in found} == {zone or "UTC"}
        starts = [each["start"]["dateTime"] for each in found]
        assert starts == sorted(starts) and len(whole(answer)) == 8
        timed = [name for name in subjects(answer) if not name.startswith("day")]
        assert timed == ["utc 20", "utc 8", "tokyo 17", "berlin 10", "angeles 1", "utc 0"]


def test_equal_starts_stand_in_the_order_of_the_calendars(person):
    someone = person().connect()
    ids = calendars(someone, 4)
    for one, name in zip(ids, NAMES):
        someone.stack.sim.add_events(someone.user, event(f"{name}9", calendar=one), whole_day(f"{name}day", 2, one),
                                     event(f"{name}0", 2, 0, calendar=one))
    for order in ((0, 1, 2, 3), (3, 1, 0, 2)):
        found = whole(wide(someone, [ids[number] for number in order]))
        assert [name[0] for name in found if name[1] == "9"] == [NAMES[number] for number in order]
        midnight = [NAMES[number] for number in order for _ in range(2)]
        assert [name[0] for name in found[:8]] == midnight
        assert [whole(wide(someone, [ids[number] for number in order])) for _ in range(2)] == [found] * 2


def test_the_hour_that_a_clock_repeats(person):
    """What is shown goes back; a calendar keeps Graph's order there."""
    someone = person().connect()
    one, two = calendars(someone, 2)
    at = "2027-10-31T{}:00"
    someone.stack.sim.add_events(someone.user, zoned("early", at.format("00:10"), "UTC", one), zoned("late", at.format("00:50"), "UTC", one),
                                 zoned("again", at.format("01:20"), "UTC", one), zoned("after", at.format("02:10"), "UTC", two))
    answer = wide(someone, [one, two], timezone="Europe/Berlin")
    assert [found["start"]["dateTime"][11:16] for found in answer.body["events"]] == ["02:10", "02:50", "02:20", "03:10"]
    assert whole(answer) == ["early", "late", "again", "after"]


# mutant: src/flow/wide.c: s->given + (int64_t)s->taken; => s->given;
@pytest.mark.parametrize("query", [{}, SPAN, {"start_time": SPAN["start_time"]}, {"end_time": SPAN["end_time"]}],
                         ids=["all", "view", "from", "until"])
@pytest.mark.parametrize("limit", [7, 100, 174])
def test_whole_list_exactly_once(reader, query, limit):
    pages = walk(reader, reader.ids, limit=limit, **query)
    assert sum(pages, []) == reader.names
    assert all(len(page) == limit for page in pages[:-1]) and pages[-1]


def test_whole_list_one_by_one_and_of_all(reader):
    found = sum(walk(reader, reader.ids[1:], limit=1), [])
    assert found == [name for name in reader.names if name[0] != "a"]
    assert sum(walk(reader, ["all"], limit=60, timezone="Asia/Tokyo"), []) == reader.names


def test_pages_are_read_only_where_they_are_needed(reader):
    """A page of each, then another of those alone that ended before the last event given."""
    before = len(asked(reader))
    assert len(whole(wide(reader, reader.ids, limit=150))) == 150
    paths = [call["path"].split("/")[4] for call in asked(reader)[before:]]
    assert sorted(paths) == sorted(quote(one, safe="") for one in [*reader.ids, reader.ids[0]])


def test_graphs_own_page_size_may_be_smaller(reader, sim):
    size = 9

    def page(number):
        base = f"{sim.https}/v1.0/me/calendars/{quote(reader.ids[0], safe='')}/events"
        return {"@odata.nextLink": f"{base}?%24skip={size * (number + 1)}&%24top={size}&%24orderby=start%2FdateTime"}

    full = graph(reader, f"/me/calendars/{quote(reader.ids[0], safe='')}/events?$orderby=start/dateTime&$top=100")["value"]
    for number in range(3):
        body = {**page(number), "value": full[size * number:size * (number + 1)]}
        spoil(reader, "merge", reader.ids[0], count=1, body=body)
    first = wide(reader, reader.ids, limit=25)
    assert whole(first) == reader.names[:25]
    sim.clear_faults()
    assert whole(cal(reader, "GET", f"/events?cursor={first.body['next_cursor']}")) == reader.names[25:50]


def test_cursor_holds_the_other_parameters(reader):
    first = wide(reader, reader.ids, limit=3, timezone="Asia/Tokyo", **SPAN)
    beside = "&limit=nonsense&calendar_id=..&calendar_id=all&timezone=%C3%A4"
    for more in ("", beside):
        answer = cal(reader, "GET", f"/events?cursor={first.body['next_cursor']}{more}")
        assert whole(answer) == reader.names[3:6]
        assert {found["start"]["timeZone"] for found in answer.body["events"]} == {"Asia/Tokyo"}
        assert asked(reader)[-1]["path"].endswith("/calendarView")


@pytest.mark.promise(
    "attack/isolation", "A session code, a state, a cursor or an event id of another user gives nothing of that user's")
def test_another_users_cursor_and_calendars(reader, person, realm):
    cursor = wide(reader, reader.ids, limit=3).body["next_cursor"]
    plain = cal(reader, "GET", "/events?limit=1")
    other = person().connect()
    stranger = person(realm=next(one for one in REALMS if one.name != realm.name)).connect()
    for somebody in (other, stranger):
        is_problem(cal(somebody, "GET", f"/events?cursor={cursor}"), 400, "cursor_invalid")
        assert not asked(somebody)
        mine = somebody.stack.sim.add_calendar(somebody.user, "Mine")["id"]
        somebody.stack.sim.add_events(somebody.user, event("mine", calendar=mine))
        answer = wide(somebody, [*reader.ids, mine])
        assert failed(answer) == {one: "not_found" for one in reader.ids} and subjects(answer) == ["mine"]
        is_problem(wide(somebody, reader.ids), 404, "not_found")
    for at in (5, 40, len(cursor) // 2, len(cursor) - 8):
        changed = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1:]
        is_problem(cal(reader, "GET", f"/events?cursor={changed}"), 400, "cursor_invalid")
    assert plain.status == 200


def test_several_people_at_once(person):
    people = [person().connect() for _ in range(3)]
    for number, someone in enumerate(people):
        ids = calendars(someone, 6)
        someone.stack.sim.add_events(someone.user, *[event(f"p{number}e{item}", 2, item, calendar=one) for item, one in enumerate(ids)])
    answers = at_once(6, lambda number: wide(people[number % 3], ["all"]))
    for number, answer in enumerate(answers):
        assert whole(answer) == [f"p{number % 3}e{item}" for item in range(6)]
