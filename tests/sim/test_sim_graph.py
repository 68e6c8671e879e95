# SPDX-License-Identifier: MIT
"""Graph's calendar."""

import datetime as dt
from urllib.parse import quote, urlsplit

import pytest
from sim.microsoft import recurrence, zones

UTC7 = ".0000000"


def weekly(start, **more):
    return {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], **more.pop("pattern", {})},
            "range": {"type": "noEnd", "startDate": start, **more}}


def test_an_event_comes_back_as_graph_would_send_it(site):
    body = {"contentType": "HTML", "content": "Agenda<script>x()</script>"}
    event = site.create("2027-03-01T14:00:00", "2027-03-01T14:30:00.5", "W. Europe Standard Time", subject="Intake", body=body,
                        location={"displayName": "Room 4"}, attendees=[{"emailAddress": {"address": "a@example.org"}, "type": "Optional"}])
    assert event["start"] == {"dateTime": "2027-03-01T13:00:00" + UTC7, "timeZone": "UTC"}
    assert event["end"]["dateTime"] == "2027-03-01T13:30:00.5000000"
    assert event["originalStartTimeZone"] == "W. Europe Standard Time" and event["type"] == "singleInstance"
    assert event["@odata.etag"] == f'W/"{event["changeKey"]}"' and event["bodyPreview"] == "Agenda"
    assert event["body"]["content"].startswith("<html>\r\n<head>") and "<script" not in event["body"]["content"]
    assert event["attendees"][0]["type"] == "optional" and event["attendees"][0]["emailAddress"]["name"] == "a@example.org"
    assert event["locations"][0]["displayName"] == "Room 4" and quote(event["id"], safe="") in event["webLink"]
    assert "transactionId" not in event and event["isOnlineMeeting"] is False
    path = f"/me/events/{quote(event['id'], safe='')}"
    status, headers, again = site.graph("GET", path, prefer='outlook.body-content-type="text", outlook.timezone="Asia/Tokyo"')
    assert status == 200 and again["body"] == {"contentType": "text", "content": "Agenda"}
    assert again["start"] == {"dateTime": "2027-03-01T22:00:00" + UTC7, "timeZone": "Asia/Tokyo"}
    assert headers["Preference-Applied"] == 'outlook.body-content-type="text", outlook.timezone="Asia/Tokyo"'


def test_headers(site):
    _, headers, _ = site.graph("GET", "/me", headers={"client-request-id": "abc-1"})
    assert headers["client-request-id"] == "abc-1" and len(headers["request-id"]) == 36
    status, headers, body = site.graph("GET", "/me/nothing", headers={"client-request-id": "abc-2"})
    assert body["error"]["innerError"]["client-request-id"] == "abc-2"
    assert body["error"]["innerError"]["request-id"] == headers["request-id"]


def test_me_and_select(site):
    assert set(site.graph("GET", "/me")[2]) == {
        "@odata.context", "businessPhones", "displayName", "givenName", "id", "jobTitle", "mail", "mobilePhone", "officeLocation",
        "preferredLanguage", "surname", "userPrincipalName"}
    assert set(site.graph("GET", "/me?$select=id,mail")[2]) == {"@odata.context", "id", "mail"}


@pytest.mark.parametrize("base", ["/me/events", "/me/calendar/events", "/me/calendars/{id}/events"])
def test_life_of_an_event_at_every_place(site, base):
    base = base.format(id=quote(site.graph("GET", "/me/calendar")[2]["id"], safe=""))
    event = site.create(path=base)
    path = f"{base}/{quote(event['id'], safe='')}"
    changed = site.graph("PATCH", path, {"subject": "y"})[2]
    assert changed["subject"] == "y" and changed["@odata.etag"] != event["@odata.etag"] and changed["id"] == event["id"]
    assert site.graph("GET", base)[2]["value"][0]["subject"] == "y"
    assert site.graph("DELETE", path)[0] == 204
    assert site.refused("DELETE", path) == site.refused("GET", path) == (404, "ErrorItemNotFound")


