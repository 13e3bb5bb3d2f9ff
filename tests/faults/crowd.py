"""Clients that follow the rules of `docs/delivery.md`: an example, and a load.

A `Reader` keeps the history of a room, a `Writer` posts to it. Both are `Member`s, which reconnect when their
connection is lost. `History`, `Reader` and `Writer` show what a client must do. `Crowd` runs many of them on a thread,
while a test breaks something or stops some from reading.
"""

import asyncio
import contextlib
import itertools
import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Self, TypeAlias

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.support.log_client import LogClient, Request
from tests.support.phoenix_client import Opcode, frame
from tests.support.server import PATIENCE, wait_until

Payload: TypeAlias = dict[str, Any]

RECONNECT_DELAY = (0.02, 0.2)
"""Seconds before a reconnect: at random, so that clients do not come all at once.

A client outside tests lengthens the delay with each try, up to half a minute.
"""

RETRY_MS = 200
"""Milliseconds before a request is repeated, if no `retry_after_ms` is given."""

PAGE_SIZE = 30
"""The `limit` of `history` requests; tests set `max_recovery_page` to the same."""

TIRELESS: dict[str, Any] = {"interval": 0.05, "max_unanswered": 1_000}
"""Options of a crowd whose writers go on while the database is away, however much they had said before."""

SMALL_BUFFER, LARGE_BUFFER = 4_096, 262_144
"""Bytes that the kernel buffers for a client that does not read."""

CONNECTION_OPTIONS: dict[str, Any] = {"proxy": None, "compression": None, "ping_interval": None, "open_timeout": 30}

CONNECTION_ERRORS = (OSError, WebSocketException, EOFError)
"""What a lost connection raises, while it opens, reads or writes."""


class History:
    """History is what a client holds of one room. It knows no socket."""

    def __init__(self) -> None:
        self.messages: dict[int, str | None] = {}  # ids by seq; None for a void place
        self.since: int | None = None  # the highest seq without a gap below it; None before the first message
        self.epoch: int | None = None
        self.has_gap = False  # a message arrived ahead of a missing one
        self.times_started_over = 0
        self.contradictions: dict[int, str] = {}  # two different messages with the same seq

    @property
    def position(self) -> Payload:
        """The parameters of a join or a `sync`; empty if nothing is held."""
        return {} if self.since is None else {"since": self.since, "epoch": self.epoch}

    @property
    def contiguous(self) -> list[tuple[int, str | None]]:
        """The messages below the first gap, in order: what a person would be shown."""
        return [(seq, self.messages[seq]) for seq in sorted(self.messages) if seq <= (self.since or 0)]

    def apply_answer(self, answer: Payload) -> None:
        """Applies the answer to a join or a `sync`; the missed messages come after it."""
        if not answer["recovered"]:
            self._start_over()
        elif self.since is not None and answer["epoch"] != self.epoch:
            self._drop_above(answer["base"])
        if self.since is None and answer["seq"] == 0:
            self.since = 0
        self.epoch = answer["epoch"]
        self.has_gap = False

    def add(self, message: Payload) -> None:
        """Adds a message, pushed or from a page.

        A known message is ignored; a message ahead of a gap is kept aside.
        """
        seq, id = message["seq"], None if message.get("void") else message["id"]
        if self.since is None:
            self.since = seq - 1
        if self.messages.setdefault(seq, id) != id:
            self.contradictions[seq] = f"{seq} is {self.messages[seq]} and {id}"
        while self.since + 1 in self.messages:
            self.since += 1
        self.has_gap = seq > self.since

    def mark_void(self, seq: int) -> None:
        """Turns the message at `seq`, which will never be saved, into a void place."""
        if seq in self.messages:
            self.messages[seq] = None

    def _drop_above(self, base: int) -> None:
        """Drops messages that a crash of the server lost: others have their places now."""
        self.messages = {seq: id for seq, id in self.messages.items() if seq <= base}
        self.since = min(self.since or 0, base)

    def _start_over(self) -> None:
        self.messages.clear()
        self.since = None
        self.times_started_over += 1


