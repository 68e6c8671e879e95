# SPDX-License-Identifier: MIT
"""The authorization endpoint: request checks, account picker, consent, and the way back to the site."""

import json
import re
import secrets
import time
import uuid
from dataclasses import dataclass
from typing import Optional
from urllib.parse import quote, urlsplit

from . import idtoken, pages
from .aadsts import StsError
from .audience import check_path, check_user
from .directory import OIDC_SCOPES, SCOPE_NAMES, App, User
from .keys import b64url
from .wire import FORM_TYPE, Call, FormError, Reply, html_reply, redirect, single_values

FLOW_LIFE_S = 600
COOKIE = "ESTSAUTHPERSISTENT"
RESPONSE_MODES = ("query", "fragment", "form_post")
PROMPTS = ("login", "none", "consent", "select_account")
CHALLENGE_METHODS = ("S256", "plain")
_CHALLENGE = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)


class PageError(Exception):
    """Shown at Microsoft; the browser is not sent back."""

    def __init__(self, problem: StsError):
        super().__init__(str(problem))
        self.problem = problem


@dataclass
class Flow:
    """One authorization request that passed the checks, waiting for its user."""

    id: str
    tenant_path: str
    app: App
    params: dict
    scopes: list
    response_types: set
    mode: str
    created: float
    user: Optional[User] = None

    @property
    def redirect_uri(self) -> str:
        return self.params["redirect_uri"]


GRAPH = "https://graph.microsoft.com/"


def asks_prefixed(text: str, base: str) -> bool:
    """Whether the client spells Graph's scopes with Graph's prefix; answers spell them alike."""
    return any(word.lower().startswith((GRAPH, f"{base}/".lower())) for word in text.split(" "))


def parse_scopes(text: str, base: str) -> list:
    """Canonical names. A Graph scope may carry Graph's own prefix or none; `.default` stands alone."""
    found = []
    for word in text.split(" "):
        name = word
        for prefix in (GRAPH, f"{base}/"):
            if word.lower().startswith(prefix.lower()):
                name = word[len(prefix):]
        if not word:
            continue
        if name == ".default":
            found.append(".default")
        elif name.lower() in SCOPE_NAMES:
            found.append(SCOPE_NAMES[name.lower()])
        else:
            raise StsError(70011, f"The provided value for the input parameter 'scope' is not valid. The scope '{word}' is not valid.")
    if ".default" in found:
        if [name for name in found if name != ".default" and name not in OIDC_SCOPES]:
            raise StsError(70011, ".default scope can't be combined with resource-specific scopes.")
        found = [name for name in found if name != ".default"] + ["User.Read", "Calendars.ReadWrite"]
    return list(dict.fromkeys(found))


def _registered(world, params: dict, tenant_path: str) -> App:
    """Client and redirect URI: as long as these are not certain, nothing is sent anywhere."""
    if not params.get("client_id"):
        raise PageError(StsError(900144, "The request body must contain the following parameter: 'client_id'."))
    app = world.directory.apps.get(params["client_id"])
    if app is None:
        raise PageError(StsError(700016, f"Application with identifier '{params['client_id']}' was not found in the directory."))
    if not params.get("redirect_uri"):
        raise PageError(StsError(900971))
    if params["redirect_uri"] not in app.redirect_uris + app.spa_redirect_uris:
        raise PageError(StsError(50011, f"The redirect URI '{params['redirect_uri']}' specified in the request does not match the "
                                 f"redirect URIs configured for the application '{app.client_id}'."))
    try:
        check_path(world.directory, tenant_path, app)
    except StsError as exc:
        raise PageError(exc) from exc
    return app


def _check_response(params: dict, app: App) -> tuple:
    """(response types, response mode); the mode is settled first, since errors travel by it."""
    kinds = set(params.get("response_type", "").split(" ")) - {""}
    mode = params.get("response_mode") or ("fragment" if kinds & {"id_token", "token"} else "query")
    problem = None
    if not kinds:
        problem = StsError(900144, "The request body must contain the following parameter: 'response_type'.")
    elif "token" in kinds:
        problem = StsError(700051)
    elif not kinds <= {"code", "id_token"}:
        problem = StsError(90023, "The response_type is not supported.", error="unsupported_response_type")
    elif "id_token" in kinds and not app.id_token_implicit:
        problem = StsError(700054)
    elif mode not in RESPONSE_MODES or (mode == "query" and "id_token" in kinds):
        problem = StsError(90023, "The response_mode is not supported for the response_type.")
    if mode not in RESPONSE_MODES:
        mode = "query"
    return kinds, mode, problem


