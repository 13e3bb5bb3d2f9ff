"""The read queue: decides which read the database does next, and bounds how many wait.

It stands before the history actor, and restarts it when it dies. Health checks and the list of rooms come first, then
rooms that start. Joins with a position come after them, and last what a member asks for (pages, `sync`, repeats to
look up): both round-robin, and one of each client at a time.
"""

import asyncio
import concurrent.futures
import dataclasses
import logging
import threading
from collections import deque
from collections.abc import Callable, Collection, Hashable
from typing import Any, TypeAlias, assert_never

import pykka

from chatter.actors import Reply, stop_thread, tell_if_alive
from chatter.messages import (
    HistoryMessage,
    Join,
    ListRooms,
    Load,
    LoadFailed,
    LoadMissed,
    LoadOwn,
    LoadPage,
    LoadTarget,
    LookedUp,
    LookUp,
    MissedLoaded,
    PageLoaded,
    Ping,
    Refused,
    TargetLoaded,
)

logger = logging.getLogger(__name__)

IN_FLIGHT = 2
"""Reads that the actor has: the next one must be there when it has done one."""

RESTART_PAUSE = 0.5
"""Seconds before a history actor that died is replaced."""

BUSY, UNAVAILABLE = Refused("busy", retry_after_ms=1_000), Refused("unavailable")

OnDeath: TypeAlias = Callable[[], None]


class Busy(Exception):
    """Too many reads wait."""


@dataclasses.dataclass(slots=True, eq=False)
class _Read:
    message: HistoryMessage
    reply: "asyncio.Future[Any] | None" = None


class _Turns:
    """Reads that wait for their clients' turns."""

    def __init__(self) -> None:
        self._clients: dict[Hashable, deque[_Read]] = {}  # the next one's turn first
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def count_of(self, client: Hashable) -> int:
        """Returns how many reads of `client` wait."""
        return len(self._clients.get(client, ()))

    def add(self, client: Hashable, read: _Read) -> None:
        """Adds a read after the others of `client`."""
        self._clients.setdefault(client, deque()).append(read)
        self._waiting += 1

    def take(self, busy: Collection[Hashable]) -> _Read | None:
        """Takes a read of the next client that is not in `busy`; its other reads wait for its next turn."""
        client = next((client for client in self._clients if client not in busy), None)
        if client is None:
            return None
        reads = self._clients.pop(client)
        read = reads.popleft()
        self._waiting -= 1
        if reads:
            self._clients[client] = reads  # at the end: the other clients come first
        return read


