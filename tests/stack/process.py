# SPDX-License-Identifier: MIT
"""A child process that is known by its id, and the small things that every server here needs."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path


class StartError(Exception):
    """A server did not come up; the message ends with the last lines of its log."""


def free_port():
    """A TCP port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def socket_dir(wanted, longest_name=32):
    """A directory for unix sockets: wanted itself, or a short one of its own where the path would be too long.

    sun_path holds 108 bytes. Remove it with drop_socket_dir().
    """
    wanted = Path(wanted).resolve()
    if len(os.fsencode(wanted)) + 1 + longest_name < 100:
        wanted.mkdir(parents=True, exist_ok=True)
        return wanted
    return Path(tempfile.mkdtemp(prefix="gg-", dir="/tmp"))


def drop_socket_dir(directory, wanted):
    """Removes what socket_dir() made elsewhere than at wanted."""
    if directory != Path(wanted).resolve():
        for leftover in directory.iterdir():
            leftover.unlink()
        directory.rmdir()


def tail(path, lines=30):
    """The last lines of a text file, or nothing when there is no file."""
    try:
        text = Path(path).read_text(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def wait_until(check, timeout_s, interval_s=0.05):
    """Calls check() until it answers true; its last answer."""
    end = time.monotonic() + timeout_s
    while not (answer := check()) and time.monotonic() < end:
        time.sleep(interval_s)
    return answer


def _stat(pid):
    """Parent and start time of a living process, or None. The start time tells a process from a later one of its id."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if fields[0] in "ZX" else (int(fields[1]), fields[19])


def descendants(pid):
    """{pid: start time} of all living processes below pid."""
    known = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (stat := _stat(int(entry))):
            known[int(entry)] = stat
    found, edge = {}, {pid}
    while edge:
        edge = {child for child, (parent, _) in known.items() if parent in edge and child not in found}
        found.update((child, known[child][1]) for child in edge)
    return found


def end_by_id(processes, number=signal.SIGTERM, timeout_s=10.0):
    """Ends the processes of {pid: start time}: number, then SIGKILL to those that stay."""
    def living():
        return {pid for pid, started in processes.items() if (stat := _stat(pid)) and stat[1] == started}

    def signal_all(which):
        for pid in living():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, which)

    signal_all(number)
    if not wait_until(lambda: not living(), timeout_s):
        signal_all(signal.SIGKILL)
        wait_until(lambda: not living(), timeout_s)


class Child:
    """One server process with its log. Its id is kept in a file, so that a run that was killed is cleared by the next."""

    def __init__(self, name, argv, directory):
        self.name = name
        self.argv = [str(word) for word in argv]
        self.directory = Path(directory)
        self.log = self.directory / f"{name}.log"
        self._note = self.directory / f"{name}.child"
        self._process = None

    @property
    def pid(self):
        """The process id, or None while it does not run."""
        return self._process.pid if self.alive() else None

    def alive(self):
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def children(self):
        """The ids of all processes below it."""
        return sorted(descendants(self._process.pid)) if self.alive() else []

    def start(self, env=None):
        """Starts it in a session of its own: a Ctrl-C on the terminal is for the caller alone."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._end_leftover()
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(  # pylint: disable=consider-using-with
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, start_new_session=True)
        stat = _stat(self._process.pid)
        self._note.write_text(f"{self._process.pid} {stat[1] if stat else ''}\n")

    def wait_for(self, check, timeout_s=30.0):
        """Waits until check() is true; StartError when that takes too long or the process ends."""
        answer = wait_until(lambda: not self.alive() or check(), timeout_s)
        if self.alive() and answer:
            return
        state = "did not answer in time" if self.alive() else f"ended with status {self._process.returncode}"
        self.stop()
        raise StartError(f"{self.name} {state}; the end of {self.log}:\n{tail(self.log)}")

    def stop(self, number=signal.SIGTERM, timeout_s=15.0):
        """Ends it and all below it: number, then SIGKILL after the time-out."""
        if self._process is None:
            return
        below = descendants(self._process.pid) if self.alive() else {}
        if self.alive():
            self._process.send_signal(number)
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        wait_until(lambda: not any(_stat(pid) for pid in below), 2.0)
        end_by_id(below)
        self._process = None
        self._note.unlink(missing_ok=True)

    def kill(self):
        """SIGKILL, as a power cut would."""
        self.stop(signal.SIGKILL)

    def _end_leftover(self):
        try:
            pid, started = self._note.read_text().split()
        except (OSError, ValueError):
            return
        stat = _stat(int(pid))
        if stat and stat[1] == started:
            end_by_id({int(pid): started, **descendants(int(pid))})
        self._note.unlink(missing_ok=True)
