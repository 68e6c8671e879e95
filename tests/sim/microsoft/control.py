# SPDX-License-Identifier: MIT
"""The control interface: /_control/..., JSON in, JSON out, on loopback only."""

import json
from dataclasses import asdict
from typing import Any

from . import event_edit, faults, grants, idtoken, seed, world as worlds
from .directory import SCOPES
from .event_output import render_calendar, render_event
from .graph_error import GraphError
from .tokens import RefreshToken
from .wire import Call, Reply, json_reply, single_values


class Refused(Exception):
    def __init__(self, status: int, text: str):
        super().__init__(text)
        self.status = status


def _user(world, key: str):
    user = world.directory.find_user(key)
    if user is None:
        raise Refused(404, f"no user {key!r}")
    return user


def _mailbox(world, key: str):
    return world.directory.mailboxes[_user(world, key).key]


def summary(world, _query: dict, _body: dict) -> dict:
    return {"endpoints": [f"{method} /_control/{'/'.join(path)}" for path, methods in ROUTES.items() for method in methods],
            "fault_kinds": {name: row[2] for name, row in faults.KINDS.items()},
            "fault_targets": faults.TARGETS, "match": faults.MATCH_FIELDS,
            "id_token_kinds": sorted(idtoken.FORGERIES), "key_actions": {k: v[1] for k, v in world.keys.ACTIONS.items()},
            "settings": {name: meaning for name, (_, meaning) in worlds.SETTINGS.items()}}


def reset(world, _query: dict, body: dict) -> dict:
    """Everything, or with `user` one account's mailbox, tokens, consents, faults and counters."""
    if body.get("user"):
        world.reset_user(_user(world, body["user"]).key)
    else:
        world.reset()
    return {"reset": body.get("user") or "all"}


def list_faults(world, _query: dict, _body: dict) -> dict:
    return {"faults": world.faults.rules}


def add_fault(world, _query: dict, body: dict) -> dict:
    return {"id": world.faults.add(body)}


def drop_faults(world, query: dict, _body: dict) -> dict:
    return {"dropped": world.faults.drop(int(query["id"]) if "id" in query else None)}


def _check_token_options(body: dict) -> None:
    known = {"user", "grant", "count", "expires_in", "expires_in_string", "refresh_token", "scope", "scope_add", "scope_drop",
             "id_token", "set", "drop"}
    if set(body) - known:
        raise Refused(400, f"unknown: {sorted(set(body) - known)}; known: {sorted(known)}")
    if body.get("id_token") and body["id_token"].get("kind") not in idtoken.FORGERIES:
        raise Refused(400, f"unknown id_token kind; known: {sorted(idtoken.FORGERIES)}")


def add_token_options(world, _query: dict, body: dict) -> dict:
    _check_token_options(body)
    world.token_options.append({"count": 1, **body})
    return {"queued": len(world.token_options)}


def list_token_options(world, _query: dict, _body: dict) -> dict:
    return {"token_options": world.token_options}


def drop_token_options(world, _query: dict, _body: dict) -> dict:
    world.token_options.clear()
    return {"queued": 0}


def forge(world, _query: dict, body: dict) -> dict:
    """Short for token options with only an id_token."""
    wanted = {"kind": body.get("kind"), "params": body.get("params", {})}
    rest = {name: body[name] for name in ("user", "count", "grant") if name in body}
    return add_token_options(world, {}, {"grant": "authorization_code", **rest, "id_token": wanted})


def list_keys(world, _query: dict, _body: dict) -> dict:
    return {"signing": world.keys.signing.kid, "consumer": world.keys.consumer.kid,
            "published": [key.kid for key in world.keys.published]}


def roll_keys(world, _query: dict, body: dict) -> dict:
    if body.get("action") not in world.keys.ACTIONS:
        raise Refused(400, f"unknown action; known: {sorted(world.keys.ACTIONS)}")
    world.keys.roll(body["action"])
    return list_keys(world, {}, {})


def revoke(world, _query: dict, body: dict) -> dict:
    return {"revoked": world.ledger.revoke(body.get("user"), int(body.get("aadsts", 50173)))}


