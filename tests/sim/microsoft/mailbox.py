# SPDX-License-Identifier: MIT
"""One user's calendars and events, with the rules of ids, change keys and transaction ids."""

import base64
import copy
import datetime as dt
import hashlib
import os
import time
import uuid
from dataclasses import dataclass, field
from typing import Iterator, Optional

from . import recurrence, zones

UTC = dt.timezone.utc
LONGEST_VIEW_DAYS = 1825
MIDNIGHT = dt.time(0, 0)


def _random_id(prefix: str, awkward: bool) -> str:
    """152 characters. An awkward one holds '/' and '+', which ids from other Exchange APIs do."""
    raw = os.urandom(87)
    text = base64.b64encode(raw) if awkward else base64.urlsafe_b64encode(raw)
    return prefix + text.decode() + ("ab/+" if awkward else "Qy-_") + "A" * 20 + "AAA="


def new_change_key() -> str:
    return base64.b64encode(os.urandom(16)).decode()


@dataclass
class Calendar:
    id: str
    name: str
    color: str = "auto"
    hex_color: str = ""
    is_default: bool = False
    can_edit: bool = True
    can_share: bool = True
    removable: bool = True
    providers: list = field(default_factory=lambda: ["teamsForBusiness"])
    owner: dict = field(default_factory=dict)
    change_key: str = field(default_factory=new_change_key)


@dataclass
class Event:
    """An event as stored. `start` and `end` are wall times in their own zones; `props` are Graph's other fields."""

    id: str
    immutable_id: str
    calendar_id: str
    props: dict
    start: dt.datetime
    start_zone: str
    end: dt.datetime
    end_zone: str
    all_day: bool = False
    recurrence: Optional[dict] = None
    transaction_id: Optional[str] = None
    type: str = "singleInstance"
    series: Optional["Event"] = None
    original_start: Optional[dt.datetime] = None
    exceptions: dict = field(default_factory=dict)
    cancelled: set = field(default_factory=set)
    created: float = field(default_factory=time.time)
    modified: float = field(default_factory=time.time)
    change_key: str = field(default_factory=new_change_key)
    ical_uid: str = field(default_factory=lambda: "040000008200E00074C5B7101A82E008" + uuid.uuid4().hex.upper() * 2)

    @property
    def etag(self) -> str:
        return f'W/"{self.change_key}"'

    def touch(self) -> None:
        self.change_key = new_change_key()
        self.modified = time.time()

    def instants(self) -> tuple:
        """Start and end in UTC. All-day events float: they count as UTC midnights whatever their zone."""
        if self.all_day:
            return self.start.replace(tzinfo=UTC), self.end.replace(tzinfo=UTC)
        return zones.to_utc(self.start, self.start_zone), zones.to_utc(self.end, self.end_zone)


def _derived_id(series_id: str, date: dt.date) -> str:
    digest = hashlib.sha256(f"{series_id} {date}".encode()).digest()
    return series_id[:100] + base64.urlsafe_b64encode(digest + b"\0" * 4).decode().rstrip("=") + "AAA="


def occurrence_of(series: Event, date: dt.date) -> Event:
    """The occurrence of a date that has no exception: a copy of the series moved there."""
    start = dt.datetime.combine(date, series.start.time())
    shift = start - series.start
    return Event(id=_derived_id(series.id, date), immutable_id=_derived_id(series.immutable_id, date),
                 calendar_id=series.calendar_id, props=copy.deepcopy(series.props), start=start,
                 start_zone=series.start_zone, end=series.end + shift, end_zone=series.end_zone,
                 all_day=series.all_day, type="occurrence", series=series, original_start=start,
                 created=series.created, modified=series.modified, change_key=series.change_key,
                 ical_uid=series.ical_uid[:32] + f"{date.year:04X}{date.month:02X}{date.day:02X}" + series.ical_uid[40:])