class Member:
    """Member is one client in one room, which reconnects when it is cut off: to one node after another."""

    def __init__(self, ports: Sequence[int], room: str) -> None:
        self._ports = itertools.cycle(ports)
        self._topic = f"chat_room:{room}"
        self._join_refs = itertools.count(1)
        self._connection: ClientConnection | None = None
        self.room = room
        self.is_joined = False
        self.times_joined = 0
        self.close_codes: list[int | None] = []  # of the connections that ended
        self._is_reading = asyncio.Event()
        self._is_reading.set()

    async def run(self) -> None:
        """Connects and joins again and again, until cancelled."""
        while True:
            with contextlib.suppress(*CONNECTION_ERRORS):
                await self._stay_connected()
            if self._connection is not None:
                self.close_codes.append(self._connection.close_code)
            self._connection, self.is_joined = None, False
            await asyncio.sleep(random.uniform(*RECONNECT_DELAY))

    def cut(self) -> None:
        """Cuts the connection in the middle of a frame, whose message nobody must hear."""
        if self._connection is not None:
            post = {"name": "nobody", "message": "cut off", "id": "nobody"}
            whole = frame(Opcode.TEXT, json.dumps([None, "cut", self._topic, "new_message", post]).encode())
            self._connection.transport.write(whole[: random.randrange(1, len(whole))])
            self._connection.transport.abort()

    def pause_reading(self) -> None:
        """Stops reading, and stays connected."""
        self._is_reading.clear()

    def resume_reading(self) -> None:
        """Reads again."""
        self._is_reading.set()

    async def on_joined(self, answer: Payload) -> None:
        """Hears that the join was granted; overridden."""

    async def on_answer(self, ref: str, status: str, response: Payload) -> None:
        """Hears the answer to the push `ref`; overridden."""

    async def on_event(self, event: str, payload: Payload) -> None:
        """Hears an event of the room; overridden."""

    def join_params(self) -> Payload:
        """Returns the parameters of the join; overridden."""
        return {}

    async def make_connection(self) -> connect:
        """Returns a connection to be opened; overridden."""
        return connect(_url(next(self._ports)), **CONNECTION_OPTIONS)

    async def push(self, event: str, payload: Payload, ref: str) -> None:
        """Pushes an event. On a lost connection it is lost: the caller repeats it."""
        if self._connection is not None:
            with contextlib.suppress(*CONNECTION_ERRORS):
                await self._connection.send(json.dumps([self._join_ref, ref, self._topic, event, payload]))

    async def _stay_connected(self) -> None:
        """Connects, joins and reads, until the connection or the channel ends."""
        async with await self.make_connection() as self._connection:
            self._join_ref = str(next(self._join_refs))
            await self.push("phx_join", self.join_params(), self._join_ref)
            async for text in self._connection:
                await self._is_reading.wait()
                _join_ref, ref, _topic, event, payload = json.loads(text)
                match event:
                    case "phx_reply" if ref == self._join_ref:
                        if payload["status"] != "ok":
                            return  # `unavailable` or `rate_limited`: tried again after RECONNECT_DELAY
                        await self.on_joined(payload["response"])
                        self.is_joined = True
                        self.times_joined += 1
                    case "phx_reply":
                        await self.on_answer(ref, payload["status"], payload["response"])
                    case "phx_error" | "phx_close":
                        return  # a join on the same connection would do as well
                    case _:
                        await self.on_event(event, payload)


