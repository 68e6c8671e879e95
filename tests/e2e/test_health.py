# SPDX-License-Identifier: MIT
"""Health and the token statistics."""

import re
import time
import uuid

import pytest
from conftest import Person
from fcgi_client import direct
from kit import cal, is_problem, wait_for
from rows import fingerprint
from trouble import Relay

from stack.process import free_port
from stack.smoke import REALMS
from stack.stack import fernet_key

HEALTH, TOKENS = "/api/v1/health/microsoft", "/api/v1/health/microsoft/tokens"
LIVE, READY = "/api/v1/health/live", "/api/v1/health/ready"
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


def test_for_load_balancers(stack):
    """No more than the word, to anybody; HEAD too; only in the main realm."""
    for path, word in ((LIVE, "alive"), (READY, "ready")):
        for url in (path, path + "/", path + "?x=1"):
            answer = nobody(stack).call("GET", url)
            assert (answer.status, answer.body) == (200, {"status": word})
        assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Request-ID"]
        assert answer.headers["RateLimit-Limit"] is None
        head = nobody(stack).call("HEAD", path)
        assert (head.status, head.body) == (200, "")
        refused = nobody(stack).call("POST", path)
        assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")
        assert nobody(stack).call("GET", path.replace("/v1/", "/v1/beta/")).status == 404


# mutant: src/web/on_health.c: x->fault = ok ? NULL : "not_ready"; => (void)ok;
# mutant: src/web/on_health.c: x->fault = ok ? NULL : "unhealthy"; => (void)ok;
@pytest.mark.parametrize("settings", [
    {"MSCLIENTID": None}, {"TOKEN_ENCRYPTION_KEY": "short"}, {"NO_SUCH_NAME": "1"},
    {"DATABASE_URL": f"mariadb://nobody:no@127.0.0.1:{free_port()}/none"}], ids=lambda settings: next(iter(settings)))
def test_alive_but_not_ready(program, settings):
    worker = program(**settings)
    live, ready = worker.ask("GET", LIVE), worker.ask("GET", READY)
    assert (live.status, live.body) == (200, {"status": "alive"})
    assert (ready.status, ready.body) == (503, {"status": "not_ready"})
    assert worker.health().status == 503
    for route, level, code in (("live", "info", "ok"), ("ready", "warning", "not_ready"), ("microsoft", "warning", "unhealthy")):
        line, = wait_for(lambda route=route: [line for line in worker.logs().splitlines() if f" route=health/{route} " in line])
        assert f" level={level} event=request " in line and f" code={code} " in line


# mutant: src/flow/health.c: if (now_ms < ctx->ready_until_ms) => if (now_ms < 0)
# mutant: src/web/on_health.c: if (!is_admin) { => if (false) {
@pytest.mark.parametrize("path", [READY, HEALTH])
def test_health_costs_a_round_trip_a_second_at_most(program, stack, path):
    """However often it is asked; and it comes back by itself when the database does."""
    relay = Relay(stack.mariadb.port)
    head, _, rest = stack.mariadb.tcp_url(stack.database.worker).rpartition("@")
    worker = program(DATABASE_URL=f"{head}@127.0.0.1:{relay.port}/{rest.partition('/')[2]}")

    def status():
        return worker.ask("GET", path).status

    try:
        assert status() == 200
        relay.down()
        wait_for(lambda: status() == 503)
        before, began = worker.logs().count("part=database"), time.monotonic()
        assert [status() for _ in range(100)] == [503] * 100
        looked, took = worker.logs().count("part=database") - before, time.monotonic() - began
        assert looked <= took + 1, (looked, took)
        relay.up()
        wait_for(lambda: status() == 200)
    finally:
        relay.down()


def deep(person, status=200, query="?deep=1"):
    answer = person.call("GET", HEALTH + query)
    assert answer.status == status, answer.body
    return answer.body.get("details")


PARTS = {"configuration": set(), "database": {"schema_version"}, "encryption": {"keys"}, "discovery": set(), "keys": {"count"},
         "clock": {"ahead_of_microsoft_s", "ahead_of_database_s"}, "client_secret": {"expires", "days_left"}}


def test_deep(stack):
    """Each part with its time and what was found; the plain answer stays as it is."""
    boss = admin(stack)
    details = deep(boss)
    assert {name: set(part) - {"ok", "fault", "took_ms"} for name, part in details.items()} == PARTS
    assert all(part["ok"] and part["fault"] is None and part["took_ms"] >= 0 for part in details.values()), details
    newest = int(stack.sql("SELECT MAX(version) FROM schema_migrations")[0][0])
    assert details["database"]["schema_version"] == newest and details["keys"]["count"] >= 1
    assert abs(details["clock"]["ahead_of_microsoft_s"]) < 30 and abs(details["clock"]["ahead_of_database_s"]) < 30
    assert (details["client_secret"]["expires"], details["client_secret"]["days_left"]) == ("unknown", "unknown")
    assert set(deep(boss, query="?deep=0")) == set(deep(boss, query="")) == {"configuration", "database", "encryption"}
    for name in ("TOKEN_ENCRYPTION_KEY", "JWT_SECRET_KEY", "MSCLIENTSECRET", "DATABASE_URL"):
        assert stack.conf[name] not in str(details)
    for bad in ("?deep=2", "?deep=yes", "?deep=1&deep=1"):
        answer = boss.call("GET", HEALTH + bad)
        assert (answer.status, answer.body["errors"][0]["field"]) == (422, "deep")


