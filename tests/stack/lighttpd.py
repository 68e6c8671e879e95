# SPDX-License-Identifier: MIT
"""lighttpd with the sample configuration: that very file, with only its lines marked "SET:" filled in."""

import os
import re
import shutil
import signal
import urllib.error
import urllib.request
from pathlib import Path

from .process import Child, StartError, drop_socket_dir, free_port, socket_dir

SAMPLE = Path(__file__).resolve().parents[2] / "httpd-conf" / "lighttpd.conf"

# What a test build reads besides: reports and counters of the sanitizers and of the coverage run.
PASSED_ON = ("PATH", "TZ", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "LLVM_PROFILE_FILE",
             "GCOV_PREFIX", "GCOV_PREFIX_STRIP")

_MARKED = re.compile(r'^(?P<head>[^#"=]*=\s*|\s*"[^"]*"\s*=>\s*)(?P<value>"[^"]*"|\d+|\([^)]*\))'
                     r'(?P<rest>,?\s*# SET: (?P<name>\w+).*)$')


def _written(value):
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        return "( " + ", ".join(_written(str(item)) for item in value) + " )"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def fill_in(text, values):
    """The configuration text with the marked values replaced; every name must be marked exactly once."""
    missing, lines = set(values), []
    for number, line in enumerate(text.splitlines(), 1):
        found = _MARKED.match(line)
        if "# SET:" in line and not found:
            raise ValueError(f"line {number} is marked but holds no value: {line}")
        if found and found["name"] in values:
            missing.remove(found["name"])
            line = found["head"] + _written(values[found["name"]]) + found["rest"]
        lines.append(line)
    if missing:
        raise ValueError("not marked in the configuration: " + ", ".join(sorted(missing)))
    return "\n".join(lines) + "\n"


class Lighttpd:
    """One lighttpd in the foreground on a loopback port, spawning the worker given by its settings.

    settings are marked names of the sample: binary, config_file, workers, document_root are what a caller gives;
    paths, port and account have values of their own here.
    """

    def __init__(self, directory, settings, port=None, sample=SAMPLE):
        self.directory = Path(directory).resolve()
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.error_log = self.directory / "error.log"
        self.access_log = self.directory / "access.log"
        self.config = self.directory / "lighttpd.conf"
        self._settings = dict(settings)
        self._sample = Path(sample)
        self._run = None
        program = shutil.which("lighttpd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        if not program:
            raise StartError("lighttpd is not installed (Debian package: lighttpd)")
        self._child = Child("lighttpd", [program, "-D", "-f", self.config], self.directory)

    @property
    def pid(self):
        """lighttpd's process id, or None."""
        return self._child.pid

    def worker_pids(self):
        """The ids of all processes that lighttpd started, and of those that these started."""
        return self._child.children()

    def start(self, env=None):
        """Writes the configuration, starts lighttpd and waits until it answers. On failure the log's end is told."""
        self._run = socket_dir(self.directory)
        uploads = self.directory / "uploads"
        uploads.mkdir(parents=True, exist_ok=True)
        values = {
            "bind": "127.0.0.1", "port": self.port, "username": "", "groupname": "",
            "pid_file": self._run / "lighttpd.pid", "socket": self._run / "graphgate.socket",
            "upload_dirs": [uploads], "error_log": self.error_log, "access_log": self.access_log,
            "copy_environment": PASSED_ON, **self._settings,
        }
        self.config.write_text(fill_in(self._sample.read_text(encoding="utf-8"), values), encoding="utf-8")
        self._child.start(env)
        try:
            self._child.wait_for(self._answers)
        except StartError as fault:
            raise StartError(f"{fault}\n{self.logs()[-4000:]}") from None
        return self

    def stop(self):
        """Ends lighttpd and its workers; a worker finishes the request in hand."""
        self._child.stop(signal.SIGTERM)
        if self._run:
            drop_socket_dir(self._run, self.directory)
            self._run = None

    def kill(self):
        """SIGKILL to lighttpd, then its workers are ended."""
        self._child.kill()

    def logs(self):
        """All that lighttpd and the workers wrote."""
        logs = (self._child.log, self.error_log, self.access_log)
        return "".join(log.read_text(errors="replace") for log in logs if log.exists())

    def _answers(self):
        try:
            with urllib.request.urlopen(self.url + "/", timeout=5):
                return True
        except urllib.error.HTTPError as answer:
            answer.close()
            return True
        except OSError:
            return False
