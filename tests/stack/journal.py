# SPDX-License-Identifier: MIT
"""The journal in which rows of the audit wait: see base/journal.h."""

import re
import sys
import time
from pathlib import Path

HEADER = Path(__file__).resolve().parents[2] / "include" / "gg" / "base" / "journal.h"


def number(name):
    return int(re.search(rf"^#define GG_JOURNAL_{name} +(\d+)$", HEADER.read_text(encoding="utf-8"), re.M)[1])


LANE_BYTES = number("LANE_BYTES")


def waiting(directory):
    """The length of the first record of each lane that has one."""
    data = b"".join(path.read_bytes().ljust(-(-path.stat().st_size // LANE_BYTES) * LANE_BYTES, b"\0") for path in directory.glob("metrics.*.audit"))
    heads = (int.from_bytes(data[at:at + 4], sys.byteorder) for at in range(0, len(data), LANE_BYTES))
    return [length for length in heads if length]


def settle(directory, seconds=20):
    """Waits until none waits any more."""
    deadline = time.monotonic() + seconds
    while waiting(directory):
        if time.monotonic() > deadline:
            raise RuntimeError("rows of the audit wait on")
        time.sleep(0.02)
