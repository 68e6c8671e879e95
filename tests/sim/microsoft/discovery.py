# SPDX-License-Identifier: MIT
"""Discovery, keys and logout."""

from urllib.parse import quote, urlsplit

from . import pages
from .aadsts import StsError
from .authorize import COOKIE
from .keys import CONSUMER_TENANT
from .wire import FORM_TYPE, Call, FormError, Reply, html_reply, json_reply, redirect, single_values

CACHED = [("Cache-Control", "max-age=86400, private"), ("Access-Control-Allow-Origin", "*")]
CLAIMS = ["sub", "iss", "cloud_instance_name", "cloud_instance_host_name", "cloud_graph_host_name", "msgraph_host", "aud",
          "exp", "iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver", "at_hash", "c_hash", "email"]


def _authority(world, call: Call) -> tuple:
    """(name in endpoint URLs, name in the issuer, region). A domain gives its GUID; common stays a template."""
    name = call.segments[0]
    if name.lower() in ("common", "organizations"):
        return name.lower(), "{tenantid}", None
    tenant = world.directory.tenant_of_path(name)
    if tenant is None:
        raise StsError(90002, f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing "
                       "into the correct cloud.", error="invalid_tenant")
    return ("consumers" if tenant.id == CONSUMER_TENANT else tenant.id), tenant.id, tenant.region


def configuration(world, call: Call) -> Reply:
    """GET /{tenant}/v2.0/.well-known/openid-configuration. It does not tell of PKCE, and nor does Microsoft's."""
    try:
        name, issuer, region = _authority(world, call)
    except StsError as exc:
        return json_reply(exc.body(call.base), 400)
    root, host = f"{call.base}/{name}", urlsplit(call.base).netloc
    document = {
        "token_endpoint": f"{root}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{root}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{call.base}/{issuer}/v2.0",
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": f"{call.base}/oidc/userinfo",
        "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
        "http_logout_supported": True,
        "frontchannel_logout_supported": True,
        "end_session_endpoint": f"{root}/oauth2/v2.0/logout",
        "claims_supported": CLAIMS,
        "kerberos_endpoint": f"{root}/kerberos",
        "tenant_region_scope": region,
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": host,
        "rbac_url": "https://pas.windows.net",
    }
    return json_reply(document, 200, CACHED)


def keys(world, call: Call) -> Reply:
    """GET /{tenant}/discovery/v2.0/keys: several at once, in no order that means anything."""
    try:
        _authority(world, call)
    except StsError as exc:
        return json_reply(exc.body(call.base), 400)
    return json_reply({"keys": [key.jwk(call.base) for key in world.keys.published]}, 200, CACHED)


def logout(world, call: Call) -> Reply:
    """GET or POST /{tenant}/oauth2/v2.0/logout: ends the browser's session; refresh tokens live on."""
    try:
        form = call.method == "POST" and call.media_type == FORM_TYPE
        params = single_values(call.form if form else call.query)
    except (FormError, UnicodeDecodeError):
        params = {}
    world.sessions.pop(call.cookies.get(COOKIE, ""), None)
    gone = [("Set-Cookie", f"{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax")]
    target = params.get("post_logout_redirect_uri")
    known = {uri for app in world.directory.apps.values() for uri in app.redirect_uris + app.logout_uris}
    if target in known:
        if params.get("state"):
            target += ("&" if urlsplit(target).query else "?") + "state=" + quote(params["state"], safe="")
        return redirect(target, gone)
    return html_reply(pages.signed_out(), 200, pages.HEADERS + gone)
