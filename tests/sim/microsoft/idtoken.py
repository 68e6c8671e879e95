# SPDX-License-Identifier: MIT
"""ID tokens: the good one, and every kind of forgery that a client must refuse."""

import base64
import hashlib
import hmac
import json
import os
import time
import uuid
from dataclasses import dataclass, field
from typing import Callable, Optional

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from .directory import App, User
from .keys import CONSUMER_TENANT, Key, b64url

LIFE_S = 3600
EARLY_S = 300
OTHER_GUID = "11111111-2222-4333-8444-555555555555"


@dataclass
class Draft:
    """A token before it is signed; a forgery edits it."""

    header: dict
    claims: dict
    key: Key
    world: object
    base: str
    params: dict = field(default_factory=dict)
    sign: Callable = None
    text: Optional[Callable] = None
    edit: Optional[Callable] = None
    absent: bool = False


def claims_of(world, base: str, user: User, app: App, scopes: list, nonce: Optional[str]) -> dict:
    now = int(time.time()) + world.settings["token_skew_s"]
    subject = hashlib.sha256(f"{app.client_id} {user.tid} {user.oid}".encode()).digest()
    claims = {"aud": app.client_id, "iss": f"{base}/{user.tid}/v2.0", "iat": now - EARLY_S, "nbf": now - EARLY_S,
              "exp": now + LIFE_S, "aio": b64url(os.urandom(60))}
    if "email" in scopes and user.email:
        claims["email"] = user.email
    if "profile" in scopes:
        claims.update(name=user.name, oid=user.oid, preferred_username=user.upn)
    if nonce is not None:
        claims["nonce"] = nonce
    claims.update(rh=f"1.{b64url(os.urandom(24))}.", sid=str(uuid.uuid4()), sub=b64url(subject), tid=user.tid,
                  uti=b64url(os.urandom(16)), ver="2.0", **user.extra_claims)
    return claims


def sign_rs256(draft: Draft, signed: bytes) -> bytes:
    return draft.key.private.sign(signed, padding.PKCS1v15(), hashes.SHA256())


def _sign_ps256(draft: Draft, signed: bytes) -> bytes:
    return draft.key.private.sign(signed, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())


def _sign_rs512(draft: Draft, signed: bytes) -> bytes:
    return draft.key.private.sign(signed, padding.PKCS1v15(), hashes.SHA512())


def _sign_none(_draft: Draft, _signed: bytes) -> bytes:
    return b""


def _sign_hmac(secret_of: Callable) -> Callable:
    return lambda draft, signed: hmac.new(secret_of(draft), signed, hashlib.sha256).digest()


def _alg(name: str, sign: Callable) -> Callable:
    def forge(draft: Draft) -> None:
        draft.header["alg"] = name
        draft.sign = sign
    return forge


def _claim(**changes) -> Callable:
    """Sets claims; a callable value is given the draft."""
    def forge(draft: Draft) -> None:
        for name, value in changes.items():
            draft.claims[name] = value(draft) if callable(value) else value
    return forge


def _shift(**seconds) -> Callable:
    """Sets times relative to now."""
    return lambda draft: draft.claims.update({name: int(time.time()) + value for name, value in seconds.items()})


def _missing(name: str) -> Callable:
    return lambda draft: draft.claims.pop(name, None)


def _edited(edit: Callable) -> Callable:
    def forge(draft: Draft) -> None:
        draft.edit = edit
    return forge


def _absent(draft: Draft) -> None:
    draft.absent = True


def _attacker_key(draft: Draft) -> None:
    draft.key = draft.world.keys.attacker()


def _unknown_kid(draft: Draft) -> None:
    _attacker_key(draft)
    draft.header["kid"] = draft.key.kid if not draft.params.get("random") else b64url(os.urandom(20))


def _foreign_key(draft: Draft) -> None:
    """Signed by a published key that may only sign for another issuer."""
    draft.key = draft.world.keys.signing if draft.claims["tid"] == CONSUMER_TENANT else draft.world.keys.consumer
    draft.header["kid"] = draft.key.kid


def _embedded(name: str) -> Callable:
    """The attacker's key comes along in the header; the kid stays that of a good key."""
    values = {"jwk": lambda key, base: key.jwk(base), "jku": lambda key, base: f"{base}/evil/keys",
              "x5u": lambda key, base: f"{base}/evil/cert", "x5c": lambda key, _: [base64.b64encode(key.der).decode()]}

    def forge(draft: Draft) -> None:
        _attacker_key(draft)
        draft.header[name] = values[name](draft.key, draft.base)
    return forge


def _header(**changes) -> Callable:
    return lambda draft: draft.header.update(changes)


def _free(draft: Draft) -> None:
    """Whatever the test wants: params `set`, `drop`, `header`, and `header_drop`."""
    draft.claims.update(draft.params.get("set", {}))
    draft.header.update(draft.params.get("header", {}))
    for name in draft.params.get("drop", []):
        draft.claims.pop(name, None)
    for name in draft.params.get("header_drop", []):
        draft.header.pop(name, None)


def _tampered(token: str) -> str:
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["oid"] = OTHER_GUID
    return f"{header}.{b64url(json.dumps(claims).encode())}.{signature}"


def _bad_signature(token: str) -> str:
    head, _, signature = token.rpartition(".")
    return f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def _duplicate(draft: Draft) -> None:
    """Well signed, but one claim comes twice, with two values."""
    good = draft.claims["oid"]
    draft.text = lambda text: text[:-1] + f',"oid":"{OTHER_GUID}","oid":"{good}"}}'


