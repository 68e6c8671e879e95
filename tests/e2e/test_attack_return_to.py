# SPDX-License-Identifier: MIT
"""Open redirects: a corpus of hostile return_to values, at the start and in a stored state, and what a browser makes of
those that are taken. The values are in hostile_return_to.txt."""

import base64
import hashlib
import random
import re
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from browser import browsers, page  # pylint: disable=unused-import
from kit import each
from stack.smoke import REALMS
from wire import bearer, check_problem, leave, query_of, send

ALLOWED = ["https://good.example", "https://app.good.example/spa/", "https://good.example:8443/here", "http://localhost:3000",
           "https://[2001:db8::1]/x/"]
TAKEN = ["https://good.example", "https://good.example/", "https://good.example/a/b?c=d&e=%20#f/g", "HTTPS://GOOD.EXAMPLE:443/x",
         "https://app.good.example/spa/", "https://app.good.example/spa/x?y#z", "https://good.example:8443/here?x",
         "http://localhost:3000/done", "https://[2001:db8::1]/x/y"]
LONG = {"path": "https://good.example/" + "a" * 2100, "query": "https://good.example/?" + "a" * 5000,
        "host": f"https://{'a' * 300}.good.example/", "dots": "https://app.good.example/spa/" + "../" * 700,
        "user": f"https://{'a' * 3000}@good.example/", "slashes": "https:" + "/" * 2100 + "good.example"}
ONE_REALM = pytest.mark.parametrize("realm", REALMS[:1], ids=["main"])
PROMISE = pytest.mark.promise(
    "attack/oauth", "None of 470 hostile return_to values is taken, at the start or out of a stored state")
_ESCAPE = re.compile(r"\\(\\|t|n|r|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
_PLAIN = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}


