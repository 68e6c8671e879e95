# SPDX-License-Identifier: MIT
"""Who is connected, disconnecting, and which local account a Microsoft identity has."""

import re
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.fernet import Fernet

from stack.smoke import REALMS
from wire import check_problem, come_back, refresh, send, session_code

WHO = "auth/microsoft/user"
TOKEN = "auth/microsoft/token"
TABLE = {"main": "users", "beta": "beta_teachers"}
FORM = {"main": r"[1-9][0-9]*", "beta": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"}
NOBODY = {"connected": False, "id": None, "email": None, "tenant_id": None, "scopes": [], "expires_at": None,
          "last_used_at": None}
UTC = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def oid(sim, key):
    return next(one["oid"] for one in sim.users() if one["key"] == key)


def microsoft_calls(sim):
    return sum(count for name, count in sim.counters().items() if not name.endswith(("_ok", "_failed", "_peak")))


@pytest.fixture
def audience(sim):
    """audience("multi"): whom Microsoft lets in to the app, for this test."""
    yield lambda value: sim.app(audience=value)
    sim.app(audience="single")


# User

def test_user_who_signed_in(person, realm, sim):
    someone = person()
    identifier = someone.sign_in().body["user_info"]["id"]
    before = microsoft_calls(sim)
    answer = someone.api("GET", WHO)
    assert answer.status == 200 and set(answer.body) == {"success", realm.account, "microsoft"}
    assert answer.body["success"] is True
    email = f"{someone.user}@example.com"
    assert answer.body[realm.account] == {"id": identifier, "email": email, "full_name": f"User {someone.number}"}
    microsoft = answer.body["microsoft"]
    assert set(microsoft) == set(NOBODY)
    assert microsoft["connected"] is True and microsoft["id"] == oid(sim, someone.user)
    assert (microsoft["email"], microsoft["tenant_id"]) == (email, sim.tenant_id)
    assert {"Calendars.ReadWrite", "User.Read"} <= {scope.rpartition("/")[2] for scope in microsoft["scopes"]}
    assert re.fullmatch(UTC, microsoft["expires_at"])
    assert microsoft_calls(sim) == before


def test_user_of_the_site(person, realm):
    """Somebody who is in no table here: what the JWT says of them."""
    someone = person().connect()
    body = someone.api("GET", WHO).body
    email = f"local{someone.number}@example.com"
    assert body[realm.account] == {"id": someone.subject, "email": email, "full_name": None}
    assert body["microsoft"]["connected"] is True and body["microsoft"]["email"] == f"{someone.user}@example.com"
    someone.log_in(email=None)
    assert someone.api("GET", WHO).body[realm.account]["email"] is None


def test_user_tells_when_the_tokens_were_used(person):
    someone = person().connect()
    someone.set_row("last_used_at = NULL, expires_at = '2031-02-03 04:05:06', scope = 'a  b'")
    microsoft = someone.api("GET", WHO).body["microsoft"]
    assert (microsoft["last_used_at"], microsoft["expires_at"]) == (None, "2031-02-03T04:05:06Z")
    assert microsoft["scopes"] == ["a", "b"]
    assert someone.cal("GET").status == 200
    assert re.fullmatch(UTC, someone.api("GET", WHO).body["microsoft"]["last_used_at"])


def test_user_not_connected(person, realm, sim):
    someone = person().log_in()
    before = microsoft_calls(sim)
    answer = someone.api("GET", WHO)
    assert answer.status == 200 and answer.body["success"] is True
    assert answer.body["microsoft"] == NOBODY and answer.body[realm.account]["id"] == someone.subject
    assert microsoft_calls(sim) == before


def test_user_inactive(person):
    someone = person().connect()
    someone.set_row("is_active = 0")
    answer = someone.api("GET", WHO)
    assert (answer.status, answer.body["microsoft"]) == (200, NOBODY)
    someone.connect()
    assert someone.api("GET", WHO).body["microsoft"]["connected"] is True


def test_expired_is_still_connected_and_not_refreshed(person, sim):
    someone = person().connect()
    someone.set_row("expires_at = NOW() - INTERVAL 1 DAY")
    assert someone.api("GET", WHO).body["microsoft"]["connected"] is True
    assert sim.counters(someone.user)["refresh_token"] == 0


# Disconnect

def test_disconnect(person):
    someone, bystander = person().connect(), person().connect()
    for _ in range(2):
        answer = someone.api("DELETE", TOKEN)
        assert answer.status == 200 and set(answer.body) == {"success", "message"} and answer.body["success"] is True
        assert someone.row("id") is None
        assert someone.api("GET", WHO).body["microsoft"] == NOBODY
    check_problem(someone.cal("GET"), 401, "microsoft_auth_required")
    assert bystander.row("is_active") == ["1"]


def test_disconnect_of_an_inactive_one(person):
    someone = person().connect()
    someone.set_row("is_active = 0")
    assert someone.api("DELETE", TOKEN).status == 200
    assert someone.row("id") is None


# Accounts

def test_account(person, realm, sim):
    """An account is the pair tenant and object id; signing in again finds it, also after a disconnect."""
    someone = person()
    identifier = someone.sign_in().body["user_info"]["id"]
    assert re.fullmatch(FORM[realm.name], identifier)
    rows = someone.stack.sql(f"SELECT id FROM {TABLE[realm.name]} WHERE tenant_id = '{sim.tenant_id}'"
                             f" AND microsoft_id = '{oid(sim, someone.user)}'")
    assert rows == [[identifier]]
    again = person(user=someone.user)
    assert again.sign_in().body["user_info"]["id"] == identifier
    assert someone.api("DELETE", TOKEN).status == 200
    assert again.api("GET", WHO).body["microsoft"] == NOBODY
    assert again.sign_in().body["user_info"]["id"] == identifier
    someone.subject = identifier
    assert someone.row("COUNT(*)") == ["1"]


def test_realms_have_accounts_of_their_own(person):
    someone = person(realm=REALMS[0])
    someone.sign_in()
    other = person(realm=REALMS[1], user=someone.user)
    other.log_in()
    assert other.api("GET", WHO).body["microsoft"]["connected"] is False
    other.sign_in()
    assert other.api("DELETE", TOKEN).status == 200
    assert someone.api("GET", WHO).body["microsoft"]["connected"] is True


@pytest.mark.promise("attack/oauth", "An e-mail claim takes over no account: tenant and object id alone are the key")
def test_a_changed_email_takes_over_no_account(person, sim):
    """Who takes the e-mail address of another gets an account of their own, and keeps it."""
    victim, thief = person(), person()
    mine = victim.sign_in().body["user_info"]
    before = thief.sign_in().body["user_info"]["id"]
    sim.user(victim.user, email="moved@example.com")
    sim.user(thief.user, email=mine["email"], upn=mine["email"])
    newcomer = person()
    sim.user(newcomer.user, email=mine["email"])
    assert thief.sign_in().body["user_info"]["id"] == before
    new = newcomer.sign_in().body["user_info"]
    assert new["email"] == mine["email"] and new["id"] not in (mine["id"], before)
    assert victim.sign_in().body["user_info"] == {**mine, "email": "moved@example.com"}
    assert victim.api("GET", WHO).body[victim.realm.account]["email"] == "moved@example.com"


@pytest.fixture
def two_tenants(make_stack, sim, audience):
    """Any work account may sign in; the second tenant has people of the same e-mail and object id."""
    audience("multi")
    tenant = str(uuid.uuid4())
    sim.tenant(tenant, name="Second", domains=["second.example"])
    return make_stack(MSTENANTID="organizations", SIGN_IN="provision", workers=1), tenant


@pytest.mark.promise("attack/oauth", "An e-mail claim takes over no account: tenant and object id alone are the key")
@pytest.mark.parametrize("same", ["email", "oid"])
def test_two_tenants(person, two_tenants, sim, same):
    made, tenant = two_tenants
    first = person(stack=made)
    key = f"twin{first.number}"
    twin = {"email": {"email": f"{first.user}@example.com"}, "oid": {"email": f"{key}@second.example",
                                                                    "oid": oid(sim, first.user)}}[same]
    sim.user(key, tid=tenant, upn=f"{key}@second.example", consented=True, **twin)
    second = person(stack=made, user=key)
    one, two = first.sign_in().body["user_info"], second.sign_in().body["user_info"]
    assert one["id"] != two["id"]
    is_same = [name for name in ("email", "microsoft_id") if one[name] == two[name]]
    assert is_same == [{"email": "email", "oid": "microsoft_id"}[same]]
    assert second.api("GET", WHO).body["microsoft"]["tenant_id"] == tenant


# MSTENANTID: whom the app is for, and who can sign in then.
TENANTS = {"common": ("all", ["sam", "kim", "alex"]), "organizations": ("multi", ["sam", "kim"]),
           "consumers": ("consumers", ["alex"]), "example.com": ("single", ["sam", "robin"])}


@pytest.mark.parametrize("tenant", TENANTS)
def test_kinds_of_tenants(person, make_stack, audience, sim, tenant):
    """The authority may be a class of tenants or a domain: the account is of the person's own tenant."""
    allowed, users = TENANTS[tenant]
    audience(allowed)
    made = make_stack(MSTENANTID=tenant, SIGN_IN="provision", workers=1)
    tids = {one["key"]: one["tid"] for one in sim.users()}
    for user in users:
        someone = person(stack=made, user=user)
        someone.sign_in()
        assert someone.api("GET", WHO).body["microsoft"]["tenant_id"] == tids[user]


def test_names_of_the_world(person, realm, sim):
    someone = person()
    name = "Zo\u00eb \u5c71\u7530 \U0001f989 O'Hara \"x\" <b>"
    sim.user(someone.user, name=name)
    assert someone.sign_in().body["user_info"]["full_name"] == name
    assert someone.api("GET", WHO).body[realm.account]["full_name"] == name


def test_tokens_are_stored_encrypted(person, sim):
    """All three, each as Fernet reads it, and none as it is."""
    someone = person().connect()
    fernet = Fernet(someone.stack.conf["TOKEN_ENCRYPTION_KEY"])
    kinds = ("access_token", "refresh_token", "id_token")
    for kind, cell in zip(kinds, someone.row(", ".join(kinds))):
        assert fernet.decrypt(cell.encode()).decode() == sim.token_of(someone.user, kind), kind


def test_first_sign_ins_at_once(person):
    """Two tabs of a newcomer make one account."""
    first = person()
    people = [first, *(person(user=first.user) for _ in range(5))]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda one: one.sign_in(), people))
    assert len({one.body["user_info"]["id"] for one in answers}) == 1


