# SPDX-License-Identifier: MIT
"""The token endpoint."""

import base64
import hashlib
import hmac
import json
import random
import re
import time
from dataclasses import dataclass
from typing import Callable, Optional, Union

from . import idtoken
from .aadsts import StsError
from .audience import check_path, check_user
from .authorize import GRAPH, asks_prefixed, parse_scopes
from .directory import MULTI_TENANT_PATHS, OIDC_SCOPES, App, User
from .keys import b64url
from .tokens import Code, RefreshToken
from .wire import FORM_TYPE, Call, FormError, Reply, decode_component, json_reply, single_values

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)
NO_STORE = [("Cache-Control", "no-store, no-cache"), ("Pragma", "no-cache"), ("P3P", 'CP="DSP CUR OTPi IND OTRi ONL FIN"')]


@dataclass
class Grant:
    """A grant that was found good. `source` is the code or refresh token behind it, with all that it may give."""

    user: User
    app: App
    form: dict
    scopes: list
    source: Union[Code, RefreshToken]
    nonce: Optional[str]
    spa: bool


def _need(form: dict, name: str) -> str:
    if not form.get(name):
        raise StsError(900144, f"The request body must contain the following parameter: '{name}'.")
    return form[name]


def _form(call: Call) -> dict:
    if call.method != "POST":
        raise StsError(900561, f"The endpoint only accepts POST requests. Received a {call.method} request.")
    if call.media_type != FORM_TYPE:
        raise StsError(900144, "The request body must contain the following parameter: 'grant_type'.")
    try:
        return single_values(call.form)
    except (FormError, UnicodeDecodeError) as exc:
        raise StsError(9000411, f"The request is not properly formatted. {exc}") from exc


def _basic(call: Call) -> Optional[tuple]:
    scheme, _, value = call.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(value, validate=True).decode()
        name, _, secret = text.partition(":")
        return decode_component(name), decode_component(secret)
    except (ValueError, FormError) as exc:
        raise StsError(9000411, "The Authorization header is malformed.") from exc


