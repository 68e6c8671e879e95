# SPDX-License-Identifier: MIT
"""Who may ask: the callers' JWTs, claim by claim, the two realms and the administrator."""

import hmac
import json
import time
import uuid

import pytest

from conftest import b64, sign_jwt
from stack.smoke import REALMS
from wire import bearer, check_problem, claims_of, come_back, refresh, send

WHO = "auth/microsoft/user"
TOKENS = "/api/v1/health/microsoft/tokens"
MAX_BYTES = 8192


def ask(person, token, below=WHO, method="GET"):
    return send(person.stack, method, person.path(below), bearer(token))


def refused(person, token):
    check_problem(ask(person, token), 401, "invalid_token")


def key_of(person):
    return person.stack.conf["JWT_SECRET_KEY"]


# The times are seconds from now; the leeway is 60.
GOOD = {
    "plain": {},
    "exp_in_leeway": {"exp": -50},
    "exp_fraction": {"exp": 60.5},
    "nbf_past": {"nbf": -5},
    "nbf_in_leeway": {"nbf": 50},
    "iat_in_leeway": {"iat": 50},
    "iat_old": {"iat": -10 ** 8},
    "no_iat": {"iat": None},
    "no_email": {"email": None},
    "unasked_issuer": {"iss": "anybody"},
    "unasked_audience": {"aud": ["anything"]},
    "unknown_claim": {"color": {"a": [1, None]}},
}
BAD = {
    "no_sub": {"sub": None},
    "sub_number": {"sub": 7},
    "sub_list": {"sub": ["7"]},
    "no_exp": {"exp": None},
    "exp_past_leeway": {"exp": -62},
    "exp_text": {"exp": "9999999999"},
    "exp_list": {"exp": [9999999999]},
    "nbf_past_leeway": {"nbf": 75},
    "nbf_text": {"nbf": "0"},
    "iat_past_leeway": {"iat": 75},
    "iat_text": {"iat": "0"},
    "type_unknown": {"type": "admin"},
    "type_empty": {"type": ""},
    "type_case": {"type": "User"},
    "type_number": {"type": 1},
    "type_list": {"type": ["user"]},
    "a_refresh_token": {"use": "refresh"},
}


def at_now(changes):
    now = time.time()
    return {name: value + (now if isinstance(value, float) else int(now))
            if name in ("exp", "nbf", "iat") and isinstance(value, (int, float)) else value
            for name, value in changes.items()}


@pytest.mark.promise("attack/jwt", "exp, nbf and iat count with 60 seconds of leeway, no more")
@pytest.mark.parametrize("name", GOOD)
def test_good_claims(person, name):
    someone = person()
    assert ask(someone, someone.jwt(**at_now(GOOD[name]))).status == 200


@pytest.mark.promise("attack/jwt", "exp, nbf and iat count with 60 seconds of leeway, no more")
@pytest.mark.parametrize("name", BAD)
def test_bad_claims(person, name):
    someone = person()
    refused(someone, someone.jwt(**at_now(BAD[name])))


def test_type_null_is_not_absent(person):
    someone = person()
    refused(someone, sign_jwt(key_of(someone), {**someone.claims(), "type": None}))


def test_absent_type_is_user(person, realm):
    answer = ask(person(), person(realm=REALMS[0]).jwt(type=None))
    if realm.name == "main":
        assert answer.status == 200
    else:
        check_problem(answer, 403, "wrong_realm")


HEADERS = {
    "none": {"alg": "none"},
    "none_mixed_case": {"alg": "nOnE"},
    "hs384": {"alg": "HS384"},
    "hs512": {"alg": "HS512"},
    "rs256": {"alg": "RS256"},
    "lower_case": {"alg": "hs256"},
    "alg_empty": {"alg": ""},
    "alg_null": {"alg": None},
    "alg_list": {"alg": ["HS256"]},
    "crit_unknown": {"crit": ["b64"], "b64": False},
    "crit_known_claim": {"crit": ["exp"]},
    "crit_empty": {"crit": []},
}


