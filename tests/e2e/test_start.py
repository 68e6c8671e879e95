# SPDX-License-Identifier: MIT
"""The start of a sign-in: where it sends to, what SIGN_IN allows, where it may return to, and the cookie."""

import base64
import hashlib
import re
from http.cookies import SimpleCookie
from urllib.parse import quote, urlsplit

import pytest

from sim.microsoft.keys import CONSUMER_TENANT
from wire import JSON, bearer, check_problem, come_back, leave, query_of, send

START = "auth/microsoft/"
SCOPES = "openid profile email offline_access User.Read Calendars.ReadWrite"


def start(person, query="", **headers):
    return send(person.stack, "GET", person.path(START) + query, headers)


def cookie_of(answer):
    """The one cookie of an answer."""
    lines = answer.headers.get_all("Set-Cookie")
    assert len(lines) == 1
    (morsel,) = SimpleCookie(lines[0]).values()
    return morsel


@pytest.mark.promise("attack/oauth", "Every flow has a PKCE verifier (S256) and a nonce of its own")
@pytest.mark.parametrize("with_jwt", [True, False], ids=["connect", "sign_in"])
def test_authorization_request(person, with_jwt):
    someone = person()
    answer = start(someone, **(bearer(someone.jwt()) if with_jwt else {}))
    assert (answer.status, answer.body) == (302, "")
    url = urlsplit(answer.headers["Location"])
    conf = someone.stack.conf
    assert answer.headers["Location"].startswith(
        f"{conf['MICROSOFT_LOGIN_URL']}/{conf['MSTENANTID']}/oauth2/v2.0/authorize?") and not url.fragment
    asked = query_of(answer.headers["Location"])
    random = {name: asked.pop(name) for name in ("state", "nonce", "code_challenge")}
    assert asked == {"client_id": conf["MSCLIENTID"], "response_type": "code", "response_mode": "query",
                     "scope": SCOPES, "redirect_uri": conf["REDIRECT_URI"], "code_challenge_method": "S256"}
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", value) for value in random.values())
    other = query_of(start(someone).headers["Location"])
    assert len({*random.values(), *(other[name] for name in random)}) == 6


def test_scopes_and_tenant_are_the_configured(person, make_stack):
    config = {"MICROSOFT_SCOPES": "openid profile Calendars.Read", "MSTENANTID": "organizations"}
    someone = person(stack=make_stack(workers=1, **config))
    url = start(someone, **bearer(someone.jwt())).headers["Location"]
    assert query_of(url)["scope"] == "openid profile Calendars.Read" and "/organizations/oauth2/v2.0/authorize?" in url


@pytest.mark.promise("attack/oauth", "Every flow has a PKCE verifier (S256) and a nonce of its own")
def test_pkce(person):
    """The verifier that Microsoft gets is the challenge's, and new each time."""
    someone = person()
    seen = set()
    for _ in range(2):
        auth_url = leave(someone)
        come_back(someone, auth_url)
        verifier = someone.stack.sim.token_of(kind="code_verifier")
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        assert re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier) and verifier not in auth_url
        assert query_of(auth_url)["code_challenge"] == digest
        seen.add(verifier)
    assert len(seen) == 2


@pytest.mark.parametrize("accept,status", [
    (None, 302), ("text/html", 302), ("*/*", 302), ("application/*", 302), ("application/problem+json", 302),
    (JSON, 200), ("text/html, Application/JSON;q=0.9, */*", 200)])
def test_two_forms(person, accept, status):
    someone = person()
    answer = start(someone, **({"Accept": accept} if accept else {}))
    assert answer.status == status
    if status == 200:
        assert set(answer.body) == {"success", "message", "auth_url"} and answer.body["success"] is True
        assert answer.body["message"] and "Location" not in answer.headers
        assert answer.headers["Content-Type"].startswith(JSON)
    else:
        assert "code_challenge=" in answer.headers["Location"]


def test_a_bad_jwt_is_no_sign_in(person):
    for headers in (bearer("bad"), {"Authorization": "Basic dTpw"}):
        answer = start(person(), **headers)
        check_problem(answer, 401, "invalid_token")
        assert "Set-Cookie" not in answer.headers


