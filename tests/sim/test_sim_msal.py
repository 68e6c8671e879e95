# SPDX-License-Identifier: MIT
"""Drives the simulator with a client that nobody here wrote: Microsoft's own MSAL, over HTTPS."""

from urllib.parse import parse_qs, urlsplit

import msal
import pytest
import requests

SCOPES = ["User.Read", "Calendars.ReadWrite"]


@pytest.fixture
def session(sim):
    with requests.Session() as opened:
        opened.verify, opened.trust_env = sim.ca_file, False
        yield opened


@pytest.fixture
def application(sim, session):
    def make(secret=None, tenant=None):
        return msal.ConfidentialClientApplication(
            sim.client_id, client_credential=secret or sim.client_secret, authority=f"{sim.https}/{tenant or sim.tenant_id}",
            http_client=session, instance_discovery=False)
    return make


def sign_in(sim, app, user, tools, **rest):
    """(flow, what came back to the callback)"""
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=tools.CALLBACK, **rest)
    url = sim.authorize(flow["auth_uri"], user=user)
    return flow, {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@pytest.mark.parametrize("tenant", [None, "example.onmicrosoft.com"])
def test_code_flow_with_pkce_then_graph(sim, site, session, application, tools, tenant):
    app = application(tenant=tenant)
    flow, answer = sign_in(sim, app, site.user, tools)
    assert "code_challenge_method=S256" in flow["auth_uri"]
    result = app.acquire_token_by_auth_code_flow(flow, answer)
    assert "error" not in result, result
    claims = result["id_token_claims"]
    assert claims["tid"] == sim.tenant_id and claims["iss"] == f"{sim.https}/{sim.tenant_id}/v2.0"
    assert app.get_accounts()[0]["username"] == f"{site.user}@example.com"
    me = session.get(f"{sim.https}/v1.0/me", headers={"Authorization": f"Bearer {result['access_token']}"})
    assert me.status_code == 200 and me.json()["id"] == claims["oid"]


def test_silent_refresh_and_roll_over(sim, site, application, tools):
    app = application()
    result = app.acquire_token_by_auth_code_flow(*sign_in(sim, app, site.user, tools))
    account = app.get_accounts()[0]
    assert app.acquire_token_silent(SCOPES, account)["access_token"] == result["access_token"]
    sim.roll_keys("replace")
    fresh = app.acquire_token_silent(SCOPES, account, force_refresh=True)
    assert fresh["access_token"] != result["access_token"]
    assert sim.counters(site.user)["refresh_token_ok"] == 1
    # Microsoft's old refresh tokens stay valid.
    assert "access_token" in app.acquire_token_by_refresh_token(result["refresh_token"], SCOPES)


def test_multi_tenant_and_personal_account(sim, site, application, tools):
    sim.app(audience="all")
    app = application(tenant="common")
    result = app.acquire_token_by_auth_code_flow(*sign_in(sim, app, "alex", tools))
    assert result["id_token_claims"]["tid"] == "9188040d-6c67-4c5b-b112-36a304b66dad"


def wrong_verifier(flow):
    return {**flow, "code_verifier": "x" * 43}


@pytest.mark.parametrize("case, error, number", [
    ({"secret": "wrong"}, "invalid_client", 7000215),
    ({"flow": wrong_verifier}, "invalid_grant", 501481),
    ({"replay": True}, "invalid_grant", 54005),
])
def test_code_errors(sim, site, application, tools, case, error, number):
    app = application(secret=case.get("secret"))
    flow, answer = sign_in(sim, app, site.user, tools)
    if case.get("replay"):
        assert "access_token" in application().acquire_token_by_auth_code_flow(dict(flow), dict(answer))
    result = app.acquire_token_by_auth_code_flow(case.get("flow", dict)(flow), answer)
    assert (result["error"], result["error_codes"]) == (error, [number])


@pytest.mark.parametrize("number", [50173, 700082, 70043])
def test_revoked_refresh_token(sim, site, application, tools, number):
    app = application()
    result = app.acquire_token_by_auth_code_flow(*sign_in(sim, app, site.user, tools))
    sim.revoke(site.user, number)
    failed = app.acquire_token_by_refresh_token(result["refresh_token"], SCOPES)
    assert (failed["error"], failed["error_codes"]) == ("invalid_grant", [number])
    assert app.acquire_token_silent(SCOPES, app.get_accounts()[0], force_refresh=True) is None


def test_cancel_at_the_picker(sim, site, application, tools):
    app = application()
    flow = app.initiate_auth_code_flow(SCOPES, redirect_uri=tools.CALLBACK)
    url = sim.authorize(flow["auth_uri"], user=site.user, deny=True)
    answer = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    result = app.acquire_token_by_auth_code_flow(flow, answer)
    assert result["error"] == "access_denied" and "error_description" not in result


def test_nonce_is_checked_by_msal(sim, site, application, tools):
    sim.forge("wrong_nonce", user=site.user)
    app = application()
    with pytest.raises((RuntimeError, ValueError)):
        app.acquire_token_by_auth_code_flow(*sign_in(sim, app, site.user, tools))


def test_unknown_tenant_is_refused_at_discovery(sim, application):
    with pytest.raises(ValueError):
        application(tenant="no-such-tenant.example")
