# SPDX-License-Identifier: MIT
"""graphgate.fcgi without a web server: a small FastCGI client, and the program as a process of its own."""

import email.message
import email.parser
import json
import signal
import socket
import struct
import subprocess
import time
import weakref
from urllib.parse import urlsplit

from stack.journal import settle
from stack.process import descendants, wait_until
from stack.smoke import Answer

import openapi
import seen

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR = 1, 2, 3, 4, 5, 6, 7
ROUTES = (
    ("GET", "auth/microsoft/"), ("GET", "auth/microsoft/callback"), ("POST", "auth/microsoft/exchange"),
    ("POST", "auth/refresh"), ("GET", "auth/microsoft/user"), ("DELETE", "auth/microsoft/token"),
    ("GET", "integration/microsoft/calendar/"), ("GET", "integration/microsoft/calendar/events"),
    ("POST", "integration/microsoft/calendar/events"), ("GET", "integration/microsoft/calendar/events/x"),
    ("PUT", "integration/microsoft/calendar/events/x"), ("PATCH", "integration/microsoft/calendar/events/x"),
    ("DELETE", "integration/microsoft/calendar/events/x"))


# Connection: what was asked on it last.
_asked = weakref.WeakKeyDictionary()


def record(kind, content):
    """One FastCGI record of the request 1."""
    return struct.pack(">BBHHBx", 1, kind, 1, len(content), 0) + content


def stream_of(kind, content):
    """The records of a whole stream, its end included."""
    parts = [content[at:at + 65000] for at in range(0, len(content), 65000)]
    return b"".join(record(kind, part) for part in [*parts, b""])


def _length(number):
    return bytes([number]) if number < 128 else struct.pack(">I", number | 0x80000000)


def parameters_of(pairs):
    """Name-value pairs as FastCGI writes them."""
    encoded = ((name.encode(), str(value).encode()) for name, value in pairs.items())
    return b"".join(_length(len(name)) + _length(len(value)) + name + value for name, value in encoded)


def connect(address, timeout_s=60):
    """A connection to a path (unix) or a pair of host and port."""
    if isinstance(address, tuple):
        return socket.create_connection(address, timeout_s)
    link = socket.socket(socket.AF_UNIX)
    link.settimeout(timeout_s)
    link.connect(str(address))
    return link


