# SPDX-License-Identifier: MIT
"""A plain client of the simulator: starts it, walks its pages as a browser would, and works its controls.

Only Python's standard library. Every method raises SimError when the simulator says no."""

import json
import os
import re
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from html import unescape
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, Optional
from urllib.parse import urlencode, urljoin, urlsplit

SIM = Path(__file__).resolve().parent / "sim.py"
PYTHON = "/usr/bin/python3"
START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 10


class SimError(Exception):
    """The simulator refused, or showed a page where a redirect was due. `page` is its text."""

    def __init__(self, text: str, page: str = ""):
        reason = re.search(r"AADSTS\d+: [^<\r\n]*", page)
        super().__init__(f"{text}: {unescape(reason[0])}" if reason else text)
        self.page = page


class _Forms(HTMLParser):
    """The forms of a page: [{"action", "fields": {hidden and text inputs}, "buttons": [(name, value)]}]."""

    def __init__(self, page: str):
        super().__init__()
        self.forms: list = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        given = dict(attrs)
        if tag == "form":
            self.forms.append({"action": given.get("action", ""), "fields": {}, "buttons": []})
        elif tag == "input" and self.forms and given.get("name"):
            self.forms[-1]["fields"][given["name"]] = given.get("value") or ""
        elif tag == "button" and self.forms and given.get("name"):
            self.forms[-1]["buttons"].append((given["name"], given.get("value") or ""))

    def press(self, name: str, value: Optional[str] = None) -> Optional[tuple]:
        """(action, fields) of the form with that button; None when there is none."""
        for form in self.forms:
            for button in form["buttons"]:
                if button[0] == name and value in (None, button[1]):
                    return form["action"], {**form["fields"], **dict([button])}
        return None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any) -> None:
        return None


class Browser:
    """Keeps cookies, follows no redirect. One per person."""

    def __init__(self, ca_file: Optional[str] = None):
        context = ssl.create_default_context(cafile=ca_file) if ca_file else None
        self.cookies = CookieJar()
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies), _NoRedirect(),
            *([urllib.request.HTTPSHandler(context=context)] if context else []))

    def open(self, url: str, form: Optional[dict] = None) -> tuple:
        """(status, Location or None, page)"""
        data = urlencode(form).encode() if form is not None else None
        try:
            answer = self.opener.open(urllib.request.Request(url, data), timeout=30)
        except urllib.error.HTTPError as exc:
            answer = exc
        with answer:
            return answer.status, answer.headers.get("Location"), answer.read().decode("utf-8", "replace")


