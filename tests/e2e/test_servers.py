# SPDX-License-Identifier: MIT
"""What each sample in httpd-conf/ has to do for graphgate, at whatever web server the run has chosen, mostly over TLS."""

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
from urllib.parse import quote, urlsplit

import pytest
from behind import MANY_HEADERS, TOO_LARGE
from conftest import Person
from kit import event, wait_for
from leaks import found

from stack.process import wait_until
from stack.smoke import REALMS, Smoke
from stack.web import PASSED_ON

JSON = {"Content-Type": "application/json"}
CALLBACK = "/api/v1/auth/microsoft/callback"
EXCHANGE = "/api/v1/auth/microsoft/exchange"
UNKNOWN_CODE = json.dumps({"session_code": "unknown"}).encode()
MIB = 1024 * 1024
HSTS = "Strict-Transport-Security"
# Long enough to be looked for, and in no other test.
MARK = "marked-authorization-code-0123456789"
# What servers and loaders add by themselves.
MORE = {"PHP_FCGI_CHILDREN", "LD_LIBRARY_PATH", "SHLVL", "PWD", "_", "LANG", "LC_ALL"}


@pytest.fixture(scope="module")
def secure(make_stack):
    """A stack whose address is the https one."""
    return make_stack(over_https=True)


def ask(stack, method, path, headers=None, body=None, source="127.0.0.1", url=None):
    """One request and its answer's status, headers and bytes."""
    with connection(stack, source, url) as link:
        link.request(method, path, body, headers or {})
        reply = link.getresponse()
        return reply.status, reply.headers, reply.read()


class connection:  # pylint: disable=invalid-name
    """An HTTP connection to one of a stack's two addresses."""

    def __init__(self, stack, source="127.0.0.1", url=None):
        site = urlsplit(url or stack.url)
        given = {"context": stack.web.trust()} if site.scheme == "https" else {}
        kind = http.client.HTTPSConnection if given else http.client.HTTPConnection
        self._link = kind(site.hostname, site.port, timeout=60, source_address=(source, 0), **given)

    def __enter__(self):
        return self._link

    def __exit__(self, *fault):
        self._link.close()


def code_of(answer):
    """The code of a problem that graphgate worded."""
    assert answer[1]["Content-Type"].startswith("application/problem+json"), answer
    return json.loads(answer[2])["code"]


def test_the_servers_own_check_of_the_sample(secure):
    """It finds nothing to warn of."""
    done = subprocess.run([str(word) for word in secure.web.check_command()], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "warn" not in done.stdout + done.stderr, done


def test_main_job_over_tls(secure, sim):
    sim.seed("demo")
    assert Smoke(secure.url, sim.authorize, secure.web.trust()).run(("sam", "noor"))


@pytest.mark.promise("attack/oauth", "Behind https the state's cookie is __Host-, Secure and HttpOnly")
def test_cookie_is_for_https_alone(secure):
    for realm in REALMS:
        for cookie in ask(secure, "GET", f"{realm.prefix}/auth/microsoft/")[1].get_all("Set-Cookie"):
            assert cookie.startswith("__Host-") and "; Secure" in cookie and "; HttpOnly" in cookie


def test_an_id_with_a_slash_over_tls(secure, realm):
    someone = Person(secure, realm).connect()
    identifier = "AAMk//me/events/x+=="
    secure.sim.add_events(someone.user, event("awkward", id=identifier))
    path = "/events/" + quote(identifier, safe="")
    assert someone.cal("GET", path).body["event"]["id"] == identifier
    assert someone.cal("DELETE", path).status == 200 and secure.sim.events(someone.user) == []


def test_page_and_api_say_that_https_stays(secure):
    """On the API's own answers too, on errors of both, and not where TLS did not carry it."""
    for path in ("/", "/nowhere", "/api/v1/health/microsoft", "/api/v1/nowhere"):
        assert ask(secure, "GET", path)[1].get_all(HSTS) == ["max-age=31536000"], path
        assert ask(secure, "GET", path, url=secure.web.url)[1][HSTS] is None, path


def test_headers_of_the_page_and_of_the_api(secure):
    status, page, text = ask(secure, "GET", "/")
    assert status == 200 and page["Content-Type"] == "text/html; charset=utf-8" and b"<!doctype html>" in text.lower()
    assert page["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    for name, value in (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-cache")):
        assert page.get_all(name) == [value]
    assert ask(secure, "GET", "/app.js")[1]["Content-Type"].startswith("text/javascript")
    api = ask(secure, "GET", "/api/v1/nowhere")[1]
    assert api.get_all("Cache-Control") == ["no-store"] and api.get_all("X-Content-Type-Options") == ["nosniff"]
    assert api["Content-Security-Policy"] is None


