# SPDX-License-Identifier: MIT
"""Callers of all hosts that go on through a fault, and what must be true of them all."""

import contextlib
import time
from collections import Counter
from functools import partial

from conftest import Person
from kit import expires_in, stored
from site_of_three import at
from stack.smoke import REALMS
from trouble import Callers, kept

# How long a fault may show, in seconds.
BOUND_S = 10
# What is held up by a fault waits for as long as Galera suspects a node (5 s), or a statement may take. Half of that is
# no slowness of a busy machine's own.
HELD_UP_S = 2.5
LIST, WHO = "integration/microsoft/calendar/", "auth/microsoft/user"
# Counted as any other, and never reached.
NO_LIMIT, WINDOW_S = "1000000/3600", 3600
# How long an access token of the restless lives: a refresh in each second, always under way somewhere.
LIFETIME_S = 2


def people(site, count):
    """Connected persons, by turns of both realms and of all hosts."""
    return [Person(site.hosts[i % 3], REALMS[i % 2]).connect() for i in range(count)]


def wait_for_window(window_s=WINDOW_S):
    """Not across the end of a window of limits."""
    left = window_s - time.time() % window_s
    if left < 60:
        time.sleep(left + 0.1)


@contextlib.contextmanager
def changed(site, back, *changes):
    """Hosts have other settings meanwhile, each the one of its number (or all the same); afterwards those of `back`."""
    for number, host in enumerate(site.hosts):
        host.restart_worker(changes[number % len(changes)])
    try:
        yield
    finally:
        for number, host in enumerate(site.hosts):
            host.restart_worker(back[number % len(back)])


@contextlib.contextmanager
def limited(site, limit):
    """A user's limit is another meanwhile, and no window ends soon."""
    with changed(site, [{"RATE_LIMIT_CALENDAR": NO_LIMIT}], {"RATE_LIMIT_CALENDAR": limit}):
        wait_for_window()
        yield


def counted(site, person, window_s=WINDOW_S):
    """How often the limit of a person's calendar was counted."""
    rows = site.sql(f"SELECT used + prev FROM rate_limits WHERE k = 'calendar:{person.realm.name}:{person.subject}/{window_s}'")
    return float(rows[0][0]) if rows else 0


class Load:
    """Six people with good tokens, two callers each; three whose tokens end all the time, with a caller at each host."""

    def __init__(self, site):
        self.site = site
        self.steady, self.restless = people(site, 6), people(site, 3)
        self.before = kept(*self.steady)
        self._statuses = []
        for one in self.restless:
            site.sim.token_options(user=one.user, grant="refresh_token", expires_in=LIFETIME_S, count=1000000)
            expires_in(one, -5)
        self.callers = Callers(
            *[partial(self._ask, one, path) for one in self.steady for path in (LIST, WHO)],
            *[partial(self._ask, at(host, one), LIST) for one in self.restless for host in site.hosts], pause_s=0.01)

    def _ask(self, person, path):
        answer = person.api("GET", path)
        self._statuses.append((person.number, answer.status))
        return answer

    def check(self, fault_at):
        """Only 503, for a bounded time; those whose tokens are good lost nothing. What was seen."""
        calls, tally = list(self.callers.calls), self.callers.tally()
        assert {status for status, _ in tally} <= {200, 503}, tally
        bad = [call for call in calls if call.status != 200]
        slow = max(call.took for call in calls)
        last = max((call.at + call.took - fault_at for call in bad), default=0)
        late = [(round(call.at - fault_at, 2), round(call.took, 2), call.status) for call in calls
                if call.took > HELD_UP_S and call.at + call.took - fault_at > BOUND_S]
        assert last <= BOUND_S and slow <= BOUND_S and not late, (last, slow, late, tally)
        early = [call for call in bad if call.at + call.took < fault_at]
        assert not early, early
        assert kept(*self.steady) == self.before
        return (f"{len(calls)} requests, {len(bad)} told 503"
                + (f", the last {last:.1f} s after it" if bad else "") + f", slowest {slow:.1f} s")

    def settle(self):
        """When nobody calls any more: what was kept, and what was counted. What was seen."""
        self.site.sim.clear_token_options()
        assert {self._ask(one, LIST).status for one in (*self.steady, *self.restless)} == {200}
        refreshes = [self._kept_the_newest(one) for one in self.restless]
        many = sum(self._counts(one) for one in (*self.steady, *self.restless))
        return f"{sum(refreshes)} refreshes, none lost or made twice; none let in uncounted, {many:.0f} counted in vain"

    def _kept_the_newest(self, one):
        """The newest refresh token is the one that is stored, and none was asked for while another was good."""
        assert one.row("is_active, inactive_reason, refresh_lease") == ["1", "NULL", "NULL"], one.row("*")
        tokens = self.site.sim.issued(user=one.user, kind="refresh_token")
        newest = max(tokens, key=lambda token: token["time"])
        assert stored(one, "refresh_token") == newest["value"]
        seconds = Counter(int(token["time"]) for token in tokens[1:])
        assert len(seconds) > 10 and max(seconds.values()) == 1, seconds
        return len(tokens) - 1

    def _counts(self, one):
        """Nobody was let in without a count. How often somebody was counted and not let in, or counted twice."""
        statuses = [status for number, status in self._statuses if number == one.number]
        under_way = 3 if one in self.restless else 2
        used = counted(self.site, one)
        lost, many = statuses.count(200) - used, used - statuses.count(200)
        assert lost <= 0 and many <= statuses.count(503) + under_way, (lost, many, Counter(statuses))
        return max(many, 0)
