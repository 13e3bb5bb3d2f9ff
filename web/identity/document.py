"""A JSON document of another server: fetched when it is needed, and kept for a time that no use prolongs."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

from web.identity.outgoing import Fetch, FetchFailed

PAUSE = 5.0
"""Seconds after a fault in which nobody asks again."""


class Document:
    """One document. All who need it at the same time wait for one request."""

    def __init__(self, url: str, fetch: Fetch, *, life: float, clock: Callable[[], float] = time.monotonic) -> None:
        """It is kept for `life` seconds from the request on, and nothing of it after that."""
        self.url = url
        self._fetch = fetch
        self._life = life
        self._clock = clock
        self._held: dict[str, Any] | None = None
        self._asked_at = -float("inf")
        self._fault = ""
        self._request: asyncio.Task[dict[str, Any]] | None = None

    async def get(self) -> dict[str, Any]:
        """Returns the document. Raises `FetchFailed`."""
        if self._request is None:
            age = self._clock() - self._asked_at
            if self._held is not None and age < self._life:
                return self._held
            if self._held is None and age < PAUSE:
                raise FetchFailed(self._fault)
            self._asked_at = self._clock()
            self._request = asyncio.ensure_future(self._load())
        return await asyncio.shield(self._request)  # one who hangs up must not end it for the others

    async def _load(self) -> dict[str, Any]:
        self._held = None
        try:
            self._held = parsed(await self._ask())
        except FetchFailed as fault:
            self._fault = str(fault)
            raise
        else:
            return self._held
        finally:
            self._request = None

    async def _ask(self) -> bytes:
        answer = await self._fetch(self.url)
        if answer.status != 200:
            raise FetchFailed(f"{self.url}: expected 200, got {answer.status}")
        return answer.body


def parsed(body: bytes) -> dict[str, Any]:
    """Reads a JSON object. Raises `FetchFailed`."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise FetchFailed("expected a JSON object, got something else")
    return found
