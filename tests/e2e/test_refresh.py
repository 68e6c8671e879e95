# SPDX-License-Identifier: MIT
"""Refreshing: when, how often, and who wins."""

import os
import signal
import threading
import time

import pytest
from conftest import Person
from kit import (asked, at_once, cal, each, events, expires_in, graph, is_problem, needs_microsoft, refreshes, stored, wait_for)

from stack.smoke import REALMS


@pytest.fixture(scope="module")
def hosts(make_stack, stack):
    """Two hosts on one database: the usual stack, and a second with its settings."""
    names = ("DATABASE_URL", "TOKEN_ENCRYPTION_KEY", "JWT_SECRET_KEY")
    return stack, make_stack(LOG_LEVEL="debug", **{name: stack.conf[name] for name in names})


@pytest.fixture(scope="module")
def murder(make_stack):
    """A stack whose workers were killed while they refreshed, in both realms; when, and until when they waited for it."""
    victim = make_stack(workers=3, SIGN_IN="existing")
    people = [Person(victim, realm) for realm in REALMS]
    found = {}
    for someone in people:
        someone.connect()
        expires_in(someone, -10)
        victim.sim.fault("delay", "token", user=someone.user, delay_ms=15000)
    doomed = [threading.Thread(target=_dies, args=(someone,)) for someone in people]
    for thread in doomed:
        thread.start()
    for someone in people:
        wait_for(lambda someone=someone: someone.row("refresh_lease") != ["NULL"])
    killed_at = time.monotonic()
    supervisor = victim.worker_pids()[0]
    for pid in victim.worker_pids():
        if _parent(pid) == supervisor:
            os.kill(pid, signal.SIGKILL)
    survivors = [threading.Thread(target=lambda someone=someone: found.update({someone.realm.name: _returns(someone, killed_at)}))
                 for someone in people]
    for thread in survivors:
        thread.start()
    return people, [*doomed, *survivors], found


