# SPDX-License-Identifier: MIT
"""A function has 60 lines at most, a file 400, a C function five parameters."""

import ast
import re
from collections import namedtuple

import tree

FUNCTION_LINES = 60
FILE_LINES = 400
PARAMETERS = 5

# Written by a tool, or text that is not read as a program.
UNLIMITED = {"COPYING"}
LIMITED = {".c", ".h", ".py", ".js", ".css", ".html", ".sh", ".sql", ".am", ".ac", ".conf"}

CFunction = namedtuple("CFunction", "name first last parameters static")

_C_NAME = re.compile(r"(\w+)\s*$")
_JS_NOT = {"if", "for", "while", "switch", "catch", "with"}
_JS_TOKEN = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|`(?:\\.|[^`\\])*`'
    r"|(?<=[=(,:\[!&|?{};])(\s*)/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/", re.S)


def _match_back(text, end):
    """The position of the parenthesis that the one at end closes."""
    depth = 0
    for at in range(end, -1, -1):
        depth += {")": 1, "(": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return -1


def _blocks(text):
    """(start, end, depth) of every pair of braces, the outermost first where they begin together."""
    stack, found = [], []
    for match in re.finditer(r"[{}]", text):
        if match[0] == "{":
            stack.append(match.start())
        elif stack:
            found.append((stack[-1], match.start(), len(stack) - 1))
            stack.pop()
    return sorted(found)


def _arguments(text):
    """How many parameters a C list between parentheses names; an ellipsis is none."""
    depth, parts = 0, [""]
    for char in text:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return len([part for part in parts if part.strip() not in ("", "void", "...")])


def c_functions(text):
    """Each function defined in C text."""
    bare = re.sub(r"^[ \t]*#(?:.*\\\n)*.*$", lambda line: "\n" * line[0].count("\n"), tree.bare_c(text), flags=re.M)
    bare = bare.replace("END_TEST", "")
    for start, end, depth in _blocks(bare):
        head = bare[:start].rstrip()
        while (trailing := re.search(r"__attribute__\s*\(\(.*?\)\)$", head)):
            head = head[:trailing.start()].rstrip()
        if depth or not head.endswith(")"):
            continue
        opened = _match_back(head, len(head) - 1)
        name = _C_NAME.search(head[:opened])
        if name is None:
            continue
        declared = re.compile(r"\s*").match(bare, max(head.rfind(mark, 0, opened) for mark in ";}") + 1).end()
        yield CFunction(name[1], tree.line_of(bare, declared), tree.line_of(bare, end), _arguments(head[opened + 1:-1]),
                        re.search(r"\bstatic\b", bare[declared:opened]) is not None)


def js_functions(text):
    """(name, first line, last line) of each function, method and arrow function with a body in JavaScript text."""
    bare = _JS_TOKEN.sub(lambda token: (token[1] or "") + "''" + "\n" * token[0][len(token[1] or ""):].count("\n"), text)
    for start, end, _ in _blocks(bare):
        head = bare[:start].rstrip()
        if head.endswith("=>"):
            name = re.search(r"(\w+)\s*[=:]\s*(?:async\s*)?(?:\([^()]*\)|\w+)\s*=>$", head)
            yield name[1] if name else "arrow function", tree.line_of(bare, start), tree.line_of(bare, end)
        elif head.endswith(")"):
            name = _C_NAME.search(head[:_match_back(head, len(head) - 1)])
            if name and name[1] not in _JS_NOT:
                yield name[1], tree.line_of(bare, start), tree.line_of(bare, end)


def python_functions(text):
    """(name, first line, last line) of each function in Python text."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno


READERS = {".c": c_functions, ".h": c_functions, ".js": js_functions, ".py": python_functions}


def check(report):
    """Every source file."""
    for path in tree.files(report.root, LIMITED | {"demo.sh", "check.sh"}):
        text = report.look_at(path)
        lines = text.count("\n")
        if lines > FILE_LINES and path.name not in UNLIMITED:
            report.add(path, lines, f"the file has {lines} lines; {FILE_LINES} is the most")
        reader = READERS.get(path.suffix)
        try:
            functions = list(reader(text)) if reader else []
        except SyntaxError as fault:
            report.add(path, fault.lineno or 1, "does not parse")
            continue
        for name, first, last, *more in functions:
            if last - first + 1 > FUNCTION_LINES:
                report.add(path, first, f"{name} has {last - first + 1} lines; {FUNCTION_LINES} is the most")
            if more and more[0] > PARAMETERS:
                report.add(path, first, f"{name} has {more[0]} parameters; {PARAMETERS} is the most")


_LONG = "    x = 1;\n"
SAMPLES = [
    ("src/base/x.c", "int x;\n" * 400, None),
    ("src/base/x.c", "int x;\n" * 401, "401 lines; 400"),
    ("src/base/x.c", "int f(void)\n{\n" + _LONG * 57 + "}\n", None),
    ("src/base/x.c", "int f(void)\n{\n" + _LONG * 58 + "}\n", "f has 61 lines"),
    ("src/base/x.c", "static bool\nlong_one(int a, char *b)\n{\n" + _LONG * 57 + "}\n", "long_one has 61 lines"),
    ("tests/x.c", "START_TEST(a)\n{\n}\nEND_TEST\n\nSTART_TEST(b)\n{\n" + _LONG * 57 + "}\nEND_TEST\n", None),
    ("src/base/x.c", "/* } */ int f(void)\n{\n" + '    puts("}");\n' * 58 + "}\n", "f has 61 lines"),
    ("src/base/x.c", "#define M(a) do { \\\n  x; \\\n} while (0)\nint f(void)\n{\n" + _LONG * 58 + "}\n", "f has 61 lines"),
    ("src/base/x.c", "static const int t[] = {\n" + "    1,\n" * 100 + "};\n", None),
    ("src/base/x.c", "struct s {\n" + "    int a;\n" * 100 + "};\n", None),
    ("src/base/x.c", "int f(int a, int b, int c, int d, int e)\n{\n}\n", None),
    ("src/base/x.c", "int f(int a, int b, int c, int d, const char *e, ...)\n{\n}\n", None),
    ("src/base/x.c", "int f(int a, int b, int c, int d, void (*e)(int, int))\n{\n}\n", None),
    ("src/base/x.c", "int f(int a, int b, int c, int d, int e, int g)\n{\n}\n", "f has 6 parameters"),
    ("tests/x.py", "def f():\n" + "    x = 1\n" * 59, None),
    ("tests/x.py", "def f():\n" + "    x = 1\n" * 60, "f has 61 lines"),
    ("tests/x.py", "def f(:\n", "does not parse"),
    ("htdocs/x.js", "function f(a) {\n" + _LONG * 58 + "}\n", None),
    ("htdocs/x.js", "function f(a) {\n" + _LONG * 59 + "}\n", "f has 61 lines"),
    ("htdocs/x.js", "const g = async (a) => {\n" + _LONG * 59 + "};\n", "g has 61 lines"),
    ("htdocs/x.js", "const r = /[{/]\\/{/;\nfunction f() {\n" + _LONG * 59 + "}\n", "f has 61 lines"),
    ("htdocs/x.js", "function f() {\n  if (a) {\n" + _LONG * 56 + "  }\n}\n", None),
    ("htdocs/x.js", "class A {\n  m(a) {\n" + _LONG * 59 + "  }\n}\n", "m has 61 lines"),
    ("htdocs/x.css", "a { }\n" * 401, "401 lines"),
]

if __name__ == "__main__":
    tree.main("sizes", check, SAMPLES)
