# SPDX-License-Identifier: MIT
"""GET events: which events, in which zone, how many."""

import json

import pytest
from kit import asked, cal, event, events, fields, fill, graph, is_problem, last_sent, subjects

SPAN = {"start_time": "2027-03-01T00:00:00Z", "end_time": "2027-03-08T00:00:00Z"}
DAILY = {"pattern": {"type": "daily", "interval": 1},
         "range": {"type": "numbered", "startDate": "2027-03-02", "numberOfOccurrences": 4}}


def put(person, *some):
    return person.stack.sim.add_events(person.user, *some)


@pytest.fixture
def week(person):
    """Somebody with 09:00-09:30 on five days, called d1 … d5."""
    someone = person().connect()
    put(someone, *[event(f"d{day}", day) for day in range(1, 6)])
    return someone


@pytest.mark.parametrize("query, wanted", [
    ({}, "d1 d2 d3 d4 d5"),
    ({"start_time": "", "end_time": "", "limit": "", "timezone": "", "calendar_id": "", "cursor": ""}, "d1 d2 d3 d4 d5"),
    ({"start_time": "2027-03-03T09:00:00Z"}, "d3 d4 d5"),
    ({"start_time": "2027-03-03T09:00:00.000001Z"}, "d4 d5"),
    ({"start_time": "2027-03-03T10:00:00+01:00"}, "d3 d4 d5"),
    ({"start_time": "2027-03-03T09:00:01Z"}, "d4 d5"),
    ({"end_time": "2027-03-03T09:30:00Z"}, "d1 d2 d3"),
    ({"end_time": "2027-03-03T10:30:00+01:00"}, "d1 d2 d3"),
    ({"end_time": "2027-03-03T09:29:59Z"}, "d1 d2"),
    ({"start_time": "2027-03-02T00:00:00Z", "end_time": "2027-03-04T00:00:00Z"}, "d2 d3"),
    ({"start_time": "2027-03-02T09:29:59Z", "end_time": "2027-03-04T09:00:01Z"}, "d2 d3 d4"),
    ({"start_time": "2027-03-02T09:30:00Z", "end_time": "2027-03-04T09:00:00Z"}, "d3"),
    ({"limit": "2"}, "d1 d2"),
    ({"limit": "1000"}, "d1 d2 d3 d4 d5"),
    ({"limit": "2", "nobody_knows": "this", "start_date": "x"}, "d1 d2"),
])
def test_which_events(week, query, wanted):
    assert subjects(events(week, **query)) == wanted.split()


def test_answer_has_its_four_members(week):
    body = events(week).body
    assert set(body) == {"success", "message", "events", "next_cursor"}
    assert body["success"] is True and body["next_cursor"] is None


def test_empty_mailbox(person):
    answer = events(person().connect())
    assert subjects(answer) == [] and answer.body["next_cursor"] is None


def test_both_times_expand_series_and_one_time_does_not(person):
    someone = person().connect()
    put(someone, event("series", 2, recurrence=DAILY))
    answer = events(someone, **SPAN)
    assert subjects(answer) == ["series"] * 4
    assert {found["type"] for found in answer.body["events"]} == {"occurrence"}
    assert asked(someone)[-1]["path"].endswith("/calendarView")
    answer = events(someone, start_time=SPAN["start_time"])
    assert [found["type"] for found in answer.body["events"]] == ["seriesMaster"]
    assert asked(someone)[-1]["path"].endswith("/events")


@pytest.mark.parametrize("query", [{}, SPAN, {"start_time": SPAN["start_time"]}])
@pytest.mark.parametrize("zone, wanted", [
    (None, "2027-03-01T09:00:00"), ("UTC", "2027-03-01T09:00:00"), ("Europe/Berlin", "2027-03-01T10:00:00"),
    ("W. Europe Standard Time", "2027-03-01T10:00:00"), ("America/Argentina/Buenos_Aires", "2027-03-01T06:00:00"),
    ("Central Standard Time (Mexico)", "2027-03-01T03:00:00"), ("Etc/GMT+12", "2027-02-28T21:00:00"),
])
def test_timezone_of_the_answer(person, query, zone, wanted):
    someone = person().connect()
    put(someone, event("one", 1))
    answer = events(someone, **query, **({"timezone": zone} if zone else {}))
    assert subjects(answer) == ["one"]
    start = answer.body["events"][0]["start"]
    assert (start["dateTime"][:19], start["timeZone"]) == (wanted, zone or "UTC")


def test_timezone_is_asked_for_on_every_page(person):
    someone = person().connect()
    fill(someone, 105)
    answer = events(someone, limit=105, timezone="Asia/Tokyo")
    assert {found["start"]["timeZone"] for found in answer.body["events"]} == {"Asia/Tokyo"}
    assert len(asked(someone)) > 1


def test_zone_that_microsoft_does_not_know(week):
    body = is_problem(events(week, timezone="Europe/Atlantis"), 400, "microsoft_rejected")
    assert body["microsoft_code"] == "TimeZoneNotSupportedException"


@pytest.mark.parametrize("limit, wanted, more", [
    (None, 100, True), (1, 1, True), (99, 99, True), (100, 100, True), (101, 101, True), (119, 119, True),
    (120, 120, False), (121, 120, False), (1000, 120, False)])
def test_limit_over_graphs_pages(full, limit, wanted, more):
    someone, names = full
    answer = events(someone, **({"limit": limit} if limit else {}))
    assert subjects(answer) == names[:wanted]
    assert bool(answer.body["next_cursor"]) is more


