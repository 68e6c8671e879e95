# SPDX-License-Identifier: MIT
"""What a client may send as an event or a calendar: every property with its type and its limits."""

import datetime as dt
import re
from typing import Any, Callable

from . import zones
from .graph_error import GraphError

MAX_SUBJECT = 255
MAX_ATTENDEES = 500
MAX_CONTENT = 4 * 1024 * 1024
INT32 = 2 ** 31

COLORS = ["auto", "lightBlue", "lightGreen", "lightOrange", "lightGray", "lightYellow", "lightTeal", "lightPink",
          "lightBrown", "lightRed", "maxColor"]
# The seconds' fraction may have any number of digits up to seven; nothing may follow it, save for UTC's Z.
_WALL = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,7}))?)?)?(Z|[+-]\d\d:\d\d)?")


def _wrong(name: str, kind: str) -> GraphError:
    return GraphError("RequestBodyRead", f"Cannot convert the value of property '{name}' to the expected type '{kind}'.")


def _invalid(text: str) -> GraphError:
    return GraphError("ErrorPropertyValidationFailure", text)


def _unknown(name: str, kind: str) -> GraphError:
    return GraphError("RequestBodyRead", f"The property '{name}' does not exist on type 'microsoft.graph.{kind}'. "
                      "Make sure to only use property names that are defined by the type.")


def text(limit: int) -> Callable:
    def check(name: str, value: Any):
        if value is not None and not isinstance(value, str):
            raise _wrong(name, "Edm.String")
        if value is not None and len(value) > limit:
            raise _invalid(f"The length of the property '{name}' exceeds its limit of {limit}.")
        return value
    return check


def boolean(name: str, value: Any) -> Any:
    if value is not None and not isinstance(value, bool):
        raise _wrong(name, "Edm.Boolean")
    return value


def int32(name: str, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int) or not -INT32 <= value < INT32:
        raise _wrong(name, "Edm.Int32")
    return value


def enum(*names: str) -> Callable:
    def check(name: str, value: Any):
        for known in names:
            if isinstance(value, str) and value.lower() == known.lower():
                return known
        raise _wrong(name, "an enumeration")
    return check


def record(kind: str, fields: dict, required: tuple = ()) -> Callable:
    def check(name: str, value: Any):
        if value is None:
            return None
        if not isinstance(value, dict):
            raise _wrong(name, f"microsoft.graph.{kind}")
        for key in value:
            if key not in fields and not key.startswith("@odata."):
                raise _unknown(key, kind)
        for key in required:
            if value.get(key) is None:
                raise _invalid(f"'{name}' lacks '{key}'.")
        return {key: fields[key](key, item) for key, item in value.items() if key in fields}
    return check


def items(check_one: Callable, limit: int = 10000) -> Callable:
    def check(name: str, value: Any):
        if not isinstance(value, list):
            raise _wrong(name, "a collection")
        if len(value) > limit:
            raise GraphError("ErrorInvalidRequest", f"'{name}' has more than {limit} members.")
        return [check_one(name, item) for item in value]
    return check


def anything(_name: str, value: Any) -> Any:
    return value


ADDRESS = record("emailAddress", {"name": text(256), "address": text(320)})
LOCATION_FIELDS = {"displayName": text(MAX_SUBJECT), "locationType": text(64), "locationUri": text(2048),
                   "locationEmailAddress": text(320), "uniqueId": text(2048), "uniqueIdType": text(64),
                   "address": anything, "coordinates": anything}
LOCATION = record("location", LOCATION_FIELDS)
ATTENDEE = record("attendee", {"emailAddress": ADDRESS, "type": enum("required", "optional", "resource"),
                               "status": anything, "proposedNewTime": anything}, ("emailAddress",))
TIME = record("dateTimeTimeZone", {"dateTime": text(64), "timeZone": text(128)}, ("dateTime",))

