# SPDX-License-Identifier: MIT
"""Names of the C program: gg_ROOM_VERB outside, no prefix inside a file, struct gg_X, no word that says nothing."""

import re

import sizes
import tree

# As a verb these say nothing; the second row says nothing anywhere.
EMPTY_VERBS = {"handle", "process", "do", "manage"}
EMPTY_WORDS = {"handler", "manager", "util", "utils", "helper"}
STRUCT = re.compile(r"^[ \t]*(?:struct|union|enum)\s+(\w+)\s*\{", re.M)


def check(report):
    """Function definitions of src/, struct definitions of include/."""
    for path in tree.files(report.root, {".c", ".h"}, "src", "include"):
        text = report.look_at(path)
        for function in sizes.c_functions(text):
            name, line = function.name, function.first
            if function.static and path.suffix == ".c" and name.startswith("gg_"):
                report.add(path, line, f"{name} is static: it has no prefix")
            if not function.static and not name.startswith("gg_") and name != "main":
                report.add(path, line, f"{name} is seen from outside: gg_{path.stem}_VERB")
            words = name.split("_")
            verbs = words[:1] if function.static else words[1:3]
            for word in EMPTY_WORDS.intersection(words) | EMPTY_VERBS.intersection(verbs):
                report.add(path, line, f"{name}: {word} does not say what it does")
        if path.suffix == ".h":
            bare = tree.bare_c(text)
            for found in STRUCT.finditer(bare):
                if not found[1].startswith("gg_"):
                    report.add(path, tree.line_of(bare, found.start(1)), f"{found[1]} lacks the prefix gg_")


SAMPLES = [
    ("src/base/x.c", "int main(void)\n{\n}\nstatic int one(void)\n{\n}\nint gg_x_find(void)\n{\n}\n", None),
    ("src/base/x.c", "static int gg_x_find(void)\n{\n}\n", "is static"),
    ("src/base/x.c", "int find(void)\n{\n}\n", "seen from outside"),
    ("src/base/x.c", "static void do_it(void)\n{\n}\n", "do does not say"),
    ("src/base/x.c", "void gg_x_handle(void)\n{\n}\n", "handle does not say"),
    ("src/base/x.c", "static void row_helper(void)\n{\n}\n", "helper does not say"),
    ("src/base/x.c", "static void new_handle(void)\n{\n}\n", None),
    ("src/base/x.c", "struct local {\n    int a;\n};\n", None),
    ("include/gg/base/x.h", "struct other {\n    int a;\n};\n", "lacks the prefix"),
    ("include/gg/base/x.h", "struct gg_x {\n    int a;\n};\nstatic inline int gg_x_len(void)\n{\n}\n", None),
]

if __name__ == "__main__":
    tree.main("names", check, SAMPLES)
