# SPDX-License-Identifier: MIT
"""Rows of tokens by the ten thousand, made and checked by Python's own means: Fernet, and the seal as it is documented."""

import base64
import hashlib
import hmac
import struct
import uuid

from cryptography.fernet import Fernet

TOKENS = ("access_token", "refresh_token", "id_token")
TABLES = {"main": ("microsoft_oauth_tokens", "user_id"), "beta": ("beta_microsoft_oauth_tokens", "teacher_id")}


def derived(key, purpose):
    """A key derived from a Fernet key."""
    return hmac.digest(base64.urlsafe_b64decode(key), f"graphgate {purpose} v1".encode(), "sha256")


def fingerprint(key):
    """What a key is called."""
    return hashlib.sha256(derived(key, "fingerprint")).hexdigest()[:8]


def seal(key, realm, subject, tokens):
    """A row's seal; tokens are its three ciphertexts, None for NULL, or the first alone, for that one's. key is the derived one."""
    fields = [realm, subject]
    for name, token in zip(TOKENS, tokens):
        fields += [name, token]
    text = b"".join(struct.pack(">I", 0xffffffff) if field is None else struct.pack(">I", len(field)) + field.encode() for field in fields)
    return base64.urlsafe_b64encode(hmac.digest(key, text, "sha256")).rstrip(b"=").decode()


class Mint:
    """Fernet tokens of one key, a hundred thousand in a second: the same text and IV each, but for the time in front."""

    def __init__(self, key, text=b"a token"):
        self.sign = base64.urlsafe_b64decode(key)[:16]
        self.body = base64.urlsafe_b64decode(Fernet(key).encrypt(text))[9:-32]
        self.at = 1_700_000_000

    def __call__(self):
        self.at += 1
        token = b"\x80" + struct.pack(">Q", self.at) + self.body
        return base64.urlsafe_b64encode(token + hmac.digest(self.sign, token, "sha256")).decode()


def is_of(token, key):
    """Whether that key made the token: its MAC alone, so that many can be looked at."""
    raw = base64.urlsafe_b64decode(token)
    return hmac.compare_digest(hmac.digest(base64.urlsafe_b64decode(key)[:16], raw[:-32], "sha256"), raw[-32:])


def subjects(realm, count, first=10_000_000):
    """Subjects that no person of the tests has."""
    return [str(first + number) if realm == "main" else str(uuid.UUID(int=first + number, version=4)) for number in range(count)]


def insert(sql, realm, key, count, sealed=True, first=10_000_000):
    """Puts rows in, as graphgate left them, or as imported (sealed=False); sql runs a statement."""
    table, column = TABLES[realm]
    mint, sealing, name = Mint(key), derived(key, "seal"), fingerprint(key)
    values = []
    for subject in subjects(realm, count, first):
        tokens = [mint(), mint(), mint()]
        seals = [seal(sealing, realm, subject, tokens), seal(sealing, realm, subject, tokens[:1])]
        mark = f"'{name}', '{seals[0]}', '{seals[1]}'" if sealed else "NULL, NULL, NULL"
        values.append(f"('{subject}', '{tokens[0]}', '{tokens[1]}', '{tokens[2]}', '2030-01-01', '2024-01-01', {mark})")
    for at in range(0, count, 5000):
        sql(f"INSERT INTO {table} ({column}, {', '.join(TOKENS)}, expires_at, updated_at, key_fingerprint, seal, access_seal) VALUES "
            + ", ".join(values[at:at + 5000]))


def check(rows, realm, key):
    """Every row (subject, tokens, seals, fingerprint) is under this key alone, and sealed with it."""
    sealing, name = derived(key, "seal"), fingerprint(key)
    for subject, *cells, row_seal, access_seal, noted in rows:
        tokens = [None if cell == "NULL" else cell for cell in cells]
        assert all(is_of(token, key) for token in tokens if token), subject
        assert noted == name, subject
        assert [row_seal, access_seal] == [seal(sealing, realm, subject, tokens), seal(sealing, realm, subject, tokens[:1])], subject
