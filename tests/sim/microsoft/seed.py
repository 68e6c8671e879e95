# SPDX-License-Identifier: MIT
"""The demo's fortnight: what two teachers' calendars might hold this week and the next."""

import datetime as dt

from . import event_edit, zones

# (user, calendar or None, subject, weekday 0-13 counted from this week's Monday, start, minutes, zone or None, more)
AMSTERDAM = "W. Europe Standard Time"
LONDON = "Europe/London"
NEW_YORK = "Eastern Standard Time"


def _people(*names: str) -> dict:
    return {"attendees": [{"type": "required", "emailAddress": {"name": name, "address": address}}
                          for name, address in (text.split(" <") for text in names) for address in [address.rstrip(">")]]}


def _place(name: str) -> dict:
    return {"location": {"displayName": name}}


def _note(text: str) -> dict:
    return {"body": {"contentType": "html", "content": f"<p>{text}</p>"}}


_ONLINE = {"isOnlineMeeting": True, "onlineMeetingProvider": "teamsForBusiness"}

TIMED = [
    ("sam", None, "Intake call with Mia's parents", 0, "13:30", 30, AMSTERDAM,
     {**_ONLINE, **_people("Noor Vos <noor@example.com>", "Jo de Boer <jo.deboer@example.org>"), **_note("Questions about the trial week.")}),
    ("sam", None, "Physics practical 3B", 1, "10:15", 100, AMSTERDAM, {**_place("Lab 2"), **_note("Bring the <b>air track</b>.")}),
    ("sam", None, "Exchange planning with Leeds", 2, "15:00", 45, LONDON,
     {**_ONLINE, **_people("Pat Howe <pat.howe@leeds.example.org>")}),
    ("sam", None, "Lunch with Noor", 3, "12:30", 45, AMSTERDAM, {**_place("Canteen"), "showAs": "tentative"}),
    ("sam", None, "Parents' evening", 8, "19:00", 150, AMSTERDAM, {**_place("Hall"), "reminderMinutesBeforeStart": 60}),
    ("sam", None, "Webinar: formative assessment", 9, "11:00", 60, NEW_YORK, {**_ONLINE, "showAs": "workingElsewhere"}),
    ("sam", None, "Mark test papers", 10, "14:00", 120, AMSTERDAM, {"sensitivity": "private", "isReminderOn": False}),
    ("sam", "Field trips", "Science museum, class 2A", 4, "09:00", 360, AMSTERDAM,
     {**_place("Science museum"), **_people("Noor Vos <noor@example.com>")}),
    ("sam", "Field trips", "Dune walk, class 1C", 11, "08:45", 300, AMSTERDAM, _place("Dunes")),
    ("noor", None, "Budget review", 0, "09:30", 60, AMSTERDAM, _place("Room 4")),
    ("noor", None, "Intake call with Mia's parents", 0, "13:30", 30, AMSTERDAM, {**_people("Sam Berg <sam@example.com>"), **_ONLINE}),
    ("noor", None, "Call with the inspectorate", 7, "16:00", 30, LONDON, {"importance": "high"}),
    ("noor", None, "Interview: teacher of French", 8, "11:00", 60, AMSTERDAM, {**_place("Room 1"), "sensitivity": "confidential"}),
]
# (user, subject, first day, number of days)
ALL_DAY = [("sam", "Staff training day", 4, 1), ("noor", "Study days", 9, 2)]
# (user, subject, weekday names, day offset of the first, start, minutes, more)
WEEKLY = [
    ("sam", "Team meeting", ["tuesday"], 1, "09:00", 30, {**_place("Room 4"), **_people("Noor Vos <noor@example.com>")}),
    ("sam", "Homework club", ["monday", "thursday"], 0, "15:30", 60, _place("Library")),
    ("noor", "Team meeting", ["tuesday"], 1, "09:00", 30, {**_place("Room 4"), **_people("Sam Berg <sam@example.com>")}),
]


def _span(start: dt.datetime, minutes: int, zone: str) -> dict:
    end = start + dt.timedelta(minutes=minutes)
    return {"start": {"dateTime": start.isoformat(), "timeZone": zone}, "end": {"dateTime": end.isoformat(), "timeZone": zone}}


def _calendar(mailbox, name):
    if name is None:
        return mailbox.default
    found = [item for item in mailbox.calendars.values() if item.name == name]
    return found[0] if found else mailbox.add_calendar(name, color="lightGreen")


def _rows(monday: dt.datetime):
    """(user, calendar name, event as Graph's JSON)"""
    day = dt.timedelta(days=1)
    for user, calendar, subject, offset, start, minutes, zone, more in TIMED:
        begin = dt.datetime.combine((monday + offset * day).date(), dt.time.fromisoformat(start))
        yield user, calendar, {"subject": subject, **_span(begin, minutes, zone), **more}
    for user, subject, offset, days in ALL_DAY:
        yield user, None, {"subject": subject, "isAllDay": True, "showAs": "free",
                           **_span(monday + offset * day, days * 24 * 60, AMSTERDAM)}
    for user, subject, names, offset, start, minutes, more in WEEKLY:
        # The series began a month ago, so that last week is not empty.
        begin = dt.datetime.combine((monday + (offset - 28) * day).date(), dt.time.fromisoformat(start))
        yield user, None, {"subject": subject, **_span(begin, minutes, AMSTERDAM), **more, "recurrence": {
            "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": names, "firstDayOfWeek": "monday"},
            "range": {"type": "noEnd", "startDate": begin.date().isoformat()}}}


def plant(world, name: str, zone: str) -> dict:
    """The named seed, relative to the week that it is now in `zone`."""
    if name != "demo":
        raise ValueError(f"unknown seed {name!r}; known: demo")
    today = zones.to_wall(dt.datetime.now(dt.timezone.utc), zone).date()
    monday = dt.datetime.combine(today - dt.timedelta(days=today.weekday()), dt.time(0, 0))
    planted = 0
    for user, calendar, event in _rows(monday):
        mailbox = world.directory.mailboxes[user]
        event_edit.create(mailbox, _calendar(mailbox, calendar), event)
        planted += 1
    return {"seed": name, "events": planted}