class Sim:
    """One running simulator. Its methods are the control interface; see README.md for what each can do."""

    def __init__(self, directory, seed: Optional[str] = None, config: Optional[dict] = None, http_port: int = 0,
                 https_port: int = 0):
        self.dir = Path(directory)
        self._arguments = ["--dir", str(self.dir), "--http-port", str(http_port), "--https-port", str(https_port)]
        self._arguments += ["--seed", seed] if seed else []
        self._config = config
        self._process: Optional[subprocess.Popen] = None
        self.http = self.https = self.ca_file = self.control = self.client_id = self.client_secret = self.tenant_id = ""
        self.https_bad: dict = {}
        self.pid = 0

    def start(self) -> "Sim":
        self.dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.dir / "sim.json").unlink(missing_ok=True)
        arguments = [PYTHON, str(SIM), *self._arguments]
        if self._config is not None:
            path = self.dir / "config.json"
            path.write_text(json.dumps(self._config), encoding="utf-8")
            path.chmod(0o600)
            arguments += ["--config", str(path)]
        with open(self.dir / "sim.log", "wb") as log:
            self._process = subprocess.Popen(arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                             env={**os.environ, "PYTHONUNBUFFERED": "1"})
        deadline = time.monotonic() + START_TIMEOUT_S
        while not (self.dir / "sim.json").exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise SimError("the simulator did not start", (self.dir / "sim.log").read_text(errors="replace"))
            time.sleep(0.02)
        return self.attach()

    def attach(self) -> "Sim":
        """Uses a simulator that somebody else started in the same directory."""
        for name, value in json.loads((self.dir / "sim.json").read_text(encoding="utf-8")).items():
            setattr(self, name, value)
        return self

    def stop(self) -> int:
        """Ends it, by its process id; gives its exit status."""
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.poll() is None:
            process.terminate()
        try:
            return process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def __enter__(self) -> "Sim":
        return self.start()

    def __exit__(self, *_exc: Any) -> None:
        self.stop()

    # The control interface

    def call(self, method: str, path: str, body: Optional[dict] = None, query: Optional[dict] = None) -> dict:
        """One control request: call("POST", "faults", {...})."""
        url = f"{self.control}/{path}" + (f"?{urlencode(query)}" if query else "")
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as exc:
            text = exc.read().decode("utf-8", "replace")
            raise SimError(f"{method} {path}: {exc.code} {text}", text) from exc

    def reset(self, user: Optional[str] = None) -> None:
        """Back to what the start and its config gave, redirect URIs included; or one user's part only."""
        self.call("POST", "reset", {"user": user} if user else {})

    def seed(self, name: str = "demo") -> dict:
        return self.call("POST", "seed", {"name": name})

    def app(self, client_id: Optional[str] = None, **fields: Any) -> dict:
        """Changes or makes an app registration: redirect_uris, audience, secrets, ..."""
        return self.call("PUT", f"apps/{client_id or self.client_id}", fields)

    def tenant(self, tenant_id: str, **fields: Any) -> dict:
        return self.call("PUT", f"tenants/{tenant_id}", fields)

    def user(self, key: str, **fields: Any) -> dict:
        """Makes or changes a user: tid, oid, name, upn, email, mail, mailbox, approval, consented, ..."""
        return self.call("PUT", f"users/{key}", fields)

    def drop_user(self, key: str) -> None:
        self.call("DELETE", f"users/{key}")

    def users(self) -> list:
        return self.call("GET", "users")["users"]

    def calendars(self, user: str) -> list:
        return self.call("GET", f"users/{user}/calendars")["calendars"]

    def add_calendar(self, user: str, name: str, **fields: Any) -> dict:
        return self.call("POST", f"users/{user}/calendars", {"name": name, **fields})

    def events(self, user: str) -> list:
        """Everything in the mailbox, as Graph's JSON in UTC, with `calendar`."""
        return self.call("GET", f"users/{user}/events")["events"]

    def add_events(self, user: str, *events: dict) -> list:
        return self.call("POST", f"users/{user}/events", {"events": list(events)})["events"]

    def drop_events(self, user: str) -> int:
        return self.call("DELETE", f"users/{user}/events")["dropped"]

    def mails(self, user: str) -> list:
        """Invitations, updates and cancellations that this user's events sent."""
        return self.call("GET", "mails", query={"user": user})["mails"]

    def fault(self, kind: str, target: str = "any", count: Optional[int] = 1, **rest: Any) -> int:
        """One fault; count=None is for ever. Gives its number."""
        return self.call("POST", "faults", {"kind": kind, "target": target, "count": count, **rest})["id"]

    def faults(self, *rules: dict) -> list:
        """Adds the rules, as they are; without any, lists those in force with their hits."""
        if rules:
            return [self.call("POST", "faults", rule)["id"] for rule in rules]
        return self.call("GET", "faults")["faults"]

    def clear_faults(self, identifier: Optional[int] = None) -> None:
        self.call("DELETE", "faults", query={"id": identifier} if identifier is not None else None)

    def token_options(self, **options: Any) -> None:
        """What the next token answers (count, default 1) are like: expires_in, refresh_token=False, scope_drop, ..."""
        self.call("POST", "token-options", options)

    def clear_token_options(self) -> None:
        self.call("DELETE", "token-options")

    def forge(self, kind: str, **rest: Any) -> None:
        """The next code exchange gets this ID token; kinds are in call("GET", "")["id_token_kinds"]."""
        self.call("POST", "id-token", {"kind": kind, **rest})

    def roll_keys(self, action: str) -> dict:
        return self.call("POST", "keys", {"action": action})

    def keys(self) -> dict:
        return self.call("GET", "keys")

    def revoke(self, user: Optional[str] = None, aadsts: int = 50173) -> int:
        """Refuses the refresh tokens given so far."""
        return self.call("POST", "revoke", {"user": user, "aadsts": aadsts})["revoked"]

    def expire(self, user: Optional[str] = None) -> int:
        """Makes Graph refuse the access tokens given so far."""
        return self.call("POST", "expire", {"user": user})["expired"]

    def mint(self, user: str = "sam", **rest: Any) -> dict:
        """A token answer without a sign-in."""
        return self.call("POST", "mint", {"user": user, **rest})

    def token_of(self, user: Optional[str] = None, kind: str = "access_token") -> Optional[str]:
        """The newest value of that kind: access_token, refresh_token, id_token, code, code_verifier."""
        return self.call("GET", "token", query={"kind": kind, **({"user": user} if user else {})})["value"]

    def issued(self, **wanted: Any) -> list:
        """Every secret ever given out or received: [{"kind", "value", "user", "time"}]."""
        return self.call("GET", "issued", query=wanted)["issued"]

    def requests(self, secrets: bool = False, **wanted: Any) -> list:
        """What was asked, oldest first: requests(target="token", user="sam", since=N)."""
        query = {**wanted, **({"secrets": "1"} if secrets else {})}
        return self.call("GET", "requests", query=query)["requests"]

    def clear_requests(self) -> None:
        self.call("DELETE", "requests")

    def counters(self, user: Optional[str] = None) -> Counter:
        """What never happened counts 0. {"refresh_token": N, "authorization_code": N, "graph_get": N, "graph_peak": N, "keys": N, ...}"""
        return Counter(self.call("GET", "counters", query={"user": user} if user else None)["counters"])

    def settings(self, **changes: Any) -> dict:
        return self.call("PATCH" if changes else "GET", "settings", changes or None)["settings"]

    # The browser's part

    def browser(self) -> Browser:
        return Browser(self.ca_file)

    def authorize(self, auth_url: str, user: str = "sam", deny: Any = False, browser: Optional[Browser] = None) -> str:
        """Walks picker and consent; gives the URL that the browser is sent to, and does not follow it.

        deny: True presses Cancel at the picker, "consent" at the consent page. The empty fragment at the end, which no
        browser would send, is left out. An error page, or one with no way on, is a SimError."""
        location, page = self.walk(auth_url, user, deny, browser or self.browser())
        if location is None:
            raise SimError("no redirect", page)
        return location[:-1] if location.endswith("#") else location

    def walk(self, auth_url: str, user: str, deny: Any, browser: Browser) -> tuple:
        """As authorize, but (Location as it was sent or None, last page): for form_post and error pages."""
        url, form = auth_url, None
        for _ in range(6):
            status, location, page = browser.open(url, form)
            if location is not None:
                if urlsplit(urljoin(url, location)).netloc != urlsplit(auth_url).netloc:
                    return location, page
                url, form = urljoin(url, location), None
                continue
            if status != 200:
                raise SimError(f"status {status} from {urlsplit(url).path}", page)
            step = self._next_step(_Forms(page), user, deny)
            if step is None:
                return None, page
            url, form = urljoin(url, step[0]), step[1]
        raise SimError("the pages do not end", page)

    @staticmethod
    def _next_step(forms: _Forms, user: str, deny: Any) -> Optional[tuple]:
        cancel, accept = forms.press("cancel"), forms.press("accept")
        if accept:
            return cancel if deny == "consent" else accept
        if forms.press("next"):
            if deny is True or deny == "picker":
                return cancel
            action, fields = forms.press("next")
            return forms.press("account", user) or (action, {**fields, "username": user})
        return cancel


def main() -> int:
    """For a shell: client.py DIR authorize URL [USER] prints the callback's URL."""
    if len(sys.argv) not in (4, 5) or sys.argv[2] != "authorize":
        raise SystemExit("usage: client.py DIR authorize URL [USER]")
    try:
        print(Sim(sys.argv[1]).attach().authorize(*sys.argv[3:]))
    except SimError as exc:
        raise SystemExit(str(exc)) from exc
    return 0


if __name__ == "__main__":
    sys.exit(main())
