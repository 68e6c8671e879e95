# SPDX-License-Identifier: MIT
"""What the tests prove, test by test, as one line of JSON each in the file that GRAPHGATE_PROOF names.

docs/fill-proof.py makes the tables of docs/reliability.md and SECURITY.md of it. Several processes may write at once.
"""

import json
import os


def note(item, report):
    """Notes the outcome of a test that has a promise marker, once: its call, or whatever kept it from being called."""
    target = os.environ.get("GRAPHGATE_PROOF")
    if not target or (report.when != "call" and report.passed) or not item.get_closest_marker("promise"):
        return
    name = report.nodeid.partition("::")[2].partition("[")[0]
    line = json.dumps({
        "promises": [list(mark.args) for mark in item.iter_markers("promise")],
        "file": item.path.name, "test": name, "outcome": report.outcome,
        "measured": [text for key, text in item.user_properties if key == "measured"]})
    with open(target, "a", encoding="utf-8") as out:
        out.write(line + "\n")
