# SPDX-License-Identifier: MIT
"""The mutants that tests name, for mutants.sh.

    mutants.py list              one line each: number, kind, test, file
    mutants.py apply N TREE      puts mutant N into a copy of the tree
    mutants.py check             does each note's text still stand in the file that it names?

A note stands directly above the test that must fail with it:

    # mutant: src/flow/x.c: OLD TEXT => NEW TEXT          (Python)
    /* mutant: src/flow/x.c: OLD TEXT => NEW TEXT */      (C)

OLD TEXT occurs exactly once in the file. A test may have several.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTE = re.compile(r"^\s*(?:#|/\*) mutant: (?P<file>\S+): (?P<old>.+?) => (?P<new>.*?)(?: \*/)?$")
TEST = re.compile(r"^(?:    )?(?:async )?def (test_\w+)|^START_TEST\((\w+)\)")
CLASS = re.compile(r"^class (\w+)")


def mutants():
    """(kind, test, file, old, new), in the order of the files; kind is "e2e" or "unit"."""
    files = [*sorted((ROOT / "tests/e2e").glob("*.py")), *sorted((ROOT / "tests/unit").glob("*.c"))]
    for path in files:
        waiting, inside = [], ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if found := CLASS.match(line):
                inside = found[1] + "::"
            elif found := NOTE.match(line):
                waiting.append(found)
            elif waiting and (found := TEST.match(line)):
                name = found[1] or found[2]
                where = path.relative_to(ROOT)
                test = f"{where}::{inside if line.startswith(' ') else ''}{name}" if found[1] else f"{where.with_suffix('')} {name}"
                for note in waiting:
                    yield "e2e" if found[1] else "unit", test, note["file"], note["old"], note["new"]
                waiting = []
        if waiting:
            sys.exit(f"{path}: a mutant's note without a test")


def apply(number, tree):
    """Changes one file of the tree; a note whose text is not there exactly once is a fault."""
    _, test, file, old, new = list(mutants())[number]
    path = Path(tree) / file
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        sys.exit(f"{test}: {file} has this {text.count(old)} times, not once: {old}")
    path.write_text(text.replace(old, new), encoding="utf-8")


def check():
    """Prints the notes that fit no more; 1 when there are any."""
    every = list(mutants())
    bad = [(test, file, old) for _, test, file, old, _ in every if (ROOT / file).read_text(encoding="utf-8").count(old) != 1]
    for test, file, old in bad:
        print(f"{test}: not once in {file}: {old}")
    print(f"mutants: {len(every) - len(bad)} passed, {len(bad)} failed")
    return min(len(bad), 1)


def main(command, *arguments):
    if command == "list":
        for number, (kind, test, file, _, _) in enumerate(mutants()):
            print(number, kind, test.replace(" ", "|"), file)
    elif command == "check":
        sys.exit(check())
    else:
        apply(int(arguments[0]), arguments[1])


if __name__ == "__main__":
    main(*sys.argv[1:])
