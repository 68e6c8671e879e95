# SPDX-License-Identifier: MIT
"""After all other tests: no database and no log holds a secret that Microsoft gave, a browser had or a caller sent.

The simulator tells every value that it issued or was sent; seen.py kept those that only graphgate and its clients know.
"""

import pytest
from conftest import Person, sign_jwt
from leaks import found, logs_of, patterns

import seen
from stack.smoke import REALMS

KINDS = {"access_token", "refresh_token", "id_token", "code", "code_verifier", "client_secret", "jwt", "session_code", "state",
         "nonce", "cookie"}
CALENDAR = "integration/microsoft/calendar/"


@pytest.fixture(scope="module", params=["debug", "info"])
def driven(request, make_stack, sim):
    """A stack of that log level on which much went well and much went wrong."""
    stack = make_stack(LOG_LEVEL=request.param, workers=2)
    for realm in REALMS:
        for drive in (drive_sign_in, drive_connect, drive_failing_flows, drive_bad_tokens, drive_refreshes):
            drive(stack, realm, sim)
            sim.clear_faults()
            sim.clear_token_options()
    return stack


def drive_sign_in(stack, realm, sim):
    """A sign-in with a session code, its refresh, the same things once more."""
    someone = Person(stack, realm)
    start = someone.api("GET", f"auth/microsoft/?return_to={stack.url}/", accept="text/html")
    callback = sim.authorize(start.headers["Location"], someone.user)
    target = someone.call("GET", callback, accept="text/html").headers["Location"]
    seen.note_text(target)
    code = target.partition("session_code=")[2].partition("&")[0]
    for status in (200, 400):
        answer = someone.api("POST", "auth/microsoft/exchange", {"session_code": code})
        assert answer.status == status
        pair = answer.body if status == 200 else pair
    for status in (200, 401):
        assert someone.api("POST", "auth/refresh", {"refresh_token": pair["refresh_token"]}).status == status
    someone.token = pair["access_token"]
    assert someone.api("GET", CALENDAR).status == 200
    someone.call("GET", callback)
    someone.token = pair["refresh_token"]
    assert someone.api("GET", CALENDAR).status == 401


def drive_connect(stack, realm, sim):
    """A sign-in that lasts; a connect with a page as its answer, what a connected user does, and the disconnect."""
    Person(stack, realm).sign_in()
    someone = Person(stack, realm).log_in()
    start = someone.api("GET", "auth/microsoft/")
    assert someone.call("GET", sim.authorize(start.body["auth_url"], someone.user), accept="text/html").status == 200
    assert someone.api("GET", "auth/microsoft/user").status == 200
    for kind, rest in (("status", {"status": 500}), ("malformed", {"name": "html"}), ("reset", {}), ("cae", {})):
        sim.fault(kind, "graph", user=someone.user, count=2, **rest)
        someone.api("GET", CALENDAR)
        sim.clear_faults()
    assert someone.api("DELETE", "auth/microsoft/token").status == 200


def drive_failing_flows(stack, realm, sim):
    """Callbacks that fail at each of their steps."""
    for fault in ({"kind": "status", "aadsts": 70000}, {"kind": "status", "aadsts": 7000215}, {"kind": "status", "status": 503},
                  {"kind": "malformed", "name": "html"}, {"kind": "reset"}, {"kind": "truncate"}):
        someone = Person(stack, realm)
        start = someone.api("GET", f"auth/microsoft/?return_to={stack.url}/")
        callback = sim.authorize(start.body["auth_url"], someone.user)
        sim.faults({"target": "token", "count": 1, **fault})
        assert someone.call("GET", callback, accept="text/html").status == 303
        sim.clear_faults()
    for forgery in ("alg_none", "wrong_nonce", "expired"):
        someone = Person(stack, realm)
        start = someone.api("GET", "auth/microsoft/")
        sim.forge(forgery)
        assert someone.call("GET", sim.authorize(start.body["auth_url"], someone.user)).body["code"] == "id_token_invalid"
    start = Person(stack, realm).api("GET", "auth/microsoft/")
    stranger = Person(stack, realm)
    assert stranger.call("GET", sim.authorize(start.body["auth_url"], stranger.user)).status == 400
    declined = Person(stack, realm)
    start = declined.api("GET", "auth/microsoft/")
    declined.call("GET", sim.authorize(start.body["auth_url"], declined.user, deny=True))


