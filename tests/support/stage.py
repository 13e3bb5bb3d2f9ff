"""A stage for actors: an event loop that runs when a test says so, and recorders to play the other parts."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

import pykka

from chatter.actors import LoopActor
from chatter.messages import Answer, Event, Join, Position, Reason, Recovery, Ref, Refused

T = TypeVar("T")
PATIENCE = 30.0


class Stage:
    """An event loop that stands still between the steps of a test."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._started: list[pykka.ActorRef[Any]] = []

    def run(self, awaitable: Awaitable[T]) -> T:
        """Run the loop until `awaitable` is done."""

        async def wait() -> T:
            return await asyncio.wait_for(awaitable, PATIENCE)

        return self._runner.run(wait())

    def start(self, actor: type[pykka.Actor], *args: Any, **options: Any) -> pykka.ActorRef[Any]:
        """Start an actor on the loop."""

        async def start() -> pykka.ActorRef[Any]:
            return actor.start(*args, **options)

        ref = self.run(start())
        self._started.append(ref)
        return ref

    def call(self, function: Callable[..., object], *args: Any) -> None:
        """Call something that wants to be on the loop."""

        async def call() -> None:
            function(*args)

        self.run(call())

    def turn(self) -> None:
        """Let every actor read its mail, and the mail that follows from that."""

        async def turns() -> None:
            for _ in range(10):
                await asyncio.sleep(0)

        self.run(turns())

    def until(self, condition: Callable[[], object]) -> None:
        """Run the loop until `condition` holds; fail if it never does."""

        async def wait() -> None:
            deadline = time.monotonic() + PATIENCE
            while not condition():
                assert time.monotonic() < deadline, "the condition did not come true"
                await asyncio.sleep(0.005)

        self.run(wait())

    def close(self) -> None:
        """Stop what still runs."""
        for actor in [*self._started, *pykka.ActorRegistry.get_all()]:
            actor.stop(block=False)
        self.turn()
        self._runner.close()


class Recorder(LoopActor):
    """Plays persistence or history: remembers what it was told and does nothing."""

    def __init__(self, told: list[Any]) -> None:
        super().__init__()
        self._told = told

    def on_receive(self, message: Any) -> None:
        """Remember."""
        self._told.append(message)


class PlainSerializer:
    """Frames that stand for the values themselves, and a count of how often something was encoded."""

    def __init__(self) -> None:
        self._values: list[object] = []
        self.broadcasts = 0

    def broadcast(self, room: str, event: Event) -> bytes:
        """As the wire would."""
        self.broadcasts += 1
        return self.frame(event)

    def frame(self, value: object) -> bytes:
        """A frame for any value."""
        self._values.append(value)
        return b"%d\n" % (len(self._values) - 1)

    def read(self, frames: bytes) -> list[Any]:
        """The values of joined frames."""
        return [self._values[int(number)] for number in frames.split()]


PLAIN = PlainSerializer()


class Listener:
    """A client in a room, as the room sees it."""

    def __init__(self, serializer: PlainSerializer = PLAIN) -> None:
        self.serializer = serializer
        self.writes: list[list[Any]] = []
        self.rooms_opened = 0  # or asked to
        self.must_wait = 0.0  # before it may open a room

    @property
    def heard(self) -> list[Any]:
        """Everything so far, in order: events as they are, answers as `(ref, answer)`, the end as a string."""
        return [value for write in self.writes for value in write]

    def forget(self) -> None:
        """Only what comes from here on counts."""
        self.writes.clear()

    def welcome(self, recovery: Recovery) -> bytes:
        """As `Subscriber`."""
        return self.serializer.frame(recovery)

    def refuse(self, reason: Reason, retry_after_ms: int | None = None) -> bytes:
        """As `Subscriber`."""
        return self.serializer.frame(Refused(reason, retry_after_ms))

    def wait_to_open(self) -> float:
        """As `Subscriber`."""
        self.rooms_opened += 1
        return self.must_wait

    def push(self, event: Event) -> bytes:
        """As `Subscriber`."""
        return self.serializer.frame(event)

    def answer(self, ref: Ref, answer: Answer) -> bytes:
        """As `Subscriber`."""
        return self.serializer.frame((ref, answer))

    def ended(self, why: Literal["closed", "crashed"]) -> bytes:
        """As `Subscriber`."""
        return self.serializer.frame(why)

    def write(self, frames: bytes) -> None:
        """As `Subscriber`."""
        if frames:
            self.writes.append(self.serializer.read(frames))


def join(listener: Listener, name: str | None = None, position: Position | None = None) -> Join:
    """A join, by a named person or by nobody in particular."""
    return Join(listener, name, position=position)
