# SPDX-License-Identifier: MIT
"""What the tests prove, test by test, as one line of JSON each in the file that GRAPHGATE_PROOF names.

docs/fill-proof.py makes the tables of docs/reliability.md and SECURITY.md of it. Several processes may write at once.
Tests that are only collected are noted too, without an outcome.
"""

import json
import os


def promises(item):
    """[[section, sentence], …] of a test, also those that one of its parameters brings."""
    return [list(mark.args) for mark in item.iter_markers("promise")]


def write(item, **more):
    """One line about the test."""
    name = item.nodeid.partition("::")[2].partition("[")[0]
    with open(os.environ["GRAPHGATE_PROOF"], "a", encoding="utf-8") as out:
        out.write(json.dumps({"promises": promises(item), "file": item.path.name, "test": name, **more}) + "\n")


def note_collected(items):
    """What there is to prove."""
    for item in items:
        if promises(item):
            write(item)


def note(item, report):
    """Notes the outcome of a test that has a promise marker, once: its call, or whatever kept it from being called."""
    if "GRAPHGATE_PROOF" in os.environ and promises(item) and (report.when == "call" or not report.passed):
        write(item, outcome=report.outcome, measured=[text for key, text in item.user_properties if key == "measured"])
