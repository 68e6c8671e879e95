# SPDX-License-Identifier: MIT
"""The simulator itself: start and stop, faults, forgeries, reports, the control interface, the demo's data."""

import gzip
import http.client
import json
import os
import re
import signal
import socket
import ssl
import stat
import threading
import time
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest
from sim.client import Sim, SimError
from sim.microsoft import faults, idtoken


def raw_get(site, path, timeout=10):
    """Every byte of the answer until the end; ConnectionError when there is a reset. A token is sent along."""
    site.graph("GET", "/me")
    parts = urlsplit(site.sim.http)
    with socket.create_connection((parts.hostname, parts.port), timeout) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {site.token}\r\n\r\n".encode())
        data = b""
        while True:
            piece = connection.recv(1 << 20)
            if not piece:
                return data
            data += piece


def test_files_and_permissions(sim):
    description = json.loads((sim.dir / "sim.json").read_text())
    assert set(description) == {"pid", "http", "https", "https_bad", "ca_file", "control", "client_id", "client_secret",
                                "tenant_id"}
    assert description["control"] == description["http"] + "/_control" and description["https"].startswith("https://localhost:")
    for name in ("sim.json", "ca.pem", "server.pem"):
        assert stat.S_IMODE(os.stat(sim.dir / name).st_mode) == 0o600
    assert sim.client_secret not in (sim.dir / "sim.log").read_text()


def test_https_is_verifiable_by_name_and_address(sim, tools):
    port = urlsplit(sim.https).port
    for host in ("localhost", "127.0.0.1"):
        url = f"https://{host}:{port}/common/v2.0/.well-known/openid-configuration"
        assert tools.fetch("GET", url, ca_file=sim.ca_file)[2]["token_endpoint"].startswith(f"https://{host}:{port}/")
    with pytest.raises(ssl.SSLCertVerificationError):
        tools.fetch("GET", url)


@pytest.mark.parametrize("name, reason", [("wrong_host", "match"), ("expired", "expired"), ("unknown_ca", "")])
def test_certificates_that_nobody_may_trust(sim, tools, name, reason):
    with pytest.raises(ssl.SSLCertVerificationError, match=reason):
        tools.fetch("GET", sim.https_bad[name] + "/common/v2.0/.well-known/openid-configuration", ca_file=sim.ca_file)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_starts_with_config_and_stops_cleanly(tmp_path, number):
    config = {"apps": [{"client_id": "app-1", "secrets": [{"value": "s" * 40}], "redirect_uris": ["https://a.example/cb"]}],
              "users": [{"key": "zoe", "upn": "zoe@example.com"}], "settings": {"expires_in": 77}}
    other = Sim(tmp_path, seed="demo", config=config).start()
    try:
        assert (other.client_id, other.client_secret) == ("app-1", "s" * 40)
        assert other.mint("zoe")["expires_in"] == 77 and len(other.events("sam")) > 10
        os.kill(other.pid, number)
        # A second signal, stop()'s own, must not meet it on its way out.
        other._process.wait(15)  # pylint: disable=protected-access
    finally:
        assert other.stop() == 0
    assert not (tmp_path / "sim.json").exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", urlsplit(other.http).port), 1)


def test_a_start_that_fails_says_why(tmp_path):
    with pytest.raises(SimError) as caught:
        Sim(tmp_path, http_port=1 << 20).start()
    assert "port" in caught.value.page


# Faults

