# SPDX-License-Identifier: MIT
"""docs/coverage.md: which lines no test runs, by the kind of reason, made of gcovr's JSON.

    docs/fill-coverage.py build/coverage/coverage.json

A kind is told from the line itself, or from the condition before it. What fits none is "other": to be looked at.
"""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# In order; the first that fits the lines, or else the two before them.
KINDS = (
    ("it runs in a process that cannot leave its counters: another user's, or one that became another program",
     r"drop\.c:|inherit\(|execv|SPAWNER|is_there|hide_memory|PR_SET_NAME"),
    ("memory is gone, and the worker with it", r"\babort\(\)|must\(NULL\)"),
    ("a system call fails that does not in a test", r"errno|strerror|_exit|sigaction|fork|pid < 0|setsockopt|getsockopt|standard input|worker\.accept"),
    ("OpenSSL, libcurl or json-c fails where its input is ours",
     r"EVP_|BIO_|BN_|OSSL_|curl_|json_|GG_EINTERNAL|libcurl|OpenSSL|crypto|genkey\.c|crypt\.c|setup\.keys"),
    ("MariaDB fails between two of its own calls", r"mysql_|fail_of\(|gg_db_|GG_EDATABASE|disconnect\(|TURN_FAILED|keys\.load|rate\.sweep"),
    ("a check behind a check: what comes here was refused before",
     r"return false|return NULL|return 0|gg_fail|continue|break|return;|gg_ctl_fail|add_fault|LOG_TARGET|'\\0'"),
    ("only an installed program gets here", r"GG_SQLDIR|command->run"),
)


def uncovered(report):
    """(file, [lines], text around) of each run of lines that were never executed."""
    for one in report["files"]:
        source = (ROOT / one["file"]).read_text(encoding="utf-8").splitlines()
        dead = sorted(line["line_number"] for line in one["lines"] if line["count"] == 0 and not line.get("gcovr/noncode"))
        runs = []
        for number in dead:
            if runs and number - runs[-1][-1] <= 1:
                runs[-1].append(number)
            else:
                runs.append([number])
        for run in runs:
            yield one["file"], run, source[run[0] - 1:run[-1]], source[max(run[0] - 3, 0):run[0] - 1]


def kind_of(file, lines, before):
    for text in ("\n".join(lines), "\n".join(before)):
        for name, pattern in KINDS:
            if re.search(pattern, f"{file}: {text}"):
                return name
    return "other"


def main(source):
    report = json.loads(Path(source).read_text(encoding="utf-8"))
    total = sum(len([line for line in one["lines"] if not line.get("gcovr/noncode")]) for one in report["files"])
    kinds = defaultdict(list)
    for file, run, lines, before in uncovered(report):
        kinds[kind_of(file, lines, before)].append((file.removeprefix("src/"), run))
    missed = sum(len(run) for rows in kinds.values() for _, run in rows)
    out = ["<!-- SPDX-License-Identifier: MIT -->", "# What no test runs", "",
           f"{total - missed} of {total} lines of `src/` run in the tests of `make coverage` ({100 * (total - missed) / total:.1f} %;",
           "the floor is 90 %). The others, by what would have to happen for them to run, made by `docs/fill-coverage.py`:", "",
           "| kind | lines | where |", "|---|---:|---|"]
    for name, rows in sorted(kinds.items(), key=lambda item: -sum(len(run) for _, run in item[1])):
        where = defaultdict(list)
        for file, run in rows:
            where[file].append(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}")
        places = "; ".join(f"`{file}` {', '.join(numbers)}" for file, numbers in where.items())
        out.append(f"| {name} | {sum(len(run) for _, run in rows)} | {places} |")
    (ROOT / "docs/coverage.md").write_text("\n".join(out) + "\n", encoding="utf-8")
    print(f"{missed} of {total} lines, {len(kinds)} kinds")


if __name__ == "__main__":
    main(sys.argv[1])
