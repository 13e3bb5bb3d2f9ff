"""The HTTP API: whether the server is well, and which rooms there are."""

import asyncio
from typing import Any

from chatter.messages import ListRooms, Ping, RoomListed
from web.channels.endpoint import Endpoint
from web.http.pages import SecureHandler

LISTED_ROOMS = 100
"""Most rooms in an answer of `/api/rooms`."""

DATABASE_TIMEOUT = 2.0
"""Seconds that the database has for an answer, and a commit for its success."""


class ApiHandler(SecureHandler):
    """A handler that answers in JSON."""

    def initialize(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def answer(self, status: int, body: dict[str, Any]) -> None:
        """Answers `body` as JSON that must not be cached."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(body)


class HealthHandler(ApiHandler):
    """`GET /healthz`: 200 when the loop turns, the database answers, saving keeps up and no stop is near; else 503."""

    async def get(self) -> None:
        """Answers, which shows that the loop turns."""
        fault = await self._fault()
        if fault is None:
            self.answer(200, {"status": "ok"})
        else:
            self.answer(503, {"status": "unavailable", "reason": fault})

    head = get

    async def _fault(self) -> str | None:
        if self._endpoint.is_stopping:
            return "the server is stopping"
        backlog = self._endpoint.backlog
        if not backlog.is_alive:
            return "persistence has stopped"
        try:
            await asyncio.wait_for(self._endpoint.history.ask(Ping()), DATABASE_TIMEOUT)
        except TimeoutError:
            return f"the database did not answer within {DATABASE_TIMEOUT:g} s"
        except Exception as error:
            return f"the database does not answer: {error}"
        if backlog.stalled_for > DATABASE_TIMEOUT:
            return f"saving is behind: {backlog.unsaved} messages wait, since {backlog.stalled_for:.0f} s"
        return None


class RoomsHandler(ApiHandler):
    """`GET /api/rooms`: the rooms that were last spoken in, and those with people in them."""

    async def get(self) -> None:
        """Answers `{"rooms": [{"name", "last_message_at", "people"}, …]}`, the latest first."""
        asked = self._endpoint.history.ask(ListRooms(LISTED_ROOMS))
        try:
            listed = await asyncio.wait_for(asked, DATABASE_TIMEOUT)
        except Exception:
            self.answer(503, {"errors": {"detail": "the database does not answer"}})
        else:
            self.answer(200, {"rooms": self._rooms(listed)})

    head = get

    def _rooms(self, listed: list[RoomListed]) -> list[dict[str, Any]]:
        people = self._endpoint.supervisor.people_counts
        spoken_in = {room.slug for room in listed}
        silent = [slug for slug in people if slug not in spoken_in][: LISTED_ROOMS - len(listed)]
        rooms = [(room.slug, room.last_message_at) for room in listed] + [(slug, None) for slug in silent]
        return [{"name": slug, "last_message_at": at, "people": people.get(slug, 0)} for slug, at in rooms]
