# SPDX-License-Identifier: MIT
"""The callback: state and cookie, Microsoft's errors, the token endpoint's, and the three forms of success."""

from urllib.parse import quote, urlsplit

import pytest

from wire import JSON, check_problem, claims_of, come_back, exchange, leave, query_of, stored

CODES = "authorization_code"


def redeemed(person):
    """How many authorization codes Microsoft was asked to take."""
    return person.stack.sim.counters()[CODES]


def visit(person, url):
    return person.call("GET", url)


# State and cookie

@pytest.mark.promise("attack/oauth", "A state that was not made here is refused before anything is sent to Microsoft")
@pytest.mark.parametrize("query", [
    "", "?", "?code=x", "?state=", "?state=&code=x", "?state=unknown&code=x", "?error=access_denied",
    "?state=unknown&error=access_denied", "?state=%00&code=x", "?state=%&code=x", "?state=" + "A" * 43 + "&code=x"])
def test_no_such_state(person, query):
    someone = person()
    leave(someone)
    before = redeemed(someone)
    check_problem(someone.api("GET", "auth/microsoft/callback" + query), 400, "state_invalid")
    assert redeemed(someone) == before


# mutant: src/store/login.c: AND browser_hash=? => AND browser_hash>=LEFT(?,0)
@pytest.mark.promise(
    "attack/oauth", "A flow that another browser finishes is refused and stores nothing, also one that a backend began with a JWT (login CSRF)")
@pytest.mark.parametrize("with_cookie", [True, False], ids=["other_cookie", "no_cookie"])
@pytest.mark.parametrize("with_jwt", [True, False], ids=["connect", "sign_in"])
def test_another_browser_cannot_finish(person, with_cookie, with_jwt):
    """And does not spend the state: the browser that began can still finish."""
    someone, other = person(), person()
    if with_jwt:
        someone.log_in()
    url = someone.stack.sim.authorize(leave(someone), someone.user)
    if with_cookie:
        leave(other)
    before, rows = redeemed(someone), stored(someone.stack)
    check_problem(visit(other, url), 400, "state_invalid")
    assert (redeemed(someone), stored(someone.stack)) == (before, rows)
    assert visit(someone, url).status == 200


@pytest.mark.promise("attack/oauth", "A state works once, for ten minutes, and is spent by a failure too")
def test_state_works_once(person):
    someone = person()
    url = someone.stack.sim.authorize(leave(someone), someone.user)
    assert visit(someone, url).status == 200
    before = redeemed(someone)
    check_problem(visit(someone, url), 400, "state_invalid")
    assert redeemed(someone) == before


@pytest.mark.promise("attack/oauth", "A state works once, for ten minutes, and is spent by a failure too")
def test_state_is_spent_by_a_failure(person):
    someone = person()
    auth_url = leave(someone)
    check_problem(come_back(someone, auth_url, deny=True), 403, "consent_declined")
    check_problem(come_back(someone, auth_url), 400, "state_invalid")


def test_state_repeated(person):
    someone = person()
    url = someone.stack.sim.authorize(leave(someone), someone.user)
    check_problem(visit(someone, f"{url}&state={query_of(url)['state']}"), 400, "state_invalid")
    assert visit(someone, url).status == 200


@pytest.mark.promise("attack/oauth", "A state works once, for ten minutes, and is spent by a failure too")
@pytest.mark.parametrize("age_s,status", [(590, 200), (601, 400)])
def test_state_lasts_ten_minutes(person, make_stack, age_s, status):
    someone = person(stack=make_stack(workers=1))
    url = someone.stack.sim.authorize(leave(someone), someone.user)
    someone.stack.sql(f"UPDATE login_states SET expires_at = expires_at - INTERVAL {age_s} SECOND")
    answer = visit(someone, url)
    assert answer.status == status
    if status == 400:
        check_problem(answer, 400, "state_invalid")
        check_problem(visit(someone, url), 400, "state_invalid")


def test_one_callback_serves_both_realms(person, realm):
    """The realm is the state's, whatever path Microsoft is told to come back to."""
    for prefix in ("/api/v1", "/api/v1/beta"):
        someone = person()
        url = urlsplit(someone.stack.sim.authorize(leave(someone), someone.user))
        answer = visit(someone, f"{prefix}/auth/microsoft/callback?{url.query}")
        assert claims_of(answer.body["access_token"])["type"] == {"main": "user", "beta": "teacher"}[realm.name]


# Microsoft's errors

