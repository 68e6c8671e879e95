#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Counts the instructions of the hot rooms with callgrind, and fails where one takes over 5 % more than micro.tsv says.

    make check-micro                 compares
    make check-micro MICRO=--write   renews this machine's rows of the table: after a change that is worth its cost

The numbers are those of one compiler, its flags and the versions of the libraries: that is the table's first column.
Where no row has this machine's key, the numbers are only printed. OpenSSL and glibc are told to use no instructions that
not every amd64 machine has, so the processor makes no difference.
"""

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TABLE = Path(__file__).resolve().with_suffix(".tsv")
HEAD = "# SPDX-License-Identifier: MIT\n# key\toperation\tinstructions of our process for one; written by micro.py --write\n"
MORE = 1.05
PLAIN = {"OPENSSL_ia32cap": "0:0", "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-ERMS,-FSRM,-BMI2,-SSE4_2"}
COLLECTED = re.compile(r"Collected : (\d+)")


def count(program, name, rounds):
    """Instructions of one round."""
    with tempfile.TemporaryDirectory(prefix="gg-micro-") as folder:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", "--toggle-collect=measure", program, name],
            env={**os.environ, **PLAIN}, capture_output=True, text=True, check=False)
    found = COLLECTED.search(done.stderr)
    if done.returncode or not found or int(found[1]) == 0:
        sys.exit(f"{name}: {done.stderr[-2000:]}")
    return int(found[1]) // rounds


def read_table():
    """{(key, operation): instructions}"""
    rows = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines() if TABLE.exists() else []:
        if not line.startswith("#"):
            key, name, number = line.split("\t")
            rows[key, name] = int(number)
    return rows


def write(rows):
    """The whole table anew."""
    TABLE.write_text(HEAD + "".join(f"{key}\t{name}\t{number}\n" for (key, name), number in sorted(rows.items())),
                     encoding="utf-8")


def main():
    """Exit status 0 when nothing has become worse."""
    program, is_write = os.environ["MICRO_PROGRAM"], os.environ.get("MICRO") == "--write"
    key = subprocess.run([program, "--key"], capture_output=True, text=True, check=True).stdout.strip()
    names = [line.split() for line in subprocess.run(
        [program, "--list"], capture_output=True, text=True, check=True).stdout.splitlines()]
    # One after another where they write the same row.
    with ThreadPoolExecutor(2) as pool:
        counted = dict(pool.map(lambda one: (one[0], count(program, one[0], int(one[1]))), names))
    rows = read_table()
    if is_write:
        kept = {place: number for place, number in rows.items() if place[0] != key}
        write({**kept, **{(key, name): number for name, number in counted.items()}})
        rows = read_table()
    bad = 0
    for name, number in counted.items():
        was = rows.get((key, name))
        worse = was is not None and number > was * MORE
        bad += worse
        print(f"{name:16} {number:9}  " + ("no row for this key: printed only" if was is None else
                                           f"{number / was - 1:+.1%}{'  TOO MANY' if worse else ''}"))
    if any(rows.get((key, name)) is None for name in counted):
        print(f"key: {key}")
    print(f"micro: {len(counted) - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
