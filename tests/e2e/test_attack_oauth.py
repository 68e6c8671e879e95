# SPDX-License-Identifier: MIT
"""Attacks on the sign-in by RFC 9700 and OAuth 2.1: what one who holds another's code, state, cookie or key gets of it."""

import http.client
import time
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import pytest

from kit import at_once
from stack.smoke import REALMS
from wire import JSON, check_problem, come_back, exchange, forget_keys, leave, query_of, send, stored

INJECTED = pytest.mark.promise(
    "attack/oauth", "Another's authorization code in one's own flow is refused: by PKCE, or by the nonce where PKCE is led astray")
FOREIGN_STATE = pytest.mark.promise(
    "attack/oauth", "A state in another's hands, or from another flow, opens nothing and stays good for its owner")
FLOOD = pytest.mark.promise(
    "attack/oauth", "Unknown key ids cost one fetch of the keys in half a minute, for all workers and hosts together")
ONE_REALM = pytest.mark.parametrize("realm", REALMS[:1], ids=["main"])
STATE, FAILED, ID_TOKEN = (400, "state_invalid"), (401, "microsoft_auth_failed"), (401, "id_token_invalid")
BACK = "auth/microsoft/callback"


def redeemed(person):
    return person.stack.sim.counters()["authorization_code"]


def with_query(url, **changes):
    """The URL with other parameters; None takes one away."""
    parts = urlsplit(url)
    query = {name: value for name, value in {**query_of(url), **changes}.items() if value is not None}
    return urlunsplit(parts._replace(query=urlencode(query)))


def back(person, **query):
    return person.api("GET", f"{BACK}?{urlencode(query)}")


# Codes

@INJECTED
@pytest.mark.parametrize("with_jwt", [True, False], ids=["connect", "sign_in"])
def test_another_flows_code(person, with_jwt):
    """Injected into one's own state and cookie; the code was made for another verifier."""
    victim, thief = person(), person()
    stolen = query_of(victim.stack.sim.authorize(leave(victim), victim.user))["code"]
    if with_jwt:
        thief.log_in()
    state = query_of(leave(thief))["state"]
    rows = stored(thief.stack)
    check_problem(back(thief, state=state, code=stolen), *FAILED)
    assert stored(thief.stack) == rows


# mutant: src/proto/oauth.c: !gg_secret_is_equal(nonce, expect->nonce) => nonce.n > 10000
@INJECTED
@pytest.mark.parametrize("nonce", ["attackers-own-nonce", None])
def test_a_code_made_for_ones_own_challenge(person, nonce):
    """Who copies the challenge into a request of his own gets a code that PKCE takes: its ID token has another nonce."""
    someone, rows = person(), None
    auth_url = leave(someone)
    forged = with_query(auth_url, nonce=nonce, state="x" * 43)
    code = query_of(someone.stack.sim.authorize(forged, person().user))["code"]
    rows = stored(someone.stack)
    check_problem(back(someone, state=query_of(auth_url)["state"], code=code), *ID_TOKEN)
    assert stored(someone.stack) == rows


@pytest.mark.promise("attack/oauth", "A request stripped of its PKCE challenge ends nowhere: the verifier is always sent")
@pytest.mark.parametrize("changes", [{"code_challenge": None, "code_challenge_method": None}, {"code_challenge_method": None}],
                         ids=["none", "plain"])
def test_pkce_downgrade(person, sim, changes):
    someone = person()
    auth_url = leave(someone)
    code = query_of(sim.authorize(with_query(auth_url, **changes), someone.user))["code"]
    check_problem(back(someone, state=query_of(auth_url)["state"], code=code), *FAILED)
    assert all(call["secrets"].get("code_verifier") for call in sim.requests(secrets=True, target="token")
               if call["secrets"].get("code"))


