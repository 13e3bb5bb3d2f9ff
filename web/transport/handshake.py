"""The handshake of a websocket: what is checked about a request, and what is answered."""

import base64
import functools
import hashlib
import time
from http import HTTPStatus
from typing import NamedTuple

from tornado.httputil import format_timestamp

from web.channels.endpoint import Endpoint
from web.channels.wire import DEFAULT_VERSION, WEBSOCKET_SERIALIZERS, Serializer
from web.identity.credentials import Credentials
from web.transport.request import Request

PATH = "/socket/websocket"

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3


class Refusal(NamedTuple):
    """The request is not granted."""

    status: HTTPStatus
    reason: str = ""
    wait: float = 0.0  # seconds after which the client may ask again, where that is the reason


class Grant(NamedTuple):
    """The request is granted: what to answer, and what serializes for the client."""

    response: bytes
    serializer: Serializer
    credentials: Credentials | None  # who is to be found out by them


def check_handshake(request: Request, endpoint: Endpoint) -> Grant | Refusal:
    """Grants the request, or says in Phoenix's words why not. One that is right otherwise counts as a connect."""
    if not endpoint.is_accepting:
        return Refusal(HTTPStatus.SERVICE_UNAVAILABLE)
    serializer = WEBSOCKET_SERIALIZERS.get(request.params.get("vsn", DEFAULT_VERSION))
    if serializer is None or not endpoint.admits_page(request.headers):
        return Refusal(HTTPStatus.FORBIDDEN)
    fault = _fault(request)
    if fault is not None:
        return Refusal(HTTPStatus.BAD_REQUEST, fault)
    wait = endpoint.take_connect_token(request.peer, request.headers)
    if wait:
        return Refusal(HTTPStatus.TOO_MANY_REQUESTS, wait=wait)
    return Grant(_response(request), serializer, endpoint.credentials_of(request.headers, reads=False))


def _fault(request: Request) -> str | None:
    connection = request.values("connection")
    if not any("upgrade" in value.lower() for value in connection):
        return f"'connection' header must contain 'upgrade', got {_elixir(connection)}"
    upgrade = request.values("upgrade")
    if not any("websocket" in value.lower() for value in upgrade):
        return f"'upgrade' header must contain 'websocket', got {_elixir(upgrade)}"
    if not request.values("sec-websocket-key"):
        return "'sec-websocket-key' header is absent"
    versions = request.values("sec-websocket-version")
    if versions != ["13"]:
        return f"'sec-websocket-version' header must equal '13', got {_elixir(versions)}"
    return None


def _elixir(values: list[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def _response(request: Request) -> bytes:
    """Builds the whole response. The subprotocol `phoenix` is agreed to where it is offered: browsers insist on it."""
    key = (request.header("sec-websocket-key") or "").encode()
    accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())  # RFC 6455, section 4.2.2
    offered = request.header("sec-websocket-protocol") or ""
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
