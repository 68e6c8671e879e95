# SPDX-License-Identifier: MIT
"""What it costs to be asked by somebody hostile: others pay nothing, the database little, the processor a bounded time."""

import json
import threading
import time
from pathlib import Path

import pytest
from conftest import Person, sign_jwt
from fcgi_client import at_window_start, direct
from kit import wait_for
from memory import IS_SANITIZED

from stack.smoke import REALMS

START, CALLBACK, CALENDAR = "RATE_LIMIT_OAUTH_START", "RATE_LIMIT_OAUTH_CALLBACK", "RATE_LIMIT_CALENDAR"
MAIN = pytest.mark.parametrize("realm", REALMS[:1], ids=["main"])
OTHERS = pytest.mark.promise("attack/denial", "One user, address or tenant over its limit takes nothing of what others may do")
JWTS = pytest.mark.promise("attack/denial", "A flood of bad JWTs never touches the database")
STATES = pytest.mark.promise("attack/denial", "A flood of bad states touches the database at most once each, beside its limit")
COSTS = pytest.mark.promise("attack/denial", "The worst body, query, header or JWT costs at most 20 times a plain one as long")
PBKDF2 = pytest.mark.promise("attack/denial", "No request makes it derive a key from a password: that happens once, at its start")
MIB = 1 << 20
MOST = 200 if IS_SANITIZED else 20
USER = "auth/microsoft/user"
EVENTS = "integration/microsoft/calendar/events"


def flood(greedy, ask, over):
    """Asks until told to stop; what came of it."""
    while not over.is_set():
        greedy.append(ask().status)


# mutant: src/web/guard.c: ? gg_rate_name(a, limit, (struct gg_subject){x->caller.realm, x->caller.subject}) => ? GG_STR("all")
@OTHERS
@pytest.mark.parametrize("by", ["user", "address", "tenant"])
def test_a_greedy_one_takes_nothing_of_others(program, realm, by):
    """The greedy one never stops asking; the modest one's count goes down by its own calls alone."""
    worker = program("--workers", 2, **{CALENDAR: "6/3600", CALLBACK: "6/3600"})
    # The two of a case are no other case's: an address counts in both realms.
    number = 100 * REALMS.index(realm) + {"user": 10, "address": 20, "tenant": 30}[by]
    greedy, modest = (direct(Person, worker, realm, address=f"198.51.100.{number + last}") for last in (1, 2))
    at_window_start(3600, 30)
    for one in (greedy, modest):
        one.token = None if by == "address" else one.jwt()
        if by == "tenant":
            one.connect()
    ask = {"address": lambda one: one.api("POST", "auth/microsoft/exchange", {"session_code": "x" * 43})}.get(
        by, lambda one: one.api("GET", USER))
    allowed = 400 if by == "address" else 200
    over, got = threading.Event(), []
    thread = threading.Thread(target=flood, args=(got, lambda: ask(greedy), over))
    thread.start()
    try:
        wait_for(lambda: got.count(429) > 50, 20)
        for left in (5, 4, 3, 2, 1, 0):
            answer = ask(modest)
            assert (answer.status, answer.headers["RateLimit-Remaining"]) == (allowed, str(left))
    finally:
        over.set()
        thread.join()
    assert set(got) == {allowed, 429} and got.count(allowed) == 6


class Statements:
    """What one database account has asked of the server, by the server's own log."""

    def __init__(self, stack):
        self.server, self.account = stack.mariadb, stack.database.worker

    def __enter__(self):
        self.server.sql("SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = 1; TRUNCATE mysql.general_log")
        return self

    def __exit__(self, *_):
        self.server.sql("SET GLOBAL general_log = 0; TRUNCATE mysql.general_log")

    def seen(self):
        """The statements since the last look."""
        rows = self.server.rows("SELECT command_type, argument FROM mysql.general_log "
                                f"WHERE user_host LIKE '{self.account}%' AND command_type IN ('Query', 'Execute')")
        self.server.sql("TRUNCATE mysql.general_log")
        return rows


def bad_jwts(someone):
    """JWTs that are refused, each for another reason."""
    good = someone.jwt()
    return [someone.jwt({"alg": "none"}), someone.jwt(exp=1), someone.jwt(type="admin"), someone.jwt(sub=None), good + "x",
            sign_jwt("another key of someone", someone.claims()), someone.jwt(email="e" * 9000), "x", good[:-3],
            good.rpartition(".")[0] + ".", someone.jwt({"crit": ["x"]}), someone.jwt(sub="0"), "." * 500, "{}" * 4000]


