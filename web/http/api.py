"""What operators and the page ask over plain HTTP: is the server well, which rooms are there."""

import asyncio
from typing import Any

from chatter.messages import ListRooms, Ping, RoomListed
from web.channels.endpoint import Edge
from web.http.pages import SecureHandler

LISTED_ROOMS = 100
"""Most rooms in an answer of `/api/rooms`."""

PATIENCE = 2.0
"""Seconds that the database has for an answer."""


class ApiHandler(SecureHandler):
    """A handler that answers in JSON."""

    def initialize(self, edge: Edge) -> None:
        """Tornado's constructor."""
        self._edge = edge

    def answer(self, status: int, body: dict[str, Any]) -> None:
        """`body` as JSON, never from a cache."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(body)


class HealthHandler(ApiHandler):
    """`GET /healthz`: 200 when the loop turns, the database answers, saving keeps up and no stop is near; else 503."""

    async def get(self) -> None:
        """The answer itself shows that the loop turns."""
        fault = await self._fault()
        if fault is None:
            self.answer(200, {"status": "ok"})
        else:
            self.answer(503, {"status": "unavailable", "reason": fault})

    async def _fault(self) -> str | None:
        if self._edge.stopping:
            return "the server is stopping"
        backlog = self._edge.backlog
        if backlog.stalled_for > PATIENCE:
            return f"saving is behind: {backlog.unsaved} messages wait, since {backlog.stalled_for:.0f} s"
        if not backlog.is_alive:
            return "persistence has stopped"
        try:
            await asyncio.wait_for(self._edge.history.ask(Ping(), block=False), PATIENCE)
        except TimeoutError:
            return f"the database did not answer within {PATIENCE:g} s"
        except Exception as error:
            return f"the database does not answer: {error}"
        return None


class RoomsHandler(ApiHandler):
    """`GET /api/rooms`: the rooms that were last spoken in, and those with people in them."""

    async def get(self) -> None:
        """`{"rooms": [{"name", "last_message_at", "people"}, …]}`, the latest first."""
        try:
            listed = await asyncio.wait_for(self._edge.history.ask(ListRooms(LISTED_ROOMS), block=False), PATIENCE)
        except Exception:
            self.answer(503, {"errors": {"detail": "the database does not answer"}})
        else:
            self.answer(200, {"rooms": self._rooms(listed)})

    def _rooms(self, listed: list[RoomListed]) -> list[dict[str, Any]]:
        people = self._edge.supervisor.people
        spoken_in = {room.slug for room in listed}
        silent = [slug for slug in people if slug not in spoken_in][: LISTED_ROOMS - len(listed)]
        rooms = [(room.slug, room.last_message_at) for room in listed] + [(slug, None) for slug in silent]
        return [{"name": slug, "last_message_at": at, "people": people.get(slug, 0)} for slug, at in rooms]
