"""People elsewhere: who is present in which room on which node.

Each node tells the others at once who has come to its rooms and who has gone, numbered. Its heartbeats have the number
of the last: a node that has missed some asks for the whole. When a node is silent or leaves, its people go.
"""

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from typing import TypeAlias

import msgspec

from chatter.cluster.errors import NoAnswer
from chatter.messages import Meta, PeopleMoved

MAX_CHANGES = 1_000
"""Connections in one message: with the longest names that is a quarter of what NATS takes."""

MAX_BUFFERED = 10_000
"""Changes that are kept while the whole is asked for. With more it is asked for anew."""

KEPT = 10.0
"""Seconds for which the whole is kept for a node that has asked for its first part."""

Here: TypeAlias = dict[str, tuple[str, Meta]]
"""Connections to a room, by `phx_ref`, with the names under which they are listed."""


class _Change(msgspec.Struct, array_like=True, frozen=True):
    """Who has come to one room and gone, in the order of each."""

    slug: str
    came: list[tuple[str, Meta]]
    left: list[str]


class _Told(msgspec.Struct, array_like=True, frozen=True):
    number: int
    changes: Sequence[_Change]


class _Ask(msgspec.Struct, array_like=True, frozen=True):
    """Asks for a part of the whole; the first is made when it is asked for."""

    id: int
    part: int


class _Part(msgspec.Struct, array_like=True, frozen=True):
    parts: int  # 0 where the whole is not kept any more, of which a later part was asked for
    number: int  # of the last change that the whole has
    rooms: Sequence[_Change]


_encode = msgspec.msgpack.Encoder().encode
_decode_told = msgspec.msgpack.Decoder(_Told).decode
_decode_ask = msgspec.msgpack.Decoder(_Ask).decode
_decode_part = msgspec.msgpack.Decoder(_Part).decode


class _Node:
    """What is known of another node's people."""

    def __init__(self) -> None:
        self.number: int | None = None  # of the last change; None before the whole is known
        self.rooms: dict[str, Here] = {}
        self.is_behind = False  # by the last heartbeat already
        self.missed: deque[_Told] = deque(maxlen=MAX_BUFFERED)  # what comes while the whole is asked for
        self.asking: asyncio.Task[None] | None = None