def corpus():
    """The families of hostile values: {what is wrong: [value]}."""
    families, values = {}, None
    for line in (Path(__file__).parent / "hostile_return_to.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            values = families[line[3:]] = []
        elif values is not None and line:
            values.append(_ESCAPE.sub(lambda found: _PLAIN.get(found[1]) or chr(int(found[1][1:], 16)), line))
    return families


HOSTILE = corpus()
VALUES = [value for values in HOSTILE.values() for value in values]


def encoded(value):
    return quote(value.encode("utf-8", "surrogateescape"), safe="")


@pytest.fixture(scope="module")
def strict(make_stack):
    return make_stack(ALLOWED_RETURN_URLS=",".join(ALLOWED))


def start(stack, value, prefix="/api/v1", **headers):
    return send(stack, "GET", f"{prefix}/auth/microsoft/?return_to={encoded(value)}", headers)


def is_refused(answer, value):
    assert answer.status == 422, value
    body = check_problem(answer, 422, "validation_failed")
    assert [fault["field"] for fault in body["errors"]] in (["return_to"], [""]), value
    assert "Location" not in answer.headers and "Set-Cookie" not in answer.headers, value


def test_the_corpus():
    """Each value once, and enough of them, none without a reason."""
    assert len(set(VALUES)) == len(VALUES) >= 450
    assert len(HOSTILE) >= 15 and all(len(values) >= 5 for values in HOSTILE.values())


# mutant: src/proto/returnto.c: has_dots(have.rest) => false
@PROMISE
@pytest.mark.parametrize("family", HOSTILE)
def test_refused_at_the_start(strict, person, realm, family):
    token = person(stack=strict).jwt()
    each([HOSTILE[family][at::4] for at in range(4)], lambda values: [
        is_refused(start(strict, value, realm.prefix, **(bearer(token) if number % 2 else {})), value)
        for number, value in enumerate(values)])


@PROMISE
@pytest.mark.parametrize("name", LONG)
def test_refused_for_its_length(strict, name):
    is_refused(start(strict, LONG[name]), name)


def test_taken(strict):
    """What is allowed is not refused with the rest."""
    for value in TAKEN:
        assert start(strict, value).status == 302, value


def state_hash(url):
    digest = hashlib.sha256(query_of(url)["state"].encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def plant(stack, planted):
    """Puts addresses into stored states, as one who can write into the database would: {hash: address}."""
    stack.sql("; ".join(f"UPDATE login_states SET return_to = CONVERT(X'{value.encode().hex()}' USING utf8mb4)"
                        f" WHERE state_hash = '{key}'" for key, value in planted.items()))


# mutant: src/flow/connect.c: !gg_returnto_is_allowed(c->ctx->conf->allowed_return_urls, login->return_to)) => c->arena == NULL)
@PROMISE
@pytest.mark.parametrize("family", HOSTILE)
def test_refused_out_of_a_stored_state(strict, person, family):
    """The list is asked again at the callback: for a changed list as for a changed row."""
    values = [value for value in HOSTILE[family] if not re.search("[\ud800-\udfff]", value)]
    someone = person(stack=strict)
    urls = [leave(someone) for _ in values]
    plant(strict, dict(zip(map(state_hash, urls), values)))
    for url, value in zip(urls, values):
        answer = someone.api("GET", f"auth/microsoft/callback?error=access_denied&state={query_of(url)['state']}")
        assert answer.status == 400, value
        check_problem(answer, 400, "state_invalid")
        assert "Location" not in answer.headers


def test_an_allowed_address_in_a_stored_state_is_followed(strict, person):
    """The same way in with a good value, or the test above would show nothing."""
    someone = person(stack=strict)
    url = leave(someone)
    plant(strict, {state_hash(url): "https://good.example/x"})
    answer = someone.api("GET", f"auth/microsoft/callback?error=access_denied&state={query_of(url)['state']}")
    assert (answer.status, answer.headers["Location"]) == (303, "https://good.example/x?error=consent_declined")


PIECES = ["/", "//", "\\", "@", ":", "?", "#", ".", "..", "/../", "/./", "%2e%2e", "%2e", "%2f", "%5c", "%00", "%0a", "%40", ";", ",",
          "&", "=", "[", "]", "evil.example", "@evil.example", ".evil.example", "://", "https:", "443", "0", "x", "X", "-", "_", "~", "!", "$",
          "'", "(", ")", "*", "+", "|", "\t", "\n", " ", "\u3002", "\uff0f", "%"]


def bent(count, seed):
    """Allowed addresses with a piece or two put in, or a few characters taken out."""
    dice = random.Random(seed)
    for _ in range(count):
        text = dice.choice(TAKEN)
        for _ in range(dice.randint(1, 2)):
            at, end = sorted((dice.randint(0, len(text)), dice.randint(0, len(text))))
            end = min(end, at + dice.choice((0, 0, 0, 1, 2)))
            text = text[:at] + dice.choice(PIECES) + text[end:]
        yield text


def home(text):
    """Where a browser may be led: the origin, and how the path begins."""
    parts = urlsplit(text)
    port = {("https", 443): None, ("http", 80): None}.get((parts.scheme, parts.port), parts.port)
    return (f"{parts.scheme}://[{parts.hostname}]" if ":" in parts.hostname else f"{parts.scheme}://{parts.hostname}") + (
        f":{port}" if port else ""), parts.path


@pytest.mark.promise(
    "attack/oauth", "Whatever return_to is taken, a browser reads it as the allowed origin and below the allowed path")
@ONE_REALM
def test_what_is_taken_is_the_browsers_reading_too(strict, page, measured):
    """5,000 addresses near the allowed ones: Chromium's URL parser is asked about each that is taken."""
    texts = sorted({*bent(5000, 1), *TAKEN})
    answers = each([texts[at::4] for at in range(4)], lambda part: [(text, start(strict, text).status) for text in part])
    statuses = dict(pair for part in answers for pair in part)
    assert set(statuses.values()) == {302, 422}
    taken = [text for text, status in statuses.items() if status == 302]
    page.open()
    read = page.driver.execute_script("return arguments[0].map(one => { const url = new URL(one, 'https://evil.example/');"
                                      " return [url.origin, url.pathname, url.username + url.password]; })", taken)
    homes = [home(one) for one in ALLOWED]
    for text, (origin, path, user) in zip(taken, read):
        assert user == "" and any(origin == there and (path == below.rstrip("/") or path.startswith(below.rstrip("/") + "/")
                                                       or below in ("", "/")) for there, below in homes), (text, origin, path)
    measured(f"{len(taken)} of {len(texts)} near misses taken, all of them read as allowed by Chromium")
    assert len(taken) > 60
