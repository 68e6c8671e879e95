# SPDX-License-Identifier: MIT
"""Session codes, and the two JWTs that graphgate signs: their claims, their use, and how a family of them ends."""

import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import b64, sign_jwt
from stack.smoke import REALMS
from wire import bearer, check_problem, claims_of, come_back, exchange, refresh, send, session_code

WHO = "auth/microsoft/user"


def other_realm(realm):
    return next(one for one in REALMS if one != realm)


def resigned(person, token, header=None, **changes):
    """The same token with other claims, as one who has the site's key could make it."""
    claims = {name: value for name, value in {**claims_of(token), **changes}.items() if value is not None}
    return sign_jwt(person.stack.conf["JWT_SECRET_KEY"], claims, header)


# Session codes

def test_session_code(person):
    someone = person()
    code = session_code(someone)
    body = exchange(someone, code).body
    assert set(body) == {"success", "access_token", "refresh_token", "token_type", "expires_in", "user_info"}
    assert body["success"] is True
    someone.token = body["access_token"]
    assert someone.api("GET", WHO).body["microsoft"]["connected"] is True
    check_problem(exchange(someone, code), 400, "session_code_invalid")


@pytest.mark.parametrize("code", ["x", "A" * 43, " ", "x" * 100000, "'", "\u0000", "\u20ac"])
def test_unknown_session_code(person, code):
    check_problem(exchange(person(), code), 400, "session_code_invalid")


@pytest.mark.promise("attack/oauth", "A session code works once, for a minute, in its own realm")
@pytest.mark.parametrize("age_s,status", [(55, 200), (61, 400)])
def test_session_code_lasts_a_minute(person, age_s, status):
    someone = person()
    code = session_code(someone)
    someone.stack.sql(f"UPDATE session_codes SET expires_at = expires_at - INTERVAL {age_s} SECOND")
    answer = exchange(someone, code)
    assert answer.status == status
    if status == 400:
        check_problem(answer, 400, "session_code_invalid")


@pytest.mark.promise(
    "attack/isolation", "A session code, a state, a cursor or an event id of another user gives nothing of that user's")
def test_session_code_in_the_other_realm(person, realm):
    """Refused there, and not spent: its own realm still takes it."""
    someone, other = person(), person(realm=other_realm(realm))
    code = session_code(someone)
    check_problem(exchange(other, code), 400, "session_code_invalid")
    assert exchange(someone, code).status == 200


def test_session_code_needs_no_cookie_and_no_jwt(person):
    """A site's back end may take it."""
    someone = person()
    body = json.dumps({"session_code": session_code(someone)})
    headers = {"Content-Type": "application/json", "Authorization": "Bearer of something else"}
    assert send(someone.stack, "POST", someone.path("auth/microsoft/exchange"), headers, body).status == 200


@pytest.mark.promise("attack/oauth", "A session code works once, for a minute, in its own realm")
def test_session_code_at_once(person):
    """Of many who bring one code at the same time, one gets in."""
    someone = person()
    code = session_code(someone)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: exchange(someone, code).status, range(8)))
    assert sorted(answers) == [200] + [400] * 7


# The JWTs

def test_claims(person, realm):
    someone = person()
    before = int(time.time())
    body = come_back(someone).body
    access, spare = claims_of(body["access_token"]), claims_of(body["refresh_token"])
    common = {"sub": body["user_info"]["id"], "email": f"{someone.user}@example.com",
              "type": {"main": "user", "beta": "teacher"}[realm.name]}
    for claims, life_s in ((access, 30 * 60), (spare, 7 * 86400)):
        assert common.items() <= claims.items()
        assert before <= claims["iat"] <= time.time() and claims["exp"] - claims["iat"] == life_s
    assert set(access) == {"sub", "email", "type", "iat", "exp"}
    assert spare["use"] == "refresh"
    for token in (body["access_token"], body["refresh_token"]):
        assert claims_of(token, 0) == {"alg": "HS256", "typ": "JWT"}
        head, _, signature = token.rpartition(".")
        key = someone.stack.conf["JWT_SECRET_KEY"].encode()
        assert signature == b64(hmac.digest(key, head.encode(), "sha256"))


def test_tokens_are_not_each_other(person):
    someone = person()
    body = come_back(someone).body
    for below in ("auth/microsoft/", WHO, "integration/microsoft/calendar/"):
        answer = send(someone.stack, "GET", someone.path(below), bearer(body["refresh_token"]))
        check_problem(answer, 401, "invalid_token")
    check_problem(refresh(someone, body["access_token"]), 401, "invalid_token")
    check_problem(refresh(someone, someone.jwt()), 401, "invalid_token")
    assert send(someone.stack, "GET", someone.path(WHO), bearer(body["access_token"])).status == 200
    assert refresh(someone, body["refresh_token"]).status == 200


