"""The handshake of a websocket: what has to be right about a request, and what is answered."""

import base64
import functools
import hashlib
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple, Protocol

from tornado.httputil import format_timestamp

from web.channels import wire
from web.channels.endpoint import Edge
from web.channels.wire import Dialect

PATH = "/socket/websocket"

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3


class Headers(Protocol):
    """The headers of a request."""

    def get_list(self, name: str) -> list[str]:
        """All values of the header of that name."""


class Request(NamedTuple):
    """A `GET` for a websocket."""

    address: str  # whence it comes
    params: Mapping[str, str]  # of the query
    headers: Headers

    def header(self, name: str) -> str | None:
        """Its first value."""
        values = self.headers.get_list(name)
        return values[0] if values else None


class Refusal(NamedTuple):
    """The request is not granted."""

    status: HTTPStatus
    reason: str = ""


class Grant(NamedTuple):
    """The request is granted: what to answer, and how the client will speak."""

    response: bytes
    dialect: Dialect


def judge(request: Request, edge: Edge) -> Grant | Refusal:
    """Grant it, or say why not in Phoenix's words."""
    if not edge.hearing:
        return Refusal(HTTPStatus.SERVICE_UNAVAILABLE)
    dialect = wire.WEBSOCKET_DIALECTS.get(request.params.get("vsn", "1.0.0"))
    if dialect is None or not edge.admits(request.header("Origin"), request.header("Host")):
        return Refusal(HTTPStatus.FORBIDDEN)
    fault = _fault(request.headers)
    if fault is not None:
        return Refusal(HTTPStatus.BAD_REQUEST, fault)
    return Grant(_response(request), dialect)


def _fault(headers: Headers) -> str | None:
    connection = headers.get_list("Connection")
    if not any("upgrade" in value.lower() for value in connection):
        return f"'connection' header must contain 'upgrade', got {_elixir(connection)}"
    upgrade = headers.get_list("Upgrade")
    if not any("websocket" in value.lower() for value in upgrade):
        return f"'upgrade' header must contain 'websocket', got {_elixir(upgrade)}"
    if not headers.get_list("Sec-WebSocket-Key"):
        return "'sec-websocket-key' header is absent"
    versions = headers.get_list("Sec-WebSocket-Version")
    if versions != ["13"]:
        return f"'sec-websocket-version' header must equal '13', got {_elixir(versions)}"
    return None


def _elixir(values: list[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def _response(request: Request) -> bytes:
    """The whole of it. The subprotocol `phoenix` is agreed to where it is offered: browsers insist on an answer."""
    key = (request.header("Sec-WebSocket-Key") or "").encode()
    accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())  # as RFC 6455 has it
    offered = request.header("Sec-WebSocket-Protocol") or ""
    agreed = b"sec-websocket-protocol: phoenix\r\n" if "phoenix" in map(str.strip, offered.split(",")) else b""
    return b"%bsec-websocket-accept: %b\r\n%b\r\n" % (_common_head(int(time.time())), accept, agreed)


@functools.lru_cache(maxsize=1)  # the same for a whole second
def _common_head(now: int) -> bytes:
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        f"date: {format_timestamp(now)}",
        "upgrade: websocket",
        "connection: Upgrade",
        "cache-control: max-age=0, private, must-revalidate",
    ]
    return "".join(line + "\r\n" for line in lines).encode()
