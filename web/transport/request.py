"""Requests: gives every request one form, whether its head is read here or by Tornado.

What decides about a request sees only this form, so it cannot matter which way the request came.
"""

import functools
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl

from tornado.httputil import HTTPServerRequest

from web.channels.addresses import Headers

MAX_PARAMS = 1_000
"""Most parameters in a query: 1 ms."""

_SHORT = 128
"""Characters of a query that is remembered: nearly always `vsn=2.0.0`."""


_HOST = re.compile(r"[A-Za-z0-9._-]++(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]++\](?::[0-9]{1,5})?")

_BODY_HEADERS = frozenset({"content-length", "expect", "transfer-encoding"})


class Request(NamedTuple):
    """A `GET` or `POST`, without its body."""

    peer: str  # the address at the other end of the connection
    params: Mapping[str, str]  # of the query
    headers: Headers

    def values(self, name: str) -> list[str]:
        """Returns all values of the header of that name, which is in small letters."""
        return list(self.headers.get(name, ()))

    def header(self, name: str) -> str | None:
        """Returns the value of a header. Several lines are one list, as in RFC 9110, section 5.3."""
        values = self.headers.get(name)
        return ", ".join(values) if values else None


def from_tornado(request: HTTPServerRequest) -> Request:
    """Makes a request of Tornado's. Raises `ValueError` where its query cannot be read."""
    headers = {name.lower(): request.headers.get_list(name) for name in request.headers}
    return Request(str(request.remote_ip), params_of(request.query), headers)


def parse_handshake(head: bytes, peer: str, path: str) -> Request | None:
    """Reads the whole head of a `GET path`; returns None if it is anything else, or unusual in any way.

    What it reads, it reads as Tornado does; the rest is Tornado's.
    """
    try:
        first, *lines = head.decode("ascii").split("\r\n")[:-1]
        method, target, version = first.split(" ")
        asked, _, query = target.partition("?")
        if method != "GET" or asked != path or version != "HTTP/1.1" or not query.isprintable():
            return None
        headers: dict[str, list[str]] = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon or not name.replace("-", "").isalnum() or not value.isprintable():
                return None
            headers.setdefault(name.lower(), []).append(value.strip(" "))
        (host,) = headers.get("host", [])
        if not _BODY_HEADERS.isdisjoint(headers) or not _HOST.fullmatch(host):
            return None
        return Request(peer, params_of(query), headers)
    except ValueError:
        return None


def params_of(query: str) -> Mapping[str, str]:
    """Returns the last value of each parameter. Raises `ValueError` where they are not UTF-8, or too many."""
    return _remembered_params(query) if len(query) <= _SHORT else _params(query)


def _params(query: str) -> Mapping[str, str]:
    text = query.encode("latin-1").decode()  # bytes that a client has not escaped are one character each until here
    pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMS)
    return {name: value.strip() for name, value in pairs}


_remembered_params = functools.lru_cache(maxsize=256)(_params)