def expire(world, _query: dict, body: dict) -> dict:
    reason = body.get("reason", "Lifetime validation failed, the token is expired.")
    return {"expired": world.ledger.expire_access(body.get("user"), reason)}


def mint(world, _query: dict, body: dict) -> dict:
    """Tokens without a sign-in: as the token endpoint would answer a code."""
    user = _user(world, body.get("user", "sam"))
    app = world.directory.apps[body["client_id"]] if "client_id" in body else next(iter(world.directory.apps.values()))
    scopes = body.get("scopes") or ["openid", "profile", "email", "offline_access", "User.Read", "Calendars.ReadWrite"]
    call = Call(body.get("base") or world.bases["http"], "POST", "", "", {}, [])
    world.directory.consented(user, app).update(scopes)
    source = RefreshToken("", user.key, app.client_id, scopes)
    form = {"grant_type": "authorization_code"}
    return grants.build_answer(world, call, grants.Grant(user, app, form, scopes, source, body.get("nonce"), False))


def newest_token(world, query: dict, _body: dict) -> dict:
    return {"value": world.ledger.newest(query.get("user"), query.get("kind", "access_token"))}


def issued(world, query: dict, _body: dict) -> dict:
    rows = [row for row in world.ledger.issued.values() if all(row.get(name) == value for name, value in query.items())]
    return {"issued": rows}


def requests(world, query: dict, _body: dict) -> dict:
    with_secrets = query.pop("secrets", "") in ("1", "true")
    return {"requests": world.journal.find(query, with_secrets)}


def clear_requests(world, _query: dict, _body: dict) -> dict:
    world.journal.entries.clear()
    world.journal.counters.clear()
    return {"requests": []}


def counters(world, query: dict, _body: dict) -> dict:
    return {"counters": dict(world.journal.counters[query.get("user")])}


def get_settings(world, _query: dict, _body: dict) -> dict:
    return {"settings": world.settings}


def change_settings(world, _query: dict, body: dict) -> dict:
    unknown = set(body) - set(worlds.SETTINGS)
    if unknown:
        raise Refused(400, f"unknown: {sorted(unknown)}; known: {sorted(worlds.SETTINGS)}")
    world.settings.update(body)
    return {"settings": world.settings}


def list_users(world, _query: dict, _body: dict) -> dict:
    return {"users": [asdict(user) for user in world.directory.users.values()],
            "tenants": [asdict(tenant) for tenant in world.directory.tenants.values()]}


def get_user(world, _query: dict, _body: dict, key: str) -> dict:
    return asdict(_user(world, key))


def put_user(world, _query: dict, body: dict, key: str) -> dict:
    """Creates or changes. `consented`: true spares the consent screen for every app."""
    fields = dict(body)
    consented = fields.pop("consented", None)
    fields.setdefault("listed", key in world.directory.users and world.directory.users[key].listed)
    user = world.directory.put_user({**fields, "key": key})
    if consented:
        for app in world.directory.apps.values():
            world.directory.consented(user, app).update(SCOPES if consented is True else consented)
    return asdict(user)


def drop_user(world, _query: dict, _body: dict, key: str) -> dict:
    world.directory.drop_user(_user(world, key).key)
    return {"dropped": key}


def put_tenant(world, _query: dict, body: dict, key: str) -> dict:
    return asdict(world.directory.put_tenant({**body, "id": key}))


def list_apps(world, _query: dict, _body: dict) -> dict:
    return {"apps": [asdict(app) for app in world.directory.apps.values()]}


def put_app(world, _query: dict, body: dict, key: str) -> dict:
    app = world.directory.put_app({**body, "client_id": key})
    for secret in app.secrets:
        world.ledger.note("client_secret", secret["value"])
    return asdict(app)


def list_user_calendars(world, _query: dict, _body: dict, key: str) -> dict:
    return {"calendars": [render_calendar(item) for item in _mailbox(world, key).calendars.values()]}


def add_user_calendar(world, _query: dict, body: dict, key: str) -> dict:
    """Fields of mailbox.Calendar: name, id, color, can_edit, providers, owner, ..."""
    return render_calendar(_mailbox(world, key).add_calendar(**body))


