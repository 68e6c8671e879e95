# SPDX-License-Identifier: MIT
"""What a site on three hosts over a Galera cluster must bear: each function is one scenario; it returns what it measured."""

import contextlib
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from conftest import Person
from kit import at_once, expires_in, wait_for
from site_of_three import at
from stack.smoke import REALMS
from trouble import Callers, Transaction, kept

# How long a fault may show, in seconds.
BOUND_S = 10
LIMIT, CALLERS = 60, 4
# Counted as any other, and never reached.
NO_LIMIT = "1000000/3600"


def people(site, count):
    """Connected persons, by turns of both realms and of all hosts."""
    return [Person(site.hosts[i % 3], REALMS[i % 2]).connect() for i in range(count)]


def migrations_at_once(site):
    """Three administrators migrate at once, each by a node of their own."""
    done = at_once(3, lambda n: site.hosts[n].migrate())
    faults = [one.stderr for one in done if one.returncode != 0]
    assert not faults, faults
    rows = site.sql("SELECT COUNT(*), COUNT(DISTINCT version) FROM schema_migrations")[0]
    assert rows[0] == rows[1] and int(rows[0]) >= 7, rows
    bare = site.sql("SELECT table_name FROM information_schema.tables t WHERE table_schema = 'graphgate' AND (engine <> 'InnoDB' OR"
                    " NOT EXISTS (SELECT 1 FROM information_schema.statistics s WHERE s.table_schema = t.table_schema AND"
                    " s.table_name = t.table_name AND s.index_name = 'PRIMARY'))")
    assert not bare, bare
    site.serve()
    return f"{rows[0]} migrations, each recorded once; every table is InnoDB with a primary key"


def limits_are_exact(site):
    """One user's limit, asked for by all hosts at once, each writing to a node of its own."""
    with limited(site):
        return _count_exactly(site)