def test_others_are_sent_to_https(secure):
    """Plain http is for this machine itself."""
    for target in ("/", "/api/v1/auth/microsoft/?x=%2F&y=1", "/api/v1/integration/microsoft/calendar/events/a%2Fb"):
        status, headers, _ = ask(secure, "GET", target, {"Host": "graphgate.example"}, source="127.0.0.2", url=secure.web.url)
        assert (status, headers["Location"]) == (308, "https://graphgate.example" + target)
    assert ask(secure, "GET", "/api/v1/health/microsoft", url=secure.web.url)[0] == 200


def test_a_body_of_one_mib_and_one_more_byte(secure):
    for size, code in ((MIB, "session_code_invalid"), (MIB + 1, "payload_too_large"), (3 * MIB, "payload_too_large")):
        assert code_of(ask(secure, "POST", EXCHANGE, JSON, UNKNOWN_CODE.ljust(size))) == code


def test_a_body_that_the_server_refuses_itself(secure):
    """It does not go on to graphgate; the server may close before all of it was sent."""
    try:
        assert ask(secure, "POST", EXCHANGE, JSON, b" " * (6 * MIB))[0] == TOO_LARGE.get(secure.server, 413)
    except (BrokenPipeError, ConnectionResetError, OSError):
        pass
    assert code_of(ask(secure, "POST", EXCHANGE, JSON, UNKNOWN_CODE)) == "session_code_invalid"


def test_a_body_in_chunks(secure):
    answer = ask(secure, "POST", EXCHANGE, JSON, iter([UNKNOWN_CODE[:9], UNKNOWN_CODE[9:]]))  # http.client says and does it
    assert code_of(answer) == "session_code_invalid"


def test_expect_continue(secure):
    answer = ask(secure, "POST", EXCHANGE, {**JSON, "Expect": "100-continue"}, UNKNOWN_CODE)
    assert code_of(answer) == "session_code_invalid"


@pytest.mark.promise("faults/client", "64 KiB in one header are refused by the web server with a 4xx; a token of 12 KiB by graphgate")
@pytest.mark.parametrize("size, refused", [(8100, False), (9000, False), (12 * 1024, False), (65 * 1024, True)])
def test_size_of_a_token(secure, size, refused):
    """graphgate words its own 401 above 8 KiB; 64 KiB of headers are the web server's to refuse."""
    try:
        answer = ask(secure, "GET", "/api/v1/auth/microsoft/user", {"Authorization": "Bearer " + "x" * size})
    except (BrokenPipeError, ConnectionResetError):
        assert refused
        return
    if refused:
        assert 400 <= answer[0] < 500 and b"invalid_token" not in answer[2]
    else:
        assert answer[0] == 401 and code_of(answer) == "invalid_token"


@pytest.mark.parametrize("size", [8000, 15_000, 17_000, 24_000, 40_000])
def test_size_of_a_target(secure, size):
    """Known by its path as long as it is let through at all: mod_proxy_fcgi would leave out a variable of more than 16 KiB."""
    try:
        status, headers, _ = ask(secure, "GET", f"/api/v1/auth/microsoft/callback?state={'x' * size}")
    except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
        status, headers = 414, {"X-Request-ID": None}
    assert status in ((400,) if headers["X-Request-ID"] else (414, 400, 431))
    assert status == 400 or size > 15_000


