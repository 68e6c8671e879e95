# SPDX-License-Identifier: MIT
"""The identity platform: authorize, token, discovery, keys, logout."""

import base64
import hashlib
import json
import re
import time
import urllib.request
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest
from sim.client import SimError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

VERIFIER = "v" * 43
S256 = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"
PARTNER = "b7d41c52-9a0e-4f6d-8c31-2e5f60a7d913"
OTHER_APP = "99999999-4a59-4e68-97a1-0b2c3d4e5f60"


def verify(sim, token, base):
    """The claims, if an RS256 key of the keys document signed them and may do so for their issuer."""
    header, payload, signature = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
    claims = json.loads(payload)
    keys = {key["kid"]: key for key in sim_keys(base)}
    key = keys[json.loads(header)["kid"]]
    assert key["issuer"].replace("{tenantid}", claims["tid"]) == claims["iss"]
    e, n = (int.from_bytes(base64.urlsafe_b64decode(key[name] + "=="), "big") for name in "en")
    signed = token.rpartition(".")[0].encode()
    rsa.RSAPublicNumbers(e, n).public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    return claims


def sim_keys(base):
    with urllib.request.urlopen(f"{base}/common/discovery/v2.0/keys") as answer:
        return json.load(answer)["keys"]


def refusal(answer):
    """(status, error, AADSTS number) of a token answer, its shape checked on the way."""
    status, headers, body = answer
    number = body["error_codes"][0]
    assert body["error_description"].startswith(f"AADSTS{number}: ") and "\r\nTrace ID: " in body["error_description"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", body["timestamp"])
    assert body["trace_id"] in body["error_description"] and body["correlation_id"] in body["error_description"]
    assert "no-store" in headers["Cache-Control"]
    return status, body["error"], number


def test_the_whole_answer(sim, site, tools):
    back = site.callback()
    assert back["state"] == "st&te=1" and len(back["code"]) > 1024
    status, _, answer = site.exchange(back["code"])
    assert status == 200
    assert 3600 <= answer["expires_in"] <= 5400 and answer["ext_expires_in"] == answer["expires_in"]
    assert set(answer["scope"].split()) == {"User.Read", "Calendars.ReadWrite", "openid", "profile", "email"}
    claims = verify(sim, answer["id_token"], sim.http)
    now = time.time()
    assert claims["aud"] == sim.client_id and claims["nonce"] == "n-1" and claims["ver"] == "2.0"
    assert claims["nbf"] == claims["iat"] < now < claims["exp"]
    assert claims["email"] == claims["preferred_username"] == f"{site.user}@example.com"
    assert {"name", "oid", "tid", "sub", "sid", "uti", "rh", "aio"} <= set(claims)
    assert claims["sub"] != claims["oid"]
    status, _, me = tools.fetch("GET", f"{sim.http}/v1.0/me", {"Authorization": f"Bearer {answer['access_token']}"})
    assert status == 200 and me["mail"] == claims["email"]


@pytest.mark.parametrize("user, path, has", [
    ("robin", None, {"email": None}), ("kim", PARTNER, {"tid": PARTNER}), ("alex", "consumers", {"tid": CONSUMERS})])
def test_other_accounts(sim, site, user, path, has):
    sim.app(audience="all")
    code = site.callback(tenant=path, user=user)["code"]
    answer = site.exchange(code, tenant=path)[2]
    claims = verify(sim, answer["id_token"], sim.http)
    assert {name: claims.get(name) for name in has} == has
    site.token = answer["access_token"]
    me = site.graph("GET", "/me")[2]
    assert (me["mail"] is None) == (user == "robin")
    assert re.fullmatch(r"[0-9a-f]{16}", me["id"]) if user == "alex" else me["id"] == claims["oid"]


@pytest.mark.parametrize("changes, number", [
    ({"client_id": None}, 900144), ({"client_id": OTHER_APP}, 700016), ({"redirect_uri": None}, 900971),
    ({"redirect_uri": "http://localhost:8080/cb"}, 50011), ({"redirect_uri": "http://localhost:8080/CB?site=one"}, 50011),
    ({"redirect_uri": "http://localhost:8080/cb?site=one&x=1"}, 50011), ({"tenant": "common"}, 50194),
    ({"tenant": "organizations"}, 50194), ({"tenant": "consumers"}, 9002332), ({"tenant": "nowhere.example"}, 90002),
    ({"tenant": PARTNER}, 700016)])
def test_error_pages_never_redirect(sim, site, changes, number):
    with pytest.raises(SimError) as caught:
        site.callback(**changes)
    assert f"AADSTS{number}" in caught.value.page


@pytest.mark.parametrize("changes, error, number", [
    ({"response_type": None}, "invalid_request", 900144), ({"response_type": "token"}, "unsupported_response_type", 700051),
    ({"response_type": "code id_token"}, "unsupported_response_type", 700054), ({"scope": None}, "invalid_request", 900144),
    ({"scope": "openid Nonsense.Read"}, "invalid_scope", 70011), ({"scope": ".default User.Read"}, "invalid_scope", 70011),
    ({"prompt": "maybe"}, "invalid_request", 90023), ({"prompt": "none"}, "login_required", 50058),
    ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request", 501491),
    ({"code_challenge": S256, "code_challenge_method": "S512"}, "invalid_request", 501491),
    ({"claims": "{not json"}, "invalid_request", 90023), ({"response_mode": "post"}, "invalid_request", 90023)])
def test_errors_that_go_back_to_the_site(sim, site, changes, error, number):
    url = sim.authorize(site.auth_url(**changes), user=site.user)
    back = dict(parse_qsl(urlsplit(url).query + "&" + urlsplit(url).fragment))
    assert (back["error"], back["state"]) == (error, "st&te=1")
    assert back["error_description"].startswith(f"AADSTS{number}: ")


def test_cancel_and_declined_consent(sim, site):
    assert site.callback(deny=True) == {"site": "one", "error": "access_denied", "error_subcode": "cancel", "state": "st&te=1"}
    sim.user("fresh")
    back = site.callback(user="fresh", deny="consent")
    assert back["error"] == "access_denied" and back["error_description"].startswith("AADSTS65004")
    sim.user("walled", approval="admin")
    assert site.callback(user="walled")["error_subcode"] == "cancel"


def test_consent_is_asked_once(sim, site, tools):
    sim.user("fresh")
    pages = []
    for prompt in (None, None, "consent"):
        before = len(sim.requests(target="signin"))
        site.callback(user="fresh", prompt=prompt)
        pages.append(len(sim.requests(target="signin")) - before)
    assert pages == [2, 1, 2]


def test_picker_is_plain_html(sim, site):
    status, _, page = sim.browser().open(site.auth_url(login_hint="noor@example.com"))
    assert status == 200 and "<script" not in page and 'value="noor"' in page and 'value="sam"' not in page
    status, _, page = sim.browser().open(site.auth_url())
    assert 'value="sam" autofocus' in page and ">Cancel</button>" in page and '<label for="username">' in page
    sim.app(name="<b>&x")
    assert "&lt;b&gt;&amp;x" in sim.browser().open(site.auth_url())[2]
    sim.app(name="Example site")


def test_wrong_tenants_user_gets_a_page(site):
    with pytest.raises(SimError) as caught:
        site.callback(user="kim")
    assert "AADSTS50020" in caught.value.page


def test_session_prompt_none_and_logout(sim, site):
    browser = sim.browser()
    site.callback(browser=browser)
    assert "code" in site.callback(browser=browser, prompt="none")
    sim.settings(sso=True)
    assert browser.open(site.auth_url())[0] == 302
    assert browser.open(site.auth_url(prompt="select_account"))[0] == 200
    out = f"{sim.http}/{sim.tenant_id}/oauth2/v2.0/logout?post_logout_redirect_uri="
    status, location, _ = browser.open(out + quote("http://localhost:8080/cb?site=one", safe="") + "&state=7")
    assert (status, location) == (302, "http://localhost:8080/cb?site=one&state=7")
    assert browser.open(out + quote("http://evil.example/", safe=""))[0] == 200
    assert site.callback(browser=browser, prompt="none")["error"] == "login_required"


def test_response_modes(sim, site):
    browser = sim.browser()
    location, _ = sim.walk(site.auth_url(), site.user, False, browser)
    assert location.endswith("#")
    location, _ = sim.walk(site.auth_url(response_mode="fragment"), site.user, False, browser)
    assert location.startswith("http://localhost:8080/cb?site=one#code=")
    location, page = sim.walk(site.auth_url(response_mode="form_post"), site.user, False, browser)
    assert location is None and 'method="POST"' in page and 'name="code"' in page
    sim.app(id_token_implicit=True)
    location, _ = sim.walk(site.auth_url(response_type="code id_token"), site.user, False, browser)
    assert "id_token=" in urlsplit(location).fragment
    sim.app(id_token_implicit=False)


def test_authorize_by_post(sim, site):
    url, _, query = site.auth_url().partition("?")
    status, _, page = sim.browser().open(url, dict(parse_qsl(query)))
    assert status == 200 and "Pick an account" in page


@pytest.mark.parametrize("challenge", [{"code_challenge": S256, "code_challenge_method": "S256"}, {"code_challenge": VERIFIER}])
def test_pkce(site, challenge):
    code = site.callback(**challenge)["code"]
    for wrong in (None, "w" * 43, "v" * 42):
        assert refusal(site.exchange(code, code_verifier=wrong)) == (400, "invalid_grant", 501481)
    assert site.exchange(code, code_verifier=VERIFIER)[0] == 200


def test_a_code_works_once_here_and_soon(sim, site):
    code = site.callback()["code"]
    assert refusal(site.exchange(code, redirect_uri="http://localhost:8080/cb")) == (401, "invalid_client", 500112)
    assert refusal(site.exchange(code, tenant="example.com")) == (400, "invalid_grant", 700005)
    sim.app(OTHER_APP, secrets=[{"value": "other-secret", "expires": None}])
    assert refusal(site.exchange(code, client_id=OTHER_APP, client_secret="other-secret"))[2] == 70000
    assert site.exchange(code)[0] == 200
    assert refusal(site.exchange(code)) == (400, "invalid_grant", 54005)
    late = site.callback()["code"]
    sim.settings(code_lifetime_s=-1)
    assert refusal(site.exchange(late)) == (400, "invalid_grant", 70008)


@pytest.mark.parametrize("changes, headers, expected", [
    ({"client_secret": None}, {}, (401, "invalid_client", 7000218)), ({"client_secret": "wrong"}, {}, (401, "invalid_client", 7000215)),
    ({"client_id": None}, {}, (400, "invalid_request", 900144)), ({"client_id": OTHER_APP}, {}, (400, "unauthorized_client", 700016)),
    ({"grant_type": None}, {}, (400, "invalid_request", 900144)), ({"grant_type": "password"}, {}, (400, "unsupported_grant_type", 70003)),
    ({"refresh_token": None}, {}, (400, "invalid_request", 900144)), ({"refresh_token": "nonsense"}, {}, (400, "invalid_grant", 9002313)),
    ({"scope": "Mail.Read"}, {}, (400, "invalid_grant", 65001)), ({"scope": "no.such"}, {}, (400, "invalid_scope", 70011)),
    ({}, {"Origin": "http://localhost:8080"}, (400, "invalid_request", 9002326)),
    ({}, {"Content-Type": "application/json"}, (400, "invalid_request", 900144)),
    ({"client_secret": None, "client_assertion": "a.b.c"}, {}, (401, "invalid_client", 700027))])
def test_token_endpoint_refusals(sim, site, changes, headers, expected):
    sim.reset(site.user)  # takes the consents away
    good = sim.mint(site.user)["refresh_token"]
    assert refusal(site.refresh(**{"refresh_token": good, **changes}, headers=headers)) == expected


@pytest.mark.parametrize("raw", ["{form}&grant_type=refresh_token", "{form}&scope=%zz", "{form}&scope=%ff%fe", "{form}&x=1&x=2"])
def test_forms_are_read_strictly(sim, site, raw):
    form = urlencode({"client_id": sim.client_id, "client_secret": sim.client_secret, "grant_type": "refresh_token",
                      "refresh_token": sim.mint(site.user)["refresh_token"]})
    assert refusal(site.post(None, raw=raw.format(form=form))) == (400, "invalid_request", 9000411)
    # A secret with a '+' that is not encoded is another secret.
    assert refusal(site.post(None, raw=form.replace("%2B", "+")))[2] == 7000215


def test_basic_authentication_and_expired_secret(sim, site):
    good = sim.mint(site.user)["refresh_token"]
    pair = f"{quote(sim.client_id, safe='')}:{quote(sim.client_secret, safe='')}"
    header = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    assert site.refresh(good, headers=header, client_id=None, client_secret=None)[0] == 200
    assert refusal(site.refresh(good, headers=header))[2] == 9000411
    sim.app(secrets=[{"value": sim.client_secret, "expires": 1}])
    assert refusal(site.refresh(good)) == (401, "invalid_client", 7000222)


@pytest.mark.parametrize("path, changes, expected", [
    (None, {}, None), ("example.com", {"scope": "https://graph.microsoft.com/.default"}, None),
    ("common", {}, (400, "unauthorized_client", 50194)), (None, {"scope": "User.Read"}, (400, "invalid_scope", 1002012)),
    (None, {"scope": "https://vault.azure.net/.default"}, (400, "invalid_resource", 500011)),
    (None, {"scope": None}, (400, "invalid_request", 900144)), (None, {"client_secret": "x"}, (401, "invalid_client", 7000215))])
def test_an_applications_own_token(sim, site, path, changes, expected):
    answer = site.post({"client_id": sim.client_id, "client_secret": sim.client_secret, "grant_type": "client_credentials",
                        "scope": f"{sim.http}/.default", **changes}, path)
    if expected:
        assert refusal(answer) == expected
        return
    assert answer[0] == 200 and set(answer[2]) == {"token_type", "expires_in", "ext_expires_in", "access_token"}
    assert answer[2]["access_token"] in {row["value"] for row in sim.issued(kind="access_token")}


def test_an_applications_own_token_is_of_one_tenant(sim, site):
    sim.app(audience="multi")
    form = {"client_id": sim.client_id, "client_secret": sim.client_secret, "grant_type": "client_credentials",
            "scope": f"{sim.http}/.default"}
    assert refusal(site.post(form, "organizations"))[2] == 50059


def test_the_client_is_looked_at_before_the_code(site):
    """A code that came with a bad secret is not spent; a spent one tells nothing to a client that is nobody."""
    code = site.callback()["code"]
    assert refusal(site.exchange(code, client_secret="wrong")) == (401, "invalid_client", 7000215)
    assert site.exchange(code)[0] == 200
    assert refusal(site.exchange(code, client_secret="wrong"))[2] == 7000215
    assert refusal(site.exchange(code))[2] == 54005


def test_refresh_keeps_the_old_token_alive(sim, site, tools):
    first = site.exchange(site.callback()["code"])[2]
    second = site.refresh(first["refresh_token"], scope="User.Read offline_access")[2]
    assert second["refresh_token"] != first["refresh_token"]
    assert "Calendars.ReadWrite" not in second["scope"]
    assert "nonce" not in tools.claims_of(second["id_token"])
    third = site.refresh(first["refresh_token"])[2]
    assert "Calendars.ReadWrite" in third["scope"]
    assert sim.revoke(site.user) == 3
    for token in (first, second, third):
        assert refusal(site.refresh(token["refresh_token"])) == (400, "invalid_grant", 50173)
    assert site.refresh(site.exchange(site.callback()["code"])[2]["refresh_token"])[0] == 200


def test_offline_access_and_openid_decide_what_comes(site):
    answer = site.exchange(site.callback(scope="User.Read")["code"])[2]
    assert "refresh_token" not in answer and "id_token" not in answer


def test_scopes_are_spelled_as_asked(site):
    prefixed = site.exchange(site.callback(scope="openid https://graph.microsoft.com/User.Read")["code"])[2]
    assert prefixed["scope"] == "https://graph.microsoft.com/User.Read openid"


@pytest.mark.parametrize("path, issuer, region, authority", [
    ("{tid}", "{tid}", "EU", "{tid}"), ("example.onmicrosoft.com", "{tid}", "EU", "{tid}"),
    ("common", "{{tenantid}}", None, "common"), ("organizations", "{{tenantid}}", None, "organizations"),
    ("consumers", CONSUMERS, None, "consumers")])
def test_discovery(sim, tools, path, issuer, region, authority):
    path, issuer, authority = (text.format(tid=sim.tenant_id) for text in (path, issuer, authority))
    status, headers, document = tools.fetch("GET", f"{sim.http}/{path}/v2.0/.well-known/openid-configuration")
    assert status == 200 and headers["Cache-Control"] == "max-age=86400, private"
    assert document["issuer"] == f"{sim.http}/{issuer}/v2.0" and document["tenant_region_scope"] == region
    assert document["token_endpoint"] == f"{sim.http}/{authority}/oauth2/v2.0/token"
    assert "code_challenge_methods_supported" not in document
    assert len(document) == 23


def test_unknown_tenants_have_no_documents(sim, tools):
    for path in ("v2.0/.well-known/openid-configuration", "discovery/v2.0/keys"):
        status, _, body = tools.fetch("GET", f"{sim.http}/nowhere.example/{path}")
        assert (status, body["error"], body["error_codes"]) == (400, "invalid_tenant", [90002])


def test_keys_and_their_issuers(sim, site):
    keys = sim_keys(sim.http)
    assert len(keys) == 3 and all({"kty", "use", "kid", "x5t", "n", "e", "x5c", "issuer"} == set(key) for key in keys)
    assert sorted(key["issuer"] for key in keys) == [f"{sim.http}/{CONSUMERS}/v2.0"] + [f"{sim.http}/{{tenantid}}/v2.0"] * 2


@pytest.mark.parametrize("action, published, same_signer", [
    ("add", 4, True), ("next", 3, False), ("switch", 4, False), ("replace", 2, False), ("drop_old", 2, True)])
def test_key_roll_over(sim, site, action, published, same_signer):
    before = sim.keys()["signing"]
    after = sim.roll_keys(action)
    assert len(after["published"]) == published == len(sim_keys(sim.http)) and (after["signing"] == before) == same_signer
    assert verify(sim, sim.mint(site.user)["id_token"], sim.http)["tid"] == sim.tenant_id