EVENT = {
    "subject": text(MAX_SUBJECT),
    "body": record("itemBody", {"contentType": enum("text", "html"), "content": text(MAX_CONTENT)}),
    "start": TIME,
    "end": TIME,
    "location": LOCATION,
    "locations": items(LOCATION),
    "attendees": items(ATTENDEE, MAX_ATTENDEES),
    "isAllDay": boolean,
    "isReminderOn": boolean,
    "reminderMinutesBeforeStart": int32,
    "showAs": enum("free", "tentative", "busy", "oof", "workingElsewhere", "unknown"),
    "sensitivity": enum("normal", "personal", "private", "confidential"),
    "importance": enum("low", "normal", "high"),
    "categories": items(text(255)),
    "allowNewTimeProposals": boolean,
    "responseRequested": boolean,
    "hideAttendees": boolean,
    "isOnlineMeeting": boolean,
    "onlineMeetingProvider": enum("unknown", "skypeForBusiness", "skypeForConsumer", "teamsForBusiness"),
    "recurrence": anything,
    "transactionId": text(256),
}
# Properties that the service owns: a client may send them back, nothing comes of it.
READ_ONLY = {"id", "createdDateTime", "lastModifiedDateTime", "changeKey", "iCalUId", "hasAttachments", "bodyPreview",
             "isCancelled", "isOrganizer", "seriesMasterId", "type", "webLink", "onlineMeetingUrl", "isDraft",
             "onlineMeeting", "responseStatus", "organizer", "originalStart", "originalStartTimeZone",
             "originalEndTimeZone", "cancelledOccurrences"}
CALENDAR = {"name": text(MAX_SUBJECT), "color": enum(*COLORS), "hexColor": text(16), "isDefaultCalendar": boolean}


def check(table: dict, kind: str, body: dict, read_only: frozenset = frozenset()) -> dict:
    """The body's properties, each checked by the table; unknown ones are refused."""
    found = {}
    for name, value in body.items():
        if name in table:
            found[name] = table[name](name, value)
        elif name not in read_only and not name.startswith("@odata."):
            raise _unknown(name, kind)
    return found


def zone_name(value: str) -> str:
    try:
        zones.find(value)
    except zones.UnknownZone as exc:
        raise GraphError("TimeZoneNotSupportedException", "A valid TimeZone value must be specified. "
                         f"The following TimeZone value is not supported: '{value}'.") from exc
    return value


def wall_time(name: str, value: dict) -> tuple:
    """(wall time, zone name). An offset beside a zone is ambiguous and refused, unless both say UTC."""
    zone = zone_name(value.get("timeZone") or "UTC")
    match = _WALL.fullmatch(value["dateTime"])
    if not match or (match[8] and (match[8] not in ("Z", "+00:00") or zone.lower() not in ("utc", "etc/utc"))):
        raise GraphError("ErrorInvalidRequest", f"The value of '{name}.dateTime' is not valid.")
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
        wall = dt.datetime(year, month, day, hour, minute, second, int((match[7] or "0").ljust(7, "0")[:6]))
        zones.to_utc(wall, zone)
    except (ValueError, OverflowError) as exc:
        raise GraphError("ErrorInvalidRequest", f"The value of '{name}.dateTime' is not valid.") from exc
    return wall, zone


def check_span(fields: dict) -> None:
    """The rules that start, end and isAllDay obey together. `fields` are Event's."""
    if fields["all_day"]:
        for name in ("start", "end"):
            if fields[name].time() != dt.time(0, 0):
                raise GraphError("ErrorInvalidRequest", f"The Event.{name.capitalize()} property for an all-day event "
                                 "needs to be set to midnight.")
        if fields["start_zone"].lower() != fields["end_zone"].lower():
            raise GraphError("ErrorInvalidRequest", "The Event.Start and Event.End of an all-day event need the same time zone.")
        if fields["end"] - fields["start"] < dt.timedelta(days=1):
            raise GraphError("ErrorInvalidRequest", "The duration of an all-day event must be at least 24 hours.")
    if zones.to_utc(fields["end"], fields["end_zone"]) < zones.to_utc(fields["start"], fields["start_zone"]):
        raise _invalid("The end of the event is before its start.")