REFUSED = [
    ({"kind": "status", "status": 503, "retry_after": 7}, 503, "retry-after: 7"),
    ({"kind": "status", "code": "TooManyRequests", "retry_after_date": 60}, 429, "TooManyRequests"),
    ({"kind": "status", "code": "ErrorIrresolvableConflict", "status": 409}, 409, "ErrorIrresolvableConflict"),
    ({"kind": "status", "aadsts": 90033}, 503, "temporarily_unavailable"),
    ({"kind": "redirect", "location": "http://evil.example/x"}, 302, "location: http://evil.example/x"),
    ({"kind": "content_type", "content_type": "text/plain"}, 200, "content-type: text/plain"),
    ({"kind": "cae"}, 401, 'error="insufficient_claims"'),
    ({"kind": "cae", "padding": False, "several": True}, 401, "PoP realm"),
    ({"kind": "merge", "body": {"mail": "other@example.com", "id": None}}, 200, "other@example.com"),
    ({"kind": "next_foreign"}, 200, "evil.example"),
    ({"kind": "next_circle"}, 200, "@odata.nextLink"),
    ({"kind": "deep", "depth": 5000}, 200, "[" * 5000),
    *[({"kind": "malformed", "name": name}, 200, "") for name in faults.MALFORMED],
]


@pytest.mark.parametrize("rule, status, text", REFUSED, ids=lambda value: str(value)[:50])
def test_answers_that_are_whole_but_wrong(sim, site, rule, status, text):
    site.graph("GET", "/me")
    sim.faults({"target": "graph", "count": 1, "user": site.user, **rule})
    connection = http.client.HTTPConnection(urlsplit(sim.http).netloc, timeout=10)
    connection.request("GET", "/v1.0/me", headers={"Authorization": f"Bearer {site.token}"})
    answer = connection.getresponse()
    body = answer.read()
    shown = "\n".join(f"{name.lower()}: {value}" for name, value in answer.getheaders()) + "\n" + body.decode("latin-1")
    assert answer.status == status and text in shown
    if rule["kind"] == "malformed":
        try:
            assert not isinstance(json.loads(body), dict) or rule["name"] in ("duplicate", "wrong_types", "huge_number", "bom")
        except ValueError:
            pass
    connection.close()
    assert site.graph("GET", "/me")[0] == 200, "a fault with count 1 fires once"
    assert sim.faults()[0]["hits"] == 1


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("rule, error", [
    ({"kind": "reset", "when": "before"}, ConnectionError), ({"kind": "reset", "when": "headers"}, ConnectionError),
    ({"kind": "reset"}, (ConnectionError, http.client.IncompleteRead)), ({"kind": "close"}, (ConnectionError, http.client.RemoteDisconnected)),
    ({"kind": "truncate"}, http.client.IncompleteRead), ({"kind": "truncate", "chunked": True}, http.client.IncompleteRead)])
def test_broken_connections(sim, site, tools, rule, error, secure):
    site.graph("GET", "/me")
    sim.faults({"target": "graph", "count": 1, **rule})
    with pytest.raises((*(error if isinstance(error, tuple) else (error,)), *((ssl.SSLError, http.client.IncompleteRead) if secure else ()))):
        tools.fetch("GET", (sim.https if secure else sim.http) + "/v1.0/me", {"Authorization": f"Bearer {site.token}"}, ca_file=sim.ca_file)
    assert site.graph("GET", "/me")[0] == 200


def test_a_reset_is_an_rst_and_half_the_body_comes_first(sim, site):
    sim.faults({"target": "graph", "skip": 1, "kind": "reset", "when": "mid"})
    with pytest.raises(ConnectionResetError):
        raw_get(site, "/v1.0/me")


@pytest.mark.parametrize("rule, least, most", [
    ({"kind": "delay", "delay_ms": 300}, 0.3, 2), ({"kind": "delay", "delay_after_ms": 300}, 0.3, 2),
    ({"kind": "slow_body", "over_ms": 300}, 0.25, 2), ({"kind": "slow_headers", "over_ms": 300}, 0.25, 2)])
def test_slow_answers(sim, site, rule, least, most):
    site.graph("GET", "/me")
    sim.faults({"target": "graph", "count": 1, **rule})
    begin = time.monotonic()
    status, _, body = site.graph("GET", "/me")
    assert status == 200 and body["mail"] and least <= time.monotonic() - begin < most


