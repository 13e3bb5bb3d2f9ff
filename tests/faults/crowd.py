"""A crowd of clients that lose their connections and nothing else: the rules of `docs/delivery.md`, in a program.

A `Reader` holds a room, a `Writer` says things in it; both are `Member`s, which come back whenever they are cut off.
Whoever writes a client may begin here: what it must do is in `Held`, `Reader` and `Writer`. `Crowd` runs many of them
on a thread, while a test breaks something, or has readers fall asleep.
"""

import asyncio
import contextlib
import itertools
import json
import random
import socket
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self, TypeAlias

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.support.phoenix_client import Opcode, frame
from tests.support.server import PATIENCE, wait_until

Payload: TypeAlias = dict[str, Any]

PAUSE = (0.02, 0.2)
"""Seconds before a lost connection is made anew: at random, so that not all come back in the same moment. A client in
the world grows them from try to try, to half a minute."""

RETRY_MS = 200
"""How soon to ask again where the server does not say."""

PAGE = 30
"""Messages to ask for at once: at most `max_recovery_page`, which the tests have made small."""

NARROW, WIDE = 4_096, 262_144
"""Bytes that the kernel takes for one who does not read."""

CONNECTION: dict[str, Any] = {"proxy": None, "compression": None, "ping_interval": None, "open_timeout": 30}

LOST = (OSError, WebSocketException, EOFError)
"""What a connection that is gone looks like, at whatever moment."""


class Held:
    """What a client holds of one room, and how that changes with what it hears. Knows no socket."""

    def __init__(self) -> None:
        self.messages: dict[int, str | None] = {}  # the id by seq; None for a void place
        self.since: int | None = None  # everything up to here is held; None before the first message
        self.epoch: int | None = None
        self.has_gap = False  # something came ahead of what is missing
        self.times_started_over = 0
        self.contradictions: list[str] = []  # what must never happen

    @property
    def position(self) -> Payload:
        """What a join or a `sync` says about it; nothing where nothing is held."""
        return {} if self.since is None else {"since": self.since, "epoch": self.epoch}

    @property
    def contiguous(self) -> list[tuple[int, str | None]]:
        """All that is held without a gap, in order: what a person would be shown."""
        return [(seq, self.messages[seq]) for seq in sorted(self.messages) if seq <= (self.since or 0)]

    def welcome(self, answer: Payload) -> None:
        """Take in the answer to a join or a `sync`. What was missed follows it as ordinary messages."""
        if not answer["recovered"]:
            self._start_over()
        elif self.since is not None and answer["epoch"] != self.epoch:
            self._drop_above(answer["base"])
        if self.since is None and answer["seq"] == 0:
            self.since = 0
        self.epoch = answer["epoch"]
        self.has_gap = False

    def hear(self, message: Payload) -> None:
        """Take in a message, pushed or from a page: one that is known is ignored, one ahead of a gap is kept aside."""
        seq, id = message["seq"], None if message.get("void") else message["id"]
        if self.since is None:
            self.since = seq - 1
        if self.messages.setdefault(seq, id) != id:
            self.contradictions.append(f"{seq} is {self.messages[seq]} and {id}")
        while self.since + 1 in self.messages:
            self.since += 1
        self.has_gap = seq > self.since

    def void(self, seq: int) -> None:
        """What was heard there will never be saved."""
        if seq in self.messages:
            self.messages[seq] = None

    def _drop_above(self, base: int) -> None:
        """It was heard from a server that died before it was saved: these places are taken by others now."""
        self.messages = {seq: id for seq, id in self.messages.items() if seq <= base}
        self.since = min(self.since or 0, base)

    def _start_over(self) -> None:
        self.messages.clear()
        self.since = None
        self.times_started_over += 1


