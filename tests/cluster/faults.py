# SPDX-License-Identifier: MIT
"""What a site over a Galera cluster must bear while a node is lost, and when it comes back."""

import contextlib
import time
from collections import Counter

from kit import wait_for
from load import Load, changed, counted, limited, people
from site_of_three import at
from trouble import Callers

LIMIT = 60


@contextlib.contextmanager
def rejoined(site, node):
    """However it went, the next scenario finds three nodes."""
    try:
        yield
    finally:
        if not node.pid:
            node.come_back()
        node.isolate(False)
        node.relay.up()
        site.cluster.wait(3)


@contextlib.contextmanager
def one_order(site, **more):
    """All hosts ask the nodes in the same order, as docs/scaling.md says."""
    with changed(site, [{"DATABASE_URL": site.url(n), **dict.fromkeys(more)} for n in range(3)], {"DATABASE_URL": site.url(0), **more}):
        yield


def cut(node, way):
    """Its clients still reach it (in vain), or are refused, or hear nothing any more."""
    if way == "silent":
        node.relay.hush()
    elif way == "refused":
        node.relay.down()
    node.isolate(True)


def mend(site, node):
    """The others have it back, and its clients."""
    node.isolate(False)
    site.cluster.wait(3)
    node.relay.up()


def a_node_is_killed(site, number):
    """SIGKILL in mid-load; the node comes back, and nobody notices."""
    node, load = site.cluster.nodes[number], Load(site)
    with rejoined(site, node), load.callers as callers:
        callers.more(200, 200)
        fault_at = time.monotonic()
        node.kill()
        time.sleep(16)
        callers.more(50, 200)
        said = load.check(fault_at)
        back_at = time.monotonic()
        node.come_back()
        site.cluster.wait(3)
        callers.more(200, 200)
    return f"{said}; {_nobody_noticed(callers, back_at)}; {load.settle()}"


def the_first_is_killed(site):
    """The same when it is the first one for all hosts, which share their connections."""
    with one_order(site, DATABASE_CONNECTION="shared"):
        return a_node_is_killed(site, 0)


def _nobody_noticed(callers, back_at):
    rest = [call for call in callers.calls if call.at > back_at]
    assert {call.status for call in rest} == {200}, Counter((call.status, call.code) for call in rest)
    return f"none of {len(rest)} when it came back"


def partitioned(site, way, lasts=False, returns=False):
    """The first node is cut off from the others, and comes back.

    It lasts until it was asked again in vain; or, when it is back, its clients return to it.
    """
    node, load = site.cluster.nodes[0], Load(site)
    with rejoined(site, node), load.callers as callers:
        callers.more(200, 200)
        fault_at = time.monotonic()
        cut(node, way)
        time.sleep(15)
        taken = node.relay.taken
        wait_for(lambda: not lasts or node.relay.taken > taken + 2, 60)
        callers.more(50, 200)
        said = load.check(fault_at)
        back_at = time.monotonic()
        mend(site, node)
        taken = node.relay.taken
        wait_for(lambda: callers.more(1, 200) is None and time.monotonic() > back_at + 5
                 and (not returns or node.relay.taken > taken), 120)
        callers.more(200, 200)
    return f"{said}; {_nobody_noticed(callers, back_at)}; {load.settle()}"


def the_first_is_cut_off(site):
    """Of all hosts, until they ask it again."""
    with one_order(site):
        return partitioned(site, "silent", returns=True)


def limit_over_a_fault(site, number, fault, end):
    """A limit while a node that counts is lost: not more pass, and not fewer but for what was under way."""
    with limited(site, f"{LIMIT}/3600"):
        return _count_over(site, site.cluster.nodes[number], fault, end)


def _count_over(site, node, fault, end):
    person = people(site, 1)[0]
    twins = [at(host, person) for host in site.hosts for _ in range(2)]
    with rejoined(site, node), Callers(*[lambda twin=twin: twin.cal("GET") for twin in twins], pause_s=0.05) as callers:
        callers.more(LIMIT // 3, 200)
        fault(node)
        wait_for(lambda: callers.tally()[429, "rate_limited"] > 30, 40)
        end(node)
        callers.more(100, 429)
    tally = callers.tally()
    assert set(tally) <= {(200, None), (429, "rate_limited"), (503, "database_unavailable")}, tally
    passed, bad = tally[200, None], tally[503, "database_unavailable"]
    assert LIMIT - bad - len(twins) <= passed <= LIMIT, tally
    assert counted(site, person) == LIMIT, tally
    return f"{passed} of {LIMIT} let in, {bad} told 503, the rest 429"


def limit_over_a_kill(site):
    """Of a node that not all hosts ask first."""
    return limit_over_a_fault(site, 1, lambda node: node.kill(), lambda node: node.come_back())


def limit_over_a_partition(site):
    """The first node is cut off, and back while the limit still holds."""
    return limit_over_a_fault(site, 0, lambda node: cut(node, "reached"), lambda node: mend(site, node))