# mutant: src/flow/health.c: fingerprint(f, count, name => fingerprint(f, 0, name
def test_details_name_the_keys(program):
    """As the configuration of the worker that answers has them, in that order; and nothing else of them."""
    first, second = fernet_key(), fernet_key()
    for keys in ((second,), (second, first), (first, second)):
        one = program(TOKEN_ENCRYPTION_KEY=",".join(keys))
        details = deep(direct(Person, one, MAIN).log_in(scopes=["admin"]), query="")
        assert details["encryption"]["keys"] == [fingerprint(key) for key in keys]
        assert not any(key in str(details) for key in keys)


def test_deep_is_the_admins(stack, sim):
    """Whoever else asks gets what anybody gets, and Microsoft is not asked."""
    before = len(sim.requests(target="discovery")) + len(sim.requests(target="keys"))
    plain = admin(stack, scopes=[])
    for someone in (nobody(stack), plain, admin(stack, BETA)):
        answer = someone.call("GET", HEALTH + "?deep=1")
        assert (answer.status, set(answer.body)) == (200, MEMBERS)
    assert len(sim.requests(target="discovery")) + len(sim.requests(target="keys")) == before


FAULTS = {"discovery answers 503": ({"kind": "status", "target": "discovery", "status": 503}, "discovery", "answered 503"),
          "keys answer 403": ({"kind": "status", "target": "keys", "status": 403}, "keys", "answered 403"),
          "keys are no keys": ({"kind": "malformed", "target": "keys", "name": "html"}, "keys", "its answer is not usable"),
          "discovery is late": ({"kind": "delay", "target": "discovery", "delay_ms": 4000}, "discovery", "no answer in time")}


@pytest.mark.parametrize("name", FAULTS)
def test_microsoft_away_is_in_the_details_alone(make_stack, sim, name):
    """It works as long as it can do its own part: a load balancer must not take away all hosts for that."""
    one = make_stack(workers=1, LOGIN_TIMEOUT_S=1)
    rule, part, fault = FAULTS[name]
    sim.faults(rule)
    body = health(admin(one))
    assert "discovery" not in body["details"] and nobody(one).call("GET", READY).status == 200
    details = deep(admin(one))
    assert (details[part]["ok"], details[part]["fault"]) == (False, fault)
    assert details["database"]["ok"] and details["keys"]["ok"] is False
    assert (details["clock"]["ahead_of_microsoft_s"] == "unknown") is (fault == "no answer in time")


@pytest.mark.parametrize("skew_s", [-600, 600])
def test_a_clock_that_is_off_is_in_the_details(stack, sim, skew_s):
    sim.settings(date_skew_s=skew_s)
    try:
        clock = deep(admin(stack))["clock"]
    finally:
        sim.settings(date_skew_s=0)
    assert clock["ok"] is False and "Microsoft" in clock["fault"] and abs(clock["ahead_of_microsoft_s"] + skew_s) < 30


def test_a_secret_that_ended_is_in_the_details(program):
    def secret(expires):
        worker = program(MSCLIENTSECRET_EXPIRES=expires)
        details = deep(direct(Person, worker, MAIN).log_in(scopes=["admin"]))
        return details["client_secret"]

    ended, far = secret("2020-02-29"), secret("2999-12-31")
    assert (ended["ok"], ended["expires"]) == (False, "2020-02-29T23:59:59Z") and ended["days_left"] < -2000
    assert (far["ok"], far["expires"]) == (True, "2999-12-31T23:59:59Z") and far["days_left"] > 100000


def test_deep_without_a_database_or_settings(program):
    """What cannot be asked is unknown; the rest is told."""
    gone = program(DATABASE_URL=f"mariadb://nobody:no@127.0.0.1:{free_port()}/none")
    details = deep(direct(Person, gone, MAIN).log_in(scopes=["admin"]), 503)
    assert (details["database"]["ok"], details["database"]["schema_version"]) == (False, "unknown")
    assert details["clock"]["ahead_of_database_s"] == "unknown" and details["discovery"]["ok"] and details["keys"]["ok"]
    bare = program(MSTENANTID=None)
    details = deep(direct(Person, bare, MAIN).log_in(scopes=["admin"]), 503)
    assert not details["configuration"]["ok"] and not details["discovery"]["ok"] and details["database"]["ok"]


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