def test_headers_of_64_kib_in_many_lines(secure):
    """Refused by the server, or for graphgate no more than headers that it does not read."""
    status, headers, _ = ask(secure, "GET", "/api/v1/nowhere", {f"X-{number}": "y" * 8000 for number in range(9)})
    assert status == MANY_HEADERS[secure.server] and (status == 404) == (headers["X-Request-ID"] is not None)
    assert ask(secure, "GET", "/api/v1/health/microsoft")[0] == 200


def test_one_connection_for_many_requests(secure):
    """With HEAD, an error and a refused body among them: each answer ends where the next begins."""
    with connection(secure) as link:
        for method, path, body in (("GET", "/", None), ("HEAD", "/api/v1/health/microsoft", None), ("GET", "/api/v1/nowhere", None),
                                   ("POST", "/api/v1/auth/refresh", b'{"refresh_token": "unknown"}'), ("HEAD", "/", None),
                                   ("GET", "/api/v1/health/microsoft", None)):
            link.request(method, path, body, JSON if body else {})
            reply = link.getresponse()
            text = reply.read()
            assert (text == b"") == (method == "HEAD") and not reply.will_close
    assert reply.status == 200 and json.loads(text)["status"] == "healthy"


@pytest.mark.promise("attack/denial", "The caller's address is the connection's: no header of his own changes whom a limit counts")
def test_who_the_caller_is(make_stack):
    """The address of the connection; no header changes it."""
    stack = make_stack(over_https=True, RATE_LIMIT_OAUTH_CALLBACK="50/3600")
    stack.sql("DELETE FROM rate_limits")
    left = [int(ask(stack, "GET", CALLBACK, headers, source=source)[1]["RateLimit-Remaining"]) for source, headers in (
        ("127.0.0.1", {}), ("127.0.0.2", {}), ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}),
        ("127.0.0.1", {"Remote-Addr": "203.0.113.9", "Forwarded": "for=203.0.113.9"}))]
    assert left == [49, 49, 48, 47]


@pytest.mark.promise("attack/input", "A request header that is named Proxy, or like a setting, changes nothing")
def test_a_header_called_proxy_is_no_proxy(secure, realm):
    someone = Person(secure, realm).connect()
    headers = {"Authorization": f"Bearer {someone.token}", "Proxy": "http://127.0.0.1:9", "Graphgate-Config": "/dev/null"}
    assert ask(secure, "GET", someone.path("integration/microsoft/calendar/"), headers)[0] == 200


@pytest.mark.promise("attack/secrets", "A worker gets GRAPHGATE_CONFIG and nothing else of the web server's environment")
@pytest.mark.skipif(os.getuid() != 0, reason="only root may read a worker's environment")
def test_the_servers_environment_stays_outside(secure):
    assert wait_until(secure.serving_pids, 10)
    for pid in secure.worker_pids():
        with open(f"/proc/{pid}/environ", encoding="utf-8") as file:
            names = {pair.partition("=")[0] for pair in file.read().split("\0") if pair}
        assert "GRAPHGATE_CONFIG" in names and names <= {"GRAPHGATE_CONFIG", *PASSED_ON, *MORE}, names


def test_an_answer_that_takes_its_time(secure, realm):
    """Twelve seconds at Microsoft: no server gives up before graphgate would."""
    someone = Person(secure, realm).connect()
    secure.sim.fault("delay", "graph", user=someone.user, delay_ms=12000)
    assert someone.cal("GET").status == 200


# What stands in the logs


def send_raw(stack, *lines):
    """Bytes to the plain address, as they are; what came back is nobody's concern."""
    with socket.create_connection(("127.0.0.1", stack.web.port), 10) as link:
        link.sendall("\r\n".join([*lines, "", ""]).encode())
        try:
            return link.recv(65536)
        except OSError:
            return b""


@pytest.fixture(scope="module")
def ailing(make_stack):
    """A stack that nobody else uses: its workers are killed."""
    return make_stack(workers=2, LOG_LEVEL="debug", SIGN_IN="existing")


