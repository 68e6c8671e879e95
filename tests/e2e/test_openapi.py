# SPDX-License-Identifier: MIT
"""docs/openapi.yaml: well-formed, linted, the same as the table of routes; and the watch that holds answers to it sees faults.

conftest.py holds every answer of every test to it. The linter is the OpenAPI Initiative's own schema for documents of 3.1
(oas-3.1.schema.json, Apache-2.0), JSON Schema's for the schemas in it, yamllint, and the rules of this file.
"""

import copy
import email.message
import json
import subprocess
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

import openapi
from kit import cal
from routes import errors, place, routes
from stack.smoke import REALMS
from wire import send

DOCUMENT = yaml.safe_load(openapi.FILE.read_text(encoding="utf-8"))
OAS = Draft202012Validator(json.loads((Path(__file__).parent / "oas-3.1.schema.json").read_text(encoding="utf-8")))
# Answers that stand at no operation, but for any path.
ANYWHERE = {f"#/components/responses/{name}" for name in (openapi.NO_PATH, openapi.NO_METHOD)}
# What these documents use of JSON Schema: a word that is misspelt would be ignored.
KEYWORDS = {"$ref", "additionalProperties", "allOf", "const", "default", "dependentRequired", "description", "else", "enum", "format",
            "if", "items", "maxItems", "maxLength", "maximum", "minItems", "minLength", "minProperties", "minimum", "not", "oneOf",
            "pattern", "properties", "required", "then", "type"}


def places(node, path=()):
    """(path, node) of the node and of all below it."""
    yield path, node
    below = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, one in below:
        yield from places(one, (*path, str(name)))


def schemas(document):
    """(path, schema) of every schema that is written down, those inside others too."""
    for path, node in places(document):
        if "example" in path or "value" in path or not isinstance(node, (dict, bool)):
            continue
        parent = path[-2] if len(path) > 1 else ""
        if path[-1:] == ("schema",) or parent in ("schemas", "properties") or (
                path[-1:] in (("items",), ("not",), ("if",), ("then",), ("else",)) and "schema" in "/".join(path)):
            if path[-2:] != ("components", "schemas"):
                yield "/".join(path), node
        elif parent in ("allOf", "oneOf"):
            yield "/".join(path), node


def examples(description, node, path=()):
    """(path, schema, value) of every example beside a schema."""
    for place, one in places(node, path):
        if isinstance(one, dict) and isinstance(one.get("schema"), dict):
            values = [one["example"]] if "example" in one else []
            values += [example["value"] for example in one.get("examples", {}).values()]
            for value in values:
                yield "/".join(place), description.inline(one["schema"]), value


def operations(document):
    """(path, method, operation, path item) of all of them."""
    description = openapi.Description(document)
    for path, item in description.paths.items():
        for method in openapi.METHODS:
            if method in item:
                yield path, method, item[method], item


def lint(document):
    """Everything that is wrong with a document, as sentences."""
    found = [f"{'/'.join(map(str, one.absolute_path))}: {one.message[:200]}" for one in OAS.iter_errors(document)]
    refs = {node["$ref"] for _, node in places(document) if isinstance(node, dict) and "$ref" in node}
    known = {f"#/components/{kind}/{name}" for kind, all_of in document["components"].items() for name in all_of}
    schemes = set(document["components"]["securitySchemes"])
    found += [f"{ref} leads nowhere" for ref in sorted(refs - known)]
    for path, schema in schemas(document):
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as fault:
            found.append(f"{path}: {fault.message[:200]}")
        if isinstance(schema, dict):
            found += [f"{path}: no keyword {word}" for word in sorted(set(schema) - KEYWORDS)]
    if found:
        return found
    description = openapi.Description(document)
    found += [f"{ref} is used by nothing" for ref in sorted(known - refs - ANYWHERE) if "/securitySchemes/" not in ref]
    found += [f"{path}: the example is not valid: {fault}" for path, schema, value in examples(description, document)
              if (fault := description.fault(schema, value))]
    tags = {tag["name"] for tag in document["tags"]}
    for path, method, operation, item in operations(document):
        place = f"{method} {path}"
        parameters = [(one["in"], one["name"]) for one in item.get("parameters", []) + operation.get("parameters", [])]
        found += [f"{place}: no summary"] * (not operation.get("summary"))
        found += [f"{place}: its tags are not declared"] * (not operation.get("tags") or not set(operation["tags"]) <= tags)
        found += [f"{place}: a parameter twice"] * (len(parameters) != len(set(parameters)))
        found += [f"{place}: its path's parameters are others"] * (
            {name for kind, name in parameters if kind == "path"} != ({"id"} if "{id}" in path else set()))
        found += [f"{place}: security of no scheme"] * any(
            name not in schemes for one in operation.get("security", document["security"]) for name in one)
        found += [f"{place}: nothing but errors"] * (min(operation["responses"]) >= "400" or "500" < min(operation["responses"]))
    return found