# SIGN_IN and the tenant: the status of a start without a JWT, and of the callback for an unknown identity.
MODES = {
    "off": ({"SIGN_IN": "off"}, 401, None),
    "existing": ({"SIGN_IN": "existing"}, 200, (403, "account_unknown")),
    "provision": ({"SIGN_IN": "provision"}, 200, None),
    "one_tenant": ({"SIGN_IN": None}, 200, None),
    "many_tenants": ({"MSTENANTID": "organizations"}, 200, (403, "account_unknown")),
    "many_tenants_provision": ({"MSTENANTID": "organizations", "SIGN_IN": "provision"}, 200, None),
}


@pytest.fixture
def any_tenant(sim):
    sim.app(audience="multi")
    yield
    sim.app(audience="single")


@pytest.mark.usefixtures("any_tenant")
@pytest.mark.parametrize("mode", MODES)
def test_sign_in_modes(person, make_stack, mode):
    config, status, refusal = MODES[mode]
    someone = person(stack=make_stack(workers=1, **config))
    answer = someone.api("GET", START)
    if status == 401:
        check_problem(answer, 401, "invalid_token")
    elif refusal:
        check_problem(come_back(someone), *refusal)
        assert someone.stack.sql("SELECT COUNT(*) FROM users") == [["0"]]
    else:
        assert come_back(someone).status == 200
    someone.connect()
    assert someone.row("is_active") == ["1"]


@pytest.mark.parametrize("tenant", ["Common", "COMMON", CONSUMER_TENANT, CONSUMER_TENANT.upper()])
def test_sign_in_is_for_those_who_exist_where_anybody_could(person, make_stack, sim, tenant):
    """Names of all the world, however they are written: nobody becomes an account by default."""
    someone = person(stack=make_stack(workers=1, MSTENANTID=tenant), user="alex")
    sim.app(audience="all")
    try:
        check_problem(come_back(someone), 403, "account_unknown")
    finally:
        sim.app(audience="single")
    assert someone.stack.sql("SELECT COUNT(*) FROM users UNION ALL SELECT COUNT(*) FROM beta_teachers") == [["0"], ["0"]]


RETURN = ("https://site.example, https://app.example/spa/ ,https://other.example:8443/here,"
          "http://localhost:3000,https://[2001:db8::1]/x/")
ALLOWED = [
    "https://site.example", "https://site.example/", "https://site.example/a/b?c=d&e=%20#f/g",
    "https://site.example?x#y", "HTTPS://SITE.EXAMPLE/a", "https://site.example:443/a", "https://app.example/spa/",
    "https://app.example/spa/x?y",
    "https://app.example/spa/..x/.hidden", "https://other.example:8443/here", "https://other.example:8443/here/x",
    "https://other.example:8443/here?x", "https://other.example:8443/here#x", "http://localhost:3000/x",
    "https://[2001:db8::1]/x/y"]
REFUSED = [
    "/", "/app", "//site.example/", "site.example", "https:", "https:///", "https:/site.example", "https:site.example",
    "http://site.example/", "https://site.example:444/", "https://site.example.evil.example/", "https://evil.example/",
    "https://site.example@evil.example/", "https://user@site.example/", "https://site.example:x@evil.example/",
    "https://evil.example/https://site.example/", "https://evil.example?https://site.example",
    "https://site.examples/", "https://evil.example#@site.example/", "https://evil.example\\@site.example/",
    "https://site.example\\@evil.example/",
    "https:\\\\site.example/", "https://site.example\t.evil.example/", "https://site.example/\r\nSet-Cookie: a=b",
    "https://site.example/a b", " https://site.example/", "javascript:alert(1)//https://site.example",
    "data:text/html,x", "https://app.example/", "https://app.example/spa", "https://app.example/spaceship",
    "https://app.example/spa/../x", "https://app.example/spa/%2e%2E/x", "https://app.example/spa/.%2e/x",
    "https://app.example/spa/x/../../y", "https://app.example/SPA/", "https://app.example/x/spa/",
    "https://other.example:8443/hereafter", "https://other.example/here", "http://localhost/x",
    "http://localhost:30000/x", "http://127.0.0.1:3000/", "https://sub.site.example/",
    "https://site.example./", "https://s\u0456te.example/",
    "https://site.example/" + "x" * 3000]


