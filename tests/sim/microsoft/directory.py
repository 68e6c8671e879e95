# SPDX-License-Identifier: MIT
"""Tenants, users, apps and consents, and what the simulator starts with."""

import uuid
from dataclasses import asdict, dataclass, field
from typing import Optional

from .keys import CONSUMER_TENANT
from .mailbox import Mailbox

SCHOOL = "3c9e6f0a-51b7-4a3e-8d22-7b1f5a9c0e44"
PARTNER = "b7d41c52-9a0e-4f6d-8c31-2e5f60a7d913"
CLIENT_ID = "6f1d2c3b-4a59-4e68-97a1-0b2c3d4e5f60"
CLIENT_SECRET = "Sim8Q~not.a.real-secret_but+shaped/like=one~7Yx"
MULTI_TENANT_PATHS = ("common", "organizations", "consumers")

# Every delegated scope that may be asked for; spelled as Graph spells it.
SCOPES = ("openid", "profile", "email", "offline_access", "User.Read", "User.ReadBasic.All", "Calendars.Read",
          "Calendars.ReadBasic", "Calendars.ReadWrite", "Calendars.Read.Shared", "Calendars.ReadWrite.Shared",
          "Contacts.Read", "Contacts.ReadWrite", "Mail.Read", "Mail.ReadWrite", "Mail.Send", "MailboxSettings.Read",
          "MailboxSettings.ReadWrite", "Files.Read", "OnlineMeetings.ReadWrite", "People.Read", "Tasks.ReadWrite")
SCOPE_NAMES = {name.lower(): name for name in SCOPES}
OIDC_SCOPES = ("openid", "profile", "email", "offline_access")


@dataclass
class Tenant:
    id: str
    name: str
    domains: list = field(default_factory=list)
    region: Optional[str] = "EU"


@dataclass
class User:
    """`email` is the claim, `mail` Graph's property; either may be None. `approval` is "user" or "admin"."""

    key: str
    tid: str
    oid: str
    name: str
    upn: str
    email: Optional[str] = None
    mail: Optional[str] = None
    given_name: Optional[str] = None
    surname: Optional[str] = None
    job_title: Optional[str] = None
    language: Optional[str] = "en-GB"
    listed: bool = True
    mailbox: bool = True
    approval: str = "user"
    extra_claims: dict = field(default_factory=dict)

    @property
    def personal(self) -> bool:
        return self.tid == CONSUMER_TENANT

    @property
    def graph_id(self) -> str:
        """Graph shows personal accounts by 16 hex digits, not by their oid."""
        return self.oid.replace("-", "")[16:] if self.personal else self.oid


@dataclass
class App:
    """`audience`: single, multi (any work account), all (personal ones too), consumers.
    `secrets`: [{"value", "expires"}], where expires is seconds since 1970 or None."""

    client_id: str
    name: str
    tenant: str
    audience: str = "single"
    secrets: list = field(default_factory=list)
    redirect_uris: list = field(default_factory=list)
    spa_redirect_uris: list = field(default_factory=list)
    logout_uris: list = field(default_factory=list)
    id_token_implicit: bool = False
    public: bool = False
    enabled: bool = True


