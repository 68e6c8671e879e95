# SPDX-License-Identifier: MIT
"""The rate limits: exact under concurrency, across workers and hosts, and at the edge of a window."""

import itertools
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import NO_LIMITS, Person
from fcgi_client import at_window_start, direct

from stack.process import wait_until
from stack.smoke import REALMS

START, CALLBACK, CALENDAR = "RATE_LIMIT_OAUTH_START", "RATE_LIMIT_OAUTH_CALLBACK", "RATE_LIMIT_CALENDAR"
HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
# For what takes its time, and knows nothing of realms.
ONE_REALM = pytest.mark.parametrize("realm", REALMS[:1], ids=["main"])
_addresses = (f"203.0.{high}.{low}" for high, low in itertools.product(range(256), range(1, 255)))

# Each row of the API's table: method, path, limit, and whom it counts.
ROWS = [
    ("GET", "auth/microsoft/", START, "user"), ("GET", "auth/microsoft/", START, "address"),
    ("GET", "auth/microsoft/callback", CALLBACK, "address"), ("POST", "auth/microsoft/exchange", CALLBACK, "address"),
    ("GET", "auth/microsoft/user", CALENDAR, "user"), ("DELETE", "auth/microsoft/token", START, "user"),
    ("GET", "integration/microsoft/calendar/", CALENDAR, "user"),
    ("GET", "integration/microsoft/calendar/events", CALENDAR, "user"),
    ("POST", "integration/microsoft/calendar/events", CALENDAR, "user"),
    ("GET", "integration/microsoft/calendar/events/x", CALENDAR, "user"),
    ("PUT", "integration/microsoft/calendar/events/x", CALENDAR, "user"),
    ("PATCH", "integration/microsoft/calendar/events/x", CALENDAR, "user"),
    ("DELETE", "integration/microsoft/calendar/events/x", CALENDAR, "user")]


@pytest.fixture(params=["innodb", "aria", "memory"])
def engine(stack, request):
    """The limits' table in each of its engines, in turn."""
    stack.migrate("--limits-engine", request.param)
    yield request.param
    stack.migrate("--limits-engine", "innodb")


# For what must not depend on it.
ANY_ENGINE = pytest.mark.usefixtures("engine")


@pytest.fixture
def limited(program, realm):
    """limited(RATE_LIMIT_…="…"): makes people, each at an address of its own, who call a program with these limits."""
    def make(*arguments, **limits):
        worker = program(*arguments, **{**NO_LIMITS, **limits})

        def someone(logged_in=True, **given):
            made = direct(Person, given.get("worker", worker), given.get("realm", realm),
                          address=given.get("address", next(_addresses)))
            return made.log_in() if logged_in else made

        someone.worker = worker
        return someone
    return make


def call(someone, method, path):
    return someone.api(method, path, {} if method in ("POST", "PUT", "PATCH") else None)


def is_refused(answer):
    assert answer.status != 503, answer.body
    if answer.status != 429:
        return False
    assert answer.body["code"] == "rate_limited"
    assert answer.headers["Retry-After"] == answer.headers["RateLimit-Reset"]
    return True


def together(run, people):
    """run(person) for all of them at the same time; what one raises is raised here."""
    with ThreadPoolExecutor(len(people)) as pool:
        return list(pool.map(run, people))


def storm(people, times, path="auth/microsoft/user"):
    """All of them at once; how many calls were let in."""
    outcome, gate = Counter(), threading.Barrier(len(people))

    def run(someone):
        gate.wait()
        for _ in range(times):
            answer = someone.api("GET", path)
            outcome["refused" if is_refused(answer) else answer.status] += 1

    together(run, people)
    return outcome


def same_person(someone, count, worker=None):
    """count clients with one JWT."""
    first = someone()
    clients = []
    for number in range(count):
        clients.append(someone(logged_in=False, worker=(worker or [someone.worker])[number % len(worker or [1])]))
        clients[-1].token = first.token
    return clients


@ANY_ENGINE
def test_40_clients_on_a_limit_of_100(limited):
    someone = limited("--workers", 8, **{CALENDAR: "100/60"})
    clients = same_person(someone, 40)
    at_window_start(60, 10)
    assert storm(clients, 10) == {200: 100, "refused": 300}


@ANY_ENGINE
def test_two_hosts_on_one_database_count_together(limited, program):
    someone = limited("--workers", 4, **{CALENDAR: "100/60"})
    other = program("--workers", 4, **{CALENDAR: "100/60"})
    clients = same_person(someone, 40, [someone.worker, other])
    at_window_start(60, 10)
    assert storm(clients, 5) == {200: 100, "refused": 100}


