# SPDX-License-Identifier: MIT
"""Every endpoint with every principal that is not meant: nobody's data is shown to, or changed by, anybody else.

The endpoints are read out of src/web/route.c (routes.py): a new row is in the matrix by itself, or stops these tests.
"""

import json
import time

import pytest
from conftest import CALENDAR, Person, sign_jwt

from kit import asked, cal, event, graph, is_problem, last_sent, one
from routes import place, routes
from stack.smoke import REALMS
from wire import bearer, check_problem, come_back, exchange, leave, query_of, send, session_code

MATRIX = pytest.mark.promise("attack/isolation", "Every endpoint of the route table with every wrong principal: refused, nothing shown, nothing changed")
LEAST = {"subject": "intruder", "start": "2027-03-02T09:00:00Z", "end": "2027-03-02T10:00:00Z"}


ROUTES = routes()
IDS = [f"{route.method} {route.path}" for route in ROUTES]
# What a request of each kind has beside its path; whatever is not here has neither.
QUERY = {"auth/microsoft/callback": "?state=x&code=x"}
BODY = {("POST", "auth/microsoft/exchange"): {"session_code": "x"}, ("POST", "auth/refresh"): {"refresh_token": "x"},
        ("POST", f"{CALENDAR}/events"): LEAST, ("PUT", f"{CALENDAR}/events/{{id}}"): LEAST,
        ("PATCH", f"{CALENDAR}/events/{{id}}"): {"subject": "intruder"}}
# Endpoints that ask for no JWT go by what they are given instead, and answer so to everybody.
BY_SECRET = {"auth/microsoft/callback": (400, "state_invalid"), "auth/microsoft/exchange": (400, "session_code_invalid"),
             "auth/refresh": (401, "invalid_token")}
# One word about the process, the same for everybody.
OPEN = {"health/live", "health/ready"}


class Victim:
    """Somebody with things of their own, each with a word in it that stands nowhere else."""

    def __init__(self, person):
        self.person = person.connect()
        self.word = f"Victim{person.number}Word"
        sim = person.stack.sim
        sim.user(person.user, email=f"{self.word}@example.com", name=self.word, consented=True)
        person.connect()
        self.event = sim.add_events(person.user, event(self.word, location={"displayName": self.word}))[0]["id"]
        self.before = self.state()

    def state(self):
        """All that somebody else could have changed."""
        return (self.person.row("id, access_token, refresh_token, id_token, microsoft_id, microsoft_email, is_active, expires_at"),
                graph(self.person, "/me/events"), len(self.person.stack.sim.events(self.person.user)))

    def is_untouched(self, answer):
        text = str(answer.body) + str(answer.headers)
        return self.word not in text and self.state() == self.before


@pytest.fixture(scope="module")
def victims(stack):
    return {realm.name: Victim(Person(stack, realm)) for realm in REALMS}


def other(realm):
    return next(one for one in REALMS if one != realm)


def request(realm, route, victim, headers):
    path = place(realm, route).replace("{id}", one(victim.event).rpartition("/")[2]) + QUERY.get(route.path, "")
    body = BODY.get((route.method, route.path))
    if body is not None:
        headers = {**headers, "Content-Type": "application/json"}
    return send(victim.person.stack, route.method, path, {**headers, "Accept": "application/json"}, json.dumps(body) if body else None)


def tokens(victim, realm):
    """A token of each wrong principal: who, token, and what it is to an endpoint that needs a caller."""
    person = victim.person
    past = int(time.time()) - 100
    key = person.stack.conf["JWT_SECRET_KEY"]
    return {
        "nobody": (None, 401), "nonsense": ("x", 401), "another key": (sign_jwt(key + "x", person.claims()), 401),
        "unsigned": (person.jwt().rpartition(".")[0] + ".", 401),
        "expired": (person.jwt(exp=past, iat=past - 9), 401), "not yet": (person.jwt(nbf=past + 400), 401),
        "refresh token": (person.jwt(use="refresh", jti="x", family="x"), 401),
        "no subject": (person.jwt(sub=None), 401), "unknown type": (person.jwt(type="admin"), 401),
        "another realm's": (Person(person.stack, other(realm)).jwt(), 403),
        "another realm's admin": (Person(person.stack, other(realm)).jwt(scope="admin"), 403),
    }


def wanted(route, status, has_token):
    """What a wrong principal gets there: a status and a code; None: as everybody."""
    if route.path in BY_SECRET:
        return BY_SECRET[route.path]
    if route.path in OPEN or route.auth == "ADMIN_OR" or (route.auth == "MAYBE" and not has_token):
        return None
    return {401: (401, "invalid_token"), 403: (403, "wrong_realm")}[status]


# mutant: src/web/guard.c: if (x->caller.realm != x->realm) => if (x->caller.realm->id == GG_REALMS)
@MATRIX
@pytest.mark.parametrize("route", ROUTES, ids=IDS)
def test_wrong_principals(victims, realm, route):
    victim = victims[realm.name]
    for who, (token, status) in tokens(victim, realm).items():
        answer = request(realm, route, victim, bearer(token) if token else {})
        if route.main_only and realm.name != "main":
            check_problem(answer, 404, "not_found")
        elif expected := wanted(route, status, token is not None):
            check_problem(answer, *expected)
        else:
            assert answer.status == 200 and "details" not in answer.body, (who, answer.body)
        assert victim.word not in str(answer.body), who
    assert victim.state() == victim.before