class ReadQueue:
    """Owns the reads that wait and those under way. Lives on the loop; `tell` may be called from any thread."""

    def __init__(
        self,
        start: Callable[[OnDeath], pykka.ActorRef[Any]],
        *,
        max_waiting: int = 1_000,
        max_for_client: int = 8,
    ) -> None:
        """Starts a history actor with `start(on_death)`, now and each time one has died.

        Past `max_waiting` joins, `max_waiting` reads of members, or `max_for_client` of both of one client, further
        ones are refused as `busy`. Members' reads can so keep no other client's join out.
        """
        self._start = start
        self._max_waiting = max_waiting
        self._max_for_client = max_for_client
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._checks: deque[_Read] = deque()
        self._starts: deque[_Read] = deque()  # of rooms
        self._joins, self._requests = _Turns(), _Turns()
        self._under_way: dict[_Read, Hashable] = {}  # by the client that asked
        self._is_closing = False
        self._actor = self._start_actor()

    @property
    def is_alive(self) -> bool:
        """Whether a history actor lives."""
        return self._actor.is_alive()

    def tell(self, message: HistoryMessage) -> None:
        """Has the message read, and answered to its room."""
        if threading.get_ident() == self._thread:
            self._add(_Read(message))
        else:
            self._loop.call_soon_threadsafe(self._add, _Read(message))

    async def ask(self, message: ListRooms | LoadOwn | Ping) -> Any:
        """Returns what the read returns, or raises what it raised; `Busy` where too many wait."""
        read = _Read(message, self._loop.create_future())
        self._add(read)
        assert read.reply is not None
        return await read.reply

    async def close(self, timeout: float = 60.0) -> None:
        """Stops the history actor; waits for it at most `timeout` seconds."""
        self._is_closing = True
        if not await stop_thread(self._actor, timeout):
            logger.error("a database read has not returned within %g s and is left behind", timeout)

    def _add(self, read: _Read) -> None:
        client = _client_of(read.message)
        if client is None:
            (self._starts if isinstance(read.message, Load) else self._checks).append(read)
        elif not self._add_to_turns(client, read):
            if read.reply is not None:
                read.reply.set_exception(Busy())
            refuse(read.message, BUSY)
            return
        self._send()

    def _add_to_turns(self, client: Hashable, read: _Read) -> bool:
        """Returns whether the read may wait."""
        turns = self._joins if _is_join(read.message) else self._requests
        of_client = self._joins.count_of(client) + self._requests.count_of(client)
        if len(turns) >= self._max_waiting or of_client >= self._max_for_client:
            return False
        turns.add(client, read)
        return True

    def _send(self) -> None:
        while len(self._under_way) < IN_FLIGHT and (read := self._next()) is not None:
            self._under_way[read] = _client_of(read.message)
            self._ask(read)

    def _next(self) -> _Read | None:
        """Takes the next read: a check, a room's start, or one of the next client that has none under way."""
        while self._checks and (reply := self._checks[0].reply) is not None and reply.done():
            self._checks.popleft()  # whoever asked has given up
        for first in (self._checks, self._starts):
            if first:
                return first.popleft()
        busy = set(self._under_way.values())
        return self._joins.take(busy) or self._requests.take(busy)

    def _ask(self, read: _Read) -> None:
        reply: Reply[Any] = self._actor.ask(read.message, block=False)  # type: ignore[assignment]
        reply.when_done(lambda done: self._loop.call_soon_threadsafe(self._done, read, done))

    def _done(self, read: _Read, done: concurrent.futures.Future[Any]) -> None:
        try:
            answer, error = done.result(), None
        except pykka.ActorDeadError:
            return  # it is asked again once another actor lives
        except Exception as raised:
            answer, error = None, raised
        if self._under_way.pop(read, read) is read:
            return  # asked twice, of an actor that died and of the next one
        if read.reply is None:
            if error is not None:  # none that the actor has answered itself
                logger.error("a read failed: %r", error)
                refuse(read.message, UNAVAILABLE)
        elif not read.reply.done():
            read.reply.set_exception(error) if error else read.reply.set_result(answer)
        self._send()

    def _start_actor(self) -> pykka.ActorRef[Any]:
        def on_death() -> None:
            self._loop.call_soon_threadsafe(self._died)

        return self._start(on_death)

    def _died(self) -> None:
        if not self._is_closing:
            logger.error("the history actor died and is restarted in %.1f s", RESTART_PAUSE)
            self._loop.call_later(RESTART_PAUSE, self._restart)

    def _restart(self) -> None:
        if self._is_closing:
            return
        self._actor = self._start_actor()
        for read in self._under_way:
            self._ask(read)


def _client_of(message: HistoryMessage) -> Hashable:
    """Returns the client that a read is for, or None for a check or a room's start."""
    match message:
        case Load() | ListRooms() | Ping():
            return None
        case LoadMissed(request=request):
            return request.subscriber.client
        case LoadPage(request=request):
            return request.reader.client
        case LookUp(request=request):
            return request.sender.client
        case LoadTarget(client=client):
            return client
        case LoadOwn(account=account):
            return ("own", account)
        case _:
            assert_never(message)


def _is_join(message: HistoryMessage) -> bool:
    return isinstance(message, LoadMissed) and isinstance(message.request, Join)


def refuse(message: HistoryMessage, refused: Refused) -> None:
    """Tells the room of a read that it will not be done."""
    match message:
        case Load():
            tell_if_alive(message.room, LoadFailed())
        case LoadPage(request=request):
            tell_if_alive(message.room, PageLoaded(request, refused))
        case LoadMissed(request=request):
            tell_if_alive(message.room, MissedLoaded(request, 0, (), refused))
        case LookUp(request=request):
            tell_if_alive(message.room, LookedUp(request, None, failed=True))
        case LoadTarget(target=target):
            tell_if_alive(message.room, TargetLoaded(target, None, failed=True))
        case LoadOwn() | ListRooms() | Ping():
            pass  # the asker gets the exception
        case _:
            assert_never(message)
