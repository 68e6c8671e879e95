# SPDX-License-Identifier: MIT
"""Graph's face: who calls, which route, what scope, which headers come back."""

import json
import re
import time
from dataclasses import dataclass
from typing import Optional

from . import event_input, graph_events, odata
from .directory import User
from .event_output import CALENDAR_PROPERTIES, render_calendar
from .graph_error import GraphError, error_reply
from .mailbox import Calendar, Mailbox, new_change_key
from .wire import Call, Reply, json_reply

VERSION = "v1.0"
CALENDAR_ID = "{calendar}"
EVENT_ID = "{event}"
READ = ("Calendars.Read", "Calendars.ReadWrite", "Calendars.ReadBasic")
WRITE = ("Calendars.ReadWrite",)
PROFILE = ("User.Read",)
ME_DEFAULT = ("businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
              "preferredLanguage", "surname", "userPrincipalName", "id")
_ID = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}", re.ASCII)


@dataclass
class Visit:
    """One authorized request: whose, with what, on what."""

    world: object
    call: Call
    user: User
    mailbox: Mailbox
    scopes: set
    query: dict
    preferences: odata.Preferences
    calendar_id: Optional[str] = None
    event_id: Optional[str] = None

    def calendar(self) -> Calendar:
        if self.calendar_id is None:
            return self.mailbox.default
        found = self.mailbox.calendars.get(self.calendar_id)
        if found is None:
            raise GraphError("ErrorItemNotFound")
        return found

    def writable_calendar(self, identifier: Optional[str] = None) -> Calendar:
        found = self.mailbox.calendars[identifier] if identifier else self.calendar()
        if not found.can_edit:
            raise GraphError("ErrorAccessDenied")
        return found

    def context(self, path: str) -> str:
        return f"{self.call.base}/{VERSION}/$metadata#users('{self.user.graph_id}')/{path}"

    def body(self) -> dict:
        """The JSON object that was sent; a body needs its content type."""
        if self.call.media_type != "application/json":
            raise GraphError("RequestBodyRead", "Empty Payload or a missing Content-Type header. A Content-Type of "
                             "application/json is required.")
        try:
            value = json.loads(self.call.body)
        except ValueError as exc:
            raise GraphError("BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set "
                             "and payload is of valid JSON format.") from exc
        if not isinstance(value, dict):
            raise GraphError("BadRequest", "The payload is not a JSON object.")
        return value

    def check_match(self, etag: str) -> None:
        given = self.call.headers.get("If-Match")
        if given and given.strip() != "*" and etag not in [part.strip() for part in given.split(",")]:
            raise GraphError("ErrorIrresolvableConflict")


def bearer_user(world, call: Call) -> Optional[str]:
    token = world.ledger.access.get(call.headers.get("Authorization", "").partition(" ")[2])
    return token.user if token else None


def _authorize(world, call: Call) -> tuple:
    """(user, scopes) of a good access token, else 401 with the challenge that Graph sends."""
    challenge = [("WWW-Authenticate", f'Bearer realm="", authorization_uri="{call.base}/common/oauth2/authorize", '
                  'client_id="00000003-0000-0000-c000-000000000000"')]
    scheme, _, value = call.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not value:
        raise GraphError("InvalidAuthenticationToken", "Access token is empty.", headers=challenge)
    token = world.ledger.access.get(value)
    if token is None:
        raise GraphError("InvalidAuthenticationToken", "IDX14100: JWT is not well formed, there are no dots (.).", headers=challenge)
    if token.refused or token.expires <= time.time():
        message = token.refused or "Lifetime validation failed, the token is expired."
        raise GraphError("InvalidAuthenticationToken", message, headers=challenge)
    user = world.directory.users.get(token.user)
    if user is None:
        raise GraphError("InvalidAuthenticationToken", "The user is gone.", headers=challenge)
    return user, set(token.scopes)


def get_me(visit: Visit) -> Reply:
    user = visit.user
    shown = {"businessPhones": [], "displayName": user.name, "givenName": user.given_name, "jobTitle": user.job_title,
             "mail": user.mail, "mobilePhone": None, "officeLocation": None, "preferredLanguage": user.language,
             "surname": user.surname, "userPrincipalName": user.upn, "id": user.graph_id}
    options = odata.parse_options(visit.query, ME_DEFAULT, "user")
    names = options.select or list(ME_DEFAULT)
    body = {"@odata.context": f"{visit.call.base}/{VERSION}/$metadata#users/$entity"}
    return json_reply({**body, **{name: shown[name] for name in ME_DEFAULT if name in names}})


def list_calendars(visit: Visit) -> Reply:
    options = odata.parse_options(visit.query, CALENDAR_PROPERTIES, "calendar")
    if options.matches or options.order:
        raise GraphError("ErrorInvalidUrlQuery", "Not supported for calendars.")
    found = list(visit.mailbox.calendars.values())
    members, link = odata.page(visit.call, found, options, visit.preferences)
    body = {"@odata.context": visit.context("calendars")}
    if link:
        body["@odata.nextLink"] = link
    return json_reply({**body, "value": [odata.select(render_calendar(item), options, False) for item in members]})


def _one_calendar(visit: Visit, item: Calendar, status: int = 200) -> Reply:
    options = odata.parse_options(visit.query, CALENDAR_PROPERTIES, "calendar")
    body = {"@odata.context": visit.context("calendars/$entity")}
    return json_reply({**body, **odata.select(render_calendar(item), options, False)}, status)