class Member:
    """One client in one room: joins, and comes back when it is cut off."""

    def __init__(self, port: int, room: str) -> None:
        self._url = f"ws://127.0.0.1:{port}/socket/websocket?vsn=2.0.0"
        self._topic = f"chat_room:{room}"
        self._join_refs = itertools.count(1)
        self._connection: ClientConnection | None = None
        self.room = room
        self.is_in = False
        self.times_joined = 0
        self.close_codes: list[int | None] = []  # of the connections that ended
        self._awake = asyncio.Event()
        self._awake.set()

    async def run(self) -> None:
        """Be there, until cancelled."""
        while True:
            with contextlib.suppress(*LOST):
                await self._visit()
            if self._connection is not None:
                self.close_codes.append(self._connection.close_code)
            self._connection, self.is_in = None, False
            await asyncio.sleep(random.uniform(*PAUSE))

    def cut(self) -> None:
        """Lose the connection in the middle of a frame: of a message that must never be heard."""
        if self._connection is not None:
            post = {"name": "nobody", "message": "cut off", "id": "nobody"}
            whole = frame(Opcode.TEXT, json.dumps([None, "cut", self._topic, "new_message", post]).encode())
            self._connection.transport.write(whole[: random.randrange(1, len(whole))])
            self._connection.transport.abort()

    def sleep(self) -> None:
        """Read nothing more, and stay connected."""
        self._awake.clear()

    def wake(self) -> None:
        """Read on."""
        self._awake.set()

    async def joined(self, answer: Payload) -> None:
        """The server has let us in; overridden."""

    async def answered(self, ref: str, status: str, response: Payload) -> None:
        """The answer to the push `ref`; overridden."""

    async def told(self, event: str, payload: Payload) -> None:
        """Something happened in the room; overridden."""

    def params(self) -> Payload:
        """What the join says; overridden."""
        return {}

    async def connecting(self) -> connect:
        """A connection on its way; overridden."""
        return connect(self._url, **CONNECTION)

    async def push(self, event: str, payload: Payload, ref: str) -> None:
        """Say something to the room. Where the connection is gone it is not said: whoever says it repeats it."""
        if self._connection is not None:
            with contextlib.suppress(*LOST):
                await self._connection.send(json.dumps([self._join_ref, ref, self._topic, event, payload]))

    async def _visit(self) -> None:
        """From the handshake to the end of the connection, or of our place in the room."""
        async with await self.connecting() as self._connection:
            self._join_ref = str(next(self._join_refs))
            await self.push("phx_join", self.params(), self._join_ref)
            async for text in self._connection:
                await self._awake.wait()
                _join_ref, ref, _topic, event, payload = json.loads(text)
                match event:
                    case "phx_reply" if ref == self._join_ref:
                        if payload["status"] != "ok":
                            return  # `unavailable` or `rate_limited`: later, like everybody who lost a connection
                        await self.joined(payload["response"])
                        self.is_in = True
                        self.times_joined += 1
                    case "phx_reply":
                        await self.answered(ref, payload["status"], payload["response"])
                    case "phx_error" | "phx_close":
                        return  # joining again would do; a new connection does as well
                    case _:
                        await self.told(event, payload)


class Reader(Member):
    """Hears everything in its room, each message once, whatever happens to connections and servers."""

    def __init__(self, port: int, room: str) -> None:
        super().__init__(port, room)
        self.held = Held()
        self.times_lagging = 0  # the server said that it had dropped something
        self.times_behind = 0  # something came ahead of a gap: a fault of the server, unless it says so a moment later
        self._asked: str | None = None  # the `sync` or `history` whose answer is on its way
        self._refs = itertools.count(1)

    def params(self) -> Payload:
        """Where it was, and that it can be told to ask again if it reads too slowly."""
        return {"resync": True, **self.held.position}

    async def joined(self, answer: Payload) -> None:
        """What was missed follows; the rest of it is asked for."""
        self._asked = None
        self.held.welcome(answer)
        if answer["more"]:
            await self._ask("history", {"after": self.held.since, "limit": PAGE})

    async def answered(self, ref: str, status: str, response: Payload) -> None:
        """A `sync` is answered like a join, a `history` with a page."""
        if ref != self._asked:
            return
        self._asked = None
        if status != "ok":
            await asyncio.sleep(response.get("retry_after_ms", RETRY_MS) / 1000)
            await self._ask("sync", self.held.position)
        elif "messages" not in response:
            await self.joined(response)
        else:
            for message in response["messages"]:
                self.held.hear(message)
            if response["more"]:
                await self._ask("history", {"after": self.held.since, "limit": PAGE})

    async def told(self, event: str, payload: Payload) -> None:
        """Take in what is said; ask where something is missing."""
        match event:
            case "new_message":
                self.held.hear(payload)
                if self.held.has_gap and self._asked is None:
                    self.times_behind += 1
                    await self._ask("sync", self.held.position)
            case "message_voided":
                self.held.void(payload["seq"])
            case "resync":  # whatever was on its way to us is gone, answers too
                self.times_lagging += 1
                await self._ask("sync", self.held.position)

    async def _ask(self, event: str, payload: Payload) -> None:
        self._asked = f"{event}-{next(self._refs)}"
        await self.push(event, payload, self._asked)