def occurrences(series: Event, start: dt.datetime, end: dt.datetime) -> Iterator[Event]:
    """Occurrences and exceptions that overlap [start, end); the cancelled ones are absent."""
    # An exception may lie far from its original date, so those are looked at by themselves.
    yield from (item for item in series.exceptions.values() if overlaps(item, start, end))
    for date in recurrence.dates(series.recurrence):
        key = date.isoformat()
        if dt.datetime.combine(date, MIDNIGHT, UTC) > end + dt.timedelta(days=2):
            return
        if key in series.cancelled or key in series.exceptions:
            continue
        item = occurrence_of(series, date)
        if overlaps(item, start, end):
            yield item


def overlaps(event: Event, start: dt.datetime, end: dt.datetime) -> bool:
    first, last = event.instants()
    # An event without length counts when it starts in the window.
    return first < end and (last > start or first == last == start)


class Mailbox:
    def __init__(self, owner_name: str, owner_address: str, providers: list):
        self.owner = {"name": owner_name, "address": owner_address}
        self.providers = providers
        self.calendars: dict = {}
        self.events: dict = {}
        self.transactions: dict = {}
        self.mails: list = []
        self._made = 0
        self.add_calendar("Calendar", is_default=True, removable=False)

    @property
    def default(self) -> Calendar:
        return next(item for item in self.calendars.values() if item.is_default)

    def add_calendar(self, name: str, **fields) -> Calendar:
        identifier = fields.pop("id", None) or _random_id("AAMkADk3", False)
        item = Calendar(id=identifier, name=name, **{"providers": list(self.providers), "owner": self.owner, **fields})
        self.calendars[item.id] = item
        return item

    def drop_calendar(self, calendar_id: str) -> None:
        del self.calendars[calendar_id]
        for event in [item for item in self.events.values() if item.calendar_id == calendar_id]:
            self.drop(event)

    def add(self, calendar_id: str, identifier: Optional[str] = None, **fields) -> Event:
        self._made += 1
        # Every third id is awkward, so that no client gets by without encoding.
        identifier = identifier or _random_id("AAMkADk3", self._made % 3 == 0)
        event = Event(id=identifier, immutable_id=_random_id("AAkALgAA", False), calendar_id=calendar_id, **fields)
        self.events[event.id] = event
        if event.transaction_id:
            self.transactions[event.transaction_id] = event
        return event

    def in_calendar(self, calendar_id: str) -> list:
        return [event for event in self.events.values() if event.calendar_id == calendar_id]

    def view(self, calendar_id: str, start: dt.datetime, end: dt.datetime) -> list:
        found: list = []
        for event in self.in_calendar(calendar_id):
            if event.recurrence:
                found.extend(occurrences(event, start, end))
            elif overlaps(event, start, end):
                found.append(event)
        return found

    def find(self, identifier: str) -> Optional[Event]:
        """By either form of id; an occurrence is found by walking its series."""
        if identifier in self.events:
            return self.events[identifier]
        for event in self.events.values():
            if identifier == event.immutable_id:
                return event
        for series in self.events.values():
            if series.recurrence and identifier[:100] in (series.id[:100], series.immutable_id[:100]):
                return self._find_in_series(series, identifier)
        return None

    @staticmethod
    def _find_in_series(series: Event, identifier: str) -> Optional[Event]:
        far = series.start + dt.timedelta(days=4 * LONGEST_VIEW_DAYS)
        for date in recurrence.dates(series.recurrence):
            if date > far.date():
                return None
            if identifier in (_derived_id(series.id, date), _derived_id(series.immutable_id, date)):
                if date.isoformat() in series.cancelled:
                    return None
                return series.exceptions.get(date.isoformat()) or occurrence_of(series, date)
        return None

    def make_exception(self, item: Event) -> Event:
        """Turns an occurrence into a stored exception of its series."""
        if item.type == "occurrence":
            item.type = "exception"
            item.series.exceptions[item.original_start.date().isoformat()] = item
        return item

    def drop(self, event: Event) -> None:
        if event.series:
            date = event.original_start.date().isoformat()
            event.series.exceptions.pop(date, None)
            event.series.cancelled.add(date)
            event.series.touch()
            return
        self.events.pop(event.id, None)
        if event.transaction_id:
            self.transactions.pop(event.transaction_id, None)
