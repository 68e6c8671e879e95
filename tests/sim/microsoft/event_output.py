# SPDX-License-Identifier: MIT
"""Events and calendars as Graph's JSON."""

import datetime as dt
import html
import re
import time
import uuid
from typing import Optional
from urllib.parse import quote

from . import zones
from .mailbox import Calendar, Event

NO_TIME = "0001-01-01T00:00:00Z"
_HEAD = '<html>\r\n<head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">\r\n</head>\r\n<body>\r\n'
_TAIL = "\r\n</body>\r\n</html>\r\n"
_ACTIVE = re.compile(r"(?is)<(script|style|iframe|object)\b.*?(</\1\s*>|$)|\son\w+\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)")
_BODY = re.compile(r"(?is)^.*?<body[^>]*>(.*?)</body>.*$")
_BREAK = re.compile(r"(?i)<br\s*/?>|</p>|</div>|</li>")
_TAG = re.compile(r"(?s)<[^>]*>")

# Every property of an event in the order in which Graph sends them; also what $select may name.
EVENT_PROPERTIES = (
    "id", "createdDateTime", "lastModifiedDateTime", "changeKey", "categories", "transactionId",
    "originalStartTimeZone", "originalEndTimeZone", "iCalUId", "reminderMinutesBeforeStart", "isReminderOn",
    "hasAttachments", "subject", "bodyPreview", "importance", "sensitivity", "originalStart", "isAllDay", "isCancelled",
    "isOrganizer", "responseRequested", "seriesMasterId", "showAs", "type", "webLink", "onlineMeetingUrl",
    "isOnlineMeeting", "onlineMeetingProvider", "allowNewTimeProposals", "isDraft", "hideAttendees", "recurrence",
    "onlineMeeting", "responseStatus", "body", "start", "end", "location", "locations", "attendees", "organizer")
CALENDAR_PROPERTIES = (
    "id", "name", "color", "hexColor", "isDefaultCalendar", "changeKey", "canShare", "canViewPrivateItems", "canEdit",
    "allowedOnlineMeetingProviders", "defaultOnlineMeetingProvider", "isTallyingResponses", "isRemovable", "owner")


def to_text(content: str) -> str:
    inner = _BODY.sub(r"\1", content)
    return html.unescape(_TAG.sub("", _BREAK.sub("\r\n", inner))).strip()


def rewrite_html(content: str) -> str:
    """As Exchange does: active markup goes, a head and a meta element come."""
    return _HEAD + _BODY.sub(r"\1", _ACTIVE.sub("", content)).strip() + _TAIL


def store_body(given: Optional[dict]) -> dict:
    given = given or {}
    content = given.get("content") or ""
    if (given.get("contentType") or "text") == "html":
        return {"contentType": "html", "content": rewrite_html(content) if content else ""}
    return {"contentType": "text", "content": content}


def render_body(body: dict, want_text: bool) -> dict:
    if want_text:
        content = body["content"] if body["contentType"] == "text" else to_text(body["content"])
        return {"contentType": "text", "content": content}
    if body["contentType"] == "html" or not body["content"]:
        return {"contentType": "html", "content": body["content"]}
    inner = '<div class="PlainText">' + html.escape(body["content"], quote=False).replace("\n", "<br>\n") + "</div>"
    return {"contentType": "html", "content": _HEAD + inner + _TAIL}


def plain(body: dict) -> str:
    return body["content"] if body["contentType"] == "text" else to_text(body["content"])


def stamp(seconds: float) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 10 ** 7):07d}Z"


def wall_text(wall: dt.datetime) -> str:
    return wall.strftime("%Y-%m-%dT%H:%M:%S.") + f"{wall.microsecond:06d}0"


def render_time(wall: dt.datetime, zone: str, all_day: bool, preferred: str) -> dict:
    if not all_day:
        wall = zones.to_wall(zones.to_utc(wall, zone), preferred)
    return {"dateTime": wall_text(wall), "timeZone": preferred}


def join_information(event: Event, visible_after: float) -> Optional[dict]:
    """Teams' link may come a moment after the event does."""
    if not event.props["isOnlineMeeting"] or time.time() < visible_after:
        return None
    meeting = uuid.uuid5(uuid.NAMESPACE_URL, (event.series or event).id)
    return {"joinUrl": f"https://teams.microsoft.com/l/meetup-join/19%3ameeting_{meeting.hex}%40thread.v2/0",
            "conferenceId": str(meeting.int)[:9], "tollNumber": "+31 20 000 0000"}


def render_event(event: Event, zone: str, want_text: bool, immutable: bool, join_after: float) -> dict:
    """The whole event; `select` cuts it down afterwards."""
    identifier = event.immutable_id if immutable else event.id
    series = event.series and (event.series.immutable_id if immutable else event.series.id)
    shown = dict(event.props)
    shown.update({
        "id": identifier, "createdDateTime": stamp(event.created), "lastModifiedDateTime": stamp(event.modified),
        "changeKey": event.change_key, "iCalUId": event.ical_uid, "bodyPreview": plain(event.props["body"])[:255],
        "originalStartTimeZone": event.props.get("originalStartTimeZone") or event.start_zone,
        "originalEndTimeZone": event.props.get("originalEndTimeZone") or event.end_zone,
        "isAllDay": event.all_day, "seriesMasterId": series, "type": event.type, "recurrence": event.recurrence,
        "webLink": f"https://outlook.office365.com/owa/?itemid={quote(identifier, safe='')}&exvsurl=1&path=/calendar/item",
        "onlineMeeting": join_information(event, join_after), "body": render_body(event.props["body"], want_text),
        "start": render_time(event.start, event.start_zone, event.all_day, zone),
        "end": render_time(event.end, event.end_zone, event.all_day, zone)})
    if event.transaction_id:
        shown["transactionId"] = event.transaction_id
    if event.original_start:
        first = event.original_start
        instant = first if event.all_day else zones.to_wall(zones.to_utc(first, event.series.start_zone), "UTC")
        shown["originalStart"] = instant.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"@odata.etag": event.etag, **{name: shown[name] for name in EVENT_PROPERTIES if name in shown}}


def render_calendar(item: Calendar) -> dict:
    return {"id": item.id, "name": item.name, "color": item.color, "hexColor": item.hex_color,
            "isDefaultCalendar": item.is_default, "changeKey": item.change_key, "canShare": item.can_share,
            "canViewPrivateItems": True, "canEdit": item.can_edit, "allowedOnlineMeetingProviders": item.providers,
            "defaultOnlineMeetingProvider": item.providers[0] if item.providers else "unknown",
            "isTallyingResponses": item.is_default, "isRemovable": item.removable, "owner": item.owner}
