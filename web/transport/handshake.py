"""The handshake of a websocket: what is checked about a request, and what is answered."""

import base64
import functools
import hashlib
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple, Protocol

from tornado.httputil import format_timestamp

from web.channels.endpoint import Endpoint
from web.channels.wire import DEFAULT_VERSION, WEBSOCKET_SERIALIZERS, Serializer

PATH = "/socket/websocket"

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3


class Headers(Protocol):
    """The headers of a request."""

    def get_list(self, name: str) -> list[str]:
        """Returns all values of the header of that name."""


class Request(NamedTuple):
    """A `GET` for a websocket."""

    address: str  # the client's
    params: Mapping[str, str]  # of the query
    headers: Headers

    def header(self, name: str) -> str | None:
        """Returns the first value of a header."""
        values = self.headers.get_list(name)
        return values[0] if values else None


class Refusal(NamedTuple):
    """The request is not granted."""

    status: HTTPStatus
    reason: str = ""


class Grant(NamedTuple):
    """The request is granted: what to answer, and what serializes for the client."""

    response: bytes
    serializer: Serializer


def check_handshake(request: Request, endpoint: Endpoint) -> Grant | Refusal:
    """Grants the request, or says in Phoenix's words why not."""
    if not endpoint.is_accepting:
        return Refusal(HTTPStatus.SERVICE_UNAVAILABLE)
    serializer = WEBSOCKET_SERIALIZERS.get(request.params.get("vsn", DEFAULT_VERSION))
    if serializer is None or not endpoint.origin_allowed(request.header("Origin"), request.header("Host")):
        return Refusal(HTTPStatus.FORBIDDEN)
    fault = _fault(request.headers)
    if fault is not None:
        return Refusal(HTTPStatus.BAD_REQUEST, fault)
    return Grant(_response(request), serializer)


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
    """Builds the whole response. The subprotocol `phoenix` is agreed to where it is offered: browsers insist on it."""
    key = (request.header("Sec-WebSocket-Key") or "").encode()
    accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())  # RFC 6455, section 4.2.2
    offered = request.header("Sec-WebSocket-Protocol") or ""
    agreed = b"sec-websocket-protocol: phoenix\r\n" if "phoenix" in map(str.strip, offered.split(",")) else b""
    return b"%bsec-websocket-accept: %b\r\n%b\r\n" % (_common_head(int(time.time())), accept, agreed)


@functools.lru_cache(maxsize=1)  # for all handshakes of one second
def _common_head(now: int) -> bytes:
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        f"date: {format_timestamp(now)}",
        "upgrade: websocket",
        "connection: Upgrade",
        "cache-control: max-age=0, private, must-revalidate",
    ]
    return "".join(line + "\r\n" for line in lines).encode()
