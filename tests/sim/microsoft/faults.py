# SPDX-License-Identifier: MIT
"""Injected faults: which request gets one, and what it does to the reply. How it looks on the wire is play.py's."""

import base64
import functools
import gzip
import itertools
import json
import random
import re
import time
import zlib
from dataclasses import dataclass, field
from typing import Callable, Optional

from .aadsts import StsError
from .graph_error import CODES, GraphError, error_reply
from .wire import Call, Reply, http_date, json_reply

TARGETS = ("authorize", "signin", "token", "discovery", "keys", "logout", "graph", "any")
MATCH_FIELDS = ("target", "method", "path", "query", "user", "grant", "count", "skip", "percent")


@dataclass
class Script:
    """A reply and how it is to be sent: `parts` are (milliseconds to wait, what to do) for play.py."""

    reply: Reply
    wire: str = "plain"
    options: dict = field(default_factory=dict)


def _status(rule: dict, call: Call, reply: Reply) -> Script:
    """Any status; with a `code` it is a Graph error, with an `aadsts` one of the identity platform."""
    headers = _retry_after(rule)
    if "aadsts" in rule:
        problem = StsError(rule["aadsts"], rule.get("description"), error=rule.get("error"), status=rule.get("status"),
                           suberror=rule.get("suberror"), claims=rule.get("claims"))
        call.notes["aadsts"] = problem.number
        return Script(json_reply(problem.body(call.base), problem.status, headers))
    if "code" in rule:
        error = GraphError(rule["code"], rule.get("message"), rule.get("status"), headers)
        return Script(error_reply(error, call.notes.get("request_id", ""), call.headers.get("client-request-id", "")))
    body = rule.get("body", "")
    content = body if isinstance(body, str) else json.dumps(body)
    kind = rule.get("content_type", "text/html" if isinstance(body, str) else "application/json")
    return Script(Reply(rule.get("status", 500), content.encode(), [("Content-Type", kind), *headers]))


def _retry_after(rule: dict) -> list:
    """Seconds, or with retry_after_date the HTTP date that many seconds from now."""
    headers = [(name, value) for name, value in rule.get("headers", {}).items()]
    if rule.get("retry_after") is not None:
        headers.append(("Retry-After", str(rule["retry_after"])))
    if rule.get("retry_after_date") is not None:
        headers.append(("Retry-After", http_date(time.time() + rule["retry_after_date"])))
    return headers


def _none(_rule: dict, _call: Call, reply: Reply) -> Script:
    return Script(reply)


def _wire(kind: str) -> Callable:
    return lambda rule, call, reply: Script(reply, kind, rule)