@pytest.mark.promise("attack/oauth", "An authorization code works once, also for many who bring it at the same moment")
def test_a_code_and_its_state_at_once(person):
    someone = person()
    query = query_of(someone.stack.sim.authorize(leave(someone), someone.user))
    before = redeemed(someone)
    answers = at_once(6, lambda _: back(someone, state=query["state"], code=query["code"]))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 5
    assert redeemed(someone) == before + 1


@pytest.mark.promise("attack/oauth", "An authorization code works once, also for many who bring it at the same moment")
def test_a_spent_code_in_a_new_flow(person):
    someone = person()
    query = query_of(someone.stack.sim.authorize(leave(someone), someone.user))
    assert back(someone, state=query["state"], code=query["code"]).status == 200
    state = query_of(leave(someone))["state"]
    check_problem(back(someone, state=state, code=query["code"]), *FAILED)


@pytest.mark.promise("attack/oauth", "A response for another client, by its code or by its ID token, is refused")
def test_a_code_for_another_client(person, sim):
    """The other client is a public one of the same tenant, with the same redirect URI."""
    someone = person()
    other = "0c1f3d7a-2b4e-4f60-8a1c-9d8e7f6a5b4c"
    sim.app(other, redirect_uris=[someone.stack.redirect_uri], tenant=sim.tenant_id, audience="single", public=True)
    auth_url = leave(someone)
    code = query_of(sim.authorize(with_query(auth_url, client_id=other), someone.user))["code"]
    rows = stored(someone.stack)
    check_problem(back(someone, state=query_of(auth_url)["state"], code=code), *FAILED)
    sim.forge("wrong_aud", user=someone.user)
    check_problem(come_back(someone), *ID_TOKEN)
    assert stored(someone.stack) == rows


# States and cookies

@FOREIGN_STATE
def test_states_of_two_browsers_are_not_swapped(person):
    one, two = person(), person().log_in()
    urls = [one.stack.sim.authorize(leave(who), who.user) for who in (one, two)]
    swapped = [with_query(urls[0], state=query_of(urls[1])["state"]), with_query(urls[1], state=query_of(urls[0])["state"])]
    before, rows = redeemed(one), stored(one.stack)
    for who, url in ((one, urls[1]), (two, urls[0]), (one, swapped[0]), (two, swapped[1])):
        check_problem(who.call("GET", url), *STATE)
    assert (redeemed(one), stored(one.stack)) == (before, rows)
    assert [who.call("GET", url).status for who, url in ((one, urls[0]), (two, urls[1]))] == [200, 200]


@FOREIGN_STATE
@pytest.mark.parametrize("state", ["A" * 43, "x" * 43, "' OR '1'='1", "%", "_" * 43, "\u0661" * 43])
def test_a_state_cannot_be_chosen(person, state):
    """Neither by a request that names one, nor by a cookie that does: the state is graphgate's to make."""
    someone = person()
    answer = someone.api("GET", f"auth/microsoft/?state={quote(state)}&nonce={quote(state)}&code_challenge={quote(state)}")
    asked = query_of(answer.body["auth_url"])
    assert state not in (asked["state"], asked["nonce"], asked["code_challenge"])
    check_problem(back(someone, state=state, code="x"), *STATE)


@pytest.mark.promise("attack/oauth", "Repeated parameters of an authorization response are refused, and spend nothing")
@pytest.mark.parametrize("name", ["state", "code", "error", "error_description", "iss"])
@pytest.mark.parametrize("same", [True, False], ids=["same", "other"])
def test_a_parameter_twice(person, name, same):
    someone = person()
    url = someone.stack.sim.authorize(leave(someone), someone.user)
    before = redeemed(someone)
    given = query_of(url).get(name, "x")
    for pair in (f"&{name}={given}&{name}=" + (given if same else "another"), f"&{name}=&{name}={given}",
                 f"&{name}={given}&{name[:-1]}%{ord(name[-1]):02x}={given}"):
        plain = with_query(url, **{name: None})
        check_problem(someone.call("GET", plain + pair), *STATE)
    assert redeemed(someone) == before
    assert someone.call("GET", url).status == 200


