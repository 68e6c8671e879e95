# SPDX-License-Identifier: MIT
"""A test that fails once is named and run again; one that fails twice, or a leak found at the end, stays a failure."""

import subprocess
import sys
from pathlib import Path

import pytest

STEADY = Path(__file__).with_name("steady.py")
ONCE = """
import pathlib
def test_fine(): pass
def test_once():
    flag = pathlib.Path(__file__).with_name("flag")
    seen = flag.exists()
    flag.touch()
    assert seen
"""
TWICE = "def test_never(): assert 0\n"
AT_THE_END = """
import pytest
@pytest.fixture(scope="session", autouse=True)
def end():
    yield
    assert 0
"""


@pytest.mark.parametrize("text, status, closing, unsteady", [
    (ONCE, 0, "0 failed, 2 passed in", True),
    (ONCE + TWICE, 1, "1 failed, 2 passed in", True),
    ("def test_fine(): pass\n", 0, "1 passed in", False),
    (ONCE + AT_THE_END, 1, "1 failed, 1 passed, 1 error in", False),
], ids=["once", "twice", "good", "error at the end"])
def test_second_chance(tmp_path, text, status, closing, unsteady):
    (tmp_path / "test_it.py").write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, "-B", STEADY, tmp_path / "cache", "-n", "2", "--dist", "loadfile", "test_it.py"],
                          cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == status and done.stdout.splitlines()[-1].startswith(closing), done.stdout
    assert ("UNSTEADY test_it.py::test_once" in done.stdout) == unsteady
