# SPDX-License-Identifier: MIT
"""Measures what a request and a user cost, on a Galera cluster of this machine; writes docs/scaling.json.

    GRAPHGATE_BUILD=build PYTHONPATH=tests:tests/e2e:tests/cluster /usr/bin/python3 -B tests/cluster/measure.py

CPU time is told in units of this machine's own: SHA-256 of a mebibyte, measured in the same run.
"""

import hashlib
import http.client
import json
import os
import re
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from conftest import CALENDAR, Person
from kit import event, expires_in, wait_for
from site_of_three import Site
from stack.smoke import REALMS
from stack.stack import ROOT

OUT = ROOT / "docs" / "scaling.json"
REQUESTS, CALLERS = 1200, 4
# Rows to fill a table with: so many that the steps in which its file grows do not count.
ROWS, SMALL_ROWS = 20000, 100000
EVENTS, EVENT_BYTES = 10, 1500
CONFIG = {f"RATE_LIMIT_{name}": "1000000/3600" for name in ("OAUTH_START", "OAUTH_CALLBACK", "CALENDAR")}
# Per table: what makes a copy of a real row another row.
COPIES = {
    "microsoft_oauth_tokens": {"user_id": "seq + 1000000"},
    "beta_microsoft_oauth_tokens": {"teacher_id": "UUID()"},
    "users": {"microsoft_id": "UUID()"},
    "beta_teachers": {"id": "UUID()", "microsoft_id": "UUID()"},
    "refresh_families": {"family_id": "LEFT(MD5(seq), 22)"},
    "login_states": {"state_hash": "CONCAT(SHA1(seq), 'xyz')"},
    "session_codes": {"code_hash": "CONCAT(SHA1(seq), 'xyz')"},
    "rate_limits": {"k": "CONCAT('calendar:main:', CRC32(seq), '/60')"},
    "audit_log": {"id": "CONCAT('01990000-', LPAD(HEX(seq), 4, '0'), '-7000-8000-', LEFT(MD5(seq), 12))",
                  "subject": "CAST(CRC32(seq) AS CHAR)"},
}
# Their ids are given by the database.
NUMBERED = {"microsoft_oauth_tokens", "beta_microsoft_oauth_tokens", "users"}


def unit():
    """Seconds of CPU for SHA-256 of a mebibyte."""
    data, found = b"x" * (1 << 20), []
    for _ in range(40):
        began = time.process_time()
        hashlib.sha256(data).digest()
        found.append(time.process_time() - began)
    return statistics.median(found)


def cpu(pids):
    """Seconds of CPU that living processes have had."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def status(node):
    """The counters of a node that are numbers."""
    return {name: int(value) for name, value in node.rows("SHOW GLOBAL STATUS") if re.fullmatch(r"\d+", value)}


def ask(person, count):
    """`count` lists of events on one kept connection; bytes up and down of the last."""
    site, path = urlsplit(person.stack.url), person.path(f"{CALENDAR}/events?limit={EVENTS}")
    link = http.client.HTTPConnection(site.hostname, site.port, timeout=60)
    down = 0
    for _ in range(count):
        link.request("GET", path, headers={"Authorization": f"Bearer {person.token}", "Accept": "application/json"})
        reply = link.getresponse()
        body = reply.read()
        assert reply.status == 200, (reply.status, body)
        down = len(body) + sum(len(name) + len(value) + 4 for name, value in reply.getheaders())
    link.close()
    return len(path) + len(person.token) + 120, down


def warm(site, people, pids):
    """What one list of events costs, everything warm."""
    node = site.cluster.nodes[0]
    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(lambda one: ask(one, 30), people))
        before, spent = status(node), {name: cpu(of) for name, of in pids.items()}
        up, down = list(pool.map(lambda one: ask(one, REQUESTS // CALLERS), people))[0]
        after = status(node)
        spent = {name: cpu(of) - spent[name] for name, of in pids.items()}
    per = {name: (after[name] - before[name]) / REQUESTS for name in (
        "Com_stmt_execute", "Com_stmt_prepare", "Connections", "Bytes_received", "Bytes_sent", "wsrep_replicated",
        "wsrep_replicated_bytes")}
    return {"cpu_s": {name: round(seconds / REQUESTS, 6) for name, seconds in spent.items()}, "statements": round(per["Com_stmt_execute"], 2),
            "connects": round(per["Connections"], 2), "database_bytes": round(per["Bytes_received"] + per["Bytes_sent"]),
            "commits": round(per["wsrep_replicated"], 2), "replicated_bytes": round(per["wsrep_replicated_bytes"]),
            "up_bytes": up, "down_bytes": down}


def serving(host):
    """The workers' ids, once all of them are there."""
    return wait_for(lambda: host.serving_pids() if len(host.serving_pids()) == host.workers else None)


