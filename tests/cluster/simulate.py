# SPDX-License-Identifier: MIT
"""From what was measured (docs/scaling.json) to hosts, disks and walls; the plans are run through a simulation of their
busiest second. Prints the tables of docs/scaling.md, or with --write renews them there."""

import heapq
import json
import math
import random
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "scaling.md"
MARKS = re.compile(r"(<!-- simulated: (\w+) -->\n).*?(<!-- end of simulated -->)", re.S)

# What is assumed of users, of Microsoft and of machines; a site puts its own numbers here.
READS_A_DAY, REFRESHES_A_DAY, SIGN_INS_A_DAY = 10, 4, 1 / 7
DAY_S, PEAK = 8 * 3600, 3           # the day's requests come in so long, three times as many at the peak
GRAPH_S, GRAPH_SPREAD = 0.2, 0.6    # median, and sigma of the lognormal distribution
GRAPH_AT_MOST = 2000                # requests in a second of one app registration, all tenants together
KEEP_DAYS = 400                     # AUDIT_KEEP_DAYS
LIMIT_WINDOW_S = 60                 # a row of a limit lives for two of them
CORES, USE = 8, 0.5                 # of a host and of a node; how busy they are planned to be
MAX_CONNECTIONS = 151
SECONDS, SEED = 12, 7               # of the simulated time

PLANS = (("10 thousand", 10_000), ("1 million", 1_000_000), ("100 million", 100_000_000))


class Plan:
    """What so many users need. A shard is a cluster of three nodes with hosts of its own."""

    def __init__(self, users, costs):
        cpu, rows = costs["read"]["cpu_s"], costs["row_bytes"]
        self.peak = users * READS_A_DAY / DAY_S * PEAK
        refreshes = users * REFRESHES_A_DAY / DAY_S * PEAK
        self.worker_s = cpu["workers"] + cpu["web_server"]
        # Each node applies all writes; the one that answers also reads.
        self.node_s = max(cpu["database"], cpu["other_node"])
        node_most = CORES * USE / self.node_s
        self.graph_mean_s = GRAPH_S * math.exp(GRAPH_SPREAD ** 2 / 2)
        self.shards = max(math.ceil(self.peak / node_most), math.ceil(self.peak / (GRAPH_AT_MOST * 0.9)))
        self.load = self.peak / self.shards
        self.hosts = max(1, math.ceil(self.load * self.worker_s / (CORES * USE))) + 1
        # Little's law, and room for a crowd.
        at_once = self.load * (self.graph_mean_s + self.worker_s + cpu["database"])
        self.workers = math.ceil(1.2 * at_once + 4 * math.sqrt(at_once))
        self.commits = self.load * costs["read"]["commits"] + refreshes / self.shards * costs["refresh_commits"]
        self.replicated = self.load * costs["read"]["replicated_bytes"]
        in_shard = users / self.shards
        self.tokens = in_shard * (rows["microsoft_oauth_tokens"] + rows["users"] + rows["refresh_families"])
        self.audit = in_shard * (READS_A_DAY + REFRESHES_A_DAY) * KEEP_DAYS * rows["audit_log"]
        self.limits = min(in_shard, 2 * LIMIT_WINDOW_S * self.load) * rows["rate_limits"]
        self.graph_apps = math.ceil(self.peak / GRAPH_AT_MOST)
        self.users = users


class Servers:
    """So many that work at once, first come, first served; how long they worked."""

    def __init__(self, count):
        self._free = [0.0] * count
        self.busy, self.count = 0.0, count

    def serve(self, now, takes):
        """When work that comes now is done."""
        begin = max(now, self._free[0])
        heapq.heapreplace(self._free, begin + takes)
        self.busy += takes
        return begin + takes


