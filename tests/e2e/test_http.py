# SPDX-License-Identifier: MIT
"""The rules of HTTP that every endpoint keeps: paths, methods, headers, bodies, and the shape of errors."""

import json
import re

import pytest

from behind import is_refused
from wire import JSON, bearer, check_problem, come_back, send

CALENDAR = "integration/microsoft/calendar"
# path below the prefix: (methods, main realm only)
PATHS = {
    "auth/microsoft": ({"GET", "HEAD"}, False),
    "auth/microsoft/callback": ({"GET", "HEAD"}, False),
    "auth/microsoft/exchange": ({"POST"}, False),
    "auth/refresh": ({"POST"}, False),
    "auth/microsoft/user": ({"GET", "HEAD"}, False),
    "auth/microsoft/token": ({"DELETE"}, False),
    CALENDAR: ({"GET", "HEAD"}, False),
    f"{CALENDAR}/events": ({"GET", "HEAD", "POST"}, False),
    f"{CALENDAR}/events/AAA": ({"GET", "HEAD", "PUT", "PATCH", "DELETE"}, False),
    "health/microsoft": ({"GET", "HEAD"}, True),
    "health/microsoft/tokens": ({"GET", "HEAD"}, True),
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def paths_of(realm):
    return {path: methods for path, (methods, main_only) in PATHS.items() if realm.name == "main" or not main_only}


def fixed(answer):
    """What must not differ between two answers to the same question."""
    body = answer.body
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name not in ("request_id", "auth_url")}
    return answer.status, answer.headers["Content-Type"], body


def test_methods(person, realm):
    """Each path has its methods and no others; Allow names them."""
    someone = person()
    for path, methods in paths_of(realm).items():
        for method in METHODS:
            answer = send(someone.stack, method, someone.path(path), bearer(someone.jwt(), Accept=JSON))
            if method in methods:
                assert answer.status not in (404, 405), (method, path)
                continue
            if method == "HEAD":
                assert (answer.status, answer.body) == (405, ""), path
            else:
                check_problem(answer, 405, "method_not_allowed")
            assert {one.strip() for one in answer.headers["Allow"].split(",")} == methods, path


def test_last_slash(person, realm):
    someone = person()
    for path, methods in paths_of(realm).items():
        for method in sorted(methods - {"HEAD"}):
            headers = bearer(someone.jwt(), Accept=JSON)
            without, with_slash = (send(someone.stack, method, someone.path(path) + end, headers) for end in ("", "/"))
            assert fixed(without) == fixed(with_slash), (method, path)


def test_head(person, realm):
    someone = person().connect()
    for path in [path for path, methods in paths_of(realm).items() if "HEAD" in methods]:
        get, head = (send(someone.stack, method, someone.path(path), bearer(someone.jwt(scope="admin")))
                     for method in ("GET", "HEAD"))
        assert (head.status, head.headers["Content-Type"], head.body) == (get.status, get.headers["Content-Type"], "")


@pytest.mark.parametrize("below", [
    "", "/", "auth", "auth/", "auth/microsoft/users", "auth/microsoft//user", "auth/microsoft/user/x",
    "Auth/microsoft/user",
    "auth%2Fmicrosoft%2Fuser", "auth/microsoft%2Fuser", "auth/microsoft/user//", "auth/microsoft/../microsoft/user",
    "auth/microsoft/%75ser%00", "auth/refresh/x", f"{CALENDAR}/event", "health", "beta/beta/auth/microsoft/user"])
def test_unknown_path(person, below):
    someone = person()
    if not is_refused(someone.stack, "GET", someone.path(below)):
        check_problem(send(someone.stack, "GET", someone.path(below), bearer(someone.jwt())), 404, "not_found")


def test_realms_end_at_their_prefix(stack):
    for path in ("/api/v1beta/auth/microsoft/user", "/api/v10/auth/microsoft/user", "/api/v1/beta/health/microsoft",
                 "/api/v1/beta/health/microsoft/tokens"):
        check_problem(send(stack, "GET", path), 404, "not_found")


