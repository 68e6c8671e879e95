# SPDX-License-Identifier: MIT
"""Query options, preferences and pages, as strictly as Graph reads them."""

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Any, Callable, Optional
from urllib.parse import quote

from .event_input import zone_name
from .graph_error import GraphError
from .wire import Call, FormError

MAX_TOP = 1000
DEFAULT_PAGE = 10
KNOWN = ("$top", "$skip", "$select", "$filter", "$orderby", "$count")
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(:\d\d)?(?:\.(\d{1,7})\d*)?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_PREFERENCE = re.compile(r'\s*([\w.\-]+)\s*(?:=\s*(?:"([^"]*)"|([^,;"\s]*)))?\s*(?:;[^,]*)?(?:,|$)')
_TOKEN = re.compile(r"\s*(\(|\)|'(?:[^']|'')*'|[^\s()']+)")

OPERATORS: dict = {
    "eq": lambda left, right: left == right, "ne": lambda left, right: left != right,
    "ge": lambda left, right: left >= right, "gt": lambda left, right: left > right,
    "le": lambda left, right: left <= right, "lt": lambda left, right: left < right,
}


@dataclass
class Options:
    top: Optional[int] = None
    skip: int = 0
    count: bool = False
    select: Optional[list] = None
    matches: list = field(default_factory=list)
    order: list = field(default_factory=list)


@dataclass
class Preferences:
    zone: str = "UTC"
    text: bool = False
    page: Optional[int] = None
    immutable: bool = False
    applied: list = field(default_factory=list)


def parse_instant(text: str) -> dt.datetime:
    """ISO 8601; no offset means UTC. ValueError when it is anything else."""
    match = _ISO.fullmatch(text)
    if not match:
        raise ValueError(text)
    date, minute, second, fraction, offset = match.groups()
    zone = "+00:00" if offset in (None, "Z") else offset
    micro = (fraction or "0").ljust(6, "0")[:6]
    return dt.datetime.fromisoformat(f"{date}T{minute or '00:00'}{second or ':00'}.{micro}{zone}").astimezone(dt.timezone.utc)


def query_of(call: Call) -> dict:
    """Options by their name in small letters; a repeated one is refused."""
    try:
        pairs = call.query
    except FormError as exc:
        raise GraphError("BadRequest", str(exc)) from exc
    values: dict = {}
    for name, value in pairs:
        key = name.lower()
        if key in values:
            raise GraphError("BadRequest", f"Query option '{name}' was specified more than once.")
        values[key] = value
    return values


def _whole(name: str, value: str, low: int, high: int) -> int:
    if not re.fullmatch(r"\d{1,9}", value, re.ASCII) or not low <= int(value) <= high:
        raise GraphError("BadRequest", f"Invalid value '{value}' for {name} query option found. It must be {low} to {high}.")
    return int(value)


def _instant_literal(text: str) -> dt.datetime:
    return parse_instant(_string_literal(text))


def _string_literal(text: str) -> str:
    if len(text) < 2 or text[0] != "'" or text[-1] != "'":
        raise ValueError(text)
    return text[1:-1].replace("''", "'")


def _boolean_literal(text: str) -> bool:
    return {"true": True, "false": False}[text]


# field -> (its value of an event, its literal). Times in a filter are UTC whatever zone is preferred.
FILTERS: dict = {
    "start/datetime": (lambda event: event.instants()[0], _instant_literal),
    "end/datetime": (lambda event: event.instants()[1], _instant_literal),
    "subject": (lambda event: event.props["subject"], _string_literal),
    "isallday": (lambda event: event.all_day, _boolean_literal),
    "iscancelled": (lambda event: event.props["isCancelled"], _boolean_literal),
    "showas": (lambda event: event.props["showAs"], _string_literal),
    "type": (lambda event: event.type, _string_literal),
}
ORDERS: dict = {
    "start/datetime": lambda event: event.instants()[0],
    "end/datetime": lambda event: event.instants()[1],
    "subject": lambda event: event.props["subject"].lower(),
    "createddatetime": lambda event: event.created,
    "lastmodifieddatetime": lambda event: event.modified,
}


def _comparison(name: str, operator: str, literal: str) -> Callable:
    value_of, parse = FILTERS[name.lower()]
    compare, wanted = OPERATORS[operator], parse(literal)
    return lambda event: compare(value_of(event), wanted)