@pytest.mark.promise("attack/secrets", "No log of the web server holds a query string or a Referer, not even of a malformed request")
def test_no_query_of_a_bad_request_is_logged(ailing):
    query = f"code={MARK}&state={MARK}"
    host = ("Host: localhost", f"Referer: http://localhost/?{query}", "Connection: close")
    for line in (f"GET {CALLBACK}?{query} HTTP/1.1", f"GET /?{query} HTTP/1.1", f"GET /nowhere?{query} HTTP/1.1",
                 f"GET /style.css/x?{query} HTTP/1.1", f"GET /api/v1/../../../x?{query} HTTP/1.1", f"GET /../..?{query} HTTP/1.1",
                 f"GET /%zz?{query} HTTP/1.1", f"GET /%00?{query} HTTP/1.1", f"GET {CALLBACK}%00?{query} HTTP/1.1",
                 f"NO/SUCH {CALLBACK}?{query} HTTP/1.1", f"GET {CALLBACK}?{query} HTTP/9.9", f"GET {CALLBACK}?{query} JUNK",
                 f"GET {CALLBACK}?{query} x HTTP/1.1", f"GET {CALLBACK}?{query}", f"CONNECT {CALLBACK}?{query} HTTP/1.1",
                 f"GET http://localhost{CALLBACK}?{query} HTTP/1.1", f"TRACE {CALLBACK}?{query} HTTP/1.1",
                 f"GET {CALLBACK}?{query}\x01 HTTP/1.1", f"GET {CALLBACK}?{query}{'x' * 70000} HTTP/1.1"):
        send_raw(ailing, line, *host)
    for header in ("X: " + "y" * 70000, "Content-Length: -1", "Content-Length: 5\r\nTransfer-Encoding: chunked", "no colon",
                   "Expect: nonsense", "Host: other", "Bad Name: x", "Transfer-Encoding: nonsense"):
        send_raw(ailing, f"POST {CALLBACK}?{query} HTTP/1.1", *host, header)
    assert found({MARK: "code"}, *logs(ailing)) == {}


def logs(stack):
    """The logs, of which there must be all."""
    assert stack.web.access_log.exists() and stack.web.error_log.exists()
    return [log for log in stack.web.log_files() if log.exists()]


@pytest.mark.promise("attack/secrets", "A worker that dies under a request, or is not there, leaves no query string in any log either")
def test_no_query_of_a_lost_request_is_logged(ailing, sim):
    """Workers that die under a request, and none there at all: 5xx, soon well again, and nothing told of the query."""
    someone = Person(ailing, REALMS[0]).connect()
    sim.fault("delay", "graph", user=someone.user, count=None, delay_ms=8000)
    path = f"/api/v1/integration/microsoft/calendar/?code={MARK}&session_code={MARK}"
    headers = {"Authorization": f"Bearer {someone.token}", "Referer": f"http://localhost/?code={MARK}"}
    got = []
    callers = [threading.Thread(target=lambda: got.append(_status(ailing, path, headers))) for _ in range(2)]
    for caller in callers:
        caller.start()
    wait_for(lambda: sim.faults()[0]["hits"] >= 2, 20)
    for pid in ailing.serving_pids():
        os.kill(pid, signal.SIGKILL)
    sim.clear_faults()
    for caller in callers:
        caller.join()
    assert all(status is None or status >= 500 or status == 200 for status in got), got
    assert wait_until(lambda: _status(ailing, "/api/v1/health/microsoft", {}) == 200, 20)
    assert found({MARK: "code"}, *logs(ailing)) == {}
    for pid in ailing.worker_pids():
        os.kill(pid, signal.SIGKILL)
    for _ in range(3):
        _status(ailing, path, headers)
    assert found({MARK: "code"}, *logs(ailing)) == {}
    ailing.restart_worker()
    assert someone.cal("GET").status == 200


def _status(stack, path, headers):
    try:
        return ask(stack, "GET", path, headers)[0]
    except (OSError, http.client.HTTPException):
        return None