def test_refresh(person):
    someone = person()
    first = come_back(someone).body
    answer = refresh(someone, first["refresh_token"])
    body = answer.body
    assert answer.status == 200
    assert set(body) == {"success", "access_token", "refresh_token", "token_type", "expires_in", "user_info"}
    assert (body["success"], body["token_type"], body["expires_in"]) == (True, "Bearer", 1800)
    assert body["user_info"] == first["user_info"] and body["refresh_token"] != first["refresh_token"]
    assert claims_of(body["access_token"])["sub"] == first["user_info"]["id"]
    someone.token = body["access_token"]
    assert someone.api("GET", WHO).status == 200


def test_refresh_needs_no_access_token(person):
    someone = person()
    body = json.dumps({"refresh_token": come_back(someone).body["refresh_token"]})
    headers = {"Content-Type": "application/json", "Authorization": "Bearer expired"}
    assert send(someone.stack, "POST", someone.path("auth/refresh"), headers, body).status == 200


@pytest.mark.promise("attack/jwt", "A spent refresh token used again ends its whole family, the newest one included")
def test_a_spent_one_ends_the_family(person):
    """Also for the newest; another sign-in of the same account is another family."""
    someone = person()
    chain = [come_back(someone).body["refresh_token"]]
    other = come_back(someone).body["refresh_token"]
    for _ in range(2):
        chain.append(refresh(someone, chain[-1]).body["refresh_token"])
    check_problem(refresh(someone, chain[0]), 401, "invalid_token")
    for token in chain:
        check_problem(refresh(someone, token), 401, "invalid_token")
    assert refresh(someone, other).status == 200


@pytest.mark.promise("attack/jwt", "A spent refresh token used again ends its whole family, the newest one included")
def test_one_of_two_at_once(person):
    """A refresh token used twice at the same moment is spent once, and then its family is over."""
    someone = person()
    token = come_back(someone).body["refresh_token"]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: refresh(someone, token), range(6)))
    assert sorted(one.status for one in answers) == [200] + [401] * 5
    (good,) = [one.body["refresh_token"] for one in answers if one.status == 200]
    check_problem(refresh(someone, good), 401, "invalid_token")


@pytest.mark.promise("attack/jwt", "A refresh token of the other realm is refused, and not spent")
def test_refresh_in_the_other_realm(person, realm):
    """Refused there, and not spent."""
    someone, other = person(), person(realm=other_realm(realm))
    token = come_back(someone).body["refresh_token"]
    check_problem(refresh(other, token), 401, "invalid_token")
    assert refresh(someone, token).status == 200


@pytest.mark.promise("attack/jwt", "A refresh token is no access token, nor the other way round, whoever signed it")
def test_refused_refresh_tokens(person):
    """None of them spends the good one."""
    someone, victim = person(), person()
    token, foreign = come_back(someone).body["refresh_token"], come_back(victim).body["refresh_token"]
    now = int(time.time())
    for changes in ({"exp": now - 62}, {"exp": None}, {"use": None}, {"use": "access"}, {"jti": None}, {"family": None},
                    {"type": "admin"}, {"sub": None}, {"nbf": now + 75}):
        check_problem(refresh(someone, resigned(someone, token, **changes)), 401, "invalid_token")
    for text in (token[:-2], token + "AA", "x", resigned(someone, token, {"alg": "HS512"}),
                 resigned(someone, token, {"alg": "none"}), resigned(someone, token, {"crit": ["exp"]}),
                 resigned(someone, token, pad="x" * 8192), sign_jwt("another key", claims_of(token))):
        check_problem(refresh(someone, text), 401, "invalid_token")
    assert refresh(someone, token).status == 200
    assert refresh(victim, foreign).status == 200


def test_refresh_lasts_seven_days(person):
    """Each use begins them anew."""
    someone = person()
    token = come_back(someone).body["refresh_token"]
    family = claims_of(token)["family"]
    change = "UPDATE refresh_families SET expires_at = NOW(6) + INTERVAL {} SECOND WHERE family_id = '{}'"

    def left():
        return int(someone.stack.sql("SELECT TIMESTAMPDIFF(SECOND, NOW(6), expires_at) FROM refresh_families"
                                     f" WHERE family_id = '{family}'")[0][0])
    assert 7 * 86400 - 30 < left() <= 7 * 86400
    someone.stack.sql(change.format(60, family))
    token = refresh(someone, token).body["refresh_token"]
    assert 7 * 86400 - 30 < left() <= 7 * 86400
    someone.stack.sql(change.format(0, family))
    check_problem(refresh(someone, token), 401, "invalid_token")


def test_a_disconnect_is_no_sign_out(person):
    """What is deleted are Microsoft's tokens."""
    someone = person()
    body = come_back(someone).body
    someone.token = body["access_token"]
    assert someone.api("DELETE", "auth/microsoft/token").status == 200
    answer = refresh(someone, body["refresh_token"])
    assert answer.status == 200
    someone.token = answer.body["access_token"]
    assert someone.api("GET", WHO).body["microsoft"]["connected"] is False