@pytest.fixture(scope="module")
def return_stack(make_stack):
    return make_stack(ALLOWED_RETURN_URLS=RETURN, workers=1)


def test_return_to_allowed(person, return_stack):
    someone = person(stack=return_stack)
    for url in ALLOWED:
        assert start(someone, f"?return_to={quote(url, safe='')}").status == 302, url
    assert start(someone, "?return_to=").status == 302


@pytest.mark.promise("attack/oauth", "None of 470 hostile return_to values is taken, at the start or out of a stored state")
def test_return_to_refused(person, return_stack):
    someone = person(stack=return_stack)
    for url in REFUSED:
        for headers in ({}, bearer(someone.jwt())):
            answer = start(someone, f"?return_to={quote(url, safe='')}", **headers)
            assert answer.status == 422, url
            body = check_problem(answer, 422, "validation_failed")
            assert [one["field"] for one in body["errors"]] == ["return_to"]
            assert "Set-Cookie" not in answer.headers and "Location" not in answer.headers


def test_nowhere_to_return_to_without_a_list(person, make_stack):
    someone = person(stack=make_stack(ALLOWED_RETURN_URLS=None, workers=1))
    check_problem(start(someone, f"?return_to={quote(someone.stack.url, safe='')}"), 422, "validation_failed")
    assert start(someone).status == 302


@pytest.mark.promise("attack/oauth", "The cookie is HttpOnly, SameSite=Lax, Path=/ and, on https, Secure and __Host-")
def test_cookie(person):
    morsel = cookie_of(start(person()))
    assert not morsel.key.startswith("__") and re.fullmatch(r"[A-Za-z0-9_-]{43}", morsel.value)
    assert (morsel["path"], morsel["samesite"], morsel["httponly"], morsel["secure"], morsel["domain"]) == (
        "/", "Lax", True, "", "")


@pytest.fixture
def https_stack(make_stack, sim):
    """A site on https, of which this is the server behind a proxy."""
    uri = "https://site.example/api/v1/auth/microsoft/callback"
    made = make_stack(REDIRECT_URI=uri, workers=1)
    known = next(app for app in sim.call("GET", "apps")["apps"] if app["client_id"] == sim.client_id)["redirect_uris"]
    sim.app(redirect_uris=[*known, uri])
    yield made
    sim.app(redirect_uris=known)


@pytest.mark.promise("attack/oauth", "The cookie is HttpOnly, SameSite=Lax, Path=/ and, on https, Secure and __Host-")
def test_cookie_of_an_https_site(person, https_stack):
    someone = person(stack=https_stack)
    answer = start(someone)
    morsel = cookie_of(answer)
    assert morsel.key.startswith("__Host-")
    assert (morsel["path"], morsel["samesite"], morsel["httponly"], morsel["secure"], morsel["domain"]) == (
        "/", "Lax", True, True, "")
    back = https_stack.sim.authorize(answer.headers["Location"], someone.user)
    assert back.startswith("https://site.example/")
    path = back.removeprefix("https://site.example")
    plain = morsel.key.removeprefix("__Host-")
    check_problem(send(https_stack, "GET", path, {"Cookie": f"{plain}={morsel.value}"}), 400, "state_invalid")
    done = send(https_stack, "GET", path, {"Cookie": f"a=b; {morsel.key}={morsel.value}; c", "Accept": JSON})
    assert done.status == 200 and "access_token" in done.body


@pytest.mark.parametrize("first", [0, 1])
def test_second_tab(person, first):
    """Both tabs can end what they began, in either order."""
    someone = person()
    tabs = [leave(someone), leave(someone)]
    assert [come_back(someone, tabs[one]).status for one in (first, 1 - first)] == [200, 200]


def test_a_cookie_that_is_none_of_ours_is_replaced(person):
    someone = person()
    name = cookie_of(start(someone)).key
    for value in ("", "x", "x" * 42, "x" * 44, "a b", "x" * 42 + "%"):
        assert cookie_of(start(someone, Cookie=f"{name}={value}")).value != value
