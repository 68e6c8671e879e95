# SPDX-License-Identifier: MIT
"""Attacks on the callers' JWTs by RFC 8725: what is not the one right form of a token that the site signed is refused."""

import base64
import hmac
import json
import socket
import threading
import time
from contextlib import contextmanager

import pytest
from conftest import Person, b64
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from fcgi_client import direct

from stack.smoke import REALMS
from wire import bearer, check_problem, come_back, refresh, send

WHO = "auth/microsoft/user"
ONE_REALM = pytest.mark.parametrize("realm", REALMS[:1], ids=["main"])
ALGORITHMS = pytest.mark.promise("attack/jwt", "Only the configured HMAC algorithm, in its one spelling, verifies a token")
HEADER_KEYS = pytest.mark.promise("attack/jwt", "A key or an address in a token's header (jwk, jku, x5u, x5c, kid) is neither used nor fetched")
FORMS = pytest.mark.promise("attack/jwt", "A token has one spelling: bent base64url, other parts, more or fewer bytes are refused")
JSONS = pytest.mark.promise("attack/jwt", "Duplicate members, huge numbers, deep nesting and NUL bytes in a token are refused")


def mac_jwt(key, header, claims, digest="sha256"):
    """Text as it is, the MAC right for it."""
    head = ".".join(b64(part.encode() if isinstance(part, str) else part) for part in (header, claims))
    return f"{head}.{b64(hmac.digest(key, head.encode(), digest))}"


def key_of(person):
    return person.stack.conf["JWT_SECRET_KEY"].encode()


def ask(person, token):
    return send(person.stack, "GET", person.path(WHO), bearer(token))


def refused(person, token):
    """By an endpoint that needs a caller, by one that may have one, and as a refresh token."""
    for path in (WHO, "auth/microsoft/"):
        check_problem(send(person.stack, "GET", person.path(path), bearer(token)), 401, "invalid_token")
    check_problem(send(person.stack, "POST", person.path("auth/refresh"), {"Content-Type": "application/json"},
                       json.dumps({"refresh_token": token})), 401, "invalid_token")


# Algorithms

SPELLINGS = ["none", "None", "NONE", "nOnE", " none", "none ", "", "null", "hs256", "Hs256", "HS256 ", " HS256", "HS256\\u0000", "HS-256",
             "HMACSHA256", "SHA256", "HS1", "HS2", "HS25", "HS2566", "HS384", "HS512", "RS256", "PS256", "ES256", "ES256K", "EdDSA",
             "Ed25519", "dir", "A128KW", "A256GCM", "RSA-OAEP", "PBES2-HS256+A128KW", "\\u0048S256\\u200b", "\uff28\uff33256"]


# mutant: src/proto/jwt.c: if (!gg_str_is(jwt->alg, alg_name(key.hash))) => if (jwt->alg.n == 0)
@ALGORITHMS
@pytest.mark.parametrize("name", SPELLINGS)
def test_algorithm_names(person, name):
    """With the right MAC, with none at all, and with a MAC of nothing."""
    someone = person()
    claims = json.dumps(someone.claims())
    good = mac_jwt(key_of(someone), f'{{"alg":"{name}","typ":"JWT"}}', claims)
    for token in (good, good.rpartition(".")[0] + ".", mac_jwt(b"", f'{{"alg":"{name}"}}', claims)):
        refused(someone, token)


@ALGORITHMS
@ONE_REALM
@pytest.mark.parametrize("configured", ["HS256", "HS384", "HS512"])
def test_each_of_the_three_against_the_others(program, realm, configured):
    worker = program(JWT_ALGORITHM=configured)
    someone = direct(Person, worker, realm)
    for named in ("HS256", "HS384", "HS512"):
        for used in ("sha256", "sha384", "sha512"):
            is_good = named == configured and used == "sha" + named[2:]
            someone.token = mac_jwt(key_of(someone), json.dumps({"alg": named}), json.dumps(someone.claims()), used)
            assert someone.api("GET", WHO).status == (200 if is_good else 401), (named, used)


def signed_by_another_kind():
    """A key pair of each kind, and how it signs."""
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    ec_key, ed_key = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return {"RS256": (rsa_key, lambda data: rsa_key.sign(data, padding.PKCS1v15(), hashes.SHA256())),
            "PS256": (rsa_key, lambda data: rsa_key.sign(data, pss, hashes.SHA256())),
            "ES256": (ec_key, lambda data: ec_key.sign(data, ec.ECDSA(hashes.SHA256()))),
            "EdDSA": (ed_key, ed_key.sign)}