@pytest.mark.promise("attack/jwt", "Only the configured HMAC algorithm, in its one spelling, verifies a token")
@pytest.mark.parametrize("name", HEADERS)
def test_bad_header(person, name):
    """Signed with the right key all the same: HS384 and HS512 even by their own hash."""
    someone = person()
    header = {"alg": "HS256", "typ": "JWT", **HEADERS[name]}
    if isinstance(header["alg"], str):
        token = sign_jwt(key_of(someone), someone.claims(), header)
    else:
        token = raw_jwt(key_of(someone), json.dumps(header), json.dumps(someone.claims()))
    refused(someone, token)


def test_header_that_says_more_is_taken(person):
    someone = person()
    assert ask(someone, someone.jwt({"kid": "2026", "cty": "x"})).status == 200


def raw_jwt(key, header, claims):
    """Text as it is, signed as HS256."""
    head = ".".join(b64(part.encode()) for part in (header, claims))
    return f"{head}.{b64(hmac.digest(key.encode(), head.encode(), 'sha256'))}"


def damaged(token):
    head, claims, signature = token.split(".")
    other = b64(json.dumps({**claims_of(token), "sub": "1"}).encode())
    return {
        "unsigned": f"{head}.{claims}.", "two_parts": f"{head}.{claims}", "four_parts": f"{token}.{signature}",
        "cut_signature": token[:-4], "long_signature": token + "AAAA", "other_claims": f"{head}.{other}.{signature}",
        "padded": token + "=", "empty_parts": "..", "no_jwt": "secret", "not_base64": token.replace(".", ".*", 1),
        "last_bits": token[:-1] + chr(ord(token[-1]) + 1)}


@pytest.mark.promise("attack/jwt", "A token has one spelling: bent base64url, other parts, more or fewer bytes are refused")
@pytest.mark.parametrize("name", damaged("e30.e30.AA8"))
def test_damaged(person, name):
    someone = person()
    refused(someone, damaged(someone.jwt())[name])


def test_other_key(person):
    someone = person()
    for key in ("", "other", key_of(someone) + " ", key_of(someone)[:-1]):
        refused(someone, sign_jwt(key, someone.claims()))


@pytest.mark.promise("attack/jwt", "Duplicate members, huge numbers, deep nesting and NUL bytes in a token are refused")
def test_duplicates_and_forms(person):
    someone = person()
    head, claims = '{"alg":"HS256"}', json.dumps(someone.claims())
    assert ask(someone, raw_jwt(key_of(someone), head, claims)).status == 200
    for bad_head, bad_claims in (
            (head, claims[:-1] + f', "sub": "{someone.subject}"}}'), (head, claims[:-1] + ', "exp": 9999999999}'),
            (head, claims[:-1] + ', "x": 1, "x": 1}'), ('{"alg":"HS256","alg":"HS256"}', claims), (head, "[]"),
            (head, '"x"'), (head, "null"), (head, claims + "x"), ("[]", claims), ("{}", claims), (head, "")):
        refused(someone, raw_jwt(key_of(someone), bad_head, bad_claims))


@pytest.mark.promise("attack/jwt", "A token over 8 KiB is refused")
def test_length(person):
    someone = person()
    sizes = {n: token for n, token in ((len(t), t) for t in (someone.jwt(pad="x" * p) for p in range(5800, 6100)))}
    longest = max(n for n in sizes if n <= MAX_BYTES)
    shortest = min(n for n in sizes if n > MAX_BYTES)
    assert longest >= MAX_BYTES - 1 and shortest <= MAX_BYTES + 2
    assert ask(someone, sizes[longest]).status == 200
    refused(someone, sizes[shortest])


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dXNlcjpw", "JWT {}", "{}", "Bearer {} x"])
def test_authorization_header(person, header):
    someone = person()
    headers = {} if header is None else {"Authorization": header.format(someone.jwt())}
    check_problem(send(someone.stack, "GET", someone.path(WHO), headers), 401, "invalid_token")


