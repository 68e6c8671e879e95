# SPDX-License-Identifier: MIT
"""Header and log injection: line ends and NUL bytes through every value that reaches a header, a URL or a log line.

The program is asked without a web server in between, which would stop some of it.
"""

import json
import re
from urllib.parse import quote

import pytest
from conftest import CALENDAR, Person
from fcgi_client import direct

from kit import asked, event
from stack.smoke import REALMS
from wire import come_back, leave, query_of

FORGED = "time=2026-01-01T00:00:00.000Z level=info event=forged pid=1"
ENDS = {"crlf": "\r\n", "lf": "\n", "cr": "\r", "nul": "\0", "vt": "\v", "ff": "\f", "nel": "\u0085", "ls": "\u2028", "twice": "\r\n\r\n",
        "folded": "\r\n ", "lookalikes": "\u560d\u560a"}
LINE = re.compile(r'time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=(debug|info|warning|error) event=[a-z_]+(\.[a-z_]+)* pid=\d+'
                  r'( [a-z_]+=("[^"]*"|[^" =]*))*$')
START, END = "2027-03-02T09:00:00", "2027-03-02T09:30:00"
PROMISE = pytest.mark.promise("attack/isolation", "No value of a request makes a header of an answer, a header or path to Microsoft, or a line of the log")


def poison(end):
    """A value that would be a Referer, a cookie and a line of the log."""
    return f"a{end}Referer: injected{end}Set-Cookie: injected=1{end}{FORGED}{end}"


@pytest.fixture(scope="module")
def _people():
    return {}


@pytest.fixture
def someone(program, realm, _people, stack):
    """A connected person with an event, who calls a program of this test's own, at log level debug."""
    worker = program(LOG_LEVEL="debug")
    if realm.name not in _people:
        made = Person(stack, realm).connect()
        _people[realm.name] = made, stack.sim.add_events(made.user, event("plain"))[0]["id"]
    made, identifier = _people[realm.name]
    someone = direct(Person, worker, realm, user=made.user)
    someone.subject, someone.number = made.subject, made.number
    someone.log_in()
    someone.event = identifier
    return someone


def is_one_answer(answer, case):
    """Nothing was injected into the answer's headers."""
    for name, value in answer.headers.items():
        assert "injected" not in value and not re.search("[\r\n\\0]", value), (case, name, value)
    assert answer.headers["Referer"] is None


class Watch:
    """What Microsoft is asked, and what is logged, while this is open: nothing in it is anybody else's."""

    def __init__(self, someone):
        self.someone = someone
        self.before = len(asked(someone))

    def __enter__(self):
        return self

    def __exit__(self, *fault):
        if fault[0]:
            return
        for call in asked(self.someone)[self.before:]:
            assert "referer" not in call["headers"] and not call.get("bad_body"), call
            assert re.fullmatch(r"/v1\.0/me/[!-~]*", call["path"]), call
        for line in self.someone.stack.logs().splitlines():
            assert LINE.match(line) and not line.startswith(FORGED), line


def header_cases(value):
    """Where a header's value goes: method, path below the calendar, CGI variable, body."""
    body = {"subject": "s", "start": START + "Z", "end": END + "Z"}
    return [("GET", "/events", {name: value}, None) for name in (
        "HTTP_X_REQUEST_ID", "HTTP_ACCEPT", "HTTP_COOKIE", "HTTP_HOST", "HTTP_USER_AGENT", "HTTP_X_FORWARDED_FOR", "HTTP_REFERER",
        "HTTP_IF_NONE_MATCH", "HTTP_PREFER", "REMOTE_ADDR", "SERVER_NAME", "HTTPS", "PATH_INFO", "SCRIPT_NAME", "QUERY_STRING")] + [
            ("POST", "/events", {"HTTP_IDEMPOTENCY_KEY": value}, body), ("POST", "/events", {"CONTENT_TYPE": value}, body),
            ("PATCH", "/events/EVENT", {"HTTP_IF_MATCH": value}, {"subject": "s"}),
            ("GET", "/events", {"HTTP_AUTHORIZATION": f"Bearer {value}"}, None), ("GET", "/events", {"HTTP_AUTHORIZATION": value}, None),
            (f"GET{value}", "/events", {}, None)]


@PROMISE
def test_headers(someone):
    with Watch(someone):
        for name, end in ENDS.items():
            for method, below, parameters, body in header_cases(poison(end)):
                url = someone.path(CALENDAR + below.replace("EVENT", quote(someone.event, safe="")))
                answer = someone.call(method, url, body, parameters=parameters)
                is_one_answer(answer, (name, parameters))
                assert answer.status in (200, 201, 400, 401, 405, 412, 415, 422), (name, parameters, answer)


