# SPDX-License-Identifier: MIT
"""Compares the web servers on this machine, in one run, in turns; writes the table of httpd-conf/README.md.

    PYTHONPATH=tests /usr/bin/python3 -B -m stack.measure --bin build

Needs wrk (Debian package: wrk). Numbers of one run are for comparing with each other, not with another machine's.
"""

import argparse
import base64
import hashlib
import hmac
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sim.client import Sim

from .apache import ApacheFcgid
from .mariadb import MariaDB
from .servers import SERVERS
from .smoke import Browser
from .stack import ROOT, Stack

README = ROOT / "httpd-conf" / "README.md"
MARKS = ("<!-- measured -->\n", "<!-- end of measured -->\n")
WORKERS = 8
CALENDAR = "/api/v1/integration/microsoft/calendar/events?limit=20"
# What is measured: its heading, path, connections.
KINDS = (("health", "/api/v1/health/microsoft", WORKERS), ("20 events", CALENDAR, WORKERS),
         ("health, twice as many clients as workers", "/api/v1/health/microsoft", 2 * WORKERS))
NO_LIMITS = {f"RATE_LIMIT_{name}": "off" for name in ("OAUTH_START", "OAUTH_CALLBACK", "CALENDAR")}


def _b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def jwt(key, subject="1", ttl_s=3600):
    """A caller's JWT as a site's own code makes it."""
    head = ".".join(_b64(json.dumps(part).encode()) for part in (
        {"alg": "HS256", "typ": "JWT"}, {"sub": subject, "type": "user", "exp": int(time.time()) + ttl_s}))
    return f"{head}.{_b64(hmac.new(key.encode(), head.encode(), hashlib.sha256).digest())}"


def connect(stack):
    """The token of a user with a fortnight of events, connected to Microsoft."""
    browser = Browser(stack.url)
    browser.token = jwt(stack.conf["JWT_SECRET_KEY"])
    start = browser.call("GET", "/api/v1/auth/microsoft/")
    answer = browser.call("GET", stack.sim.authorize(start.body["auth_url"], "sam"))
    if answer.status != 200:
        raise SystemExit(f"{stack.server}: connecting failed: {answer.body}")
    return browser.token


def run_wrk(stack, token, path, connections, seconds):
    """Requests a second, the median latency, and that of the slowest hundredth, in milliseconds."""
    done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-H", f"Authorization: Bearer {token}",
                           stack.url + path], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in done or "Socket errors" in done:
        print(f"{stack.server}: {done}", file=sys.stderr)
    latencies = re.findall(r"^\s*(?:50|99)%\s+([\d.]+)(us|ms|s)$", done, re.M)
    return (float(re.search(r"^Requests/sec:\s+([\d.]+)", done, re.M)[1]),
            *(float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit] for number, unit in latencies))


def measure(stacks, tokens, rounds, seconds):
    """{(server, kind): [(requests a second, two latencies)]}, each server in its turn of every round."""
    found = {}
    for number in range(rounds):
        for kind, path, connections in KINDS:
            for stack in stacks[number % len(stacks):] + stacks[:number % len(stacks)]:
                found.setdefault((stack.server, kind), []).append(
                    run_wrk(stack, tokens[stack.server], path, connections, seconds))
    return found


def table(found, rounds, seconds):
    """The Markdown between the marks."""
    lines = ["", f"Medians of {rounds} rounds of {seconds} s with wrk, {WORKERS} workers and, but for the last column, {WORKERS} "
             "connections;", "requests a second as a ratio to lighttpd's, then the latency: median and slowest hundredth.",
             "Most of a list's time is the simulated Microsoft's.", "",
             "| set-up | " + " | ".join(kind for kind, *_ in KINDS) + " |", "|---" * (len(KINDS) + 1) + "|"]
    for server in SERVERS:
        cells = []
        for kind, *_ in KINDS:
            rate, median, slow = (statistics.median(one) for one in zip(*found[server, kind]))
            usual = statistics.median(one[0] for one in found["lighttpd", kind])
            cells.append(f"{rate / usual:.2f}, {median:.0f}, {slow:.0f} ms")
        lines.append(f"| {server} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", ""])


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "build", help="where the programs are")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    options = parser.parse_args()
    ApacheFcgid.spare = 0
    stacks = []
    with tempfile.TemporaryDirectory(prefix="gg-") as place, Sim(Path(place) / "sim", seed="demo") as sim:
        mariadb = MariaDB(Path(place) / "db").start()
        try:
            for server in SERVERS:
                stacks.append(Stack(Path(place) / server, options.bin, {**NO_LIMITS, "LOG_LEVEL": "warning"}, workers=WORKERS,
                                    mariadb=mariadb, sim=sim, server=server, database="gg_" + server.replace("-", "_")).start())
            tokens = {stack.server: connect(stack) for stack in stacks}
            text = table(measure(stacks, tokens, options.rounds, options.seconds), options.rounds, options.seconds)
        finally:
            for stack in stacks:
                stack.stop()
            mariadb.stop()
    print(text)
    head, _, rest = README.read_text(encoding="utf-8").partition(MARKS[0])
    README.write_text(head + MARKS[0] + text + MARKS[1] + rest.partition(MARKS[1])[2], encoding="utf-8")


if __name__ == "__main__":
    main()
