# SPDX-License-Identifier: MIT
"""What is generated is what is checked in: the table of the README, the sample file."""

import re

import pytest
from test_config import VALUES

from stack.stack import ROOT

README, SAMPLE = ROOT / "README.md", ROOT / "graphgate.conf.sample"


def test_the_table_of_the_readme(stack):
    if not README.exists():
        pytest.skip("there is no README.md yet")
    table = re.search(r"<!-- options -->\n+(.*?)\n+<!-- /options -->", README.read_text(encoding="utf-8"), re.S)
    assert table and table[1].strip() == stack.ctl("options", "--markdown").stdout.strip()


def test_the_sample_file(stack):
    if not SAMPLE.exists():
        pytest.skip("there is no graphgate.conf.sample yet")
    assert SAMPLE.read_text(encoding="utf-8") == stack.ctl("options", "--sample").stdout


def test_the_sample_once_filled_in_is_good(stack, clean_url, tmp_path):
    text = stack.ctl("options", "--sample").stdout
    assert {line.lstrip("#").partition("=")[0] for line in text.splitlines() if re.match(r"#?[A-Z_]+=", line)} == set(VALUES)
    for name, value in stack.conf.items():
        text = re.sub(rf"^#?{name}=.*$", lambda _, line=f"{name}={value}": line, text, flags=re.M)
    file = tmp_path / "graphgate.conf"
    file.write_text(text, encoding="utf-8")
    done = stack.ctl("check", env={"GRAPHGATE_CONFIG": str(file), "DATABASE_URL": clean_url}, check=False)
    assert done.returncode == 0, done.stdout


def test_the_defaults_are_good_values(stack, clean_url, tmp_path):
    """A sample with every default uncommented is read without a fault."""
    text = stack.ctl("options", "--sample").stdout
    defaults = "".join(f"{name}={value}\n" for name, value in re.findall(r"^#([A-Z_]+)=(.+)$", text, re.M)
                       if name not in stack.conf)
    file = tmp_path / "graphgate.conf"
    file.write_text(defaults + "".join(f"{name}={value}\n" for name, value in stack.conf.items()), encoding="utf-8")
    done = stack.ctl("check", env={"GRAPHGATE_CONFIG": str(file), "DATABASE_URL": clean_url}, check=False)
    assert done.returncode == 0, done.stdout
