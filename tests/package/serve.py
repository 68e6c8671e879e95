# SPDX-License-Identifier: MIT
"""In place of systemd, which does not run in a chroot: what the installed units say, done by hand."""

import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess

from root import QUIET

from stack.process import wait_until


def setting(root, unit, name):
    """A setting of an installed unit."""
    return re.search(rf"^{name}=(.*)$", root.read(f"lib/systemd/system/{unit}"), re.M)[1]


def account(root, kind, name):
    """The number of an account or a group of the root's own."""
    return int(re.search(rf"^{name}:[^:]*:(\d+):", root.read(f"etc/{kind}"), re.M)[1])


def listening(root):
    """The socket of graphgate.socket, with its owner, group and mode."""
    unit = "graphgate.socket"
    path = setting(root, unit, "ListenStream").lstrip("/")
    folder = os.open(root.path / os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    short = f"/proc/self/fd/{folder}/{os.path.basename(path)}"   # a socket's path has 108 bytes at most
    with contextlib.suppress(FileNotFoundError):
        os.unlink(short)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.bind(short)
    os.chown(short, account(root, "passwd", setting(root, unit, "SocketUser")),
             account(root, "group", setting(root, unit, "SocketGroup")))
    os.chmod(short, int(setting(root, unit, "SocketMode"), 8))
    made.listen(int(setting(root, unit, "Backlog")))
    os.close(folder)
    return made


@contextlib.contextmanager
def process(root, words, log, env=None, **rest):
    """A process in the root, ended by its id."""
    with open(log, "ab") as output, subprocess.Popen(
            ["chroot", *words], env={**QUIET, **(env or {})}, stdout=output, stderr=output, start_new_session=True, **rest) as child:
        try:
            yield child
        finally:
            child.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(30)
            if child.poll() is None:
                child.kill()


def runtime_directory(root, unit):
    """RuntimeDirectory= of a unit, its account's; it stays when the unit stops."""
    folder = root.path / "run" / setting(root, unit, "RuntimeDirectory")
    folder.mkdir(exist_ok=True)
    os.chown(folder, account(root, "passwd", setting(root, unit, "User")), account(root, "group", setting(root, unit, "Group")))
    folder.chmod(int(setting(root, unit, "RuntimeDirectoryMode"), 8))
    assert setting(root, unit, "RuntimeDirectoryPreserve") == "yes"


def environment(root, unit):
    """Environment= of a unit."""
    lines = re.findall(r"^Environment=(.*)$", root.read(f"lib/systemd/system/{unit}"), re.M)
    return dict(word.replace("%t", "/run").split("=", 1) for line in lines for word in shlex.split(line))


@contextlib.contextmanager
def workers(root, log):
    """graphgate.service on graphgate.socket, as its account."""
    unit = "graphgate.service"
    assert setting(root, unit, "StandardInput") == "socket"
    user, group = setting(root, unit, "User"), setting(root, unit, "Group")
    runtime_directory(root, unit)
    with listening(root) as made:
        with process(root, [f"--userspec={user}:{group}", str(root.path), *shlex.split(setting(root, unit, "ExecStart"))],
                     log, env=environment(root, unit), stdin=made.fileno()) as child:
            assert wait_until(lambda: b"start" in log.read_bytes() or child.poll() is not None, 30) and child.poll() is None, \
                log.read_text()
            yield child


@contextlib.contextmanager
def web_server(root, words, log, port):
    """A web server of the root in the foreground, once it answers."""
    with process(root, [str(root.path), *words], log, stdin=subprocess.DEVNULL) as child:
        def answers():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0
        assert wait_until(lambda: answers() or child.poll() is not None, 60) and child.poll() is None, log.read_text()
        yield child
