"""The supervisor: starts, finds, rebuilds and retires rooms.

Death, on one page. A room whose handler raises is stopped by Pykka, which logs why.
- Who notices: the room itself, in `on_failure`, in the same moment. It tells the supervisor, then its listeners.
- What listeners are told: `phx_error {reason: "channel_crash"}`. Phoenix clients then join again by themselves, and the
  first of them has the room rebuilt from the database. Other rooms notice nothing.
- What is lost: what was posted in the very turn that failed. Nobody heard it and nobody was told that it is saved.
- What is kept: everything said before. It is with persistence, and the new room asks persistence for its past, which
  answers after the last commit: no number is given out twice. Its senders, if they were not answered yet, are not any
  more; a sender that repeats the message finds out.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import pykka

from chatter.messages import RoomRef
from chatter.room import Room, RoomSettings

logger = logging.getLogger(__name__)


class Supervisor:
    """Knows every living room. Not an actor: it is called on the loop, where rooms live, and answers at once."""

    def __init__(
        self, persistence: pykka.ActorRef[Any], history: pykka.ActorRef[Any], settings: RoomSettings | None = None
    ) -> None:
        self._persistence = persistence
        self._history = history
        self._settings = settings or RoomSettings()
        self._rooms: dict[str, RoomRef] = {}
        self._people: dict[str, int] = {}
        self._bereaved: set[str] = set()  # rooms that died and were not rebuilt yet

    @property
    def people(self) -> Mapping[str, int]:
        """How many people are in each room that has any."""
        return self._people

    def room(self, slug: str) -> RoomRef:
        """The living room of that name, started if need be. Use it at once: it may retire at the end of its turn."""
        room = self._rooms.get(slug)
        if room is None:
            room = self._rooms[slug] = self._start(slug)
        return room

    async def settle(self) -> None:
        """Return when no room has anything left to read: persistence has been told everything that was said."""
        while not all(room.actor_inbox.empty() for room in self._rooms.values()):
            await asyncio.sleep(0)  # their turns come before ours

    async def stop(self) -> None:
        """Stop all rooms. What was told to them before is handled first."""
        rooms = list(self._rooms.values())
        for room in rooms:
            room.stop(block=False)
        while any(room.is_alive() for room in rooms):
            await asyncio.sleep(0)
        self._rooms.clear()

    def counted(self, slug: str, people: int) -> None:
        """A room's number of people has changed."""
        if people:
            self._people[slug] = people
        else:
            self._people.pop(slug, None)

    def retired(self, slug: str) -> None:
        """A room ends because nobody needs it."""
        self._rooms.pop(slug, None)

    def died(self, slug: str) -> None:
        """A room failed. It is built anew when somebody comes."""
        self._rooms.pop(slug, None)
        self._people.pop(slug, None)
        self._bereaved.add(slug)

    def _start(self, slug: str) -> RoomRef:
        loader = self._history
        if slug in self._bereaved:
            self._bereaved.discard(slug)
            loader = self._persistence  # knows what the dead room said and may not have committed it yet
            logger.warning("room %s is rebuilt", slug)
        return Room.start(
            slug,
            keeper=self,
            persistence=self._persistence,
            history=self._history,
            loader=loader,
            settings=self._settings,
        )
