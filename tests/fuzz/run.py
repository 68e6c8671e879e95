# SPDX-License-Identifier: MIT
"""Runs the fuzzers of a build, one after another, and makes a table of what came out.

run.py --build DIR [--runs N] [--only NAME,...]     runs; the corpus and the logs stay in DIR/corpus and DIR/logs
run.py … --again DIR2                               and what it came upon once more, by the fuzzers of another build
run.py --build DIR --write FILE                     the table of those logs as Markdown, without running
"""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Longer inputs where a whole token, key set or request must fit; else short ones find more in the same time.
LONG, USUAL = 1024, 512
NEEDS_LONG = {"conf", "fcgi", "http", "jwk", "jwt", "request"}
SANITIZER = "malloc_context_size=3:quarantine_size_mb=16"
DONE = re.compile(r"^#(\d+)\s+DONE\s+cov: (\d+)", re.M)
LAST = re.compile(r"^#(\d+)\s+\w+\s+cov: (\d+)", re.M)
UNITS = re.compile(r"^stat::number_of_executed_units: +(\d+)", re.M)
SECONDS = re.compile(r"^Done \d+ runs in (\d+) second", re.M)
FOUND = re.compile(r"^SUMMARY: (?!libFuzzer: run interrupted)", re.M)
EXIT = re.compile(r"^exit status (-?\d+)(?: after (\d+) s)?$", re.M)


def names():
    """Every harness."""
    return sorted(path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.c"))


def options(name, logs):
    """What each run of one harness is given."""
    return [f"-max_len={LONG if name in NEEDS_LONG else USUAL}", "-rss_limit_mb=1024", "-timeout=20", "-print_final_stats=1",
            f"-artifact_prefix={logs}/{name}-"]


def run(build, arguments, log):
    """Runs a fuzzer; its log says how it went."""
    env = os.environ | {"ASAN_OPTIONS": f"{os.environ.get('ASAN_OPTIONS', '')}:{SANITIZER}".lstrip(":")}
    start = time.monotonic()
    with open(log, "wb") as output:
        done = subprocess.run([build / "tests/fuzz" / arguments[0], *arguments[1:]], stdout=output, stderr=output, env=env, check=False)
        output.write(f"exit status {done.returncode} after {time.monotonic() - start:.0f} s\n".encode())


def fuzz(build, name, runs, again=None):
    """Runs one to its end, and once more over all that it kept with the other build."""
    corpus, logs = build / "corpus" / name, build / "logs"
    corpus.mkdir(parents=True, exist_ok=True)
    logs.mkdir(exist_ok=True)
    run(build, [f"fuzz_{name}", f"-runs={runs}", *options(name, logs), corpus, HERE / "seeds" / name], logs / f"{name}.log")
    if again:
        run(again, [f"fuzz_{name}", "-runs=0", *options(name, logs), corpus, HERE / "seeds" / name], logs / f"{name}.again.log")


def read_again(build, name):
    """How many inputs the other build ran, and whether it found something in them."""
    log = build / "logs" / f"{name}.again.log"
    text = log.read_text(errors="replace") if log.exists() else "exit status 0"
    units = max((int(n) for n in UNITS.findall(text)), default=0)
    return units, len(FOUND.findall(text)) or int((EXIT.findall(text) or [("1", "")])[-1][0] != "0")


def read(build, name):
    """(executions, seconds, coverage, executions again, findings) of a log, or None."""
    log = build / "logs" / f"{name}.log"
    if not log.exists():
        return None
    text = log.read_text(errors="replace")
    last = (DONE.findall(text) or LAST.findall(text) or [("0", "0")])[-1]
    runs = max(int(last[0]), *(int(n) for n in UNITS.findall(text)), 0)
    status, took = (EXIT.findall(text) or [("0", "")])[-1]
    seconds = (SECONDS.findall(text) or [took or "0"])[-1]
    again, found = read_again(build, name)
    return runs, int(seconds), int(last[1]), again, (len(FOUND.findall(text)) or int(status != "0")) + found


def row(name, result):
    """The cells of one harness."""
    runs, seconds, coverage, again, findings = result
    return (name, f"{runs:,}", f"{seconds:,}", f"{runs // max(seconds, 1):,}", f"{coverage:,}", f"{again:,}", str(findings))


HEAD = ("harness", "executions", "seconds", "a second", "coverage", "again", "findings")
LINE = "{:10} {:>12} {:>8} {:>9} {:>9} {:>9} {:>9}"


def markdown(rows):
    """The text of the results file."""
    lines = ["<!-- SPDX-License-Identifier: MIT -->", "# What the fuzzers did", "",
             "Made by `tests/fuzz/run.py --write` from the logs of the last `make fuzz-long`: libFuzzer without other sanitizers, which",
             "is ten times as fast, and then every input that reached something new once more with AddressSanitizer and",
             "UndefinedBehaviorSanitizer (\"again\"). Coverage counts edges. A finding ends a run; what was found is a seed now. The",
             "goal is 10,000,000 executions each; a smaller number is of a run that was cut short.", "",
             "| " + " | ".join(HEAD) + " |", "|---|" + "---:|" * (len(HEAD) - 1)]
    return "\n".join(lines + ["| " + " | ".join(cells) + " |" for cells in rows]) + "\n"


def main():
    """Exit status 1 when there was a finding."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=10_000_000)
    parser.add_argument("--only", type=lambda text: text.split(",") if text else [], default=[])
    parser.add_argument("--again", type=Path)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    chosen = given.only or names()
    if given.write:
        found = [(name, read(given.build, name)) for name in chosen]
        given.write.write_text(markdown([row(name, result) for name, result in found if result]), encoding="utf-8")
        return 0
    print(LINE.format(*HEAD))
    bad = 0
    for name in chosen:
        fuzz(given.build, name, given.runs, given.again)
        result = read(given.build, name)
        bad += result[-1] > 0
        print(LINE.format(*row(name, result)), flush=True)
        for log in sorted((given.build / "logs").glob(f"{name}*.log")) if result[-1] else []:
            print(log.read_text(errors="replace")[-4000:])
    print(f"fuzz: {len(chosen) - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