def test_ids_are_awkward_and_case_sensitive(site):
    ids = [site.create()["id"] for _ in range(6)]
    assert any("/" in item and "+" in item for item in ids) and any("-" in item and "_" in item for item in ids)
    for item in ids:
        assert site.graph("GET", f"/me/events/{quote(item, safe='')}")[0] == 200
    assert site.refused("GET", f"/me/events/{quote(ids[0].swapcase(), safe='')}")[0] == 404
    assert site.refused("GET", "/me/events/short") == (400, "ErrorInvalidIdMalformed")
    awkward = next(item for item in ids if "/" in item)
    assert site.refused("GET", f"/me/events/{awkward}") == (400, "BadRequest")


def test_paging_follows_verbatim(site):
    for number in range(23):
        site.create(subject=f"e{number:02}")
    status, _, page = site.graph("GET", "/me/events", **{"$orderby": "subject desc"})
    assert status == 200 and len(page["value"]) == 10 and "%24skip=10" in page["@odata.nextLink"]
    seen = [event["subject"] for event in page["value"]]
    while "@odata.nextLink" in page:
        assert urlsplit(page["@odata.nextLink"]).netloc == urlsplit(site.sim.http).netloc
        page = site.graph("GET", page["@odata.nextLink"])[2]
        seen += [event["subject"] for event in page["value"]]
    assert seen == [f"e{number:02}" for number in reversed(range(23))]
    assert [event["subject"] for event in site.graph("GET", "/me/events?$top=1000")[2]["value"]] != sorted(seen)
    sized = site.graph("GET", "/me/events", prefer="odata.maxpagesize=15")
    assert len(sized[2]["value"]) == 15 and sized[1]["Preference-Applied"] == "odata.maxpagesize=15"
    assert len(site.graph("GET", "/me/events?%24top=7&%24skip=20&$count=true")[2]["value"]) == 3


@pytest.mark.parametrize("text, found", [
    ("start/dateTime ge '2027-03-01T10:00:00Z'", "abc"), ("start/dateTime gt '2027-03-01T10:00:00'", "bc"),
    ("end/dateTime le '2027-03-01T12:00:00.0000000'", "ab"), ("end/dateTime lt '2027-03-01T13:00:00+01:00'", "a"),
    ("start/dateTime ge '2027-03-01T10:30:00' and end/dateTime le '2027-03-01T12:00:00'", "b"), ("start/dateTime eq '2027-03-01T12:00:00'", "c"),
    ("(start/dateTime ge '2027-03-01T11:00:00') and (subject eq 'c')", "c")])
def test_filter(site, text, found):
    for hour, name in ((10, "a"), (11, "b"), (12, "c")):
        site.create(f"2027-03-01T{hour}:00:00", f"2027-03-01T{hour + 1}:00:00", subject=name)
    events = site.graph("GET", "/me/events", **{"$filter": text, "$orderby": "start/dateTime", "$select": "subject"})[2]["value"]
    assert "".join(event["subject"] for event in events) == found
    assert set(events[0]) == {"@odata.etag", "id", "subject"}


@pytest.mark.parametrize("query", [
    "$top=0", "$top=1001", "$top=x", "$skip=-1", "$search=x", "$expand=x", "$orderby=colour", "$orderby=subject up", "$select=nothing",
    "$filter=start/dateTime ge 2027-03-01", "$filter=start/dateTime ge '2027'", "$filter=a eq 'b'", "$filter=subject eq 'a' or subject eq 'b'",
    "$filter=subject eq 'a' and", "$filter=(subject eq 'a'", "$top=1&$top=2", "$unknown=1", "$count=maybe"])
def test_bad_options(site, query):
    assert site.refused("GET", "/me/events?" + query.replace(" ", "%20"))[0] == 400


@pytest.mark.parametrize("query, code", [
    ("", "ErrorInvalidParameter"), ("startDateTime=2027-01-01", "ErrorInvalidParameter"),
    ("startDateTime=x&endDateTime=2027-01-01", "ErrorInvalidParameter"),
    ("startDateTime=2027-01-01T00:00:00+01:00&endDateTime=2027-01-02", "ErrorInvalidParameter"),
    ("startDateTime=2027-01-02&endDateTime=2027-01-01", "ErrorInvalidParameter"),
    ("startDateTime=2027-01-01&endDateTime=2032-01-01", "ErrorInvalidRequest")])
def test_bad_windows(site, query, code):
    assert site.refused("GET", f"/me/calendarView?{query}") == (400, code)


