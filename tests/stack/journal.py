# SPDX-License-Identifier: MIT
"""The journal in which rows of the audit wait: see base/journal.h."""

import sys
import time

LANE_BYTES = 16384


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