def refreshed(site, person):
    """Commits of a request that refreshes, beyond those of one that does not."""
    node, rounds = site.cluster.nodes[0], 20
    before = status(node)["wsrep_replicated"]
    for _ in range(rounds):
        expires_in(person, -5)
        ask(person, 1)
    # Each expires_in is one as well.
    return (status(node)["wsrep_replicated"] - before) / rounds - 1


def row_bytes(site):
    """Bytes on the disk for each row, with its indexes."""
    node, found = site.cluster.nodes[0], {}
    sizes = "SELECT FILE_SIZE FROM information_schema.INNODB_SYS_TABLESPACES WHERE NAME = 'graphgate/{}'"
    for table, changed in COPIES.items():
        columns = [row[0] for row in node.rows(f"SHOW COLUMNS FROM {table}", "graphgate")]
        columns = [name for name in columns if not (name == "id" and table in NUMBERED)]
        chosen = ", ".join(changed.get(name, name) for name in columns)
        before = int(node.rows(sizes.format(table))[0][0])
        rows = ROWS if table.endswith("_tokens") else SMALL_ROWS
        for part in range(4):
            node.sql(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen} FROM (SELECT * FROM {table} LIMIT 1) AS one,"
                     f" seq_{part * rows // 4 + 1}_to_{(part + 1) * rows // 4}", "graphgate")
        found[table] = round((int(node.rows(sizes.format(table))[0][0]) - before) / rows)
    return found


def commits_at_most(nodes):
    """Commits in a second of upserts on rows of their own, by eight connections of the first node."""
    count = 1500
    node = nodes[0]
    node.sql("CREATE TABLE graphgate.bench (k VARCHAR(40) PRIMARY KEY, n INT) ENGINE=InnoDB")

    def run(number):
        node.sql("".join(f"INSERT INTO bench VALUES ('{number}-{i % 50}', 1) ON DUPLICATE KEY UPDATE n = n + 1;" for i in range(count)),
                 "graphgate")
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(8)))
    took = time.monotonic() - began
    node.sql("DROP TABLE graphgate.bench")
    return 8 * count / took


def memory(pids):
    """Bytes of private dirty memory of a worker."""
    return statistics.median(1024 * int(re.search(r"Private_Dirty: +(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text())[1]) for pid in pids)


def measure(site):
    """All of it."""
    host, node = site.hosts[0], site.cluster.nodes[0]
    host.migrate()
    site.serve()
    people = [Person(host, REALMS[i % 2]).connect() for i in range(CALLERS)]
    for number, person in enumerate(people):
        site.sim.add_events(person.user, *[event(f"e{number}", 1, i, body={"contentType": "text", "content": "x" * (EVENT_BYTES - 900)})
                                           for i in range(EVENTS)])
        Person(host, person.realm, person.user).sign_in()
    for person in people[:2]:
        Person(host, person.realm).api("GET", "auth/microsoft/")
    # A session code is there until it is exchanged: one that is left.
    node.sql("INSERT INTO session_codes SELECT REPEAT('c', 43), realm, subject, sealed, NOW() + INTERVAL 1 DAY FROM"
             " (SELECT realm, '1' AS subject, sealed FROM login_states LIMIT 1) AS one", "graphgate")
    pids = {"workers": serving(host), "web_server": [host.web.pid], "database": [node.pid], "other_node": [site.cluster.nodes[1].pid]}
    found = {"unit_s": round(unit(), 7), "read": warm(site, people, pids)}
    found["refresh_commits"] = round(refreshed(site, people[0]) - found["read"]["commits"], 1)
    found["worker_bytes"] = memory(host.serving_pids())
    host.restart_worker({"DATABASE_CONNECTION": "shared"})
    pids |= {"workers": serving(host), "web_server": [host.web.pid]}
    found["read_shared"] = warm(site, people, pids)
    found["commits_at_most"] = {"three_nodes": round(commits_at_most(site.cluster.nodes))}
    for other in site.cluster.nodes[1:]:
        other.stop()
    found["commits_at_most"]["one_node"] = round(commits_at_most(site.cluster.nodes))
    found["row_bytes"] = row_bytes(site)
    lengths = node.rows("SELECT LENGTH(access_token), LENGTH(refresh_token), LENGTH(id_token) FROM microsoft_oauth_tokens LIMIT 1", "graphgate")[0]
    found["token_bytes"] = dict(zip(("access", "refresh", "id"), map(int, lengths)))
    found["machine"] = {"cpu": next(line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                                    if line.startswith("model name")), "cores": os.cpu_count(),
                        "mariadb": node.rows("SELECT VERSION()")[0][0], "galera": node.status("provider_version")}
    return found


def main():
    """Writes the file."""
    with tempfile.TemporaryDirectory(prefix="gg-cluster-") as directory, Site(directory, CONFIG) as site:
        found = measure(site)
    OUT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(OUT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