DENIED = (403, "consent_declined")
ADMIN = (403, "admin_consent_required")
AWAY = (503, "microsoft_unavailable")
FAILED = (401, "microsoft_auth_failed")
ERRORS = [
    ("access_denied", None, DENIED),
    ("access_denied", "AADSTS65004: User declined to consent to access the app.", DENIED),
    ("access_denied", "AADSTS90094: The grant requires admin permission.", ADMIN),
    ("access_denied", "AADSTS90095: Admin consent is required.", ADMIN),
    ("consent_required", "AADSTS90094: The grant requires admin permission.\r\nTrace ID: 1", ADMIN),
    ("invalid_grant", "x AADSTS90095", ADMIN),
    ("server_error", "AADSTS90094: x", ADMIN),
    ("temporarily_unavailable", "AADSTS90095: x", ADMIN),
    ("anything", "AADSTS90094: x", ADMIN),
    ("access_denied", "AADSTS900941: another number", DENIED),
    ("unknown", "AADSTS9009: another number", FAILED),
    ("temporarily_unavailable", None, AWAY),
    ("server_error", "AADSTS50000: x", AWAY),
    ("login_required", None, FAILED),
    ("interaction_required", "AADSTS50076: MFA", FAILED),
    ("consent_required", "AADSTS65001: no consent", FAILED),
    ("invalid_request", None, FAILED),
    ("invalid_scope", None, FAILED),
    ("unauthorized_client", None, FAILED),
    ("unsupported_response_type", None, FAILED),
    ("invalid_resource", None, FAILED),
    ("Access_Denied", None, FAILED),
    ("no-such-error", None, FAILED),
]


@pytest.mark.promise("attack/oauth", "A code beside an error is never redeemed")
@pytest.mark.parametrize("error,description,refusal", ERRORS)
def test_error_of_microsoft(person, error, description, refusal):
    """Each value, as an answer and as a redirect; a code beside it is left alone, and nothing is stored."""
    someone = person()
    before, rows = redeemed(someone), stored(someone.stack)
    given = f"&error={error}&code=x" + (f"&error_description={quote(description)}" if description else "")
    for return_to in (None, someone.stack.url + "/app?x=1#top"):
        state = query_of(leave(someone, return_to))["state"]
        answer = someone.api("GET", f"auth/microsoft/callback?state={state}{given}")
        if return_to is None:
            assert check_problem(answer, *refusal)["microsoft_code"] == error
        else:
            assert answer.status == 303
            assert answer.headers["Location"] == f"{someone.stack.url}/app?x=1&error={refusal[1]}#top"
    assert (redeemed(someone), stored(someone.stack)) == (before, rows)


@pytest.mark.parametrize("deny", [True, "consent"])
def test_cancel(person, deny):
    someone = person()
    key = f"newcomer{someone.number}"
    someone.stack.sim.user(key, email=f"{key}@example.com")
    check_problem(come_back(someone, user=key, deny=deny), *DENIED)


def test_neither_code_nor_error(person):
    someone = person()
    for rest in ("", "&code=", "&error=", "&code=&error="):
        state = query_of(leave(someone))["state"]
        check_problem(someone.api("GET", f"auth/microsoft/callback?state={state}{rest}"), *FAILED)


# The token endpoint

CLIENT = (503, "microsoft_client_rejected")
TOKEN = {
    "code_refused": ({"kind": "status", "aadsts": 70000}, FAILED, "invalid_grant"),
    "code_spent": ({"kind": "status", "aadsts": 54005}, FAILED, "invalid_grant"),
    "interaction": ({"kind": "status", "aadsts": 50076}, FAILED, None),
    "secret_wrong": ({"kind": "status", "aadsts": 7000215}, CLIENT, "invalid_client"),
    "secret_expired": ({"kind": "status", "aadsts": 7000222}, CLIENT, "invalid_client"),
    "app_unknown": ({"kind": "status", "aadsts": 700016}, CLIENT, "unauthorized_client"),
    "passing": ({"kind": "status", "aadsts": 90033}, AWAY, None),
    "status_429": ({"kind": "status", "status": 429, "retry_after": 7}, AWAY, None),
    "status_500": ({"kind": "status", "status": 500, "body": "{}"}, AWAY, None),
    "status_503": ({"kind": "status", "status": 503, "body": '{"error": "invalid_grant"}'}, AWAY, "invalid_grant"),
    "refusal_without_a_word": ({"kind": "status", "status": 400, "body": "<html>"}, AWAY, None),
    "reset": ({"kind": "reset", "when": "before"}, AWAY, None),
    "reset_mid": ({"kind": "reset", "when": "mid"}, AWAY, None),
    "closed": ({"kind": "close"}, AWAY, None),
    "truncated": ({"kind": "truncate"}, AWAY, None),
    "oversize": ({"kind": "oversize", "mb": 3}, AWAY, None),
    "deep": ({"kind": "deep", "depth": 5000}, AWAY, None),
    "redirect": ({"kind": "redirect", "location": "http://127.0.0.1:9/"}, AWAY, None),
    **{f"malformed_{name}": ({"kind": "malformed", "name": name}, AWAY, None)
       for name in ("cut", "empty", "html", "nul", "array", "null", "string", "number", "trailing", "duplicate",
                    "wrong_types")},
    **{f"without_{name}": ({"kind": "merge", "body": {name: value}}, AWAY, None)
       for name, value in (("access_token", None), ("expires_in", None), ("token_type", "mac"))},
}


