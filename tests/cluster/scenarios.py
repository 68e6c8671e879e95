# SPDX-License-Identifier: MIT
"""What a site on three hosts over a Galera cluster must bear: each function is one scenario; it returns what it measured."""

import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from conftest import Person
from faults import (LIMIT, a_node_is_killed, limit_over_a_kill, limit_over_a_partition, partitioned, the_first_is_cut_off,
                    the_first_is_killed)
from kit import at_once, expires_in
from load import limited, people
from site_of_three import at
from stack.smoke import REALMS
from trouble import Transaction

CALLERS = 4
# What maintain finds: so many rows of each kind that have expired, and so many idle connections.
ROWS, IDLE = 8500, 24
EXPIRED = (
    ("login_states", "state_hash, browser_hash, realm, sealed", "LPAD(seq, 43, 'x'), REPEAT('y', 43), 'main', 'z'"),
    ("session_codes", "code_hash, realm, subject", "LPAD(seq, 43, 'x'), 'main', 'z'"),
    ("refresh_families", "family_id, current_id, realm, subject", "LPAD(seq, 22, 'x'), LPAD(seq, 22, 'x'), 'main', 'z'"),
    ("rate_limits", "k, win, used, prev, admitted", "CONCAT('x', seq), 1, 1, 0, 1"),
)


def migrations_at_once(site):
    """Three administrators migrate at once, each by a node of their own."""
    done = at_once(3, lambda n: site.hosts[n].migrate())
    faults = [one.stderr for one in done if one.returncode != 0]
    assert not faults, faults
    rows = site.sql("SELECT COUNT(*), COUNT(DISTINCT version) FROM schema_migrations")[0]
    assert rows[0] == rows[1] and int(rows[0]) >= 7, rows
    refused = [site.hosts[n].migrate("--limits-engine", engine) for n, engine in enumerate(("aria", "memory"))]
    assert all(one.returncode == 1 and "replicates InnoDB alone" in one.stderr for one in refused), refused
    bare = site.sql("SELECT table_name FROM information_schema.tables t WHERE table_schema = 'graphgate' AND (engine <> 'InnoDB' OR"
                    " NOT EXISTS (SELECT 1 FROM information_schema.statistics s WHERE s.table_schema = t.table_schema AND"
                    " s.table_name = t.table_name AND s.index_name = 'PRIMARY'))")
    assert not bare, bare
    site.serve()
    return f"{rows[0]} migrations, each recorded once; every table is InnoDB with a primary key, and no other engine is taken"


def limits_are_exact(site):
    """One user's limit, asked for by all hosts at once, each writing to a node of its own."""
    with limited(site, f"{LIMIT}/3600"):
        return _count_exactly(site)


def _count_exactly(site):
    before, users = site.cluster.conflicts(), 0
    # Without conflicts that a node told of nothing would be shown; should there be few, some more do it.
    while users < 2 or (site.cluster.conflicts() < before + 5 and users < 20):
        _exhaust(site, people(site, 2)[users % 2])
        users += 1
    conflicts = site.cluster.conflicts() - before
    assert conflicts >= 5, conflicts
    return (f"{2 * LIMIT} requests by {3 * CALLERS} callers on 3 hosts: exactly {LIMIT} let in, for each of {users} users;"
            f" {conflicts} conflicts between nodes, no error")


def a_partitioned_table(site):
    """The limits' table in several parts, as docs/scaling.md says."""
    with limited(site, f"{LIMIT}/3600"):
        site.cluster.nodes[0].sql("ALTER TABLE rate_limits PARTITION BY KEY (k) PARTITIONS 8", "graphgate")
        for person in people(site, 2):
            _exhaust(site, person)
        site.cluster.nodes[0].sql("ALTER TABLE rate_limits REMOVE PARTITIONING", "graphgate")
    return "exact as well, in 8 parts"