@pytest.mark.parametrize("layers", [1, 2])
def test_bomb_is_small_and_unpacks(sim, site, layers):
    site.graph("GET", "/me")
    sim.fault("bomb", "graph", mb=3, layers=layers)
    connection = http.client.HTTPConnection(urlsplit(sim.http).netloc, timeout=10)
    connection.request("GET", "/v1.0/me/calendars", headers={"Authorization": f"Bearer {site.token}"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.headers["Content-Encoding"] == ", ".join(["gzip"] * layers) and len(body) < 20000
    for _ in range(layers):
        body = gzip.decompress(body)
    assert len(body) > 3 << 20 and json.loads(body) == {"value": []}


def test_wide_is_valid_json(sim, site):
    sim.fault("wide", "graph", mb=1)
    assert len(site.graph("GET", "/me/calendars")[2]["value"]) == 512 * 1024 + 1


@pytest.mark.parametrize("chunked", [False, True])
def test_oversize_is_valid_json(sim, site, chunked):
    site.graph("GET", "/me")
    sim.fault("oversize", "graph", mb=5, chunked=chunked)
    body = site.graph("GET", "/me")[2]
    assert len(body["padding"]) == 5 << 20 and body["mail"]


def test_lost_answers_took_effect_and_refusals_did_not(sim, site):
    site.create()
    for rule, more in (({"kind": "close"}, 1), ({"kind": "status", "status": 503}, 0), ({"kind": "status", "status": 504, "effect": True}, 1)):
        before = len(sim.events(site.user))
        sim.faults({"target": "graph", "method": "POST", "path": "/events$", "count": 1, **rule})
        try:
            site.create()
        except (AssertionError, ConnectionError, http.client.HTTPException):
            pass
        assert len(sim.events(site.user)) == before + more


def test_matching(sim, site):
    site.graph("GET", "/me")
    sim.faults({"target": "graph", "user": "noor", "kind": "status"}, {"target": "graph", "method": "POST", "kind": "status"},
               {"target": "token", "grant": "authorization_code", "kind": "status"}, {"target": "graph", "path": "calendars", "kind": "status"},
               {"target": "graph", "query": "top=3", "kind": "status"}, {"target": "graph", "percent": 0, "kind": "status"})
    refresh = sim.mint(site.user)["refresh_token"]
    assert site.graph("GET", "/me")[0] == 200 and site.refresh(refresh)[0] == 200
    assert site.graph("GET", "/me/calendars")[0] == site.graph("GET", "/me/events?$top=3")[0] == 500
    sim.clear_faults()
    number = sim.fault("status", "graph", count=None, skip=2, status=502)
    assert [site.graph("GET", "/me")[0] for _ in range(4)] == [200, 200, 502, 502]
    sim.clear_faults(number)
    assert site.graph("GET", "/me")[0] == 200


@pytest.mark.parametrize("target, path", [
    ("discovery", "/common/v2.0/.well-known/openid-configuration"), ("keys", "/common/discovery/v2.0/keys"),
    ("logout", "/common/oauth2/v2.0/logout"), ("authorize", "/common/oauth2/v2.0/authorize"), ("token", "/common/oauth2/v2.0/token")])
def test_every_target_can_fail(sim, site, tools, target, path):
    sim.fault("status", target, status=418)
    assert tools.fetch("GET", sim.http + path)[0] == 418 and tools.fetch("GET", sim.http + path)[0] != 418


@pytest.mark.parametrize("number, status, error", [
    (50173, 400, "invalid_grant"), (7000215, 401, "invalid_client"), (50076, 400, "interaction_required"), (90055, 429, "temporarily_unavailable")])
def test_injected_aadsts(sim, site, number, status, error):
    sim.fault("status", "token", aadsts=number, claims='{"access_token":{}}')
    answer = site.refresh("any")
    assert (answer[0], answer[2]["error"], answer[2]["error_codes"]) == (status, error, [number]) and answer[2]["claims"]


@pytest.mark.parametrize("rule, expected", [
    ({"aadsts": 90094}, "AADSTS90094"), ({"error": "server_error"}, None), ({"error": "access_denied", "error_subcode": "cancel"}, None)])
def test_injected_authorize_errors(sim, site, rule, expected):
    sim.fault("oauth_error", "authorize", **rule)
    back = site.callback()
    assert back["state"] == "st&te=1" and back["error"] == rule.get("error", "access_denied")
    assert expected in back["error_description"] if expected else "error_description" not in back
    assert "code" in site.callback()


@pytest.mark.parametrize("rule", [{"kind": "nonsense"}, {"target": "nowhere"}, {"path": "("}, {"kind": "malformed", "name": "x"},
                                  {"kind": "status", "code": "NoSuchCode"}])
def test_faults_that_could_never_fire_are_refused(sim, rule):
    with pytest.raises((SimError, re.error)):
        sim.faults(rule)


# Tokens by order

@pytest.mark.parametrize("options, check", [
    ({"expires_in": 60}, lambda answer: answer["expires_in"] == 60),
    ({"expires_in": 60, "expires_in_string": True}, lambda answer: answer["expires_in"] == "60"),
    ({"refresh_token": False}, lambda answer: "refresh_token" not in answer),
    ({"scope_add": ["Mail.Read"]}, lambda answer: "Mail.Read" in answer["scope"].split()),
    ({"scope_drop": ["calendars.readwrite"]}, lambda answer: "Calendars.ReadWrite" not in answer["scope"]),
    ({"set": {"token_type": "bearer"}, "drop": ["scope"]}, lambda answer: answer["token_type"] == "bearer" and "scope" not in answer)])
def test_token_options(sim, site, options, check):
    first = sim.mint(site.user)
    sim.token_options(user=site.user, grant="refresh_token", **options)
    assert check(site.refresh(first["refresh_token"])[2])
    assert set(site.refresh(first["refresh_token"])[2]) == set(first) and not check(first)


def test_expiry_is_real(sim, site):
    sim.token_options(user=site.user, expires_in=1)
    site.token = sim.mint(site.user)["access_token"]
    assert site.graph("GET", "/me")[0] == 200
    time.sleep(1.1)
    assert site.refused("GET", "/me") == (401, "InvalidAuthenticationToken")


@pytest.mark.parametrize("kind", sorted(idtoken.FORGERIES))
def test_every_forgery(sim, site, tools, kind):
    """Each differs from a good token in what it says it does; the next exchange is good again."""
    sim.forge(kind, user=site.user, params={"set": {"oid": "x"}})
    bad, good = (site.exchange(site.callback()["code"])[2] for _ in range(2))
    assert tools.claims_of(good["id_token"])["nonce"] == "n-1"
    token = bad.get("id_token", "absent")
    if kind.startswith("missing_"):
        assert set(tools.claims_of(good["id_token"])) - set(tools.claims_of(token)) == {kind[len("missing_"):]}
    else:
        assert token != good["id_token"] and (kind != "absent" or token == "absent")


# Reports

def test_report_and_secrets(sim, site):
    sim.clear_requests()
    code = site.callback()["code"]
    answer = site.exchange(code)[2]
    site.refresh(answer["refresh_token"])
    site.token = answer["access_token"]
    site.create(subject="seen")
    rows = sim.requests(user=site.user)
    assert [row["target"] for row in rows] == ["signin", "token", "token", "graph"]
    assert rows[1]["form"]["code"] == rows[1]["form"]["client_secret"] == "***" and rows[1]["grant"] == "authorization_code"
    assert rows[3]["body"]["subject"] == "seen" and rows[3]["headers"]["authorization"] == "Bearer ***" and rows[3]["status"] == 201
    text = json.dumps(sim.requests())
    for value in (code, answer["access_token"], answer["refresh_token"], sim.client_secret):
        assert value not in text and value in json.dumps(sim.requests(secrets=True))
    assert {row["value"] for row in sim.issued()} >= {code, answer["access_token"], answer["refresh_token"], answer["id_token"], sim.client_secret}
    counters = sim.counters(site.user)
    assert (counters["refresh_token"], counters["authorization_code"], counters["graph_post_ok"]) == (1, 1, 1)
    assert sim.token_of(site.user, "code") == code
    assert [row["n"] for row in sim.requests(since=rows[2]["n"])] == [rows[3]["n"]]


def test_concurrency_is_seen_and_limited(sim, site):
    site.graph("GET", "/me")
    sim.settings(mailbox_concurrency=4)
    sim.fault("delay", "graph", count=None, delay_ms=200)
    found = []
    threads = [threading.Thread(target=lambda: found.append(site.graph("GET", "/me")[0])) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sim.counters(site.user)["graph_peak"] == 6 and 429 in found and 200 in found


def test_clock_skew(sim, site, tools):
    sim.settings(date_skew_s=-600, token_skew_s=600)
    headers = site.graph("GET", "/me")[1]
    assert abs(parsedate_to_datetime(headers["Date"]).timestamp() - time.time() + 600) < 5
    assert abs(tools.claims_of(sim.mint(site.user)["id_token"])["exp"] - time.time() - 4200) < 5


def test_reset_of_one_user_leaves_the_others(sim, site):
    site.create()
    other = sim.mint("noor")
    sim.fault("status", "graph", user=site.user)
    sim.reset(site.user)
    assert sim.events(site.user) == [] and sim.faults() == []
    assert site.refused("GET", "/me")[0] == 401
    site.token = other["access_token"]
    assert site.graph("GET", "/me")[0] == 200


def test_users_are_cheap_and_free_to_shape(sim, site):
    tenant = "77777777-9a0e-4f6d-8c31-2e5f60a7d913"
    begin = time.monotonic()
    for number in range(50):
        sim.user(f"many{number}", tid=tenant, oid=f"00000000-0000-4000-8000-{number:012}", email=None)
    assert time.monotonic() - begin < 3 and len(sim.users()) >= 55
    assert sim.user("many7")["tid"] == tenant
    made = sim.add_events(site.user, {"id": "AAAAbbbb/+CCCCdddd==", "subject": "by hand", "start": {"dateTime": "2027-01-01T00:00:00"},
                                      "end": {"dateTime": "2027-01-01T01:00:00"}, "overlay": {"isCancelled": True}})
    assert made[0]["id"] == "AAAAbbbb/+CCCCdddd==" and made[0]["isCancelled"]
    assert site.graph("GET", "/me/events/AAAAbbbb%2F%2BCCCCdddd%3D%3D")[0] == 200


@pytest.mark.parametrize("method, path, headers, status", [
    ("POST", "/_control/reset", {"Content-Type": "text/plain"}, 415), ("GET", "/_control", {"Host": "evil.example"}, 421),
    ("GET", "/_control/nothing", {}, 404), ("DELETE", "/_control/settings", {}, 405), ("PATCH", "/_control/settings", {"Content-Type": "application/json"}, 400)])
def test_control_refuses(sim, tools, method, path, headers, status):
    assert tools.fetch(method, sim.http + path, headers, b'{"no_such": 1}' if method in ("POST", "PATCH") else None)[0] == status


def test_the_summary_names_everything(sim):
    summary = sim.call("GET", "")
    assert "POST /_control/faults" in summary["endpoints"] and set(summary["fault_kinds"]) == set(faults.KINDS)
    assert summary["id_token_kinds"] == sorted(idtoken.FORGERIES)


def test_demo_seed(sim, site):
    sim.seed()
    sam, noor = sim.events("sam"), sim.events("noor")
    assert {"seriesMaster", "singleInstance"} == {event["type"] for event in sam} and len(noor) >= 5
    assert any(event["isAllDay"] for event in sam) and any(event["isOnlineMeeting"] for event in sam)
    assert len({event["originalStartTimeZone"] for event in sam}) == 3 and len({event["calendar"] for event in sam}) == 2
    assert any(event["attendees"] for event in sam)