def _shown(event) -> dict:
    return render_event(event, "UTC", False, False, 0)


def list_user_events(world, _query: dict, _body: dict, key: str) -> dict:
    return {"events": [{**_shown(event), "calendar": event.calendar_id} for event in _mailbox(world, key).events.values()]}


def add_user_events(world, _query: dict, body: dict, key: str) -> dict:
    """`events`: Graph's JSON, each perhaps with `id`, `calendar` (an id) and `overlay` (properties laid over it)."""
    mailbox, made = _mailbox(world, key), []
    for row in body["events"]:
        row = dict(row)
        calendar = mailbox.calendars[row.pop("calendar", None) or mailbox.default.id]
        overlay = row.pop("overlay", {})
        event = event_edit.create(mailbox, calendar, row, row.get("id"))
        event.props.update(overlay)
        made.append(_shown(event))
    return {"events": made}


def drop_user_events(world, _query: dict, _body: dict, key: str) -> dict:
    mailbox = _mailbox(world, key)
    count = len(mailbox.events)
    mailbox.events.clear()
    mailbox.transactions.clear()
    return {"dropped": count}


def list_mails(world, query: dict, _body: dict) -> dict:
    return {"mails": _mailbox(world, query["user"]).mails}


def do_seed(world, _query: dict, body: dict) -> dict:
    return seed.plant(world, body.get("name", "demo"), body.get("timezone", "Europe/Amsterdam"))


# path -> method -> handler; "*" is one segment, given to the handler
ROUTES: dict = {
    (): {"GET": summary},
    ("reset",): {"POST": reset},
    ("seed",): {"POST": do_seed},
    ("faults",): {"GET": list_faults, "POST": add_fault, "DELETE": drop_faults},
    ("token-options",): {"GET": list_token_options, "POST": add_token_options, "DELETE": drop_token_options},
    ("id-token",): {"POST": forge},
    ("keys",): {"GET": list_keys, "POST": roll_keys},
    ("revoke",): {"POST": revoke},
    ("expire",): {"POST": expire},
    ("mint",): {"POST": mint},
    ("token",): {"GET": newest_token},
    ("issued",): {"GET": issued},
    ("requests",): {"GET": requests, "DELETE": clear_requests},
    ("counters",): {"GET": counters, "DELETE": clear_requests},
    ("mails",): {"GET": list_mails},
    ("settings",): {"GET": get_settings, "PATCH": change_settings},
    ("users",): {"GET": list_users},
    ("users", "*"): {"GET": get_user, "PUT": put_user, "DELETE": drop_user},
    ("users", "*", "calendars"): {"GET": list_user_calendars, "POST": add_user_calendar},
    ("users", "*", "events"): {"GET": list_user_events, "POST": add_user_events, "DELETE": drop_user_events},
    ("tenants", "*"): {"PUT": put_tenant},
    ("apps",): {"GET": list_apps},
    ("apps", "*"): {"PUT": put_app},
}


def _body_of(call: Call) -> Any:
    if not call.body:
        return {}
    if call.media_type != "application/json":
        # Also what keeps a foreign page's form from reaching this interface.
        raise Refused(415, "application/json, please")
    body = json.loads(call.body)
    if not isinstance(body, dict):
        raise Refused(400, "a JSON object, please")
    return body


def handle(world, call: Call) -> Reply:
    path = [part for part in call.segments[1:] if part]
    try:
        for pattern, methods in ROUTES.items():
            if len(pattern) == len(path) and all(want in ("*", have) for want, have in zip(pattern, path)):
                if call.method not in methods:
                    raise Refused(405, f"{', '.join(methods)} only")
                names = [have for want, have in zip(pattern, path) if want == "*"]
                return json_reply(methods[call.method](world, single_values(call.query), _body_of(call), *names))
        raise Refused(404, "no such control; GET /_control lists them")
    except Refused as exc:
        return json_reply({"error": str(exc)}, exc.status)
    except (KeyError, TypeError, ValueError, GraphError) as exc:
        return json_reply({"error": f"{type(exc).__name__}: {exc}"}, 400)
