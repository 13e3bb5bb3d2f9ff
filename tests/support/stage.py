"""Runs actors on an event loop that a test steps, with recorders around them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

import pykka

from chatter.actors import LoopActor
from chatter.charter import Author, ServerRole
from chatter.messages import Answer, Event, Join, Position, Reason, Recovery, Ref, Refused, View

T = TypeVar("T")
TIMEOUT = 30.0


class Stage:
    """Stage is an event loop that runs only inside the calls of a test."""

    def __init__(self, new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None) -> None:
        self._runner = asyncio.Runner(loop_factory=new_loop)
        self._started: list[pykka.ActorRef[Any]] = []

    def run(self, awaitable: Awaitable[T]) -> T:
        """Runs the loop until `awaitable` is done, and returns its result."""

        async def wait() -> T:
            return await asyncio.wait_for(awaitable, TIMEOUT)

        return self._runner.run(wait())

    def start(self, actor: type[pykka.Actor], *args: Any, **options: Any) -> pykka.ActorRef[Any]:
        """Starts an actor on the loop."""

        async def start() -> pykka.ActorRef[Any]:
            return actor.start(*args, **options)

        ref = self.run(start())
        self._started.append(ref)
        return ref

    def wait(self, condition: Callable[[], object]) -> None:
        """Runs the loop until `condition()` is true."""

        async def wait() -> None:
            while not condition():
                await asyncio.sleep(0.005)

        self.run(wait())

    def call(self, function: Callable[..., object], *args: Any) -> None:
        """Calls a function that needs the running loop."""

        async def call() -> None:
            function(*args)

        self.run(call())

    def run_turns(self) -> None:
        """Runs the loop until the actors have handled their mail, and what follows."""

        async def turns() -> None:
            for _ in range(10):
                await asyncio.sleep(0)

        self.run(turns())

    def run_until(self, condition: Callable[[], object]) -> None:
        """Runs the loop until `condition` holds; fails after `TIMEOUT` seconds."""

        async def wait() -> None:
            deadline = time.monotonic() + TIMEOUT
            while not condition():
                assert time.monotonic() < deadline, "the condition did not come true"
                await asyncio.sleep(0.005)

        self.run(wait())

    def close(self) -> None:
        """Stops the actors that still run, then the loop."""
        for actor in [*self._started, *pykka.ActorRegistry.get_all()]:
            actor.stop(block=False)
        self.run_turns()
        self._runner.close()


class Recorder(LoopActor):
    """Recorder plays any other actor: it appends each message to `told`."""

    def __init__(self, told: list[Any]) -> None:
        super().__init__()
        self._told = told

    def on_receive(self, message: Any) -> None:
        self._told.append(message)


class PlainSerializer:
    """PlainSerializer makes frames that `read` turns back into values.

    It counts the broadcasts that it encodes.
    """

    def __init__(self) -> None:
        self._values: list[object] = []
        self.broadcasts = 0

    def broadcast(self, room: str, event: Event) -> bytes:
        self.broadcasts += 1
        return self.frame(event)

    def frame(self, value: object) -> bytes:
        """Returns a frame that stands for any value."""
        self._values.append(value)
        return b"%d\n" % (len(self._values) - 1)

    def read(self, frames: bytes) -> list[Any]:
        """Returns the values of joined frames."""
        return [self._values[int(number)] for number in frames.split()]


PLAIN = PlainSerializer()


class Listener:
    """Listener is a `Subscriber` that records the writes of its room."""

    def __init__(self, serializer: PlainSerializer = PLAIN, view: View = View.PLACES) -> None:
        self.serializer = serializer
        self.view = view
        self.writes: list[list[Any]] = []
        self.said: set[int] = set()
        self.rooms_opened = 0  # or asked to
        self.must_wait = 0.0  # before it may open a room
        self.takes_frames = True
        self.sees_presence = False  # also where it is not present
        self.author: Author | None = None
        self.person_name: str | None = None
        self.taken: dict[str, str] = {}  # names of guests that accounts have taken, with what these are called now
        self.server_role: ServerRole = "member"

    @property
    def client(self) -> "Listener":
        """Plays its own connection."""
        return self

    @property
    def heard(self) -> list[Any]:
        """What was written so far, in order.

        Events are as they are, answers are `(ref, answer)`, the end is a string.
        """
        return [value for write in self.writes for value in write]

    def clear(self) -> None:
        """Drops what was written so far."""
        self.writes.clear()

    def guest_name(self, name: str) -> str:
        return self.taken.get(name, name)

    def note_said(self, seq: int) -> None:
        self.said.add(seq)

    def unnote_said(self, seq: int) -> None:
        self.said.discard(seq)

    def has_said(self, seq: int) -> bool:
        return seq in self.said

    def welcome(self, recovery: Recovery) -> bytes:
        return self.serializer.frame(recovery)

    def refuse(self, reason: Reason, retry_after_ms: int | None = None) -> bytes:
        return self.serializer.frame(Refused(reason, retry_after_ms))

    def refusal_to_open(self) -> Refused | None:
        self.rooms_opened += 1
        return Refused("rate_limited", retry_after_ms=round(1_000 * self.must_wait)) if self.must_wait else None

    def push(self, event: Event) -> bytes:
        return self.serializer.frame(event)

    def answer(self, ref: Ref, answer: Answer) -> bytes:
        return self.serializer.frame((ref, answer))

    def ended(self, why: Literal["closed", "crashed"]) -> bytes:
        return self.serializer.frame(why)

    def write(self, frames: bytes) -> None:
        if frames:
            self.writes.append(self.serializer.read(frames))


def join(listener: Listener, name: str | None = None, position: Position | None = None) -> Join:
    """Makes a join: a named one is shown as present."""
    listener.sees_presence |= name is not None
    return Join(listener, name, position=position)
