"""The HTTP API: whether the server is well, and which rooms there are.

Anybody may ask as often as they like. So an answer that the database has to give is shared by all who ask within a
second, and costs the same however many rooms there are.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from chatter.charter import is_private_slug
from chatter.health import Health
from chatter.messages import ListRooms, Ping, RoomListed, RoomsListed
from schema.errors import in_one_line
from web.channels.endpoint import Endpoint
from web.http.secure import SecureHandler

logger = logging.getLogger(__name__)

T = TypeVar("T")

LISTED_ROOMS = 100
"""Most rooms in an answer of `/api/rooms`."""

DATABASE_TIMEOUT = 2.0
"""Seconds that the database has for an answer."""

SHARED_FOR = 1.0
"""Seconds in which an answer serves all who ask."""


class Shared(Generic[T]):
    """One answer for all who ask at about the same time."""

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        """`read` gets the answer. It must not raise."""
        self._read = read
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[T] | None = None
        self._asked_at = 0.0

    async def get(self) -> T:
        """Returns an answer that was asked for at most `SHARED_FOR` seconds ago."""
        now = self._loop.time()
        if self._answer is None or (self._answer.done() and now - self._asked_at >= SHARED_FOR):
            self._asked_at = now
            self._answer = asyncio.ensure_future(self._read())
        return await asyncio.shield(self._answer)  # a client that hangs up must not end it for the others


class ApiHandler(SecureHandler):
    """A handler that answers in JSON."""

    def initialize(self, endpoint: Endpoint, shared: Shared[Any]) -> None:
        self._endpoint = endpoint
        self._shared = shared

    def answer(self, status: int, body: dict[str, Any]) -> None:
        """Answers `body` as JSON that must not be cached."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(body)


class HealthHandler(ApiHandler):
    """`GET /healthz`: 200 where the server can take clients, also where something else does not work; else 503."""

    async def get(self) -> None:
        """Answers, which shows that the loop turns."""
        health = Health("the server is stopping") if self._endpoint.is_stopping else await self._shared.get()
        if health.fault is not None:
            self.answer(503, {"status": "unavailable", "reason": health.fault})
        elif health.trouble is not None:
            self.answer(200, {"status": "degraded", "reason": health.trouble})
        else:
            self.answer(200, {"status": "ok"})

    head = get


def shared_health(endpoint: Endpoint) -> Shared[Health]:
    """Shares what is wrong with the server."""

    async def read() -> Health:
        return endpoint.health(await _ping(endpoint))

    return Shared(read)


async def _ping(endpoint: Endpoint) -> str | None:
    """Returns what is wrong with the database, in words for anybody; None where nothing is."""
    try:
        async with asyncio.timeout(DATABASE_TIMEOUT):
            await endpoint.history.ask(Ping())
    except TimeoutError:
        return f"the database did not answer within {DATABASE_TIMEOUT:g} s"
    except Exception as error:
        logger.warning("the database does not answer: %s", in_one_line(error))  # which names the database
        return "the database does not answer, as the log says"
    return None


class Listing(NamedTuple):
    """The public rooms that anybody may know of."""

    rooms: Sequence[RoomListed]  # in which something was said or settled, the last spoken in first
    silent: Sequence[str]  # the others in which there are people


def shared_rooms(endpoint: Endpoint) -> Shared[Listing | None]:
    """Shares the public rooms that were last spoken in, None where the database does not answer.

    All share it: it has nothing that is not everybody's.
    """

    async def read() -> Listing | None:
        await endpoint.catch_up()
        with_people = tuple(endpoint.supervisor.people_counts)  # first: what is said of them below is newer
        try:
            async with asyncio.timeout(DATABASE_TIMEOUT):
                listed: RoomsListed = await endpoint.history.ask(ListRooms(LISTED_ROOMS))
        except Exception:
            return None
        known = {room.slug for room in listed.rooms} | listed.hidden
        silent = [slug for slug in with_people if slug not in known and not is_private_slug(slug)]
        return Listing(listed.rooms, silent[: LISTED_ROOMS - len(listed.rooms)])

    return Shared(read)
