# SPDX-License-Identifier: MIT
"""Every secret that the tests saw pass by, for the test at the end that looks for them where they must not be."""

import json
import re
from urllib.parse import unquote

# In query strings; in JSON "code" and "state" are other things.
_QUERY = re.compile(r"\b(session_code|state|nonce|code|code_verifier|client_secret)=([^&#\s\"\\]+)")
_MEMBER = re.compile(r'"(access_token|refresh_token|id_token|session_code)": ?"([^"]+)"')
_COOKIE = re.compile(r"^[^=;]+=([^;]*)")
# Shorter ones are a test's own: "nonsense", "x".
SHORTEST = 16

VALUES = {}


def note(kind, value):
    """Keeps one secret."""
    if value and len(value) >= SHORTEST:
        VALUES.setdefault(value, kind)


def note_text(text):
    """Keeps what a URL or a JSON text holds under a secret's name."""
    for name, value in [*_QUERY.findall(text or ""), *_MEMBER.findall(text or "")]:
        note(name, value)
        note(name, unquote(value))


def note_cookies(headers):
    """Keeps the values of Set-Cookie."""
    for cookie in headers.get_all("Set-Cookie") or []:
        found = _COOKIE.match(cookie)
        if found:
            note("cookie", found[1])


def note_exchange(token, url, body, answer):
    """Keeps the secrets of one call of the API."""
    note("jwt", token)
    note_cookies(answer.headers)
    for text in (url, json.dumps(body), answer.headers.get("Location"),
                 answer.body if isinstance(answer.body, str) else json.dumps(answer.body)):
        note_text(text)