def simulate(plan, costs, shared):
    """One shard's peak: what a request waits beyond Microsoft, and what is in use at most."""
    dice = random.Random(SEED)
    read = costs["read_shared" if shared else "read"]["cpu_s"]
    hosts, node = Servers((plan.hosts - 1) * CORES), Servers(CORES)
    free, line, waits = plan.workers, [], []
    queue, number, busy, most, most_held, held = [], 0, 0, 0, 0, 0
    now = dice.expovariate(plan.load)
    while now < SECONDS:
        heapq.heappush(queue, (now, number, 0, now, 0.0))
        number, now = number + 1, now + dice.expovariate(plan.load)
    half = {name: read[name] / 2 for name in read}
    while queue:
        now, serial, step, came, graph = heapq.heappop(queue)
        if step == 0:
            if not free:
                line.append((serial, came))
                continue
            free, busy = free - 1, busy + 1
            most = max(most, busy)
        if step in (0, 2):
            held += 1
            most_held = max(most_held, held)
            done = node.serve(hosts.serve(now, half["workers"] + half["web_server"]), half["database"])
            heapq.heappush(queue, (done, serial, step + 1, came, graph))
        elif step == 1:
            held -= 1
            graph = dice.lognormvariate(math.log(GRAPH_S), GRAPH_SPREAD)
            heapq.heappush(queue, (now + graph, serial, 2, came, graph))
        else:
            held, free, busy = held - 1, free + 1, busy - 1
            waits.append(now - came - graph)
            if line:
                serial, came = line.pop(0)
                heapq.heappush(queue, (now, serial, 0, came, 0.0))
    waits.sort()
    return {"p50": waits[len(waits) // 2], "p99": waits[int(len(waits) * 0.99)], "workers": most,
            "connections": most_held if shared else most, "host": hosts.busy / SECONDS / hosts.count, "node": node.busy / SECONDS / node.count}


def number(value):
    """Three digits that matter, with thousands."""
    if value >= 1000:
        return f"{round(value, -int(math.log10(value)) + 2):,.0f}"
    return f"{value:.3g}"


def size(value):
    """Bytes for people."""
    for name in ("B", "KB", "MB", "GB"):
        if value < 1000:
            return f"{value:.3g} {name}"
        value /= 1000
    return f"{value:,.3g} TB"


def table(head, rows):
    """Markdown."""
    return "".join("| " + " | ".join(row) + " |\n" for row in (head, ["---"] * len(head), *rows))


def cost_table(costs):
    """What a warm request costs."""
    unit, kept, shared = costs["unit_s"], costs["read"], costs["read_shared"]
    names = {"workers": "CPU of the worker", "web_server": "CPU of the web server", "database": "CPU of the node that answers",
             "other_node": "CPU of each other node"}
    rows = [[text, *(f"{one['cpu_s'][name] * 1000:.2f} ms, {one['cpu_s'][name] / unit:.1f} units" for one in (kept, shared))]
            for name, text in names.items()]
    for name, text in (("statements", "statements"), ("connects", "connections made"), ("commits", "commits")):
        rows.append([text, *(f"{one[name]:g}" for one in (kept, shared))])
    for name, text in (("database_bytes", "bytes to and from the database"), ("replicated_bytes", "bytes replicated"),
                       ("up_bytes", "bytes from the client"), ("down_bytes", "bytes to the client")):
        rows.append([text, *(f"{one[name]:,}" for one in (kept, shared))])
    return table(["one list of ten events, warm", "`kept`", "`shared`"], rows)


def row_table(costs):
    """What a row takes."""
    each = {"microsoft_oauth_tokens": "connected user", "beta_microsoft_oauth_tokens": "connected user", "users": "user who signed in",
            "beta_teachers": "user who signed in", "refresh_families": "session", "login_states": "sign-in under way, 10 minutes",
            "session_codes": "finished sign-in, a minute", "rate_limits": "user or address, two windows",
            "audit_log": f"use of a token or change of state, {KEEP_DAYS} days"}
    return table(["table", "bytes a row", "one row a"], [[f"`{name}`", f"{costs['row_bytes'][name]:,}", each[name]] for name in each])


def plan_table(costs):
    """What so many users need."""
    plans = [Plan(users, costs) for _, users in PLANS]
    rows = (("requests/s at the peak", lambda p: number(p.peak)), ("app registrations that Graph's limit takes", lambda p: number(p.graph_apps)),
            ("clusters (shards)", lambda p: number(p.shards)), ("hosts of each, one to spare", lambda p: number(p.hosts)),
            ("workers of each, together", lambda p: number(p.workers)), ("commits/s of each", lambda p: number(p.commits)),
            ("replicated from each node", lambda p: size(p.replicated) + "/s"), ("tokens, users, sessions of each", lambda p: size(p.tokens)),
            ("limits of each", lambda p: size(p.limits)), (f"audit of each, {KEEP_DAYS} days", lambda p: size(p.audit)))
    return table(["users", *(name for name, _ in PLANS)], [[text, *(tell(plan) for plan in plans)] for text, tell in rows])


def simulation_table(costs):
    """How the plans fare."""
    rows = []
    for name, users in PLANS:
        for word in ("kept", "shared"):
            seen = simulate(Plan(users, costs), costs, word == "shared")
            rows.append([name, f"`{word}`", f"{seen['p50'] * 1000:.1f} ms", f"{seen['p99'] * 1000:.1f} ms", f"{seen['host']:.0%}",
                         f"{seen['node']:.0%}", number(seen["workers"]), number(seen["connections"])
                         + (" (raise `max_connections`)" if seen["connections"] > MAX_CONNECTIONS else "")])
    return table(["users", "connections", "wait beyond Microsoft, median", "99th", "hosts busy", "node busy", "workers in use", "connections in use"], rows)


def wall_table(costs):
    """Up to how many users each thing bears, one cluster and one app registration."""
    cpu, each = costs["read"]["cpu_s"], READS_A_DAY / DAY_S * PEAK
    commits = each * costs["read"]["commits"] + REFRESHES_A_DAY / DAY_S * PEAK * costs["refresh_commits"]
    disk = 1e12
    walls = [("Graph: requests of one app registration", GRAPH_AT_MOST / each), (
        f"the node that answers: {CORES} cores, all busy", CORES / max(cpu["database"], cpu["other_node"]) / each),
        ("commits of three nodes on this one machine of two cores", costs["commits_at_most"]["three_nodes"] / commits),
        (f"the audit of {KEEP_DAYS} days on a disk of 1 TB", disk / ((READS_A_DAY + REFRESHES_A_DAY) * KEEP_DAYS * costs["row_bytes"]["audit_log"])),
        ("the tokens in a buffer pool of 64 GB", 64e9 / costs["row_bytes"]["microsoft_oauth_tokens"]),
        (f"`kept` connections within {MAX_CONNECTIONS}", MAX_CONNECTIONS / (1.5 * (GRAPH_S * math.exp(GRAPH_SPREAD ** 2 / 2) + cpu["workers"])) / each)]
    return table(["what", "bears so many users"], [[text, number(users)] for text, users in sorted(walls, key=lambda wall: wall[1])])


TABLES = {"costs": cost_table, "rows": row_table, "walls": wall_table, "plans": plan_table, "simulation": simulation_table}


def filled(text, costs):
    """The document with its tables renewed."""
    return MARKS.sub(lambda found: found[1] + TABLES[found[2]](costs) + found[3], text)


def main():
    """Prints, or writes."""
    costs = json.loads((ROOT / "docs" / "scaling.json").read_text(encoding="utf-8"))
    if "--write" in sys.argv[1:]:
        DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8"), costs), encoding="utf-8")
        return
    for name, tell in TABLES.items():
        print(f"{name}\n\n{tell(costs)}")


if __name__ == "__main__":
    main()
