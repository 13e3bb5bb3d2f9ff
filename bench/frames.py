"""Builds what a client sends: the handshake and Phoenix Channels V2 frames."""

import base64
import json
import struct
from typing import Any

MASK = b"\x5a\xc3\x3c\xa5"
"""The masking key of all frames. A constant one costs the server as much to unmask as a random one."""

_MASKS = int.from_bytes(MASK * 1024)

HEADER_END = b"\r\n\r\n"


def handshake(port: int, token: str = "") -> bytes:
    """Builds the HTTP request of the websocket handshake; it shows a token as `authToken` of phoenix.js does."""
    shown = base64.b64encode(token.encode()).decode().rstrip("=")
    protocols = f"Sec-WebSocket-Protocol: phoenix, base64url.bearer.phx.{shown}\r\n" if token else ""
    return (
        "GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        f"{protocols}\r\n"
    ).encode()


def push(ref: str, topic: str, event: str, payload: dict[str, Any]) -> bytes:
    """Builds a push on a channel that was joined with ref "1"."""
    return text_frame(json.dumps(["1", ref, topic, event, payload], separators=(",", ":")).encode())


def join(topic: str, payload: dict[str, Any], ref: str = "1") -> bytes:
    """Builds a join. A leave carries the same `ref`."""
    return text_frame(json.dumps([ref, ref, topic, "phx_join", payload], separators=(",", ":")).encode())


def heartbeat() -> bytes:
    """Builds the heartbeat that a Phoenix client sends every 30 s."""
    return text_frame(b'[null,"h","phoenix","heartbeat",{}]')


def text_frame(payload: bytes) -> bytes:
    """Builds a masked text frame of up to 4,096 bytes."""
    size = len(payload)
    assert size <= len(MASK) * 1024, f"expected at most 4,096 bytes, got {size}"
    head = struct.pack("!BB", 0x81, 0x80 | size) if size < 126 else struct.pack("!BBH", 0x81, 0xFE, size)
    masks = _MASKS >> 8 * (4096 - size)
    return head + MASK + (int.from_bytes(payload) ^ masks).to_bytes(size)