KINDS = signed_by_another_kind()


def asymmetric(name, claims, **header):
    head = f"{b64(json.dumps({'alg': name, **header}).encode())}.{b64(json.dumps(claims).encode())}"
    return f"{head}.{b64(KINDS[name][1](head.encode()))}"


@ALGORITHMS
@pytest.mark.parametrize("name", KINDS)
def test_other_kinds_of_keys(person, name):
    """Signed by a key pair, and by HMAC with its public half, as PEM and as DER."""
    someone = person()
    refused(someone, asymmetric(name, someone.claims()))
    public = KINDS[name][0].public_key()
    for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER):
        secret = public.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
        refused(someone, mac_jwt(secret, '{"alg":"HS256"}', json.dumps(someone.claims())))


@pytest.mark.promise("attack/jwt", "An empty or guessable key verifies nothing, and an empty JWT_SECRET_KEY is no configuration")
def test_empty_keys(person):
    someone = person()
    for key in (b"", b"\0", b"\0" * 32, b"secret", b"your-256-bit-secret", b"HS256", b"null", b"undefined"):
        refused(someone, mac_jwt(key, '{"alg":"HS256"}', json.dumps(someone.claims())))


@pytest.mark.promise("attack/jwt", "An empty or guessable key verifies nothing, and an empty JWT_SECRET_KEY is no configuration")
@ONE_REALM
@pytest.mark.parametrize("settings", [{"JWT_SECRET_KEY": ""}, {"JWT_SECRET_KEY": "", "SECRET_KEY": ""}, {"JWT_SECRET_KEY": None}], ids=str)
def test_an_empty_key_is_no_configuration(program, realm, settings):
    worker = program(**settings)
    someone = direct(Person, worker, realm)
    for key in (b"", b"JWT_SECRET_KEY"):
        someone.token = mac_jwt(key, '{"alg":"HS256"}', json.dumps(someone.claims()))
        answer = someone.api("GET", WHO)
        assert (answer.status, answer.body["code"]) == (503, "not_configured")


# Keys that come along

