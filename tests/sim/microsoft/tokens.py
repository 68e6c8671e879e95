# SPDX-License-Identifier: MIT
"""Codes and tokens: their shapes, their lives, and a ledger of every secret that was ever seen."""

import base64
import os
import time
from dataclasses import dataclass, field
from typing import Optional

from .keys import b64url

CODE_LIFE_S = 600
REFRESH_LIFE_S = 90 * 24 * 3600


@dataclass
class Code:
    value: str
    user: str
    client_id: str
    tenant_path: str
    redirect_uri: str
    scopes: list
    nonce: Optional[str]
    challenge: Optional[str]
    method: str
    prefixed: bool = False
    created: float = field(default_factory=time.time)
    used: bool = False


@dataclass
class RefreshToken:
    value: str
    user: str
    client_id: str
    scopes: list
    spa: bool = False
    prefixed: bool = False
    created: float = field(default_factory=time.time)
    refused: Optional[int] = None


@dataclass
class AccessToken:
    value: str
    user: str
    client_id: str
    scopes: list
    expires: float
    refused: Optional[str] = None


def _work_token() -> str:
    """Shaped like Graph's own: three parts, the middle of which is nobody's business."""
    header = b64url(b'{"typ":"JWT","nonce":"' + b64url(os.urandom(32)).encode() + b'","alg":"RS256"}')
    return f"{header}.{b64url(os.urandom(900))}.{b64url(os.urandom(256))}"


def _personal_token() -> str:
    """Compact tokens of personal accounts are plain base64, with '+', '/' and '='."""
    return "EwB4A8l6BAAU" + base64.b64encode(os.urandom(1000)).decode()


def _personal_opaque(kind: str, size: int) -> str:
    """Codes and refresh tokens of personal accounts hold '!', '*' and '$'."""
    return f"M.C5{kind}_BAY.0.U.-" + b64url(os.urandom(size)).replace("_", "!*").replace("-", "*") + "$$"


def _work_opaque(size: int) -> str:
    return f"1.AXoA{b64url(os.urandom(24))}.AgABAwEAAAB{b64url(os.urandom(size))}"


class Ledger:
    """`issued` holds every secret value that was given out or received, for those who look for leaks."""

    def __init__(self):
        self.codes: dict = {}
        self.refresh: dict = {}
        self.access: dict = {}
        self.issued: dict = {}

    def note(self, kind: str, value: Optional[str], user: Optional[str] = None) -> None:
        if value:
            self.issued.setdefault((kind, value), {"kind": kind, "value": value, "user": user, "time": time.time()})

    def new_code(self, personal: bool, **fields) -> Code:
        value = _personal_opaque("02", 800) if personal else _work_opaque(900)
        code = Code(value=value, **fields)
        self.codes[value] = code
        self.note("code", value, code.user)
        return code

    def new_refresh(self, personal: bool, **fields) -> RefreshToken:
        value = _personal_opaque("5x", 700) if personal else _work_opaque(800)
        token = RefreshToken(value=value, **fields)
        self.refresh[value] = token
        self.note("refresh_token", value, token.user)
        return token

    def new_access(self, personal: bool, lifetime_s: float, **fields) -> AccessToken:
        value = _personal_token() if personal else _work_token()
        token = AccessToken(value=value, expires=time.time() + lifetime_s, **fields)
        self.access[value] = token
        self.note("access_token", value, token.user)
        return token

    def new_app_access(self) -> str:
        """An application's own token: Graph's /me refuses it."""
        value = _work_token()
        self.note("access_token", value)
        return value

    def newest(self, user: Optional[str], kind: str) -> Optional[str]:
        found = [row for row in self.issued.values() if row["kind"] == kind and (user is None or row["user"] == user)]
        return found[-1]["value"] if found else None

    def revoke(self, user: Optional[str], number: int) -> int:
        """Refuses every refresh token given so far, with that AADSTS number; later ones are good."""
        tokens = [item for item in self.refresh.values() if user is None or item.user == user]
        for token in tokens:
            token.refused = number
        return len(tokens)

    def expire_access(self, user: Optional[str], reason: str) -> int:
        tokens = [item for item in self.access.values() if user is None or item.user == user]
        for token in tokens:
            token.refused = reason
        return len(tokens)

    def forget(self, user: str) -> None:
        for table in (self.codes, self.refresh, self.access):
            for value in [value for value, item in table.items() if item.user == user]:
                del table[value]
