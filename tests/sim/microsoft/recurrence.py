# SPDX-License-Identifier: MIT
"""Graph's recurrence patterns: checked, and expanded to dates."""

import calendar
import datetime as dt
from typing import Iterator

DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
INDEXES = ["first", "second", "third", "fourth", "last"]
NO_DATE = "0001-01-01"
LAST_YEAR = 9000

# pattern type -> the fields it cannot do without (beside `interval`)
PATTERNS = {
    "daily": (),
    "weekly": ("daysOfWeek",),
    "absoluteMonthly": ("dayOfMonth",),
    "relativeMonthly": ("daysOfWeek",),
    "absoluteYearly": ("dayOfMonth", "month"),
    "relativeYearly": ("daysOfWeek", "month"),
}
RANGES = {"endDate": ("endDate",), "noEnd": (), "numbered": ("numberOfOccurrences",)}


class BadRecurrence(ValueError):
    pass


def _enum(value, names, what: str) -> str:
    for name in names:
        if isinstance(value, str) and value.lower() == name.lower():
            return name
    raise BadRecurrence(f"{what} is not valid")


def _integer(value, low: int, high: int, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadRecurrence(f"{what} is not valid")
    return value


def _date(value, what: str) -> dt.date:
    try:
        return dt.date.fromisoformat(value)
    except (TypeError, ValueError) as exc:
        raise BadRecurrence(f"{what} is not a date") from exc


def _check_pattern(given: dict) -> dict:
    kind = _enum(given.get("type"), PATTERNS, "pattern.type")
    for name in PATTERNS[kind]:
        if not given.get(name):
            raise BadRecurrence(f"pattern.{name} is required for {kind}")
    days = given.get("daysOfWeek") or []
    if not isinstance(days, list):
        raise BadRecurrence("pattern.daysOfWeek is not valid")
    pattern = {
        "type": kind,
        "interval": _integer(given.get("interval"), 1, 999, "pattern.interval"),
        "month": _integer(given.get("month") or 0, 0, 12, "pattern.month"),
        "dayOfMonth": _integer(given.get("dayOfMonth") or 0, 0, 31, "pattern.dayOfMonth"),
    }
    if days:
        pattern["daysOfWeek"] = [_enum(day, DAYS, "pattern.daysOfWeek") for day in days]
    pattern["firstDayOfWeek"] = _enum(given.get("firstDayOfWeek") or "sunday", DAYS, "pattern.firstDayOfWeek")
    pattern["index"] = _enum(given.get("index") or "first", INDEXES, "pattern.index")
    return pattern


def _check_range(given: dict, start: dt.date, zone: str) -> dict:
    kind = _enum(given.get("type"), RANGES, "range.type")
    for name in RANGES[kind]:
        if not given.get(name):
            raise BadRecurrence(f"range.{name} is required for {kind}")
    first = _date(given.get("startDate"), "range.startDate")
    if first != start:
        raise BadRecurrence("range.startDate must be the date of start")
    end = _date(given["endDate"], "range.endDate") if kind == "endDate" else None
    if end and end < first:
        raise BadRecurrence("range.endDate is before range.startDate")
    count = _integer(given["numberOfOccurrences"], 1, 999, "range.numberOfOccurrences") if kind == "numbered" else 0
    return {"type": kind, "startDate": first.isoformat(), "endDate": end.isoformat() if end else NO_DATE,
            "recurrenceTimeZone": given.get("recurrenceTimeZone") or zone, "numberOfOccurrences": count}


def check(given, start: dt.date, zone: str) -> dict:
    """The recurrence as Graph would give it back: every field there, the unused ones 0."""
    if not isinstance(given, dict) or not all(isinstance(given.get(part), dict) for part in ("pattern", "range")):
        raise BadRecurrence("recurrence needs pattern and range")
    return {"pattern": _check_pattern(given["pattern"]), "range": _check_range(given["range"], start, zone)}


def _daily(pattern: dict, start: dt.date) -> Iterator[dt.date]:
    while start.year < LAST_YEAR:
        yield start
        start += dt.timedelta(days=pattern["interval"])


def _weekly(pattern: dict, start: dt.date) -> Iterator[dt.date]:
    first = DAYS.index(pattern["firstDayOfWeek"])
    offsets = sorted((DAYS.index(day) - first) % 7 for day in pattern["daysOfWeek"])
    week = start - dt.timedelta(days=(start.weekday() - first) % 7)
    while week.year < LAST_YEAR:
        yield from (week + dt.timedelta(days=offset) for offset in offsets)
        week += dt.timedelta(weeks=pattern["interval"])


def _in_month_absolute(pattern: dict, year: int, month: int) -> dt.date:
    # A day that the month lacks becomes its last one, as in Outlook.
    return dt.date(year, month, min(pattern["dayOfMonth"], calendar.monthrange(year, month)[1]))


def _in_month_relative(pattern: dict, year: int, month: int) -> dt.date:
    wanted = {DAYS.index(day) for day in pattern["daysOfWeek"]}
    last = calendar.monthrange(year, month)[1]
    days = [day for day in range(1, last + 1) if dt.date(year, month, day).weekday() in wanted]
    index = INDEXES.index(pattern["index"])
    return dt.date(year, month, days[-1] if index == 4 else days[min(index, len(days) - 1)])


def _by_month(pick, months_of):
    def dates(pattern: dict, start: dt.date) -> Iterator[dt.date]:
        month = start.year * 12 + (pattern["month"] or start.month) - 1
        while month // 12 < LAST_YEAR:
            yield pick(pattern, month // 12, month % 12 + 1)
            month += months_of(pattern)
    return dates


def _months(pattern: dict) -> int:
    return pattern["interval"]


def _years(pattern: dict) -> int:
    return 12 * pattern["interval"]


def _monthly(pick):
    inner = _by_month(pick, _months)
    return lambda pattern, start: inner({**pattern, "month": 0}, start)


EXPANDERS = {
    "daily": _daily,
    "weekly": _weekly,
    "absoluteMonthly": _monthly(_in_month_absolute),
    "relativeMonthly": _monthly(_in_month_relative),
    "absoluteYearly": _by_month(_in_month_absolute, _years),
    "relativeYearly": _by_month(_in_month_relative, _years),
}


def dates(recurrence: dict) -> Iterator[dt.date]:
    """Every date of a checked recurrence, in order; endless when its range is."""
    pattern, span = recurrence["pattern"], recurrence["range"]
    start = dt.date.fromisoformat(span["startDate"])
    end = dt.date.fromisoformat(span["endDate"]) if span["type"] == "endDate" else dt.date.max
    count = 0
    for date in EXPANDERS[pattern["type"]](pattern, start):
        if date < start:
            continue
        if date > end or (span["type"] == "numbered" and count == span["numberOfOccurrences"]):
            return
        count += 1
        yield date