@contextmanager
def listener():
    """An address of this machine, and the connections that it got."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        got = []
        server.settimeout(0.1)
        stop = threading.Event()

        def accept():
            while not stop.is_set():
                try:
                    server.accept()[0].close()
                    got.append(1)
                except TimeoutError:
                    pass

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/keys", got
        finally:
            stop.set()
            thread.join()


@HEADER_KEYS
def test_keys_in_the_header(person):
    someone = person()
    with listener() as (url, got):
        oct_jwk = {"kty": "oct", "k": b64(b"mine"), "alg": "HS256"}
        numbers = KINDS["RS256"][0].public_key().public_numbers()
        rsa_jwk = {"kty": "RSA", "e": "AQAB", "n": b64(numbers.n.to_bytes(256, "big"))}
        for header in ({"jwk": oct_jwk}, {"jku": url}, {"x5u": url}, {"kid": url}, {"x5c": [b64(b"mine")]}, {"jwk": rsa_jwk},
                       {"jku": url, "kid": "mine"}, {"x5t": b64(b"mine")}, {"k": b64(b"mine")}, {"iss": url, "kid": "1"}):
            refused(someone, mac_jwt(b"mine", json.dumps({"alg": "HS256", **header}), json.dumps(someone.claims())))
            refused(someone, asymmetric("RS256", someone.claims(iss=url), **header))
            assert ask(someone, someone.jwt(header)).status == 200  # they do not stand in the way of the right key either
        time.sleep(0.3)
        assert not got


KIDS = ["../../../../dev/null", "/dev/null", "/etc/hostname", "file:///dev/null", "' UNION SELECT 'mine' -- ", "1; DROP TABLE users",
        "|/bin/true", "$(true)", "`true`", "%00", "\\u0000", "a\\nb", "x" * 4000, ""]


@HEADER_KEYS
@pytest.mark.parametrize("kid", KIDS, ids=lambda kid: kid[:20])
def test_kids(person, kid):
    """What a file, a database or a shell would make of them is no key."""
    someone = person()
    for key in (b"", b"mine", b"\n", socket.gethostname().encode()):
        refused(someone, mac_jwt(key, f'{{"alg":"HS256","kid":"{kid}"}}', json.dumps(someone.claims())))


# Forms

def bent(token):
    """The same bytes, or nearly, spelled in another way."""
    head, claims, mac = token.split(".")
    parts = (head, claims, mac)

    def each(change):
        return [".".join(change(part) if at == number else part for number, part in enumerate(parts)) for at in range(3)]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    def spare_bits(part):
        return part[:-1] + alphabet[alphabet.index(part[-1]) ^ 1] if len(part) % 4 else part + "A"
    return {
        "padding": [*each(lambda part: part + "="), *each(lambda part: part + "=="), *each(lambda part: part + "%3D")],
        "spare bits": each(spare_bits),
        "inner spaces": each(lambda part: part[:5] + " " + part[5:]),
        "inner tabs": each(lambda part: part[:5] + "\t" + part[5:]),
        "other alphabet": [".".join(part[:3] + letter + part[4:] for part in parts) for letter in "+/*~,"],
        "whole alphabet": [token.replace("-", "+").replace("_", "/") if set("-_") & set(token) else token + "+"],
        "cut": [token[:-count] for count in (1, 2, 4, 10, 20, 42)],
        "longer": [token + "A" * count for count in (1, 2, 4, 40)],
        "MAC twice": [token + mac],
        "dots": [f".{token}", f"{token}.", f"{head}..{claims}.{mac}", f"{head}.{claims}", head, "..", "...", f"{head}.{claims}..{mac}"],
        "five parts": [f"{head}.{claims}.{mac}.{mac}.{mac}", f"{head}.{mac}.{mac}.{claims}.{mac}"],
        "parts swapped": [f"{claims}.{head}.{mac}", f"{mac}.{claims}.{head}"],
        "JSON form": [json.dumps({"protected": head, "payload": claims, "signature": mac})],
        "not decoded": [".".join((base64.urlsafe_b64decode(head + "==").decode(), claims, mac))],
    }


@FORMS
@pytest.mark.parametrize("name", bent("e30.e30.AA8"))
def test_bent_tokens(person, name):
    someone = person()
    token = someone.jwt()
    assert ask(someone, token).status == 200
    for one in bent(token)[name]:
        if one.strip() != token:
            refused(someone, one)


@FORMS
@pytest.mark.parametrize("header", ['{"alg":"dir","enc":"A256GCM"}', '{"alg":"A256KW","enc":"A128CBC-HS256","zip":"DEF"}'])
def test_encrypted_tokens(person, header):
    someone = person()
    for middle in ("", b64(b"x" * 40)):
        refused(someone, ".".join((b64(header.encode()), middle, b64(b"x" * 12), b64(json.dumps(someone.claims()).encode()), b64(b"x" * 16))))


@pytest.mark.promise("attack/jwt", "A token inside a token, or one with crit, is no token")
def test_nested_tokens(person):
    someone = person()
    inner, key = someone.jwt(), key_of(someone)
    for claims in (inner, json.dumps(inner), json.dumps([someone.claims()]), json.dumps({"jwt": inner}), json.dumps({"vc": someone.claims()})):
        for header in ('{"alg":"HS256","cty":"JWT"}', '{"alg":"HS256","typ":"JWT","cty":"jwt"}'):
            refused(someone, mac_jwt(key, header, claims))
    for crit in ('["exp"]', '["b64"]', '["http://example.com/UNDEFINED"]', "[]", "null", '"exp"', "{}", "0"):
        refused(someone, mac_jwt(key, f'{{"alg":"HS256","b64":true,"crit":{crit}}}', json.dumps(someone.claims())))


# JSON

# Added to good claims, or in place of them.
EXTRA = ['"sub":"SUB","sub":"SUB"', '"sub":"SUB","s\\u0075b":"SUB"', '"\\u0073ub":"7","sub":"SUB"', '"sub":"SUB","exp":9999999999,"exp":1',
         '"sub":"SUB","\\u0065xp":9999999999', '"sub":"SUB","type":"user","type":"teacher"', '"sub":"SUB","x":1,"x":1',
         '"sub":"SUB","x":{"y":1,"\\u0079":1}', '"sub":"SUB","x":[{"y":1,"y":2}]', '"sub":"SUB\\u0000"', '"sub":"\\u0000SUB"',
         '"sub\\u0000":"SUB"', '"sub":"SUB","x\\u0000":1,"x":[' + "[" * 1500 + "]" * 1500 + "]", '"sub":"SUB","x":' + '{"a":' * 600 + "1" + "}" * 600,
         '"sub":"SUB","x":"\ud800"', '"sub":"SUB","x":NaN', '"sub":"SUB","x":Infinity', '"sub":"SUB","x":01', '"sub":"SUB","x":1,',
         '"sub":"SUB" "x":1', '"sub":"SUB","x":\'a\'', '"sub":"SUB",/**/"x":1', '"sub":["SUB"]', '"sub":{"$eq":"SUB"}', '"sub":SUB0',
         '"sub":true', '"sub":null', '"SUB":"sub"', '"Sub":"SUB"', '"sub ":"SUB"', '"sub":"SUB "', '"sub":"SUB\\n"', '"sub":"SUB,1"']
TIMES = ["1e400", "-1e400", "1e308", "9223372036854775807", "9223372036854775808", "18446744073709551616", "-9223372036854775809", "-1", "0", "-0",
         "0.0", "1e-400", "9" * 400, "NaN", "Infinity", "-Infinity", "0x7fffffff", "0777", "1_000", "+9999999999", "99999999999999999999", ".5", "5.",
         '"9999999999"', '""', "true", "null", "[]", "[9999999999]", "{}", '{"$gt":0}', "1e", "2e+"]


def without(person, *names):
    """The members of good claims but these, as text."""
    return json.dumps(person.claims(**dict.fromkeys(names)))[1:-1]


@JSONS
@pytest.mark.parametrize("extra", EXTRA, ids=lambda text: text[:40])
def test_claims(person, extra):
    someone = person()
    text = extra.replace("SUB", someone.subject)
    claims = f"{{{without(someone, 'sub')},{text}}}".encode("utf-8", "surrogatepass")
    refused(someone, mac_jwt(key_of(someone), '{"alg":"HS256"}', claims))


@JSONS
@pytest.mark.parametrize("header", ['{"alg":"HS256","alg":"HS256"}', '{"alg":"none","alg":"HS256"}', '{"alg":"HS256","\\u0061lg":"none"}',
                                    '{"alg":"HS256","x":{"y":1,"y":1}}', '{"alg\\u0000":"none","alg":"HS256"}', '{"alg":"HS256\\u0000"}',
                                    '["HS256"]', '{"alg":["HS256"]}', '{"ALG":"HS256"}', "{}", "null", "", '{"alg":"HS256"', "\ufeff{\"alg\":\"HS256\"}",
                                    '{"alg":"HS256","x":' + "[" * 1500 + "]" * 1500 + "}"], ids=lambda text: text[:40])
def test_headers(person, header):
    someone = person()
    refused(someone, mac_jwt(key_of(someone), header, json.dumps(someone.claims())))


# mutant: src/proto/jwt.c: && *out >= -DATE_MAX && *out <= DATE_MAX; => ;
@JSONS
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_times(person, name):
    """What is no date, or one that no clock will show, is none; for nbf and iat a date long past is one."""
    someone = person()
    for text in TIMES:
        is_past = name != "exp" and text in ("-1", "0", "-0", "0.0", "1e-400")
        token = mac_jwt(key_of(someone), '{"alg":"HS256"}', f'{{{without(someone, name)},"{name}":{text}}}')
        if is_past:
            assert ask(someone, token).status == 200, text
        else:
            refused(someone, token)


# What is signed for another use

@pytest.mark.promise("attack/jwt", "A refresh token is no access token, nor the other way round, whoever signed it")
def test_uses(person):
    someone = person()
    body = come_back(someone).body
    check_problem(ask(someone, body["refresh_token"]), 401, "invalid_token")
    check_problem(refresh(someone, body["access_token"]), 401, "invalid_token")
    for text in ('"use":"refresh"', '"\\u0075se":"refresh"', '"use":"re\\u0066resh","jti":"x","family":"x"'):
        token = mac_jwt(key_of(someone), '{"alg":"HS256"}', f"{json.dumps(someone.claims())[:-1]},{text}}}")
        refused(someone, token)
    assert ask(someone, body["access_token"]).status == 200 and refresh(someone, body["refresh_token"]).status == 200
