# SPDX-License-Identifier: MIT
"""What the tests of the calendar and of the tokens share: raw requests, many at once, Graph asked directly."""

import base64
import hmac
import http.client
import json
import threading
import time
import urllib.request
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote, urlencode, urlsplit

from cryptography.fernet import Fernet

from conftest import CALENDAR

Raw = namedtuple("Raw", "status headers body text")
DAY = "2027-03-0{}T{:02d}:00:00"
# Nothing of the text that these tests have Microsoft say may reach a caller.
MESSAGE = "text of Microsoft's own, for nobody"


def cal(person, method, below="", body=None, headers=None, stack=None):
    """A call below the calendar's path as it stands: nothing is normalised, body may be bytes, headers are added."""
    site = urlsplit((stack or person.stack).url)
    sent = {"Accept": "application/json", "Authorization": f"Bearer {person.token}"}
    if body is not None:
        sent["Content-Type"] = "application/json"
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent.update(headers or {})
    connection = http.client.HTTPConnection(site.hostname, site.port, timeout=90)
    try:
        connection.request(method, person.path(CALENDAR + below), body,
                           {name: value for name, value in sent.items() if value is not None})
        reply = connection.getresponse()
        text = reply.read().decode("utf-8")
        is_json = "json" in (reply.headers.get("Content-Type") or "")
        return Raw(reply.status, reply.headers, json.loads(text) if is_json and text else None, text)
    finally:
        connection.close()


def events(person, **query):
    """GET events with that query."""
    return cal(person, "GET", "/events" + (f"?{urlencode(query)}" if query else ""))


def one(identifier):
    """The path of one event."""
    return "/events/" + quote(identifier, safe="")


def at_once(count, call):
    """The answers of `count` threads that begin together; call gets its number."""
    barrier = threading.Barrier(count)

    def run(number):
        barrier.wait()
        return call(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def each(items, call):
    """call(item) for all of them, side by side; the first failure is raised."""
    with ThreadPoolExecutor(max(1, len(items))) as pool:
        return list(pool.map(call, items))


def is_problem(answer, status, code):
    """Asserts an RFC 9457 answer; returns its body."""
    body = answer.body
    assert (answer.status, isinstance(body, dict) and body.get("code")) == (status, code), answer
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert (body["type"], body["status"]) == (f"urn:graphgate:problem:{code}", status)
    assert body["title"] and body["detail"] and body["request_id"] == answer.headers["X-Request-ID"]
    assert MESSAGE not in json.dumps(body)
    return body


def fields(answer):
    """The fields of a 422 answer, in their order."""
    return [fault["field"] for fault in is_problem(answer, 422, "validation_failed")["errors"]]


def needs_microsoft(answer, person):
    """Asserts 401 microsoft_auth_required with the way back; returns its body."""
    body = is_problem(answer, 401, "microsoft_auth_required")
    assert body["auth_url"] == person.path("auth/microsoft/")
    return body


def event(subject, day=2, hour=9, minutes=30, **rest):
    """An event for the simulator's mailbox, in March 2027, UTC."""
    start = DAY.format(day, hour)
    return {"subject": subject, "start": {"dateTime": start, "timeZone": "UTC"},
            "end": {"dateTime": start[:14] + f"{minutes:02d}:00", "timeZone": "UTC"}, **rest}


def fill(person, count, **rest):
    """`count` events an hour apart from 2027-03-01, called "e000", "e001", …; their names."""
    names = [f"e{number:03d}" for number in range(count)]
    person.stack.sim.add_events(person.user, *[
        event(name, 1 + number // 24, number % 24, **rest) for number, name in enumerate(names)])
    return names


def subjects(answer):
    assert answer.status == 200, answer
    assert answer.body["message"] == f"Retrieved {len(answer.body['events'])} calendar events"
    return [found["subject"] for found in answer.body["events"]]


def graph(person, path):
    """What Graph itself answers this person: the simulator, asked directly."""
    token = person.stack.sim.token_of(person.user)
    request = urllib.request.Request(person.stack.sim.http + "/v1.0" + path, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as reply:
        return json.load(reply)


def asked(person, **wanted):
    """What Graph was asked with this person's tokens, oldest first."""
    return person.stack.sim.requests(target="graph", user=person.user, **wanted)


def last_sent(person, method):
    """The newest request of that method that Graph got from this person."""
    return asked(person, method=method)[-1]


def refreshes(person):
    """How many refresh calls this person's tokens have cost."""
    return person.stack.sim.counters(person.user)["refresh_token"]


def expires_in(person, seconds):
    """Moves the end of the stored access token."""
    person.set_row(f"expires_at = UTC_TIMESTAMP() + INTERVAL {seconds} SECOND")


def fernet(stack):
    """The stack's (first) key in the hands of Python's cryptography."""
    return Fernet(stack.conf["TOKEN_ENCRYPTION_KEY"].split(",")[0])


def stored(person, column="access_token"):
    """A stored token, decrypted."""
    return fernet(person.stack).decrypt(person.row(column)[0].encode()).decode()


def name_in_log(person):
    """How the log names this person: a keyed hash, made with Python's own means."""
    key = base64.urlsafe_b64decode(person.stack.conf["TOKEN_ENCRYPTION_KEY"].split(",")[0])
    derived = hmac.digest(key, b"graphgate log-subject v1", "sha256")
    return "h:" + base64.urlsafe_b64encode(hmac.digest(derived, person.subject.encode(), "sha256")[:12]).decode()


def wait_for(fact, seconds=10, every=0.05):
    """The first true value of fact(), which must come in time."""
    deadline = time.monotonic() + seconds
    while not (found := fact()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(every)
    return found
