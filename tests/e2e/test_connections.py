# SPDX-License-Identifier: MIT
"""Connections to Microsoft are kept, TLS sessions resumed, HTTP/2 spoken where it is offered, keys fetched once a host.

Between the program and the simulator stands nginx, which ends TLS and writes down each request's connection.
"""

import json
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import Person
from fcgi_client import direct
from stack import web
from stack.process import Child, free_port, wait_until

EVENT = {"subject": "Kept", "start": "2030-01-01T10:00:00Z", "end": "2030-01-01T11:00:00Z"}
CONFIG = """
worker_processes 1;
pid {run}/nginx.pid;
error_log {run}/error.log;
events {{ worker_connections 256; }}
http {{
    log_format seen escape=json '{{"connection": $connection, "request": $connection_requests, "protocol": '
        '"$server_protocol", "resumed": "$ssl_session_reused", "method": "$request_method", "path": "$uri"}}';
    access_log {run}/seen.log seen;
    client_body_temp_path {run}/body; proxy_temp_path {run}/proxy; fastcgi_temp_path {run}/fastcgi;
    uwsgi_temp_path {run}/uwsgi; scgi_temp_path {run}/scgi;
    keepalive_requests {requests};
    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_session_cache shared:kept:1m;
    server {{
        listen 127.0.0.1:{port} ssl{offer};
        location / {{ proxy_pass {sim}; proxy_set_header Host $host; }}
    }}
}}
"""


class Front:
    """nginx before the simulator; what it has seen."""

    def __init__(self, sim, directory, **given):
        directory.mkdir()
        self.directory, self.port = directory, free_port()
        config = directory / "nginx.conf"
        config.write_text(CONFIG.format(
            run=directory, port=self.port, sim=sim.http, certificate=sim.dir / "server.pem", key=sim.dir / "server.pem",
            offer=" http2" if given.get("http2", True) else "", requests=given.get("requests", 1000)), encoding="utf-8")
        self.child = Child("front", [web.program("nginx", "nginx"), "-e", directory / "error.log", "-c", config,
                                     "-g", "daemon off;"], directory)
        self.url = f"https://localhost:{self.port}"
        self.ca_file = sim.ca_file

    def start(self):
        self.child.start()
        context = ssl.create_default_context(cafile=self.ca_file)
        self.child.wait_for(lambda: _answers(context, self.port))
        return self

    def seen(self, **wanted):
        """Requests so far that have these fields."""
        text = (self.directory / "seen.log").read_text(encoding="utf-8")
        return [one for one in map(json.loads, text.splitlines()) if all(one[name] == value for name, value in wanted.items())]


def _answers(context, port):
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as plain, context.wrap_socket(plain, server_hostname="localhost"):
            return True
    except OSError:
        return False


@pytest.fixture
def front(sim, tmp_path):
    """front(http2=False, requests=3): nginx before the simulator."""
    made = []

    def make(**given):
        made.append(Front(sim, tmp_path / str(len(made)), **given).start())
        return made[-1]

    yield make
    for one in made:
        one.child.stop()


@pytest.fixture
def kept(program, realm):
    """kept(front): somebody connected, at a program of one process whose Microsoft is behind that front."""
    def make(before):
        someone = direct(Person, program(), realm).connect()
        behind = program(MICROSOFT_GRAPH_URL=f"{before.url}/v1.0", MICROSOFT_LOGIN_URL=before.url)
        other = direct(Person, behind, realm, user=someone.user)
        other.subject, other.token = someone.subject, someone.token
        return other
    return make


def use(someone, times=3):
    for _ in range(times):
        assert someone.cal("GET", "/events").status == 200
        assert someone.cal("POST", "/events", EVENT).status == 201


# mutant: src/ext/http.c: (long)CURL_HTTP_VERSION_2TLS => (long)CURL_HTTP_VERSION_1_1
@pytest.mark.parametrize("offered, protocol", [(True, "HTTP/2.0"), (False, "HTTP/1.1")], ids=["http2", "http1"])
def test_one_connection_for_reads_and_writes(front, kept, offered, protocol):
    before = front(http2=offered)
    use(kept(before))
    seen = wait_until(lambda: len(before.seen()) == 6 and before.seen(), 5)
    assert {one["connection"] for one in seen} == {seen[0]["connection"]}, seen
    assert {one["protocol"] for one in seen} == {protocol}


# mutant: src/ext/http.c: if (*easy == NULL) { => curl_easy_cleanup(*easy); *easy = NULL; if (*easy == NULL) {
def test_a_new_connection_resumes_the_session(front, kept):
    """The server ends each connection after two requests: all but the first begin with the session that there was."""
    before = front(http2=False, requests=2)
    use(kept(before))
    seen = wait_until(lambda: len(before.seen()) == 6 and before.seen(), 5)
    connections = {one["connection"]: one["resumed"] for one in seen}
    assert list(connections.values()) == [".", "r", "r"], seen


def test_a_refresh_has_a_connection_of_its_own_and_the_same_session(front, kept):
    """A code or a refresh token sent into a connection that breaks may be spent; so it never goes into an old one."""
    before = front()
    someone = kept(before)
    for _ in range(2):
        someone.set_row("expires_at = NOW() + INTERVAL 60 SECOND, refresh_after = NULL")
        assert someone.cal("GET", "/events").status == 200
    assert wait_until(lambda: len(before.seen()) == 4, 5)
    posts = before.seen(method="POST")
    assert len({one["connection"] for one in posts}) == 2, posts
    assert posts[1]["resumed"] == "r", posts


def test_keys_are_fetched_once_for_all_workers(program, realm, sim, stack):
    """Eight workers, and everybody signs in: one of them asks for the discovery document and the keys."""
    stack.sql("DELETE FROM signing_keys")
    many = program("--workers", 8)
    began = time.time()
    people = [direct(Person, many, realm) for _ in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: one.sign_in(), people))
    for target in ("keys", "discovery"):
        assert len([one for one in sim.requests(target=target) if one["time"] >= began]) == 1
