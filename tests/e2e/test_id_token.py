# SPDX-License-Identifier: MIT
"""The ID token: every forgery is refused and leaves nothing behind; keys that roll over, and keys out of reach."""

import pytest

from sim.microsoft.idtoken import FORGERIES, HARMLESS
from sim.microsoft.keys import CONSUMER_TENANT
from wire import check_problem, come_back, forget_keys, stored

AWAY = (503, "microsoft_unavailable")
FORGED = {kind: {} for kind in FORGERIES if kind not in HARMLESS}
# More of the kind that takes what it is given: values of the wrong type, and what only seems right.
CUSTOM = {
    "iss_with_slash": {"set": {"iss": "SIM/TENANT/v2.0/"}},
    "iss_list": {"set": {"iss": ["SIM/TENANT/v2.0"]}},
    "aud_upper_case": {"set": {"aud": "CLIENT"}},
    "nonce_list": {"set": {"nonce": ["x"]}},
    "nonce_null": {"set": {"nonce": None}},
    "tid_upper_case_other": {"set": {"tid": "11111111-2222-4333-8444-55555555555A"}},
    "oid_empty": {"set": {"oid": ""}},
    "oid_with_slash": {"set": {"oid": "../me"}},
    "nbf_text": {"set": {"nbf": "0"}},
    "nbf_late": {"set": {"nbf": 99999999999}},
    "alg_number": {"header": {"alg": 256}},
    "alg_lower_case": {"header": {"alg": "rs256"}},
    "kid_number": {"header": {"kid": 7}},
    "without_alg": {"header_drop": ["alg"]},
}


def params_of(sim, name):
    words = {"SIM": sim.https, "TENANT": sim.tenant_id, "CLIENT": sim.client_id.upper()}

    def filled(value):
        if isinstance(value, list):
            return [filled(one) for one in value]
        for word, meaning in words.items():
            value = value.replace(word, meaning) if isinstance(value, str) else value
        return value
    given = CUSTOM[name]
    return {**given, "set": {key: filled(value) for key, value in given.get("set", {}).items()}}


@pytest.fixture(scope="module")
def strict_stack(make_stack):
    """Forged key ids use up what may be asked for unknown ones: this is a database of their own."""
    return make_stack(LOG_LEVEL="debug", workers=2)


def check_refused(someone, forge):
    """A sign-in is told, a connect that has somewhere to return to is sent there; neither leaves a row."""
    before = stored(someone.stack)
    forge()
    check_problem(come_back(someone), 401, "id_token_invalid")
    forge()
    answer = come_back(someone.log_in(), return_to=someone.stack.url)
    assert (answer.status, answer.headers["Location"]) == (303, someone.stack.url + "?error=id_token_invalid")
    assert stored(someone.stack) == before


# mutant: src/proto/oauth.c: if (expect->key_issuer.n > 0 && !is_issuer(a, expect->key_issuer, tid, iss)) => if (expect->key_issuer.n > 1000000)
@pytest.mark.promise(
    "attack/oauth", "Every forged ID token is refused and leaves nothing behind: algorithm, key, issuer, audience, nonce, tenant, azp, times")
@pytest.mark.parametrize("kind", FORGED)
def test_forgery(person, strict_stack, kind):
    someone = person(stack=strict_stack)
    check_refused(someone, lambda: strict_stack.sim.forge(kind, user=someone.user))


@pytest.mark.promise(
    "attack/oauth", "Every forged ID token is refused and leaves nothing behind: algorithm, key, issuer, audience, nonce, tenant, azp, times")
@pytest.mark.parametrize("name", CUSTOM)
def test_wrong_value(person, strict_stack, sim, name):
    someone = person(stack=strict_stack)
    check_refused(someone, lambda: sim.forge("custom", user=someone.user, params=params_of(sim, name)))


@pytest.mark.parametrize("kind", ["missing_iat", "missing_nbf", "missing_ver", "missing_sub", "custom"])
def test_harmless(person, sim, kind):
    someone = person()
    sim.forge(kind, user=someone.user)
    assert come_back(someone).status == 200


@pytest.mark.promise(
    "attack/oauth", "Every forged ID token is refused and leaves nothing behind: algorithm, key, issuer, audience, nonce, tenant, azp, times")
def test_a_forgery_leaves_a_connection_as_it_was(person, sim):
    someone = person().connect()
    columns = "access_token, refresh_token, id_token, microsoft_id, is_active"
    before = someone.row(columns)
    sim.forge("bad_signature", user=someone.user)
    check_problem(come_back(someone), 401, "id_token_invalid")
    assert someone.row(columns) == before


@pytest.fixture
def lone_worker(make_stack, sim):
    """One worker that has not seen any key yet; the simulator's keys are put back at the end."""
    made = forget_keys(make_stack(LOG_LEVEL="warning", workers=1))
    yield made
    sim.roll_keys("reset")


