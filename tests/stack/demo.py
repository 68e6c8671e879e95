# SPDX-License-Identifier: MIT
"""The demonstration: a whole site on loopback until Ctrl-C; --smoke does the main job itself and ends."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from sim.client import Sim, SimError

from .process import StartError
from .smoke import Smoke
from .stack import ROOT, Stack

# A person tries things over and over from one address; the usual limits would stop that within the hour.
LIMITS = {"RATE_LIMIT_OAUTH_START": "60/60", "RATE_LIMIT_OAUTH_CALLBACK": "600/3600"}

# Whose calendars the simulator's "demo" seed fills; --smoke takes one for each realm.
USERS = ("sam", "noor")

GREETING = """
graphgate runs: open  {url}/

  Choose "Sign in with Microsoft". The page that follows is a simulated Microsoft: pick an account there.
  Sam and Noor have a fortnight of events.
  What you create, change and delete stays until the demonstration ends.

  logs           {directory}/web/error.log
  configuration  {directory}/graphgate.conf
  database       mariadb --socket={socket} {database}
  health         {url}/api/v1/health/microsoft

Ctrl-C stops all of it.
"""


def _wait_for_signal():
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: ended.set())
    while not ended.wait(3600):
        pass


def _interrupt(*_):
    raise KeyboardInterrupt


def run(directory, bin_dir, smoke):
    """Starts everything, does its work, stops everything; the exit status."""
    signal.signal(signal.SIGTERM, _interrupt)
    print("Starting MariaDB, the simulated Microsoft, graphgate and lighttpd …", flush=True)
    sim = Sim(directory / "sim", seed="demo")
    stack = None
    try:
        sim.start()
        # A person's browser does not know the simulator's CA: it would show a warning in place of the account picker.
        config = {**LIMITS, "MICROSOFT_LOGIN_URL": sim.http}
        stack = Stack(directory, bin_dir, config, sim=sim, database="graphgate").start()
        if smoke:
            done = Smoke(stack.url, sim.authorize).run(USERS)
            return 0 if done else 1
        print(GREETING.format(url=stack.url, directory=stack.directory, socket=stack.mariadb.socket,
                              database=stack.database.name), flush=True)
        _wait_for_signal()
        print("\nStopping …", flush=True)
        return 0
    except (StartError, SimError, RuntimeError) as fault:
        print(fault, getattr(fault, "page", ""), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        if stack:
            stack.stop()
        sim.stop()


def main():
    """The command line."""
    parser = argparse.ArgumentParser(prog="demo.sh", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="do the main job without a person, then end")
    parser.add_argument("--dir", type=Path, default=ROOT / "build" / "demo", help="where data and logs go")
    parser.add_argument("--bin", type=Path, default=ROOT / "build", help="where the programs are")
    options = parser.parse_args()
    sys.exit(run(options.dir, options.bin, options.smoke))


if __name__ == "__main__":
    main()
