# SPDX-License-Identifier: MIT
"""Everything that the simulator knows, in one place, so that a reset is one call."""

import time
from typing import Optional

from .directory import Directory
from .faults import Faults
from .journal import Journal
from .keys import KeyRing
from .tokens import CODE_LIFE_S, REFRESH_LIFE_S, Ledger

# name -> (default, meaning); control's /settings reads and writes these
SETTINGS = {
    "sso": (False, "a browser that has signed in once is not shown the picker again"),
    "empty_fragment": (True, "redirects to the site end in '#', as Microsoft's do"),
    "code_lifetime_s": (CODE_LIFE_S, "life of an authorization code"),
    "refresh_lifetime_s": (REFRESH_LIFE_S, "life of a refresh token"),
    "expires_in": (None, "life of access tokens; null: 60 to 90 minutes at random, as Microsoft's"),
    "refresh_in": (None, "sent as refresh_in when set"),
    "scope_prefix": (None, "Graph's scopes in token answers: true https://graph.microsoft.com/NAME, false NAME, null as asked"),
    "mailbox_concurrency": (None, "more requests at once for one mailbox answer 429; Microsoft's number is 4"),
    "join_url_delay_ms": (0, "a new online meeting's joinUrl appears this much later"),
    "date_skew_s": (0, "added to the Date header"),
    "token_skew_s": (0, "added to iat, nbf and exp of ID tokens"),
    "cae": (False, "clients that declare cp1 get access tokens of 20 to 28 hours"),
}


class World:
    def __init__(self, config: Optional[dict] = None):
        self.config = config or {}
        self.keys = KeyRing()
        self.bases: dict = {}
        self.reset()

    def reset(self) -> None:
        self.directory = Directory(self.config)
        self.ledger = Ledger()
        self.journal = Journal()
        self.faults = Faults()
        self.token_options: list = []
        self.flows: dict = {}
        self.sessions: dict = {}
        self.settings = {name: default for name, (default, _) in SETTINGS.items()}
        self.settings.update(self.config.get("settings", {}))
        self.keys.reset()
        for app in self.directory.apps.values():
            for secret in app.secrets:
                self.ledger.note("client_secret", secret["value"])

    def reset_user(self, key: str) -> None:
        self.directory.reset_user(key)
        self.ledger.forget(key)
        self.faults.drop_user(key)
        self.token_options = [row for row in self.token_options if row.get("user") != key]
        self.sessions = {cookie: keys - {key} for cookie, keys in self.sessions.items()}
        self.journal.counters.pop(key, None)

    def take_token_options(self, user: str, grant: str) -> dict:
        """The first matching answer options, used up by one."""
        for row in self.token_options:
            if row.get("user") in (None, user) and row.get("grant") in (None, grant):
                if row.get("count") is not None:
                    row["count"] -= 1
                    if row["count"] <= 0:
                        self.token_options.remove(row)
                return row
        return {}

    def now_for_date(self) -> float:
        return time.time() + self.settings["date_skew_s"]