def _check_secret(app: App, given: str) -> None:
    for secret in app.secrets:
        if hmac.compare_digest(secret["value"].encode(), given.encode()):
            if secret.get("expires") and secret["expires"] < time.time():
                raise StsError(7000222, f"The provided client secret keys for app '{app.client_id}' are expired.")
            return
    raise StsError(7000215, f"Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                   f"value, not the client secret ID, for a secret added to app '{app.client_id}'.")


def _client(world, call: Call, form: dict) -> tuple:
    """(app, given secret or None). One way of authenticating only."""
    basic = _basic(call)
    client_id, secret = form.get("client_id"), form.get("client_secret")
    if basic:
        if secret is not None or client_id not in (None, basic[0]):
            raise StsError(9000411, "The client is authenticated in more than one way.")
        client_id, secret = basic
    client_id = client_id or _need(form, "client_id")
    app = world.directory.apps.get(client_id)
    if app is None:
        raise StsError(700016, f"Application with identifier '{client_id}' was not found in the directory.")
    return app, secret


def _authenticate(app: App, form: dict, secret: Optional[str]) -> None:
    if app.public:
        if secret is not None or "client_assertion" in form:
            raise StsError(700025)
    elif "client_assertion" in form:
        # No certificate can be registered here, so none can match.
        raise StsError(700027)
    elif not secret:
        raise StsError(7000218)
    else:
        _check_secret(app, secret)


def _check_verifier(code, verifier: Optional[str]) -> None:
    if code.challenge is None:
        if verifier is not None:
            raise StsError(501481, "A code_verifier was sent, but the authorization request had no code_challenge.")
        return
    if verifier is None or not _VERIFIER.fullmatch(verifier):
        raise StsError(501481)
    made = b64url(hashlib.sha256(verifier.encode()).digest()) if code.method == "S256" else verifier
    if not hmac.compare_digest(made, code.challenge):
        raise StsError(501481)


def _origin_rule(call: Call, spa: bool) -> None:
    if call.headers.get("Origin") and not spa:
        raise StsError(9002326)
    if spa and not call.headers.get("Origin"):
        raise StsError(9002327)


def _narrowed(call: Call, form: dict, granted: list, consented: set) -> list:
    if not form.get("scope"):
        return granted
    asked = parse_scopes(form["scope"], call.base)
    for name in asked:
        if name not in granted and name not in consented and name not in OIDC_SCOPES:
            raise StsError(65001, f"The user or administrator has not consented to use the application with the scope '{name}'.")
    # MSAL and others leave these three out; they stay granted.
    return list(dict.fromkeys([*asked, *(name for name in granted if name in OIDC_SCOPES)]))


def _by_code(world, call: Call, form: dict, app: App) -> Grant:
    value, redirect_uri = _need(form, "code"), _need(form, "redirect_uri")
    code = world.ledger.codes.get(value)
    if code is None:
        raise StsError(9002313)
    call.user = code.user
    if code.client_id != app.client_id:
        raise StsError(70000, "The provided value for the 'code' parameter is not valid: it was issued to another client.")
    if code.used:
        raise StsError(54005)
    if time.time() - code.created > world.settings["code_lifetime_s"]:
        raise StsError(70008)
    if code.tenant_path != call.segments[0].lower():
        raise StsError(700005)
    if code.redirect_uri != redirect_uri:
        raise StsError(500112)
    _origin_rule(call, redirect_uri in app.spa_redirect_uris)
    _check_verifier(code, form.get("code_verifier"))
    user = world.directory.users[code.user]
    scopes = _narrowed(call, form, code.scopes, set())
    code.used = True
    return Grant(user, app, form, scopes, code, code.nonce, redirect_uri in app.spa_redirect_uris)


def _by_refresh(world, call: Call, form: dict, app: App) -> Grant:
    token = world.ledger.refresh.get(_need(form, "refresh_token"))
    if token is None:
        raise StsError(9002313, suberror="bad_token")
    call.user = token.user
    if token.client_id != app.client_id:
        raise StsError(70000, suberror="client_mismatch")
    if token.refused:
        raise StsError(token.refused)
    if time.time() - token.created > world.settings["refresh_lifetime_s"]:
        raise StsError(700082)
    _origin_rule(call, token.spa)
    user = world.directory.users.get(token.user)
    if user is None:
        raise StsError(50057)
    check_user(world.directory, call.segments[0], app, user)
    scopes = _narrowed(call, form, token.scopes, world.directory.consented(user, app))
    return Grant(user, app, form, scopes, token, None, token.spa)


APPLICATION = "client_credentials"
GRANTS: dict = {"authorization_code": _by_code, "refresh_token": _by_refresh}


def _lifetime(world, form: dict, options: dict) -> int:
    given = options.get("expires_in", world.settings["expires_in"])
    if given is not None:
        return int(given)
    if world.settings["cae"] and '"cp1"' in form.get("claims", ""):
        return random.randint(20 * 3600, 28 * 3600)
    return random.randint(3600, 5400)


def _shown_scope(world, call: Call, grant: Grant, options: dict) -> tuple:
    """(the scopes that are granted, whether with Graph's prefix, the text that is answered)."""
    drop = {name.lower() for name in options.get("scope_drop", [])}
    granted = [name for name in [*grant.scopes, *options.get("scope_add", [])] if name.lower() not in drop]
    asked = grant.form.get("scope")
    prefixed = asks_prefixed(asked, call.base) if asked else grant.source.prefixed
    forced = world.settings["scope_prefix"]
    prefix = GRAPH if (prefixed if forced is None else forced) else ""
    graph = [prefix + name for name in granted if name not in OIDC_SCOPES]
    shown = " ".join([*graph, *(name for name in granted if name in OIDC_SCOPES and name != "offline_access")])
    return granted, prefixed, options.get("scope", shown)


def build_answer(world, call: Call, grant: Grant) -> dict:
    """The token answer, as the next token options would have it."""
    user, app, form = grant.user, grant.app, grant.form
    options = world.take_token_options(user.key, form["grant_type"])
    granted, prefixed, shown = _shown_scope(world, call, grant, options)
    seconds = _lifetime(world, form, options)
    number: Callable = str if options.get("expires_in_string") else int
    access = world.ledger.new_access(user.personal, seconds, user=user.key, client_id=app.client_id, scopes=granted)
    answer = {"token_type": "Bearer", "scope": shown, "expires_in": number(seconds), "ext_expires_in": number(seconds),
              "access_token": access.value}
    if world.settings["refresh_in"] is not None:
        answer["refresh_in"] = world.settings["refresh_in"]
    everything = grant.source.scopes
    if "offline_access" in everything and options.get("refresh_token", True):
        answer["refresh_token"] = world.ledger.new_refresh(user.personal, user=user.key, client_id=app.client_id, scopes=everything,
                                                           spa=grant.spa, prefixed=prefixed).value
    if "openid" in granted:
        token = idtoken.make(world, call.base, user, app, granted, grant.nonce, options.get("id_token"))
        if token is not None:
            answer["id_token"] = token
    if form.get("client_info") == "1":
        answer["client_info"] = b64url(json.dumps({"uid": user.oid, "utid": user.tid}).encode())
    for name in options.get("drop", []):
        answer.pop(name, None)
    answer.update(options.get("set", {}))
    return answer


def _by_application(world, call: Call, form: dict) -> dict:
    """The answer to an application on its own behalf: no user, no refresh token, and nothing that Graph's /me would take."""
    if call.segments[0].lower() in MULTI_TENANT_PATHS:
        raise StsError(50059)
    resource = _need(form, "scope").removesuffix("/.default")
    if resource == form["scope"]:
        raise StsError(1002012)
    if resource + "/" not in (GRAPH, call.base + "/"):
        raise StsError(500011, f"The resource principal named {resource} was not found in the tenant.")
    return {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": world.ledger.new_app_access()}


def note_secrets(world, call: Call, form: dict) -> None:
    for kind in ("client_secret", "code_verifier", "client_assertion", "code", "refresh_token"):
        world.ledger.note(kind, form.get(kind), call.user)


def token(world, call: Call) -> Reply:
    """POST /{tenant}/oauth2/v2.0/token"""
    try:
        form = _form(call)
        call.notes["grant"] = form.get("grant_type")
        note_secrets(world, call, form)
        kind = _need(form, "grant_type")
        if kind not in GRANTS and kind != APPLICATION:
            raise StsError(70003, f"The app requested an unsupported grant type '{kind}'.")
        app, secret = _client(world, call, form)
        world.ledger.note("client_secret", secret)
        call.notes["client_id"] = app.client_id
        check_path(world.directory, call.segments[0], app)
        if secret and call.headers.get("Origin"):
            raise StsError(9002326)
        _authenticate(app, form, secret)
        if kind == APPLICATION:
            return json_reply(_by_application(world, call, form), 200, NO_STORE)
        return json_reply(build_answer(world, call, GRANTS[kind](world, call, form, app)), 200, NO_STORE)
    except StsError as exc:
        return refusal(call, exc)


def refusal(call: Call, problem: StsError) -> Reply:
    call.notes["aadsts"] = problem.number
    headers = [*NO_STORE, ("x-ms-request-id", problem.trace_id)]
    if problem.status == 401:
        headers.append(("WWW-Authenticate", 'Bearer realm="", error="invalid_client"'))
    return json_reply(problem.body(call.base), problem.status, headers)
