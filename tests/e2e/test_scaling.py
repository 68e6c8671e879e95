# SPDX-License-Identifier: MIT
"""docs/scaling.md: its tables are what the simulation says of the measured costs, its text what they assume."""

import importlib.util
import json
import re

from stack.stack import ROOT

SIMULATE = ROOT / "tests" / "cluster" / "simulate.py"


def simulation():
    spec = importlib.util.spec_from_file_location("simulate", SIMULATE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_the_simulations():
    made = simulation()
    costs = json.loads((ROOT / "docs" / "scaling.json").read_text(encoding="utf-8"))
    text = made.DOCUMENT.read_text(encoding="utf-8")
    assert made.filled(text, costs) == text
    assert {found[2] for found in made.MARKS.finditer(text)} == set(made.TABLES)


def test_the_text_says_what_is_assumed_and_measured():
    """Numbers between the tables: those of simulate.py, of scaling.json, and of the program."""
    made = simulation()
    costs = json.loads((ROOT / "docs" / "scaling.json").read_text(encoding="utf-8"))
    text = " ".join(made.DOCUMENT.read_text(encoding="utf-8").split())
    words = {1 / 7: "a week", 0.5: "half", 2: "two", 3: "three", 4: "four", 8: "eight", 10: "ten"}
    constants = (ROOT / "src" / "app" / "setup.c").read_text(encoding="utf-8")
    defined = dict(re.findall(r"#define (\w+_S) (\d+)", constants))
    for said in (f"lists events {words[made.READS_A_DAY]} times a day, within {words[made.DAY_S / 3600]} hours,"
                 f" {words[made.PEAK]} times the mean at the peak; {words[made.REFRESHES_A_DAY]} refreshes a day, a sign-in"
                 f" {words[made.SIGN_INS_A_DAY]}", f"Graph answers in {made.GRAPH_S:g} s (median)", f"have {made.CORES} cores",
                 f"planned to be {words[made.USE]} busy", f"one machine of {words[costs['machine']['cores']]} cores",
                 f"{made.GRAPH_AT_MOST} requests a second for one app registration", f"default `max_connections` is {made.MAX_CONNECTIONS}",
                 f"a token of {costs['token_bytes']['access'] / 1000:.1f} KB",
                 f"{costs['read']['commits']:.2f} commits a list", f"A refresh adds {words[round(costs['refresh_commits'])]} more",
                 f"each is given {defined['QUERY_TIMEOUT_OF_SEVERAL_S']} s", f"after {defined['RETURN_S']} s and more the first is tried"):
        assert said in text, said


def test_a_plan_bears_its_peak():
    """Nothing is overloaded, nobody waits long; with too few workers that shows."""
    made = simulation()
    costs = json.loads((ROOT / "docs" / "scaling.json").read_text(encoding="utf-8"))
    for _, users in made.PLANS:
        plan = made.Plan(users, costs)
        for is_shared, most in ((False, 0.7), (True, 0.9)):
            seen = made.simulate(plan, costs, is_shared)
            assert seen["p99"] < 0.1 and seen["host"] < 0.7 and seen["node"] < most, (users, is_shared, seen)
    plan.workers //= 3
    assert made.simulate(plan, costs, False)["p99"] > 1