@pytest.fixture(scope="module")
def _full():
    return {}


@pytest.fixture
def full(person, realm, _full):
    """Somebody with 120 events, and their names."""
    if realm.name not in _full:
        someone = person().connect()
        _full[realm.name] = someone, fill(someone, 120)
    return _full[realm.name]


def test_calendar_id(person):
    someone = person().connect()
    other = someone.stack.sim.add_calendar(someone.user, "Other", id="AAMk/Other+calendar/id==")["id"]
    put(someone, event("first"), event("second", calendar=other))
    assert subjects(events(someone)) == ["first"]
    for query in ({}, SPAN, {"start_time": SPAN["start_time"]}, {"end_time": SPAN["end_time"]}):
        assert subjects(events(someone, calendar_id=other, **query)) == ["second"]
        assert asked(someone)[-1]["path"].startswith("/v1.0/me/calendars/AAMk%2FOther%2Bcalendar%2Fid%3D%3D/")
    body = is_problem(events(someone, calendar_id="AAMkADk3NoSuchCalendar=="), 404, "not_found")
    assert body["microsoft_code"] == "ErrorItemNotFound"


@pytest.mark.parametrize("query, wanted", [
    ({"start_time": "yesterday"}, ["start_time"]),
    ({"start_time": "2027-03-01"}, ["start_time"]),
    ({"start_time": "2027-03-01T09:00:00"}, ["start_time"]),
    ({"start_time": "2027-02-30T09:00:00Z"}, ["start_time"]),
    ({"start_time": "2027-03-01T09:00:00Z'"}, ["start_time"]),
    ({"end_time": "2027-03-01T24:00:00Z"}, ["end_time"]),
    ({"end_time": "2027-03-01T09:00:00Z or 1 eq 1"}, ["end_time"]),
    ({"start_time": SPAN["end_time"], "end_time": SPAN["start_time"]}, ["end_time"]),
    *[({"limit": bad}, ["limit"]) for bad in ("0", "-1", "1001", "ten", "1.5", "1e2", " 5", "99999999999999999999")],
    *[({"timezone": bad}, ["timezone"]) for bad in ("a" * 65, 'UTC", odata.maxpagesize="1', "Zürich", "a\r\nb")],
    *[({"calendar_id": bad}, ["calendar_id"]) for bad in (".", "..", "a\nb", "x" * 5000)],
    ({"start_time": "x", "end_time": "y", "limit": "z", "timezone": "ä", "calendar_id": ".."},
     ["start_time", "end_time", "calendar_id", "timezone", "limit"]),
])
def test_faults_of_the_query(person, query, wanted):
    assert sorted(fields(events(person().log_in(), **query))) == sorted(wanted)


def test_longest_timezone_is_passed_on(connected):
    is_problem(events(connected, timezone="A" * 64), 400, "microsoft_rejected")
    assert "A" * 64 in last_sent(connected, "GET")["headers"]["prefer"]


@pytest.mark.parametrize("query", ["start_time=%zz", "limit=%ff", "timezone=%2", "calendar_id=a%00b"])
def test_query_that_cannot_be_decoded(person, query):
    is_problem(cal(person().log_in(), "GET", f"/events?{query}"), 422, "validation_failed")


def test_plus_of_an_offset_that_nobody_encoded(week):
    assert subjects(cal(week, "GET", "/events?start_time=2027-03-03T10:00:00+01:00")) == ["d3", "d4", "d5"]


def test_events_are_unchanged(person):
    someone = person().connect()
    put(someone, event("naïve \"café\" \\ ☕ 𝒳 \u2028 </script>", attendees=[{"emailAddress": {"address": "a@example.org"}}]),
        event("with\ttab and \u0001 control", 3, body={"contentType": "text", "content": "line\r\nline\\n"}))
    for query, path in (({}, "/me/events?$orderby=start/dateTime"),
                        (SPAN, "/me/calendarView?startDateTime=2027-03-01&endDateTime=2027-03-08&$orderby=start/dateTime")):
        assert events(someone, **query).body["events"] == graph(someone, path)["value"]


ODD = ('{"id":"x","subject":"\\u0041\\ud83d\\ude00\\/","big":123456789012345678901234567890,"small":1.10e-5,'
       '"deep":{"a":[[[1,{"b":null}]]]},"zero":0.0,"empty":"","\\u00e9":true,"nul":"a\\u0000b"}')


def test_values_stay_what_they_were_to_the_byte(connected, sim):
    sim.fault("malformed", "graph", user=connected.user, body='{ "value" : [ ' + ODD + ", " + ODD + " ] }")
    answer = events(connected)
    assert answer.status == 200, answer
    for word in ("123456789012345678901234567890", "1.10e-5", "0.0"):
        assert answer.text.count(word) == 2
    assert answer.body["events"] == [json.loads(ODD)] * 2


@pytest.mark.parametrize("kind", ["next_circle", "next_foreign"])
def test_pages_that_lead_nowhere(full, sim, kind):
    someone, _ = full
    rest = {"location": sim.http + "/v1.0/me/events?stolen=1"} if kind == "next_foreign" else {}
    before = len(asked(someone))
    sim.fault(kind, "graph", user=someone.user, count=None, **rest)
    is_problem(events(someone, limit=110), 502, "microsoft_unavailable")
    is_problem(events(someone, limit=5), 502, "microsoft_unavailable")
    assert len(asked(someone)) - before <= 4
    # Another scheme and port is another host: it is not even asked without a token.
    assert not [call for call in sim.requests() if "stolen" in call.get("raw_query", "")]
