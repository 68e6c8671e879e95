# SPDX-License-Identifier: MIT
"""Where a warm request goes: its instructions by library and by function (callgrind), its calls of the system (strace)."""

import collections
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

from stack.process import Child, drop_socket_dir, socket_dir

from bench.bars import CLIENTS
from bench.load import good, wrk
from bench.place import LIST
from bench.spawn import asked

WARM, COUNT, TOP = 10, 50, 25
# "12,345 (12.3%)  file.c:function [/usr/lib/…/libx.so.1]", with or without the last.
_LINE = re.compile(r"^\s*([\d,]+) \(\s*[\d.]+%\)\s+\S*?:(\S.*?)(?: \[(\S+)\])?$", re.M)
_OWN = "graphgate.fcgi"


class Worker:
    """A single worker under another program, on a socket of its own."""

    def __init__(self, place, name, *words):
        self.directory = place.directory / name
        self.run = None
        self.request = f"{LIST}&user={place.subjects[0]}", place.single.token(place.subjects[0])
        self.env = {**place.single.env, "GRAPHGATE_CONFIG": str(place.single.conf_file)}
        self._words, self._program = words, place.bin_dir / "graphgate.fcgi"

    def __enter__(self):
        self.run = socket_dir(self.directory)
        self.child = Child("worker", [*self._words, self._program, "--listen", f"unix:{self.run}/s"], self.directory)
        self.child.start(self.env)
        self.child.wait_for(self._listens, 60)
        return self

    def __exit__(self, *fault):
        self.child.stop(timeout_s=60)
        (self.run / "s").unlink(missing_ok=True)
        drop_socket_dir(self.run, self.directory)

    def _listens(self):
        with socket.socket(socket.AF_UNIX) as link:
            return link.connect_ex(str(self.run / "s")) == 0

    def ask(self, count):
        """So many lists of events, each on a connection of its own, as lighttpd asks."""
        for _ in range(count):
            asked(self.run / "s", *self.request)


def _annotated(path, inclusive):
    """[(instructions, function, library)] of callgrind's file."""
    text = subprocess.run(["callgrind_annotate", f"--inclusive={inclusive}", "--threshold=100", "--show-percs=yes", str(path)],
                          capture_output=True, text=True, check=True).stdout
    return [(int(number.replace(",", "")), function, re.sub(r"\.so.*", "", Path(library or _OWN).name))
            for number, function, library in _LINE.findall(text)]


def instructions(place):
    """{library: share}, [(function, library, share, inclusive)], instructions of one warm request."""
    out = place.directory / "callgrind.out"
    with Worker(place, "callgrind", "valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}") as worker:
        worker.ask(WARM)
        subprocess.run(["callgrind_control", "-i", "on", str(worker.child.pid)], check=True, capture_output=True)
        worker.ask(COUNT)
        subprocess.run(["callgrind_control", "-i", "off", str(worker.child.pid)], check=True, capture_output=True)
    own, total = collections.Counter(), 0
    for number, _, library in _annotated(out, "no"):
        own[library] += number
        total += number
    return own, _annotated(out, "yes"), total


def system_calls(place):
    """{name: calls of one warm request}: what a long run has more than a short one."""
    counts = []
    for number in (WARM, WARM + COUNT):
        trace = place.directory / f"trace{number}"
        with Worker(place, f"strace{number}", "strace", "-D", "-f", "-qq", "-e", "signal=none", "-o", trace) as worker:
            worker.ask(number)
        counts.append(collections.Counter(re.findall(r"^\d+ +(\w+)\(", trace.read_text(encoding="utf-8", errors="replace"), re.M)))
    return {name: (count - counts[0][name]) / COUNT for name, count in counts[1].most_common() if count - counts[0][name] >= COUNT // 4}


def _ours():
    """The ids of all processes below this one."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
        except OSError:
            pass
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _spent():
    """{program: (seconds in it, seconds in the kernel)} so far, of all that this harness has started."""
    spent, tick = collections.defaultdict(lambda: (0, 0)), os.sysconf("SC_CLK_TCK")
    for pid in _ours():
        try:
            head, _, rest = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")
        except OSError:
            continue
        name, fields = head.partition("(")[2], rest.split()
        user, kernel = spent[name]
        spent[name] = user + int(fields[11]) / tick, kernel + int(fields[12]) / tick
    return spent


def processor_time(place, url):
    """{program: (µs in it, µs in the kernel)} of one list of events under load."""
    wrk(url, place.requests, CLIENTS, 1)
    before = _spent()
    run = good(wrk(url, place.requests, CLIENTS, 2 * place.seconds))
    return {name: tuple(1e6 * (now - was) / run.count for now, was in zip(times, before[name])) for name, times in _spent().items()}


def _processor_table(place):
    floor, ours = processor_time(place, place.floor.url), processor_time(place, place.site.url)
    # What serves: the floor's worker and graphgate's are one row.
    floor["the worker"], ours["the worker"] = floor.pop("floor"), ours.pop("graphgate.fcgi")
    lines = ["| processor time of one list, µs in the program + in the kernel | the floor | graphgate |", "|---|---|---|"]
    for name, times in sorted(ours.items(), key=lambda item: -sum(item[1])):
        if sum(times) >= 2:
            lines.append(f"| {name} | " + " | ".join(f"{user:.0f} + {kernel:.0f}" for user, kernel in (floor.get(name, (0, 0)), times)) + " |")
    total = [sum(sum(times) for times in one.values()) for one in (floor, ours)]
    return [*lines, f"| together | {total[0]:.0f} | {total[1]:.0f} |"]


def _functions(inclusive, total):
    lines, seen = ["| instructions, with all below | function | in |", "|---|---|---|"], set()
    for number, function, library in sorted(inclusive, reverse=True):
        name = re.sub(r"'\d+$|@.*$|\.(?:constprop|isra|part)\.\d+|\(below main\)", "", function)
        # Those that everything is below say nothing.
        if not name or name in seen or number > 0.99 * total or not re.match(r"[A-Za-z_]\w*$", name):
            continue
        seen.add(name)
        lines.append(f"| {100 * number / total:.1f} % | `{name}` | {library} |")
        if len(seen) == TOP:
            break
    return lines


def profile(place):
    """The profile in Markdown."""
    lines = ["### A warm request", "", f"Under the load of {CLIENTS} clients. What limits the row above is all of it together: it shares the processors.", "",
             *_processor_table(place), ""]
    if shutil.which("valgrind"):
        own, inclusive, total = instructions(place)
        shares = ", ".join(f"{library} {100 * number / total:.0f} %" for library, number in own.most_common(8))
        lines += [f"A warm list of 10 events is {total / COUNT / 1000:.0f} thousand instructions outside the kernel, by callgrind over {COUNT} requests "
                  f"of one worker. By the library in which they are: {shares}.", "", *_functions(inclusive, total), ""]
    if shutil.which("strace"):
        calls = system_calls(place)
        lines += [f"It makes {sum(calls.values()):.0f} calls of the system: " + ", ".join(f"{name} {count:.0f}" for name, count in calls.items()) + "."]
    return "\n".join(lines)