@pytest.mark.promise("attack/oauth", "Two realms share one callback: a response ends only the flow, and in the realm, of its state")
def test_realms_are_not_mixed_up(person, realm):
    """A code of one realm's flow with the state of the other's, in one browser that began both."""
    someone = person()
    other = person(realm=next(one for one in REALMS if one != realm))
    other.call = someone.call
    mine, others = ([leave(who), who] for who in (someone, other))
    code = query_of(someone.stack.sim.authorize(mine[0], someone.user))["code"]
    rows = stored(someone.stack)
    for who in (someone, other):
        state = query_of(leave(other))["state"]
        check_problem(back(who, state=state, code=code), *FAILED)
    assert stored(someone.stack) == rows
    answer = back(others[1], state=query_of(mine[0])["state"], code="x")
    check_problem(answer, *FAILED)
    session = query_of(come_back(someone, return_to=someone.stack.url).headers["Location"])["session_code"]
    check_problem(exchange(other, session), 400, "session_code_invalid")
    assert exchange(someone, session).status == 200


# The form of the response

@pytest.mark.promise("attack/oauth", "Only a query to the callback ends a flow: a posted form or a fragment does not")
def test_response_modes(person):
    someone = person()
    url = someone.stack.sim.authorize(leave(someone), someone.user)
    before = redeemed(someone)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    query = urlsplit(url).query
    answer = send(someone.stack, "POST", someone.path(BACK), form, query)
    check_problem(answer, 405, "method_not_allowed")
    check_problem(send(someone.stack, "POST", someone.path(f"{BACK}?{query}"), form, query), 405, "method_not_allowed")
    check_problem(someone.api("GET", BACK + "#" + query), *STATE)
    assert redeemed(someone) == before
    assert someone.call("GET", url).status == 200


# mutant: src/flow/connect.c: !gg_str_is_equal(connect->issuer, id.issuer) => connect->issuer.n > 1000
@pytest.mark.promise("attack/oauth", "An iss parameter (RFC 9207) that is not the ID token's issuer ends the flow, nothing stored")
@pytest.mark.parametrize("issuer", ["https://evil.example/common/v2.0", "SIM/TENANT/v2.0/", "SIM/{tenantid}/v2.0", "x"])
def test_response_of_another_issuer(person, sim, issuer):
    someone = person()
    given = issuer.replace("SIM", sim.https).replace("TENANT", sim.tenant_id)
    url = sim.authorize(leave(someone), someone.user)
    rows = stored(someone.stack)
    check_problem(someone.call("GET", f"{url}&{urlencode({'iss': given})}"), *FAILED)
    assert stored(someone.stack) == rows
    url = sim.authorize(leave(someone), someone.user)
    assert someone.call("GET", f"{url}&{urlencode({'iss': f'{sim.https}/{sim.tenant_id}/v2.0'})}").status == 200


@pytest.mark.promise("attack/oauth", "The redirect URI is the configured one, to the byte, whatever host a request names")
def test_redirect_uri_is_the_configured_one(person, sim):
    someone = person()
    uri = someone.stack.redirect_uri
    for headers in ({"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"},
                    {"X-Original-URL": "//evil.example/", "Origin": "https://evil.example", "Referer": "https://evil.example/"}):
        answer = send(someone.stack, "GET", someone.path("auth/microsoft/?redirect_uri=https%3A%2F%2Fevil.example"), headers)
        assert query_of(answer.headers["Location"])["redirect_uri"] == uri
    connection = http.client.HTTPConnection(someone.stack.url.partition("//")[2], timeout=30)
    try:
        connection.putrequest("GET", someone.path("auth/microsoft/"), skip_host=True)
        connection.putheader("Host", "evil.example")
        connection.endheaders()
        reply = connection.getresponse()
        assert reply.status == 302 and query_of(reply.headers["Location"])["redirect_uri"] == uri
    finally:
        connection.close()
    come_back(someone)
    sent = [call["form"]["redirect_uri"] for call in sim.requests(target="token") if "redirect_uri" in call.get("form", {})]
    assert sent and sent[-1] == uri


