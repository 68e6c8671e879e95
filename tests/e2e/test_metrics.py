# SPDX-License-Identifier: MIT
"""GET /metrics: who may read it, what its text is, that nobody makes it grow, and the file behind it."""

import os
import stat
import subprocess
import urllib.error
import urllib.request

import pytest
from conftest import Person
from fcgi_client import direct
from kit import is_problem
from metrics import AUTHORIZATION, TOKEN, TYPE, parse, scrape, total

from stack.smoke import REALMS

MAIN, BETA = REALMS


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


@pytest.fixture
def worker(program):
    made = program("--workers", 2, METRICS_TOKEN=TOKEN)
    assert made.health().status == 200
    return made


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
    for token in (None, TOKEN[:-1], TOKEN + "x"):
        status, headers, text = read(scraped.url + "/metrics", token)
        assert (status, headers["WWW-Authenticate"]) == (401, "Bearer") and "graphgate_" not in text


def test_an_administrator_reads_it(worker):
    someone = direct(Person, worker, MAIN)
    assert someone.log_in(scopes=["admin"]).call("GET", "/metrics").status == 200
    is_problem(someone.log_in().call("GET", "/metrics"), 403, "admin_required")
    is_problem(direct(Person, worker, BETA).log_in(scopes=["admin"]).call("GET", "/metrics"), 403, "wrong_realm")
    someone.token = None
    is_problem(someone.call("GET", "/metrics"), 401, "invalid_token")


def test_the_scrapers_token_reads_nothing_else(worker):
    for path in ("/api/v1/health/microsoft/tokens", "/api/v1/auth/microsoft/user"):
        is_problem(worker.ask("GET", path, AUTHORIZATION), 401, "invalid_token")


def test_without_a_token_only_an_administrator(program):
    worker = program()
    is_problem(worker.ask("GET", "/metrics", AUTHORIZATION), 401, "invalid_token")
    is_problem(worker.ask("GET", "/metrics", {"HTTP_AUTHORIZATION": "Bearer "}), 401, "invalid_token")
    assert direct(Person, worker, MAIN).log_in(scope="admin").call("GET", "/metrics").status == 200


def test_what_is_not_configured_can_be_seen(program):
    """Not by a JWT: what checks those may be what is missing."""
    worker = program(METRICS_TOKEN=TOKEN, SIGN_IN="sometimes")
    is_problem(worker.ask("GET", "/api/v1/auth/microsoft/"), 503, "not_configured")
    assert total(scrape(worker), "http_requests_total", route="auth/microsoft", status="503") == 1
    is_problem(direct(Person, worker, MAIN).log_in(scopes=["admin"]).call("GET", "/metrics"), 503, "not_configured")


def test_many_scrapes_are_no_matter_for_a_limit(program):
    worker = program(METRICS_TOKEN=TOKEN, RATE_LIMIT_CALENDAR="1/60", RATE_LIMIT_OAUTH_START="1/60")
    assert [worker.ask("GET", "/metrics", AUTHORIZATION).status for _ in range(5)] == [200] * 5


def test_it_is_what_prometheus_reads(worker):
    """promtool takes the text, names and units included."""
    direct(Person, worker, MAIN).connect().cal("GET")
    text = worker.ask("GET", "/metrics", AUTHORIZATION).body
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_build_and_secret(worker, program):
    assert total(scrape(worker), "build_info") == 1
    assert not any(name == "client_secret_expires_timestamp_seconds" for name, _ in scrape(worker))
    other = program(METRICS_TOKEN=TOKEN, MSCLIENTSECRET_EXPIRES="2030-01-31")
    at = total(scrape(other), "client_secret_expires_timestamp_seconds")
    assert 1895961600 <= at <= 1895961600 + 2 * 86400     # that day, whichever end of it


# mutant: src/web/route.c: x->path_number = number_of(first); => x->path_number = (unsigned)x->request.path.n;
def test_nobody_makes_it_grow(worker):
    """Whatever is asked for, and how, the series are those of the tables."""
    for method in ("PROPFIND", "GETS", "X" * 200, "OPTIONS", "TRACE", "-"):
        worker.ask(method, "/api/v1/auth/microsoft/user")
    before = len(scrape(worker))
    for number in range(1000):
        worker.ask("GET", f"/{number}/%22{number}" if number % 2 else f"/api/v1/integration/microsoft/calendar/events/{number}")
    for number in range(50):
        worker.ask(f"M{number}", "/api/v1/auth/microsoft/user")
        worker.ask("GET", f"/api/v1/auth/microsoft/user?x={number}", {"HTTP_AUTHORIZATION": f"Bearer {number}"})
    after = scrape(worker)
    routes = {dict(labels)["route"] for name, labels in after if name == "http_requests_total"}
    assert routes == {"other", "metrics", "health/microsoft", "auth/microsoft/user", "integration/microsoft/calendar/events/{id}"}
    assert {dict(labels)["method"] for name, labels in after if name == "http_requests_total"} == {"GET", "other"}
    # Of each route with a method that is new: its one status, and a histogram's count, sum and sixteen buckets.
    assert len(after) - before == 4 * (1 + 1 + 1 + 16)
    assert total(after, "http_requests_total", route="other", method="GET", status="404") == 500


