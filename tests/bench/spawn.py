# SPDX-License-Identifier: MIT
"""A worker as a process: from its spawn to its first answer, and what memory is its own."""

import os
import socket
import struct
import subprocess
import time
from pathlib import Path

from fcgi_client import BEGIN, END, PARAMS, STDOUT, parameters_of, record, stream_of
from stack.process import drop_socket_dir, socket_dir

from bench.load import Wrong


def rollup(pid):
    """The numbers of a process's smaps_rollup, in KiB. A worker's memory is hidden from all but root."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    except PermissionError:
        raise Wrong("a worker hides its memory: only root may look at it") from None
    return {words[0].rstrip(":"): int(words[1]) for words in map(str.split, text.splitlines()) if len(words) == 3 and words[2] == "kB"}


def _request(uri, token):
    path, _, query = uri.partition("?")
    parameters = {"REQUEST_METHOD": "GET", "REQUEST_URI": uri, "SCRIPT_NAME": path, "QUERY_STRING": query, "REMOTE_ADDR": "127.0.0.1",
                  "SERVER_PROTOCOL": "HTTP/1.1", "GATEWAY_INTERFACE": "CGI/1.1", "HTTP_ACCEPT": "application/json",
                  "HTTP_AUTHORIZATION": f"Bearer {token}"}
    return record(BEGIN, struct.pack(">HB5x", 1, 0)) + stream_of(PARAMS, parameters_of(parameters)) + record(5, b"")


def _answer(link):
    """All that the program wrote to its answer."""
    out, stream = b"", link.makefile("rb")
    while len(head := stream.read(8)) == 8:
        _, kind, _, length, padding = struct.unpack(">BBHHBx", head)
        content = stream.read(length + padding)[:length]
        if kind == STDOUT:
            out += content
        elif kind == END:
            return out
    raise Wrong("a worker ended without an answer")


def asked(path, uri, token):
    """The answer of the program that listens at that path, on a connection of its own."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(120)
        link.connect(str(path))
        link.sendall(_request(uri, token))
        return _good(_answer(link))


def _good(answer):
    if b"Status: " in answer and not answer.split(b"Status: ", 1)[1].startswith(b"200"):
        raise Wrong(answer[:300].decode("utf-8", "replace"))
    return answer


class Start:
    """Spawns a worker on a socket where a request waits already, as a web server does."""

    def __init__(self, directory, command, config):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.command = [str(word) for word in command]
        self.env = {"PATH": os.environ["PATH"], "GRAPHGATE_CONFIG": str(config)}

    def measure(self, uri, token):
        """Milliseconds from the spawn to the last byte of the answer, which must be a good one."""
        place = socket_dir(self.directory)
        try:
            with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as link, open(self.directory / "log", "ab") as log:
                listener.bind(str(place / "s"))
                listener.listen(16)
                link.settimeout(60)
                link.connect(str(place / "s"))
                link.sendall(_request(uri, token))
                begin = time.monotonic()
                with subprocess.Popen(self.command, stdin=listener, stdout=log, stderr=log, env=self.env) as process:
                    try:
                        answer = _answer(link)
                        took = time.monotonic() - begin
                    finally:
                        process.terminate()
        finally:
            (place / "s").unlink(missing_ok=True)
            drop_socket_dir(place, self.directory)
        _good(answer)
        return took * 1000