@pytest.mark.parametrize("given", ["a", "Az09._-", "x" * 64])
def test_request_id_kept(person, given):
    someone = person()
    for path in ("auth/microsoft/user", "nowhere"):
        for headers in (bearer(someone.jwt()), {}):
            answer = send(someone.stack, "GET", someone.path(path), {**headers, "X-Request-ID": given})
            assert answer.headers.get_all("X-Request-ID") == [given]
            assert answer.body.get("request_id", given) == given


@pytest.mark.parametrize("given", [None, "", "x" * 65, "a b", "a/b", "a,b", "a\"b", "<b>", "a=b", "ä"])
def test_request_id_made(person, given):
    someone = person()
    headers = {} if given is None else {"X-Request-ID": given.encode()}
    made = [send(someone.stack, "GET", someone.path("nowhere"), headers).headers["X-Request-ID"] for _ in range(2)]
    assert made[0] != made[1] and all(one != given and re.fullmatch(UUID, one) for one in made)


def test_three_headers_on_every_kind_of_answer(person):
    """send() and come_back() hold each answer to them; here is one of each status that the sign-in can give."""
    someone, other = person(), person()
    seen = {send(someone.stack, method, someone.path(path), headers, body).status for method, path, headers, body in (
        ("GET", "auth/microsoft/", {}, None), ("GET", "auth/microsoft/", {"Accept": JSON}, None),
        ("GET", "auth/microsoft/callback", {}, None), ("GET", "auth/microsoft/user", {}, None),
        ("GET", "auth/microsoft/?return_to=x", {}, None), ("GET", "x", {}, None),
        ("POST", "auth/microsoft/user", {}, None), ("POST", "auth/refresh", {}, "x"),
        ("POST", "auth/refresh", {"Content-Type": JSON}, b" " * (1024 * 1024 + 1)))}
    seen.add(come_back(someone, return_to=someone.stack.url, accept="text/html").status)
    seen.add(come_back(other, deny=True).status)
    assert seen == {200, 302, 303, 400, 401, 403, 404, 405, 413, 415, 422}


# Bodies of the two endpoints that take one, with a single string in it.
FIELDS = {"auth/microsoft/exchange": ("session_code", 400, "session_code_invalid"),
          "auth/refresh": ("refresh_token", 401, "invalid_token")}
ILL_FORMED = ["", " ", "{", '{"NAME": "x"', '{"NAME": "x"} x', '{"NAME": "x",}', "{'NAME': 'x'}", '{NAME: "x"}',
              '{"NAME": "x", "NAME": "x"}', '{"NAME": "x", "a": {"b": 1, "b": 1}}', '{"NAME": "x", "ESCAPED": "x"}',
              '{"NAME": NaN}', '{"NAME": 01}', "[" * 2000 + "]" * 2000, '\ufeff{"NAME": "x"}',
              '{"NAME": "a\nb"}', '{"NAME": "x"} // c', "nul"]
INVALID = {"{}": "NAME", "[]": "", '"x"': "", "null": "", "7": "", '{"NAME": null}': "NAME", '{"NAME": ""}': "NAME",
           '{"NAME": 7}': "NAME", '{"NAME": ["x"]}': "NAME", '{"name": "x"}': "NAME"}


def post(someone, path, text, content_type=JSON):
    name = FIELDS[path][0]
    escaped = f"\\u{ord(name[0]):04x}{name[1:]}"
    body = text if isinstance(text, bytes) else text.replace("NAME", name).replace("ESCAPED", escaped).encode()
    headers = {"Content-Type": content_type} if content_type else {}
    return send(someone.stack, "POST", someone.path(path), headers, body)