@JWTS
@pytest.mark.parametrize("below", ["user", "calendar", "start", "refresh"])
def test_bad_jwts_never_reach_the_database(make_stack, program, realm, below, measured):
    stack = make_stack()
    worker = program(**{CALENDAR: "100/60", START: "100/60"})
    someone = direct(Person, worker, realm).log_in()
    asks = {"user": lambda: someone.api("GET", USER), "calendar": lambda: someone.cal("GET", "/events"),
            "start": lambda: someone.api("GET", "auth/microsoft/"),
            "refresh": lambda: someone.api("POST", "auth/refresh", {"refresh_token": someone.token})}
    assert someone.api("GET", USER).status == 200
    with Statements(stack) as statements:
        bad = bad_jwts(someone) * 3
        for someone.token in bad:
            answer = asks[below]()
            assert answer.status == 401, answer.body
        assert statements.seen() == []
        someone.log_in()
        assert someone.api("GET", USER).status == 200 and statements.seen()
    measured(f"0 statements for {len(bad)} bad JWTs")


@STATES
@pytest.mark.parametrize("limit", ["off", "1000/60", "1/3600"])
@pytest.mark.parametrize("cookie", [True, False])
def test_bad_states_touch_the_database_once(make_stack, program, realm, limit, cookie, measured):
    stack = make_stack()
    worker = program(**{CALLBACK: limit})
    someone = direct(Person, worker, realm, address="198.51.100.7")
    assert someone.api("GET", "auth/microsoft/").status == 200 and someone.jar
    jar = someone.jar if cookie else {}
    states = ["", "x", "A" * 43, "A" * 44, "%00" * 43, "A" * 4000, *(f"{number:043d}" for number in range(20))]
    with Statements(stack) as statements:
        for state in states:
            someone.jar = dict(jar)
            assert someone.api("GET", f"auth/microsoft/callback?state={state}&code=x").status in (400, 429)
        asked = statements.seen()
    limits = [row for row in asked if "rate_limits" in row[1]]
    assert len(asked) - len(limits) <= (len(states) if cookie else 0)
    assert len(limits) <= (0 if limit == "off" else len(states) + 1)
    measured(f"{len(asked) - len(limits)} look-ups for {len(states)} bad states, {len(limits)} counts")


def spent_ms(pid, ask):
    """The processor's time that the process needs for a call: the least of some, since others use the machine too."""
    def now():
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])

    times = []
    for _ in range(4):
        before = now()
        ask()
        time.sleep(0.02)
        times.append((now() - before) / 1e6)
    return min(times)


def filled(item, size, opening="", closing="", between=","):
    """A text of about that size, made of numbered items."""
    count = size // (len(item(10**6)) + len(between))
    return opening + between.join(item(10**6 + number) for number in range(count)) + closing