def _count_exactly(site):
    found = []
    for person in people(site, 2):
        twins = [at(host, person) for host in site.hosts for _ in range(CALLERS)]
        with ThreadPoolExecutor(len(twins)) as pool:
            answers = [list(one) for one in zip(*pool.map(lambda twin: [(a.status, a.body.get("code")) for a in (
                twin.cal("GET") for _ in range(LIMIT // 6))], twins))]
        tally = Counter(answer for one in answers for answer in one)
        found.append(tally)
        assert set(tally) <= {(200, None), (429, "rate_limited")}, tally
        assert tally[200, None] == LIMIT, tally
    return f"{sum(found[0].values())} requests by {3 * CALLERS} callers on 3 hosts: exactly {LIMIT} let in, for each of 2 users; no error"


@contextlib.contextmanager
def limited(site, limit=f"{LIMIT}/3600"):
    """A user's limit is another meanwhile, and no window ends soon."""
    for host in site.hosts:
        host.restart_worker({"RATE_LIMIT_CALENDAR": limit})
    wait_for_window()
    yield
    for host in site.hosts:
        host.restart_worker({"RATE_LIMIT_CALENDAR": NO_LIMIT})


def wait_for_window(window_s=3600):
    """Not across the end of a window of limits."""
    left = window_s - time.time() % window_s
    if left < 30:
        time.sleep(left + 0.1)


def one_refresh_per_expiry(site):
    """Tokens end while all hosts use them."""
    crowd, rounds = people(site, 4), 5
    for number in range(rounds):
        for person in crowd:
            expires_in(person, -5 if number % 2 else 100)
        with ThreadPoolExecutor(36) as pool:
            answers = list(pool.map(lambda twin: twin.cal("GET").status, [
                at(host, person) for person in crowd for host in site.hosts for _ in range(3)]))
        assert set(answers) == {200}, Counter(answers)
    counts = [site.sim.counters(person.user)["refresh_token"] for person in crowd]
    assert counts == [rounds] * len(crowd), counts
    return f"{len(crowd)} users, {rounds} expiries, 9 callers on 3 hosts each: {counts} refreshes"


def written_here_read_there(site):
    """What one host has just written, another reads: connect, sign in, refresh a session, disconnect."""
    rounds = 15
    for number in range(rounds):
        first, second, third = (site.hosts[(number + i) % 3] for i in range(3))
        person = Person(first, REALMS[number % 2]).connect()
        assert at(second, person).cal("GET").status == 200
        start = at(first, person).api("GET", "auth/microsoft/")
        back = site.sim.authorize(start.body["auth_url"], person.user)
        assert at(third, person).call("GET", back.replace(site.hosts[0].url, third.url)).status == 200
        session = sign_in(site, Person(first, REALMS[number % 2], person.user), second)
        for host in (third, first, second, third):
            answer = at(host, person).api("POST", "auth/refresh", {"refresh_token": session["refresh_token"]})
            assert answer.status == 200, answer.body
            session = answer.body
        assert person.api("DELETE", "auth/microsoft/token").status == 200
        assert at(second, person).cal("GET").status == 401
    return f"{rounds} times around: no state, session or token was missed, none was there too long"


def a_node_that_is_behind(site):
    """A node applies nothing for a moment, as one that is busy; what it is asked meanwhile waits for it."""
    # Nothing is counted: the write of a limit would wait as well, and hide it.
    with limited(site, "off"):
        _ask_one_that_is_behind(site)
    return "4 users who connected by another node are connected here as well"


def _ask_one_that_is_behind(site):
    for number in (1, 2, 1, 2):
        person = Person(site.hosts[0], REALMS[number % 2]).log_in()
        at(site.hosts[number], person).api("GET", "auth/microsoft/user")
        with Transaction(site.cluster.nodes[number], "graphgate") as holder:
            holder.run("FLUSH TABLES WITH READ LOCK")
            person.connect()
            with ThreadPoolExecutor(1) as pool:
                asked = pool.submit(at(site.hosts[number], person).api, "GET", "auth/microsoft/user")
                time.sleep(0.5)
                holder.run("UNLOCK TABLES")
                answer = asked.result()
        assert answer.status == 200 and answer.body["microsoft"]["connected"] is True, answer


def sign_in(site, person, other):
    """A sign-in that begins at a person's host and ends at another; the tokens of the session."""
    person.token = None
    start = person.api("GET", "auth/microsoft/")
    back = site.sim.authorize(start.body["auth_url"], person.user)
    answer = at(other, person).call("GET", back.replace(site.hosts[0].url, other.url))
    assert answer.status == 200, answer.body
    return answer.body


class Load:
    """Two callers of each host, on and on; what they were told."""

    def __init__(self, site):
        self.site = site
        self.people = people(site, 6)
        self.before = kept(*self.people)
        self.callers = Callers(*[lambda one=one, path=path: one.api("GET", path) for one in self.people for path in (
            "integration/microsoft/calendar/", "auth/microsoft/user")], pause_s=0.01)

    def check(self, fault_at):
        """Only 503, for a bounded time; nobody lost anything. What was seen."""
        tally = self.callers.tally()
        assert set(tally) <= {(200, None), (503, "database_unavailable")}, tally
        bad = [call for call in self.callers.calls if call.status != 200]
        slow = max(call.took for call in self.callers.calls)
        last = max((call.at + call.took - fault_at for call in bad), default=0)
        late = [call for call in self.callers.calls if call.took > 1]
        over = max((call.at + call.took - fault_at for call in late), default=0)
        assert last <= BOUND_S and slow <= BOUND_S and over <= BOUND_S, (last, slow, over)
        assert kept(*self.people) == self.before
        assert {one.cal("GET").status for one in self.people} == {200}
        return (f"{len(self.callers.calls)} requests, {len(bad)} told 503"
                + (f", the last {last:.1f} s after it" if bad else "") + f", slowest {slow:.1f} s")


def a_node_is_killed(site, number):
    """SIGKILL in mid-load; the node comes back, and nobody notices."""
    load, node = Load(site), site.cluster.nodes[number]
    with load.callers as callers:
        callers.more(100, 200)
        fault_at = time.monotonic()
        node.kill()
        time.sleep(12)
        callers.more(50, 200)
        said = load.check(fault_at)
        back_at = time.monotonic()
        node.come_back()
        site.cluster.wait(3)
        callers.more(200, 200)
        rest = [call for call in callers.calls if call.at > back_at]
    assert {call.status for call in rest} == {200}, Counter(call.status for call in rest)
    return f"{said}; and none of {len(rest)} when it came back"


@contextlib.contextmanager
def rejoined(site, node):
    """However it went, the next scenario finds three nodes."""
    try:
        yield
    finally:
        node.isolate(False)
        node.relay.up()
        site.cluster.wait(3)


def partitioned(site, way):
    """The first node is cut off from the others: seen by its clients (they reach it in vain), refused, or silent."""
    load, node = Load(site), site.cluster.nodes[0]
    with load.callers as callers, rejoined(site, node):
        callers.more(100, 200)
        fault_at = time.monotonic()
        if way == "silent":
            node.relay.hush()
        elif way == "refused":
            node.relay.down()
        node.isolate(True)
        time.sleep(15)
        callers.more(50, 200)
        said = load.check(fault_at)
        back_at = time.monotonic()
        node.isolate(False)
        site.cluster.wait(3)
        node.relay.up()
        wait_for(lambda: callers.more(1, 200) is None and time.monotonic() > back_at + 5, 60)
        rest = [call for call in callers.calls if call.at > back_at]
    assert {call.status for call in rest} == {200}, Counter((call.status, call.code) for call in rest)
    return f"{said}; and none of {len(rest)} when it came back"


def limit_over_a_fault(site):
    """A limit while the node that counts is killed: not more pass than the limit and what was under way."""
    with limited(site):
        return _count_over_a_kill(site)


def _count_over_a_kill(site):
    person = people(site, 1)[0]
    twins = [at(host, person) for host in site.hosts for _ in range(2)]
    with Callers(*[lambda twin=twin: twin.cal("GET") for twin in twins], pause_s=0.05) as callers:
        callers.more(LIMIT // 3, 200)
        site.cluster.nodes[1].kill()
        try:
            wait_for(lambda: callers.tally()[429, "rate_limited"] > 30, 40)
        finally:
            site.cluster.nodes[1].come_back()
    tally = callers.tally()
    site.cluster.wait(3)
    assert set(tally) <= {(200, None), (429, "rate_limited"), (503, "database_unavailable")}, tally
    passed = tally[200, None]
    assert passed <= LIMIT + len(twins), tally
    return f"{passed} of {LIMIT} let in, {tally[503, 'database_unavailable']} told 503, the rest 429"


def maintain_at_once(site):
    """Three hosts run maintain at the same time, each by a node of its own."""
    states, idle = 30000, 24
    crowd = people(site, idle)
    site.cluster.nodes[0].sql(
        "INSERT INTO login_states (state_hash, browser_hash, realm, sealed, expires_at)"
        f" SELECT LPAD(seq, 43, 'x'), REPEAT('y', 43), 'main', 'z', NOW() - INTERVAL 1 DAY FROM seq_1_to_{states}", "graphgate")
    for person in crowd:
        person.set_row("updated_at = UTC_TIMESTAMP() - INTERVAL 40 DAY")
    site.cluster.nodes[0].sql("UPDATE audit_log SET at = at", "graphgate")
    before = {person.user: site.sim.counters(person.user)["refresh_token"] for person in crowd}
    done = at_once(3, lambda n: site.hosts[n].ctl("maintain", check=False))
    assert {one.returncode for one in done} == {0}, [(one.stdout, one.stderr) for one in done]
    deleted = sum(int(line.split()[1]) for one in done for line in one.stdout.splitlines() if line.startswith("states: "))
    assert deleted == states, [one.stdout for one in done]
    counts = Counter(site.sim.counters(person.user)["refresh_token"] - before[person.user] for person in crowd)
    assert counts == {1: idle}, counts
    sealed = site.hosts[0].ctl("audit", "seal", "--age", "0", check=False)
    at_once(3, lambda n: site.hosts[n].ctl("audit", "seal", "--age", "0"))
    verified = site.hosts[1].ctl("audit", "verify", check=False)
    assert verified.returncode == 0 and sealed.returncode == 0, (sealed.stderr, verified.stdout + verified.stderr)
    shares = [line for one in done for line in one.stdout.splitlines() if line.startswith("states: ")]
    return f"{deleted} states deleted, each once ({'; '.join(shares)}); {idle} idle tokens refreshed once each; the audit verifies"


def nodes_agree(site):
    """At the end every node has the same rows."""
    tables = [row[0] for row in site.sql("SHOW TABLES")]
    query = "SET SESSION wsrep_sync_wait=7; CHECKSUM TABLE " + ", ".join(tables)
    sums = [node.rows(query, "graphgate") for node in site.cluster.nodes]
    assert sums[0] == sums[1] == sums[2], sums
    return f"{len(tables)} tables, the same checksum on every node"


SCENARIOS = (
    ("migrate on three hosts at once", migrations_at_once),
    ("limits are exact across hosts", limits_are_exact),
    ("one refresh an expiry across hosts", one_refresh_per_expiry),
    ("what one host wrote, another reads", written_here_read_there),
    ("a node that is behind is waited for", a_node_that_is_behind),
    ("maintain on three hosts at once", maintain_at_once),
    ("a node is killed (SIGKILL) in mid-load", lambda site: a_node_is_killed(site, 2)),
    ("the first node is killed in mid-load", lambda site: a_node_is_killed(site, 0)),
    ("the first node is cut off, its clients reach it", lambda site: partitioned(site, "reached")),
    ("the first node is cut off and refuses", lambda site: partitioned(site, "refused")),
    ("the first node is cut off and silent", lambda site: partitioned(site, "silent")),
    ("a limit over a killed node", limit_over_a_fault),
    ("all nodes agree", nodes_agree),
)
