# SPDX-License-Identifier: MIT
"""What the tests of faults share: callers that go on and on, a relay that can be cut, a transaction that holds a lock."""

import contextlib
import getpass
import socket
import subprocess
import threading
import time
from collections import Counter, namedtuple

from kit import wait_for

Call = namedtuple("Call", "at took status code answer")


class Callers:
    """Threads that call on and on while the `with` block runs; `calls` has every answer, or what was raised instead.

    A call without an answer has the status 0 and the exception's name as its code.
    """

    def __init__(self, *callers, pause_s=0.0):
        self.calls = []
        self._over = threading.Event()
        self._pause_s = pause_s
        self._threads = [threading.Thread(target=self._run, args=(caller,)) for caller in callers]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *fault):
        self.end()
        for thread in self._threads:
            thread.join()

    def end(self):
        """No call begins after this."""
        self._over.set()

    def _run(self, caller):
        while not self._over.is_set():
            began, answer = time.monotonic(), None
            try:
                answer = caller()
                code = answer.body.get("code") if isinstance(answer.body, dict) else None
                found = answer.status, code
            except (OSError, EOFError) as fault:
                found = 0, type(fault).__name__
            self.calls.append(Call(began, time.monotonic() - began, *found, answer))
            self._over.wait(self._pause_s)

    def tally(self):
        """{(status, code): how often}"""
        return Counter((call.status, call.code) for call in self.calls)

    def more(self, count, status=None, seconds=20):
        """Waits until so many more calls have ended, of one status or of any."""
        begin = len(self.calls)
        wait_for(lambda: sum(status in (None, call.status) for call in self.calls[begin:]) >= count, seconds)


class Relay:
    """A port on loopback that leads to another one, until it is told to behave badly."""

    def __init__(self, port):
        self.taken = 0      # connections so far
        self._to = port
        self._links = []
        self._listener = None
        self._silent = threading.Event()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.up()

    def up(self):
        """Takes connections, and passes everything on."""
        self._silent.clear()
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def hush(self):
        """Connections stay, new ones are taken, and nothing goes through any more: a host that lost its power."""
        self._silent.set()

    def down(self):
        """Every connection is closed, a new one is refused."""
        listener, self._listener = self._listener, None
        if listener:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        while self._links:
            _end(self._links.pop())

    def _accept(self, listener):
        while True:
            try:
                near = listener.accept()[0]
            except OSError:
                return
            self.taken += 1
            self._links.append(near)
            try:
                far = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                _end(near)
                continue
            self._links.append(far)
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self._silent.is_set():
                    sink.sendall(data)
        for one in (source, sink):
            _end(one)


def _end(link):
    with contextlib.suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)
    link.close()


class Transaction:
    """A connection of its own to a MariaDB: what it locks stays locked until it is told to end, or the block ends."""

    def __init__(self, mariadb, database):
        self._client = subprocess.Popen(  # pylint: disable=consider-using-with
            ["mariadb", "--no-defaults", f"--socket={mariadb.socket}", f"--user={getpass.getuser()}", "--batch",
             "--skip-column-names", "--unbuffered", database],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def __enter__(self):
        return self

    def __exit__(self, *fault):
        self._client.communicate(timeout=30)

    def run(self, text):
        """Runs statements; returns when they are done."""
        self._client.stdin.write(f"{text}; SELECT 'done';\n")
        while (line := self._client.stdout.readline()) != "done\n":
            assert line, f"the client ended: {text}"


def lock_row(transaction, person):
    """Holds the person's token row."""
    transaction.run(f"BEGIN; SELECT id FROM {person.table} WHERE {person.key_column} = '{person.subject}' FOR UPDATE")


def statements(stack, like):
    """The connection ids of the stack's workers that are in a statement like that."""
    return [row[0] for row in stack.mariadb.rows(
        f"SELECT id FROM information_schema.processlist WHERE user = '{stack.database.worker}' AND info LIKE '{like}'")]


def cut_connections(stack):
    """The workers' connections are closed by the server, whatever they do."""
    for row in stack.mariadb.rows(f"SELECT id FROM information_schema.processlist WHERE user = '{stack.database.worker}'"):
        with contextlib.suppress(RuntimeError):
            stack.mariadb.sql(f"KILL {row[0]}")


def kept(*people):
    """What must outlive every fault: the token rows but for leases and notes of use."""
    return [one.row("id, access_token, refresh_token, id_token, is_active, inactive_reason, expires_at") for one in people]