TENANTS = [
    {"id": SCHOOL, "name": "Example School", "domains": ["example.onmicrosoft.com", "example.com"]},
    {"id": PARTNER, "name": "Partner College", "domains": ["partner.onmicrosoft.com", "partner.example"]},
    {"id": CONSUMER_TENANT, "name": "Personal accounts", "domains": [], "region": None},
]
USERS = [
    {"key": "sam", "tid": SCHOOL, "oid": "6f0d5a8e-2b41-4c77-9e03-1d8a52c6b7f1", "name": "Sam Berg", "given_name": "Sam",
     "surname": "Berg", "upn": "sam@example.com", "email": "sam@example.com", "mail": "sam@example.com", "job_title": "Teacher"},
    {"key": "noor", "tid": SCHOOL, "oid": "a2c17e94-7f38-4d0b-b5e6-90c4d3f1a8b2", "name": "Noor Vos", "given_name": "Noor",
     "surname": "Vos", "upn": "noor@example.com", "email": "noor@example.com", "mail": "noor@example.com",
     "job_title": "Head of year"},
    {"key": "robin", "tid": SCHOOL, "oid": "d95b3f20-6c1a-4e8d-a7f4-38b2e0c5917d", "name": "Robin Nomail",
     "given_name": "Robin", "surname": "Nomail", "upn": "robin@example.onmicrosoft.com",
     "email": None, "mail": None},
    {"key": "kim", "tid": PARTNER, "oid": "0e8f4b6c-d312-49a5-8b7e-c65a1f90d284", "name": "Kim Park", "given_name": "Kim",
     "surname": "Park", "upn": "kim@partner.example", "email": "kim@partner.example", "mail": "kim@partner.example"},
    {"key": "alex", "tid": CONSUMER_TENANT, "oid": "00000000-0000-0000-7a3c-91e5d04f2b68", "name": "Alex Home",
     "given_name": "Alex", "surname": "Home", "upn": "alex@outlook.example", "email": "alex@outlook.example",
     "mail": "alex@outlook.example"},
]
APPS = [{"client_id": CLIENT_ID, "name": "Example site", "tenant": SCHOOL,
         "secrets": [{"value": CLIENT_SECRET, "expires": None}],
         "redirect_uris": ["http://localhost:8080/api/v1/auth/microsoft/callback"]}]


class Directory:
    def __init__(self, config: Optional[dict] = None):
        config = config or {}
        self.tenants: dict = {}
        self.users: dict = {}
        self.apps: dict = {}
        self.mailboxes: dict = {}
        self.consents: dict = {}
        for row in [*TENANTS, *config.get("tenants", [])]:
            self.put_tenant(row)
        for row in [*USERS, *config.get("users", [])]:
            self.put_user(row)
        for row in [*APPS, *config.get("apps", [])]:
            self.put_app(row)

    def put_tenant(self, row: dict) -> Tenant:
        current = asdict(self.tenants[row["id"]]) if row["id"] in self.tenants else {"name": row["id"]}
        self.tenants[row["id"]] = Tenant(**{**current, **row})
        return self.tenants[row["id"]]

    def put_user(self, row: dict) -> User:
        """Creates or changes; everything but the key has a sensible default."""
        key = row["key"]
        current = asdict(self.users[key]) if key in self.users else {
            "tid": SCHOOL, "oid": str(uuid.uuid4()), "name": key.title(), "upn": f"{key}@example.com",
            "email": f"{key}@example.com", "mail": f"{key}@example.com"}
        user = User(**{**current, **row})
        if user.tid not in self.tenants:
            self.put_tenant({"id": user.tid})
        self.users[key] = user
        if key not in self.mailboxes:
            self.mailboxes[key] = Mailbox(user.name, user.mail or user.upn, [] if user.personal else ["teamsForBusiness"])
        return user

    def drop_user(self, key: str) -> None:
        self.users.pop(key)
        self.mailboxes.pop(key)
        self.consents = {pair: scopes for pair, scopes in self.consents.items() if pair[0] != key}

    def reset_user(self, key: str) -> None:
        """A fresh mailbox and no consents; the account itself stays."""
        user = self.users[key]
        self.drop_user(key)
        self.put_user(asdict(user))

    def put_app(self, row: dict) -> App:
        client_id = row["client_id"]
        current = asdict(self.apps[client_id]) if client_id in self.apps else {"name": client_id, "tenant": SCHOOL}
        self.apps[client_id] = App(**{**current, **row})
        return self.apps[client_id]

    def tenant_of_path(self, name: str) -> Optional[Tenant]:
        """The tenant of a GUID or a verified domain; `consumers` is a tenant too."""
        name = CONSUMER_TENANT if name.lower() == "consumers" else name.lower()
        return next((item for item in self.tenants.values() if name == item.id or name in item.domains), None)

    def find_user(self, text: str) -> Optional[User]:
        wanted = text.strip().lower()
        return next((user for user in self.users.values() if wanted in (user.key.lower(), user.upn.lower())), None)

    def consented(self, user: User, app: App) -> set:
        return self.consents.setdefault((user.key, app.client_id), set())
