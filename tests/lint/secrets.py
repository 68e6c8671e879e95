# SPDX-License-Identifier: MIT
"""No secret is left in the tree: no private or provider's key, no password in a URL, no random text that could be one."""

import base64
import binascii
import json
import math
import re
from collections import Counter

import tree

TEXTS = {".c", ".h", ".py", ".js", ".css", ".html", ".sh", ".sql", ".am", ".ac", ".conf", ".md", ".json", ".txt", ".sample",
         ".service", ".socket", ".yml", ".yaml", ".pem", ".key", ".env", ".in", ".svg", "packages", "run", ""}
# Made by tools, or fuzzers' seeds: no words of ours.
PASSED = ("configure", "Makefile.in", "aclocal.m4", "config.h.in", "COPYING")

FORMS = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s*\\?n?[\"']?\s*[A-Za-z0-9+/]{40}")),
    ("a JWT that is signed", re.compile(r"\beyJ[\w-]{15,}\.eyJ[\w-]{10,}\.[\w-]{40,}")),
    ("a key of Amazon's", re.compile(r"\bAKIA[0-9A-Z]{16}\b")),
    ("a token of GitHub's", re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_\w{60,}")),
    ("a token of Slack's", re.compile(r"\bxox[abprs]-[\w-]{20,}")),
    ("a client secret of Microsoft's", re.compile(r"\b[\w~.-]{3}8Q~[\w~.-]{34}\b")),
    ("a password in a URL", re.compile(r"\b[a-z][a-z0-9+]*://[^\s/:@\"'<>{}$]+:(?!(?:PASSWORD|PASS|p|pw|x|secret|password)@)"
                                       r"[^\s/@\"'<>{}$%]{6,}@(?!\w*(?:example|localhost|127\.))")),
)
FERNET = re.compile(r"(?<![\w+/-])[\w-]{43}=(?![\w=])")
RANDOM = re.compile(r"[\"'= ]([A-Za-z0-9_~.+/-]{32,})={0,2}(?=[\"'\s]|$)")
# Bits a letter: English and identifiers stay below 4, base64 of random bytes lies above 4.5.
BITS = 4.5

# Of these files the keys, tokens and URLs are no secrets: they are published, or made for the test that shows them. A private
# key or a provider's own token is one there too.
VECTORS = "test vectors of RFCs 7515 to 7520 and 7636, as published"
COUNTED = "a key of the bytes 0, 1, 2, ...: nobody's"
ALLOWED = {
    "tests/e2e/hostile_return_to.txt": "addresses with a user part, made to be refused",
    "tests/e2e/test_config.py": COUNTED + "; bad database URLs",
    "tests/fuzz/fuzz_cursor.c": "the key of the Fernet specification's vectors",
    "tests/fuzz/fuzz_fernet.c": "the key of the Fernet specification's vectors",
    "tests/unit/app_dburl.c": "database URLs to be read or refused",
    "tests/unit/app_load.c": "a bad database URL that no message may repeat",
    "tests/unit/app_options.c": COUNTED,
    "tests/unit/app_setup.c": COUNTED,
    "tests/unit/ext_crypto.c": VECTORS,
    "tests/unit/flow_keyset.c": "an ID token signed by a key that was made for it and thrown away",
    "tests/unit/id_token.h": "ID tokens and public keys of key pairs that were made for them and thrown away",
    "tests/unit/proto_audit.c": "MACs under a key of the bytes 1, 2, 3 and zeros",
    "tests/unit/proto_fernet.c": "the Fernet specification's vectors",
    "tests/unit/proto_jwt.c": VECTORS,
    "tests/unit/proto_oauth.c": VECTORS,
    "tests/unit/proto_seal.c": "the key of the Fernet specification's vectors, and a seal under it",
}
PASSABLE = ("a JWT", "a password", "a Fernet key", "text as random")