@pytest.mark.promise("attack/oauth", "The callback's page has no script, sends no Referer, is neither framed nor stored, and holds no secret")
def test_page_of_the_callback(person):
    someone = person()
    url = someone.stack.sim.authorize(leave(someone), someone.user)
    answer = someone.call("GET", url, accept="text/html")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["Referrer-Policy"] == "no-referrer" and answer.headers["Cache-Control"] == "no-store"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "form-action 'none'" in policy
    query = query_of(url)
    secrets = (query["code"], query["state"], someone.stack.sim.token_of(someone.user))
    assert not [value for value in secrets if value in answer.body]
    assert "<script" not in answer.body and "<a" not in answer.body and "<img" not in answer.body


MARKUP = "<script>alert(1)</script>\"'&<img src=x onerror=alert(1)>"


@pytest.mark.promise("attack/isolation", "Nothing that a request or Microsoft says stands as markup in an answer of the callback")
@pytest.mark.parametrize("accept", ["text/html", JSON, "*/*"])
@pytest.mark.parametrize("name", ["state", "code", "error", "error_description", "iss", "x"])
def test_markup_at_the_callback(person, name, accept):
    someone = person()
    given = {"state": query_of(leave(someone))["state"], "code": "x", name: MARKUP}
    answer = someone.call("GET", someone.path(f"{BACK}?{urlencode(given)}"), accept=accept)
    assert answer.status in (400, 401) and answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "<script" not in str(answer.body) and "onerror" not in str(answer.body)


# Keys, across workers

# mutant: src/flow/keyset.c: if (held_ms(k) < FRESH_MS && (has_key || keys.is_closed)) => if (held_ms(k) < FRESH_MS && has_key)
@FLOOD
@ONE_REALM
def test_a_flood_of_unknown_keys(person, make_stack, measured):
    """Thirty-two sign-ins whose ID tokens each name a key of their own, at four workers that have no keys yet."""
    flooded = forget_keys(make_stack(LOG_LEVEL="warning", workers=4, SIGN_IN="provision"))
    sim = flooded.sim
    people = [person(stack=flooded) for _ in range(32)]
    for someone in people:
        sim.forge("unknown_kid", user=someone.user, params={"random": True})
    urls = [sim.authorize(leave(someone), someone.user) for someone in people]
    before, begin = sim.counters()["keys"], time.monotonic()
    answers = [answer for part in range(4) for answer in at_once(
        8, lambda number, part=part: people[part * 8 + number].call("GET", urls[part * 8 + number]))]
    took_s = time.monotonic() - begin
    fetches = sim.counters()["keys"] - before
    assert [(answer.status, answer.body["code"]) for answer in answers] == [ID_TOKEN] * len(people)
    assert 1 <= fetches <= 1 + took_s // 30
    measured(f"{fetches} fetch of the keys for {len(people)} unknown key ids at 4 workers")
    assert come_back(person(stack=flooded)).status == 200


@pytest.mark.promise("attack/oauth", "A new key of Microsoft's is fetched by one worker and known to all")
@ONE_REALM
def test_a_new_key_is_everybodys(person, make_stack, measured):
    made = forget_keys(make_stack(LOG_LEVEL="warning", workers=4, SIGN_IN="provision"))
    sim = made.sim
    try:
        at_once(8, lambda _: come_back(person(stack=made)))
        sim.roll_keys("replace")
        people = [person(stack=made) for _ in range(12)]
        urls = [sim.authorize(leave(someone), someone.user) for someone in people]
        before = sim.counters()["keys"]
        answers = at_once(len(people), lambda number: people[number].call("GET", urls[number]))
        assert [answer.status for answer in answers] == [200] * len(people)
        fetches = sim.counters()["keys"] - before
        assert fetches == 1
        measured(f"{fetches} fetch for {len(people)} sign-ins at 4 workers")
    finally:
        sim.roll_keys("reset")