def send(link, method, uri, parameters=None, body=b"", open_end=False):
    """Writes one request; parameters are CGI variables beside the usual ones. With open_end more of the body may follow."""
    path, _, query = uri.partition("?")
    _asked[link] = method, uri, body or None
    usual = {"REQUEST_METHOD": method, "REQUEST_URI": uri, "SCRIPT_NAME": path, "QUERY_STRING": query,
             "REMOTE_ADDR": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1", "GATEWAY_INTERFACE": "CGI/1.1"}
    if body:
        usual |= {"CONTENT_LENGTH": len(body), "CONTENT_TYPE": "application/json"}
    link.sendall(record(BEGIN, struct.pack(">HB5x", 1, 0)) + stream_of(PARAMS, parameters_of({**usual, **(parameters or {})})) +
                 (record(STDIN, body or b" ") if open_end else stream_of(STDIN, body)))


def receive(link):
    """Reads one answer; EOFError when the connection ends before it."""
    out, stream = b"", link.makefile("rb")
    while True:
        head = stream.read(8)
        if len(head) < 8:
            raise EOFError("the program closed the connection without an answer")
        _, kind, _, length, padding = struct.unpack(">BBHHBx", head)
        content = stream.read(length + padding)[:length]
        if kind == STDOUT:
            out += content
        elif kind == END:
            return _answer(out, _asked.get(link))


def _answer(out, asked):
    head, _, body = out.partition(b"\r\n\r\n")
    headers = email.parser.Parser(email.message.Message).parsestr(head.decode("latin-1"))
    text = body.decode("utf-8", "replace")
    parsed = json.loads(text) if text and "json" in headers.get("Content-Type", "") else text
    status = int(headers.get("Status", "200").split()[0])
    if asked:
        openapi.note(openapi.Exchange(*asked, status, headers, text))
    return Answer(status, headers, parsed)


class Program:
    """One graphgate.fcgi with settings of its own, on the database and the simulator of a stack.

    settings are laid over the stack's in a file (None leaves one out), or, with env, put into the environment. Stands in
    for the stack that a Person is made for.
    """

    made = []

    def __init__(self, stack, directory, arguments=(), settings=None, env=None):
        self.stack, self.sim, self.sql = stack, stack.sim, stack.sql
        self.url = stack.url
        self.directory = directory
        own = {"METRICS_FILE": directory / "metrics"}
        self.conf = {name: str(value) for name, value in {**stack.conf, **own, **(settings or {})}.items() if value is not None}
        self.conf_file = directory / "graphgate.conf"
        self.log = directory / "log"
        self.address = directory / "s"
        self.env = {**stack.env, "GRAPHGATE_CONFIG": str(self.conf_file), **(env or {})}
        self.launcher = ()  # words before the program's own: another command that starts it
        self._arguments = [str(word) for word in arguments]
        self._process = None
        Program.made.append(self)

    def start(self, lines=None, listen=None, stdin=subprocess.DEVNULL):
        """Writes the file (or these lines instead) and starts; returns when the socket is there."""
        text = "".join(f"{name}={value}\n" for name, value in self.conf.items()) if lines is None else lines
        self.conf_file.write_text(text, encoding="utf-8")
        words = [] if stdin != subprocess.DEVNULL else ["--listen", listen or f"unix:{self.address}"]
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(  # pylint: disable=consider-using-with
                [*self.launcher, str(self.stack.bin_dir / "graphgate.fcgi"), *words, *self._arguments],
                stdin=stdin, stdout=log, stderr=log, env=self.env)
        if listen:
            host, _, port = listen.rpartition(":")
            self.address = (host.strip("[]"), int(port))
        if words and not wait_until(lambda: self._process.poll() is not None or self._listens(), 20, 0.01):
            raise RuntimeError(self.logs())
        return self

    def _listens(self):
        try:
            connect(self.address).close()
        except OSError:
            return False
        return True

    def settle(self):
        """Waits until no row of the audit waits in the journal."""
        settle(self.directory)

    def logs(self):
        """What it wrote."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def pid(self):
        """Its process id: the master's, where there are workers."""
        return self._process.pid

    def workers(self):
        """The ids of its workers."""
        return set(descendants(self._process.pid))

    def signal(self, number):
        """Sends it a signal."""
        self._process.send_signal(number)

    def wait(self, timeout_s=15):
        """Its exit status, once it ended."""
        return self._process.wait(timeout_s)

    def alive(self):
        """Whether it runs."""
        return self._process.poll() is None

    def stop(self):
        """SIGTERM, and its exit status."""
        if self._process is None:
            return None
        if self.alive():
            self.signal(signal.SIGTERM)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def ask(self, method, uri, parameters=None, body=b""):
        """One request on a connection of its own."""
        with connect(self.address) as link:
            send(link, method, uri, parameters, body)
            return receive(link)

    def health(self):
        """The health endpoint's answer."""
        return self.ask("GET", "/api/v1/health/microsoft")


def direct(person_class, program, realm, **given):
    """A Person whose calls go to a Program instead of a web server."""
    class Direct(person_class):
        """Keeps cookies and sends what a web server would make of the call."""

        def __init__(self):
            super().__init__(program, realm, given.get("user"))
            self.jar = {}
            self.address = given.get("address", "127.0.0.1")

        def call(self, method, url, body=None, accept="application/json", **rest):
            headers = {"HTTP_ACCEPT": accept, "REMOTE_ADDR": self.address, **rest.get("parameters", {})}
            if self.jar:
                headers["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in self.jar.items())
            if self.token:
                headers["HTTP_AUTHORIZATION"] = "Bearer " + self.token
            parts = urlsplit(url)
            uri = parts.path + (f"?{parts.query}" if parts.query else "")
            data = json.dumps(body).encode() if body is not None else b""
            answer = program.ask(method, uri, headers, data)
            for cookie in answer.headers.get_all("Set-Cookie") or []:
                name, _, value = cookie.split(";")[0].partition("=")
                self.jar[name.strip()] = value.strip()
            seen.note_exchange(self.token, url, body, answer)
            return answer

    return Direct()


def at_window_start(window_s, room_s):
    """Waits until at least room_s of the aligned window is left."""
    left = window_s - time.time() % window_s
    if left < room_s:
        time.sleep(left + 0.02)