def _exhaust(site, person):
    """Each of those let in was told another number of what is left."""
    twins = [at(host, person) for host in site.hosts for _ in range(CALLERS)]
    with ThreadPoolExecutor(len(twins)) as pool:
        answers = [answer for some in pool.map(lambda twin: [twin.cal("GET") for _ in range(2 * LIMIT // len(twins))], twins)
                   for answer in some]
    tally = Counter((answer.status, answer.body.get("code")) for answer in answers)
    assert tally == {(200, None): LIMIT, (429, "rate_limited"): LIMIT}, tally
    left = sorted(int(answer.headers["RateLimit-Remaining"]) for answer in answers if answer.status == 200)
    assert left == list(range(LIMIT)), left


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


def maintain_at_once(site):
    """Three hosts run maintain at the same time, each by a node of its own: what they say adds up to what there was."""
    crowd = people(site, IDLE)
    for table, columns, values in EXPIRED:
        ends = "ends_at" if table == "rate_limits" else "expires_at"
        site.cluster.nodes[0].sql(f"DELETE FROM {table} WHERE {ends} < NOW(); INSERT INTO {table} ({columns}, {ends})"
                                  f" SELECT {values}, NOW() - INTERVAL 1 DAY FROM seq_1_to_{ROWS}", "graphgate")
    for person in crowd:
        person.set_row("updated_at = UTC_TIMESTAMP() - INTERVAL 40 DAY")
    before = {person.user: site.sim.counters(person.user)["refresh_token"] for person in crowd}
    done = at_once(3, lambda n: site.hosts[n].ctl("maintain", check=False))
    assert {one.returncode for one in done} == {0}, [(one.stdout, one.stderr) for one in done]
    said = [one.stdout for one in done]
    for name, many in (("states: (\\d+) deleted", ROWS), ("session codes: (\\d+) deleted", ROWS), ("refresh tokens: (\\d+) deleted", ROWS),
                       ("rate-limit rows: (\\d+) deleted", ROWS), ("idle connections: (\\d+) refreshed", IDLE)):
        assert sum(int(count) for text in said for count in re.findall(name, text)) == many, (name, said)
    counts = Counter(site.sim.counters(person.user)["refresh_token"] - before[person.user] for person in crowd)
    assert counts == {1: IDLE}, counts
    shares = ["/".join(re.findall(f"(?m)^{name}: (\\d+)", text)[0] for text in said) for name in ("states", "idle connections")]
    return (f"4 times {ROWS} rows deleted, each once (states by {shares[0]}); {IDLE} idle tokens refreshed once each (by {shares[1]});"
            f" {_seal_at_once(site)}")


def settle(site):
    """Waits until no row of the audit waits on a host."""
    for host in site.hosts:
        host.settle()


def _seal_at_once(site):
    """What there is of the audit, by three hosts: each row in one seal. It is more than one seal covers."""
    person = people(site, 1)[0]
    with ThreadPoolExecutor(6) as pool:
        assert {answer.status for answer in pool.map(lambda n: at(site.hosts[n % 3], person).cal("GET"), range(600))} == {200}
    settle(site)
    sealed = int(site.sql("SELECT COALESCE(SUM(row_count), 0) FROM audit_seals")[0][0])
    done = at_once(3, lambda n: site.hosts[n].ctl("audit", "seal", "--age", "0"))
    new = [int(re.match(r"audit: (\d+) rows sealed", one.stdout)[1]) for one in done]
    rows = site.sql("SELECT (SELECT SUM(row_count) FROM audit_seals), COUNT(*) FROM audit_log"
                    " WHERE id <= (SELECT MAX(last_id) FROM audit_seals)")[0]
    assert rows[0] == rows[1] == str(sealed + sum(new)) and sum(new) >= 600, (rows, sealed, new)
    verified = site.hosts[1].ctl("audit", "verify", check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    return f"{sum(new)} rows of the audit sealed once each (by {'/'.join(map(str, new))}), and it verifies"


def nodes_agree(site):
    """At the end every node has the same rows."""
    settle(site)
    tables = [row[0] for row in site.sql("SHOW TABLES")]
    query = "SET SESSION wsrep_sync_wait=7; CHECKSUM TABLE " + ", ".join(tables)
    sums = [node.rows(query, "graphgate") for node in site.cluster.nodes]
    assert sums[0] == sums[1] == sums[2], sums
    return f"{len(tables)} tables, the same checksum on every node"


# Name, scenario, and whether it is one of the short ones.
SCENARIOS = (
    ("migrate on three hosts at once", migrations_at_once, True),
    ("limits are exact across hosts", limits_are_exact, True),
    ("limits are exact in a partitioned table", a_partitioned_table, False),
    ("one refresh an expiry across hosts", one_refresh_per_expiry, True),
    ("what one host wrote, another reads", written_here_read_there, True),
    ("a node that is behind is waited for", a_node_that_is_behind, True),
    ("a node is killed (SIGKILL) in mid-load", lambda site: a_node_is_killed(site, 2), False),
    ("the first node is killed in mid-load", lambda site: a_node_is_killed(site, 0), True),
    ("the first node of all hosts is killed, connections are shared", the_first_is_killed, False),
    ("the first node is cut off, its clients reach it", lambda site: partitioned(site, "reached", lasts=True), False),
    ("the first node is cut off and refuses", lambda site: partitioned(site, "refused"), False),
    ("the first node is cut off and silent", lambda site: partitioned(site, "silent"), False),
    ("the first node of all hosts is cut off and silent, and asked again", the_first_is_cut_off, False),
    ("a limit over a killed node", limit_over_a_kill, False),
    ("a limit over a partition", limit_over_a_partition, False),
    ("maintain on three hosts at once", maintain_at_once, True),
    ("all nodes agree", nodes_agree, True),
)
