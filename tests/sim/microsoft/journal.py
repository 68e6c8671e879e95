# SPDX-License-Identifier: MIT
"""What the simulator was asked: a list of requests and counters, per user and overall."""

import itertools
import json
import time
from collections import Counter, defaultdict
from typing import Optional

from .wire import FORM_TYPE, Call, FormError, Reply

SECRET_FIELDS = ("client_secret", "code", "refresh_token", "code_verifier", "client_assertion", "id_token_hint")
SHOWN_HEADERS = ("accept", "client-request-id", "content-type", "host", "if-match", "if-none-match", "origin", "prefer",
                 "referer", "return-client-request-id", "user-agent")
MAX_BODY = 64 * 1024
MAX_ENTRIES = 20000


def _split(pairs: list) -> tuple:
    shown = [(name, "***" if name in SECRET_FIELDS else value) for name, value in pairs]
    return shown, {name: value for name, value in pairs if name in SECRET_FIELDS}


def _folded(pairs: list) -> dict:
    """A dict; a name that came more than once has the list of its values."""
    found: dict = {}
    for name, value in pairs:
        found[name] = [*found[name], value] if isinstance(found.get(name), list) else (
            [found[name], value] if name in found else value)
    return found


class Journal:
    def __init__(self):
        self.entries: list = []
        self.counters: dict = defaultdict(Counter)
        self._number = itertools.count(1)
        self.now_open = Counter()

    def begin(self, call: Call) -> dict:
        secrets: dict = {}
        entry = {"n": next(self._number), "time": time.time(), "target": call.target, "method": call.method,
                 "path": call.path, "host": call.headers.get("Host", ""), "tls": call.base.startswith("https:")}
        try:
            query, secrets = _split(call.query)
            entry["query"] = _folded(query)
        except FormError:
            entry["query"] = {}
        entry["raw_query"] = "" if secrets else call.raw_query
        entry["headers"] = {name: ", ".join(call.header_values(name)) for name in SHOWN_HEADERS if call.headers.get(name)}
        secrets.update(self._body(call, entry))
        if call.headers.get("Authorization"):
            entry["headers"]["authorization"] = call.headers["Authorization"].split(" ")[0] + " ***"
            secrets["authorization"] = call.headers["Authorization"]
        entry["secrets"] = secrets
        self.entries.append(entry)
        del self.entries[:-MAX_ENTRIES]
        return entry

    @staticmethod
    def _body(call: Call, entry: dict) -> dict:
        if not call.body:
            return {}
        try:
            if call.media_type == FORM_TYPE:
                form, secrets = _split(call.form)
                entry["form"] = _folded(form)
                return secrets
            if len(call.body) <= MAX_BODY and call.target == "graph":
                entry["body"] = json.loads(call.body)
        except (FormError, ValueError):
            entry["bad_body"] = True
        return {}

    def start(self, call: Call) -> None:
        self.now_open[call.target] += 1
        self._peak(f"{call.target}_peak", self.now_open[call.target], None)
        if call.user:
            self.now_open[call.user] += 1
            self._peak(f"{call.target}_peak", self.now_open[call.user], call.user)

    def _peak(self, name: str, value: int, user: Optional[str]) -> None:
        self.counters[user][name] = max(self.counters[user][name], value)

    def end(self, call: Call, entry: dict, reply: Optional[Reply]) -> None:
        self.now_open[call.target] -= 1
        if call.user and self.now_open[call.user]:
            self.now_open[call.user] -= 1
        entry.update(call.notes)
        entry["user"] = call.user
        entry["status"] = reply.status if reply else None
        entry["ms"] = round((time.time() - entry["time"]) * 1000, 1)
        names = [call.target]
        if call.target == "graph":
            names.append(f"graph_{call.method.lower()}")
        if call.notes.get("grant"):
            names.append(call.notes["grant"])
        outcome = "ok" if reply and reply.status < 400 else "failed"
        names.extend([f"{name}_{outcome}" for name in names[1:] or names])
        for name in names:
            self.count(name, call.user)

    def count(self, name: str, user: Optional[str] = None) -> None:
        self.counters[None][name] += 1
        if user:
            self.counters[user][name] += 1

    def find(self, wanted: dict, with_secrets: bool) -> list:
        """Entries whose fields equal those wanted; `since` is the number of the last one already seen."""
        since = int(wanted.pop("since", 0))
        found = [item for item in self.entries
                 if item["n"] > since and all(str(item.get(name)) == value for name, value in wanted.items())]
        return found if with_secrets else [{k: v for k, v in item.items() if k != "secrets"} for item in found]
