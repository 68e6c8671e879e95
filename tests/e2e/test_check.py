# SPDX-License-Identifier: MIT
"""graphgatectl check: broken set-ups, each with the line that must name its fault, and no other.

A row of BROKEN breaks one thing of a set-up in which all is well: settings over the usual ones, and perhaps something
done before (`by`, whose answers are settings too). `says` holds the lines that are not ok: their level and words of
their sentence. `skips` are the lines that cannot be looked at then.
"""

import contextlib
import http.server
import re
import socket
import threading
from types import SimpleNamespace

import pytest
from broken import BROKEN, SECRET, World
from fcgi_client import Program
from metrics import TOKEN, Moves

from stack.process import Child, free_port
from stack.stack import CALLBACK, ROOT
from stack.web import program as server_program

LINES = ("configuration", "database", "schema", "grants", "limits", "JWT secret", "encryption", "stored tokens", "seals", "inactive",
         "database clock", "discovery", "signing keys", "clock", "client secret", "secret expiry", "redirect URI", "callback")


def run(stack, **settings):
    """One check: its exit status and [(line, level, sentence)]; settings are laid over the stack's, None takes one away."""
    env = {name: "" if value is None else str(value) for name, value in settings.items()}
    done = stack.ctl("check", env=env, check=False)
    assert SECRET not in done.stdout + done.stderr
    return done.returncode, [_split(line) for line in done.stdout.splitlines()]


def _split(line):
    name, said = line[:14].rstrip(), line[15:]
    level = next((word for word in ("ok", "warning", "failed", "not checked") if re.match(rf"{word}(:|$)", said)), None)
    return name, level, said[len(level or "") + 2:]


@pytest.fixture(scope="module", name="own")
def _own(stack, mariadb):
    """A migrated database of this file's own, which may be broken; .broken holds what mends it: .migrate, .grant, .empty."""
    made = mariadb.create("gg_check")
    account = f"'{made.worker}'@'%'"

    def grant():
        mariadb.sql(f"DROP ROLE IF EXISTS gg_check_role; REVOKE ALL PRIVILEGES, GRANT OPTION FROM {account}")
        mariadb.grant(made.name, ROOT / "sql" / "grants.sql")

    def empty():
        mariadb.sql("DELETE FROM microsoft_oauth_tokens; DELETE FROM beta_microsoft_oauth_tokens", made.name)

    def migrate():
        mariadb.sql(f"DROP DATABASE `{made.name}`; CREATE DATABASE `{made.name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        stack.ctl("migrate", env={"DATABASE_URL": mariadb.url(made.admin)})
        grant()

    migrate()
    yield SimpleNamespace(sql=lambda text: mariadb.rows(text, made.name), url=mariadb.url(made.worker), name=made.name,
                          tcp_url=mariadb.tcp_url(made.worker), admin_url=mariadb.url(made.admin), worker=account, grant=grant, empty=empty,
                          migrate=migrate, broken=set())
    mariadb.drop(made.name)


class _Site(http.server.BaseHTTPRequestHandler):
    """Always the same answer, one that no web server of the tests gives."""

    def do_GET(self):  # pylint: disable=invalid-name
        """The answer."""
        status, headers, body = self.server.says
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_arguments):  # pylint: disable=arguments-differ
        """Nothing to standard error."""


@pytest.fixture(name="site")
def _site():
    """site(401, {"WWW-Authenticate": …}, b""): the address of a callback that answers so."""
    made = []

    def make(status, headers=None, body=b""):
        server = http.server.HTTPServer(("127.0.0.1", 0), _Site)
        server.says = status, headers or {}, body
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made.append(server)
        return f"http://127.0.0.1:{server.server_port}{CALLBACK}"

    yield make
    for server in made:
        server.shutdown()
        server.server_close()


LIGHTTPD = """
server.modules = ("mod_redirect", "mod_fastcgi")
server.document-root = "{folder}"
server.bind = "127.0.0.1"
server.port = {none}
$SERVER["socket"] == "127.0.0.1:{down}" {{ fastcgi.server = ("/api/v1" => (("socket" => "{folder}/nobody", "check-local" => "disable"))) }}
$SERVER["socket"] == "127.0.0.1:{worker}" {{ fastcgi.server = ("/api/v1" => (("socket" => "{folder}/s", "check-local" => "disable"))) }}
$SERVER["socket"] == "127.0.0.1:{moved}" {{ url.redirect = ("(.*)" => "https://www.example.org$1") }}
$SERVER["socket"] == "127.0.0.1:{login}" {{ url.redirect = ("(.*)" => "/login?next=$1") }}
"""


