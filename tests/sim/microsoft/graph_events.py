# SPDX-License-Identifier: MIT
"""Graph's events: list, view, get, create, change, delete."""

from . import event_edit, odata
from .event_output import EVENT_PROPERTIES, render_event
from .graph_error import GraphError
from .mailbox import LONGEST_VIEW_DAYS, Event, occurrences
from .wire import Reply, json_reply

BASIC_HIDES = ("body", "bodyPreview")


def _show(visit, event: Event, options: odata.Options, view: bool = False) -> dict:
    wanted = visit.preferences
    join_after = event.created + visit.world.settings["join_url_delay_ms"] / 1000
    shown = render_event(event, wanted.zone, wanted.text, wanted.immutable, join_after)
    if visit.scopes & {"Calendars.Read", "Calendars.ReadWrite"}:
        return odata.select(shown, options, view)
    return odata.select({name: value for name, value in shown.items() if name not in BASIC_HIDES}, options, view)


def _options(visit) -> odata.Options:
    return odata.parse_options(visit.query, EVENT_PROPERTIES, "event")


def _collection(visit, found: list, options: odata.Options, path: str, view: bool) -> Reply:
    found = odata.arrange(found, options)
    members, link = odata.page(visit.call, found, options, visit.preferences)
    body: dict = {"@odata.context": visit.context(path)}
    if options.count:
        body["@odata.count"] = len(found)
    if link:
        body["@odata.nextLink"] = link
    return json_reply({**body, "value": [_show(visit, event, options, view) for event in members]})


def list_events(visit) -> Reply:
    """Single events and series, never expanded."""
    options = _options(visit)
    calendar = visit.calendar()
    return _collection(visit, visit.mailbox.in_calendar(calendar.id), options, "events", False)


def calendar_view(visit) -> Reply:
    options = _options(visit)
    start, end = odata.window(visit.query, LONGEST_VIEW_DAYS)
    found = visit.mailbox.view(visit.calendar().id, start, end)
    return _collection(visit, found, options, "calendarView", True)


def _event(visit) -> Event:
    event = visit.mailbox.find(visit.event_id)
    if event is None or (visit.calendar_id is not None and event.calendar_id != visit.calendar().id):
        raise GraphError("ErrorItemNotFound")
    return event


def instances(visit) -> Reply:
    options = _options(visit)
    start, end = odata.window(visit.query, LONGEST_VIEW_DAYS)
    series = _event(visit)
    if not series.recurrence:
        raise GraphError("ErrorInvalidRequest", "The event is not a series.")
    return _collection(visit, list(occurrences(series, start, end)), options, "events", True)


def _one(visit, event: Event, status: int = 200) -> Reply:
    body = {"@odata.context": visit.context("events/$entity"), **_show(visit, event, _options(visit))}
    headers = [("ETag", event.etag)]
    if status == 201:
        headers.append(("Location", f"{visit.call.base}/v1.0/users('{visit.user.graph_id}')/events('{event.id}')"))
    return json_reply(body, status, headers)


def get_event(visit) -> Reply:
    return _one(visit, _event(visit))


def create_event(visit) -> Reply:
    calendar = visit.writable_calendar()
    return _one(visit, event_edit.create(visit.mailbox, calendar, visit.body()), 201)


def change_event(visit) -> Reply:
    event = _event(visit)
    calendar = visit.writable_calendar(event.calendar_id)
    visit.check_match(event.etag)
    return _one(visit, event_edit.change(visit.mailbox, calendar, event, visit.body()))


def delete_event(visit) -> Reply:
    event = _event(visit)
    visit.writable_calendar(event.calendar_id)
    visit.check_match(event.etag)
    event_edit.delete(visit.mailbox, event)
    return Reply(204)