@MATRIX
@pytest.mark.parametrize("connected", [True, False], ids=["connected", "not_connected"])
@pytest.mark.parametrize("scope", [None, "admin"])
@pytest.mark.parametrize("route", ROUTES, ids=IDS)
def test_another_user_of_the_realm(victims, person, realm, route, scope, connected):
    """With the victim's ids; an administrator too is only himself, wherever a user's own things are concerned."""
    victim, someone = victims[realm.name], person()
    if connected:
        someone.connect()
    answer = request(realm, route, victim, bearer(someone.jwt(scope=scope)))
    assert victim.is_untouched(answer), answer
    if route.main_only and realm.name != "main":
        check_problem(answer, 404, "not_found")
    elif route.auth in ("ADMIN", "METRICS"):
        assert answer.status == 200 if scope else answer.body["code"] == "admin_required"
    elif route.auth == "ADMIN_OR":
        assert answer.status == 200 and ("details" in answer.body) == bool(scope)
    elif route.path in BY_SECRET:
        check_problem(answer, *BY_SECRET[route.path])
    elif "{id}" in route.path:
        assert (answer.status, answer.body["code"]) == ((404, "not_found") if connected else (401, "microsoft_auth_required"))
    elif route.path.startswith(CALENDAR) and not connected:
        check_problem(answer, 401, "microsoft_auth_required")
    else:
        assert answer.status in (200, 201), answer
    assert all(call["user"] == someone.user for call in asked(someone))


@MATRIX
def test_the_table_is_read_whole(realm):
    """The contract's endpoints are all in it, each with the guard that its row names."""
    auths = {f"{route.method} {route.path}": route.auth for route in ROUTES}
    assert realm and len(ROUTES) >= 15
    for row, auth in auths.items():
        assert auth == {"auth/microsoft": "MAYBE", "health/microsoft": "ADMIN_OR", "health/microsoft/tokens": "ADMIN",
                        "metrics": "METRICS"}.get(
            row.partition(" ")[2], "NONE" if row.partition(" ")[2] in {*BY_SECRET, *OPEN} else "CALLER"), row


# What is one user's, in the hands of another

@pytest.mark.promise("attack/isolation", "One Idempotency-Key of two users, or in two realms, makes two events")
def test_one_idempotency_key(person, realm):
    someone, neighbour = person().connect(), person().connect()
    stranger = person(realm=other(realm)).connect()
    made = {}
    for who in (someone, neighbour, stranger, someone):
        answer = cal(who, "POST", "/events", LEAST, {"Idempotency-Key": "order-1"})
        assert answer.status == 201, answer
        made.setdefault(who.subject, set()).add((answer.body["event"]["id"], last_sent(who, "POST")["body"]["transactionId"]))
    assert [len(ids) for ids in made.values()] == [1, 1, 1]
    assert len(set.union(*made.values())) == 3 and len({transaction for ids in made.values() for _, transaction in ids}) == 3


@pytest.mark.promise("attack/isolation", "One Idempotency-Key of two users, or in two realms, makes two events")
def test_one_idempotency_key_of_two_users_of_one_mailbox(person):
    """Two of a site's users may connect the same Microsoft account: theirs are two keys, and two events, all the same."""
    someone = person().connect()
    twin = person(user=someone.user).connect()
    ids = [cal(who, "POST", "/events", LEAST, {"Idempotency-Key": "order-2"}).body["event"]["id"] for who in (someone, twin)]
    assert ids[0] != ids[1]


@pytest.mark.promise("attack/isolation", "A session code, a state, a cursor or an event id of another user gives nothing of that user's")
def test_a_session_code_gives_only_its_own_account(person):
    """Whoever brings it, with whatever JWT: it is the account that signed in, once."""
    someone, thief = person(), person().log_in()
    code = session_code(someone)
    info = exchange(thief, code).body["user_info"]
    assert info["email"] == f"{someone.user}@example.com" and info["id"] != thief.subject
    check_problem(exchange(someone, code), 400, "session_code_invalid")


@pytest.mark.promise("attack/isolation", "A session code, a state, a cursor or an event id of another user gives nothing of that user's")
def test_a_state_connects_only_the_account_that_began(person):
    """Finished with another's JWT in the same browser, it still is the first one's; in another browser it is nobody's."""
    someone, thief = person().log_in(), person().log_in()
    url = someone.stack.sim.authorize(leave(someone), someone.user)
    check_problem(thief.call("GET", url), 400, "state_invalid")
    assert thief.row("id") is None
    someone.token = thief.token
    assert someone.call("GET", url).body["user_info"]["id"] == someone.subject
    assert thief.row("id") is None and someone.row("is_active") == ["1"]


@pytest.mark.promise("attack/isolation", "A session code, a state, a cursor or an event id of another user gives nothing of that user's")
def test_another_users_calendar_id(victims, person, realm):
    victim, someone = victims[realm.name], person().connect()
    calendar = victim.person.stack.sim.calendars(victim.person.user)[0]["id"]
    for method, body in (("GET", None), ("POST", LEAST)):
        answer = cal(someone, method, f"/events?calendar_id={calendar}", body)
        is_problem(answer, 404, "not_found")
        assert victim.is_untouched(answer)


@pytest.mark.promise("attack/isolation", "Disconnecting and connecting anew touch one user's row, however many share the Microsoft account")
def test_rows_are_their_owners(person, realm):
    someone = person().connect()
    twin = person(user=someone.user).connect()
    stranger = person(realm=other(realm), user=someone.user).connect()
    columns = "id, access_token, refresh_token, is_active"
    before = [who.row(columns) for who in (twin, stranger)]
    assert someone.api("DELETE", "auth/microsoft/token").status == 200
    assert someone.row("id") is None and [who.row(columns) for who in (twin, stranger)] == before
    come_back(someone)
    assert [who.row(columns) for who in (twin, stranger)] == before
    assert query_of(leave(someone))["state"]