def test_view_window_and_offset(site):
    site.create("2027-03-01T10:00:00", "2027-03-01T11:00:00")
    for start, end, count in (("2027-03-01T11:00:00Z", "2027-03-01T12:00:00Z", 0), ("2027-03-01T09:00:00", "2027-03-01T10:00:00", 0),
                              ("2027-03-01T11:30:00+01:00", "2027-03-01T11:45:00+01:00", 1), ("2026-03-02", "2031-03-01", 1)):
        assert len(site.view(start, end)) == count, (start, end)


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "W. Europe Standard Time", "America/New_York", "Eastern Standard Time"])
def test_weekly_series_keeps_its_wall_time_over_dst(site, zone):
    """Monday 09:00 before and after the change of the clocks."""
    site.create("2027-03-01T09:00:00", "2027-03-01T10:00:00", zone, recurrence=weekly("2027-03-01", endDate="2027-04-12", type="endDate"))
    events = site.view("2027-03-01T00:00:00Z", "2027-05-01T00:00:00Z", prefer=f'outlook.timezone="{zone}"')
    assert [event["start"]["dateTime"][:16] for event in events] == [
        f"{dt.date(2027, 3, 1) + dt.timedelta(weeks=n)}T09:00" for n in range(7)]
    utc = {event["start"]["dateTime"][11:13] for event in site.view("2027-03-01T00:00:00Z", "2027-05-01T00:00:00Z")}
    assert utc == ({"08", "07"} if "Europe" in zone else {"14", "13"})
    assert {event["type"] for event in events} == {"occurrence"}
    assert len({event["id"] for event in events}) == len({event["iCalUId"] for event in events}) == 7


def test_a_time_that_dst_skips_moves_forward(site):
    event = site.create("2027-03-28T02:30:00", "2027-03-28T03:30:00", "Europe/Amsterdam")
    assert (event["start"]["dateTime"][:16], event["end"]["dateTime"][:16]) == ("2027-03-28T01:30", "2027-03-28T01:30")


