# SPDX-License-Identifier: MIT
"""GET /metrics: who may read it, that it adds up, that nobody makes it grow, and what moves which number."""

import re
import urllib.request

import pytest

TOKEN = "a-token-for-the-scraper"
TYPE = "text/plain; version=0.0.4; charset=utf-8"
SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def parse(text):
    """{(name, frozenset of labels): number} of an exposition."""
    samples = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, labels, number = SAMPLE.fullmatch(line).groups()
            key = name, frozenset(LABEL.findall(labels or ""))
            assert key not in samples, line
            samples[key] = float(number)
    return samples


def total(samples, name, **labels):
    """The sum of all series of that name that have these labels."""
    wanted = set(labels.items())
    return sum(number for (found, have), number in samples.items() if found == f"graphgate_{name}" and wanted <= have)


def read(url, token=TOKEN, method="GET"):
    """Status, headers and text of /metrics, through a web server."""
    request = urllib.request.Request(url, method=method, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, reply.headers, reply.read().decode()
    except urllib.error.HTTPError as reply:
        with reply:
            return reply.status, reply.headers, reply.read().decode()


@pytest.fixture(scope="module")
def scraped(make_stack):
    return make_stack(METRICS_TOKEN=TOKEN)


@pytest.mark.parametrize("path", ["/metrics", "/metrics?x=1"])
def test_the_web_server_passes_it_on(scraped, path):
    status, headers, text = read(scraped.url + path)
    assert (status, headers["Content-Type"], headers["Cache-Control"]) == (200, TYPE, "no-store")
    assert headers["X-Request-ID"] and headers["Content-Security-Policy"] is None
    before = parse(text)
    assert read(scraped.url + path, method="HEAD")[0] == 200
    after = parse(read(scraped.url + path)[2])
    for method in ("GET", "HEAD"):
        one = {"route": "metrics", "method": method, "status": "200"}
        assert total(after, "http_requests_total", **one) == total(before, "http_requests_total", **one) + 1


def test_the_web_server_opens_it_to_nobody(scraped):
    for token in (None, "", TOKEN[:-1], TOKEN + "x"):
        status, headers, text = read(scraped.url + "/metrics", token)
        assert (status, headers["WWW-Authenticate"]) == (401, "Bearer") and "graphgate_" not in text