def test_lint():
    assert lint(DOCUMENT) == []


def test_yamllint():
    """No name twice, no stray indentation."""
    rules = "{extends: default, rules: {line-length: {max: 160}}}"
    done = subprocess.run(["yamllint", "--strict", "-d", rules, str(openapi.FILE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def _set(*path, to):
    def change(document):
        for name in path[:-1]:
            document = document[name]
        document[path[-1]] = to
    return change


CALENDARS = ("components", "pathItems", "Calendars", "get")
DONE = ("components", "schemas", "Done")
BROKEN = {
    "'3.0.0' does not match": _set("openapi", to="3.0.0"),
    "'sumary' was unexpected": _set(*CALENDARS, "sumary", to="x"),
    "None is not of type 'string'": _set("components", "responses", "Done", "description", to=None),
    "leads nowhere": _set(*CALENDARS, "responses", "200", to={"$ref": "#/components/responses/Nothing"}),
    "is used by nothing": _set("components", "schemas", "Spare", to={"type": "object"}),
    "no keyword additionalPropertys": _set(*DONE, "additionalPropertys", to=False),
    "'objekt' is not valid": _set(*DONE, "type", to="objekt"),
    "the example is not valid": _set("components", "responses", "Done", "content", "application/json", "example", to={"success": 1}),
    "no summary": _set(*CALENDARS, "summary", to=""),
    "its tags are not declared": _set(*CALENDARS, "tags", to=["other"]),
    "its path's parameters are others": _set("components", "pathItems", "Event", "parameters", to=[]),
    "a parameter twice": _set("components", "pathItems", "Start", "get", "parameters", to=2 * [{"$ref": "#/components/parameters/return_to"}]),
    "security of no scheme": _set(*CALENDARS, "security", to=[{"basic": []}]),
    "nothing but errors": _set(*CALENDARS, "responses", to={"500": {"$ref": "#/components/responses/Internal"}}),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_the_linter_sees(fault):
    document = copy.deepcopy(DOCUMENT)
    BROKEN[fault](document)
    found = lint(document)
    assert any(fault in one for one in found), found


def table():
    """{(method, whole path): the route} of the program."""
    rows = {}
    for route in routes():
        for realm in REALMS:
            if realm.name == "main" or not route.main_only:
                rows[(route.method.lower(), place(realm, route))] = route
    return rows


def test_the_table_of_routes():
    """Paths, methods, parameters of the query, and who may ask: the same here and there."""
    described = {(method, path.rstrip("/")): (operation, item) for path, method, operation, item in operations(DOCUMENT)}
    rows = table()
    assert set(described) == set(rows)
    for where, route in rows.items():
        operation = described[where][0]
        names = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
        assert names == set(route.query), where
        security = operation.get("security", DOCUMENT["security"])
        assert security == {"NONE": [], "MAYBE": [{}, {"bearer": []}], "ADMIN_OR": [{}, {"bearer": []}],
                            "CALLER": [{"bearer": []}], "ADMIN": [{"bearer": []}],
                            "METRICS": [{"metrics": []}, {"bearer": []}]}[route.auth], where
        assert ("403" in operation["responses"]) == (route.auth not in ("NONE", "ADMIN_OR") or "callback" in where[1]), where


def test_the_table_of_errors():
    """Each error of the program is at some answer, and none that it does not have."""
    description = openapi.Description(DOCUMENT)
    found = set()
    answers = [*description.responses.values(), *(answer for _, _, operation, _ in operations(DOCUMENT)
                                                   for answer in operation["responses"].values())]
    for answer in answers:
        problem = answer.get("content", {}).get("application/problem+json")
        if problem:
            members = problem["schema"]["properties"]
            found |= {(members["status"]["const"], code) for code in members["code"]["enum"]}
    assert found == errors()


def test_each_problem_stands_below_its_status():
    for path, method, operation, _ in operations(DOCUMENT):
        for status, answer in operation["responses"].items():
            problem = answer.get("content", {}).get("application/problem+json")
            assert problem is None or problem["schema"]["properties"]["status"]["const"] == int(status), (method, path, status)


def an_answer(**changes):
    """Calendars as graphgate answers them, with changes; headers given as None are left out."""
    headers = {"Content-Type": "application/json", "X-Request-ID": "x1", "Cache-Control": "no-store",
               "X-Content-Type-Options": "nosniff", **changes.pop("headers", {})}
    message = email.message.Message()
    for name, value in headers.items():
        if value is not None:
            message[name] = value
    body = {"success": True, "message": "Retrieved 0 calendars", "event": {"calendars": [], "default_calendar": None}}
    one = openapi.Exchange("GET", "/api/v1/integration/microsoft/calendar/", None, 200, message, json.dumps(body))
    return one._replace(**changes)


PROBLEM = {"type": "urn:graphgate:problem:not_found", "title": "Not found", "status": 404, "detail": "There is nothing here.",
           "code": "not_found", "request_id": "x1"}
AS_PROBLEM = {"Content-Type": "application/problem+json"}
GOOD = {
    "plain": {}, "without its slash": {"path": "/api/v1/integration/microsoft/calendar?x=1"},
    "the other realm": {"path": "/api/v1/beta/integration/microsoft/calendar/"}, "HEAD": {"method": "HEAD", "text": ""},
    "a problem": {"status": 404, "text": json.dumps(PROBLEM), "headers": AS_PROBLEM},
    "no such path": {"path": "/api/v1/nowhere", "status": 404, "text": json.dumps(PROBLEM), "headers": AS_PROBLEM},
    "counted": {"headers": {"RateLimit-Limit": "100", "RateLimit-Remaining": "0", "RateLimit-Reset": "60"}},
}
BAD = {
    "there is no path": {"path": "/api/v1/nowhere"}, "no such method": {"method": "POST"}, "no status": {"status": 202},
    "'count' was unexpected": {"text": '{"success": true, "message": "Retrieved 0 calendars", "count": 0, "event": {"calendars": [], "default_calendar": null}}'},
    "'event' is a required": {"text": '{"success": true, "message": "Retrieved 0 calendars"}'},
    "is not of type 'array'": {"text": '{"success": true, "message": "Retrieved 0 calendars", "event": {"calendars": {}, "default_calendar": null}}'},
    "not JSON": {"text": '{"success": tru'}, "HEAD has a body": {"method": "HEAD"},
    "the content type": {"headers": {"Content-Type": "text/html"}}, "header cache-control is missing": {"headers": {"Cache-Control": None}},
    "'no-store' was expected": {"headers": {"Cache-Control": "private"}},
    "header ratelimit-limit": {"headers": {"RateLimit-Limit": "-1"}}, "header retry-after is not described": {"headers": {"Retry-After": "1"}},
    "is not one of": {"status": 404, "text": json.dumps({**PROBLEM, "code": "conflict"}), "headers": AS_PROBLEM},
    "404 was expected": {"status": 404, "text": json.dumps({**PROBLEM, "status": 400}), "headers": AS_PROBLEM},
    "'sql' was unexpected": {"status": 404, "text": json.dumps({**PROBLEM, "sql": "SELECT"}), "headers": AS_PROBLEM},
    "False schema does not allow": {"status": 404, "text": json.dumps({**PROBLEM, "auth_url": "/api/v1/auth/microsoft/"}), "headers": AS_PROBLEM},
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_answer_is_let_through(name):
    assert openapi.WATCH.description.judge(an_answer(**GOOD[name])) == []


@pytest.mark.parametrize("fault", BAD)
def test_the_watch_sees(fault):
    found = openapi.WATCH.description.judge(an_answer(**BAD[fault]))
    assert any(fault in one for one in found), found


EVENT = {"text": json.dumps({"success": True, "message": "Event updated", "event": {"id": "x"}}), "method": "PATCH",
         "path": "/api/v1/integration/microsoft/calendar/events/x"}


def test_the_watch_sees_what_was_taken():
    """A request that graphgate accepts is one that the description allows."""
    assert openapi.WATCH.description.judge(an_answer(**EVENT, sent=b'{"subject": "x"}')) == []
    for sent in (b"{}", b'{"title": "x"}', b'{"reminder_minutes": -1}', b'{"subject": ""}'):
        assert any("was taken" in one for one in openapi.WATCH.description.judge(an_answer(**EVENT, sent=sent))), sent


# mutant: tests/e2e/openapi.py: self._new.append(exchange) => pass
def test_every_way_to_ask_a_web_server_is_watched(person, program, realm):
    """With a description that knows no 401 or 200 of the account, each of the tests' clients trips over it."""
    document = copy.deepcopy(DOCUMENT)
    for one in REALMS:
        answers = document["paths"][f"{one.prefix}/auth/microsoft/user"]["get"]["responses"]
        del answers["200"], answers["401"]
    someone = person().log_in()
    path = someone.path("auth/microsoft/user")
    with openapi.watched_by(openapi.Watch(openapi.Description(document))) as watch:
        assert someone.call("GET", path).status == 200
        assert len(watch.faults()) == 1
        someone.token = None
        assert someone.call("GET", path).status == 401
        assert len(watch.faults()) == 1
        assert someone.call("GET", path).status == 401
        assert (watch.faults(), watch.noted, watch.judged) == ([], 3, 2)
        assert send(someone.stack, "GET", path + "?x").status == 401
        assert cal(someone, "GET").status == 401
        assert len(watch.faults()) == 1
        assert program().ask("GET", path + "?y").status == 401
        assert len(watch.faults()) == 1