# kind -> what it does to the draft
FORGERIES = {
    "alg_none": _alg("none", _sign_none),
    "alg_none_mixed_case": _alg("nOnE", _sign_none),
    "hs256_public_key": _alg("HS256", _sign_hmac(lambda draft: draft.key.public_pem())),
    "hs256_public_key_der": _alg("HS256", _sign_hmac(
        lambda draft: base64.b64decode(b"".join(draft.key.public_pem().splitlines()[1:-1])))),
    "hs256_modulus": _alg("HS256", _sign_hmac(lambda draft: draft.key.jwk("")["n"].encode())),
    "hs256_client_secret": _alg("HS256", _sign_hmac(
        lambda draft: draft.world.directory.apps[draft.claims["aud"]].secrets[0]["value"].encode())),
    "hs256_empty_key": _alg("HS256", _sign_hmac(lambda _draft: b"")),
    "alg_ps256": _alg("PS256", _sign_ps256),
    "alg_rs512": _alg("RS512", _sign_rs512),
    "wrong_iss": _claim(iss=lambda draft: f"{draft.base}/{OTHER_GUID}/v2.0"),
    "iss_other_host": _claim(iss=lambda draft: f"https://login.evil.example/{draft.claims['tid']}/v2.0"),
    "iss_template": _claim(iss=lambda draft: f"{draft.base}/{{tenantid}}/v2.0"),
    "iss_common": _claim(iss=lambda draft: f"{draft.base}/common/v2.0"),
    "iss_v1": _claim(iss=lambda draft: f"https://sts.windows.net/{draft.claims['tid']}/"),
    "wrong_aud": _claim(aud=OTHER_GUID),
    "aud_list": _claim(aud=lambda draft: [draft.claims["aud"], OTHER_GUID]),
    "wrong_nonce": _claim(nonce="not-the-nonce-that-was-sent"),
    "empty_nonce": _claim(nonce=""),
    "wrong_tid": _claim(tid=OTHER_GUID),
    "other_tenant": _claim(tid=OTHER_GUID, iss=lambda draft: f"{draft.base}/{OTHER_GUID}/v2.0"),
    "tid_not_guid": _claim(tid="common", iss=lambda draft: f"{draft.base}/common/v2.0"),
    "wrong_azp": _claim(azp=OTHER_GUID),
    "wrong_ver": _claim(ver="1.0"),
    "oid_not_string": _claim(oid=12345),
    "expired": _shift(iat=-7500, nbf=-7500, exp=-3600),
    "not_yet_valid": _shift(iat=3600, nbf=3600, exp=7200),
    "exp_string": _claim(exp="9999999999"),
    "unknown_kid": _unknown_kid,
    "attacker_key_known_kid": _attacker_key,
    "no_kid": lambda draft: draft.header.pop("kid"),
    "key_of_other_issuer": _foreign_key,
    "embedded_jwk": _embedded("jwk"),
    "embedded_jku": _embedded("jku"),
    "embedded_x5u": _embedded("x5u"),
    "embedded_x5c": _embedded("x5c"),
    "crit": _header(crit=["exp"]),
    "absent": _absent,
    "bad_signature": _edited(_bad_signature),
    "no_signature": _edited(lambda token: token.rpartition(".")[0] + "."),
    "truncated_signature": _edited(lambda token: token[:-8]),
    "extended_signature": _edited(lambda token: token + "AAAA"),
    "two_parts": _edited(lambda token: token.rpartition(".")[0]),
    "tampered": _edited(_tampered),
    "duplicate_claim": _duplicate,
    "malformed": _edited(lambda token: "this.is-not.a_token"),
    "not_base64": _edited(lambda token: token.replace(".", ".*", 1)),
    "empty": _edited(lambda token: ""),
    "null": _edited(lambda token: None),
    "number": _edited(lambda token: 12345),
    "custom": _free,
    **{f"missing_{name}": _missing(name) for name in ("aud", "iss", "exp", "iat", "nbf", "nonce", "sub", "oid", "tid", "ver")},
}
# Kinds that break no rule that every client must check; the others must all be refused.
HARMLESS = {"missing_iat", "missing_nbf", "missing_ver", "missing_sub", "custom", "wrong_ver", "aud_list"}


def make(world, base: str, user: User, app: App, scopes: list, nonce: Optional[str], forge: Optional[dict] = None):
    """The signed token; None when the forgery is its absence."""
    key = world.keys.signer_for(user.tid)
    draft = Draft({"typ": "JWT", "alg": "RS256", "kid": key.kid}, claims_of(world, base, user, app, scopes, nonce),
                  key, world, base, (forge or {}).get("params", {}), sign_rs256)
    if forge:
        FORGERIES[forge["kind"]](draft)
    if draft.absent:
        return None
    header, claims = (json.dumps(part, separators=(",", ":")) for part in (draft.header, draft.claims))
    claims = draft.text(claims) if draft.text else claims
    signed = f"{b64url(header.encode())}.{b64url(claims.encode())}"
    token = f"{signed}.{b64url(draft.sign(draft, signed.encode()))}"
    token = draft.edit(token) if draft.edit else token
    if isinstance(token, str) and len(token) > 100:
        world.ledger.note("id_token", token, user.key)
    return token