def test_scheme_is_without_case_and_queries_hold_no_token(person):
    someone = person()
    token = someone.jwt()
    for scheme in ("bearer", "BEARER"):
        assert send(someone.stack, "GET", someone.path(WHO), {"Authorization": f"{scheme} {token}"}).status == 200
    check_problem(send(someone.stack, "GET", someone.path(f"{WHO}?access_token={token}")), 401, "invalid_token")


U = "0b9cdd2e-6f0a-4c3b-9a57-1f2e3d4c5b6a"
SUBJECTS = {
    "main": (["1", "42", str(2 ** 63 - 1)],
             ["", "0", "01", "-1", "+1", "1.0", "1e3", " 1", "1 ", "1\n", "0x1", "\u0661", str(2 ** 63),
              str(2 ** 64 + 1), "9" * 40, "me", U]),
    "beta": ([U, U.upper(), str(uuid.UUID(int=0))],
             ["", "1", U[:-1], U + "0", U.replace("-", ""), "{" + U + "}", "urn:uuid:" + U, U.replace("0", "g", 1),
              U + "\n", U.replace("-", "_")]),
}


@pytest.mark.promise("attack/jwt", "A subject has one form in each realm: an integer to 2^63-1, or a UUID")
def test_subjects(person, realm):
    good, bad = SUBJECTS[realm.name]
    someone = person()
    for subject in good:
        answer = ask(someone, someone.jwt(sub=subject))
        assert answer.status == 200 and answer.body[realm.account]["id"] == subject.lower(), subject
    for subject in bad:
        refused(someone, someone.jwt(sub=subject))


NEIGHBOURS = {"main": (str(2 ** 63 - 1), str(2 ** 63 - 2), str(2 ** 63 - 1)), "beta": (U.upper(), U[:-1] + "b", U)}


def test_subjects_are_exact(person, realm):
    """What no double can tell apart is two people; an upper-case UUID is the same one."""
    mine, neighbour, mine_again = NEIGHBOURS[realm.name]
    someone, other, again = person(), person(), person()
    someone.subject, other.subject, again.subject = mine, neighbour, mine_again
    someone.connect()
    assert again.log_in().api("GET", WHO).body["microsoft"]["connected"] is True
    assert other.log_in().api("GET", WHO).body["microsoft"]["connected"] is False
    assert other.api("DELETE", "auth/microsoft/token").status == 200
    assert again.api("GET", WHO).body["microsoft"]["connected"] is True
    again.api("DELETE", "auth/microsoft/token")


OWN = [("GET", "auth/microsoft/"), ("GET", WHO), ("DELETE", "auth/microsoft/token"),
       ("GET", "integration/microsoft/calendar/"), ("GET", "integration/microsoft/calendar/events"),
       ("POST", "integration/microsoft/calendar/events"), ("GET", "integration/microsoft/calendar/events/x"),
       ("PUT", "integration/microsoft/calendar/events/x"), ("PATCH", "integration/microsoft/calendar/events/x"),
       ("DELETE", "integration/microsoft/calendar/events/x")]


@pytest.mark.promise("attack/isolation", "A token of one realm opens nothing in the other")
@pytest.mark.parametrize("method,below", OWN)
def test_wrong_realm(person, realm, method, below):
    other = person(realm=next(one for one in REALMS if one != realm))
    answer = send(other.stack, method, f"{realm.prefix}/{below}", bearer(other.jwt()))
    check_problem(answer, 403, "wrong_realm")
    assert "WWW-Authenticate" not in answer.headers
    bad = send(other.stack, method, f"{realm.prefix}/{below}", bearer("bad"))
    check_problem(bad, 401, "invalid_token")
    if below != "auth/microsoft/":
        check_problem(send(other.stack, method, f"{realm.prefix}/{below}"), 401, "invalid_token")


