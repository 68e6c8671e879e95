# SPDX-License-Identifier: MIT
"""One simulator for all tests of this folder; each test gets a user of its own."""

import base64
import http.client
import json
import secrets
import ssl
import types
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest

from sim.client import Sim

CALLBACK = "http://localhost:8080/cb?site=one"
SCOPE = "openid profile email offline_access User.Read Calendars.ReadWrite"


def fetch(method, url, headers=None, body=None, ca_file=None, timeout=10):
    """(status, headers, body): the body parsed when it is JSON."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(parts.netloc, timeout=timeout, context=ssl.create_default_context(cafile=ca_file))
    else:
        connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, headers or {})
        answer = connection.getresponse()
        data = answer.read()
        kind = answer.headers.get_content_type()
        return answer.status, answer.headers, json.loads(data) if kind == "application/json" and data else data
    finally:
        connection.close()


class Site:
    """What a site does: authorization requests, code exchanges, refreshes, calls to Graph."""

    def __init__(self, sim, user):
        self.sim, self.user = sim, user
        self.token = None

    def auth_url(self, tenant=None, **changes):
        params = {"client_id": self.sim.client_id, "response_type": "code", "redirect_uri": CALLBACK, "scope": SCOPE,
                  "state": "st&te=1", "nonce": "n-1", **changes}
        query = urlencode({name: value for name, value in params.items() if value is not None})
        return f"{self.sim.http}/{tenant or self.sim.tenant_id}/oauth2/v2.0/authorize?{query}"

    def callback(self, **rest):
        """The parameters that the site's callback gets."""
        options = {name: rest.pop(name) for name in ("user", "deny", "browser") if name in rest}
        url = self.sim.authorize(self.auth_url(**rest), **{"user": self.user, **options})
        assert url.startswith(CALLBACK + "&"), url
        return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))

    def post(self, form, tenant=None, headers=None, raw=None):
        body = raw if raw is not None else urlencode({name: value for name, value in form.items() if value is not None})
        return fetch("POST", f"{self.sim.http}/{tenant or self.sim.tenant_id}/oauth2/v2.0/token",
                     {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}, body)

    def exchange(self, code, tenant=None, headers=None, **changes):
        return self.post({"client_id": self.sim.client_id, "client_secret": self.sim.client_secret, "code": code,
                          "grant_type": "authorization_code", "redirect_uri": CALLBACK, **changes}, tenant, headers)

    def refresh(self, refresh_token, tenant=None, headers=None, **changes):
        return self.post({"client_id": self.sim.client_id, "client_secret": self.sim.client_secret,
                          "grant_type": "refresh_token", "refresh_token": refresh_token, **changes}, tenant, headers)

    def graph(self, method, path, body=None, prefer=None, headers=None, **query):
        """path below /v1.0, or a whole URL (a nextLink)."""
        if self.token is None:
            self.token = self.sim.mint(self.user)["access_token"]
        url = path if path.startswith("http") else f"{self.sim.http}/v1.0{path}"
        if query:
            url += "?" + "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in query.items())
        given = {"Authorization": f"Bearer {self.token}", **({"Prefer": prefer} if prefer else {}), **(headers or {})}
        if body is not None:
            given.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return fetch(method, url, given, body)

    def create(self, start="2027-03-01T10:00:00", end="2027-03-01T11:00:00", zone="UTC", path="/me/events", **rest):
        status, _, event = self.graph("POST", path, {"subject": "x", "start": {"dateTime": start, "timeZone": zone},
                                                     "end": {"dateTime": end, "timeZone": zone}, **rest})
        assert status == 201, event
        return event

    def view(self, start, end, prefer=None, **query):
        status, _, answer = self.graph("GET", "/me/calendarView", prefer=prefer, startDateTime=start, endDateTime=end,
                                       **{"$orderby": "start/dateTime", "$top": "1000", **query})
        assert status == 200, answer
        return answer["value"]

    def refused(self, *arguments, **rest):
        """(status, code) of a Graph call that fails."""
        status, _, answer = self.graph(*arguments, **rest)
        return status, answer["error"]["code"]


def claims_of(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


@pytest.fixture(scope="session")
def tools():
    return types.SimpleNamespace(fetch=fetch, claims_of=claims_of, CALLBACK=CALLBACK, SCOPE=SCOPE, Site=Site)


@pytest.fixture(scope="session")
def sim(tmp_path_factory):
    with Sim(tmp_path_factory.mktemp("sim")) as running:
        yield running


@pytest.fixture
def site(sim):
    """A fresh user's site; whatever a test injected is gone afterwards."""
    sim.app(redirect_uris=[CALLBACK])
    key = f"u{secrets.token_hex(4)}"
    sim.user(key, consented=True)
    yield Site(sim, key)
    sim.reset()
