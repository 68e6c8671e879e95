# SPDX-License-Identifier: MIT
"""The page's week and its form, in a real browser, in both realms."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from selenium.webdriver.common.by import By

from browser import browsers, graph_event, monday, page, sent, signed_in, someone  # pylint: disable=unused-import

ZONES = ("Europe/Amsterdam", "America/Los_Angeles")
MARKUP = "<img src=x onerror=\"window.pwned=1\"><script>window.pwned=1</script>&amp;"


@pytest.mark.parametrize("page", ZONES, indirect=True)
def test_events_are_at_their_day_and_hour(page, someone, sim, request):
    zone = ZoneInfo(request.node.callspec.params["page"])
    sim.add_events(someone.user,
                   graph_event("Night call", 2, "01:30"), graph_event("Lesson", 3, "14:00", 90),
                   graph_event("Training", 1, "00:00", 1440, isAllDay=True),
                   graph_event("Camp", 3, "00:00", 2 * 1440, isAllDay=True), graph_event("Ferry", 4, "20:00", 600))
    wanted = {}

    def expect(day, words):
        wanted.setdefault(str(day), []).append(words)

    for day, name in ((1, "Training"), (3, "Camp"), (4, "Camp")):
        expect(monday() + timedelta(days=day), ("All day", name))
    for day, hour, minutes, name in ((2, "01:30", 60, "Night call"), (3, "14:00", 90, "Lesson"), (4, "20:00", 600, "Ferry")):
        start = datetime.fromisoformat(f"{monday() + timedelta(days=day)}T{hour}:00").replace(tzinfo=ZoneInfo(ZONES[0]))
        start, end = start.astimezone(zone), (start + timedelta(minutes=minutes)).astimezone(zone)
        if start.date() == end.date():
            expect(start.date(), (f"{start:%H:%M}–{end:%H:%M}", name))
        else:
            expect(start.date(), (f"From {start:%H:%M}", name))
            expect(end.date(), (f"Until {end:%H:%M}", name))
    page.sign_in(someone.user).show(monday())
    assert page.week() == wanted
    assert page.text("zone") == str(zone).replace("_", " ")
    # The form has the same clock, and an all-day event's last day.
    page.open_event("Lesson")
    assert page.at("form-timezone").get_attribute("value") == str(zone)
    page.click("form-cancel")
    page.open_event("Camp")
    assert page.at("form-end").get_attribute("value") == str(monday() + timedelta(days=4))


def test_weeks_and_calendars(signed_in, someone, sim):
    page, other = signed_in, sim.add_calendar(someone.user, f"Trips {MARKUP}")
    sim.add_calendar(someone.user, "Holidays", can_edit=False)
    series = {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["wednesday"], "firstDayOfWeek": "monday"},
              "range": {"type": "noEnd", "startDate": str(monday() + timedelta(days=-19))}}
    sim.add_events(someone.user, graph_event("Every week", -19, recurrence=series), graph_event("Next week", 7),
                   graph_event("Museum", 5, calendar=other["id"]))
    page.click("refresh")
    page.wait(lambda: page.subjects() == {"Every week"}, "this week")
    page.click("next-week")
    assert page.subjects() == {"Every week", "Next week"} and page.ready() == str(monday() + timedelta(days=7))
    page.click("today", "prev-week")
    assert page.subjects() == {"Every week"} and page.ready() == str(monday() + timedelta(days=-7))
    assert date.fromisoformat(page.ready()).strftime("%-d") in page.text("week-title")
    page.click("today")
    assert page.ready() == str(monday())

    options = {one.text: one for one in page.at("calendar-picker").find_elements(By.TAG_NAME, "option")}
    assert set(options) == {"Calendar", f"Trips {MARKUP}", "Holidays (read only)"}
    options[f"Trips {MARKUP}"].click()
    assert page.week() == {str(monday() + timedelta(days=5)): [("10:00–11:00", "Museum")]}
    page.click("new-event")
    page.fill(subject="Dunes")
    page.save()
    assert {one["calendar"] for one in sim.events(someone.user) if one["subject"] == "Dunes"} == {other["id"]}
    options["Holidays (read only)"].click()
    assert page.week() == {} and not page.shown("new-event")


def test_a_new_event_outside_the_week_is_shown_in_its_own(signed_in):
    page, other = signed_in, monday() + timedelta(days=16)
    page.click("new-event")
    page.fill(subject="Next month", start=f"{other}T10:00", end=f"{other}T11:00")
    page.save()
    page.wait(lambda: page.week() == {str(other): [("10:00–11:00", "Next month")]}, "the event's week")
    assert page.ready() == str(monday() + timedelta(days=14))


@pytest.mark.promise("attack/isolation", "Stored markup and javascript: links stay text on the page (Chromium)")
def test_strangers_markup_stays_text(page, someone, sim):
    sim.user(someone.user, name=MARKUP)
    sim.add_events(someone.user, graph_event(
        MARKUP, location={"displayName": MARKUP}, body={"contentType": "html", "content": MARKUP},
        overlay={"isOnlineMeeting": True, "onlineMeeting": {"joinUrl": "javascript:window.pwned=1"}, "webLink": "javascript:1"}))
    page.sign_in(someone.user)
    assert page.subjects() == {MARKUP} and page.text("whoami-name") == MARKUP
    page.open_event(MARKUP)
    assert page.at("form-subject").get_attribute("value") == MARKUP
    page.click("form-delete")
    assert MARKUP in page.text("confirm-text")
    assert page.js("return window.pwned ?? document.querySelectorAll('main img[src=\"x\"], main script, [href^=javascript]').length") == 0


# The form


def test_faults_are_told_beside_their_fields(signed_in, someone, sim):
    page = signed_in
    page.click("new-event")
    page.fill(subject="", start=f"{monday()}T10:00", end=f"{monday()}T09:00", attendees="good@example.org\nnot an address",
              reminder="soon")
    page.click("form-save")
    page.wait(lambda: page.text("error-subject"), "the subject's fault")
    for field in ("subject", "end", "attendees", "reminder_minutes"):
        control = page.at(f"form-{field.removesuffix('_minutes')}")
        assert page.text(f"error-{field}") and control.get_attribute("aria-invalid") == "true"
        assert f"error-{field}" in control.get_attribute("aria-describedby").split()
    assert page.text("error-location") == "" and page.js("return document.activeElement.id") == "form-subject"
    assert sent(sim, someone.user, "POST") == []
    page.fill(subject="All of it right", end=f"{monday()}T11:00", attendees="good@example.org", reminder="15")
    page.save()
    assert page.week() == {str(monday()): [("10:00–11:00", "All of it right")]}


def test_all_day_event(signed_in, someone, sim):
    page = signed_in
    page.click("new-event", "form-all-day")
    page.fill(subject="Fair", start=f"{monday()}", end=f"{monday() + timedelta(days=1)}")
    page.save()
    assert page.week() == {str(monday() + timedelta(days=day)): [("All day", "Fair")] for day in (0, 1)}
    body = sent(sim, someone.user, "POST")[-1]["body"]
    assert body["isAllDay"] and body["end"]["dateTime"].startswith(f"{monday() + timedelta(days=2)}T00:00:00")


def test_only_what_changed_is_sent(signed_in, someone, sim):
    page = signed_in
    sim.add_events(someone.user, graph_event(
        "Lesson", 2, attendees=[{"type": "required", "emailAddress": {"address": "a@example.org", "name": "A"}}],
        body={"contentType": "html", "content": "<p>Rich <b>text</b></p>"}, location={"displayName": "Lab"}))
    page.click("refresh")
    page.open_event("Lesson")
    page.fill(location="Room 4")
    page.save()
    change = sent(sim, someone.user, "PATCH")[-1]
    assert change["body"] == {"location": {"displayName": "Room 4"}} and change["headers"]["if-match"]
    page.open_event("Lesson")
    page.fill(start=f"{monday() + timedelta(days=2)}T12:15")
    page.save()
    change = sent(sim, someone.user, "PATCH")[-1]
    assert set(change["body"]) == {"start", "end"}
    # The end moved along with the start.
    assert page.week() == {str(monday() + timedelta(days=2)): [("12:15–13:15", "Lesson")]}
    page.open_event("Lesson")
    page.click("form-save")
    page.says("Nothing was changed.")
    assert len(sent(sim, someone.user, "PATCH")) == 2


def test_event_that_changed_elsewhere(signed_in, someone, sim):
    page = signed_in
    event = sim.add_events(someone.user, graph_event("First words"))[0]
    page.click("refresh")
    page.open_event("First words")
    someone.sign_in()
    assert someone.cal("PATCH", f"/events/{event['id']}", {"subject": "Theirs", "location": "Attic"}).status == 200
    page.fill(subject="Mine")
    page.click("form-save")
    page.says("changed elsewhere", "form-summary")
    assert sim.events(someone.user)[0]["subject"] == "Theirs"
    page.click("form-reload")
    page.wait(lambda: page.at("form-subject").get_attribute("value") == "Theirs", "the latest version")
    assert page.at("form-location").get_attribute("value") == "Attic" and not page.shown("form-summary")
    page.fill(subject="Mine")
    page.save()
    assert page.subjects() == {"Mine"}
    # Deleted elsewhere: said, and gone from the week.
    page.open_event("Mine")
    sim.drop_events(someone.user)
    page.click("form-delete", "confirm-yes")
    page.wait(lambda: page.week() == {}, "the week is empty")
    assert page.text("status")


def test_microsoft_away(signed_in, someone, sim):
    page = signed_in
    sim.fault("status", "graph", count=None, user=someone.user, code="TooManyRequests", retry_after=30)
    page.click("next-week")
    page.says("Try again in")
    assert page.ready() and page.week() == {}
    sim.clear_faults()
    page.click("refresh")
    page.wait(lambda: page.text("status") == "", "the sentence is gone")
