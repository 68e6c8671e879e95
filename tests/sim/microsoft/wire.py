# SPDX-License-Identifier: MIT
"""Requests and replies as plain values, so that only server.py and play.py know aiohttp."""

import html
import json
import re
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Mapping, Optional
from urllib.parse import unquote

JSON_TYPE = "application/json; charset=utf-8"
FORM_TYPE = "application/x-www-form-urlencoded"
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


class FormError(ValueError):
    """A query or a form that is not well-formed; the argument says what is wrong."""


@dataclass
class Call:
    """One request. `notes` is what handlers want the journal to know."""

    base: str
    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    header_items: list
    body: bytes = b""
    cookies: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    user: Optional[str] = None
    notes: dict = field(default_factory=dict)

    @property
    def segments(self) -> list:
        """Path segments, decoded one by one: an encoded slash stays inside its segment."""
        return [unquote(part) for part in self.path.strip("/").split("/")]

    @property
    def query(self) -> list:
        return parse_pairs(self.raw_query)

    @property
    def media_type(self) -> str:
        return self.headers.get("Content-Type", "").split(";")[0].strip().lower()

    @property
    def form(self) -> list:
        return parse_pairs(self.body.decode("utf-8", "strict"))

    def header_values(self, name: str) -> list:
        return [value for key, value in self.header_items if key.lower() == name.lower()]


@dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    headers: list = field(default_factory=list)

    def header(self, name: str) -> Optional[str]:
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None

    def set_header(self, name: str, value: str) -> None:
        self.headers = [(k, v) for k, v in self.headers if k.lower() != name.lower()]
        self.headers.append((name, value))


def decode_component(text: str) -> str:
    """Strict decoding: a stray '%' or a byte that is not UTF-8 is an error, never a guess."""
    if _BAD_PERCENT.search(text):
        raise FormError("malformed percent-encoding")
    try:
        return unquote(text.replace("+", " "), errors="strict")
    except UnicodeDecodeError as exc:
        raise FormError("not UTF-8") from exc


def parse_pairs(text: str) -> list:
    pairs = []
    for part in text.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((decode_component(name), decode_component(value)))
    return pairs


def single_values(pairs: list) -> dict:
    """The pairs as a dict; a name that comes twice is refused, as the real endpoints do."""
    values: dict = {}
    for name, value in pairs:
        if name in values:
            raise FormError(f"The parameter '{name}' is duplicated.")
        values[name] = value
    return values


def json_reply(value: Any, status: int = 200, headers: Optional[list] = None) -> Reply:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status, body, [("Content-Type", JSON_TYPE), *(headers or [])])


def html_reply(page: str, status: int = 200, headers: Optional[list] = None) -> Reply:
    return Reply(status, page.encode(), [("Content-Type", "text/html; charset=utf-8"),
                                         ("Cache-Control", "no-store, no-cache"), *(headers or [])])


def redirect(location: str, headers: Optional[list] = None) -> Reply:
    body = f'<html><head><title>Object moved</title></head><body><a href="{html.escape(location)}">here</a></body></html>'
    return Reply(302, body.encode(), [("Location", location), ("Content-Type", "text/html; charset=utf-8"),
                                      ("Cache-Control", "no-store, no-cache"), *(headers or [])])


def http_date(seconds: float) -> str:
    return formatdate(seconds, usegmt=True)
