# SPDX-License-Identifier: MIT
"""docs/scaling.md: its tables are what the simulation says of the measured costs."""

import importlib.util
import json

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


def test_a_plan_bears_its_peak():
    """Nothing is overloaded, nobody waits long; with too few workers that shows."""
    made = simulation()
    costs = json.loads((ROOT / "docs" / "scaling.json").read_text(encoding="utf-8"))
    for _, users in made.PLANS:
        plan = made.Plan(users, costs)
        seen = made.simulate(plan, costs, False)
        assert seen["p99"] < 0.1 and seen["host"] < 0.7 and seen["node"] < 0.7, (users, seen)
    plan.workers //= 3
    assert made.simulate(plan, costs, False)["p99"] > 1
