# SPDX-License-Identifier: MIT
"""What was found, as lines and as the measured part of docs/performance.md."""

import os
import platform
import re
import subprocess
import time
from pathlib import Path

from stack.stack import ROOT
from stack.web import program

PAGE = ROOT / "docs" / "performance.md"
MARKS = ("<!-- measured -->\n", "<!-- end of measured -->\n")
WORDS = {True: "holds", False: "does not hold", None: "-"}


def line(row):
    """A row for a terminal."""
    return f"{row.name:<9} {WORDS[row.holds]:<14} {row.found}   [{row.bar}]  {row.what}" + (f"\n{'':<25}{row.note}" if row.note else "")


def summary(rows):
    """How many bars hold."""
    return f"{sum(row.holds is True for row in rows)} of {sum(row.holds is not None for row in rows)} bars hold"


def _version(*command):
    """The first number with dots in what a program says of itself."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "?"
    found = re.search(r"\d+\.\d[\w.]*", done.stdout + done.stderr)
    return found[0] if found else "?"


def _text(path, pattern):
    found = re.search(pattern, Path(path).read_text(encoding="utf-8", errors="replace"), re.M)
    return found[1].strip() if found else "?"


def machine():
    """Where it was measured, in two sentences."""
    versions = {"lighttpd": _version(program("lighttpd", "lighttpd"), "-v"), "MariaDB": _version(program("mariadbd", "mariadb-server-core"), "--version"),
                "nginx": _version(program("nginx", "nginx"), "-v"), "libcurl": _version("pkg-config", "--modversion", "libcurl"),
                "OpenSSL": _version("pkg-config", "--modversion", "libcrypto"), "json-c": _version("pkg-config", "--modversion", "json-c"),
                "gcc": _version("gcc", "-dumpfullversion"), "wrk": _version("wrk", "-v")}
    memory = int(_text("/proc/meminfo", r"^MemTotal:\s+(\d+)")) / 1024 / 1024
    return (f"{time.strftime('%Y-%m-%d', time.gmtime())}: {os.cpu_count()} processors ({_text('/proc/cpuinfo', r'^model name.*: (.*)$')}), {memory:.0f} GB, "
            f"{_text('/etc/os-release', 'PRETTY_NAME=(.*)$').strip(chr(34))}, Linux {re.match(r'[0-9.]+', platform.release())[0]}. "
            + ", ".join(f"{name} {version}" for name, version in versions.items())
            + f". The machine's load when it ended: {os.getloadavg()[1]:.0f}.")


def table(rows):
    """The rows in Markdown."""
    lines = ["| what | bar | found | |", "|---|---|---|---|"]
    for row in rows:
        note = f"<br>{row.note}" if row.note else ""
        lines.append(f"| {row.what}{note} | {row.bar} | {row.found} | {'**' + WORDS[row.holds] + '**' if row.holds is False else WORDS[row.holds]} |")
    return "\n".join(lines)


def write(rows, options, profile):
    """The measured part anew."""
    how = f"{options.pairs} pairs of {options.seconds} s, medians with the lowest and the highest" + (
        f"; large rows {options.scale} times smaller" if options.scale != 1 else "")
    text = f"\n{machine()}\n{how}. {summary(rows)}.\n\n{table(rows)}\n\n{profile}\n"
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(MARKS[0])
    PAGE.write_text(head + MARKS[0] + text + MARKS[1] + rest.partition(MARKS[1])[2], encoding="utf-8")
