# SPDX-License-Identifier: MIT
"""The main job without a person, in both realms: each step is printed with its status."""

import http.cookiejar
import json
import urllib.error
import urllib.parse
import urllib.request
from collections import namedtuple
from datetime import datetime, timedelta, timezone

# A realm as a client sees it: where its API begins, and what its account is called.
Realm = namedtuple("Realm", "name prefix account")
REALMS = (Realm("main", "/api/v1", "user"), Realm("beta", "/api/v1/beta", "teacher"))

Answer = namedtuple("Answer", "status headers body")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    """A client with cookies and, once it has one, a JWT; it follows no redirect by itself."""

    def __init__(self, site, context=None):
        self.site = site
        self.token = None
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(_NoRedirect, cookies, urllib.request.ProxyHandler({}),
                                                   urllib.request.HTTPSHandler(context=context))

    def call(self, method, url, body=None, accept="application/json"):
        """One request; the answer, whatever its status. body is sent as JSON; a JSON answer is parsed."""
        headers = {"Accept": accept}
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body).encode("utf-8")
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        request = urllib.request.Request(urllib.parse.urljoin(self.site, url), body, headers, method=method)
        try:
            with self._opener.open(request, timeout=60) as reply:
                return self._answer(reply)
        except urllib.error.HTTPError as reply:
            with reply:
                return self._answer(reply)

    @staticmethod
    def _answer(reply):
        text = reply.read().decode("utf-8", "replace")
        is_json = "json" in reply.headers.get("Content-Type", "")
        return Answer(reply.status, reply.headers, json.loads(text) if is_json and text else text)


class Failed(Exception):
    """A step did not end as it must."""


class Smoke:
    """Goes through the main job on a site; authorize(url, user) is the person at Microsoft's page; context is for https."""

    def __init__(self, site, authorize, context=None):
        self.site = site
        self.context = context
        self.authorize = authorize
        self.steps = 0

    def run(self, users):
        """Both realms with a user each; true when every step worked."""
        try:
            for realm, user in zip(REALMS, users):
                self._realm(realm, user)
        except (Failed, OSError, ValueError) as fault:
            print(f"      {fault}", flush=True)
            return False
        print(f"{self.steps} steps, all of them worked", flush=True)
        return True

    def _step(self, realm, what, answer, status):
        self.steps += 1
        good = answer.status == status
        print(f"{'ok  ' if good else 'FAIL'}  {realm.name:<5} {what:<48} {answer.status}", flush=True)
        if not good:
            raise Failed(f"expected {status}; the answer was: {answer.body}")
        return answer

    def _must(self, fact, sentence):
        if not fact:
            raise Failed(sentence)

    def _realm(self, realm, user):
        browser = Browser(self.site, self.context)
        self._sign_in(browser, realm, user)
        answer = self._step(realm, "who am I", browser.call("GET", f"{realm.prefix}/auth/microsoft/user"), 200)
        self._must(answer.body["microsoft"]["connected"] and realm.account in answer.body, "not connected")
        self._calendar(browser, realm)
        self._step(realm, "disconnect", browser.call("DELETE", f"{realm.prefix}/auth/microsoft/token"), 200)
        answer = self._step(realm, "who am I now", browser.call("GET", f"{realm.prefix}/auth/microsoft/user"), 200)
        self._must(answer.body["microsoft"]["connected"] is False, "still connected after the disconnect")
        self._step(realm, "the calendar is closed",
                   browser.call("GET", f"{realm.prefix}/integration/microsoft/calendar/"), 401)

    def _sign_in(self, browser, realm, user):
        back = self.site + "/"
        start = f"{realm.prefix}/auth/microsoft/?" + urllib.parse.urlencode({"return_to": back})
        answer = self._step(realm, "start: sent to Microsoft", browser.call("GET", start, accept="text/html"), 302)
        callback = self.authorize(answer.headers["Location"], user)
        answer = self._step(realm, "callback: sent back to the page", browser.call("GET", callback, accept="text/html"), 303)
        target = answer.headers["Location"]
        code = urllib.parse.parse_qs(urllib.parse.urlsplit(target).query).get("session_code")
        self._must(target.startswith(back) and code, f"no session code in {target}")
        body = {"session_code": code[0]}
        exchange = f"{realm.prefix}/auth/microsoft/exchange"
        answer = self._step(realm, "session code exchanged for a token", browser.call("POST", exchange, body), 200)
        self._step(realm, "the same code again is refused", browser.call("POST", exchange, body), 400)
        browser.token = answer.body["access_token"]
        answer = self._step(realm, "token refreshed", browser.call(
            "POST", f"{realm.prefix}/auth/refresh", {"refresh_token": answer.body["refresh_token"]}), 200)
        browser.token = answer.body["access_token"]

    def _calendar(self, browser, realm):
        calendars = f"{realm.prefix}/integration/microsoft/calendar/"
        events = calendars + "events"
        answer = self._step(realm, "calendars", browser.call("GET", calendars), 200)
        self._must(answer.body["event"]["default_calendar"], "no default calendar")
        now = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0)
        span = urllib.parse.urlencode({"start_time": _rfc3339(now - timedelta(days=7)), "limit": "200",
                                       "end_time": _rfc3339(now + timedelta(days=7))})
        before = self._step(realm, "events of a fortnight", browser.call("GET", f"{events}?{span}"), 200).body["events"]
        self._must(before, "the fortnight is empty")
        begin = now + timedelta(hours=1)
        made = self._step(realm, "event created", browser.call("POST", events, {
            "subject": "Smoke: naïve café ☕", "start": _rfc3339(begin), "end": _rfc3339(begin + timedelta(minutes=30)),
            "location": "Room 2", "attendees": ["guest@example.org"], "reminder_minutes": 0}), 201)
        event = f"{events}/{urllib.parse.quote(made.body['event']['id'], safe='')}"
        self._step(realm, "event read", browser.call("GET", event), 200)
        answer = self._step(realm, "event changed", browser.call("PATCH", event, {"subject": "Smoke: changed"}), 200)
        self._must(answer.body["event"]["subject"] == "Smoke: changed", "the subject did not change")
        after = self._step(realm, "events, now one more", browser.call("GET", f"{events}?{span}"), 200).body["events"]
        self._must(len(after) == len(before) + 1, f"{len(before)} events before, {len(after)} after")
        self._step(realm, "a subject that is empty is refused", browser.call("PATCH", event, {"subject": ""}), 422)
        self._step(realm, "event deleted", browser.call("DELETE", event), 200)
        self._step(realm, "event is gone", browser.call("GET", event), 404)


def _rfc3339(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
