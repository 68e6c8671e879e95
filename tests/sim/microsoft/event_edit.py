# SPDX-License-Identifier: MIT
"""Creating and changing events."""

import copy
import datetime as dt
import itertools
from typing import Optional

from . import event_input, recurrence
from .event_output import NO_TIME, plain, store_body
from .graph_error import GraphError
from .mailbox import Calendar, Event, Mailbox, occurrence_of

DEFAULTS = {
    "categories": [], "reminderMinutesBeforeStart": 15, "isReminderOn": True, "hasAttachments": False, "subject": "",
    "importance": "normal", "sensitivity": "normal", "isCancelled": False, "isOrganizer": True,
    "responseRequested": True, "showAs": "busy", "onlineMeetingUrl": None, "isOnlineMeeting": False,
    "onlineMeetingProvider": "unknown", "allowNewTimeProposals": True, "isDraft": False, "hideAttendees": False,
    "responseStatus": {"response": "organizer", "time": NO_TIME}, "body": {"contentType": "html", "content": ""},
    "location": {"displayName": "", "locationType": "default", "uniqueIdType": "unknown", "address": {}, "coordinates": {}},
    "locations": [], "attendees": [],
}
# Set as they are; null brings the default back.
PLAIN = ("subject", "isReminderOn", "reminderMinutesBeforeStart", "showAs", "sensitivity", "importance", "categories",
         "allowNewTimeProposals", "responseRequested", "hideAttendees")
_TEAMS = ("\r\n________________________________________________________________________________\r\n"
          "Microsoft Teams meeting\r\nJoin on your computer or mobile app\r\n")


def _location(given: Optional[dict], unique: str) -> dict:
    if not given or not given.get("displayName"):
        return {**copy.deepcopy(DEFAULTS["location"]), **(given or {})}
    named = {"displayName": given["displayName"], "locationType": "default", "uniqueIdType": unique}
    if unique == "private":
        named["uniqueId"] = given["displayName"]
    return {**named, **given}


def _set_location(props: dict, given: dict) -> None:
    if "location" in given:
        props["location"] = _location(given["location"], "private")
        named = bool(props["location"]["displayName"])
        props["locations"] = [_location(given["location"], "unknown")] if named else []
    if given.get("locations"):
        props["locations"] = [_location(item, "unknown") for item in given["locations"] if item]
        names = "; ".join(item["displayName"] for item in props["locations"])
        props["location"] = _location({"displayName": names}, "private")


def _attendee(given: dict) -> dict:
    address = given["emailAddress"].get("address")
    if not address:
        raise GraphError("ErrorPropertyValidationFailure", "An attendee lacks an address.")
    return {"type": given.get("type") or "required", "status": {"response": "none", "time": NO_TIME},
            "emailAddress": {"name": given["emailAddress"].get("name") or address, "address": address}}


def _set_online(props: dict, given: dict, calendar: Calendar) -> None:
    # Once online, always online; and a provider that the calendar does not have is ignored without a word.
    if not given.get("isOnlineMeeting") or props["isOnlineMeeting"]:
        return
    provider = given.get("onlineMeetingProvider") or (calendar.providers or ["unknown"])[0]
    if provider == "unknown" and calendar.providers:
        provider = calendar.providers[0]
    if provider in calendar.providers:
        props.update(isOnlineMeeting=True, onlineMeetingProvider=provider)
        text = plain(props["body"]) + _TEAMS
        props["body"] = store_body({"contentType": "html", "content": text.replace("\r\n", "<br>\r\n")})


def _set_props(props: dict, given: dict, calendar: Calendar) -> None:
    for name in PLAIN:
        if name in given:
            props[name] = copy.deepcopy(DEFAULTS[name]) if given[name] is None else given[name]
    if "body" in given:
        props["body"] = store_body(given["body"])
    if "attendees" in given:
        props["attendees"] = [_attendee(item) for item in given["attendees"]]
    _set_location(props, given)
    _set_online(props, given, calendar)


def _times(given: dict, now: dict) -> dict:
    """Start, end and all-day of `now`, overlaid by what is given and checked together."""
    fields = dict(now)
    for name in ("start", "end"):
        if given.get(name):
            fields[name], fields[name + "_zone"] = event_input.wall_time(name, given[name])
    if given.get("isAllDay") is not None:
        fields["all_day"] = given["isAllDay"]
    event_input.check_span(fields)
    return fields


