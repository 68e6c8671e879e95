# SPDX-License-Identifier: MIT
"""The tables "promise, proved by, measured" of docs/reliability.md and SECURITY.md, made of the tests themselves.

    docs/fill-proof.py build/check/proof.jsonl     renews them with the outcome of that run (GRAPHGATE_PROOF of the tests)
    docs/fill-proof.py --check                     is every promise of the tests in its table, and nothing else?

A promise stands above its test: @pytest.mark.promise("faults/worker", "One sentence"), or in a unit test's comment
/* promise: faults/worker: One sentence */. A promise whose test did not pass is an open row.
"""

import ast
import json
import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = {"faults": ROOT / "docs/reliability.md", "attack": ROOT / "SECURITY.md"}
UNIT = re.compile(r"/\* promise: (\w+/\w+): (.+?) \*/(?:\n/\* .*?\*/)*\nSTART_TEST\((\w+)\)", re.S)
SCRIPT = re.compile(r"^# promise: (\w+/\w+): (.+)$", re.M)
OPEN = "**open**"


def marks(node, named):
    """The arguments of the promise decorators of a function or a class; named is what its module has given a name."""
    def meant(one):
        return named.get(one.id, one) if isinstance(one, ast.Name) else one

    for one in map(meant, node.decorator_list):
        if isinstance(one, ast.Call) and ast.unparse(one.func) == "pytest.mark.promise":
            yield tuple(ast.literal_eval(meant(argument)) for argument in one.args)


def of_python(path):
    """(section, sentence, test) of one file of pytest's."""
    named = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            named[node.targets[0].id] = node.value
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            inside = node.body if isinstance(node, ast.ClassDef) else []
            for mark in marks(node, named):
                yield *mark, node.name
            for test in inside:
                if isinstance(test, ast.FunctionDef):
                    for mark in marks(test, named):
                        yield *mark, f"{node.name}::{test.name}"


def promises():
    """{(section, sentence): [(path, test)]}, in the order of the files."""
    rows = defaultdict(list)
    for path in sorted((ROOT / "tests/e2e").glob("test_*.py")):
        for section, sentence, test in of_python(path):
            rows[section, sentence].append((path, test))
    for path in sorted((ROOT / "tests").glob("*/*.c")):
        for section, sentence, test in UNIT.findall(path.read_text(encoding="utf-8")):
            rows[section, " ".join(sentence.replace("\n *", "\n").split())].append((path, test))
    for path in sorted([*(ROOT / "tests").glob("*/*.sh"), *(ROOT / "tests/lint").glob("*.py")]):
        for section, sentence in SCRIPT.findall(path.read_text(encoding="utf-8")):
            rows[section, sentence].append((path, ""))
    return rows


def outcomes(lines):
    """{(file, test): (passed, measured texts)}; a parametrised test passed when all of it did."""
    seen = {}
    for line in lines:
        one = json.loads(line)
        good, texts = seen.get((one["file"], one["test"]), (True, []))
        texts += [text for text in one["measured"] if text not in texts]
        seen[one["file"], one["test"]] = good and one["outcome"] == "passed", texts
    return seen


def result(tests, seen):
    """What stands in the last column. Unit tests and scripts have no notes: check.sh stops without them."""
    texts = []
    for path, test in tests:
        good, measured = seen.get((path.name, test), (path.parent.name != "e2e", []))
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
            proofs = ", ".join(link(page, *one) for one in dict.fromkeys(tests))
            lines.append(f"| {sentence} | {proofs} | {result(tests, seen)} |")
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