class Reader(Member):
    """Reader holds every message of its room once, whatever fails."""

    def __init__(self, ports: Sequence[int], room: str) -> None:
        super().__init__(ports, room)
        self.history = History()
        self.times_lagged = 0  # the server sent `resync`: it had dropped events
        self.gaps_seen = 0  # a message came ahead of a gap: a fault, unless a `resync` follows
        self._asked_ref: str | None = None  # the ref of the `sync` or `history` that is not answered yet
        self._refs = itertools.count(1)

    def join_params(self) -> Payload:
        """Returns the position, and that the client knows `resync`."""
        return {"resync": True, **self.history.position}

    async def on_joined(self, answer: Payload) -> None:
        """Applies the answer, and asks for the messages that do not follow it."""
        self._asked_ref = None
        self.history.apply_answer(answer)
        if answer["more"]:
            await self._ask("history", {"after": self.history.since, "limit": PAGE_SIZE})

    async def on_answer(self, ref: str, status: str, response: Payload) -> None:
        """Applies the answer to a `sync` as that to a join; adds a page of `history`."""
        if ref != self._asked_ref:
            return
        self._asked_ref = None
        if status != "ok":
            await asyncio.sleep(response.get("retry_after_ms", RETRY_MS) / 1000)
            await self._ask("sync", self.history.position)
        elif "messages" not in response:
            await self.on_joined(response)
        else:
            for message in response["messages"]:
                self.history.add(message)
            if response["more"]:
                await self._ask("history", {"after": self.history.since, "limit": PAGE_SIZE})

    async def on_event(self, event: str, payload: Payload) -> None:
        """Adds messages, and asks `sync` if some are missing."""
        match event:
            case "new_message":
                self.history.add(payload)
                if self.history.has_gap and self._asked_ref is None:
                    self.gaps_seen += 1
                    await self._ask("sync", self.history.position)
            case "message_voided":
                self.history.mark_void(payload["seq"])
            case "resync":  # what was queued for this client is dropped, answers too
                self.times_lagged += 1
                await self._ask("sync", self.history.position)

    async def _ask(self, event: str, payload: Payload) -> None:
        self._asked_ref = f"{event}-{next(self._refs)}"
        await self.push(event, payload, self._asked_ref)


class SlowReader(Reader):
    """SlowReader is a reader with small buffers, which get larger when it resumes.

    The server notices soon that it does not read: little fits into the buffers.
    """

    def __init__(self, ports: Sequence[int], room: str, *, resync: bool) -> None:
        """Sets whether the client knows `resync`; if not, the server closes with 1013."""
        super().__init__(ports, room)
        self.resync = resync
        self._buffer = SMALL_BUFFER

    def join_params(self) -> Payload:
        """Returns the position, and whether the client knows `resync`."""
        return super().join_params() | {"resync": self.resync}

    def resume_reading(self) -> None:
        """Reads again, with buffers as large as others have."""
        self._buffer = LARGE_BUFFER
        if self._connection is not None:
            sock: socket.socket = self._connection.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LARGE_BUFFER)
        super().resume_reading()

    async def make_connection(self) -> connect:
        """Returns a connection with small buffers in the kernel and in the library."""
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._buffer)
        port = next(self._ports)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        return connect(_url(port), sock=sock, max_queue=1, **CONNECTION_OPTIONS)


class Writer(Member):
    """Writer posts messages, and repeats each until it is answered.

    An id is unique, and is the ref too.
    """

    def __init__(
        self,
        ports: Sequence[int],
        room: str,
        name: str,
        *,
        interval: float,
        max_unanswered: int = 20,
        copies: int = 1,
        length: int = 0,
    ) -> None:
        """Posts every `interval` seconds, unless `max_unanswered` posts have no answer.

        Sends each post `copies` times. Each has at least `length` characters.
        """
        super().__init__(ports, room)
        self.name = name
        self.is_posting = True
        self.twin: Writer | None = None  # says the same through another node
        self.outbox: dict[str, str] = {}  # the unanswered texts by id, in order; a real client keeps them on disk
        self.acknowledged: dict[str, int] = {}  # seqs by id
        self.acknowledged_at: list[float] = []  # by time.monotonic
        self.times_put_off = 0  # told to say it again later
        self.refused: dict[str, str] = {}  # reasons by id
        self.duplicates = 0
        self._interval = interval
        self._max_unanswered = max_unanswered
        self._copies = copies
        self._length = length
        self._ids = itertools.count(1)
        self._sending = asyncio.Lock()  # held while posts are repeated: they go before new ones
        self._repetition: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Connects as a member does, and posts meanwhile."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(super().run())
            tasks.create_task(self._keep_posting())

    async def post(self, text: str) -> str:
        """Posts a message, and returns its id."""
        id = f"{self.name}-{next(self._ids)}"
        await self._post_as(id, text)
        if self.twin is not None:
            await self.twin._post_as(id, text)
        return id

    async def _post_as(self, id: str, text: str) -> None:
        self.outbox[id] = text
        async with self._sending:
            for copy in range(self._copies if self.is_joined else 0):  # while disconnected, it waits in the outbox
                await self._send(id, repeat=copy > 0)

    async def on_joined(self, answer: Payload) -> None:
        """Repeats, in order, the posts that an earlier connection left unanswered."""
        await self._repeat()

    async def on_answer(self, ref: str, status: str, response: Payload) -> None:
        """Settles the post on `ok` or a final error; repeats it after another error."""
        match status, response:
            case "ok", {"id": id, "seq": seq}:
                self.outbox.pop(id, None)
                self.acknowledged[id] = seq
                self.acknowledged_at.append(time.monotonic())
                self.duplicates += response.get("duplicate", False)
            case _, {"reason": "overloaded" | "busy" | "rate_limited", "retry_after_ms": delay}:
                self.times_put_off += 1
                if self._repetition is None or self._repetition.done():
                    self._repetition = asyncio.create_task(self._repeat_later(delay / 1000))
            case _, {"reason": reason}:
                self.outbox.pop(ref, None)
                self.refused[ref] = reason

    async def _keep_posting(self) -> None:
        for number in itertools.count(1):
            await asyncio.sleep(self._interval)
            if self.is_posting and self.is_joined and len(self.outbox) < self._max_unanswered:
                await self.post(f"number {number} of {self.name}".ljust(self._length, "."))

    async def _repeat_later(self, delay: float) -> None:
        await asyncio.sleep(delay)
        if self.is_joined:
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


