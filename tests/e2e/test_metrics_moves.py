# SPDX-License-Identifier: MIT
"""What moves which metric, and by how much: each thing is brought about, and only its series rise."""

import pytest
from conftest import CALENDAR, NO_LIMITS, Person, sign_jwt
from fcgi_client import direct
from kit import expires_in, is_problem, one
from metrics import TOKEN, Moves
from test_refresh_faults import beset, oauth

REFRESHES, LOGINS, STORAGE = "token_refreshes_total", "authentications_total", "token_storage_errors_total"
LEAST = {"subject": "s", "start": "2027-03-02T09:00:00Z", "end": "2027-03-02T09:30:00Z"}
NOBODY = one("AAMkADk3AAAAAAAA")


@pytest.fixture
def worker(program):
    return program("--workers", 2, METRICS_TOKEN=TOKEN, **NO_LIMITS)


@pytest.fixture
def someone(worker, realm):
    return direct(Person, worker, realm)


@pytest.fixture
def moves(worker):
    return Moves(worker)


def start(someone):
    """Where Microsoft sends this person back to, after a start."""
    answer = someone.api("GET", "auth/microsoft/")
    assert answer.status == 200, answer
    return someone.stack.sim.authorize(answer.body["auth_url"], someone.user)


def test_sign_in_and_connect(someone, moves):
    with moves as moved:
        assert someone.sign_in().status == 200
        someone.connect()
    assert moved.only(LOGINS) == {("sign_in", "ok"): 1, ("connect", "ok"): 1}
    assert moved("token_refreshes_total") == moved("state_mismatches_total") == moved("bad_jwts_total") == 0
    assert moved("http_requests_total", route="auth/microsoft/callback", method="GET", status="200") == 2


@pytest.mark.parametrize("fault, status, code", [
    (oauth("invalid_grant"), 401, "microsoft_auth_failed"), (oauth("invalid_client", 401), 503, "microsoft_client_rejected"),
    ({"kind": "status", "status": 500}, 503, "microsoft_unavailable")])
def test_a_sign_in_that_fails(someone, sim, moves, fault, status, code):
    sim.faults({"target": "token", "grant": "authorization_code", **fault})
    with moves as moved:
        is_problem(someone.call("GET", start(someone)), status, code)
    assert moved.only(LOGINS) == {("sign_in", code): 1}


def test_a_connect_that_is_declined(someone, moves):
    someone.log_in()
    with moves as moved:
        auth_url = someone.api("GET", "auth/microsoft/").body["auth_url"]
        is_problem(someone.call("GET", someone.stack.sim.authorize(auth_url, someone.user, deny=True)), 403, "consent_declined")
    assert moved.only(LOGINS) == {("connect", "consent_declined"): 1}


def test_a_state_that_does_not_fit(someone, worker, realm, moves):
    with moves as moved:
        callback = start(someone)
        is_problem(direct(Person, worker, realm).call("GET", callback), 400, "state_invalid")
        is_problem(someone.call("GET", callback + "&state=twice"), 400, "state_invalid")
        is_problem(someone.call("GET", "/api/v1/auth/microsoft/callback?state=x&code=y"), 400, "state_invalid")
        assert someone.call("GET", callback).status == 200
    assert moved("state_mismatches_total") == 3
    # The repeated parameter was refused before anybody wondered who that is.
    assert moved.only(LOGINS) == {("unknown", "state_invalid"): 2, ("sign_in", "ok"): 1}


def test_session_codes_and_refresh_tokens(someone, worker, moves):
    with moves as moved:
        pair = someone.sign_in().body
        new = someone.api("POST", "auth/refresh", {"refresh_token": pair["refresh_token"]})
        assert new.status == 200
        for spent in (pair["refresh_token"], new.body["refresh_token"]):
            is_problem(someone.api("POST", "auth/refresh", {"refresh_token": spent}), 401, "invalid_token")
        is_problem(someone.api("POST", "auth/exchange", {"session_code": "x"}), 404, "not_found")
        is_problem(someone.api("POST", "auth/microsoft/exchange", {"session_code": "x"}), 400, "session_code_invalid")
        is_problem(someone.api("POST", "auth/refresh", {"refresh_token": pair["access_token"]}), 401, "invalid_token")
        assert someone.api("POST", "auth/refresh", {"refresh_token": 7}).status == 422
    assert moved.only(LOGINS) == {("sign_in", "ok"): 1, ("refresh", "ok"): 1, ("refresh", "invalid_token"): 3,
                                  ("exchange", "session_code_invalid"): 1}
    # The newest was not spent: its family was gone.
    assert moved("spent_refresh_tokens_total") == 1
    assert moved.only("bad_jwts_total") == {("claims",): 1}


