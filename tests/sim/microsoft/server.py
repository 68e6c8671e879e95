# SPDX-License-Identifier: MIT
"""The listening sockets and the way of a request: journal, fault, handler, reply."""

import asyncio
import os
import signal
import traceback
import uuid
from pathlib import Path
from typing import Callable, Optional
from urllib.parse import urlsplit

from aiohttp import web

from . import authorize, control, discovery, faults, grants, graph, pages, play
from .aadsts import StsError
from .pki import make_contexts, write_private
from .wire import FORM_TYPE, Call, FormError, Reply, html_reply, http_date, json_reply

MAX_BODY = 8 * 1024 * 1024
# Tokens are long: 64 KiB for any one header line.
LIMITS = {"max_line_size": 65536, "max_headers": 256, "max_field_size": 65536}

# path below the tenant -> (target, handler, methods)
LOGIN_ROUTES = {
    ("oauth2", "v2.0", "authorize"): ("authorize", authorize.begin, ("GET", "POST")),
    ("login",): ("signin", authorize.picked, ("POST",)),
    ("consent",): ("signin", authorize.decided, ("POST",)),
    ("oauth2", "v2.0", "token"): ("token", grants.token, ("GET", "POST", "PUT", "DELETE")),
    ("oauth2", "v2.0", "logout"): ("logout", discovery.logout, ("GET", "POST")),
    ("v2.0", ".well-known", "openid-configuration"): ("discovery", discovery.configuration, ("GET",)),
    ("discovery", "v2.0", "keys"): ("keys", discovery.keys, ("GET",)),
}


def _not_found(_world, _call: Call) -> Reply:
    return html_reply(pages.page("404", "<p>The resource you are looking for has been removed.</p>"), 404)


def _not_allowed(_world, _call: Call) -> Reply:
    return html_reply(pages.page("405", "<p>Method not allowed.</p>"), 405)


def _route(call: Call) -> tuple:
    segments = call.segments
    if segments[0] == "_control":
        return "control", control.handle
    if segments[0] == graph.VERSION:
        return "graph", graph.handle
    target, handler, methods = LOGIN_ROUTES.get(tuple(segments[1:]), ("other", _not_found, ()))
    return target, handler if call.method in methods or target == "other" else _not_allowed


def _login_user(world, call: Call) -> Optional[str]:
    """Whose code or refresh token this is, for faults that are meant for one user."""
    if call.target != "token" or call.media_type != FORM_TYPE:
        return None
    try:
        form = dict(call.form)
    except (FormError, UnicodeDecodeError):
        return None
    call.notes["grant"] = form.get("grant_type")
    grants.note_secrets(world, call, form)
    known = world.ledger.codes.get(form.get("code", "")) or world.ledger.refresh.get(form.get("refresh_token", ""))
    return known.user if known else None


def run(world, call: Call, handler: Callable, rule: Optional[dict] = None) -> Reply:
    try:
        if rule and rule.get("kind") == "oauth_error" and handler is authorize.begin:
            return authorize.begin(world, call, rule)
        return handler(world, call)
    except authorize.PageError as exc:
        call.notes["aadsts"] = exc.problem.number
        return html_reply(pages.error(exc.problem), 400, pages.HEADERS)
    except StsError as exc:
        return html_reply(pages.error(exc), 400, pages.HEADERS)


class Server:
    def __init__(self, world):
        self.world = world

    async def _call_of(self, request: web.BaseRequest) -> Call:
        path, _, query = request.raw_path.partition("?")
        if "://" in path:
            path = urlsplit(path).path
        base = f"{request.scheme}://{request.host}"
        items = [(name, value) for name, value in request.headers.items()]
        return Call(base, request.method, path, query, request.headers, items, await request.read(), request.cookies)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        host = request.host.rpartition(":")[0] or request.host
        if host not in ("localhost", "127.0.0.1"):
            # A page elsewhere that has its name point here must not get at the control interface.
            return web.Response(status=421, text="this is localhost\n")
        call = await self._call_of(request)
        call.target, handler = _route(call)
        try:
            if call.target == "control":
                return await play.play(request, faults.Script(control.handle(self.world, call)))
            return await self._simulate(request, call, handler)
        except asyncio.CancelledError:
            raise
        except Exception:
            # A fault of the simulator's own must not pass for one that a test injected.
            trace = traceback.format_exc()
            return await play.play(request, faults.Script(json_reply({"simulator_bug": trace.splitlines()}, 599)))

    async def _simulate(self, request: web.BaseRequest, call: Call, handler: Callable) -> web.StreamResponse:
        world, reply = self.world, None
        call.notes["request_id"] = str(uuid.uuid4())
        call.user = graph.bearer_user(world, call) if call.target == "graph" else _login_user(world, call)
        journal = world.journal
        entry = journal.begin(call)
        journal.start(call)
        try:
            rule = world.faults.take(call)
            if rule:
                entry["fault"] = rule["id"]
                await asyncio.sleep(rule.get("delay_ms", 0) / 1000)
            acts = rule is None or faults.takes_effect(rule) or rule.get("kind") == "oauth_error"
            reply = run(world, call, handler, rule) if acts else Reply(500)
            script = faults.spoil(rule, call, reply) if rule else faults.Script(reply)
            reply = script.reply
            reply.set_header("Date", http_date(world.now_for_date()))
            if rule:
                await asyncio.sleep(rule.get("delay_after_ms", 0) / 1000)
            return await play.play(request, script)
        finally:
            journal.end(call, entry, reply)


async def serve(world, directory: Path, http_port: int, https_port: int, describe: Callable) -> None:
    """Runs until SIGTERM or SIGINT. `describe(http, https, {name: URL with a bad certificate})` gives what sim.json holds."""
    tls, bad = make_contexts(directory)
    loop = asyncio.get_running_loop()

    def request_of(*parts) -> web.BaseRequest:
        return web.BaseRequest(*parts, loop, client_max_size=MAX_BODY)

    server = web.Server(Server(world).answer, request_factory=request_of, access_log=None, **LIMITS)
    runner = web.ServerRunner(server)
    await runner.setup()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    plain = web.TCPSite(runner, "127.0.0.1", http_port, shutdown_timeout=0.5, backlog=512)
    secure = web.TCPSite(runner, "127.0.0.1", https_port, shutdown_timeout=0.5, backlog=512, ssl_context=tls)
    await plain.start()
    await secure.start()
    for context in bad.values():
        await web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.5, backlog=64, ssl_context=context).start()
    ports = [address[1] for address in runner.addresses]
    description = describe(f"http://127.0.0.1:{ports[0]}", f"https://localhost:{ports[1]}",
                           {name: f"https://localhost:{port}" for name, port in zip(bad, ports[2:])})
    write_private(directory / "sim.json", description.encode())
    print(f"simulated Microsoft: pid {os.getpid()}, http://127.0.0.1:{ports[0]}, https://localhost:{ports[1]}", flush=True)
    await stop.wait()
    (directory / "sim.json").unlink(missing_ok=True)
    await runner.cleanup()