ADMIN = {"scopes": {"scopes": ["calendar", "admin"]}, "scope": {"scope": "calendar admin"}, "alone": {"scope": "admin"}}
NO_ADMIN = {"none": {}, "scope": {"scope": "administrator admins"}, "scopes": {"scopes": ["Admin", "admin x", 1, None]},
            "other_claims": {"role": "admin", "sub": "1", "email": "admin"}, "joined": {"scope": "a,admin"}}


@pytest.mark.parametrize("claims", ADMIN.values(), ids=ADMIN)
def test_admin(person, realm, claims):
    someone = person()
    answer = send(someone.stack, "GET", TOKENS, bearer(someone.jwt(**claims)))
    if realm.name == "main":
        assert answer.status == 200
    else:
        check_problem(answer, 403, "wrong_realm")
    check_problem(send(someone.stack, "GET", TOKENS.replace("v1", "v1/beta"), bearer(someone.jwt(**claims))),
                  404, "not_found")


@pytest.mark.promise("attack/isolation", "Only the scope admin, whole and in its spelling, makes an administrator")
@pytest.mark.parametrize("claims", NO_ADMIN.values(), ids=NO_ADMIN)
def test_no_admin(stack, person, claims):
    someone = person(realm=REALMS[0])
    check_problem(send(stack, "GET", TOKENS, bearer(someone.jwt(**claims))), 403, "admin_required")
    check_problem(send(stack, "GET", TOKENS), 401, "invalid_token")


STRICT = {"JWT_ALGORITHM": "HS512", "JWT_ISSUER": "https://site.example/", "JWT_AUDIENCE": "graphgate", "workers": 1}


def strict_jwt(person, **changes):
    claims = person.claims(**{"iss": STRICT["JWT_ISSUER"], "aud": STRICT["JWT_AUDIENCE"], **changes})
    return sign_jwt(key_of(person), claims, {"alg": "HS512"})


@pytest.mark.promise("attack/jwt", "A configured issuer and audience must match")
def test_issuer_and_audience(person, make_stack):
    someone = person(stack=make_stack(**STRICT))
    for changes in ({}, {"aud": ["other", "graphgate"]}):
        assert ask(someone, strict_jwt(someone, **changes)).status == 200, changes
    for changes in ({"iss": None}, {"iss": "https://site.example"}, {"iss": ["https://site.example/"]}, {"aud": None},
                    {"aud": "other"}, {"aud": []}, {"aud": ["other"]}, {"aud": {"graphgate": 1}}):
        refused(someone, strict_jwt(someone, **changes))
    refused(someone, sign_jwt(key_of(someone), claims_of(strict_jwt(someone)), {"alg": "HS256"}))


def test_signed_for_the_same_issuer_and_audience(person, make_stack):
    someone = person(stack=make_stack(**STRICT))
    pair = come_back(someone).body
    for token in (pair["access_token"], pair["refresh_token"]):
        assert claims_of(token, 0)["alg"] == "HS512"
        claims = claims_of(token)
        assert claims["iss"] == STRICT["JWT_ISSUER"] and claims["aud"] == STRICT["JWT_AUDIENCE"]
        head, _, signature = token.rpartition(".")
        assert signature == b64(hmac.digest(key_of(someone).encode(), head.encode(), "sha512"))
    assert ask(someone, pair["access_token"]).status == 200
    assert refresh(someone, pair["refresh_token"]).status == 200


def test_secret_key_where_there_is_no_jwt_secret_key(person, make_stack):
    stack = make_stack(JWT_ALGORITHM="HS384", JWT_SECRET_KEY=None, SECRET_KEY="the-second-key-of-the-site-is-this",
                       workers=1)
    someone = person(stack=stack)
    for alg, status in (("HS384", 200), ("HS256", 401), ("HS512", 401)):
        token = sign_jwt(stack.conf["SECRET_KEY"], someone.claims(), {"alg": alg})
        assert ask(someone, token).status == status, alg
    pair = come_back(someone).body
    assert claims_of(pair["access_token"], 0)["alg"] == "HS384"
    assert ask(someone, pair["access_token"]).status == 200