@pytest.mark.parametrize("path", FIELDS)
def test_bodies(person, path):
    someone = person()
    name, *unknown = FIELDS[path]
    good = '{"NAME": "unknown"}'
    for content_type in (JSON, "Application/JSON", f"{JSON}; charset=utf-8", f"{JSON} ;charset=UTF-8"):
        check_problem(post(someone, path, good, content_type), *unknown)
    for content_type in (None, "", "text/json", "application/jsonp", "text/plain", "application/x-www-form-urlencoded",
                         "application/problem+json", f"text/plain; {JSON}"):
        check_problem(post(someone, path, good, content_type), 415, "unsupported_media_type")
    for text in ILL_FORMED:
        check_problem(post(someone, path, text), 400, "invalid_json")
    check_problem(post(someone, path, b'{"' + name.encode() + b'": "\xff"}'), 400, "invalid_json")
    for text, field in INVALID.items():
        body = check_problem(post(someone, path, text), 422, "validation_failed")
        assert [one["field"] for one in body["errors"]] == [field.replace("NAME", name)], text
        assert all(set(one) == {"field", "detail"} and one["detail"] for one in body["errors"])


@pytest.mark.parametrize("path", FIELDS)
def test_body_size(person, path):
    someone = person()
    good = json.dumps({FIELDS[path][0]: "unknown"}).encode()
    check_problem(post(someone, path, good.ljust(1024 * 1024)), *FIELDS[path][1:])
    check_problem(post(someone, path, good.ljust(1024 * 1024 + 1)), 413, "payload_too_large")


def test_query(person, realm):
    """A fault is 422 and names the parameter; an empty value is as none; what is not known is ignored."""
    someone = person()
    start = "auth/microsoft/"
    for query in ("", "?", "?return_to", "?return_to=", "?return_to=&&", "?x=1&x=2&limit=-1", "?RETURN_TO=evil"):
        assert send(someone.stack, "GET", someone.path(start) + query).status == 302, query
    for query, field in (("?return_to=evil", "return_to"), ("?return_to=%2", ""), ("?return_to=%00", ""),
                         (f"?return_to={someone.stack.url}&return_to={someone.stack.url}", "return_to"),
                         ("?return%5Fto=evil", "return_to"), ("?return_to=%ff", "return_to")):
        body = check_problem(send(someone.stack, "GET", someone.path(start) + query), 422, "validation_failed")
        assert [one["field"] for one in body["errors"]] == [field], query


@pytest.mark.promise("attack/isolation", "No error repeats what Microsoft wrote, beyond its error code")
def test_no_error_shows_what_microsoft_wrote(person):
    """The code of Microsoft's error is told where it is one; the rest of its words stays behind."""
    someone = person()
    secret = "AADSTS50105: Marker-of-Microsoft <b>tenant</b> Trace ID: 5d2c"
    for error, code in (("unauthorized_client", "unauthorized_client"), ("x" * 500, None), ("a b<i>", None)):
        someone.stack.sim.fault("oauth_error", "authorize", error=error, error_description=secret)
        body = check_problem(come_back(someone), 401, "microsoft_auth_failed")
        assert body.get("microsoft_code") == code
        assert "Marker" not in json.dumps(body) and "Trace" not in json.dumps(body) and "<" not in json.dumps(body)
    someone.stack.sim.fault("status", "token", grant="authorization_code", aadsts=70000)
    body = check_problem(come_back(someone), 401, "microsoft_auth_failed")
    assert body["microsoft_code"] == "invalid_grant" and "AADSTS" not in json.dumps(body)


@pytest.mark.promise("attack/isolation", "No error repeats what was sent")
def test_no_error_shows_what_was_sent(person):
    someone = person()
    marker = "Marker-of-the-caller"
    answers = [
        send(someone.stack, "GET", someone.path(f"auth/microsoft/callback?state={marker}&code={marker}")),
        send(someone.stack, "GET", someone.path("auth/microsoft/user"), bearer(marker)),
        send(someone.stack, "GET", someone.path(f"auth/microsoft/?return_to={marker}")),
        send(someone.stack, "GET", someone.path(marker)),
        post(someone, "auth/microsoft/exchange", f'{{"NAME": "{marker}"}}'), post(someone, "auth/refresh", marker)]
    for answer in answers:
        assert answer.status >= 400 and marker.lower() not in json.dumps(answer.body).lower()
