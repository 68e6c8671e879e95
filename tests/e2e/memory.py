# SPDX-License-Identifier: MIT
"""The memory of a living process: all that a core dump of it would hold, read as root or as its tracer may."""

import os
import re
from pathlib import Path

from conftest import BUILD
from leaks import found

SYS_PTRACE, SYS_RESOURCE = 19, 24
_WORKER = BUILD / "graphgate.fcgi"
# A sanitizer has a heap of its own, makes system calls of its own, and makes small allocations dear.
IS_SANITIZED = _WORKER.exists() and any(name in _WORKER.read_bytes() for name in (b"__asan_init", b"__tsan_init"))
MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (....) \S+ \S+ \S+ *(.*)")


def has_capability(number):
    """Whether these tests have that right of root's; a container may keep it from its root."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return bool(int(re.search(r"CapEff:\s*(\w+)", status)[1], 16) >> number & 1)


def dump(pid, path):
    """Writes every mapping that the process can write to a file; its size."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        known = [MAPPING.match(line.rstrip("\n")).groups() for line in maps]
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory, open(path, "wb") as out:
        for start, end, rights, name in known:
            if "w" in rights and not name.startswith("[v"):
                first, last = int(start, 16), int(end, 16)
                out.write(os.pread(memory.fileno(), last - first, first))
                out.write(b"\n")
        return out.tell()


def held(pids, wanted, path):
    """The kinds of those secrets (a value: its kind) that any of these processes holds."""
    kinds = set()
    for pid in pids:
        assert dump(pid, path) > 100_000
        kinds |= {kind for hits in found(wanted, path).values() for kind, _ in hits}
        path.unlink()
    return kinds
