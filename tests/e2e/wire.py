# SPDX-License-Identifier: MIT
"""Requests with any header and no cookie jar, the shape that every answer must have, and the steps of a sign-in."""

import base64
import http.client
import json
import re
from urllib.parse import parse_qsl, quote, urlsplit

from stack.smoke import Answer

JSON = "application/json"
COUNTED = ("users", "beta_teachers", "microsoft_oauth_tokens", "beta_microsoft_oauth_tokens", "session_codes",
           "refresh_families")


def check_usual(answer):
    """The three headers of every response."""
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", answer.headers["X-Request-ID"] or ""), answer
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    return answer


def send(stack, method, path, headers=None, body=None):
    """One request as it is given; every answer is held to the three headers."""
    connection = http.client.HTTPConnection(stack.url.partition("//")[2], timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        reply = connection.getresponse()
        text = reply.read().decode("utf-8")
    finally:
        connection.close()
    is_json = "json" in reply.headers.get("Content-Type", "")
    return check_usual(Answer(reply.status, reply.headers, json.loads(text) if is_json and text else text))


def bearer(token, **headers):
    return {"Authorization": f"Bearer {token}", **headers}


def check_problem(answer, status, code):
    """An error is RFC 9457's, with the contract's members and no others that it does not name."""
    body = answer.body
    assert (answer.status, body.get("code") if isinstance(body, dict) else body) == (status, code), body
    check_usual(answer)
    assert answer.headers["Content-Type"].partition(";")[0] == "application/problem+json"
    assert body["type"] == f"urn:graphgate:problem:{code}" and body["status"] == status
    assert body["title"] and body["detail"].endswith(".")
    assert body["request_id"] == answer.headers["X-Request-ID"]
    assert set(body) - {"type", "title", "status", "detail", "code", "request_id"} <= {
        "errors", "microsoft_code", "auth_url", "claims"}
    assert ("errors" in body) == (status == 422)
    if status == 401:
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    return body


def query_of(url):
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def leave(person, return_to=None):
    """Starts the flow, with the person's token if there is one; the address at Microsoft."""
    query = f"?return_to={quote(return_to, safe='')}" if return_to else ""
    answer = person.api("GET", f"auth/microsoft/{query}")
    assert answer.status == 200, answer.body
    return answer.body["auth_url"]


def come_back(person, auth_url=None, accept=JSON, return_to=None, **walk):
    """Goes through Microsoft's pages and back; the callback's answer."""
    url = person.stack.sim.authorize(auth_url or leave(person, return_to), walk.pop("user", person.user), **walk)
    return check_usual(person.call("GET", url, accept=accept))


def session_code(person):
    """A sign-in by a page of the site: the code that it gets."""
    answer = come_back(person, return_to=person.stack.url + "/", accept="text/html")
    assert answer.status == 303, answer.body
    return query_of(answer.headers["Location"])["session_code"]


def exchange(person, code):
    return check_usual(person.api("POST", "auth/microsoft/exchange", {"session_code": code}))


def refresh(person, token):
    return check_usual(person.api("POST", "auth/refresh", {"refresh_token": token}))


def claims_of(jwt, part=1):
    """The claims of a JWT, or its header (part=0), unverified."""
    text = jwt.split(".")[part]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def forget_keys(stack, config=None):
    """Workers that have not seen any of Microsoft's signing keys, nor can read in the database what others saw."""
    stack.sql("DELETE FROM signing_keys")
    return stack.restart_worker(config)


def stored(stack):
    """How many rows the tables have in which a sign-in leaves anything."""
    return stack.sql(" UNION ALL ".join(f"SELECT '{table}', COUNT(*) FROM {table}" for table in COUNTED))
