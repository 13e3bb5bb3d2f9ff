"""A document of another server: fetched while it is in use, and kept for a time that no use prolongs.

So what the other server takes back counts for `LIFE` at most, also where that server does not answer any more. There is
one request at a time, and whoever finds the document held does not wait for it.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from web.identity.outgoing import Fetch, FetchFailed

logger = logging.getLogger(__name__)

T = TypeVar("T")

REFRESH = 600.0
"""Seconds after which the next use has the document fetched anew."""

LIFE = 3_600.0
"""Seconds for which a document counts, from when it was asked for."""

MAX_WAITING = 1_000
"""Most that wait for a request. They are people who connect or sign in; the others are refused and come back."""


class Document(Generic[T]):
    """Owns one document. Used on the loop."""

    def __init__(
        self,
        url: str,
        fetch: Fetch,
        read: Callable[[bytes], T],
        *,
        pause: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`read` makes of a body what is kept; it raises `FetchFailed` for one that cannot be used.

        `pause` is the least number of seconds between two requests. `clock` returns seconds that only grow.
        """
        self._url = url
        self._fetch = fetch
        self._read = read
        self._pause = pause
        self._clock = clock
        self._kept: T | None = None
        self._asked_at = -float("inf")  # when what is kept was asked for
        self._tried_at = -float("inf")  # when the last request began
        self._fault = ""
        self._request: asyncio.Task[None] | None = None
        self._waiting = 0

    async def get(self) -> T:
        """Returns the document, and waits only where none is held. Raises `FetchFailed`."""
        held = self._held
        if held is None or self._age >= REFRESH:
            self._begin_request()
        return await self._after_request() if held is None else held

    async def get_anew(self) -> T:
        """Returns the document as the other server has it now, or as it is held within `pause`. Raises `FetchFailed`.

        For those who look for what it may have got since.
        """
        self._begin_request()
        return await self._after_request()

    @property
    def _held(self) -> T | None:
        return self._kept if self._age < LIFE else None

    @property
    def _age(self) -> float:
        return self._clock() - self._asked_at

    def _begin_request(self) -> None:
        now = self._clock()
        if self._request is None and now - self._tried_at >= self._pause:
            self._tried_at = now
            self._request = asyncio.ensure_future(self._load(now))

    async def _after_request(self) -> T:
        if self._request is not None:
            await self._wait(self._request)
        held = self._held
        if held is None:
            raise FetchFailed(self._fault)
        return held

    async def _wait(self, request: "asyncio.Task[None]") -> None:
        if self._waiting >= MAX_WAITING:
            raise FetchFailed("too many wait for it")
        self._waiting += 1
        try:
            await asyncio.wait([request])  # one who hangs up does not end it for the others
        finally:
            self._waiting -= 1

    async def _load(self, asked_at: float) -> None:
        """Raises nothing: those who wait find the document, or the fault."""
        try:
            self._kept, self._asked_at = self._read(await self._ask()), asked_at
        except FetchFailed as fault:
            self._note(fault)
        except Exception as error:
            self._note(FetchFailed(f"a fault of ours: {type(error).__name__}"))
            logger.exception("%s cannot be read", self._url)
        finally:
            self._request = None

    async def _ask(self) -> bytes:
        answer = await self._fetch(self._url)
        if answer.status != 200:
            raise FetchFailed(f"expected 200, got {answer.status}")
        return answer.body

    def _note(self, fault: FetchFailed) -> None:
        self._fault = str(fault)
        counts = "nothing of it counts" if self._held is None else "what it was before still counts"
        logger.warning("%s cannot be used, and %s: %s", self._url, counts, fault)


def json_object(body: bytes) -> dict[str, Any]:
    """Reads a JSON object. Raises `FetchFailed`."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise FetchFailed("expected a JSON object, got something else")
    return found