class People:
    """Owns who is here, and who is elsewhere. Lives on the loop."""

    def __init__(
        self,
        *,
        tell: Callable[[bytes], None],
        ask: Callable[[str, bytes], Awaitable[bytes]],
        on_moved: Callable[[str, PeopleMoved], None],
    ) -> None:
        """`tell` tells all other nodes, `ask` asks one of them. `on_moved` gets the rooms in which others moved."""
        self.number = time.time_ns() // 1_000_000
        """Of the last change here. It begins where no earlier start of this node has been."""
        self._tell = tell
        self._ask = ask
        self._on_moved = on_moved
        self._here: dict[str, Here] = {}
        self._changes: dict[str, _Change] = {}  # not told yet
        self._others: dict[str, _Node] = {}
        self._wholes: dict[int, tuple[int, list[list[_Change]]]] = {}
        self._ids = itertools.count(time.time_ns())

    # ------------------------------------------------------------ here

    def change(self, slug: str, name: str, meta: Meta, *, is_here: bool) -> None:
        """Somebody has come to a room on this node, or gone there."""
        of_room = self._here.setdefault(slug, {})
        if is_here:
            of_room[meta.phx_ref] = (name, meta)
        else:
            of_room.pop(meta.phx_ref, None)
        if not of_room:
            del self._here[slug]
        change = self._changes.get(slug)
        if change is None:
            change = self._changes[slug] = _Change(slug, [], [])
            if len(self._changes) == 1:
                asyncio.get_running_loop().call_soon(self._tell_changes)
        if is_here:
            change.came.append((name, meta))
        else:
            change.left.append(meta.phx_ref)

    def forget(self, slug: str) -> None:
        """Nobody is in a room on this node any more, whoever was."""
        for name, meta in list(self._here.get(slug, {}).values()):
            self.change(slug, name, meta, is_here=False)

    def _tell_changes(self) -> None:
        changes, self._changes = self._changes, {}
        for part in _parts(changes.values()):
            self.number += 1
            self._tell(_encode(_Told(self.number, part)))

    # ------------------------------------------------------------ elsewhere

    def elsewhere(self, slug: str) -> Iterator[tuple[str, Meta]]:
        """Returns who is in a room on other nodes."""
        for node in self._others.values():
            yield from node.rooms.get(slug, {}).values()

    def hear(self, name: str, body: bytes) -> None:
        """Takes what another node has told. Raises `msgspec.MsgspecError` for what is none."""
        node = self._others.get(name)
        if node is None:
            return  # its first heartbeat asks for all; without one nobody would notice that it has gone
        told = _decode_told(body)
        if node.asking is not None:
            node.missed.append(told)
        elif node.number is not None and told.number == node.number + 1:
            self._take(node, told)
        elif node.number is None or told.number > node.number:
            self._ask_for_all(name, node)

    def hear_beat(self, name: str, number: int) -> None:
        """Takes how far another node is. Who lacks a change for longer than from one beat to the next has lost it."""
        node = self._others.setdefault(name, _Node())
        is_behind = node.number is None or node.number < number
        if is_behind and (node.is_behind or node.number is None) and node.asking is None:
            self._ask_for_all(name, node)
        node.is_behind = is_behind

    def keep_only(self, names: Collection[str]) -> None:
        """Has the people of all other nodes go: these are silent or have left."""
        for name in [name for name in self._others if name not in names]:
            node = self._others.pop(name)
            if node.asking is not None:
                node.asking.cancel()
            for slug, of_room in node.rooms.items():
                self._on_moved(slug, PeopleMoved((), tuple(of_room)))

    def _take(self, node: _Node, told: _Told) -> None:
        node.number = told.number
        for change in told.changes:
            of_room = node.rooms.setdefault(change.slug, {})
            for name, meta in change.came:
                of_room[meta.phx_ref] = (name, meta)
            for phx_ref in change.left:
                of_room.pop(phx_ref, None)
            if not of_room:
                del node.rooms[change.slug]
            self._on_moved(change.slug, PeopleMoved(change.came, change.left))

    def _ask_for_all(self, name: str, node: _Node) -> None:
        node.missed.clear()
        node.asking = asyncio.get_running_loop().create_task(self._learn(name, node))

    async def _learn(self, name: str, node: _Node) -> None:
        """Asks a node for all its people, and takes what it has told meanwhile."""
        try:
            number, rooms = await self._whole(name)
        except (NoAnswer, msgspec.MsgspecError):
            return  # the next heartbeat asks anew
        finally:
            node.asking = None
        self._replace(node, rooms)
        node.number = number
        missed, node.missed = node.missed, deque(maxlen=MAX_BUFFERED)
        for told in missed:
            if told.number == node.number + 1:
                self._take(node, told)

    async def _whole(self, name: str) -> tuple[int, dict[str, Here]]:
        id, parts, number = next(self._ids), 1, 0
        rooms: dict[str, Here] = {}
        part = 0
        while part < parts:
            answer = _decode_part(await self._ask(name, _encode(_Ask(id, part))))
            if not answer.parts:
                raise NoAnswer(f"{name} does not keep the other parts of all its people any more")
            parts, number, part = answer.parts, answer.number, part + 1
            for room in answer.rooms:
                rooms.setdefault(room.slug, {}).update((meta.phx_ref, (label, meta)) for label, meta in room.came)
        return number, rooms

    def _replace(self, node: _Node, rooms: dict[str, Here]) -> None:
        before, node.rooms = node.rooms, rooms
        for slug in before.keys() | rooms.keys():
            was, now = before.get(slug, {}), rooms.get(slug, {})
            came = [each for phx_ref, each in now.items() if phx_ref not in was]
            left = [phx_ref for phx_ref in was if phx_ref not in now]
            if came or left:
                self._on_moved(slug, PeopleMoved(came, left))

    # ------------------------------------------------------------ for others that ask

    def answer(self, body: bytes) -> bytes:
        """Returns a part of all who are here. Raises `msgspec.MsgspecError` for what is no question."""
        asked = _decode_ask(body)
        if asked.id not in self._wholes:
            if asked.part:
                return _encode(_Part(0, 0, ()))  # another whole is cut elsewhere
            self._tell_changes()
            rooms = [_Change(slug, list(of_room.values()), []) for slug, of_room in self._here.items()]
            self._wholes[asked.id] = (self.number, list(_parts(rooms)) or [[]])
            asyncio.get_running_loop().call_later(KEPT, self._wholes.pop, asked.id, None)
        number, parts = self._wholes[asked.id]
        return _encode(_Part(len(parts), number, parts[asked.part] if asked.part < len(parts) else ()))


def _parts(changes: Collection[_Change]) -> Iterator[list[_Change]]:
    """Cuts changes into what one message takes."""
    part: list[_Change] = []
    size = 0
    for change in changes:
        came, left = change.came, change.left
        while came or left:
            room = MAX_CHANGES - size
            some = _Change(change.slug, came[:room], left[: max(0, room - len(came))])
            part.append(some)
            size += len(some.came) + len(some.left)
            came, left = came[len(some.came) :], left[len(some.left) :]
            if size >= MAX_CHANGES:
                yield part
                part, size = [], 0
    if part:
        yield part
