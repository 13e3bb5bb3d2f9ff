"""Makes the requests of this server to others: one, to one address, in five seconds, for 64 KiB.

No proxy that the environment names is used, and certificates are verified with the system's authorities.
"""

import asyncio
import concurrent.futures
import socket
import ssl
import threading
from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import urlencode

from tornado.httpclient import HTTPRequest
from tornado.netutil import Resolver
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from chatter import __version__
from web.identity.outgoing import MAX_BYTES, TIMEOUT, Answer, FetchFailed, fault_of

MAX_HEAD_BYTES = 16_384

Address: TypeAlias = tuple[int, Any]
"""A family, and what `socket.connect` takes for it."""


class Outgoing:
    """Fetches, as `web.identity.outgoing.Fetch` says. The loop does it, and threads look up names."""

    def __init__(self) -> None:
        self._client = SimpleAsyncHTTPClient(
            force_instance=True,
            max_clients=50,  # more than there can be: a request that had to wait would have its time twice
            max_header_size=MAX_HEAD_BYTES,
            max_body_size=MAX_BYTES,
            max_buffer_size=4 * MAX_BYTES,
            resolver=_Names(),
        )
        self._trusted = ssl.create_default_context()

    async def __call__(
        self, url: str, *, form: Mapping[str, str] | None = None, authorization: str | None = None
    ) -> Answer:
        fault = fault_of(url)
        if fault is not None:
            raise FetchFailed(fault)
        headers = {"Accept": "application/json"}
        if authorization is not None:
            headers["Authorization"] = authorization
        request = HTTPRequest(
            url,
            method="GET" if form is None else "POST",
            headers=headers,
            body=None if form is None else urlencode(form),
            connect_timeout=TIMEOUT,
            request_timeout=TIMEOUT,
            follow_redirects=False,
            decompress_response=False,  # 64 KiB can hold much more
            ssl_options=self._trusted,
            user_agent=f"Chatter/{__version__}",
        )
        try:
            answer = await self._client.fetch(request, raise_error=False)
        except Exception as error:  # of the name, the connection, TLS, HTTP or the time: Tornado has one for each
            raise FetchFailed(f"no answer: {type(error).__name__}") from error
        if answer.code == 599:  # Tornado's own, for what went wrong on the way
            raise FetchFailed(f"no answer: {type(answer.error).__name__}")
        body = answer.body or b""
        if len(body) > MAX_BYTES:  # not every Tornado counts what comes without a length
            raise FetchFailed(f"it has more than {MAX_BYTES} bytes")
        return Answer(answer.code, body)

    def close(self) -> None:
        """Ends what is under way."""
        self._client.close()


class _Names(Resolver):
    """Looks up names in daemon threads: a look-up cannot be cancelled, and must not hold up the end of the process."""

    async def resolve(self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[Address]:
        found: concurrent.futures.Future[list[Address]] = concurrent.futures.Future()
        threading.Thread(target=_look_up, args=(found, host, port, family), name="names", daemon=True).start()
        return await asyncio.wrap_future(found)


def _look_up(
    found: "concurrent.futures.Future[list[Address]]", host: str, port: int, family: socket.AddressFamily
) -> None:
    if not found.set_running_or_notify_cancel():
        return
    try:
        rows = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
    except Exception as error:  # of the network, or of a name that is none
        found.set_exception(error)
    else:
        found.set_result([(row[0], row[4]) for row in rows])