# What the workers of a host share: what its name ends in, and the event that tells of what is wrong with it.
SHARED = {"page": ("metrics.????????", "metrics"), "journal": ("metrics.*.audit", "audit.journal")}
TRAPS = ["symlink", "dangling", "hard link", "fifo", "folder", "others may read"]


def shared(worker, kind):
    """That file."""
    (found,) = worker.directory.glob(SHARED[kind][0])
    return found


@pytest.mark.parametrize("kind", SHARED)
def test_the_file_is_the_accounts_alone(worker, kind):
    found = os.lstat(shared(worker, kind))
    assert stat.S_ISREG(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o600 and found.st_uid == os.getuid()
    assert found.st_nlink == 1


@pytest.mark.parametrize("kind, trap", [*((kind, trap) for kind in SHARED for trap in TRAPS), ("page", "another kind")])
def test_no_trap_is_stepped_into(worker, program, tmp_path, kind, trap):
    """Nothing is written to what somebody laid in its place; the service goes on, without metrics or without a journal."""
    name = shared(worker, kind).name
    treasure = tmp_path / "treasure"
    treasure.write_bytes(b"mine")
    place = tmp_path / name
    {"symlink": lambda: place.symlink_to(treasure), "dangling": lambda: place.symlink_to(tmp_path / "nothing"),
     "hard link": lambda: os.link(treasure, place), "fifo": lambda: os.mkfifo(place, 0o600), "folder": place.mkdir,
     "others may read": lambda: place.touch(0o644), "another kind": lambda: place.write_bytes(b"a diary")}[trap]()
    if trap == "another kind":
        place.chmod(0o600)
    before = os.lstat(place)
    victim = program("--workers", 1, METRICS_TOKEN=TOKEN, METRICS_FILE=tmp_path / "metrics")
    answer = victim.ask("GET", "/metrics", AUTHORIZATION)
    if kind == "page":
        is_problem(answer, 503, "not_configured")
    assert f"level=warning event={SHARED[kind][1]} " in victim.logs() and "METRICS_FILE" in victim.logs()
    assert victim.health().status == 200 and treasure.read_bytes() == b"mine"
    after = os.lstat(place)
    assert (after.st_size, after.st_mode, after.st_ino) == (before.st_size, before.st_mode, before.st_ino)
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("file", ["/nonexistent/metrics", "/proc/metrics", "/" + "x" * 300])
def test_where_no_file_can_be_the_service_goes_on(program, file):
    worker = program(METRICS_TOKEN=TOKEN, METRICS_FILE=file)
    assert worker.health().status == 200 and "level=warning event=metrics " in worker.logs()
    is_problem(worker.ask("GET", "/metrics", AUTHORIZATION), 503, "not_configured")


def test_off(program):
    worker = program(METRICS_TOKEN=TOKEN, METRICS_FILE="off")
    is_problem(worker.ask("GET", "/metrics", AUTHORIZATION), 404, "not_found")
    is_problem(worker.ask("GET", "/metrics"), 401, "invalid_token")
    assert worker.health().status == 200 and not list(worker.directory.glob("metrics*"))


def test_the_usual_file_is_one_for_each_site(program, stack):
    """Two programs of one site share it, another site has another, and no secret is in its name."""
    first, second = (program(METRICS_TOKEN=TOKEN, METRICS_FILE=None) for _ in range(2))
    other = program(METRICS_TOKEN=TOKEN, METRICS_FILE=None, REDIRECT_URI="https://other.example/api/v1/auth/microsoft/callback")
    first.ask("GET", "/nothing")
    assert total(scrape(second), "http_requests_total", route="other") == 1
    assert total(scrape(other), "http_requests_total", route="other") == 0
    maps = {one.pid: {line.split()[-1] for line in open(f"/proc/{one.pid}/maps", encoding="utf-8") if "/dev/shm/" in line}
            for one in (first, second, other)}
    assert maps[first.pid] == maps[second.pid] != maps[other.pid]
    (name,) = maps[first.pid]
    assert name.startswith(f"/dev/shm/graphgate-{os.getuid()}-") and stack.conf["MSCLIENTID"] not in name


def test_a_reload_counts_on(program):
    worker = program("--workers", 2, METRICS_TOKEN=TOKEN)
    for _ in range(3):
        worker.ask("GET", "/nothing")
    old = worker.workers()
    worker.conf["METRICS_TOKEN"] = "another-token-for-the-scraper"
    worker.conf_file.write_text("".join(f"{name}={value}\n" for name, value in worker.conf.items()))
    worker.signal(1)
    while old & worker.workers():
        worker.ask("GET", "/nothing")
    assert worker.ask("GET", "/metrics", AUTHORIZATION).status == 401
    answer = worker.ask("GET", "/metrics", {"HTTP_AUTHORIZATION": "Bearer another-token-for-the-scraper"})
    assert total(parse(answer.body), "http_requests_total", route="other") >= 3
