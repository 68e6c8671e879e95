# SPDX-License-Identifier: MIT
"""Health and the token statistics."""

import re
import uuid

import pytest
from conftest import Person
from kit import cal, is_problem

from stack.process import free_port
from stack.smoke import REALMS

HEALTH, TOKENS = "/api/v1/health/microsoft", "/api/v1/health/microsoft/tokens"
UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
MEMBERS = {"status", "service", "configured", "last_check"}
MAIN, BETA = REALMS


def admin(stack, realm=MAIN, **changes):
    return Person(stack, realm, "sam").log_in(**{"scopes": ["admin"], **changes})


def health(person, status=200):
    answer = person.call("GET", HEALTH)
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.body["service"] == "microsoft_graph" and UTC.fullmatch(answer.body["last_check"])
    assert answer.body["status"] == ("healthy" if status == 200 else "unhealthy")
    return answer.body


def nobody(stack):
    someone = Person(stack, MAIN, "sam")
    someone.token = None
    return someone


@pytest.mark.parametrize("path", [HEALTH, HEALTH + "/", HEALTH + "?x=1"])
def test_healthy(stack, path):
    answer = nobody(stack).call("GET", path)
    assert (answer.status, set(answer.body), answer.body["configured"]) == (200, MEMBERS, True)
    assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Request-ID"]
    health(nobody(stack))


def test_head(stack):
    answer = nobody(stack).call("HEAD", HEALTH)
    assert (answer.status, answer.body) == (200, "")


@pytest.mark.parametrize("claims, shown", [({}, True), ({"scopes": ["calendar", "admin"]}, True), ({"scopes": None, "scope": "x admin"}, True),
                                           ({"scopes": []}, False), ({"scopes": ["administrator"]}, False),
                                           ({"scopes": None, "scope": "admins"}, False)], ids=str)
def test_details_are_the_admins(stack, claims, shown):
    assert ("details" in health(admin(stack, **claims))) is shown


def test_details_are_not_for_the_other_realm_or_a_bad_token(stack):
    for someone in (admin(stack, BETA), nobody(stack)):
        answer = someone.call("GET", HEALTH)
        assert "details" not in answer.body
    someone = nobody(stack)
    someone.token = "x.y.z"
    assert "details" not in someone.call("GET", HEALTH).body


def test_details_hold_no_secret(stack):
    text = str(health(admin(stack)))
    for name in ("TOKEN_ENCRYPTION_KEY", "JWT_SECRET_KEY", "MSCLIENTSECRET", "DATABASE_URL"):
        assert stack.conf[name] not in text


def test_beta_has_no_health_of_its_own(stack):
    for path in ("/api/v1/beta/health/microsoft", "/api/v1/beta/health/microsoft/tokens"):
        answer = nobody(stack).call("GET", path)
        assert (answer.status, answer.body["code"]) == (404, "not_found")


@pytest.fixture(scope="module")
def ailing(make_stack):
    """A stack that is restarted with one fault after another; it is left in order."""
    one = make_stack(workers=1, RATE_LIMIT_OAUTH_START="9/60")
    yield one
    one.restart_worker({"MSCLIENTID": one.sim.client_id, "TOKEN_ENCRYPTION_KEY": "", "DATABASE_URL": None})


@pytest.mark.parametrize("name, value, configured, code", [
    ("MSCLIENTID", None, False, "not_configured"), ("TOKEN_ENCRYPTION_KEY", "short", False, "not_configured"),
    ("GRAPH_TIMEOUT_S", "soon", False, "not_configured"),
    ("DATABASE_URL", f"mariadb://nobody:no@127.0.0.1:{free_port()}/none", True, "database_unavailable")],
                         ids=["missing", "bad_key", "bad_number", "no_database"])
def test_unhealthy(ailing, name, value, configured, code):
    kept = ailing.conf.get(name)
    ailing.restart_worker({name: value})
    try:
        someone = nobody(ailing)
        body = health(someone, 503)
        assert body["configured"] is configured and set(body) == MEMBERS
        asked = cal(Person(ailing, MAIN, "sam").log_in(), "GET")
        is_problem(asked, 503, code)
        if code == "database_unavailable":
            assert int(asked.headers["Retry-After"]) >= 1
        assert "details" in health(admin(ailing), 503)
        assert configured or name in ailing.logs()
    finally:
        ailing.restart_worker({name: kept})
    assert health(nobody(ailing))["configured"] is True


def test_statistics_are_for_admins(stack):
    someone = nobody(stack)
    is_401 = someone.call("GET", TOKENS)
    assert (is_401.status, is_401.body["code"], is_401.headers["WWW-Authenticate"][:6]) == (401, "invalid_token", "Bearer")
    for realm, claims, code in ((MAIN, {"scopes": []}, "admin_required"), (MAIN, {"scopes": None, "scope": "Admin"}, "admin_required"),
                                (BETA, {}, "wrong_realm"), (BETA, {"scopes": []}, "wrong_realm")):
        answer = admin(stack, realm, **claims).call("GET", TOKENS)
        assert (answer.status, answer.body["code"]) == (403, code)


# Seconds until it expires, and whether it is active.
ROWS = {"main": [(3600, 1), (3600, 1), (3600, 0), (290, 1), (200, 0), (-10, 1), (-10, 0), (-86400, 0), (320, 1)],
        "beta": [(3600, 1), (-5, 1), (100, 1), (100, 1)]}


def counted(rows):
    active = sum(is_active for _, is_active in rows)
    return {"total": len(rows), "active": active, "expired": sum(left <= 0 for left, _ in rows),
            "expiring_soon": sum(0 < left <= 300 for left, _ in rows), "inactive": len(rows) - active}


def test_statistics(make_stack):
    one = make_stack(workers=1, RATE_LIMIT_OAUTH_START="11/60")
    for realm in REALMS:
        table, column = {"main": ("microsoft_oauth_tokens", "user_id"), "beta": ("beta_microsoft_oauth_tokens", "teacher_id")}[realm.name]
        for number, (left, is_active) in enumerate(ROWS[realm.name], 1):
            subject = number if realm.name == "main" else uuid.uuid4()
            one.sql(f"INSERT INTO {table} ({column}, access_token, expires_at, is_active) VALUES "
                    f"('{subject}', 'x', UTC_TIMESTAMP() + INTERVAL {left} SECOND, {is_active})")
    answer = admin(one).call("GET", TOKENS)
    assert answer.status == 200
    main, beta = counted(ROWS["main"]), counted(ROWS["beta"])
    assert set(answer.body) == {"main_system", "beta_system", "summary", "last_updated"}
    assert (answer.body["main_system"], answer.body["beta_system"]) == (main, beta)
    assert answer.body["summary"] == {f"total_{name}" if name != "total" else "total_tokens": main[name] + beta[name]
                                      for name in ("total", "active", "expired", "expiring_soon")}
    assert UTC.fullmatch(answer.body["last_updated"])


def test_statistics_of_nobody(make_stack):
    one = make_stack(workers=1, RATE_LIMIT_OAUTH_START="9/60")
    zero = dict.fromkeys(("total", "active", "expired", "expiring_soon", "inactive"), 0)
    body = admin(one).call("GET", TOKENS).body
    assert body["main_system"] == zero and body["beta_system"] == zero and set(body["summary"].values()) == {0}