def test_two_users_of_a_site_and_one_microsoft_account(person, realm):
    """Both are connected; neither is what signing in finds."""
    first = person().connect()
    second = person(user=first.user).connect()
    assert first.row("microsoft_id") == second.row("microsoft_id")
    third = person(user=first.user)
    identifier = third.sign_in().body["user_info"]["id"]
    assert identifier not in (first.subject, second.subject)
    assert first.api("DELETE", TOKEN).status == 200
    for one in (second, third):
        assert one.api("GET", WHO).body["microsoft"]["connected"] is True, realm


def test_existing_finds_no_connection_of_a_site(person, make_stack, realm):
    """SIGN_IN=existing: a connection is no account; an account in the table is."""
    made = make_stack(SIGN_IN="existing", workers=1)
    someone = person(stack=made).connect()
    visitor = person(stack=made, user=someone.user)
    check_problem(come_back(visitor), 403, "account_unknown")
    answer = come_back(visitor, return_to=made.url)
    assert (answer.status, answer.headers["Location"]) == (303, made.url + "?error=account_unknown")
    made.sql(f"INSERT INTO {TABLE[realm.name]} (id, tenant_id, microsoft_id) VALUES ('{someone.subject}', "
             f"'{made.sim.tenant_id}', '{oid(made.sim, someone.user)}')")
    assert visitor.sign_in().body["user_info"]["id"] == someone.subject


def test_connecting_again_replaces_the_identity(person, sim):
    """One row a user: another Microsoft account takes the place of the first."""
    someone, other = person().connect(), person()
    come_back(someone, user=other.user)
    assert someone.row("microsoft_id, microsoft_email, COUNT(*)") == [
        oid(sim, other.user), f"{other.user}@example.com", "1"]


def test_no_email(person, sim):
    """Microsoft may give none; the account is the same when one comes."""
    someone = person()
    sim.user(someone.user, email=None, mail=None)
    first = someone.sign_in().body["user_info"]
    sim.user(someone.user, email="new@example.com")
    assert someone.sign_in().body["user_info"] == {**first, "email": "new@example.com"}


def test_an_account_that_is_gone(person, realm):
    """Its session code and its refresh token end with it."""
    someone = person()
    body = come_back(someone).body
    code = session_code(someone)
    someone.stack.sql(f"DELETE FROM {TABLE[realm.name]} WHERE id = '{body['user_info']['id']}'")
    check_problem(refresh(someone, body["refresh_token"]), 401, "invalid_token")
    assert send(someone.stack, "POST", someone.path("auth/microsoft/exchange"), {"Content-Type": "application/json"},
                f'{{"session_code": "{code}"}}').status in (400, 401)