@pytest.mark.parametrize("actions", [["add"], ["next"], ["switch"], ["replace"], ["switch", "drop_old"]], ids="+".join)
def test_roll_over(person, lone_worker, actions):
    """A worker that holds the old keys takes tokens of the new one at once."""
    assert come_back(person(stack=lone_worker)).status == 200
    for action in actions:
        lone_worker.sim.roll_keys(action)
        for _ in range(2):
            assert come_back(person(stack=lone_worker)).status == 200


def test_many_roll_overs_in_a_row(person, lone_worker):
    """What limits the fetches for forged key ids does not count those for new keys."""
    assert come_back(person(stack=lone_worker)).status == 200
    for _ in range(5):
        lone_worker.sim.roll_keys("replace")
        assert come_back(person(stack=lone_worker)).status == 200


def test_keys_are_kept(person, lone_worker):
    """One fetch serves many sign-ins."""
    before = lone_worker.sim.counters()["keys"]
    for _ in range(3):
        assert come_back(person(stack=lone_worker)).status == 200
    assert lone_worker.sim.counters()["keys"] == before + 1


OUT = {
    "status_500": {"kind": "status", "status": 500, "body": "{}"},
    "status_429": {"kind": "status", "status": 429, "body": "{}"},
    "reset": {"kind": "reset", "when": "before"},
    "cut": {"kind": "truncate"},
    "html": {"kind": "malformed", "name": "html"},
    "empty": {"kind": "malformed", "name": "empty"},
    "array": {"kind": "malformed", "name": "array"},
    "null": {"kind": "malformed", "name": "null"},
}


@pytest.mark.parametrize("target", ["keys", "discovery"])
def test_out_of_reach(person, lone_worker, target):
    """503 while it lasts, with nothing stored, and right again afterwards."""
    for name, fault in OUT.items():
        someone = person(stack=lone_worker)
        before = stored(lone_worker)
        number = lone_worker.sim.fault(target=target, count=None, **fault)
        answer = come_back(someone)
        assert answer.status == 503, (name, answer.body)
        check_problem(answer, *AWAY)
        assert stored(lone_worker) == before
        lone_worker.sim.clear_faults(number)
    assert come_back(person(stack=lone_worker)).status == 200


@pytest.mark.promise(
    "attack/oauth", "Every forged ID token is refused and leaves nothing behind: algorithm, key, issuer, audience, nonce, tenant, azp, times")
def test_other_tenants_where_the_issuer_is_a_template(person, lone_worker, sim):
    """The configured tenant is the only one, even where discovery names no issuer in particular."""
    sim.fault("merge", "discovery", count=None, body={"issuer": f"{sim.https}/{{tenantid}}/v2.0"})
    assert come_back(person(stack=lone_worker)).status == 200
    someone = person(stack=lone_worker)
    check_refused(someone, lambda: sim.forge("other_tenant", user=someone.user))


def test_no_personal_accounts_among_organizations(person, make_stack, sim):
    sim.app(audience="multi")
    someone = person(stack=make_stack(MSTENANTID="organizations", SIGN_IN="provision", workers=1))
    personal = {"tid": CONSUMER_TENANT, "iss": f"{sim.https}/{CONSUMER_TENANT}/v2.0"}
    try:
        check_refused(someone, lambda: sim.forge("custom", user=someone.user, params={"set": personal}))
    finally:
        sim.app(audience="single")


def test_keys_late(person, make_stack):
    someone = person(stack=forget_keys(make_stack(LOGIN_TIMEOUT_S=1, workers=1)))
    someone.stack.sim.fault("delay", "keys", delay_ms=1500)
    check_problem(come_back(someone), *AWAY)


@pytest.mark.promise(
    "attack/oauth", "A signing key that cannot be fetched is no forgery: 503, nothing stored, and well again afterwards")
def test_new_key_out_of_reach(person, lone_worker):
    """A key that is not known yet, while the keys cannot be had, is nobody's forgery."""
    assert come_back(person(stack=lone_worker)).status == 200
    lone_worker.sim.roll_keys("switch")
    number = lone_worker.sim.fault("status", "keys", count=None, status=503, body="{}")
    check_problem(come_back(person(stack=lone_worker)), *AWAY)
    lone_worker.sim.clear_faults(number)
    assert come_back(person(stack=lone_worker)).status == 200


@pytest.mark.promise("attack/oauth", "An ID token's times count with two minutes of leeway, no more")
@pytest.mark.parametrize("skew_s,status", [(-3600 - 60, 200), (-3600 - 200, 401), (300 + 60, 200), (300 + 200, 401)])
def test_clocks(person, sim, skew_s, status):
    """exp is an hour after, nbf five minutes before the simulator's time; two minutes are forgiven."""
    sim.settings(token_skew_s=skew_s)
    try:
        assert come_back(person()).status == status
    finally:
        sim.settings(token_skew_s=0)
