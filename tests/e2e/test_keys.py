# SPDX-License-Identifier: MIT
"""Which key encrypts the stored tokens and which one signs the JWTs, and what Python's cryptography makes of them."""

import base64
import hashlib
import hmac

import pytest
from conftest import Person, sign_jwt
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from fcgi_client import direct

from stack.stack import fernet_key

SALT = "faraday_token_encryption_salt"


def derived(secret, salt=SALT):
    """The key as the old service derived it."""
    return Fernet(base64.urlsafe_b64encode(hashlib.pbkdf2_hmac("sha256", secret.encode(), salt.encode(), 100_000, 32)))


def stored(someone):
    """The three tokens of a row, encrypted."""
    return someone.row("access_token, refresh_token, id_token")


def check_row(someone, fernet, sim):
    """Every token of the row is what Microsoft gave, under this key."""
    kinds = ("access_token", "refresh_token", "id_token")
    for kind, token in zip(kinds, stored(someone)):
        assert fernet.decrypt(token.encode()).decode() == sim.token_of(someone.user, kind)


@pytest.mark.parametrize("settings, secret, salt", [
    ({"JWT_SECRET_KEY": "jwt-secret-of-the-site"}, "jwt-secret-of-the-site", SALT),
    ({"JWT_SECRET_KEY": None, "SECRET_KEY": "secret-of-the-site"}, "secret-of-the-site", SALT),
    ({"JWT_SECRET_KEY": "", "SECRET_KEY": "secret-of-the-site"}, "secret-of-the-site", SALT),
    ({"JWT_SECRET_KEY": "jwt-secret-of-the-site", "SECRET_KEY": "not-this-one"}, "jwt-secret-of-the-site", SALT),
    ({"JWT_SECRET_KEY": "jwt-secret-of-the-site", "TOKEN_KEY_SALT": "naïve salt"}, "jwt-secret-of-the-site", "naïve salt"),
])
def test_derived_key(program, realm, sim, settings, secret, salt):
    worker = program(TOKEN_ENCRYPTION_KEY=None, **settings)
    worker.conf["JWT_SECRET_KEY"] = secret
    someone = direct(Person, worker, realm).connect()
    check_row(someone, derived(secret, salt), sim)
    assert someone.cal("GET").status == 200


def test_the_given_key_wins_over_the_derived_one(program, realm, sim):
    key = fernet_key()
    worker = program(TOKEN_ENCRYPTION_KEY=key)
    someone = direct(Person, worker, realm).connect()
    check_row(someone, Fernet(key), sim)
    with pytest.raises(InvalidToken):
        derived(worker.conf["JWT_SECRET_KEY"]).decrypt(stored(someone)[0].encode())


def test_rows_of_the_old_service_still_decrypt(program, realm, sim):
    """Written by Python's cryptography under the derived key, with the contract's columns alone."""
    secret = "the-old-services-secret"
    worker = program(TOKEN_ENCRYPTION_KEY=None, JWT_SECRET_KEY=secret)
    someone = direct(Person, worker, realm).log_in()
    tokens = sim.mint(someone.user)
    text = [derived(secret).encrypt(tokens[kind].encode()).decode() for kind in ("access_token", "refresh_token")]
    someone.stack.sql(
        f"INSERT INTO {someone.table} ({someone.key_column}, access_token, refresh_token, token_type, expires_at, scope, "
        f"is_active) VALUES ('{someone.subject}', '{text[0]}', '{text[1]}', 'Bearer', UTC_TIMESTAMP() + INTERVAL 1 HOUR, "
        "'User.Read Calendars.ReadWrite', 1)")
    assert someone.cal("GET").status == 200


