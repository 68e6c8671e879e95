# SPDX-License-Identifier: MIT
"""How is measured: wrk, pairs of runs in turns, the median of their ratios with its spread."""

import http.client
import os
import re
import statistics
import subprocess
from collections import namedtuple
from pathlib import Path

# What one run of wrk found: answers, seconds, the median and the slowest hundredth in ms, answers that were not 2xx or 3xx,
# connections that failed.
Run = namedtuple("Run", "count seconds p50_ms p99_ms refused broken")


class Wrong(Exception):
    """Something failed that a measurement does not bear: its numbers would mean nothing."""


def wrk(url, requests, clients, seconds, stop_after=0):
    """Loads a site with the requests of a file in turn; stop_after ends it after so many answers."""
    done = subprocess.run(["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "30s", "-s", Path(__file__).parent / "load.lua", url],
                          env={**os.environ, "REQUESTS": str(requests), "STOP_AFTER": str(stop_after)}, capture_output=True, text=True, check=False)
    found = re.search(r"^RESULT (.*)$", done.stdout, re.M)
    if done.returncode != 0 or not found:
        raise Wrong(f"wrk: {done.stdout}{done.stderr}")
    numbers = {name: int(value) for name, value in (word.split("=") for word in found[1].split())}
    return Run(numbers["requests"], numbers["us"] / 1e6, numbers["p50"] / 1000, numbers["p99"] / 1000, numbers["status"], numbers["broken"])


def good(run):
    """The run, in which nothing may have failed."""
    if run.refused or run.broken or not run.count:
        raise Wrong(f"{run.refused} answers refused and {run.broken} connections broken, of {run.count}")
    return run


def pairs(count, first, second):
    """What first() and second() give in turns, `count` times each; who begins changes, so that a drift hits both."""
    found = []
    for number in range(count):
        if number % 2:
            later = second()
            found.append((first(), later))
        else:
            found.append((first(), second()))
    return found


def spread(values, form="{:.2f}"):
    """The median and from where to where the values go, as text."""
    low, middle, high = (form.format(value) for value in (min(values), statistics.median(values), max(values)))
    return f"{middle} ({low} to {high})"


def connection(port, timeout_s=60):
    """A kept HTTP connection to loopback."""
    return http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)


def ask(link, path, token, body=None):
    """Status and bytes of one answer."""
    headers = {"Accept": "application/json", "Authorization": f"Bearer {token}", **({"Content-Type": "application/json"} if body else {})}
    link.request("POST" if body else "GET", path, body, headers)
    answer = link.getresponse()
    return answer.status, answer.read()


def must(answer, *statuses):
    """The answer's bytes, when it is one of these."""
    if answer[0] not in statuses:
        raise Wrong(f"answered {answer[0]}: {answer[1][:300].decode('utf-8', 'replace')}")
    return answer[1]