def _checked_recurrence(given: dict, fields: dict) -> Optional[dict]:
    try:
        checked = recurrence.check(given, fields["start"].date(), fields["start_zone"])
    except recurrence.BadRecurrence as exc:
        raise GraphError("ErrorPropertyValidationFailure", str(exc)) from exc
    first = next(recurrence.dates(checked), None)
    if first is None:
        raise GraphError("ErrorPropertyValidationFailure", "The recurrence has no instance.")
    # A series begins at its first instance, wherever the client put it.
    shift = dt.datetime.combine(first, fields["start"].time()) - fields["start"]
    fields["start"] += shift
    fields["end"] += shift
    return checked


def _send_mail(mailbox: Mailbox, kind: str, event: Event, attendees: list) -> None:
    if attendees and event.props["isOrganizer"]:
        mailbox.mails.append({"kind": kind, "event": event.id, "subject": event.props["subject"],
                              "to": [item["emailAddress"]["address"] for item in attendees]})


def create(mailbox: Mailbox, calendar: Calendar, body: dict, identifier: Optional[str] = None) -> Event:
    given = event_input.check(event_input.EVENT, "event", body, event_input.READ_ONLY)
    transaction = given.get("transactionId")
    if transaction and transaction in mailbox.transactions:
        return mailbox.transactions[transaction]
    for name in ("start", "end"):
        if not given.get(name):
            raise GraphError("ErrorPropertyValidationFailure", f"The property '{name}' is required.")
    fields = _times(given, {"all_day": False})
    repeat = _checked_recurrence(given["recurrence"], fields) if given.get("recurrence") else None
    props = copy.deepcopy(DEFAULTS)
    props["organizer"] = {"emailAddress": dict(mailbox.owner)}
    _set_props(props, given, calendar)
    event = mailbox.add(calendar.id, identifier, props=props, recurrence=repeat, transaction_id=transaction,
                        type="seriesMaster" if repeat else "singleInstance", **fields)
    _send_mail(mailbox, "invitation", event, props["attendees"])
    return event


def _check_neighbours(event: Event, fields: dict) -> None:
    """An occurrence may not move past the one before or after it."""
    dates = list(itertools.islice(recurrence.dates(event.series.recurrence), 5000))
    here = dates.index(event.original_start.date())
    before = occurrence_of(event.series, dates[here - 1]).start if here else dt.datetime.min
    after = occurrence_of(event.series, dates[here + 1]).start if here + 1 < len(dates) else dt.datetime.max
    if not before.date() < fields["start"].date() < after.date():
        raise GraphError("ErrorOccurrenceCrossingBoundary")


def _changed_recurrence(event: Event, given: dict, fields: dict) -> Optional[dict]:
    if given.get("recurrence"):
        return _checked_recurrence(given["recurrence"], fields)
    if "recurrence" in given or not event.recurrence:
        return None
    moved = copy.deepcopy(event.recurrence)
    moved["range"]["startDate"] = fields["start"].date().isoformat()
    return _checked_recurrence(moved, fields)


def change(mailbox: Mailbox, calendar: Calendar, event: Event, body: dict) -> Event:
    given = event_input.check(event_input.EVENT, "event", body, event_input.READ_ONLY)
    if given.get("transactionId", event.transaction_id) != event.transaction_id:
        raise GraphError("ErrorInvalidRequest", "The property 'transactionId' cannot be changed.")
    now = {name: getattr(event, name) for name in ("start", "start_zone", "end", "end_zone", "all_day")}
    fields = _times(given, now)
    if event.series:
        if given.get("recurrence"):
            raise GraphError("ErrorInvalidRequest", "An occurrence cannot recur.")
        _check_neighbours(event, fields)
        event = mailbox.make_exception(event)
    else:
        repeat = _changed_recurrence(event, given, fields)
        if repeat != event.recurrence or any(now[name] != fields[name] for name in now):
            event.exceptions, event.cancelled = {}, set()
        event.recurrence = repeat
        event.type = "seriesMaster" if repeat else "singleInstance"
    before = {item["emailAddress"]["address"] for item in event.props["attendees"]}
    _set_props(event.props, given, calendar)
    for name, value in fields.items():
        setattr(event, name, value)
    event.touch()
    attendees = event.props["attendees"]
    if set(given) == {"attendees"}:
        attendees = [item for item in attendees if item["emailAddress"]["address"] not in before]
    _send_mail(mailbox, "update", event, attendees)
    return event


def delete(mailbox: Mailbox, event: Event) -> None:
    _send_mail(mailbox, "cancellation", event, event.props["attendees"])
    mailbox.drop(event)