@pytest.fixture(scope="module", name="lighttpd")
def _lighttpd(tmp_path_factory):
    """A real web server that is set up wrong in several ways, each at a port: none, down, worker, moved, login."""
    folder = tmp_path_factory.mktemp("w")
    ports = {name: free_port() for name in ("none", "down", "worker", "moved", "login")}
    (folder / "conf").write_text(LIGHTTPD.format(folder=folder, **ports), encoding="utf-8")
    child = Child("lighttpd", [server_program("lighttpd", "lighttpd"), "-D", "-f", str(folder / "conf")], folder)
    child.start()
    child.wait_for(lambda: _answers(ports["none"]), timeout_s=30)
    yield SimpleNamespace(folder=folder, at=lambda name: f"http://127.0.0.1:{ports[name]}{CALLBACK}")
    child.stop(timeout_s=10)


def _answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@pytest.fixture(name="worker")
def _worker(stack, lighttpd):
    """worker(DATABASE_URL=…): a worker with other settings behind that web server; the address of its callback."""
    made = []

    def make(**settings):
        made.append(Program(stack, lighttpd.folder, (), settings).start())
        return lighttpd.at("worker")

    yield make
    for one in made:
        one.stop()


@pytest.fixture(name="world")
def _world(stack, sim, own, mariadb, site, lighttpd, worker, tmp_path):  # pylint: disable=too-many-arguments
    yield World(stack, sim, own, mariadb, site, lighttpd, worker, tmp_path)
    sim.settings(date_skew_s=0)
    while own.broken:
        own.broken.pop()()


def test_nothing_is_wrong(stack, clean_url):
    status, lines = run(stack, DATABASE_URL=clean_url)
    assert status == 0 and [name for name, _, _ in lines] == ["file", *LINES]
    assert all(level == "ok" for _, level, _ in lines[1:]), lines
    assert all(said == "" for name, _, said in lines[1:] if name not in ("secret expiry", "seals", "limits")), lines
    assert "--scan" in next(said for name, _, said in lines if name == "seals")


@pytest.mark.parametrize("row", BROKEN, ids=[row.name.replace(" ", "-") for row in BROKEN])
def test_check_names_the_fault(world, row):
    given = {"DATABASE_URL": world.own.url, **row.settings, **((row.by(world) if row.by else None) or {})}
    status, lines = run(world.stack, **given)
    wrong = {name: level for name, level, _ in lines if name != "file" and level not in ("ok", "not checked")}
    assert wrong == {name: wanted[0] for name, wanted in row.says.items()}, lines
    assert tuple(name for name, level, _ in lines if level == "not checked") == row.skips or \
        {name for name, level, _ in lines if level == "not checked"} == set(row.skips), lines
    for name, (_, *words) in row.says.items():
        said = " ".join(said for line, level, said in lines if line == name and level != "ok")
        assert all(word in said for word in words), said
    assert status == (1 if "failed" in wrong.values() else 0)


# mutant: src/ctl/check_site.c: .method = "POST" => .method = "GET"
def test_check_leaves_limits_and_metrics_alone(stack, lighttpd, worker, clean_url):
    """However often it asks, no callback is counted, none fails, and no sign-in is taken for an attack."""
    at = worker(METRICS_TOKEN=TOKEN, RATE_LIMIT_OAUTH_CALLBACK="1/3600")
    served = Program.made[-1]
    with Moves(served) as moved:
        for _ in range(3):
            status, lines = run(stack, DATABASE_URL=clean_url, REDIRECT_URI=at)
            assert status == 0 and ("callback", "ok", "") in lines, lines
    assert moved("http_requests_total", route="auth/microsoft/callback", method="POST", status="405") == 3
    assert moved("http_requests_total", route="auth/microsoft/callback") == 3
    for name in ("rate_limited_total", "state_mismatches_total", "authentications_total"):
        assert moved(name) == 0, name


def test_doctor_is_another_name(stack, clean_url):
    env = {"DATABASE_URL": clean_url}
    assert stack.ctl("doctor", env=env).stdout == stack.ctl("check", env=env).stdout
    assert "also called doctor" in stack.ctl("--help").stdout


def test_there_are_enough():
    assert len(BROKEN) >= 60 and {name for row in BROKEN for name in row.says} == set(LINES)
