"""A room's voice: what is said in one turn of its mailbox, delivered in one write for each client."""

import time
from collections.abc import Collection, Iterator

from chatter.messages import Dialect, Event, Subscriber

SLICE = 0.001
"""Seconds after which a sweep lets others have their turn: one write takes 5 to 30 µs, and a room may hold 10,000."""

WRITES_BETWEEN_LOOKS = 16
"""Writes after which a sweep looks at the clock."""

FEW = 16
"""So many are written to without a look at the clock."""

_DONE = object()


class Voice:
    """Owns what was said and is not heard yet: of this turn, events for everyone, and frames for one client at their
    place between them; of an earlier turn, to whom it is still to be written.
    """

    __slots__ = ("_events", "_room", "_scripts", "_sweep")

    def __init__(self, room: str) -> None:
        self._room = room
        self._events: list[Event] = []
        self._scripts: dict[Subscriber, _Script] = {}
        self._sweep: Iterator[None] | None = None  # an earlier turn that some have not heard yet

    @property
    def is_delivering(self) -> bool:
        """Whether some have not heard yet what was said in an earlier turn."""
        return self._sweep is not None

    def say(self, event: Event, *, but: Subscriber | None = None) -> None:
        """Tell everyone, `but` one."""
        if but is not None:
            self._script(but).skip(len(self._events))
        self._events.append(event)

    def tell(self, subscriber: Subscriber, frame: bytes) -> None:
        """Tell one client, after what has been said so far. It need not be a subscriber any more."""
        self._script(subscriber).insert(len(self._events), frame)

    def begin(self, subscriber: Subscriber) -> None:
        """From here on `subscriber` hears what is said."""
        self._scripts[subscriber] = _Script(len(self._events))

    def end(self, subscriber: Subscriber) -> None:
        """From here on `subscriber` hears nothing but what it is told alone."""
        self._script(subscriber).end = len(self._events)

    def deliver(self, subscribers: Collection[Subscriber]) -> bool:
        """Have the turn heard, or another slice of the one that is not delivered yet: then what was said since waits.

        They hear it who are `subscribers` when its delivery begins. Returns whether something is left for another call.
        """
        if self._sweep is None:
            self._sweep = self._write(subscribers)
        elif next(self._sweep, _DONE) is _DONE:
            self._sweep = None
        return self._sweep is not None or bool(self._events or self._scripts)

    def finish(self, subscribers: Collection[Subscriber]) -> None:
        """Have everything heard at once."""
        for _ in self._sweep or ():
            pass
        for _ in self._write(subscribers) or ():
            pass
        self._sweep = None

    def _write(self, subscribers: Collection[Subscriber]) -> Iterator[None] | None:
        """Write the turn: the hot path, one plain loop. A slow or dead client neither stops nor slows it.

        Where many listen only a slice is written, and another each time the iterator that is returned is advanced.
        """
        events, scripts = self._events, self._scripts
        if not (events or scripts):
            return None
        self._events, self._scripts = [], {}
        frames = _Frames(self._room, events)
        for subscriber, script in scripts.items():
            if script.end is None and subscriber not in subscribers:
                script.end = 0  # one who left in an earlier turn hears only what it is still owed
        if len(subscribers) + len(scripts) > FEW:
            others = [each for each in subscribers if each not in scripts] if events else []
            sweep = _sweep(frames, scripts, others)
            return None if next(sweep, _DONE) is _DONE else sweep
        for subscriber, script in scripts.items():
            subscriber.write(script.perform(frames.each(subscriber.dialect)))
        if events:
            for subscriber in subscribers:
                if subscriber not in scripts:
                    subscriber.write(frames.joined(subscriber.dialect))
        return None

    def _script(self, subscriber: Subscriber) -> "_Script":
        script = self._scripts.get(subscriber)
        if script is None:
            script = self._scripts[subscriber] = _Script(0)
        return script


def _sweep(frames: "_Frames", scripts: dict[Subscriber, "_Script"], others: list[Subscriber]) -> Iterator[None]:
    """The same for many: to those with frames of their own, then to the `others`, who all hear the same."""
    until = time.perf_counter() + SLICE
    for number, (subscriber, script) in enumerate(scripts.items(), 1):
        subscriber.write(script.perform(frames.each(subscriber.dialect)))
        if number % WRITES_BETWEEN_LOOKS == 0 and time.perf_counter() > until:
            yield
            until = time.perf_counter() + SLICE
    dialect, said = None, b""
    for number, subscriber in enumerate(others, 1):
        if subscriber.dialect is not dialect:
            dialect = subscriber.dialect
            said = frames.joined(dialect)
        subscriber.write(said)
        if number % WRITES_BETWEEN_LOOKS == 0 and time.perf_counter() > until:
            yield
            until = time.perf_counter() + SLICE


class _Script:
    """What one client hears where that differs: events from `start` to `end`, with its own frames between."""

    __slots__ = ("_cuts", "end", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.end: int | None = None
        self._cuts: list[tuple[int, bytes, int]] = []  # events up to here, then this frame, then events from here

    def insert(self, at: int, frame: bytes) -> None:
        self._cuts.append((at, frame, at))

    def skip(self, at: int) -> None:
        self._cuts.append((at, b"", at + 1))

    def perform(self, frames: list[bytes]) -> bytes:
        heard: list[bytes] = []
        position = self.start
        end = len(frames) if self.end is None else self.end
        for until, frame, after in self._cuts:
            heard += frames[position : min(until, end)]
            heard.append(frame)
            position = max(position, after)
        heard += frames[position:end]
        return b"".join(heard)


class _Frames:
    """The turn's events as each dialect says them, encoded once."""

    def __init__(self, room: str, events: list[Event]) -> None:
        self._room = room
        self._events = events
        self._each: dict[Dialect, list[bytes]] = {}
        self._joined: dict[Dialect, bytes] = {}

    def each(self, dialect: Dialect) -> list[bytes]:
        frames = self._each.get(dialect)
        if frames is None:
            frames = self._each[dialect] = [dialect.broadcast(self._room, event) for event in self._events]
        return frames

    def joined(self, dialect: Dialect) -> bytes:
        frames = self._joined.get(dialect)
        if frames is None:
            frames = self._joined[dialect] = b"".join(self.each(dialect))
        return frames