# Bodies that are not what a client hopes for; `name` of kind malformed, or any text in `body`.
MALFORMED = {
    "cut": lambda body: body[:max(1, len(body) // 2)],
    "empty": lambda body: b"",
    "html": lambda body: b"<!DOCTYPE html><html><body>Service unavailable</body></html>",
    "bytes": lambda body: b'{"value":["\xff\xfe\xc3\x28"]}',
    "nul": lambda body: body.replace(b"{", b"{\0", 1),
    "array": lambda body: b"[" + body + b"]",
    "null": lambda body: b"null",
    "string": lambda body: b'"ok"',
    "number": lambda body: b"42",
    "trailing": lambda body: body + b"}",
    "duplicate": lambda body: body.replace(b"{", b'{"value":[],"access_token":"x",', 1),
    "wrong_types": lambda body: b'{"value":{"id":7},"access_token":7,"expires_in":{},"id":[],"keys":"none"}',
    "huge_number": lambda body: b'{"value":[],"expires_in":1e999,"access_token":"x"}',
    "bom": lambda body: b"\xef\xbb\xbf" + body,
}


def _malformed(rule: dict, _call: Call, reply: Reply) -> Script:
    if "body" in rule:
        reply.body = rule["body"].encode()
    else:
        reply.body = MALFORMED[rule.get("name", "cut")](reply.body)
    return Script(reply)


def _deep(rule: dict, _call: Call, reply: Reply) -> Script:
    depth = rule.get("depth", 100000)
    reply.body = b'{"value":' + b"[" * depth + b"]" * depth + b"}"
    return Script(reply)


def _wide(rule: dict, _call: Call, reply: Reply) -> Script:
    reply.body = b'{"value":[' + b"0," * int(rule.get("mb", 30) * 512 * 1024) + b"0]}"
    return Script(reply)


@functools.lru_cache(maxsize=4)
def _packed(mb: int, layers: int) -> bytes:
    """So many megabytes of JSON, gzip upon gzip."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    space = b" " * 1024 * 1024
    body = packer.compress(b'{"value":[') + b"".join(packer.compress(space) for _ in range(mb)) + packer.compress(b"]}")
    body += packer.flush()
    for _ in range(layers - 1):
        body = gzip.compress(body)
    return body


def _bomb(rule: dict, _call: Call, reply: Reply) -> Script:
    layers = rule.get("layers", 1)
    reply.body = _packed(rule.get("mb", 200), layers)
    reply.set_header("Content-Encoding", ", ".join(["gzip"] * layers))
    return Script(reply)


def _content_type(rule: dict, _call: Call, reply: Reply) -> Script:
    reply.set_header("Content-Type", rule.get("content_type", "text/html"))
    return Script(reply)


def _redirect(rule: dict, _call: Call, _reply: Reply) -> Script:
    return Script(Reply(rule.get("status", 302), b"", [("Location", rule["location"]), ("Content-Type", "text/html")]))


def _merged(reply: Reply, changes: dict) -> Reply:
    try:
        body = json.loads(reply.body)
    except ValueError:
        return reply
    if isinstance(body, dict):
        body.update(changes)
        reply.body = json.dumps({name: value for name, value in body.items() if value is not None}).encode()
    return reply


def _merge(rule: dict, _call: Call, reply: Reply) -> Script:
    return Script(_merged(reply, rule["body"]))


def _next_foreign(rule: dict, call: Call, reply: Reply) -> Script:
    link = rule.get("location") or f"http://evil.example{call.path}?{call.raw_query}"
    return Script(_merged(reply, {"@odata.nextLink": link}))


def _next_circle(_rule: dict, call: Call, reply: Reply) -> Script:
    return Script(_merged(reply, {"@odata.nextLink": f"{call.base}{call.path}?{call.raw_query}"}))


def _cae(rule: dict, call: Call, _reply: Reply) -> Script:
    """Continuous access evaluation: the token is good, but Graph wants another one."""
    claims = json.dumps(rule.get("claims") or {"access_token": {"nbf": {"essential": True, "value": str(int(time.time()))}}})
    encoded = base64.b64encode(claims.encode()).decode()
    if not rule.get("padding", True):
        encoded = encoded.rstrip("=")
    challenge = (f'Bearer realm="", authorization_uri="{call.base}/common/oauth2/authorize", '
                 f'client_id="00000003-0000-0000-c000-000000000000", error="insufficient_claims", claims="{encoded}"')
    if rule.get("several"):
        challenge = f'PoP realm="", nonce="abc", {challenge}'
    error = GraphError("InvalidAuthenticationToken", "Continuous access evaluation resulted in challenge with result: "
                       "InteractionRequired and code: TokenCreatedWithOutdatedPolicies", 401, [("WWW-Authenticate", challenge)])
    return Script(error_reply(error, call.notes.get("request_id", ""), call.headers.get("client-request-id", "")))


# kind -> (function, does the request take effect first?, meaning)
KINDS = {
    "delay": (_none, True, "nothing but `delay_ms`"),
    "status": (_status, False, "`status`, with `body`, or `code` (Graph), or `aadsts`; `headers`, `retry_after`, `retry_after_date`"),
    "reset": (_wire("reset"), True, "connection reset; `when`: before, headers, mid (default)"),
    "close": (_wire("close"), True, "connection closed without an answer"),
    "truncate": (_wire("truncate"), True, "half the body, then a close; `chunked`"),
    "slow_body": (_wire("slow_body"), True, "the body in small pieces over `over_ms`"),
    "slow_headers": (_wire("slow_headers"), True, "status line and headers over `over_ms`"),
    "oversize": (_wire("oversize"), True, "the answer with `mb` megabytes more in it; `chunked`"),
    "malformed": (_malformed, True, "`name`: " + " ".join(MALFORMED) + "; or `body`"),
    "wide": (_wide, True, "an array of `mb` megabytes of zeros"),
    "bomb": (_bomb, True, "a small gzip body that unpacks to `mb` megabytes of JSON; `layers` of gzip"),
    "deep": (_deep, True, "JSON nested `depth` deep"),
    "content_type": (_content_type, True, "the right body as `content_type`"),
    "redirect": (_redirect, False, "to `location`, `status` 302"),
    "merge": (_merge, True, "members of `body` laid over the JSON answer; null removes"),
    "next_foreign": (_next_foreign, True, "@odata.nextLink to another host, or `location`"),
    "next_circle": (_next_circle, True, "@odata.nextLink to the same page"),
    "cae": (_cae, False, "401 with a claims challenge; `claims`, `padding`, `several`"),
    "oauth_error": (_none, False, "authorize only: back to the site with `error`, `error_description`, `error_subcode` or `aadsts`"),
}


def check(rule: dict) -> None:
    """ValueError with what is wrong: a fault that silently never fires wastes an afternoon."""
    if rule.get("kind", "delay") not in KINDS:
        raise ValueError(f"unknown kind {rule.get('kind')!r}; known: {', '.join(KINDS)}")
    if rule.get("target", "any") not in TARGETS:
        raise ValueError(f"unknown target {rule.get('target')!r}; known: {', '.join(TARGETS)}")
    if rule.get("kind") == "malformed" and "body" not in rule and rule.get("name", "cut") not in MALFORMED:
        raise ValueError(f"unknown name {rule['name']!r}; known: {', '.join(MALFORMED)}")
    if rule.get("code") and rule["code"] not in CODES and "status" not in rule:
        raise ValueError(f"code {rule['code']!r} is not in the table: give its status too")
    for name in ("path", "query"):
        re.compile(rule.get(name, ""))


class Faults:
    def __init__(self):
        self.rules: list = []
        self._number = itertools.count(1)

    def add(self, rule: dict) -> int:
        check(rule)
        rule = {**rule, "id": next(self._number), "hits": 0}
        self.rules.append(rule)
        return rule["id"]

    def drop(self, identifier: Optional[int] = None) -> int:
        before = len(self.rules)
        self.rules = [rule for rule in self.rules if identifier is not None and rule["id"] != identifier]
        return before - len(self.rules)

    def drop_user(self, user: str) -> None:
        self.rules = [rule for rule in self.rules if rule.get("user") != user]

    @staticmethod
    def _matches(rule: dict, call: Call) -> bool:
        wanted = ((rule.get("target", "any"), call.target), (rule.get("method"), call.method), (rule.get("user"), call.user),
                  (rule.get("grant"), call.notes.get("grant")))
        if any(want not in (None, "any", have) for want, have in wanted):
            return False
        return all(re.search(rule.get(name, ""), text) for name, text in (("path", call.path), ("query", call.raw_query)))

    def take(self, call: Call) -> Optional[dict]:
        """The first rule that fits, counted; `skip` lets that many go by first, `percent` is chance."""
        for rule in self.rules:
            if rule.get("count") == 0 or not self._matches(rule, call):
                continue
            if rule.get("skip", 0) > 0:
                rule["skip"] -= 1
                continue
            if "percent" in rule and random.random() * 100 >= rule["percent"]:
                continue
            rule["hits"] += 1
            if rule.get("count") is not None:
                rule["count"] -= 1
            return rule
        return None


def takes_effect(rule: dict) -> bool:
    """Whether the request is carried out before its answer is spoiled; `effect` overrides the kind's own."""
    return rule.get("effect", KINDS[rule.get("kind", "delay")][1])


def spoil(rule: dict, call: Call, reply: Reply) -> Script:
    return KINDS[rule.get("kind", "delay")][0](rule, call, reply)