def _check_rest(params: dict, kinds: set) -> None:
    prompt = params.get("prompt")
    if prompt and prompt not in PROMPTS:
        raise StsError(90023, "Unsupported prompt value.")
    if prompt == "select_account" and params.get("login_hint"):
        raise StsError(90023, "login_hint and prompt=select_account cannot be used together.")
    if "id_token" in kinds and not params.get("nonce"):
        raise StsError(900144, "The request body must contain the following parameter: 'nonce'.")
    method = params.get("code_challenge_method")
    if method and (method not in CHALLENGE_METHODS or not params.get("code_challenge")):
        raise StsError(501491, "Invalid code_challenge_method, or none to go with it.")
    if params.get("code_challenge") and not _CHALLENGE.fullmatch(params["code_challenge"]):
        raise StsError(501491)
    if params.get("claims"):
        try:
            if not isinstance(json.loads(params["claims"]), dict):
                raise ValueError("not an object")
        except ValueError as exc:
            raise StsError(90023, "The claims parameter is not valid JSON.") from exc
    if not params.get("scope"):
        raise StsError(900144, "The request body must contain the following parameter: 'scope'.")


def _params(call: Call) -> dict:
    try:
        if call.method == "POST":
            if call.media_type != FORM_TYPE:
                raise FormError("The request is not a form.")
            return single_values(call.form)
        return single_values(call.query)
    except (FormError, UnicodeDecodeError) as exc:
        raise PageError(StsError(9000411, f"The request is not properly formatted. {exc}")) from exc


def answer(world, flow: Flow, fields: list) -> Reply:
    """Back to the site, by the response mode that it chose."""
    if "state" in flow.params:
        fields = [*fields, ("state", flow.params["state"])]
    if flow.mode == "form_post":
        return html_reply(pages.form_post(flow.redirect_uri, fields))
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in fields)
    if flow.mode == "fragment":
        return redirect(f"{flow.redirect_uri}#{query}")
    glue = "&" if urlsplit(flow.redirect_uri).query else "?"
    return redirect(flow.redirect_uri + glue + query + ("#" if world.settings["empty_fragment"] else ""))


def answer_error(world, flow: Flow, problem: StsError) -> Reply:
    fields = [("error", problem.error), ("error_description", problem.description())]
    if problem.suberror:
        fields.append(("error_subcode", problem.suberror))
    return answer(world, flow, fields)


def _cancelled(world, flow: Flow) -> Reply:
    # Recorded of the real service: pressing Cancel brings no error_description.
    return answer(world, flow, [("error", "access_denied"), ("error_subcode", "cancel")])


def session_of(world, call: Call) -> set:
    return world.sessions.get(call.cookies.get(COOKIE, ""), set())


def begin(world, call: Call, fault: Optional[dict] = None) -> Reply:
    """GET or POST /{tenant}/oauth2/v2.0/authorize"""
    params = _params(call)
    tenant_path = call.segments[0]
    app = _registered(world, params, tenant_path)
    kinds, mode, problem = _check_response(params, app)
    flow = Flow(secrets.token_urlsafe(24), tenant_path, app, params, [], kinds, mode, time.time())
    call.notes["client_id"] = app.client_id
    try:
        if problem:
            raise problem
        if fault:
            return _injected(world, flow, fault)
        _check_rest(params, kinds)
        flow.scopes = parse_scopes(params["scope"], call.base)
        return _choose_user(world, call, flow)
    except StsError as exc:
        call.notes["aadsts"] = exc.number
        return answer_error(world, flow, exc)


def _injected(world, flow: Flow, fault: dict) -> Reply:
    """A fault of kind oauth_error: the site gets this error instead of a picker."""
    if fault.get("aadsts"):
        return answer_error(world, flow, StsError(fault["aadsts"], fault.get("error_description"), error=fault.get("error")))
    names = ("error", "error_description", "error_subcode", "error_uri")
    return answer(world, flow, [(name, fault[name]) for name in names if fault.get(name) is not None])


