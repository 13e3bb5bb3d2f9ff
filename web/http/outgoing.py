"""Makes the requests of this server to others: one, to one address, in five seconds, for 64 KiB."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlencode

from tornado.httpclient import HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from chatter import __version__
from web.identity.outgoing import MAX_BYTES, TIMEOUT, Answer, FetchFailed, fault_of

MAX_HEAD_BYTES = 16_384


class Outgoing:
    """Fetches, as `web.identity.outgoing.Fetch` says. The loop does it, and a thread looks up names."""

    def __init__(self) -> None:
        self._client = SimpleAsyncHTTPClient(
            force_instance=True, max_clients=50, max_header_size=MAX_HEAD_BYTES, max_body_size=MAX_BYTES
        )

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
            user_agent=f"Chatter/{__version__}",
        )
        try:
            async with asyncio.timeout(TIMEOUT):
                answer = await self._client.fetch(request, raise_error=False)
        except Exception as error:  # of the name, the connection, TLS, HTTP or the time: Tornado has one for each
            raise FetchFailed(f"no answer: {type(error).__name__}") from error
        if answer.code == 599:  # Tornado's own, for what went wrong on the way
            raise FetchFailed(f"no answer: {type(answer.error).__name__}")
        return Answer(answer.code, answer.body or b"")

    def close(self) -> None:
        """Ends what is under way."""
        self._client.close()
