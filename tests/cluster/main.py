# SPDX-License-Identifier: MIT
"""Runs the scenarios of a site on three hosts over a Galera cluster; exit status 0 when all hold. WORD…: only those that
have one of these words in their name (and the migration, which all need); --short: those that take a minute together."""

import sys
import tempfile
import time
import traceback

from load import NO_LIMIT
from scenarios import SCENARIOS
from site_of_three import Site

CONFIG = {"RATE_LIMIT_OAUTH_START": "off", "RATE_LIMIT_OAUTH_CALLBACK": "off", "RATE_LIMIT_CALENDAR": NO_LIMIT,
          "CONNECT_TIMEOUT_S": "1"}


def wanted(words):
    """The scenarios to run."""
    if words == ["--short"]:
        return [one for one in SCENARIOS if one[2]]
    return [one for i, one in enumerate(SCENARIOS) if i == 0 or not words or any(word in one[0] for word in words)]


def run(site, words):
    """How many failed."""
    passed = failed = 0
    for name, scenario, _ in wanted(words):
        began = time.monotonic()
        try:
            said, word, passed = scenario(site), "ok", passed + 1
        except Exception:  # pylint: disable=broad-exception-caught
            said, word, failed = traceback.format_exc(), "FAILED", failed + 1
        print(f"{word:<7}{name} ({time.monotonic() - began:.0f} s)\n       {said}", flush=True)
        if failed and name == SCENARIOS[0][0]:
            break
    print(f"{passed} passed, {failed} failed")
    return failed


def main():
    """In a directory of its own, which goes with it."""
    with tempfile.TemporaryDirectory(prefix="gg-cluster-") as directory, Site(directory, CONFIG) as site:
        print(f"three nodes, MariaDB {site.cluster.nodes[0].rows('SELECT VERSION()')[0][0]}, "
              f"Galera {site.cluster.nodes[0].status('provider_version')}; three hosts with {site.workers} workers each", flush=True)
        return 1 if run(site, sys.argv[1:]) else 0


if __name__ == "__main__":
    sys.exit(main())
