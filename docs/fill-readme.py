# SPDX-License-Identifier: MIT
"""Puts what graphgatectl knows of its settings into README.md and graphgate.conf.sample.

    docs/fill-readme.py build/graphgatectl
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def options(ctl, form):
    return subprocess.run([ctl, "options", form], check=True, capture_output=True, text=True).stdout


def main(ctl):
    readme = ROOT / "README.md"
    table = options(ctl, "--markdown")
    text = re.sub(r"(?s)(<!-- options -->\n).*?(<!-- /options -->)", lambda m: m[1] + table + m[2], readme.read_text())
    readme.write_text(text)
    (ROOT / "graphgate.conf.sample").write_text(options(ctl, "--sample"))


if __name__ == "__main__":
    main(sys.argv[1])
