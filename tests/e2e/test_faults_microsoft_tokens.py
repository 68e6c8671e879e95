# SPDX-License-Identifier: MIT
"""Every error of Microsoft's token endpoint in its class, when a token is refreshed and when a code is redeemed."""

import pytest
from conftest import Person
from fcgi_client import direct
from kit import each, expires_in, is_problem, refreshes
from trouble import kept
from wire import stored

SECTION = "faults/microsoft"
TOKENS = "access_token, refresh_token, id_token"


def rows(numbers, error, status=400):
    """One fault for each AADSTS number."""
    return [{"kind": "status", "aadsts": number, "error": error, "status": status} for number in numbers]


MFA = (50076, 50079, 50072, 50074, 50078, 50097, 50158, 700020)
POLICY = (53003, 53000, 53001, 530032, 50105, 500212, 500213)
TRANSIENT = (50033, 50087, 70012, 90006, 90012, 90024, 90033, 90055, 90090)
# What the identity platform's documentation has, by what is to be done; docs: reference-error-codes.
PERMANENT = {
    "reconnect": rows((70008, 700082, 50173, 70043, 700084, 70000, 50089, 50132, 50133, 50057, 54005, 501481, 700005),
                      "invalid_grant"),
    "interaction": rows(MFA, "interaction_required") + rows(MFA, "invalid_grant") + rows((50058,), "login_required"),
    "consent": rows((65001, 65004, 90094, 90095), "consent_required") + rows((65001,), "invalid_grant"),
    "policy": rows(POLICY, "invalid_grant"),
    "loop": rows((50196,), "invalid_grant"),
}
OPERATOR = {
    "client": rows((7000215, 7000222, 7000218, 700025, 700027, 50012), "invalid_client", 401),
    "app": rows((700016, 700011, 70001, 7000112, 50194, 90130, 9002332), "unauthorized_client"),
    "request": rows((900144, 50011, 90002), "invalid_request") + rows((70011, 28002, 700022), "invalid_scope")
    + rows((50001, 500011, 650052, 650057), "invalid_resource") + rows((70003,), "unsupported_grant_type"),
    "denied": rows((53003, 65004), "access_denied"),
}
PASSING = {
    "temporarily": rows(TRANSIENT, "temporarily_unavailable") + rows(TRANSIENT, "temporarily_unavailable", 503),
    "server": rows(TRANSIENT, "server_error") + rows(TRANSIENT, "server_error", 500),
    "throttled": rows((90055,), "invalid_grant", 429) + rows((7000215,), "invalid_client", 429),
    "broken": rows((70008,), "invalid_grant", 502) + rows((7000215,), "invalid_client", 504),
}
SIX = 6  # at a time


def in_turn(people, call):
    """call(person, rule) for all, a few at a time."""
    for at in range(0, len(people), SIX):
        each(people[at:at + SIX], lambda pair: call(*pair))


def meet(someone, rule, grant):
    someone.stack.sim.faults({"target": "token", "grant": grant, "user": someone.user, "count": 1, **rule})


def refused_refresh(someone, rule):
    """The answer to a call whose token has ended, while the refresh fails by that rule."""
    meet(someone, rule, "refresh_token")
    expires_in(someone, -10)
    return someone.cal("GET", "/events")


def couple(person, rules):
    return [(person().connect(), rule) for rule in rules]


@pytest.mark.promise(SECTION, "Only Microsoft's final word on a user makes a connection inactive, and its tokens are kept")
@pytest.mark.parametrize("name", PERMANENT)
def test_final_word_at_a_refresh(person, name):
    def check(someone, rule):
        before = someone.row(TOKENS)
        is_problem(refused_refresh(someone, rule), 401, "microsoft_auth_required")
        assert someone.row(TOKENS + ", is_active") == [*before, "0"], rule
        someone.connect()
        assert someone.cal("GET", "/events").status == 200
    in_turn(couple(person, PERMANENT[name]), check)


# mutant: src/proto/oauth.c: return GG_OAUTH_OPERATOR; => return GG_OAUTH_PERMANENT;
@pytest.mark.promise(SECTION, "A refusal of the app's credentials or settings is 503 and an alarm; no user is disconnected")
@pytest.mark.promise(SECTION, "A passing refusal of the token endpoint is 503 with Retry-After; no user is disconnected")
@pytest.mark.parametrize("name", [*OPERATOR, *PASSING])
def test_no_final_word_at_a_refresh(person, name):
    code = "microsoft_client_rejected" if name in OPERATOR else "microsoft_unavailable"

    def check(someone, rule):
        before = kept(someone)
        answer = refused_refresh(someone, rule)
        is_problem(answer, 503, code)
        assert 1 <= int(answer.headers["Retry-After"]) <= 5 and refreshes(someone) == 1
        assert [row[:-1] for row in kept(someone)] == [row[:-1] for row in before], rule
        someone.set_row("refresh_failed_until = NULL, refresh_failure = NULL")
        assert someone.cal("GET", "/events").status == 200 and refreshes(someone) == 2
    in_turn(couple(person, {**OPERATOR, **PASSING}[name]), check)


@pytest.mark.promise(SECTION, "A code that Microsoft refuses stores nothing, is redeemed once, and the next sign-in works")
@pytest.mark.parametrize("name", [*PERMANENT, *OPERATOR, *PASSING])
def test_at_a_redemption(program, realm, sim, name):
    wanted = (401, "microsoft_auth_failed") if name in PERMANENT else (
        503, "microsoft_client_rejected" if name in OPERATOR else "microsoft_unavailable")
    worker = program()
    before = stored(worker.stack)
    for rule in {**PERMANENT, **OPERATOR, **PASSING}[name]:
        someone = direct(Person, worker, realm)
        start = someone.api("GET", "auth/microsoft/").body["auth_url"]
        meet(someone, rule, "authorization_code")
        is_problem(someone.call("GET", sim.authorize(start, someone.user)), *wanted)
        assert sim.counters(someone.user)["authorization_code"] == 1
    assert stored(worker.stack) == before
    someone.sign_in()
    assert someone.cal("GET", "/events").status == 200