def _parent(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return int(file.read().rpartition(")")[2].split()[1])


def _dies(person):
    try:
        cal(person, "GET")
    except OSError:
        pass


def _returns(person, since):
    while cal(person, "GET").status != 200:
        if time.monotonic() - since > 40:
            return None
        time.sleep(0.2)
    return time.monotonic() - since


def test_lease_of_a_killed_worker_begins(murder):
    assert len(murder[0]) == 2


@pytest.mark.parametrize("seconds, wanted", [(310, 0), (299, 1), (60, 1), (1, 1), (0, 1), (-1, 1), (-86400, 1)])
def test_refreshed_within_five_minutes_of_its_end(person, seconds, wanted):
    someone = person().connect()
    before = someone.row("access_token, refresh_token, id_token")
    expires_in(someone, seconds)
    assert cal(someone, "GET").status == 200
    assert refreshes(someone) == wanted and (someone.row("access_token, refresh_token, id_token") != before) == bool(wanted)
    assert cal(someone, "GET").status == 200
    assert refreshes(someone) == wanted
    assert (someone.row("expires_at > UTC_TIMESTAMP() + INTERVAL 50 MINUTE") == ["1"]) == bool(wanted)


def test_new_token_is_the_one_used(person):
    someone = person().connect()
    expires_in(someone, 10)
    someone.stack.sim.expire(someone.user)
    assert cal(someone, "GET").status == 200
    assert [call["status"] for call in asked(someone)] == [200] and refreshes(someone) == 1
    assert stored(someone) == someone.stack.sim.token_of(someone.user)
    assert stored(someone, "refresh_token") == someone.stack.sim.token_of(someone.user, "refresh_token")
    assert stored(someone, "id_token") == someone.stack.sim.token_of(someone.user, "id_token")


@pytest.mark.parametrize("seconds, delay_ms", [(60, 300), (-10, 300)], ids=["about to expire", "expired"])
def test_fifty_at_once_on_two_hosts_are_one_refresh(person, hosts, sim, seconds, delay_ms):
    someone = person().connect()
    expires_in(someone, seconds)
    sim.fault("delay", "token", user=someone.user, delay_ms=delay_ms, count=None)
    answers = at_once(50, lambda number: cal(someone, "GET", stack=hosts[number % 2]))
    assert [answer.status for answer in answers] == [200] * 50
    assert refreshes(someone) == 1


def test_fifty_at_once_with_tokens_that_never_live_long_are_one_refresh(person, hosts, sim):
    """The new token is within five minutes of its end too; it is not refreshed by each caller in turn."""
    someone = person()
    sim.token_options(user=someone.user, expires_in=120, count=200)
    someone.connect()
    answers = at_once(50, lambda number: cal(someone, "GET", stack=hosts[number % 2]))
    assert [answer.status for answer in answers] == [200] * 50
    assert refreshes(someone) == 1


def test_others_go_on_with_the_old_token_meanwhile(person, sim):
    someone = person().connect()
    expires_in(someone, 100)
    sim.fault("delay", "token", user=someone.user, delay_ms=2000)

    def timed(_):
        begin = time.monotonic()
        return cal(someone, "GET").status, time.monotonic() - begin

    with_refresh = threading.Thread(target=timed, args=(0,))
    with_refresh.start()
    wait_for(lambda: someone.row("refresh_lease") != ["NULL"])
    others = at_once(3, timed)
    with_refresh.join()
    assert [status for status, _ in others] == [200] * 3 and max(took for _, took in others) < 1.5
    assert refreshes(someone) == 1


def test_forced_refresh_by_twenty_at_once_is_one(person, hosts, sim):
    someone = person().connect()
    sim.expire(someone.user)
    sim.fault("delay", "token", user=someone.user, delay_ms=200, count=None)
    answers = at_once(20, lambda number: cal(someone, "GET", stack=hosts[number % 2]))
    assert [answer.status for answer in answers] == [200] * 20
    assert refreshes(someone) == 1


def test_answer_without_refresh_token_keeps_the_old(person, sim):
    someone = person().connect()
    kept = stored(someone, "refresh_token")
    sim.token_options(user=someone.user, grant="refresh_token", refresh_token=False)
    expires_in(someone, 10)
    assert cal(someone, "GET").status == 200
    assert stored(someone, "refresh_token") == kept and refreshes(someone) == 1
    expires_in(someone, 10)
    assert cal(someone, "GET").status == 200
    assert stored(someone, "refresh_token") != kept and refreshes(someone) == 2


@pytest.mark.parametrize("options, left_s", [({"expires_in": 120}, 120), ({"expires_in": 7200, "expires_in_string": True}, 7200)])
def test_lifetime_of_the_answer(person, sim, options, left_s):
    someone = person().connect()
    sim.token_options(user=someone.user, grant="refresh_token", **options)
    expires_in(someone, 10)
    assert cal(someone, "GET").status == 200
    left = int(someone.row("TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), expires_at)")[0])
    assert left_s - 5 <= left <= left_s


def begin_refresh(person):
    """Begins a slow refresh; gives its thread and a list that its answer comes into."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(cal(person, "GET")))
    thread.start()
    wait_for(lambda: person.row("refresh_lease") != ["NULL"])
    return thread, answers


@pytest.mark.parametrize("rule", [{"kind": "delay"}, {"kind": "status", "aadsts": 70000}, {"kind": "status", "status": 503},
                                  {"kind": "status", "aadsts": 7000215}],
                         ids=["succeeds", "fails for good", "fails for now", "fails by the operator"])
@pytest.mark.parametrize("seconds", [100, -10], ids=["valid", "expired"])
def test_connect_during_a_slow_refresh_wins(person, sim, rule, seconds):
    someone = person().connect()
    expires_in(someone, seconds)
    sim.faults({"target": "token", "grant": "refresh_token", "user": someone.user, "delay_ms": 800, **rule})
    thread, answers = begin_refresh(someone)
    someone.connect()
    connected = someone.row("access_token, refresh_token, id_token, is_active, expires_at")
    thread.join()
    assert someone.row("access_token, refresh_token, id_token, is_active, expires_at") == connected and connected[3] == "1"
    assert [answer.status for answer in answers] == [200]
    assert cal(someone, "GET").status == 200 and refreshes(someone) == 1


@pytest.mark.parametrize("rule", [{"kind": "delay"}, {"kind": "status", "aadsts": 70000}, {"kind": "status", "status": 503}],
                         ids=["succeeds", "fails for good", "fails for now"])
def test_disconnect_during_a_refresh_stays(person, sim, rule):
    someone = person().connect()
    expires_in(someone, -10)
    sim.faults({"target": "token", "grant": "refresh_token", "user": someone.user, "delay_ms": 800, **rule})
    thread, answers = begin_refresh(someone)
    assert someone.api("DELETE", "auth/microsoft/token").status == 200
    thread.join()
    assert someone.row("id") is None
    needs_microsoft(answers[0], someone)
    needs_microsoft(cal(someone, "GET"), someone)
    assert not asked(someone)


def test_refresh_of_one_realm_or_user_leaves_the_others(person, sim):
    someone = person().connect()
    other = person(realm=next(realm for realm in REALMS if realm != someone.realm), user=someone.user)
    third = person(user=someone.user)
    each([other, third], lambda one: one.connect())
    rows = [other.row("*"), third.row("*")]
    expires_in(someone, 10)
    assert cal(someone, "GET").status == 200
    assert [other.row("*"), third.row("*")] == rows and sim.counters(someone.user)["refresh_token"] == 1


@pytest.mark.parametrize("seconds, wanted", [(250, 200), (-10, 503)])
def test_answer_that_comes_too_late(person, sim, make_stack, seconds, wanted):
    hasty = make_stack(GRAPH_TIMEOUT_S=1, LOGIN_TIMEOUT_S=1, CONNECT_TIMEOUT_S=1, REQUEST_DEADLINE_S=3, workers=8)
    someone = person(stack=hasty).connect()
    before = someone.row("access_token, refresh_token")
    expires_in(someone, seconds)
    sim.fault("delay", "token", user=someone.user, delay_ms=1500)
    answers = at_once(6, lambda _: events(someone))
    assert {answer.status for answer in answers} == {wanted}
    for answer in answers:
        if wanted == 503:
            is_problem(answer, 503, "microsoft_unavailable")
            assert int(answer.headers["Retry-After"]) >= 1
    time.sleep(0.8)
    assert someone.row("access_token, refresh_token") == before and sim.requests(target="token", user=someone.user)
    assert refreshes(someone) == 1 and graph(someone, "/me/calendars")


# mutant: include/gg/store/token.h: GG_TOKEN_LEASE_S 20 => GG_TOKEN_LEASE_S 60
@pytest.mark.promise("faults/worker", "The lease of a worker that died in a refresh ends within 20 s; then another worker refreshes")
def test_lease_of_a_killed_worker_ends(murder):
    """Begun above, so that the wait costs nobody else's time."""
    people, threads, found = murder
    for thread in threads:
        thread.join(45)
    for someone in people:
        assert 3 < (found.get(someone.realm.name) or 99) < 20.5, found
        assert someone.row("is_active, refresh_lease") == ["1", "NULL"]
