# SPDX-License-Identifier: MIT
"""Replies on the wire: the ordinary ones by aiohttp, the broken ones byte by byte."""

import asyncio
import json
import socket
import struct
from http import HTTPStatus

from aiohttp import web

from .faults import Script
from .wire import Reply

PIECE = 64 * 1024
HIGH_WATER = 1024 * 1024


def _head(reply: Reply, framing: str) -> bytes:
    try:
        reason = HTTPStatus(reply.status).phrase
    except ValueError:
        reason = "Unknown"
    lines = [f"HTTP/1.1 {reply.status} {reason}", *(f"{name}: {value}" for name, value in reply.headers), framing,
             "Connection: close"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _length(size: int) -> str:
    return f"Content-Length: {size}"


async def _send(transport, data: bytes) -> None:
    if transport is None or transport.is_closing():
        raise asyncio.CancelledError
    transport.write(data)
    while transport.get_write_buffer_size() > HIGH_WATER and not transport.is_closing():
        await asyncio.sleep(0.002)


def _reset(transport) -> None:
    """A close that sends RST: no lingering."""
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _play_reset(transport, script: Script) -> None:
    when = script.options.get("when", "mid")
    if when != "before":
        await _send(transport, _head(script.reply, _length(len(script.reply.body) + 1)))
    if when == "mid":
        await _send(transport, script.reply.body[:len(script.reply.body) // 2])
    # The client reads what was sent before it meets the reset.
    await asyncio.sleep(0.02)
    _reset(transport)


async def _play_close(transport, _script: Script) -> None:
    transport.close()


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


async def _play_truncate(transport, script: Script) -> None:
    body = script.reply.body
    half = body[:len(body) // 2]
    if script.options.get("chunked"):
        await _send(transport, _head(script.reply, "Transfer-Encoding: chunked") + _chunk(half or b" "))
    else:
        await _send(transport, _head(script.reply, _length(len(body) + 1)) + half)
    transport.close()


async def _in_pieces(transport, data: bytes, over_ms: int) -> None:
    pieces = max(1, min(len(data), over_ms // 20))
    size = -(-len(data) // pieces) or 1
    for start in range(0, len(data), size):
        await _send(transport, data[start:start + size])
        await asyncio.sleep(over_ms / pieces / 1000)


async def _play_slow_body(transport, script: Script) -> None:
    body = script.reply.body
    await _send(transport, _head(script.reply, _length(len(body))))
    await _in_pieces(transport, body, script.options.get("over_ms", 5000))
    transport.close()


async def _play_slow_headers(transport, script: Script) -> None:
    body = script.reply.body
    await _in_pieces(transport, _head(script.reply, _length(len(body))), script.options.get("over_ms", 5000))
    await _send(transport, body)
    transport.close()


async def _play_oversize(transport, script: Script) -> None:
    """Still valid JSON when the answer was an object: only far too long."""
    body = script.reply.body
    extra = int(script.options.get("mb", 100) * 1024 * 1024)
    opening = b'{"padding":"' if body.startswith(b"{") else b""
    closing = (b'"' + (b"," if json.loads(body) else b"") + body[1:]) if opening else body
    chunked = script.options.get("chunked")
    wrap = _chunk if chunked else bytes
    total = len(opening) + extra + len(closing)
    await _send(transport, _head(script.reply, "Transfer-Encoding: chunked" if chunked else _length(total)))
    await _send(transport, wrap(opening) if opening else b"")
    filler = b"x" * PIECE
    for start in range(0, extra, PIECE):
        await _send(transport, wrap(filler[:extra - start]))
    await _send(transport, wrap(closing) + (b"0\r\n\r\n" if chunked else b""))
    transport.close()


PLAYERS = {"reset": _play_reset, "close": _play_close, "truncate": _play_truncate, "slow_body": _play_slow_body,
           "slow_headers": _play_slow_headers, "oversize": _play_oversize}


async def play(request: web.BaseRequest, script: Script) -> web.StreamResponse:
    """The response for aiohttp to send; a broken one is sent here, and the connection is over."""
    reply = script.reply
    if script.wire == "plain":
        response = web.Response(status=reply.status, body=reply.body)
        response.headers.clear()
        for name, value in reply.headers:
            response.headers.add(name, value)
        return response
    transport = request.transport
    if transport is not None:
        await PLAYERS[script.wire](transport, script)
    raise asyncio.CancelledError