def test_behind_the_web_server_too(make_stack, realm):
    stack = make_stack(**{CALENDAR: "100/60"})
    first = Person(stack, realm).log_in()
    clients = [Person(stack, realm) for _ in range(20)]
    for one in clients:
        one.token = first.token
    at_window_start(60, 10)
    assert storm(clients, 8) == {200: 100, "refused": 60}


@pytest.mark.parametrize("method, path, setting, by", ROWS)
def test_limit_and_key_of_each_row(limited, method, path, setting, by):
    someone = limited(**{setting: "2/3600"})
    first = someone(logged_in=by == "user")
    at_window_start(3600, 5)
    assert [is_refused(call(first, method, path)) for _ in range(3)] == [False, False, True]
    same_address = someone(logged_in=by == "user", address=first.address)
    other_address = someone(logged_in=False)
    other_address.token = first.token
    assert is_refused(call(same_address, method, path)) is (by == "address")
    assert is_refused(call(other_address, method, path)) is (by == "user")


@pytest.mark.parametrize("row", ROWS)
def test_off_is_no_limit_and_no_header(limited, row):
    someone = limited()(logged_in=row[3] == "user")
    answers = [call(someone, *row[:2]) for _ in range(3)]
    assert all(not is_refused(answer) and not any(name in answer.headers for name in HEADERS) for answer in answers)


@pytest.mark.parametrize("path", ["/api/v1/health/microsoft", "/api/v1/health/microsoft/tokens"])
def test_health_has_no_limit(limited, path):
    someone = limited(**{START: "1/3600", CALLBACK: "1/3600", CALENDAR: "1/3600"})(realm=REALMS[0])
    someone.log_in(scopes=["admin"])
    for _ in range(4):
        answer = someone.call("GET", path)
        assert answer.status == 200 and not any(name in answer.headers for name in HEADERS)


def test_refresh_counts_by_user(limited):
    someone = limited(**{START: "2/3600"})
    first = someone(logged_in=False)
    at_window_start(3600, 5)
    tokens = first.sign_in().body
    first.token = None

    def refresh(who):
        return who.api("POST", "auth/refresh", {"refresh_token": tokens["refresh_token"]})

    for wanted in (1, 0):
        answer = refresh(first)
        assert answer.status == 200 and answer.headers["RateLimit-Remaining"] == str(wanted)
        tokens = answer.body
    assert is_refused(refresh(first)) and is_refused(refresh(someone(logged_in=False)))
    stranger = someone(logged_in=False, address=first.address)
    tokens = stranger.sign_in().body
    assert not is_refused(refresh(stranger))


@ONE_REALM
def test_a_refused_refresh_spends_nothing(limited):
    someone = limited(**{START: "1/1"})(logged_in=False)
    tokens = someone.sign_in().body
    someone.token = None
    admitted = refused = 0
    while admitted < 3:
        answer = someone.api("POST", "auth/refresh", {"refresh_token": tokens["refresh_token"]})
        if is_refused(answer):
            refused += 1
            assert refused < 30
            time.sleep(0.2)
        else:
            assert answer.status == 200
            admitted, tokens = admitted + 1, answer.body
    assert refused > 0


def test_keys_are_apart(limited):
    """By user, realm, address and limit: none of these takes from another."""
    someone = limited(**{START: "1/3600", CALLBACK: "1/3600", CALENDAR: "1/3600"})
    at_window_start(3600, 5)
    people = [someone(), someone(realm=REALMS[0]), someone(realm=REALMS[1])]
    for one in people:
        assert not is_refused(one.api("GET", "auth/microsoft/user"))
        assert not is_refused(one.api("GET", "auth/microsoft/"))
        assert not is_refused(one.api("GET", "auth/microsoft/callback"))
    for path in ("auth/microsoft/user", "auth/microsoft/", "auth/microsoft/callback"):
        assert is_refused(people[0].api("GET", path))


def test_one_name_in_two_realms_is_two_users(limited, stack):
    """The subject of one realm spelled as the other's never meets its counter."""
    someone = limited(**{CALENDAR: "1/3600"})
    first, second = someone(realm=REALMS[0]), someone(realm=REALMS[1])
    for one in (first, second):
        assert not is_refused(one.api("GET", "auth/microsoft/user"))
    keys = [row[0] for row in stack.sql("SELECT k FROM rate_limits")]
    assert any("main" in key and first.subject in key for key in keys)
    assert any("beta" in key and second.subject in key for key in keys)


