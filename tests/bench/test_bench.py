# SPDX-License-Identifier: MIT
"""The harness of `make bench` itself: what it makes of its measurements, and that it still runs. No number is judged here."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("GRAPHGATE_BUILD", ROOT / "build"))
sys.path.insert(1, str(ROOT / "tests" / "e2e"))

from bench import load, place, report  # noqa: E402  pylint: disable=wrong-import-position
from bench.bars import Row  # noqa: E402  pylint: disable=wrong-import-position


def run(*arguments):
    return subprocess.run([ROOT / "tests/bench/run", "--bin", BUILD, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def _built():
    subprocess.run(["make", "-s", "-C", BUILD, *(f"tests/bench/{name}" for name in ("floor", "delay", "fernet"))], check=True,
                   capture_output=True)


def test_pairs_take_turns():
    order = []
    found = load.pairs(3, lambda: order.append("floor") or "floor", lambda: order.append("ours") or "ours")
    assert order == ["floor", "ours", "ours", "floor", "floor", "ours"]
    assert found == [("floor", "ours")] * 3


def test_a_failed_answer_is_no_measurement():
    run_of = load.Run(count=10, seconds=1, p50_ms=1, p99_ms=1, refused=0, broken=0)
    assert load.good(run_of) == run_of
    for bad in ({"refused": 1}, {"broken": 1}, {"count": 0}):
        with pytest.raises(load.Wrong):
            load.good(run_of._replace(**bad))


def test_spread_and_table():
    assert load.spread([3.0, 1.0, 2.0]) == "2.00 (1.00 to 3.00)"
    rows = [Row("a", "this", "≥ 1", "2", True), Row("b", "that", "≤ 1", "2", False, "why")]
    assert report.table(rows).splitlines()[2:] == ["| this | ≥ 1 | 2 | holds |", "| that<br>why | ≤ 1 | 2 | **does not hold** |"]
    assert report.summary(rows) == "1 of 2 bars hold"


def test_events_have_the_size_that_they_are_said_to_have():
    assert abs(len(place.event(3)) - place.EVENT_BYTES) < 16


def test_no_such_engine():
    done = run("--limits-engine", "myisam")
    assert done.returncode == 2 and "myisam" in done.stderr


def test_no_such_row():
    done = run("--only", "list,nothing")
    assert done.returncode == 2 and "no such row: nothing" in done.stderr


@pytest.mark.usefixtures("_built")
def test_rows_of_each_kind():
    """Floors, wrk, the counters, the direct spawn, many rows: a row of each, as short as may be."""
    names = ["health", "list", "innodb", "alike", "database", "bytes", "fernet", "start", "growth", "wide"]
    done = run("--only", ",".join(names), "--pairs", "1", "--seconds", "1", "--scale", "1000")
    lines = [line for line in done.stdout.splitlines() if line and line[0] != " "]
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[0] for line in lines[:-1]] == names
    assert lines[-1].endswith(" of 8 bars hold")
    assert "limits in MEMORY" in lines[1] and "limits in InnoDB" in lines[2]
