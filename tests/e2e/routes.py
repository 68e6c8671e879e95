# SPDX-License-Identifier: MIT
"""The table of src/web/route.c and the errors of base/err.h, read out of the sources."""

import re
from collections import namedtuple

from stack.stack import ROOT

Route = namedtuple("Route", "method path auth main_only root query")


def place(realm, route):
    """A route's whole path in a realm. What stands at the root is the main realm's; in the other there is nothing."""
    return f"/{route.path}" if route.root and realm.name == "main" else f"{realm.prefix}/{route.path}"


def routes():
    """The rows of the table of routes."""
    text = (ROOT / "src" / "web" / "route.c").read_text(encoding="utf-8")
    words = {}
    for name, value in re.findall(r"^#define (\w+) +((?:\"[^\"]*\"|\w+|[ ])+)$", text, re.M):
        words[name] = "".join(part[1:-1] if part[0] == '"' else words.get(part, "") for part in re.findall(r'"[^"]*"|\w+', value))
    table = re.search(r"gg_route routes\[\] = \{\n(.*?)\n\};", text, re.S)[1]
    rows = []
    for row in re.findall(r"^ {4}\{(.*?)\},?$(?=\n {4}[{/]|\Z)", table, re.S | re.M):
        own = re.search(r"(?:OWN|CALENDAR)\((\w+|\"[^\"]*\"), GG_(\w+),", row)
        path = own[1] if own else re.search(r"\.path = (\w+|\"[^\"]*\")", row)[1]
        query = re.search(r"\.query = \{([^}]*)\}", row)
        rows.append(Route(own[2] if own else re.search(r"\.method = GG_(\w+)", row)[1],
                          path[1:-1] if path[0] == '"' else words[path],
                          "CALLER" if own else (re.search(r"\.auth = GG_AUTH_(\w+)", row) or ["", "NONE"])[1],
                          ".is_main_only = true" in row, ".is_root = true" in row, tuple(re.findall(r'"(\w+)"', query[1])) if query else ()))
    assert len(rows) == len(re.findall(r"\bgg_on_\w+", table)), "a row of the table was not understood"
    return rows


def errors():
    """{(status, public code)} of GG_ERRORS."""
    text = (ROOT / "include" / "gg" / "base" / "err.h").read_text(encoding="utf-8")
    found = re.findall(r'\bX\(E\w+, (\d+), "(\w+)", GG_\w+,', text)
    assert len(found) == len(re.findall(r"\bX\(E", text)), "a row of the errors was not understood"
    return {(int(status), code) for status, code in found}