def entropy(text):
    """Bits a letter."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


def is_random(text):
    """Whether it looks like the output of a generator: high entropy, and letters of every kind in it."""
    kinds = (re.search("[a-z]", text), re.search("[A-Z]", text), re.search("[0-9]", text))
    return all(kinds) and entropy(text) >= BITS and not _is_alphabet(text) and not _is_text(text)


def _is_alphabet(text):
    """The letters of a table, in their order."""
    steps = sum(ord(after) - ord(before) == 1 for before, after in zip(text, text[1:]))
    return steps > len(text) / 2


def _is_text(text):
    """base64 of something that is written for people."""
    for part in text.split("."):
        try:
            plain = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        except (binascii.Error, ValueError):
            return False
        if not plain or not all(32 <= byte < 127 for byte in plain):
            return False
    return True


def findings(text):
    """(position, what it is, the text) of all that looks like a secret."""
    for what, form in FORMS:
        for hit in form.finditer(text):
            yield hit.start(), what, hit[0]
    for hit in FERNET.finditer(text):
        if entropy(hit[0]) >= 4 and not _is_alphabet(hit[0]):
            yield hit.start(), "a Fernet key", hit[0]
    for hit in RANDOM.finditer(text):
        if is_random(hit[1]):
            yield hit.start(1), "text as random as a key", hit[1]


def check(report):
    """Every text of the tree but what tools made. A file of ALLOWED that holds nothing any more is an offence too."""
    for path in tree.files(report.root, TEXTS):
        name = path.relative_to(report.root).as_posix()
        if name in PASSED or "/seeds/" in name or path.stat().st_size > 1 << 20:
            continue
        text = report.look_at(path)
        hits = list(findings(text))
        for position, what, found in hits:
            if name not in ALLOWED or not what.startswith(PASSABLE):
                report.add(path, tree.line_of(text, position), f"holds {what}: {found[:12]}…")
        if name in ALLOWED and not hits:
            report.add(path, 1, "holds nothing of the kind any more: take it off the list of tests/lint/secrets.py")


def _sample(*parts):
    """A secret in parts, so that this file holds none."""
    return "".join(parts)


_KEY = _sample("Zk9vQ2x5T3", "B3bU1hWjRq", "TnY4c0tnUj", "dtRGhKMmVXaTE", "=")
_JWT = ".".join((base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()).decode().rstrip("="),
                 base64.urlsafe_b64encode(json.dumps({"sub": "1", "exp": 2}).encode()).decode().rstrip("="),
                 _sample("q7Xo2bVn8K", "pLr4Tz6WcY1", "sDfGhJ3mQe9", "uRiA5tBvN0x")))
SAMPLES = [
    ("a.py", "x = 'nothing to see'\nURL = 'mariadb://u:PASSWORD@HOST/db'\n", None),
    ("a.py", "ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'\n", None),
    ("a.pem", "-----BEGIN " + "PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\n", "a private key"),
    ("a.py", f"TOKEN = '{_JWT}'\n", "a JWT"),
    ("a.conf", f"TOKEN_ENCRYPTION_KEY={_KEY}\n", "a Fernet key"),
    ("tests/unit/proto_jwt.c", f"TOKEN = '{_JWT}'\n", None),
    ("tests/unit/proto_jwt.c", "nothing\n", "any more"),
    ("a.sh", "export K=" + _sample("AKIA", "IOSFODNN7", "ABCDEFG") + "\n", "Amazon's"),
    ("a.py", "T = '" + _sample("ghp_", "a1B2c3D4e5F6", "g7H8i9J0k1L2", "m3N4o5P6q7R8") + "'\n", "GitHub's"),
    ("a.py", "T = '" + _sample("xox", "b-1234567890-", "abcdefghijkl") + "'\n", "Slack's"),
    ("a.conf", "MSCLIENTSECRET=" + _sample("abc", "8Q~", "Zx1Cv2Bn3Mq4We5Rt", "6Yu7Io8Pa9Sd0FgHj") + "\n",
     "client secret of Microsoft's"),
    ("a.md", "mysql://" + _sample("root:", "hunter2hunter2", "@db.internal/x") + "\n", "a password in a URL"),
    ("a.js", "const key = '" + _sample("q7Xo2bVn8KpL", "r4Tz6WcY1sDfG", "hJ3mQe9uRiA5tB") + "';\n", "as random as a key"),
]

if __name__ == "__main__":
    tree.main("secrets", check, SAMPLES)
