# SPDX-License-Identifier: MIT
"""Signing keys: what is published, what signs, and the ways in which they roll over."""

import base64
import datetime
import hashlib
from dataclasses import dataclass, field
from typing import Callable, Optional

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

CONSUMER_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def b64url_int(number: int) -> str:
    return b64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))


@dataclass
class Key:
    """One RSA key with its certificate. `tenant` is None for a key whose issuer is the template."""

    private: rsa.RSAPrivateKey
    der: bytes
    tenant: Optional[str] = None
    kid: str = field(init=False)

    def __post_init__(self):
        self.kid = b64url(hashlib.sha1(self.der).digest())

    def public_pem(self) -> bytes:
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def jwk(self, base: str) -> dict:
        numbers = self.private.public_key().public_numbers()
        return {"kty": "RSA", "use": "sig", "kid": self.kid, "x5t": self.kid, "n": b64url_int(numbers.n),
                "e": b64url_int(numbers.e), "x5c": [base64.b64encode(self.der).decode()],
                "issuer": f"{base}/{self.tenant or '{tenantid}'}/v2.0"}


def make_key(tenant: Optional[str] = None) -> Key:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "accounts.accesscontrol.windows.net")])
    now = datetime.datetime.utcnow()
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=1825)).sign(private, hashes.SHA256()))
    return Key(private, certificate.public_bytes(serialization.Encoding.DER), tenant)


class KeyRing:
    """`published` is what the keys document shows; `signing` signs for work accounts, `consumer` for personal ones."""

    def __init__(self):
        self._first = [make_key(), make_key()]
        self.consumer = make_key(CONSUMER_TENANT)
        self._attacker: Optional[Key] = None
        self.reset()

    def reset(self) -> None:
        # Two work keys from the start: a client that takes the first of the list fails at once.
        self.published = [self.consumer, self._first[1], self._first[0]]
        self.signing = self._first[0]

    def attacker(self) -> Key:
        """A key that is never published."""
        if self._attacker is None:
            self._attacker = make_key()
        return self._attacker

    def signer_for(self, tenant_id: str) -> Key:
        return self.consumer if tenant_id == CONSUMER_TENANT else self.signing

    def find(self, kid: str) -> Optional[Key]:
        return next((key for key in self.published if key.kid == kid), None)

    def _add(self) -> None:
        self.published.insert(0, make_key())

    def _switch(self) -> None:
        self.signing = make_key()
        self.published.append(self.signing)

    def _use_next(self) -> None:
        spare = [key for key in self.published if key.tenant is None and key is not self.signing]
        if not spare:
            self._add()
            spare = [self.published[0]]
        self.signing = spare[0]

    def _replace(self) -> None:
        self.signing = make_key()
        self.published = [self.signing, self.consumer]

    def _drop_old(self) -> None:
        self.published = [self.signing, self.consumer]

    ACTIONS: dict = {
        "add": (_add, "publish one more key; the old one goes on signing"),
        "next": (_use_next, "sign with another key that is already published"),
        "switch": (_switch, "make a key, publish it beside the others and sign with it"),
        "replace": (_replace, "emergency: a new key, all others of work accounts gone"),
        "drop_old": (_drop_old, "keep only the key that signs (and the consumer key)"),
        "reset": (reset, "the keys of the start"),
    }

    def roll(self, action: str) -> None:
        act: Callable = self.ACTIONS[action][0]
        act(self)