class Sleeper(Reader):
    """A reader whose line is narrow until it wakes, so that little is on its way while it sleeps."""

    def __init__(self, port: int, room: str, *, resync: bool) -> None:
        """One that cannot `resync` is closed where others are told to ask again."""
        super().__init__(port, room)
        self.resync = resync
        self._port = port
        self._buffer = NARROW

    def params(self) -> Payload:
        """As every reader, or one that cannot be told to ask again."""
        return super().params() | {"resync": self.resync}

    def wake(self) -> None:
        """Read on, as fast as others do."""
        self._buffer = WIDE
        if self._connection is not None:
            line: socket.socket = self._connection.transport.get_extra_info("socket")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WIDE)
        super().wake()

    async def connecting(self) -> connect:
        """With small buffers in the kernel and in the library."""
        line = socket.socket()
        line.setblocking(False)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._buffer)
        await asyncio.get_running_loop().sock_connect(line, ("127.0.0.1", self._port))
        return connect(self._url, sock=line, max_queue=1, **CONNECTION)


class Writer(Member):
    """Says one thing after another, and each until it is answered. An id is unique, and serves as the ref too."""

    def __init__(
        self, port: int, room: str, name: str, *, pause: float, window: int = 20, copies: int = 1, length: int = 0
    ) -> None:
        """Says something every `pause` seconds unless `window` things are unanswered, and sends it `copies` times.

        What it says has at least `length` characters.
        """
        super().__init__(port, room)
        self.name = name
        self.is_talking = True
        self.outbox: dict[str, str] = {}  # texts by id, in order: what is not answered yet. A client keeps it on disk
        self.acknowledged: dict[str, int] = {}  # the seq by id
        self.refused: dict[str, str] = {}  # the reason by id
        self.duplicates = 0
        self._pause = pause
        self._window = window
        self._copies = copies
        self._length = length
        self._ids = itertools.count(1)
        self._sending = asyncio.Lock()  # what is repeated goes before what is new
        self._repetition: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Talk while being there."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(super().run())
            tasks.create_task(self._talk())

    async def say(self, text: str) -> str:
        """Say something; returns its id."""
        id = f"{self.name}-{next(self._ids)}"
        self.outbox[id] = text
        async with self._sending:
            for copy in range(self._copies if self.is_in else 0):  # while we are away it just waits in the outbox
                await self._send(id, repeat=copy > 0)
        return id

    async def joined(self, answer: Payload) -> None:
        """Say again, in order, what was not answered on an earlier connection."""
        await self._repeat()

    async def answered(self, ref: str, status: str, response: Payload) -> None:
        """Ok or a final error settle it; the other errors ask for patience."""
        match status, response:
            case "ok", {"id": id, "seq": seq}:
                self.outbox.pop(id, None)
                self.acknowledged[id] = seq
                self.duplicates += response.get("duplicate", False)
            case _, {"reason": "overloaded" | "rate_limited", "retry_after_ms": delay}:
                if self._repetition is None or self._repetition.done():
                    self._repetition = asyncio.create_task(self._repeat_later(delay / 1000))
            case _, {"reason": reason}:
                self.outbox.pop(ref, None)
                self.refused[ref] = reason

    async def _talk(self) -> None:
        for number in itertools.count(1):
            await asyncio.sleep(self._pause)
            if self.is_talking and self.is_in and len(self.outbox) < self._window:
                await self.say(f"number {number} of {self.name}".ljust(self._length, "."))

    async def _repeat_later(self, delay: float) -> None:
        await asyncio.sleep(delay)
        if self.is_in:
            await self._repeat()

    async def _repeat(self) -> None:
        async with self._sending:
            for id in list(self.outbox):
                await self._send(id, repeat=True)

    async def _send(self, id: str, *, repeat: bool) -> None:
        text = self.outbox.get(id)
        if text is not None:
            post = {"name": self.name, "message": text, "id": id}
            await self.push("new_message", {**post, "repeat": True} if repeat else post, ref=id)


