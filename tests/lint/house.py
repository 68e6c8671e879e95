# SPDX-License-Identifier: MIT
"""House rules: a licence line, no machine's paths, no unbounded string calls, no notes left, no typedef of a struct."""

import re

import tree

SOURCES = {".c", ".h", ".py", ".js", ".css", ".html", ".sh", ".sql", ".am", ".ac", ".conf", "demo.sh", "check.sh", "run"}
TEXTS = SOURCES | {".md", ".in", ".svg", ".json", ".txt", "packages"}
C = {".c", ".h"}

LICENCE = "SPDX-License-Identifier: MIT"
# Where people keep a checkout: none of that belongs into a file.
MACHINE = re.compile(r"(?<![\w.:/{}$~-])/(?:home|root|Users|work|workspace|mnt|media)/[\w.]")
LEFT = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
UNBOUNDED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok)\s*\(")
TYPEDEF = re.compile(r"\btypedef\s+(?:const\s+)?(struct|union|enum)\b")
GUARD = re.compile(r"^[ \t]*#[ \t]*(?:ifndef|define|endif|include|pragma|if|else|elif|undef)\b.*$", re.M)


def check_lines(report, path, text):
    """What no text of the project holds."""
    for number, line in enumerate(text.splitlines(), 1):
        if MACHINE.search(line):
            report.add(path, number, "names a path of one machine")
        if LEFT.search(line):
            report.add(path, number, "leaves a note instead of doing it")


def check_c(report, path, text):
    """What no C file holds."""
    bare = tree.bare_c(text)
    for found in UNBOUNDED.finditer(bare):
        report.add(path, tree.line_of(bare, found.start()), f"{found[1]} writes without a bound or keeps state")
    for found in TYPEDEF.finditer(bare):
        report.add(path, tree.line_of(bare, found.start()), f"a {found[1]} has no typedef: struct gg_ROOM")
    if path.suffix == ".h" and "#include" in text.replace("# include", "#include") and not GUARD.sub("", bare).strip():
        if not re.search(r"^[ \t]*#[ \t]*define[ \t]+\w+(?:\(|[ \t]+\S)", bare, re.M):
            report.add(path, 1, "an umbrella header: it only includes others")


def check(report):
    """Every text file; sources also for the licence line, C files for their calls."""
    for path in tree.files(report.root, TEXTS):
        text = report.look_at(path)
        check_lines(report, path, text)
        if (path.suffix in SOURCES or path.name in SOURCES) and LICENCE not in "\n".join(text.splitlines()[:5]):
            report.add(path, 1, f"its first lines lack {LICENCE}")
        if path.suffix in C:
            check_c(report, path, text)


_C = f"// {LICENCE}\n"
_HASH = f"# {LICENCE}\n"
SAMPLES = [
    ("src/base/x.c", _C + "int x;\n", None),
    ("src/base/x.c", "int x;\n", "lack SPDX"),
    ("tests/x.py", "x = 1\n", "lack SPDX"),
    ("htdocs/x.js", "let x;\n", "lack SPDX"),
    ("htdocs/x.html", f"<!doctype html>\n<!-- {LICENCE} -->\n", None),
    ("sql/001_x.sql", "SELECT 1;\n", "lack SPDX"),
    ("tests/x.sh", "#!/bin/sh\n", "lack SPDX"),
    ("README.md", "text\n", None),
    ("README.md", "see /ho" "me/me/graphgate\n", "path of one machine"),
    ("tests/x.py", _HASH + "x = '/ro" "ot/x'\n", "path of one machine"),
    ("tests/x.py", _HASH + "x = 'https://example.org/ho" "me/x', '/me/calendar', '/api/v1/users/1'\n", None),
    ("src/base/x.c", _C + "/* TO" "DO: later */\n", "leaves a note"),
    ("tests/x.py", _HASH + "x = 1  # FIX" "ME\n", "leaves a note"),
    ("src/base/x.c", _C + "void f(void)\n{\n    strcpy(a, b);\n}\n", "strcpy writes"),
    ("src/base/x.c", _C + "void f(void)\n{\n    sprintf(a, b);\n}\n", "sprintf writes"),
    ("src/base/x.c", _C + "void f(void)\n{\n    strcat (a, b);\n}\n", "strcat writes"),
    ("src/base/x.c", _C + "void f(void)\n{\n    gets(a);\n}\n", "gets writes"),
    ("src/base/x.c", _C + "/* never sprintf(a) */ int n = snprintf(a, 1, \"gets(\") + fgets(b);\n", None),
    ("src/base/x.c", _C + "typedef struct x { int a; } x;\n", "has no typedef"),
    ("src/base/x.c", _C + "typedef enum { A } x;\n", "has no typedef"),
    ("src/base/x.c", _C + "typedef void free_fn(void *);\n", None),
    ("include/gg/base/all.h", _C + '#ifndef A\n#define A\n#include "gg/base/err.h"\n#endif\n', "umbrella"),
    ("include/gg/base/x.h", _C + '#ifndef A\n#define A\n#include "gg/base/err.h"\nint f(void);\n#endif\n', None),
    ("include/gg/base/x.h", _C + '#ifndef A\n#define A\n#include "gg/base/err.h"\n#define MAX 7\n#endif\n', None),
]

if __name__ == "__main__":
    tree.main("house", check, SAMPLES)
