# SPDX-License-Identifier: MIT
"""The commands of docs/*.md: what stands in a block of sh below "<!-- run: NAME -->" is run as it is written."""

import os
import re
import subprocess
from pathlib import Path

from stack.stack import ROOT

_BLOCK = re.compile(r"^<!-- run: ([\w-]+) -->\n+```sh\n(.*?)^```$", re.S | re.M)


def blocks(name):
    """{name: script} of the blocks of docs/NAME, in their order."""
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    found = _BLOCK.findall(text)
    assert len(found) == text.count("<!-- run: ") and len(dict(found)) == len(found), name
    return dict(found)


class Shell:
    """Runs documented commands: mariadb, mariadb-dump and graphgatectl are those of a test, DB, SITE … its values."""

    def __init__(self, directory, mariadb, programs, values):
        self._bin = Path(directory) / "bin"
        self._bin.mkdir(parents=True)
        account = f"--no-defaults --socket='{mariadb.socket}' --user='{os.environ.get('USER') or 'root'}'"
        for name in ("mariadb", "mariadb-dump", "mariadb-admin"):
            self._put(name, f'exec /usr/bin/{name} {account} "$@"')
        for name, path in programs.items():
            self._put(name, f'exec "{path}" "$@"')
        self.env = {"LC_ALL": "C.UTF-8", **{name: str(value) for name, value in values.items()}, "HOME": str(directory),
                    "PATH": f"{self._bin}:/usr/sbin:/usr/bin:/sbin:/bin"}
        self._directory = directory

    def _put(self, name, text):
        path = self._bin / name
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o755)

    def run(self, script, status=0, **values):
        """What the script prints, on both of its outputs; it must end with that status."""
        done = subprocess.run(["/bin/sh", "-euc", script], env={**self.env, **{k: str(v) for k, v in values.items()}},
                              cwd=self._directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=120, check=False)
        assert done.returncode == status, f"exit {done.returncode}:\n{script}\n{done.stdout}"
        return done.stdout