def _choose_user(world, call: Call, flow: Flow) -> Reply:
    signed_in = [world.directory.users[key] for key in sorted(session_of(world, call)) if key in world.directory.users]
    hint = flow.params.get("login_hint", "")
    if hint:
        signed_in = [user for user in signed_in if user.upn.lower() == hint.lower()]
    prompt = flow.params.get("prompt")
    if prompt == "none":
        if not signed_in:
            raise StsError(50058)
        if len(signed_in) > 1:
            raise StsError(16000)
        return _settle(world, call, flow, signed_in[0], silent=True)
    if world.settings["sso"] and len(signed_in) == 1 and prompt is None:
        return _settle(world, call, flow, signed_in[0])
    world.flows[flow.id] = flow
    users = [user for user in world.directory.users.values() if user.listed]
    hinted = world.directory.find_user(hint) if hint else None
    if hinted:
        users = [hinted]
    return html_reply(pages.picker(f"/{quote(flow.tenant_path)}/login", flow.id, flow.app.name, users, hint), 200, pages.HEADERS)


def _waiting(world, call: Call) -> tuple:
    form = _params(call)
    flow = world.flows.get(form.get("flow", ""))
    if flow is None or time.time() - flow.created > FLOW_LIFE_S or flow.tenant_path != call.segments[0]:
        raise PageError(StsError(50089))
    return form, flow


def picked(world, call: Call) -> Reply:
    """POST /{tenant}/login, from the picker"""
    form, flow = _waiting(world, call)
    if form.get("cancel"):
        del world.flows[flow.id]
        return _cancelled(world, flow)
    user = world.directory.find_user(form.get("account") or form.get("username") or "")
    if user is None:
        raise PageError(StsError(50020, "We couldn't find an account with that username."))
    try:
        check_user(world.directory, flow.tenant_path, flow.app, user)
    except StsError as exc:
        raise PageError(exc) from exc
    reply = _settle(world, call, flow, user)
    cookie = call.cookies.get(COOKIE)
    if cookie not in world.sessions:
        cookie = secrets.token_urlsafe(32)
    world.sessions.setdefault(cookie, set()).add(user.key)
    reply.headers.append(("Set-Cookie", f"{COOKIE}={cookie}; Path=/; HttpOnly; SameSite=Lax"))
    return reply


def _settle(world, call: Call, flow: Flow, user: User, silent: bool = False) -> Reply:
    """The user is known: consent if it is lacking, else the code."""
    call.user = user.key
    missing = set(flow.scopes) - world.directory.consented(user, flow.app) - set(OIDC_SCOPES)
    first = (user.key, flow.app.client_id) not in world.directory.consents or missing
    if silent and missing:
        raise StsError(65001, error="interaction_required")
    if not silent and (first or flow.params.get("prompt") == "consent"):
        flow.user = user
        world.flows[flow.id] = flow
        action = f"/{quote(flow.tenant_path)}/consent"
        if user.approval == "admin":
            return html_reply(pages.approval(action, flow.id, flow.app.name, user), 200, pages.HEADERS)
        return html_reply(pages.consent(action, flow.id, flow.app.name, user, flow.scopes), 200, pages.HEADERS)
    return _finish(world, call, flow, user)


def decided(world, call: Call) -> Reply:
    """POST /{tenant}/consent"""
    form, flow = _waiting(world, call)
    user = flow.user
    if user is None:
        raise PageError(StsError(50089))
    call.user = user.key
    if form.get("accept") and user.approval != "admin":
        world.directory.consented(user, flow.app).update(flow.scopes)
        return _finish(world, call, flow, user)
    del world.flows[flow.id]
    if user.approval == "admin":
        return _cancelled(world, flow)
    return answer_error(world, flow, StsError(65004))


def _finish(world, call: Call, flow: Flow, user: User) -> Reply:
    world.flows.pop(flow.id, None)
    params = flow.params
    fields = []
    if "code" in flow.response_types:
        code = world.ledger.new_code(
            user.personal, user=user.key, client_id=flow.app.client_id, tenant_path=flow.tenant_path.lower(),
            redirect_uri=flow.redirect_uri, scopes=flow.scopes, nonce=params.get("nonce"),
            challenge=params.get("code_challenge"), method=params.get("code_challenge_method") or "plain",
            prefixed=asks_prefixed(params["scope"], call.base))
        fields.append(("code", code.value))
    if "id_token" in flow.response_types:
        fields.append(("id_token", idtoken.make(world, call.base, user, flow.app, flow.scopes, params.get("nonce"))))
    if params.get("client_info") == "1":
        fields.append(("client_info", b64url(json.dumps({"uid": user.oid, "utid": user.tid}).encode())))
    fields.append(("session_state", str(uuid.uuid4())))
    return answer(world, flow, fields)