class LogReader(Member):
    """LogReader holds every message of its room as it is now, whatever fails."""

    def __init__(self, ports: Sequence[int], room: str) -> None:
        super().__init__(ports, room)
        self.client = LogClient(PAGE_SIZE)
        self._asked: tuple[str, Request] | None = None
        self._refs = itertools.count(1)

    def join_params(self) -> Payload:
        """Returns the position, that the client knows the log, and that it knows `resync`."""
        return {"resync": True, **self.client.join_params}

    async def on_joined(self, answer: Payload) -> None:
        """Applies the answer, and asks for what does not follow it."""
        self._asked = None
        self.client.joined(answer)
        await self._ask()

    async def on_answer(self, ref: str, status: str, response: Payload) -> None:
        """Applies the answer to what it asked last."""
        if self._asked is None or ref != self._asked[0]:
            return
        (_, request), self._asked = self._asked, None
        if status != "ok":
            await asyncio.sleep(response.get("retry_after_ms", RETRY_MS) / 1000)
        elif not self.client.answered(request, response):
            await asyncio.sleep(RETRY_MS / 1000)
        await self._ask()

    async def on_event(self, event: str, payload: Payload) -> None:
        """Applies the event; after `resync` what it asked is not answered."""
        if event == "resync":
            self._asked = None
        self.client.hear(event, payload)
        await self._ask()

    async def _ask(self) -> None:
        if self._asked is None and (request := self.client.next_request()) is not None:
            self._asked = f"{request[0]}-{next(self._refs)}", request
            await self.push(*request, ref=self._asked[0])


