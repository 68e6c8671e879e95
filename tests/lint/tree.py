# SPDX-License-Identifier: MIT
"""What the three checks share: the project's files, C text without comments, reporting, self-tests."""

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = {".git", "build-aux", "autom4te.cache", "m4", "__pycache__", ".pytest_cache", "node_modules"}


def files(root, suffixes, *folders):
    """Source files under root (or only under some folders of it), without what tools generate; sorted."""
    found = []
    for top in [Path(root, folder) for folder in folders] or [Path(root)]:
        for place, below, names in os.walk(top):
            below[:] = [name for name in below if name not in SKIPPED and not _is_build(Path(place, name))]
            found += [Path(place, name) for name in names if Path(name).suffix in suffixes or name in suffixes]
    return sorted(found)


def _is_build(directory):
    """A build directory, a distribution unpacked, a virtual environment."""
    return (directory.name == "build" or directory.name.startswith("build-") or (directory / "config.status").exists()
            or (directory / "pyvenv.cfg").exists() or re.match(r"graphgate-\d", directory.name) is not None)


_C_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def bare_c(text):
    """C text with comments blank and literals empty; every line stays on its line."""
    def blank(match):
        token = match[0]
        if token[0] in "\"'":
            return token[0] * 2
        return "\n" * token.count("\n") or " "
    return _C_TOKEN.sub(blank, text)


def line_of(text, position):
    """The line number of a position."""
    return text.count("\n", 0, position) + 1


class Report:
    """Offences by file, printed as file:line: sentence."""

    def __init__(self, root):
        self.root = Path(root)
        self.offences = []
        self.seen = set()

    def look_at(self, path):
        """Notes that a file was checked; its text."""
        self.seen.add(path)
        return path.read_text(encoding="utf-8", errors="replace")

    def add(self, path, line, sentence):
        """Notes an offence."""
        self.offences.append((path.relative_to(self.root).as_posix(), line, sentence))

    def show(self, name):
        """Prints all; the exit status."""
        for place, line, sentence in sorted(set(self.offences)):
            print(f"{place}:{line}: {sentence}")
        bad = len({place for place, _, _ in self.offences})
        print(f"{name}: {max(len(self.seen) - bad, 0)} passed, {bad} failed")
        return 1 if bad else 0


def self_test(check, samples):
    """Runs check on bad samples in a temporary tree, each with the words that its offence must hold.

    samples are (path, text, words) or (path, text, None) for a text that must pass; the number of failures.
    """
    failures = 0
    for path, text, words in samples:
        with tempfile.TemporaryDirectory() as directory:
            report = Report(directory)
            wanted = Path(directory, path)
            wanted.parent.mkdir(parents=True, exist_ok=True)
            wanted.write_text(text, encoding="utf-8")
            check(report)
            told = "\n".join(sentence for place, _, sentence in report.offences if place == path)
            if (words is None and told) or (words is not None and words not in told):
                failures += 1
                print(f"self-test: {path}: wanted {words!r}, got {told!r}\n{text}")
    return failures


def main(name, check, samples):
    """The command line of a check: over the project, or --self-test."""
    parser = argparse.ArgumentParser(prog=name)
    parser.add_argument("--self-test", action="store_true", help="prove that every rule catches a bad sample")
    parser.add_argument("--root", default=ROOT, type=Path, help="the project's root")
    options = parser.parse_args()
    if options.self_test:
        failures = self_test(check, samples)
        print(f"{name} self-test: {len(samples) - failures} passed, {failures} failed")
        sys.exit(1 if failures else 0)
    report = Report(options.root.resolve())
    check(report)
    sys.exit(report.show(name))