@pytest.mark.parametrize("changes, header, reason", [
    ({"exp": 1}, None, "time"), ({"exp": None}, None, "time"), ({"nbf": 9999999999}, None, "time"),
    ({"sub": "../1"}, None, "claims"), ({"type": "admin"}, None, "claims"), ({"use": "refresh"}, None, "claims"),
    ({}, {"alg": "HS512"}, "signature"), ({}, {"crit": ["x"]}, "malformed")])
def test_bad_jwts_by_reason(someone, moves, changes, header, reason):
    with moves as moved:
        someone.token = someone.jwt(header, **changes)
        assert someone.api("GET", "auth/microsoft/user").status == 401
        someone.token = sign_jwt("guessed", someone.claims())
        assert someone.api("GET", "auth/microsoft/user").status == 401
        someone.token = None
        assert someone.api("GET", "auth/microsoft/user").status == 401
    assert moved("bad_jwts_total") == 2 and moved("bad_jwts_total", reason=reason) >= 1
    assert moved("bad_jwts_total", reason="signature") >= 1


@pytest.mark.parametrize("rule, kind", [
    (None, ("none", "ok")), (oauth("invalid_grant"), ("permanent", "failed")), (oauth("invalid_client", 401), ("operator", "failed")),
    (oauth("server_error", 500), ("passing", "failed")), ({"kind": "close"}, ("passing", "failed"))])
def test_refreshes(someone, moves, rule, kind):
    someone.connect()
    if rule:
        beset(someone, rule, 60)
    expires_in(someone, 60)
    with moves as moved:
        someone.cal("GET")
        someone.cal("GET")     # a failure is remembered, and a new token is good
    assert moved.only(REFRESHES) == {kind: 1} and moved(STORAGE) == 0


def test_calls_to_graph(someone, sim, moves):
    someone.connect()
    with moves as moved:
        assert someone.cal("GET").status == 200
        made = someone.cal("POST", "/events", LEAST)
        event = one(made.body["event"]["id"])
        assert someone.cal("GET", event).status == someone.cal("PATCH", event, {"subject": "x"}).status == 200
        assert someone.cal("PUT", event, {"subject": "y"}).status == someone.cal("GET", "/events").status == 200
        assert someone.cal("DELETE", event).status == 200
        assert someone.cal("GET", event).status == 404
        sim.fault("status", "graph", user=someone.user, code="ApplicationThrottled", retry_after=7)
        assert someone.cal("GET", "/events").status == 429
        sim.fault("status", "graph", user=someone.user, status=501, count=None)
        assert someone.cal("GET", "/events").status == 502
        sim.clear_faults()
        sim.fault("close", "graph", user=someone.user, count=None)
        assert someone.cal("PATCH", NOBODY, {"subject": "x"}).status == 502
    calls = moved.only("graph_requests_total")
    assert calls.pop(("update_event", "broken")) >= 1
    assert calls == {
        ("list_calendars", "200"): 1, ("create_event", "201"): 1, ("get_event", "200"): 1, ("update_event", "200"): 2,
        ("list_events", "200"): 1, ("delete_event", "204"): 1, ("get_event", "404"): 1, ("list_events", "429"): 1,
        ("list_events", "other"): 1}
    for operation in ("list_events", "update_event", "get_event"):
        took = {"operation": operation}
        assert moved("graph_request_duration_seconds_count", **took) == moved("graph_requests_total", **took) > 0
        assert 0 < moved("graph_request_duration_seconds_sum", **took) < 60


def test_each_try_is_a_call_to_graph(someone, sim, moves):
    someone.connect()
    sim.fault("status", "graph", user=someone.user, status=503)
    with moves as moved:
        assert someone.cal("GET").status == 200
    assert moved.only("graph_requests_total") == {("list_calendars", "503"): 1, ("list_calendars", "200"): 1}


def test_graph_late_or_out_of_reach(program, realm, sim):
    worker = program(METRICS_TOKEN=TOKEN, GRAPH_TIMEOUT_S="1")
    someone = direct(Person, worker, realm).connect()
    sim.fault("delay", "graph", user=someone.user, delay_ms=3000)
    with Moves(worker) as moved:
        assert someone.cal("GET").status == 504
    assert moved.only("graph_requests_total") == {("list_calendars", "timeout"): 1}
    lost = program(METRICS_TOKEN=TOKEN, MICROSOFT_GRAPH_URL="http://127.0.0.1:9/v1.0")
    other = direct(Person, lost, realm)
    other.token = someone.token
    with Moves(lost) as moved:
        assert other.cal("DELETE", NOBODY).status == 502
    assert set(moved.only("graph_requests_total")) == {("delete_event", "unreachable")}