def parse_filter(text: str) -> list:
    """Comparisons joined by `and`, each perhaps in parentheses: what a calendar needs, the rest is refused."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s+(?=(?:[^']*'[^']*')*[^']*$)", "", text):
        raise GraphError("ErrorInvalidUrlQueryFilter")
    matches = []
    try:
        while tokens:
            grouped = tokens[0] == "("
            if grouped and tokens[4] != ")":
                raise ValueError("unbalanced parentheses")
            matches.append(_comparison(*tokens[1:4] if grouped else tokens[0:3]))
            tokens = tokens[5 if grouped else 3:]
            if tokens and (tokens.pop(0) != "and" or not tokens):
                raise ValueError("only 'and' joins comparisons")
    except (ValueError, KeyError, IndexError, TypeError) as exc:
        raise GraphError("ErrorInvalidUrlQueryFilter") from exc
    return matches


def parse_order(text: str) -> list:
    order = []
    for part in text.split(","):
        words = part.split()
        if not 1 <= len(words) <= 2 or words[0].lower() not in ORDERS or words[1:] not in ([], ["asc"], ["desc"]):
            raise GraphError("ErrorInvalidUrlQuery", f"The $orderby expression '{part.strip()}' is not supported.")
        order.append((ORDERS[words[0].lower()], words[1:] == ["desc"]))
    return order


def _parse_select(text: str, properties: tuple, kind: str) -> list:
    names = {name.lower(): name for name in properties}
    chosen = [part.strip() for part in text.split(",") if part.strip()]
    for part in chosen:
        if part.lower() not in names:
            raise GraphError("BadRequest", "Parsing OData Select and Expand failed: Could not find a property named "
                             f"'{part}' on type 'microsoft.graph.{kind}'.")
    return [names[part.lower()] for part in chosen]


def parse_options(query: dict, properties: tuple, kind: str) -> Options:
    for name in query:
        if name.startswith("$") and name not in KNOWN:
            raise GraphError("BadRequest", f"The query option '{name}' is not supported.")
    options = Options()
    if "$top" in query:
        options.top = _whole("$top", query["$top"], 1, MAX_TOP)
    if "$skip" in query:
        options.skip = _whole("$skip", query["$skip"], 0, 10 ** 8)
    if "$count" in query:
        if query["$count"] not in ("true", "false"):
            raise GraphError("BadRequest", "Invalid value for $count query option.")
        options.count = query["$count"] == "true"
    if query.get("$select"):
        options.select = _parse_select(query["$select"], properties, kind)
    if "$filter" in query:
        options.matches = parse_filter(query["$filter"])
    if "$orderby" in query:
        options.order = parse_order(query["$orderby"])
    return options


def _prefer_zone(found: Preferences, value: str) -> str:
    found.zone = zone_name(value)
    return f'outlook.timezone="{value}"'


def _prefer_body(found: Preferences, value: str) -> Optional[str]:
    found.text = value.lower() == "text"
    return f'outlook.body-content-type="{value.lower()}"' if value.lower() in ("text", "html") else None


def _prefer_page(found: Preferences, value: str) -> Optional[str]:
    if not value.isdigit() or not 1 <= int(value) <= MAX_TOP:
        return None
    found.page = int(value)
    return f"odata.maxpagesize={value}"


def _prefer_ids(found: Preferences, value: str) -> Optional[str]:
    found.immutable = value.lower() == "immutableid"
    return 'IdType="ImmutableId"' if found.immutable else None


PREFERENCES = {"outlook.timezone": _prefer_zone, "outlook.body-content-type": _prefer_body,
               "odata.maxpagesize": _prefer_page, "idtype": _prefer_ids}


def parse_preferences(call: Call) -> Preferences:
    found = Preferences()
    for match in _PREFERENCE.finditer(",".join(call.header_values("Prefer"))):
        apply = PREFERENCES.get(match[1].lower())
        applied = apply and apply(found, match[2] if match[2] is not None else match[3] or "")
        if applied:
            found.applied.append(applied)
    return found


def arrange(events: list, options: Options) -> list:
    chosen = [event for event in events if all(match(event) for match in options.matches)]
    # Graph promises no order unless asked, so there is none that a client could come to rely on.
    chosen.sort(key=lambda event: event.change_key + event.id)
    for value_of, descending in reversed(options.order):
        chosen.sort(key=value_of, reverse=descending)
    return chosen


def page(call: Call, found: list, options: Options, preferences: Preferences) -> tuple:
    """(the page's members, nextLink or None)."""
    size = options.top or preferences.page or DEFAULT_PAGE
    members = found[options.skip:options.skip + size]
    if options.skip + size >= len(found):
        return members, None
    kept = [(name, value) for name, value in call.query if name.lower() != "$skip"]
    kept.append(("$skip", str(options.skip + size)))
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in kept)
    return members, f"{call.base}{call.path}?{query}"


def select(shown: dict, options: Options, view: bool) -> dict:
    if options.select is None:
        return shown
    names = set(options.select) | {"id", "@odata.etag"}
    if view:
        # Recorded of the real service: a view hides these unless or even if they are selected.
        names -= {"createdDateTime", "lastModifiedDateTime"}
        if "isOnlineMeeting" not in names:
            names.discard("onlineMeeting")
    return {name: value for name, value in shown.items() if name in names}


def window(query: dict, longest_days: int) -> tuple:
    """The instants of startDateTime and endDateTime. A '+' that was not encoded is a space, and refused."""
    given: Any = [query.get("startdatetime"), query.get("enddatetime")]
    if not all(given):
        raise GraphError("ErrorInvalidParameter", "This request requires a time window specified by the query string "
                         "parameters StartDateTime and EndDateTime.")
    try:
        start, end = (parse_instant(text) for text in given)
    except (ValueError, OverflowError) as exc:
        raise GraphError("ErrorInvalidParameter", "The value of StartDateTime or EndDateTime is invalid.") from exc
    if end < start:
        raise GraphError("ErrorInvalidParameter", "EndDateTime is before StartDateTime.")
    if end - start > dt.timedelta(days=longest_days):
        raise GraphError("ErrorInvalidRequest", f"Requested calendar duration is too long: at most {longest_days} days.")
    return start, end
