# SPDX-License-Identifier: MIT
"""Measures graphgate against the floor, in pairs; prints each row with its bar.

    make -C build bench                                      all rows, and docs/performance.md is written anew
    make -C build bench BENCH='--only list,health --pairs 7'
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
from functools import cached_property
from pathlib import Path

from stack.mariadb import MariaDB
from stack.process import StartError
from stack.stack import ROOT

from bench import bars, large, report, warm
from bench.load import Wrong, ask, connection, must
from bench.place import HEALTH, Floor, Graph, Site, page

ROWS = {"list": bars.throughput, "innodb": bars.innodb, "alike": bars.alike, "one": bars.added, "health": bars.health, "database": bars.database, "bytes": bars.rebuilt, "fernet": bars.fernet,
        "memory": bars.memory, "slow": large.slow_graph, "start": bars.start, "growth": large.growth, "wide": large.wide}
WORKERS, USERS = 8, 64
# Storage engines of the limits' table, and what MariaDB calls them.
ENGINES = {"innodb": "InnoDB", "aria": "Aria", "memory": "MEMORY"}


class Place:
    """What the rows measure in; each part is started when the first row asks for it."""

    def __init__(self, directory, options):
        self.directory, self.bin_dir = Path(directory), options.bin.resolve()
        self.pairs, self.seconds, self.scale = options.pairs, options.seconds, options.scale
        self.subjects = range(1, USERS + 1)
        self._engine, self.engine = options.limits_engine, ENGINES[options.limits_engine]
        self._kept = []

    def many(self, count):
        """A count of the table, made smaller by --scale."""
        return max(1, count // self.scale)

    def long(self, seconds):
        """A length of time of a row, likewise."""
        return max(2, seconds // self.scale)

    def keep(self, started):
        """Notes what has been started, for stop()."""
        self._kept.append(started)
        return started

    def end(self, started):
        """Stops one of them early."""
        self._kept.remove(started)
        started.stop()

    def stop(self):
        """Stops everything, the newest first."""
        while self._kept:
            self._kept.pop().stop()

    def new_mariadb(self, name, *options):
        """A MariaDB of its own."""
        return self.keep(MariaDB(self.directory / name).start("--innodb-buffer-pool-size=512M", *options))

    def new_site(self, name, workers=WORKERS, bin_dir=None):
        """graphgate with nobody connected yet."""
        return self.keep(Site(self.directory / name, bin_dir or self.bin_dir, self.graph, self.mariadb, workers=workers).start())

    def write(self, name, text):
        """A file of requests."""
        path = self.directory / f"{name}.requests"
        path.write_text(text, encoding="utf-8")
        return path

    def _connected(self, site):
        site.connect(self.subjects)
        return site

    def requests_of(self, site):
        """Lists of events of all users."""
        return self.write(site.directory.name, site.requests(self.subjects))

    @cached_property
    def mariadb(self):
        """The database of all but one row."""
        return self.new_mariadb("mariadb")

    @cached_property
    def graph(self):
        """nginx, which is never what one waits for."""
        return self.keep(Graph(self.directory / "graph", {"odd": page(bars.ODD)}).start())

    @cached_property
    def site(self):
        """graphgate as most rows load it."""
        return self._connected(self.new_site("site").move_limits(self._engine))

    @cached_property
    def plain(self):
        """The same with the limits as a migration without options makes them."""
        return self._connected(self.new_site("plain"))

    @cached_property
    def single(self):
        """One worker."""
        return self._connected(self.new_site("single", 1))

    @cached_property
    def lasting(self):
        """One worker that does not leave after 10,000 requests."""
        programs = self.directory / "lasting-programs"
        programs.mkdir()
        (programs / "graphgatectl").symlink_to(self.bin_dir / "graphgatectl")
        worker = programs / "graphgate.fcgi"
        worker.write_text(f'#!/bin/sh\nexec "{self.bin_dir}/graphgate.fcgi" --max-requests 1000000000 "$@"\n', encoding="utf-8")
        worker.chmod(0o755)
        return self._connected(self.new_site("lasting", 1, programs))

    @cached_property
    def floor(self):
        """The floor of the event list."""
        return self.keep(Floor.of(self.directory / "floor", self.site, self.graph).start())

    @cached_property
    def alike(self):
        """The floor with graphgate's own statements."""
        return self.keep(Floor.alike(self.directory / "alike", self.site, self.graph, self.single.statements()).start())

    @cached_property
    def answer(self):
        """The floor that only answers: what health answers."""
        link = connection(self.site.web.port)
        try:
            text = must(ask(link, HEALTH, "none"), 200).decode()
        finally:
            link.close()
        return self.keep(Floor(self.directory / "answer", self.bin_dir, WORKERS, {"answer": text}).start())

    @cached_property
    def requests(self):
        """Lists of events, of all users in turn."""
        return self.requests_of(self.site)

    @cached_property
    def health(self):
        """Health, of nobody."""
        return self.write("health", HEALTH + "\n")


def measure(place, names):
    """The rows of these names, each printed when it is there."""
    found = []
    for name in names:
        try:
            row = ROWS[name](place)
        except (Wrong, StartError, RuntimeError) as fault:
            row = bars.Row(name, ROWS[name].__doc__.partition(": ")[2].rstrip("."), "", "failed", False, " ".join(str(fault).split())[:300])
        found.append(row)
        print(report.line(row), flush=True)
    return found


def memory():
    """A file system in memory, where there is one with room: no disk is measured. None: the usual place."""
    place = Path("/dev/shm")
    return place if place.is_dir() and os.access(place, os.W_OK) and shutil.disk_usage(place).free > 4 << 30 else None


def _interrupt(*_):
    raise KeyboardInterrupt


def main():
    """The command line; 0 also when a bar does not hold: that is what the rows are there to say."""
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "build", help="where the programs are")
    parser.add_argument("--only", default=",".join(ROWS), help="these rows, separated by commas: " + ", ".join(ROWS))
    parser.add_argument("--pairs", type=int, default=5, help="measurements of each side (5)")
    parser.add_argument("--seconds", type=int, default=3, help="length of each (3)")
    parser.add_argument("--limits-engine", choices=ENGINES, default="memory", help="what the rows list, alike, one and health keep the limits in (memory)")
    parser.add_argument("--scale", type=int, default=1, help="large rows this many times smaller: to try the harness, not to judge")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    options = parser.parse_args()
    names = options.only.split(",")
    if set(names) - set(ROWS):
        parser.error("no such row: " + ", ".join(sorted(set(names) - set(ROWS))))
    if not shutil.which("wrk"):
        parser.error("wrk is not installed (Debian package: wrk)")
    signal.signal(signal.SIGTERM, _interrupt)
    with tempfile.TemporaryDirectory(prefix="gg-bench-", dir=memory()) as directory:
        place = Place(directory, options)
        try:
            found = measure(place, names)
            if options.write:
                report.write(found, options, warm.profile(place))
        finally:
            place.stop()
    print(report.summary(found))
    return 1 if any(row.found == "failed" for row in found) else 0


if __name__ == "__main__":
    sys.exit(main())