def test_the_database(someone, moves):
    """Its calls, with a time for each; its errors by kind, also when the next try makes them good."""
    someone.connect()
    with moves as moved:
        assert someone.api("GET", "auth/microsoft/user").status == 200
    assert moved.only("db_calls_total") == {("ok",): 2} and moved("db_errors_total") == 0
    assert moved("db_call_duration_seconds_count") == 2
    table = f"{someone.stack.stack.database.name}.{someone.table}"
    someone.stack.sql(f"RENAME TABLE {table} TO {table}_away")
    try:
        with moves as moved:
            assert someone.api("GET", "auth/microsoft/user").status == 503
    finally:
        someone.stack.sql(f"RENAME TABLE {table}_away TO {table}")
    assert moved.only("db_calls_total") == {("ok",): 1, ("failed",): 1}
    assert moved.only("db_errors_total") == {("other",): 1} and moved.only(STORAGE) == {("read",): 1}


def test_a_database_out_of_reach(program, realm):
    worker = program(METRICS_TOKEN=TOKEN, DATABASE_URL="mariadb://u:p@127.0.0.1:1,127.0.0.1:2/db")
    with Moves(worker) as moved:
        assert direct(Person, worker, realm).log_in().api("GET", "auth/microsoft/user").status == 503
    # Both hosts were tried, for one call.
    assert moved.only("db_errors_total") == {("connect",): 2} and moved.only("db_calls_total") == {("failed",): 1}


@pytest.mark.parametrize("kind, change", [
    ("decrypt", "access_token = 'x', seal = NULL"), ("seal", "access_token = CONCAT(access_token, ' ')")])
def test_token_storage(someone, moves, kind, change):
    someone.connect()
    someone.set_row(change)
    with moves as moved:
        is_problem(someone.cal("GET"), 401, "microsoft_auth_required")
    assert moved.only(STORAGE) == {(kind,): 1}


def test_a_token_that_cannot_be_written(someone, moves):
    """Microsoft gave new tokens, and they could not be kept."""
    someone.connect()
    expires_in(someone, -10)
    table = f"{someone.stack.stack.database.name}.{someone.table}"
    trigger = f"{someone.stack.stack.database.name}.no_new_tokens"
    someone.stack.sql(f"CREATE TRIGGER {trigger} BEFORE UPDATE ON {table} FOR EACH ROW "
                      "SET NEW.access_token = IF(NEW.access_token = OLD.access_token, NEW.access_token, (SELECT 1 UNION SELECT 2))")
    try:
        with moves as moved:
            assert someone.cal("GET").status == 503
    finally:
        someone.stack.sql(f"DROP TRIGGER {trigger}")
    assert moved.only(STORAGE) == {("write",): 1} and moved.only(REFRESHES) == {("storage", "failed"): 1}


def test_audit_failures(someone, moves):
    """A change that cannot be written down."""
    someone.connect()
    table = f"{someone.stack.stack.database.name}.audit_log"
    someone.stack.sql(f"RENAME TABLE {table} TO {table}_away")
    try:
        with moves as moved:
            assert someone.api("DELETE", "auth/microsoft/token").status == 200
        assert moved("audit_failures_total") == 1
    finally:
        someone.stack.sql(f"RENAME TABLE {table}_away TO {table}")


@pytest.mark.parametrize("limit, method, below, body", [
    ("oauth_start", "GET", "auth/microsoft/", None), ("calendar", "GET", CALENDAR, None),
    ("oauth_callback", "POST", "auth/microsoft/exchange", {"session_code": "x"})])
def test_limits(program, realm, limit, method, below, body):
    worker = program(METRICS_TOKEN=TOKEN, **{f"RATE_LIMIT_{name}": "1/3600" for name in ("OAUTH_START", "OAUTH_CALLBACK", "CALENDAR")})
    someone = direct(Person, worker, realm, address=f"198.51.100.{sum(map(ord, limit + realm.name)) % 250}").log_in()
    with Moves(worker) as moved:
        answers = [someone.api(method, below, body).status for _ in range(4)]
    assert answers.count(429) == 3 and moved.only("rate_limited_total") == {(limit,): 3}
