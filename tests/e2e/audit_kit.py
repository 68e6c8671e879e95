# SPDX-License-Identifier: MIT
"""The audit in the hands of its tests: rows of any age, and MACs as docs/audit.md says that they are made."""

import base64
import hashlib
import hmac
import re
import subprocess
import time
import uuid

from conftest import BUILD

from stack.stack import ROOT, fernet_key

COLUMNS = ("id", "at", "event", "realm", "subject", "actor", "address", "request_id", "result", "detail", "key_fingerprint", "mac")


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """A Fernet key as the audit uses it: written from docs/audit.md, in another language."""

    def __init__(self, text):
        raw = base64.urlsafe_b64decode(text)
        derived = {purpose: hmac.digest(raw, f"graphgate {purpose} v1".encode(), "sha256") for purpose in ("audit", "fingerprint")}
        self.secret = derived["audit"]
        self.name = hashlib.sha256(derived["fingerprint"]).hexdigest()[:8]

    def mac(self, what, *fields):
        text = "".join("-," if field is None else f"{len(field)}:{field}," for field in fields)
        return b64(hmac.digest(self.secret, f"graphgate audit {what} v1{text}".encode(), "sha256"))


class Audit:
    """A database of its own, graphgatectl on it as its administrator (worker=True: as the worker), and rows of any time."""

    def __init__(self, stack, mariadb, made):
        self.mariadb, self.made = mariadb, made
        self.key = fernet_key()
        self.conf = {**stack.conf, "GRAPHGATE_CONFIG": "/nonexistent/x.conf", "TOKEN_ENCRYPTION_KEY": self.key}
        assert self.ctl("migrate").returncode == 0
        mariadb.grant(made.name, ROOT / "sql" / "grants.sql")

    def start(self, *words, worker=False, **env):
        url = self.mariadb.url(self.made.worker if worker else self.made.admin)
        return subprocess.Popen([str(BUILD / "graphgatectl"), *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={**self.conf, "DATABASE_URL": url, **env})

    def ctl(self, *words, **rest):
        process = self.start(*words, **rest)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def sql(self, text):
        return self.mariadb.rows(text, self.made.name)

    def add(self, count, days_ago=0.0, **changes):
        """Rows of that age, a millisecond apart; their ids."""
        begin = int((time.time() - days_ago * 86400) * 1e6)
        ids, rows, key = [], [], Key(self.key)
        for number in range(count):
            us = begin + number * 1000
            head = f"{us // 1000:012x}"
            ids.append(f"{head[:8]}-{head[8:]}-7{us % 1000 << 2:03x}-8{uuid.uuid4().hex[:3]}-{uuid.uuid4().hex[:12]}")
            at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(us // 1000000)) + f".{us % 1000000:06d}"
            row = {"id": ids[-1], "at": at, "event": "token.use", "realm": "main", "subject": str(number), "actor": f"main:{number}",
                   "address": "192.0.2.1", "request_id": f"r{number}", "result": "ok", "detail": None, "key_fingerprint": key.name, **changes}
            row["mac"] = key.mac("row", *row.values())
            rows.append("(" + ", ".join("NULL" if row[name] is None else f"'{row[name]}'" for name in COLUMNS) + ")")
        self.sql(f"INSERT INTO audit_log ({', '.join(COLUMNS)}) VALUES {', '.join(rows)}")
        return ids

    def seal(self, age=0):
        done = self.ctl("audit", "seal", "--age", age, worker=True)
        assert done.returncode == 0, done.stderr
        return re.search("head ([0-9]+:[A-Za-z0-9_-]{43})$", done.stdout)[1]

    def verify(self, *words, **rest):
        done = self.ctl("audit", "verify", *words, worker=True, **rest)
        assert done.stderr == "" and done.returncode == (0 if "\nok: " in "\n" + done.stdout else 1), done
        return done.stdout

    def faults(self, *words, **rest):
        """What verify names, without its sum."""
        text = self.verify(*words, **rest)
        return text.partition("FAULTY: ")[0].splitlines() if "FAULTY: " in text else []