@pytest.mark.parametrize("name", TOKEN)
def test_token_endpoint(person, name):
    fault, refusal, microsoft_code = TOKEN[name]
    someone = person()
    rows = stored(someone.stack)
    rest = {"target": "token", "grant": CODES, **fault}
    someone.stack.sim.fault(**rest)
    body = check_problem(come_back(someone), *refusal)
    if microsoft_code:
        assert body["microsoft_code"] == microsoft_code
    someone.stack.sim.fault(**rest)
    answer = come_back(someone, return_to=someone.stack.url + "/")
    assert (answer.status, answer.headers["Location"]) == (303, f"{someone.stack.url}/?error={refusal[1]}")
    assert stored(someone.stack) == rows
    assert come_back(someone).status == 200


def test_token_endpoint_late(person, make_stack):
    someone = person(stack=make_stack(LOGIN_TIMEOUT_S=1, workers=1))
    rows = stored(someone.stack)
    someone.stack.sim.fault("delay", "token", grant=CODES, delay_ms=1500)
    check_problem(come_back(someone), *AWAY)
    assert stored(someone.stack) == rows


def test_client_secret_refused(person, make_stack):
    someone = person(stack=make_stack(MSCLIENTSECRET="not the secret", workers=1))
    check_problem(come_back(someone), *CLIENT)
    check_problem(come_back(someone.log_in()), *CLIENT)


# Success

def pair_of(body):
    return {name: body.pop(name) for name in ("access_token", "refresh_token", "token_type", "expires_in")}


def user_info(person, identifier):
    directory = {one["key"]: one for one in person.stack.sim.users()}
    info = {"id": identifier, "email": f"{person.user}@example.com", "full_name": f"User {person.number}",
            "microsoft_id": directory[person.user]["oid"]}
    return {**info, "teacher_id": identifier} if person.realm.name == "beta" else info


@pytest.mark.parametrize("way", ["callback", "exchange"])
def test_sign_in_answer(person, realm, way):
    someone = person()
    if way == "callback":
        answer = come_back(someone)
    else:
        back = come_back(someone, return_to=someone.stack.url)
        answer = exchange(someone, query_of(back.headers["Location"])["session_code"])
    assert answer.status == 200 and answer.headers["Content-Type"].startswith(JSON)
    body = dict(answer.body)
    pair = pair_of(body)
    assert (pair["token_type"], pair["expires_in"]) == ("Bearer", 1800)
    identifier = body["user_info"]["id"]
    assert isinstance(identifier, str) and body.pop("success") is True
    assert (body.pop("message", "") != "") == (way == "callback")
    assert body == {"user_info": user_info(someone, identifier)}
    someone.subject = identifier
    assert someone.row("is_active, refresh_token LIKE 'gAAAA%'") == ["1", "1"]


def test_connect_answer(person):
    someone = person().log_in()
    body = dict(come_back(someone).body)
    assert body.pop("success") is True and body.pop("message")
    assert body == {"user_info": user_info(someone, someone.subject)}
    assert someone.row("is_active") == ["1"]


@pytest.mark.parametrize("accept", ["text/html", "*/*", "application/problem+json"])
@pytest.mark.parametrize("with_jwt", [True, False], ids=["connect", "sign_in"])
def test_page(person, accept, with_jwt):
    someone = person()
    if with_jwt:
        someone.log_in()
    answer = come_back(someone, accept=accept)
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/html")
    assert "<html" in answer.body and "eyJ" not in answer.body and "<script" not in answer.body


@pytest.mark.parametrize("accept", [JSON, "text/html"])
@pytest.mark.parametrize("below,before,after", [
    ("", "?", ""), ("/", "/?", ""), ("/a?b=c&d=%26", "/a?b=c&d=%26&", ""), ("/a?", "/a?", ""),
    ("/a?b#/route?x=y", "/a?b&", "#/route?x=y"), ("/#top", "/?", "#top")])
def test_return(person, accept, below, before, after):
    """return_to wins over Accept; its query and fragment are kept."""
    someone = person()
    url = someone.stack.url
    answer = come_back(someone, return_to=url + below, accept=accept)
    location = answer.headers["Location"]
    assert (answer.status, answer.body) == (303, "")
    head, code, tail = location.partition("session_code=")
    assert head == url + before and code and tail.endswith(after)
    assert exchange(someone, tail.removesuffix(after)).status == 200
    answer = come_back(someone.log_in(), return_to=url + below, accept=accept)
    assert (answer.status, answer.headers["Location"]) == (303, f"{url}{before}connected=1{after}")


def test_connecting_does_not_need_the_jwt_again(person):
    """The account is the one that began, whatever token the browser carries on its way back."""
    someone, other = person().log_in(), person()
    url = someone.stack.sim.authorize(leave(someone), someone.user)
    someone.token = other.jwt()
    assert visit(someone, url).body["user_info"]["id"] == someone.subject
    assert someone.row("is_active") == ["1"] and other.row("is_active") is None