@pytest.mark.parametrize("pattern, span, expected", [
    ({"type": "daily", "interval": 3}, {"type": "numbered", "numberOfOccurrences": 3}, ["01-31", "02-03", "02-06"]),
    ({"type": "weekly", "interval": 2, "daysOfWeek": ["sunday", "tuesday"]}, {"type": "numbered", "numberOfOccurrences": 4},
     ["01-31", "02-02", "02-14", "02-16"]),
    ({"type": "weekly", "interval": 2, "daysOfWeek": ["sunday", "tuesday"], "firstDayOfWeek": "monday"},
     {"type": "numbered", "numberOfOccurrences": 4}, ["01-31", "02-09", "02-14", "02-23"]),
    ({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31}, {"type": "endDate", "endDate": "2027-04-30"},
     ["01-31", "02-28", "03-31", "04-30"]),
    ({"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["friday"], "index": "last"}, {"type": "endDate", "endDate": "2027-04-01"},
     ["02-26", "03-26"]),
    ({"type": "relativeMonthly", "interval": 2, "daysOfWeek": ["monday", "tuesday"], "index": "second"},
     {"type": "numbered", "numberOfOccurrences": 2}, ["03-02", "05-04"]),
    ({"type": "absoluteYearly", "interval": 1, "dayOfMonth": 29, "month": 2}, {"type": "numbered", "numberOfOccurrences": 2}, ["02-28", "02-29"]),
    ({"type": "relativeYearly", "interval": 1, "daysOfWeek": ["sunday"], "month": 3}, {"type": "numbered", "numberOfOccurrences": 2},
     ["03-07", "03-05"])])
def test_expansion(pattern, span, expected):
    checked = recurrence.check({"pattern": pattern, "range": {"startDate": "2027-01-31", **span}}, dt.date(2027, 1, 31), "UTC")
    assert [date.isoformat()[5:] for date in recurrence.dates(checked)] == expected


@pytest.mark.parametrize("broken", [
    {"pattern": {}, "range": {}}, {"pattern": {"type": "weekly", "interval": 1}, "range": {"type": "noEnd", "startDate": "2027-03-01"}},
    weekly("2027-03-02"), weekly("2027-03-01", type="endDate"), weekly("2027-03-01", pattern={"interval": 0}),
    weekly("2027-03-01", pattern={"daysOfWeek": ["someday"]}), weekly("2027-03-01", type="numbered", numberOfOccurrences=1.5), "weekly"])
def test_bad_recurrence(site, broken):
    body = {"start": {"dateTime": "2027-03-01T09:00:00"}, "end": {"dateTime": "2027-03-01T10:00:00"}, "recurrence": broken}
    assert site.refused("POST", "/me/events", body)[0] == 400


def test_series_exception_and_cancelled_occurrence(site):
    series = site.create("2027-03-01T09:00:00", "2027-03-01T10:00:00", recurrence=weekly("2027-03-01"))
    assert series["type"] == "seriesMaster" and series["recurrence"]["pattern"]["dayOfMonth"] == 0
    assert series["recurrence"]["range"]["endDate"] == "0001-01-01"
    window = ("2027-03-01T00:00:00Z", "2027-03-29T00:00:00Z")
    first, second, third, fourth = site.view(*window)
    path = "/me/events/{}".format
    assert site.graph("PATCH", path(quote(second["id"])), {"start": {"dateTime": "2027-03-09T15:00:00"}, "end": {"dateTime": "2027-03-09T16:00:00"},
                                                           "subject": "moved"})[2]["type"] == "exception"
    assert site.refused("PATCH", path(quote(third["id"])), {"start": {"dateTime": "2027-04-15T15:00:00"}, "end": {
        "dateTime": "2027-04-15T16:00:00"}}) == (400, "ErrorOccurrenceCrossingBoundary")
    assert site.graph("DELETE", path(quote(fourth["id"])))[0] == 204
    shown = [(event["type"], event["subject"], event["originalStart"][:10]) for event in site.view(*window)]
    assert shown == [("occurrence", "x", "2027-03-01"), ("exception", "moved", "2027-03-08"), ("occurrence", "x", "2027-03-15")]
    assert [event["type"] for event in site.graph("GET", "/me/events")[2]["value"]] == ["seriesMaster"]
    assert len(site.graph("GET", f"/me/events/{quote(series['id'], safe='')}/instances?startDateTime=2027-03-01&endDateTime=2027-03-20")[2]["value"]) == 3
    assert site.graph("DELETE", path(quote(series["id"], safe="")))[0] == 204 and site.view(*window) == []
    assert first["seriesMasterId"] == series["id"]


def test_all_day_floats(site):
    event = site.create("2027-03-01T00:00:00", "2027-03-03T00:00:00", "Asia/Tokyo", isAllDay=True)
    for zone in ("UTC", "America/New_York", "Asia/Tokyo"):
        shown = site.graph("GET", f"/me/events/{quote(event['id'], safe='')}", prefer=f'outlook.timezone="{zone}"')[2]
        assert (shown["start"]["dateTime"][:16], shown["end"]["dateTime"][:16]) == ("2027-03-01T00:00", "2027-03-03T00:00")
    assert len(site.view("2027-03-02T23:00:00Z", "2027-03-03T00:00:00Z")) == 1
    assert site.view("2027-02-28T12:00:00Z", "2027-03-01T00:00:00Z") == []


def time_of(text, zone="UTC"):
    return {"dateTime": text, "timeZone": zone}


DAY = {"isAllDay": True, "start": time_of("2027-03-01T00:00:00"), "end": time_of("2027-03-02T00:00:00")}
HOUR = {"start": time_of("2027-03-01T10:00:00"), "end": time_of("2027-03-01T11:00:00")}


@pytest.mark.parametrize("body, code", [
    ({**DAY, "start": time_of("2027-03-01T10:00:00")}, "ErrorInvalidRequest"), ({**DAY, "end": DAY["start"]}, "ErrorInvalidRequest"),
    ({**DAY, "end": time_of("2027-03-02T00:00:00", "Asia/Tokyo")}, "ErrorInvalidRequest"),
    ({**HOUR, "subject": 7}, "RequestBodyRead"), ({**HOUR, "isAllDay": "yes"}, "RequestBodyRead"), ({**HOUR, "colour": "red"}, "RequestBodyRead"),
    ({**HOUR, "reminderMinutesBeforeStart": "15"}, "RequestBodyRead"), ({**HOUR, "showAs": "asleep"}, "RequestBodyRead"),
    ({**HOUR, "attendees": "a@example.org"}, "RequestBodyRead"), ({**HOUR, "attendees": [{"address": "x"}]}, "RequestBodyRead"),
    ({**HOUR, "body": "text"}, "RequestBodyRead"), ({**HOUR, "start": "2027-03-01T10:00:00"}, "RequestBodyRead"),
    ({**HOUR, "subject": "x" * 256}, "ErrorPropertyValidationFailure"), ({"start": HOUR["start"]}, "ErrorPropertyValidationFailure"),
    ({**HOUR, "end": time_of("2027-03-01T09:00:00")}, "ErrorPropertyValidationFailure"),
    ({**HOUR, "start": time_of("2027-03-01T10:00:00+01:00")}, "ErrorInvalidRequest"), ({**HOUR, "start": time_of("soon")}, "ErrorInvalidRequest"),
    ({**HOUR, "start": time_of("2027-02-30T10:00:00")}, "ErrorInvalidRequest"),
    ({**HOUR, "start": time_of("2027-03-01T10:00:00", "Mars/Olympus")}, "TimeZoneNotSupportedException"),
    ({**HOUR, "attendees": [{"emailAddress": {"address": f"a{n}@example.org"}} for n in range(501)]}, "ErrorInvalidRequest"),
    ("{", "BadRequest"), ("[]", "BadRequest"), ("", "BadRequest")])
def test_bad_events(site, body, code):
    assert site.refused("POST", "/me/events", body) == (400, code)


def test_bodies_need_a_content_type(site):
    assert site.refused("POST", "/me/events", HOUR, headers={"Content-Type": "text/plain"}) == (400, "RequestBodyRead")


@pytest.mark.parametrize("zone", ["Nowhere/City", "../../etc/passwd", ""])
def test_unknown_zone_is_refused(site, zone):
    assert site.refused("GET", "/me/events", prefer=f'outlook.timezone="{zone}"') == (400, "TimeZoneNotSupportedException")


def test_every_windows_zone_is_known():
    assert len(zones.WINDOWS) >= 40 and all(zones.find(name) for name in zones.WINDOWS)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_if_match(site, method):
    event = site.create()
    path, body = f"/me/events/{quote(event['id'], safe='')}", {"subject": "z"} if method == "PATCH" else None
    site.graph("PATCH", path, {"subject": "y"})
    assert site.refused(method, path, body, headers={"If-Match": event["@odata.etag"]}) == (412, "ErrorIrresolvableConflict")
    now = site.graph("GET", path)[2]["@odata.etag"]
    assert site.graph(method, path, body, headers={"If-Match": now})[0] in (200, 204)


def test_transaction_id(site):
    once, twice = (site.create(transactionId="t-1", attendees=[{"emailAddress": {"address": "a@example.org"}}]) for _ in range(2))
    assert once["id"] == twice["id"] and once["transactionId"] == "t-1" and len(site.sim.events(site.user)) == 1
    assert len(site.sim.mails(site.user)) == 1
    path = f"/me/events/{quote(once['id'], safe='')}"
    assert site.refused("PATCH", path, {"transactionId": "t-2"})[0] == 400
    site.graph("DELETE", path)
    assert site.create(transactionId="t-1")["id"] != once["id"]


def test_attendees_replace_and_mail_only_the_new(site):
    event = site.create(attendees=[{"emailAddress": {"address": "a@example.org"}}])
    added = [{"emailAddress": {"address": address}} for address in ("a@example.org", "b@example.org")]
    path = f"/me/events/{quote(event['id'], safe='')}"
    assert len(site.graph("PATCH", path, {"attendees": added})[2]["attendees"]) == 2
    site.graph("DELETE", path)
    assert [(mail["kind"], mail["to"]) for mail in site.sim.mails(site.user)] == [
        ("invitation", ["a@example.org"]), ("update", ["b@example.org"]), ("cancellation", ["a@example.org", "b@example.org"])]


def test_immutable_ids(site):
    event = site.create()
    other = site.graph("GET", "/me/events", prefer='IdType="ImmutableId"')[2]["value"][0]["id"]
    assert other != event["id"] and site.graph("GET", f"/me/events/{quote(other, safe='')}")[2]["id"] == event["id"]


@pytest.mark.parametrize("provider, joins", [("teamsForBusiness", True), ("skypeForConsumer", False), (None, True)])
def test_online_meetings(site, provider, joins):
    event = site.create(isOnlineMeeting=True, **({"onlineMeetingProvider": provider} if provider else {}))
    assert event["isOnlineMeeting"] is joins and bool(event["onlineMeeting"]) is joins
    if joins:
        path = f"/me/events/{quote(event['id'], safe='')}"
        assert event["onlineMeeting"]["joinUrl"].startswith("https://teams.microsoft.com/")
        assert site.graph("PATCH", path, {"isOnlineMeeting": False})[2]["isOnlineMeeting"] is True
        window = "/me/calendarView?startDateTime=2027-03-01&endDateTime=2027-03-02&$select=onlineMeeting"
        assert "onlineMeeting" not in site.graph("GET", window)[2]["value"][0]
        assert "onlineMeeting" in site.graph("GET", window + ",isOnlineMeeting")[2]["value"][0]


def test_calendars(site):
    status, _, made = site.graph("POST", "/me/calendars", {"name": "Trips", "color": "LightGreen"})
    assert status == 201 and made["color"] == "lightGreen" and made["isDefaultCalendar"] is False
    assert site.refused("POST", "/me/calendars", {"name": "trips"}) == (409, "ErrorFolderExists")
    path = f"/me/calendars/{quote(made['id'], safe='')}"
    assert site.graph("PATCH", path, {"name": "Journeys"})[2]["name"] == "Journeys"
    event = site.create(path=f"{path}/events")
    event_path = f"/me/events/{quote(event['id'], safe='')}"
    assert site.graph("GET", "/me/events")[2]["value"] == [] and site.graph("GET", event_path)[0] == 200
    assert len(site.graph("GET", f"{path}/calendarView?startDateTime=2027-03-01&endDateTime=2027-03-02")[2]["value"]) == 1
    assert [item["name"] for item in site.graph("GET", "/me/calendars")[2]["value"]] == ["Calendar", "Journeys"]
    assert site.graph("DELETE", path)[0] == 204 and site.refused("GET", event_path) == (404, "ErrorItemNotFound")
    default = site.graph("GET", "/me/calendar")[2]
    assert default["isDefaultCalendar"] and site.refused("DELETE", f"/me/calendars/{quote(default['id'], safe='')}")[0] == 400


def test_a_calendar_that_is_only_shared_for_reading(site):
    shared = site.sim.add_calendar(site.user, "Head's", can_edit=False, owner={"name": "Noor Vos", "address": "noor@example.com"})
    path = f"/me/calendars/{quote(shared['id'], safe='')}/events"
    assert site.graph("GET", path)[0] == 200 and site.refused("POST", path, HOUR) == (403, "ErrorAccessDenied")


@pytest.mark.parametrize("scopes, method, path, body, expected", [
    (["Calendars.Read"], "GET", "/me/events", None, 200), (["Calendars.Read"], "POST", "/me/events", HOUR, 403),
    (["Calendars.Read"], "GET", "/me", None, 403), (["User.Read"], "GET", "/me/events", None, 403), (["User.Read"], "GET", "/me", None, 200),
    (["Calendars.ReadBasic"], "GET", "/me/events", None, 200)])
def test_scopes(site, scopes, method, path, body, expected):
    site.token = site.sim.mint(site.user, scopes=scopes)["access_token"]
    assert site.graph(method, path, body)[0] == expected


def test_bad_tokens_and_mailboxes(site, tools):
    for header in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eA=="}):
        status, headers, body = tools.fetch("GET", f"{site.sim.http}/v1.0/me", header)
        assert (status, body["error"]["code"]) == (401, "InvalidAuthenticationToken") and headers["WWW-Authenticate"].startswith("Bearer ")
    site.graph("GET", "/me")
    assert site.sim.expire(site.user) == 1 and site.refused("GET", "/me") == (401, "InvalidAuthenticationToken")
    site.token = None
    site.sim.user(site.user, mailbox=False)
    assert site.refused("GET", "/me/events") == (404, "MailboxNotEnabledForRESTAPI")
    assert site.refused("PUT", "/me/events", {}) == (405, "Request_MethodNotAllowed")