def drive_bad_tokens(stack, realm, sim):
    """JWTs that are refused, wherever a JWT can be put."""
    assert sim
    someone = Person(stack, realm)
    bad = [someone.jwt({"alg": "none"}), someone.jwt(exp=1), someone.jwt(type="admin"), someone.jwt(sub=None),
           sign_jwt("another key of someone", someone.claims()), someone.jwt() + "x", someone.jwt(email="e" * 9000),
           someone.jwt(type="teacher" if realm.name == "main" else "user", sub="1" if realm.name == "beta" else someone.subject)]
    for token in bad:
        someone.token = token
        assert someone.api("GET", CALENDAR).status in (400, 401, 403)
        assert someone.api("POST", "auth/refresh", {"refresh_token": token}).status in (400, 401)
        assert someone.api("POST", "auth/microsoft/exchange", {"session_code": token}).status == 400
        someone.api("GET", f"auth/microsoft/callback?state={token}&code={token}")
        someone.api("GET", f"{CALENDAR}events?cursor={token}")


def drive_refreshes(stack, realm, sim):
    """Refreshes that work, fail for a while, fail for good, and are the operator's fault."""
    for fault in (None, {"kind": "status", "status": 503}, {"kind": "status", "aadsts": 7000215},
                  {"kind": "status", "aadsts": 50173}, {"kind": "malformed", "name": "html"}):
        someone = Person(stack, realm).connect()
        someone.set_row("expires_at = UTC_TIMESTAMP() + INTERVAL 60 SECOND")
        if fault:
            sim.faults({"target": "token", "grant": "refresh_token", "user": someone.user, **fault})
        someone.api("GET", CALENDAR)
        sim.clear_faults()
    for change in ("access_token = CONCAT('x', access_token)", "seal = NULL"):
        someone.set_row(change)
        assert someone.api("GET", CALENDAR).status == 401


def test_no_secret_in_any_log(driven, make_stack, sim):
    wanted = patterns(sim)
    assert KINDS <= set(wanted.values()), KINDS - set(wanted.values())
    assert driven in make_stack.made.values()
    logs = logs_of(make_stack.made.values())
    assert {"access.log", "error.log"} <= {log.name for log in logs}
    assert found(wanted, *sorted(logs)) == {}


def test_no_secret_in_any_database(driven, mariadb, sim, tmp_path):
    dump = tmp_path / "dump.sql"
    dump.write_text(mariadb.dump(), encoding="utf-8")
    text = dump.read_text(encoding="utf-8")
    assert f"USE `{driven.database.name}`" in text
    for table in ("microsoft_oauth_tokens", "beta_microsoft_oauth_tokens", "login_states", "refresh_families", "users", "beta_teachers"):
        assert f"INSERT INTO `{table}`" in text
    assert found(patterns(sim), dump) == {}


def test_the_search_finds(driven, sim, tmp_path):
    """One of each kind in a file of its own, in the middle of a line, whole or cut, is found."""
    assert driven
    wanted, parts = patterns(sim), {}
    for value, kind in sorted(wanted.items(), key=lambda pair: -len(pair[0])):
        if kind not in parts:
            cut = (value, value[20:], value[:-20]) if len(value) > 200 else (value,)
            parts[kind] = [tmp_path / f"{kind}{number}" for number in range(len(cut))]
            for path, text in zip(parts[kind], cut):
                path.write_text(f'2026 info x reason="{text}" y\n')
    assert KINDS <= set(parts)
    files = {str(path): kind for kind, paths in parts.items() for path in paths}
    hits = found(wanted, *files)
    for path, kind in files.items():
        assert kind in {hit[0] for hit in hits.get(path, ())}, path