def test_headers_of_allowed_and_refused_calls(limited):
    first = limited(**{CALENDAR: "3/3600"})()
    at_window_start(3600, 5)
    for left in (2, 1, 0):
        answer = first.api("GET", "auth/microsoft/user")
        assert answer.status == 200 and "Retry-After" not in answer.headers
        assert [answer.headers[name] for name in HEADERS[:2]] == ["3", str(left)]
        assert 1 <= int(answer.headers["RateLimit-Reset"]) <= 2 * 3600
    answer = first.api("GET", "auth/microsoft/user")
    assert is_refused(answer) and answer.headers["Content-Type"] == "application/problem+json"
    assert [answer.headers[name] for name in HEADERS[:2]] == ["3", "0"]
    assert all(answer.headers[name].isdigit() for name in (*HEADERS, "Retry-After"))


@ONE_REALM
def test_a_call_after_retry_after_is_admitted(program, realm):
    """Asked at any moment of a window, of any limit; all of these at once, since they mostly wait."""
    def run(case):
        first = direct(Person, program(**{CALENDAR: case[0]}), realm).log_in()
        time.sleep(case[1])
        for _ in range(2):
            answer = first.api("GET", "auth/microsoft/user")
            while not is_refused(answer):
                answer = first.api("GET", "auth/microsoft/user")
            time.sleep(int(answer.headers["Retry-After"]))
            assert not is_refused(first.api("GET", "auth/microsoft/user")), (case, answer.headers["Retry-After"])

    together(run, list(itertools.product(("1/1", "2/2", "5/2", "10/1"), (0, 0.3, 0.6))))


@ONE_REALM
def test_refused_calls_do_not_count(limited):
    """Somebody who never stops asking gets as much as somebody who waits."""
    first = limited(**{CALENDAR: "4/1"})()
    at_window_start(1, 0.9)
    began, admitted = time.monotonic(), 0
    while time.monotonic() - began < 4:
        admitted += not is_refused(first.api("GET", "auth/microsoft/user"))
        time.sleep(0.005)
    assert 12 <= admitted <= 20


@ONE_REALM
@ANY_ENGINE
def test_the_edge_of_a_window(limited):
    """Hammered by many for several windows: each aligned window and each tenth across an edge keep to their most."""
    limit, window = 50, 2
    someone = limited("--workers", 4, **{CALENDAR: f"{limit}/{window}"})
    clients, times = same_person(someone, 6), []
    at_window_start(window, window - 0.2)
    end = time.time() + 3 * window

    def run(client):
        # All of a window's calls at its end, then on into the next one.
        time.sleep(window * 0.9)
        while time.time() < end:
            before = time.time()
            if not is_refused(client.api("GET", "auth/microsoft/user")):
                times.append((before + time.time()) / 2)

    together(run, clients)
    assert len(times) >= limit
    slack = 0.01
    windows = Counter(int(moment // window) for moment in times if slack < moment % window < window - slack)
    assert max(windows.values()) <= limit
    for first in times:
        tenth = [moment for moment in times if first <= moment < first + window / 10 - slack]
        assert len(tenth) <= 1.2 * limit


@ONE_REALM
@ANY_ENGINE
def test_old_rows_do_not_pile_up(limited, stack):
    """The workers sweep now and then, with nobody's help."""
    someone = limited(**{CALENDAR: "1000000/60"})
    first = someone()
    first.api("GET", "auth/microsoft/user")
    stack.sql("INSERT INTO rate_limits (k, win, used, prev, admitted, ends_at) SELECT CONCAT('old:', seq), 1, 1, 0, 1, "
              "UTC_TIMESTAMP() - INTERVAL 1 SECOND FROM seq_1_to_500")

    def is_swept():
        for _ in range(200):
            first.api("GET", "auth/microsoft/user")
        return stack.sql("SELECT COUNT(*) FROM rate_limits WHERE k LIKE 'old:%'") == [["0"]]

    assert wait_until(is_swept, 30, 0)
    assert stack.sql(f"SELECT COUNT(*) > 0 FROM rate_limits WHERE k LIKE '%{first.subject}%'") == [["1"]]


def test_a_database_that_is_away_lets_nobody_in(limited):
    someone = limited(DATABASE_URL="mariadb://u:p@127.0.0.1:1/x", **{CALENDAR: "5/60"})()
    assert someone.api("GET", "auth/microsoft/user").body["code"] == "database_unavailable"