class Editor(Writer):
    """Editor also answers, edits, deletes, reacts and pins, and repeats that until it is answered."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.operations: dict[str, Request] = {}  # all that were asked for, by ref
        self.done: dict[str, Payload] = {}  # their answers, by ref
        self._own: list[str] = []  # ids of the messages to which it does things by itself

    async def operate(self, event: str, payload: Payload) -> str:
        """Asks for an operation, and returns its ref, which is its id where it has one."""
        ref = f"{self.name}-{next(self._ids)}"
        self.operations[ref] = event, payload
        self.outbox[ref] = event
        async with self._sending:
            if self.is_joined:
                await self._send(ref, repeat=False)
        return ref

    async def on_answer(self, ref: str, status: str, response: Payload) -> None:
        """Settles an operation, or a post as a writer does."""
        if ref in self.operations and status == "ok":
            self.outbox.pop(ref, None)
            self.done[ref] = response
        else:
            await super().on_answer(ref, status, response)

    async def _keep_posting(self) -> None:
        for number in itertools.count(1):
            await asyncio.sleep(self._interval)
            if not (self.is_posting and self.is_joined and len(self.outbox) < self._max_unanswered):
                continue
            seqs = [self.acknowledged[id] for id in self._own if id in self.acknowledged]
            if not seqs or number % 3 == 0:
                self._own.append(await self.post(f"number {number} of {self.name}"))
            else:
                await self.operate(*self._operation(number, random.choice(seqs[-10:])))

    def _operation(self, number: int, seq: int) -> Request:
        text, person = f"text {number} of {self.name}", f"person {number % 5} of {self.name}"
        choices: list[Request] = [
            ("edit_message", {"seq": seq, "message": text}),
            ("delete_message", {"seq": seq}),
            ("new_message", {"name": self.name, "message": text, "reply_to": seq}),
            ("react", {"name": person, "seq": seq, "key": "👍"}),
            ("react", {"name": person, "seq": seq, "key": "🎉"}),
            ("unreact", {"name": person, "seq": seq, "key": "👍"}),
            ("pin", {"name": self.name, "seq": seq}),
            ("unpin", {"name": self.name, "seq": seq}),
        ]
        return random.choice(choices)

    async def _send(self, id: str, *, repeat: bool) -> None:
        if id not in self.operations:
            await super()._send(id, repeat=repeat)
        elif id in self.outbox:
            event, payload = self.operations[id]
            own = {} if event in ("react", "unreact") else {"id": id, "repeat": repeat}
            await self.push(event, {**payload, **own}, ref=id)


def _url(port: int) -> str:
    return f"ws://127.0.0.1:{port}/socket/websocket?vsn=2.0.0"


class Crowd:
    """`with Crowd(port) as crowd:` connects readers, and writers that post meanwhile.

    The readers join first, and so hear every message. With the ports of several nodes there are so many readers at
    each, which stay there. All others go to the next node when they reconnect, as a load balancer has them do.
    """

    def __init__(
        self,
        port: int | Sequence[int],
        rooms: Iterable[str] = ("lobby",),
        *,
        writers: int = 4,
        readers: int = 4,
        slow_readers: int = 0,
        editors: int = 0,
        twins: bool = False,
        log_readers: int = 0,
        interval: float = 0.01,
        max_unanswered: int = 20,
        copies: int = 1,
        length: int = 0,
    ) -> None:
        """Takes the numbers of writers and readers in each room. Editors are writers too.

        With `twins` all that a writer posts is posted through the next node as well, under the same ids.
        """
        self.rooms = list(rooms)
        self._ports = ports = [port] if isinstance(port, int) else list(port)
        self.slow_readers = [
            SlowReader(ports, room, resync=n % 2 == 0) for room in self.rooms for n in range(slow_readers)
        ]
        self.readers = [Reader([port], room) for room in self.rooms for port in ports for _ in range(readers)]
        self.readers += self.slow_readers
        self.log_readers = [LogReader(self._from(n), room) for room in self.rooms for n in range(log_readers)]
        self._has_twins = twins
        self._writers_per_room = [Writer] * writers + [Editor] * editors
        self._writer_options: dict[str, Any] = {
            "interval": interval,
            "max_unanswered": max_unanswered,
            "copies": copies,
            "length": length,
        }
        self.writers: list[Writer] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._failure: BaseException | None = None
        self._members_task: asyncio.Task[None] | None = None

    @property
    def acknowledged(self) -> int:
        """How many posts were answered with `ok`."""
        return sum(len(writer.acknowledged) for writer in self.writers)

    @property
    def put_off(self) -> dict[str, int]:
        """How many answers said that it is to be said again later, by room."""
        return {room: sum(each.times_put_off for each in self.writers if each.room == room) for room in self.rooms}

    @property
    def editors(self) -> list[Editor]:
        """The writers that do more than post."""
        return [writer for writer in self.writers if isinstance(writer, Editor)]

    @property
    def done(self) -> int:
        """How many operations were answered with `ok`."""
        return sum(len(editor.done) for editor in self.editors)

    @property
    def heard(self) -> int:
        """How many messages the readers hold, added up."""
        return sum(len(reader.history.messages) for reader in self.readers)

    def wait_until(self, condition: Callable[[], object], patience: float = PATIENCE) -> None:
        """Waits until `condition()` is true. Raises what failed on the crowd's thread."""

        def is_met() -> bool:
            if self._failure is not None:
                raise self._failure
            return bool(condition())

        wait_until(is_met, patience)

    def longest_silence(self, since: float) -> float:
        """The longest time after `since` in which nothing was acknowledged in some room."""
        return max(
            after - before
            for room in self.rooms
            for before, after in itertools.pairwise([since, *self._acknowledged_at(room, since), time.monotonic()])
        )

    def _acknowledged_at(self, room: str, since: float) -> list[float]:
        moments = (at for writer in self.writers if writer.room == room for at in writer.acknowledged_at)
        return sorted(at for at in moments if at > since)

    def wait_for_more(self, count: int, what: str = "acknowledged") -> None:
        """Waits until `count` more messages are `acknowledged` or `heard`, or operations `done`."""
        goal = getattr(self, what) + count
        self.wait_until(lambda: getattr(self, what) >= goal)

    def wait_for_more_everywhere(self) -> None:
        """Waits until something more is acknowledged in every room."""
        before = self._acknowledged_in_rooms()
        self.wait_until(lambda: all(now > before[room] + 10 for room, now in self._acknowledged_in_rooms().items()))

    def _acknowledged_in_rooms(self) -> dict[str, int]:
        return {
            room: sum(len(writer.acknowledged) for writer in self.writers if writer.room == room) for room in self.rooms
        }

    def post(self, text: str) -> str:
        """Posts a message as the first writer, and returns its id."""
        return asyncio.run_coroutine_threadsafe(self.writers[0].post(text), self._loop).result(PATIENCE)

    def operate(self, event: str, **payload: Any) -> str:
        """Has the first editor do something, and returns the ref."""
        return asyncio.run_coroutine_threadsafe(self.editors[0].operate(event, payload), self._loop).result(PATIENCE)

    def cut(self, members: Iterable[Member] = ()) -> None:
        """Cuts the connections of `members`, or of all, in the middle of a frame."""
        for member in members or (*self.writers, *self.readers, *self.log_readers):
            self._loop.call_soon_threadsafe(member.cut)

    def wait_for_rejoins(self, fault: Callable[[], object], members: Iterable[Member] = ()) -> None:
        """Calls `fault`, and waits until all have joined again.

        The fault must cost `members`, or all, their connections.
        """
        lost = list(members) or [*self.writers, *self.readers, *self.log_readers]
        self.wait_until(lambda: all(member.is_joined for member in lost))
        before = [member.times_joined for member in lost]
        fault()
        self.wait_until(lambda: all(member.times_joined > joined for member, joined in zip(lost, before, strict=True)))

    def pause_slow_readers(self) -> None:
        """Stops the slow readers from reading."""
        for reader in self.slow_readers:
            self._loop.call_soon_threadsafe(reader.pause_reading)

    def resume_slow_readers(self) -> None:
        """Lets the slow readers read again."""
        for reader in self.slow_readers:
            self._loop.call_soon_threadsafe(reader.resume_reading)

    def finish_posting(self) -> None:
        """Ends new posts, and waits until all earlier ones are answered."""
        for writer in self.writers:
            writer.is_posting = False
        # A writer that has just seen that it may post does so before the loop turns.
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self._loop).result(PATIENCE)
        self.wait_until(lambda: not any(writer.outbox for writer in self.writers))

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._run_members_until_cancelled())
        except BaseException as error:  # raised in the test, by `wait_until`
            self._failure = error

    async def _run_members_until_cancelled(self) -> None:
        self._members_task = asyncio.create_task(self._run_members())
        with contextlib.suppress(asyncio.CancelledError):
            await self._members_task

    async def _run_members(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            readers = [*self.readers, *self.log_readers]
            for reader in readers:
                tasks.create_task(reader.run())
            while not all(reader.is_joined for reader in readers):
                await asyncio.sleep(0.01)
            for room, (number, kind) in itertools.product(self.rooms, enumerate(self._writers_per_room)):
                writer = kind(self._from(number), room, f"{room}-{number}", **self._writer_options)
                if self._has_twins:
                    writer.twin = Writer(self._from(number + 1), room, writer.name, **self._writer_options)
                    writer.twin.is_posting = False
                self.writers += [writer] if writer.twin is None else [writer, writer.twin]
            for writer in self.writers:
                tasks.create_task(writer.run())

    def _from(self, number: int) -> list[int]:
        """The ports of all nodes, in a ring, from one of them on."""
        first = number % len(self._ports)
        return self._ports[first:] + self._ports[:first]

    def __enter__(self) -> Self:
        self._thread.start()
        self.wait_until(lambda: self.writers and all(writer.is_joined for writer in self.writers))
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._members_task is not None:
            self._loop.call_soon_threadsafe(self._members_task.cancel)
        self._thread.join(PATIENCE)
        self._loop.close()
