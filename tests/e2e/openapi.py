# SPDX-License-Identifier: MIT
"""docs/openapi.yaml in the hands of the tests, and the watch that holds every answer to it.

The watch stands where Python's HTTP client, and the tests' own FastCGI client, have read a whole answer. An answer without
X-Request-ID is the web server's own and none of graphgate's. What was seen is judged when a test ends, so that no
measurement waits for it, and an answer that differs from one seen before in nothing but its request id and the values of
its headers is judged once: a loop of ten thousand requests costs a hash each.
"""

import contextlib
import http.client
import json
import re
from collections import namedtuple
from urllib.parse import parse_qsl, unquote

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from stack.stack import ROOT

FILE = ROOT / "docs" / "openapi.yaml"
METHODS = ("get", "put", "post", "patch", "delete")
NO_PATH, NO_METHOD = "UnknownPath", "MethodNotAllowed"

# One answer with its request; path is as it was asked for, query included, sent is the request's body.
Exchange = namedtuple("Exchange", "method path sent status headers text")
# What the description says of an answer: {status: response} or None, and the operation with its path's parameters.
Place = namedtuple("Place", "template operation")


def is_number(text):
    return text.lstrip("-").isdigit()


class Description:
    """The document with every reference in place; its schemas are compiled once."""

    def __init__(self, document):
        self.document = document
        self._placed = {}
        self._compiled = {}
        self.paths = {path: self.inline(item) for path, item in document["paths"].items()}
        self.responses = {name: self.inline(one) for name, one in document["components"]["responses"].items()}
        self._plain = {path.rstrip("/"): path for path in self.paths if "{" not in path}
        self._patterns = [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), path) for path in self.paths if "{" in path]
        self._headers = {name.lower() for one in self._all_responses() for name in one.get("headers", {})}

    def look_up(self, pointer):
        """What a reference inside the document leads to; KeyError where there is nothing."""
        found = self.document
        for name in pointer.removeprefix("#/").split("/"):
            found = found[name.replace("~1", "/").replace("~0", "~")]
        return found

    def inline(self, node):
        """The node without references. What stands beside one holds as well, as JSON Schema 2020-12 has it."""
        if isinstance(node, list):
            return [self.inline(one) for one in node]
        if not isinstance(node, dict):
            return node
        rest = {name: self.inline(one) for name, one in node.items() if name != "$ref"}
        if "$ref" not in node:
            return rest
        pointer = node["$ref"]
        if pointer not in self._placed:
            self._placed[pointer] = self.inline(self.look_up(pointer))
        return {"allOf": [self._placed[pointer]], **rest} if rest else self._placed[pointer]

    def _all_responses(self):
        yield from self.responses.values()
        for item in self.paths.values():
            for method in METHODS:
                yield from item.get(method, {}).get("responses", {}).values()

    def find(self, method, path):
        """The place of a request's path, without its query; None when there is no such path."""
        path = re.sub(r"^https?://[^/]*", "", path)
        bare = path[:-1] if path.endswith("/") else path
        template = self._plain.get(bare) or next((one for pattern, one in self._patterns if pattern.fullmatch(bare)), None)
        if template is None:
            return None
        item = self.paths[template]
        operation = item.get("get" if method == "HEAD" else method.lower())
        if operation is not None:
            operation = {**operation, "parameters": item.get("parameters", []) + operation.get("parameters", [])}
        return Place(template, operation)

    def fault(self, schema, value):
        """What is wrong with a value, in a sentence, or None."""
        if id(schema) not in self._compiled:
            self._compiled[id(schema)] = (Draft202012Validator(schema), schema)
        validator = self._compiled[id(schema)][0]
        if validator.is_valid(value):
            return None
        worst = best_match(validator.iter_errors(value))
        return f"{'/'.join(map(str, worst.absolute_path)) or 'all of it'}: {worst.message[:300]}"

    def judge(self, exchange):
        """Every difference between an answer and its description, as sentences."""
        path = exchange.path.partition("?")[0]
        place = self.find(exchange.method, path)
        if place is None:
            return self._judge_answer(exchange, self.responses[NO_PATH]) if exchange.status == 404 else [f"there is no path {path}"]
        if place.operation is None:
            return self._judge_answer(exchange, self.responses[NO_METHOD]) if exchange.status == 405 else [f"{path} has no such method"]
        response = place.operation["responses"].get(str(exchange.status))
        if response is None:
            return [f"{place.template} has no status {exchange.status}"]
        faults = self._judge_answer(exchange, response)
        return [*faults, *self._judge_request(exchange, place)] if exchange.status < 400 else faults

    def _judge_answer(self, exchange, response):
        return [*self._judge_headers(exchange.headers, response.get("headers", {})), *self._judge_body(exchange, response)]

    def _judge_headers(self, headers, described):
        described = {name.lower(): one for name, one in described.items()}
        for name, one in described.items():
            values = headers.get_all(name) or []
            if one.get("required") and not values:
                yield f"the header {name} is missing"
            for value in values:
                fault = self.fault(one["schema"], int(value) if is_number(value) else value)
                if fault:
                    yield f"the header {name}: {fault}"
        for name in {name.lower() for name in headers.keys()} & self._headers - set(described):
            yield f"the header {name} is not described"

    def _judge_body(self, exchange, response):
        content = response.get("content", {})
        kind = (exchange.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
        if (content or exchange.text) and kind not in content:
            yield f"the content type is {kind!r}, not one of {sorted(content)}"
        elif exchange.method == "HEAD" and exchange.text:
            yield "HEAD has a body"
        elif content and exchange.method != "HEAD":
            try:
                value = json.loads(exchange.text) if "json" in kind else exchange.text
            except ValueError as fault:
                yield f"the body is not JSON: {fault}"
                return
            fault = self.fault(content[kind].get("schema", {}), value)
            if fault:
                yield f"the body: {fault}"

    def _judge_request(self, exchange, place):
        """What graphgate took, the description must allow."""
        pairs = parse_qsl(exchange.path.partition("?")[2], errors="replace")
        given = dict(pairs)
        for one in place.operation["parameters"]:
            value = given.get(one["name"]) if one["in"] == "query" else None
            if value and one["schema"].get("type") == "array":
                value = [text for name, text in pairs if name == one["name"]]
            if one["in"] == "path":
                value = unquote(re.sub(r"^https?://[^/]*", "", exchange.path).partition("?")[0].rstrip("/").rpartition("/")[2])
            if value and (one["name"] == "cursor" or not given.get("cursor")):
                is_integer = one["schema"].get("type") == "integer" and is_number(value)
                fault = self.fault(one["schema"], int(value) if is_integer else value)
                if fault:
                    yield f"the parameter {one['name']} was taken: {fault}"
        wanted = place.operation.get("requestBody")
        if wanted and exchange.sent is not None:
            fault = self.fault(wanted["content"]["application/json"]["schema"], json.loads(exchange.sent))
            if fault:
                yield f"the request's body was taken: {fault}"


def load(text=None):
    """The checked-in description, or that text."""
    return Description(yaml.safe_load(text if text is not None else FILE.read_text(encoding="utf-8")))


class Watch:
    """Notes exchanges, from any thread, and judges those of them that are new."""

    def __init__(self, description):
        self.description = description
        self.noted = 0
        self.judged = 0
        self._seen = set()
        self._new = []

    def note(self, exchange):
        """Keeps an answer of graphgate's for the end of the test."""
        request_id = exchange.headers.get("X-Request-ID")
        if request_id is None:
            return
        self.noted += 1
        key = hash((exchange.method, exchange.path, exchange.status, tuple(exchange.headers.keys()),
                    exchange.text.replace(request_id, "")))
        if key not in self._seen:
            self._seen.add(key)
            self._new.append(exchange)

    def faults(self):
        """What is wrong with the answers since it was asked last."""
        new, self._new = self._new, []
        self.judged += len(new)
        return [f"{one.method} {one.path} {one.status}: {fault}\n{one.text[:500]}"
                for one in new for fault in self.description.judge(one)]


WATCH = Watch(load())
_watches = [WATCH]


def note(exchange):
    """An answer that somebody has read to its end."""
    for watch in _watches:
        watch.note(exchange)


@contextlib.contextmanager
def watched_by(watch):
    """One more watch, for a while."""
    _watches.append(watch)
    try:
        yield watch
    finally:
        _watches.remove(watch)


@contextlib.contextmanager
def http_client_watched():
    """Inside, every answer that is read through http.client (so urllib's, too) is noted."""
    connection, response = http.client.HTTPConnection, http.client.HTTPResponse
    request, putrequest, getresponse, read = connection.request, connection.putrequest, connection.getresponse, response.read

    def note_body(self, method, url, body=None, *rest, **named):
        self.gg_body = body
        return request(self, method, url, body, *rest, **named)

    def note_path(self, method, url, *rest, **named):
        self.gg_asked = method, url
        return putrequest(self, method, url, *rest, **named)

    def note_response(self):
        got = getresponse(self)
        got.gg_asked = *self.gg_asked, getattr(self, "gg_body", None)
        return got

    def note_answer(self, amt=None):
        data = read(self, amt)
        asked = self.__dict__.pop("gg_asked", None) if amt is None else None
        if asked is not None:
            note(Exchange(*asked, self.status, self.headers, data.decode("utf-8", "replace")))
        return data

    connection.request, connection.putrequest, connection.getresponse, response.read = note_body, note_path, note_response, note_answer
    try:
        yield
    finally:
        connection.request, connection.putrequest, connection.getresponse, response.read = request, putrequest, getresponse, read
