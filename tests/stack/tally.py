# SPDX-License-Identifier: MIT
"""Counts the tests of one stage of check.sh: tally.py STATUS LOG START BUILD prints "PASSED FAILED SKIPPED".

STATUS is the stage's exit status, LOG its output. Unit tests are counted from automake's result files under BUILD that
are newer than the file START.
"""

import re
import sys
from collections import Counter
from pathlib import Path

WORDS = r"(?:passed|failed|errors?|skipped|deselected|warnings?|xfailed|xpassed)"
# pytest's closing line and ours: "3 failed, 12 passed in 4.2s", "layers: 88 passed, 0 failed".
SUMMARY = re.compile(rf"^(?:=+ )?(?:[\w .-]+: )?\d+ {WORDS}(?:, \d+ {WORDS})*(?: in [\d.]+s.*| =*)?$")
# check's own: "100%: Checks: 12, Failures: 0, Errors: 0".
CHECK = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)", re.M)
AUTOMAKE = re.compile(r"^# (PASS|FAIL|ERROR|XPASS|SKIP): +(\d+)$", re.M)
KINDS = {"passed": "passed", "xfailed": "passed", "failed": "failed", "error": "failed", "errors": "failed",
         "xpassed": "failed", "skipped": "skipped",
         "PASS": "passed", "XFAIL": "passed", "FAIL": "failed", "ERROR": "failed", "XPASS": "failed", "SKIP": "skipped"}


def in_output(text):
    """Tests counted on the closing lines of pytest and of the lint programs."""
    count = Counter()
    for line in text.splitlines():
        if SUMMARY.match(line.strip()):
            for number, word in re.findall(rf"(\d+) ({WORDS})", line):
                if word in KINDS:
                    count[KINDS[word]] += int(number)
    return count


def in_results(build, since):
    """Tests counted in automake's results newer than since; a program of check's counts each of its tests."""
    count = Counter()
    for result in Path(build).rglob("*.trs"):
        if result.stat().st_mtime < since:
            continue
        log = result.with_suffix(".log")
        checks = CHECK.findall(log.read_text(errors="replace")) if log.exists() else []
        for total, failures, errors in checks:
            bad = int(failures) + int(errors)
            count["passed"] += int(total) - bad
            count["failed"] += bad
        if not checks:
            for kind in re.findall(r"^:test-result: (\w+)", result.read_text(errors="replace"), re.M):
                count[KINDS[kind]] += 1
    return count


def tally(status, text, results):
    """All of a stage. A stage without tests is one; a failed one has at least one failure."""
    count = in_output(text) + results
    if not results:
        for kind, number in AUTOMAKE.findall(text):
            count[KINDS[kind]] += int(number)
    if status and not count["failed"]:
        count["failed"] = 1
    if not status and not count["passed"] + count["failed"]:
        count["passed"] = 1
    return count["passed"], count["failed"], count["skipped"]


def main(status, log, start, build):
    """Prints the three numbers."""
    results = in_results(build, Path(start).stat().st_mtime)
    print(*tally(int(status), Path(log).read_text(errors="replace"), results))


if __name__ == "__main__":
    main(*sys.argv[1:])