def get_calendar(visit: Visit) -> Reply:
    return _one_calendar(visit, visit.calendar())


def _check_name(visit: Visit, name: Optional[str], own: Optional[Calendar] = None) -> None:
    if not name:
        raise GraphError("ErrorInvalidRequest", "A calendar needs a name.")
    if any(item.name.lower() == name.lower() for item in visit.mailbox.calendars.values() if item is not own):
        raise GraphError("ErrorFolderExists")


def create_calendar(visit: Visit) -> Reply:
    given = event_input.check(event_input.CALENDAR, "calendar", visit.body(), frozenset(CALENDAR_PROPERTIES))
    _check_name(visit, given.get("name"))
    item = visit.mailbox.add_calendar(given["name"], color=given.get("color", "auto"))
    return _one_calendar(visit, item, 201)


def change_calendar(visit: Visit) -> Reply:
    item = visit.writable_calendar()
    given = event_input.check(event_input.CALENDAR, "calendar", visit.body(), frozenset(CALENDAR_PROPERTIES))
    if "name" in given:
        _check_name(visit, given["name"], item)
        item.name = given["name"]
    item.color = given.get("color", item.color)
    item.hex_color = given.get("hexColor") or item.hex_color
    item.change_key = new_change_key()
    return _one_calendar(visit, item)


def delete_calendar(visit: Visit) -> Reply:
    item = visit.calendar()
    if not item.removable:
        raise GraphError("ErrorDeleteDistinguishedFolder")
    visit.mailbox.drop_calendar(item.id)
    return Reply(204)


_LIST = {"GET": (graph_events.list_events, READ), "POST": (graph_events.create_event, WRITE)}
_VIEW = {"GET": (graph_events.calendar_view, READ)}
_EVENT = {"GET": (graph_events.get_event, READ), "PATCH": (graph_events.change_event, WRITE),
          "DELETE": (graph_events.delete_event, WRITE)}
_ONE = {"GET": (get_calendar, READ), "PATCH": (change_calendar, WRITE), "DELETE": (delete_calendar, WRITE)}
# path -> method -> (handler, one of these scopes)
ROUTES = {
    ("me",): {"GET": (get_me, PROFILE)},
    ("me", "calendars"): {"GET": (list_calendars, READ), "POST": (create_calendar, WRITE)},
    ("me", "calendar"): _ONE,
    ("me", "calendars", CALENDAR_ID): _ONE,
    **{(*place, "events"): _LIST for place in (("me",), ("me", "calendar"), ("me", "calendars", CALENDAR_ID))},
    **{(*place, "events", EVENT_ID): _EVENT for place in (("me",), ("me", "calendar"), ("me", "calendars", CALENDAR_ID))},
    **{(*place, "calendarView"): _VIEW for place in (("me",), ("me", "calendar"), ("me", "calendars", CALENDAR_ID))},
    ("me", "events", EVENT_ID, "instances"): {"GET": (graph_events.instances, READ)},
}


def _match(segments: list) -> tuple:
    """(methods, {placeholder: id}); fixed segments in any case, ids only in their own."""
    for pattern, methods in ROUTES.items():
        if len(pattern) == len(segments) and all(want in (CALENDAR_ID, EVENT_ID) or want.lower() == have.lower()
                                                 for want, have in zip(pattern, segments)):
            return methods, {want: have for want, have in zip(pattern, segments) if want in (CALENDAR_ID, EVENT_ID)}
    raise GraphError("BadRequest", f"Resource not found for the segment '{segments[-1]}'.")


def _find_handler(call: Call, scopes: set) -> tuple:
    methods, ids = _match(call.segments[1:])
    if call.method not in methods:
        raise GraphError("Request_MethodNotAllowed", headers=[("Allow", ", ".join(methods))])
    handler, allowed = methods[call.method]
    if not scopes & set(allowed):
        raise GraphError("ErrorAccessDenied")
    for identifier in ids.values():
        if not _ID.fullmatch(identifier) or len(identifier) % 4:
            raise GraphError("ErrorInvalidIdMalformed")
    return handler, ids


def _serve(world, call: Call) -> tuple:
    user, scopes = _authorize(world, call)
    handler, ids = _find_handler(call, scopes)
    limit = world.settings["mailbox_concurrency"]
    if limit is not None and world.journal.now_open[user.key] > limit:
        raise GraphError("ApplicationThrottled", headers=[("Retry-After", "1")])
    if not user.mailbox and handler is not get_me:
        raise GraphError("MailboxNotEnabledForRESTAPI")
    preferences = odata.parse_preferences(call)
    visit = Visit(world, call, user, world.directory.mailboxes[user.key], scopes, odata.query_of(call), preferences,
                  ids.get(CALENDAR_ID), ids.get(EVENT_ID))
    return handler(visit), preferences


def handle(world, call: Call) -> Reply:
    request_id, client_id = call.notes.get("request_id", ""), call.headers.get("client-request-id", "")
    try:
        reply, preferences = _serve(world, call)
        if preferences.applied:
            reply.headers.append(("Preference-Applied", ", ".join(preferences.applied)))
    except GraphError as exc:
        call.notes["code"] = exc.code
        reply = error_reply(exc, request_id, client_id)
    reply.headers.append(("request-id", request_id))
    if client_id:
        reply.headers.append(("client-request-id", client_id))
    reply.headers.append(("x-ms-ags-diagnostic", '{"ServerInfo":{"DataCenter":"Loopback","Slice":"E","Ring":"0"}}'))
    return reply