def test_the_first_of_several_keys_encrypts_and_all_decrypt(program, realm, sim):
    old, new, other = fernet_key(), fernet_key(), fernet_key()
    someone = direct(Person, program(TOKEN_ENCRYPTION_KEY=old), realm).connect()
    both = program(TOKEN_ENCRYPTION_KEY=f"{new}, {old}")
    someone.call = direct(Person, both, realm).call
    answer = direct(Person, both, realm)
    answer.token = someone.token
    assert answer.cal("GET").status == 200
    check_row(someone, Fernet(old), sim)
    next_one = direct(Person, both, realm).connect()
    check_row(next_one, Fernet(new), sim)
    stranger = direct(Person, program(TOKEN_ENCRYPTION_KEY=f"{other},{old}"), realm)
    stranger.token = next_one.token
    assert stranger.cal("GET").body["code"] == "microsoft_auth_required"
    stranger.token = someone.token
    assert stranger.cal("GET").status == 200
    assert MultiFernet([Fernet(new), Fernet(old)]).decrypt(stored(someone)[0].encode())


def test_a_refresh_encrypts_with_the_first_key(program, realm, sim):
    old, new = fernet_key(), fernet_key()
    someone = direct(Person, program(TOKEN_ENCRYPTION_KEY=old), realm).connect()
    someone.set_row("expires_at = UTC_TIMESTAMP() + INTERVAL 60 SECOND")
    after = direct(Person, program(TOKEN_ENCRYPTION_KEY=f"{new},{old}"), realm)
    after.token = someone.token
    assert after.cal("GET").status == 200
    access, refresh, _ = stored(someone)
    assert Fernet(new).decrypt(access.encode()).decode() == sim.token_of(someone.user)
    assert Fernet(new).decrypt(refresh.encode())


@pytest.mark.parametrize("settings, good, bad", [
    ({"JWT_SECRET_KEY": "first-secret", "SECRET_KEY": "second-secret"}, "first-secret", "second-secret"),
    ({"JWT_SECRET_KEY": None, "SECRET_KEY": "second-secret"}, "second-secret", "first-secret"),
    ({"JWT_SECRET_KEY": "", "SECRET_KEY": "second-secret"}, "second-secret", ""),
])
def test_which_secret_checks_and_signs(program, realm, settings, good, bad):
    worker = program(**settings)
    worker.conf["JWT_SECRET_KEY"] = good
    someone = direct(Person, worker, realm).log_in()
    assert someone.api("GET", "auth/microsoft/user").status == 200
    someone.token = sign_jwt(bad, someone.claims())
    assert someone.api("GET", "auth/microsoft/user").status == 401
    signed = direct(Person, worker, realm).sign_in().body["access_token"]
    head, _, mac = signed.rpartition(".")
    claims = base64.urlsafe_b64decode(head.split(".")[1] + "==")
    assert b'"sub"' in claims
    assert base64.urlsafe_b64decode(mac + "=") == hmac.digest(good.encode(), head.encode(), "sha256")


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_the_one_algorithm(program, realm, algorithm):
    worker = program(JWT_ALGORITHM=algorithm)
    someone = direct(Person, worker, realm)
    for other in ("HS256", "HS384", "HS512"):
        someone.token = someone.jwt({"alg": other})
        assert someone.api("GET", "auth/microsoft/user").status == (200 if other == algorithm else 401)


@pytest.mark.parametrize("setting, claim", [("JWT_ISSUER", "iss"), ("JWT_AUDIENCE", "aud")])
def test_issuer_and_audience_must_match_when_set(program, realm, setting, claim):
    with_it, without = (program(**settings) for settings in ({setting: "https://site.example"}, {}))
    for value, wanted in (("https://site.example", 200), ("https://other.example", 401), (None, 401)):
        for worker, status in ((with_it, wanted), (without, 200)):
            someone = direct(Person, worker, realm).log_in(**{claim: value})
            assert someone.api("GET", "auth/microsoft/user").status == status, (value, worker is without)
    if claim == "aud":
        someone = direct(Person, with_it, realm).log_in(aud=["x", "https://site.example"])
        assert someone.api("GET", "auth/microsoft/user").status == 200
    signed = direct(Person, with_it, realm)
    signed.sign_in()
    assert signed.api("GET", "auth/microsoft/user").status == 200
