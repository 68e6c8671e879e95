# SPDX-License-Identifier: MIT
"""The tables "promise, proved by, measured" of docs/reliability.md and SECURITY.md, made of the tests themselves.

    docs/fill-proof.py build/check/proof.jsonl     renews them with the outcome of that run (GRAPHGATE_PROOF of the tests)
    docs/fill-proof.py --check                     is every promise of the tests in its table, and nothing else?

A promise stands above its test: @pytest.mark.promise("faults/worker", "One sentence"), or in a unit test's comment
/* promise: faults/worker: One sentence */. A promise whose test did not pass is an open row.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = {"faults": ROOT / "docs/reliability.md", "attack": ROOT / "SECURITY.md"}
UNIT = re.compile(r"/\* promise: (\w+/\w+): (.+?) \*/(?:\n/\* .*?\*/)*\nSTART_TEST\((\w+)\)", re.S)
SCRIPT = re.compile(r"^# promise: (\w+/\w+): (.+)$", re.M)
OPEN = "**open**"


def collected():
    """(path, test, promises) of each test of pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "promises")
        done = subprocess.run(
            [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--collect-only", "tests/e2e"], cwd=ROOT,
            env={**os.environ, "GRAPHGATE_PROOF": str(target), "PYTHONPATH": "tests"}, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stdout[-2000:] + done.stderr[-2000:])
        for line in target.read_text(encoding="utf-8").splitlines():
            one = json.loads(line)
            yield ROOT / "tests/e2e" / one["file"], one["test"], one["promises"]


def promises():
    """{(section, sentence): [(path, test)]}, in the order of the files."""
    rows = defaultdict(dict)
    for path, test, kept in sorted(collected()):
        for section, sentence in kept:
            rows[section, sentence][path, test] = True
    for path in sorted((ROOT / "tests").glob("*/*.c")):
        for section, sentence, test in UNIT.findall(path.read_text(encoding="utf-8")):
            rows[section, " ".join(sentence.replace("\n *", "\n").split())][path, test] = True
    for path in sorted([*(ROOT / "tests").glob("*/*.sh"), *(ROOT / "tests/lint").glob("*.py")]):
        for section, sentence in SCRIPT.findall(path.read_text(encoding="utf-8")):
            rows[section, sentence][path, ""] = True
    return {row: list(tests) for row, tests in rows.items()}


def outcomes(lines):
    """{(section, sentence, file, test): (passed, measured texts)}; a parametrised test passed when all of it did."""
    seen = {}
    for line in lines:
        one = json.loads(line)
        for promise in one["promises"]:
            key = (*promise, one["file"], one["test"])
            good, texts = seen.get(key, (True, []))
            texts += [text for text in one["measured"] if text not in texts]
            seen[key] = good and one["outcome"] == "passed", texts
    return seen


def result(row, tests, seen):
    """What stands in the last column. Unit tests and scripts have no notes: check.sh stops without them."""
    texts = []
    for path, test in tests:
        good, measured = seen.get((*row, path.name, test), (path.parent.name != "e2e", []))
        if not good:
            return OPEN
        texts += measured
    return "; ".join(texts[:3]).replace("|", "/") or "holds"


def link(page, path, test):
    target = path.relative_to(ROOT).as_posix()
    return f"[`{test or path.name}`]({'../' * (len(page.relative_to(ROOT).parts) - 1)}{target})"


def table(page, section, rows, seen):
    lines = ["| promise | proved by | measured |", "|---|---|---|"]
    for (where, sentence), tests in rows.items():
        if where == section:
            proofs = ", ".join(link(page, *one) for one in tests)
            lines.append(f"| {sentence} | {proofs} | {result((where, sentence), tests, seen)} |")
    return "\n".join(lines) + "\n"


def sections(text):
    return re.findall(r"<!-- proof (\S+) -->", text)


def fill(seen):
    rows = promises()
    for name, page in PAGES.items():
        text = page.read_text(encoding="utf-8")
        lost = {where for where, _ in rows if where.startswith(name + "/")} - set(sections(text))
        if lost:
            sys.exit(f"{page.name} has no place for {', '.join(sorted(lost))}")
        for section in sections(text):
            made = table(page, section, rows, seen)
            text = re.sub(rf"(?s)(<!-- proof {section} -->\n).*?(<!-- /proof -->)", lambda m, made=made: m[1] + made + m[2], text)
        page.write_text(text, encoding="utf-8")
        print(f"{page.relative_to(ROOT)}: {text.count(OPEN)} open rows")


def check():
    """Prints what differs; the number of differences. The last column is of the run that filled it."""
    rows, bad, good = promises(), 0, 0
    for name, page in PAGES.items():
        text = page.read_text(encoding="utf-8")
        for section in sections(text):
            block = re.search(rf"(?s)<!-- proof {section} -->\n(.*?)<!-- /proof -->", text)[1].splitlines()[2:]
            wanted = table(page, section, rows, {}).splitlines()[2:]
            have = {line.rsplit("|", 2)[0] for line in block}
            want = {line.rsplit("|", 2)[0] for line in wanted}
            good += len(have & want)
            for line in sorted(have ^ want):
                bad += 1
                print(f"{page.relative_to(ROOT)}: {'is not proved any more' if line in have else 'is missing'}: {line}")
            if not want:
                bad += 1
                print(f"{page.relative_to(ROOT)}: {section} has no row")
            for line in block:
                if OPEN in line:
                    bad += 1
                    print(f"{page.relative_to(ROOT)}: open: {line}")
        known = set(sections(text))
        for where, sentence in rows:
            if where.startswith(name + "/") and where not in known:
                bad += 1
                print(f"{page.relative_to(ROOT)}: no section {where}: {sentence}")
    for where, sentence in rows:
        if where.partition("/")[0] not in PAGES:
            bad += 1
            print(f"no page for {where}: {sentence}")
    print(f"proof: {good} passed, {bad} failed")
    return bad


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(min(check(), 1))
    fill(outcomes(Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()))