ROOM = MIB - 200
PLAIN = json.dumps({"subject": "x" * ROOM})
BODIES = {
    "nested arrays": "[" * ROOM, "nested objects": '{"a":' * (ROOM // 5),
    "nested and closed": "[" * (ROOM // 2) + "]" * (ROOM // 2),
    "many names": filled(lambda number: f'"{number}":1', ROOM, "{", "}"),
    "unknown names": filled(lambda number: f'"{number}":1', 150_000, "{", "}"),
    "one name": filled(lambda _: '"a":1', ROOM, "{", "}"),
    "many numbers": filled(lambda number: f"{number}", ROOM, '{"attendees":[', "]}"),
    "many objects": filled(lambda _: '{"a":1}', ROOM, '{"attendees":[', "]}"),
    "many addresses": filled(lambda number: f'"a{number}@example.org"', ROOM, '{"attendees":[', "]}"),
    "escapes": '{"subject":"' + "\\u00e9" * (ROOM // 6) + '"}',
    "surrogates": '{"subject":"' + "\\ud83d\\ude00" * (ROOM // 12) + '"}',
    "quotes": '{"subject":"' + '\\"' * (ROOM // 2) + '"}', "a long number": '{"reminder_minutes":' + "9" * ROOM + "}",
    "a long fraction": '{"reminder_minutes":0.' + "1" * ROOM + "}",
    "a long exponent": '{"reminder_minutes":1e' + "9" * ROOM + "}",
    "spaces": '{"subject":' + " " * ROOM + '"x"}', "a long name": '{"' + "x" * ROOM + '":1}', "a long word": "t" * ROOM,
    "a long time": '{"start":"' + "2027-01-01T00:00:00." + "0" * ROOM + 'Z"}',
    "not UTF-8": b'{"subject":"' + b"\xff" * ROOM + b'"}',
    "a long zone": '{"timezone":"' + "/" * ROOM + '"}',
}
# More values than any event has are not even read.
REFUSED = {"many names", "one name", "many numbers", "many objects", "many addresses", "nested arrays", "nested objects"}


# mutant: src/web/request.c: return marks > BODY_MARKS_MAX; => return marks > text.n;
# mutant: src/proto/event.c: int left = 100; => int left = 1000000;
@COSTS
@MAIN
@pytest.mark.parametrize("name", BODIES)
def test_the_worst_bodies(program, realm, name, measured):
    worker = program(LOG_LEVEL="error")
    someone = direct(Person, worker, realm).connect()
    headers = {"HTTP_AUTHORIZATION": f"Bearer {someone.token}", "HTTP_ACCEPT": "application/json"}

    def post(body):
        body = body if isinstance(body, bytes) else body.encode()
        assert len(body) <= MIB
        return worker.ask("POST", someone.path(EVENTS), headers, body)

    answer = post(BODIES[name])
    assert answer.status == 400 if name in REFUSED else answer.status in (400, 422), answer.status
    plain, worst = spent_ms(worker.pid, lambda: post(PLAIN)), spent_ms(worker.pid, lambda: post(BODIES[name]))
    measured(f"{name}: {worst:.1f} ms, plain {plain:.1f} ms")
    assert worst <= MOST * plain + 1
    assert len(json.dumps(answer.body)) < 2 * len(BODIES[name])


def jwt_of_8k(someone):
    """A JWT at its cap that is almost all header."""
    room = 8000 - len(someone.jwt())
    return someone.jwt({"x": ["y"] * (room * 3 // 4 // 5)})


REQUESTS = {
    "many parameters": ("&".join(f"p{number:05d}=1" for number in range(4000)), {}),
    "the same parameter": ("&".join(["limit=5"] * 5000), {}), "only separators": ("&" * 40000, {}),
    "percent signs": ("calendar_id=" + "%41" * 13000, {}), "bad percent signs": ("cursor=" + "%" * 40000, {}),
    "many headers": ("", {f"HTTP_X_{number:05d}": "y" for number in range(4000)}),
    "many cookies": ("", {"HTTP_COOKIE": "; ".join(f"c{number:05d}=1" for number in range(4000))}),
    "many types": ("", {"HTTP_ACCEPT": ",".join(["a/b;q=0.1"] * 4000)}),
    "many proxies": ("", {"HTTP_X_FORWARDED_FOR": ",".join(["10.0.0.1"] * 4000)}),
    "a cursor": ("cursor=" + "A" * 40000, {}),
}


@COSTS
@MAIN
@pytest.mark.parametrize("name", [*REQUESTS, "a JWT that is all header"])
def test_the_worst_requests(program, realm, name, measured):
    worker = program(LOG_LEVEL="error", TRUSTED_PROXIES="10.0.0.0/8,127.0.0.1/32")
    someone = direct(Person, worker, realm).log_in()
    token = someone.token if name in REQUESTS else jwt_of_8k(someone)
    query, headers = REQUESTS.get(name, ("", {}))
    size = len(query) + sum(len(key) + len(value) for key, value in headers.items()) + len(token)
    plain = {"HTTP_X_PLAIN": "y" * size}

    def get(token, query, headers):
        usual = {"HTTP_AUTHORIZATION": f"Bearer {token}", "HTTP_ACCEPT": "application/json"}
        return worker.ask("GET", someone.path(EVENTS) + f"?{query}", {**usual, **headers})

    assert get(token, query, headers).status in (400, 401, 422)
    usual, worst = (spent_ms(worker.pid, ask) for ask in (
        lambda: get(someone.token, "", plain), lambda: get(token, query, headers)))
    measured(f"{name}: {worst:.2f} ms, plain {usual:.2f} ms")
    assert worst <= MOST * usual + 1


@PBKDF2
@MAIN
def test_no_request_derives_a_key(program, realm, measured):
    """The same requests, with a key that was derived at the start and with one that was given."""
    spent = {}
    for kind, settings in (("derived", {"TOKEN_ENCRYPTION_KEY": None}), ("given", {})):
        worker = program(LOG_LEVEL="error", **settings)
        someone = direct(Person, worker, realm).log_in()

        def ask(worker=worker, someone=someone):
            for _ in range(10):
                assert worker.health().status == 200 and someone.api("GET", USER).status == 200

        ask()
        spent[kind] = spent_ms(worker.pid, ask) / 20
    measured(f"{spent['derived']:.2f} ms a request, {spent['given']:.2f} ms with a given key")
    assert spent["derived"] <= 3 * spent["given"] + 1