class Crowd:
    """`with Crowd(port) as crowd:` has all of them there, the readers from the first message on, and talking."""

    def __init__(
        self,
        port: int,
        rooms: Iterable[str] = ("lobby",),
        *,
        writers: int = 4,
        readers: int = 4,
        sleepers: int = 0,
        pause: float = 0.01,
        window: int = 20,
        copies: int = 1,
        length: int = 0,
    ) -> None:
        """So many in each room."""
        self.rooms = list(rooms)
        self.sleepers = [Sleeper(port, room, resync=n % 2 == 0) for room in self.rooms for n in range(sleepers)]
        self.readers = [*(Reader(port, room) for room in self.rooms for _ in range(readers)), *self.sleepers]
        self._port = port
        self._writers_each = writers
        self._manner: dict[str, Any] = {"pause": pause, "window": window, "copies": copies, "length": length}
        self.writers: list[Writer] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._failure: BaseException | None = None
        self._everybody: asyncio.Task[None] | None = None

    @property
    def acknowledged(self) -> int:
        """How many posts were answered with ok."""
        return sum(len(writer.acknowledged) for writer in self.writers)

    @property
    def heard(self) -> int:
        """How many messages the readers hold, all together."""
        return sum(len(reader.held.messages) for reader in self.readers)

    def until(self, condition: Callable[[], object], patience: float = PATIENCE) -> None:
        """Let them talk until `condition()` is true."""

        def is_met() -> bool:
            if self._failure is not None:
                raise self._failure
            return bool(condition())

        wait_until(is_met, patience)

    def until_more(self, count: int, what: str = "acknowledged") -> None:
        """Let them talk until so many more are `acknowledged` or `heard`."""
        goal = getattr(self, what) + count
        self.until(lambda: getattr(self, what) >= goal)

    def say(self, text: str) -> str:
        """Have the first writer say something; returns its id."""
        return asyncio.run_coroutine_threadsafe(self.writers[0].say(text), self._loop).result(PATIENCE)

    def cut(self, members: Iterable[Member] = ()) -> None:
        """Cut the connections of these, or of everybody, in the middle of a frame."""
        for member in members or (*self.writers, *self.readers):
            self._loop.call_soon_threadsafe(member.cut)

    def until_back(self, fault: Callable[[], object], members: Iterable[Member] = ()) -> None:
        """Have a fault that costs these, or everybody, their connections; return when all of them have joined again."""
        lost = list(members) or [*self.writers, *self.readers]
        self.until(lambda: all(member.is_in for member in lost))
        before = [member.times_joined for member in lost]
        fault()
        self.until(lambda: all(member.times_joined > joined for member, joined in zip(lost, before, strict=True)))

    def sleep(self) -> None:
        """Have the sleepers read nothing more."""
        for sleeper in self.sleepers:
            self._loop.call_soon_threadsafe(sleeper.sleep)

    def wake(self) -> None:
        """Have them read on."""
        for sleeper in self.sleepers:
            self._loop.call_soon_threadsafe(sleeper.wake)

    def settle(self) -> None:
        """Have nothing new said, and return when all that was said is answered."""
        for writer in self.writers:
            writer.is_talking = False
        self.until(lambda: not any(writer.outbox for writer in self.writers))

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._live())
        except BaseException as error:  # shown to the test that waits
            self._failure = error

    async def _live(self) -> None:
        self._everybody = asyncio.create_task(self._come())
        with contextlib.suppress(asyncio.CancelledError):
            await self._everybody

    async def _come(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for reader in self.readers:
                tasks.create_task(reader.run())
            while not all(reader.is_in for reader in self.readers):
                await asyncio.sleep(0.01)
            names = [(room, f"{room}-{number}") for room in self.rooms for number in range(self._writers_each)]
            for room, name in names:
                writer = Writer(self._port, room, name, **self._manner)
                self.writers.append(writer)
                tasks.create_task(writer.run())

    def __enter__(self) -> Self:
        self._thread.start()
        self.until(lambda: self.writers and all(writer.is_in for writer in self.writers))
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._everybody is not None:
            self._loop.call_soon_threadsafe(self._everybody.cancel)
        self._thread.join(PATIENCE)
        self._loop.close()
