# SPDX-License-Identifier: MIT
"""Runs pytest, and what failed in it once more, alone: steady.py CACHE ARGUMENT...

On a busy machine a test may run out of its patience. One that passes when it is alone counts as passed, and is named as
unsteady, so that it is seen and mended. An error outside a test (a leak found at the end, say) is final. CACHE is a
folder for the list of what failed.
"""

import re
import subprocess
import sys

MOST = 5


def run(cache, arguments):
    """Exit status, names of what failed, and the closing line, which is not printed."""
    failed, closing = [], ""
    with subprocess.Popen([sys.executable, "-B", "-m", "pytest", "-q", "-o", f"cache_dir={cache}", *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as child:
        for line in child.stdout:
            if line.startswith(("FAILED ", "ERROR ")):
                failed.append(" ".join(line.split()[:2]))
            if re.search(r"\d+ (passed|failed|errors?)\b.* in [\d.]+s", line):
                closing = line
            else:
                print(line, end="", flush=True)
    return child.returncode, failed, closing


def main(cache, *arguments):
    """As pytest would end; at most MOST tests get a second chance."""
    status, failed, closing = run(cache, arguments)
    if status != 1 or len(failed) > MOST or not failed or any(name.startswith("ERROR") for name in failed):
        print(closing, end="")
        return status
    again, still, _ = run(cache, ["--last-failed", "-p", "no:xdist", *without_xdist(arguments)])
    if again not in (0, 1) or any(name.startswith("ERROR") for name in still):
        print(closing, end="")
        return status
    steady = int(re.search(r"(\d+) passed|$", closing)[1] or 0)
    for name in sorted(set(failed) - set(still)):
        print(name.replace("FAILED", "UNSTEADY", 1))
    for name in still:
        print(name)
    print(f"{len(still)} failed, {steady + len(failed) - len(still)} passed in 0s")
    return again


def without_xdist(arguments):
    """The arguments but for -n N and --dist HOW."""
    rest, skip = [], False
    for one in arguments:
        if not skip and one not in ("-n", "--dist"):
            rest.append(one)
        skip = not skip and one in ("-n", "--dist")
    return rest


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