def query_cases(value):
    """Where a part of the URL goes: the path below the realm's prefix, with the value in it."""
    names = {f"{CALENDAR}/events": ("start_time", "end_time", "timezone", "calendar_id", "limit", "cursor", "x"),
             "auth/microsoft/": ("return_to", "redirect_uri", "state"),
             "auth/microsoft/callback": ("state", "code", "error", "error_description", "iss")}
    return [f"{path}?{name}={value}" for path, those in names.items() for name in those] + [
        f"{CALENDAR}/events?{value}=1", f"{CALENDAR}/events/{value}", f"{CALENDAR}/{value}", value]


def ask(someone, below, **parameters):
    """A GET of which the tests keep no secrets: what is sent is none."""
    return someone.stack.ask("GET", someone.path(below), {"HTTP_AUTHORIZATION": "Bearer " + someone.token,
                                                         "HTTP_ACCEPT": "application/json", **parameters})


@PROMISE
@pytest.mark.parametrize("form", ["encoded", "twice encoded", "as it is"])
def test_urls(someone, form):
    with Watch(someone):
        for end in ENDS.values():
            value = poison(end)
            value = {"encoded": quote(value, safe=""), "twice encoded": quote(quote(value, safe=""), safe=""), "as it is": value}[form]
            for below in query_cases(value):
                answer = ask(someone, below)
                is_one_answer(answer, below)
                assert answer.status in (200, 400, 404, 422), (below, answer)


@PROMISE
def test_return_to_with_a_fault_of_microsoft(someone):
    """A Location that says what went wrong says it in a word of graphgate's own."""
    back = someone.stack.stack.url + "/app"
    with Watch(someone):
        for end in ENDS.values():
            state = query_of(leave(someone, back))["state"]
            value = quote(poison(end), safe="")
            answer = ask(someone, f"auth/microsoft/callback?state={state}&error={value}&error_description={value}&code={value}",
                         HTTP_COOKIE="; ".join(f"{name}={given}" for name, given in someone.jar.items()))
            is_one_answer(answer, end)
            if end == "\0":
                assert answer.status == 400
            else:
                assert (answer.status, answer.headers["Location"]) == (303, f"{back}?error=microsoft_auth_failed")


# mutant: src/base/logline.c: c >= 0x20 && c < 0x7f => c >= 0x20 && c != 0x7f
@PROMISE
def test_claims_and_bodies(someone):
    """What may hold any text is JSON in the answer and in Graph's request; it is in no header."""
    event_path = f"/events/{quote(someone.event, safe='')}"
    with Watch(someone):
        for end in ENDS.values():
            value = poison(end)
            answers = [someone.log_in(email=value).api("GET", "auth/microsoft/user")]
            for changes in ({"sub": value}, {"type": value}, {"scope": value}, {"iss": value}):
                answers.append(someone.log_in(**changes).api("GET", "auth/microsoft/user"))
            someone.token = someone.jwt({"kid": value, "alg": value})
            answers.append(someone.api("GET", "auth/microsoft/user"))
            someone.log_in()
            for body in ({"subject": value}, {"location": value}, {"body": value}, {"timezone": value},
                         {"attendees": [f"{value}@example.com"]}, {value: 1}):
                answers.append(someone.cal("PATCH", event_path, body))
            for answer in answers:
                is_one_answer(answer, end)
                assert answer.status in (200, 400, 401, 422), answer


@PROMISE
def test_what_microsoft_says(someone, sim):
    """The claims of an ID token and the words of an error are not believed to be of one line."""
    fresh = direct(Person, someone.stack, someone.realm)
    with Watch(someone):
        for end in ENDS.values():
            value = poison(end)
            for changes in ({"email": value}, {"name": value}, {"preferred_username": value, "email": None}, {"oid": value}):
                sim.forge("custom", user=fresh.user, params={"set": changes})
                fresh.token = None
                answer = come_back(fresh)
                is_one_answer(answer, changes)
                assert answer.status == (401 if "oid" in changes else 200), answer
            said = json.dumps({"error": value, "error_description": value})
            sim.fault("status", "token", grant="authorization_code", status=400, body=said, count=1)
            is_one_answer(come_back(fresh), end)
            said = json.dumps({"error": {"code": value, "message": value}})
            sim.fault("status", "graph", user=someone.user, status=404, body=said, count=1)
            answer = someone.cal("GET", f"/events/{quote(someone.event, safe='')}")
            is_one_answer(answer, end)
            assert answer.status == 404 and "injected" not in json.dumps(answer.body)


@pytest.mark.promise("attack/isolation", "A request id that is not plain is replaced; no answer and no log line repeats it")
@pytest.mark.parametrize("realm", REALMS[:1], ids=["main"])
def test_request_ids(someone):
    poisons = [poison(end) for end in ENDS.values() if end != "\0"]  # at a NUL a FastCGI value ends, and "a" is an id
    for given in ("a b", "a\tb", 'a"b', "a=b level=error", "<b>", "x" * 65, "\u00e4", *poisons):
        answer = someone.call("GET", someone.path("auth/microsoft/user"), parameters={"HTTP_X_REQUEST_ID": given})
        assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["X-Request-ID"])
    assert "forged" not in someone.stack.logs() and "a=b level=error" not in someone.stack.logs()
