"""The broadcaster: writes what is said in one turn of a room to each subscriber, in few writes."""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from chatter.messages import Asker, Event, Serializer, Subscriber

TIME_SLICE = 0.001
"""Seconds after which a delivery lets the loop serve others: one write takes 5 to 30 µs, and a room may hold 10,000."""

WRITES_BETWEEN_CLOCK_READS = 16

MAX_UNSLICED = 16
"""Up to this many subscribers are written to without reading the clock, unless frames are made for some of them."""

MAX_WRITE_BYTES = 65_536
"""About how much is written to a client at once. A connection takes a write whole, so by this it may pass its bound."""

MAX_LATER_BYTES = 16_384
"""The same where frames are made when they are written: between two looks at the clock, for a hundred take 1 ms."""

_DONE = object()

_NO_FRAMES: list[bytes] = []
"""What somebody who is no subscriber gets of the events; who asks over HTTP has no serializer."""


class Broadcaster:
    """Owns what is said and not delivered yet.

    Of the current turn: events for all, and frames for single clients at their place between the events. Of an earlier
    turn: the clients that are still to be written to.
    """

    __slots__ = ("_delivery", "_events", "_has_later", "_room", "_views")

    def __init__(self, room: str) -> None:
        self._room = room
        self._events: list[Event] = []
        self._views: dict[Any, _ClientView] = {}  # of subscribers, and of others who are answered
        self._has_later = False  # some frames of the turn are not made yet
        self._delivery: Iterator[None] | None = None  # of an earlier turn, where not all have been written to

    @property
    def is_delivering(self) -> bool:
        """Whether an earlier turn has not been written to all."""
        return self._delivery is not None

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be written."""
        return self._delivery is None and not (self._events or self._views)

    def discard(self) -> None:
        """Drops what is not being written yet."""
        self._events, self._views, self._has_later = [], {}, False

    def broadcast(self, event: Event, *, but: Subscriber | None = None) -> None:
        """Adds an event for all subscribers, except `but`."""
        if but is not None:
            self._view(but).skip(len(self._events))
        self._events.append(event)

    def broadcast_but(self, hidden: Mapping[Subscriber, bytes], event: Event) -> None:
        """Adds an event for all subscribers but some; each of these gets a frame of its own in that place."""
        for client, frame in hidden.items():
            self._view(client).skip(len(self._events), frame)
        self._events.append(event)

    def push(self, client: Asker, frame: bytes) -> None:
        """Adds a frame for one client, after the events so far. The client need not be a subscriber any more."""
        self._view(client).insert(len(self._events), frame)

    def push_later(self, client: Subscriber, frames: Iterable[bytes]) -> None:
        """Adds frames for one client that are made when they are written: pages are many times their messages."""
        self._view(client).insert_later(len(self._events), frames)
        self._has_later = True

    def add(self, subscriber: Subscriber) -> None:
        """Starts broadcasting to `subscriber`, from the next event on. What it was answered before is still written."""
        view = self._view(subscriber)
        view.start, view.end = len(self._events), None

    def remove(self, subscriber: Subscriber) -> None:
        """Stops broadcasting to `subscriber`; frames pushed to it are still written."""
        self._view(subscriber).end = len(self._events)

    def deliver(self, subscribers: Collection[Subscriber]) -> bool:
        """Writes the turn to `subscribers`, or a slice of it where they are many.

        While a turn is delivered in slices, events added since wait. Returns whether another call is needed.
        """
        if self._delivery is None:
            self._delivery = self._write(subscribers)
        elif next(self._delivery, _DONE) is _DONE:
            self._delivery = None
        return self._delivery is not None or bool(self._events or self._views)

    def flush(self, subscribers: Collection[Subscriber]) -> None:
        """Writes everything at once."""
        for _ in self._delivery or ():
            pass
        for _ in self._write(subscribers) or ():
            pass
        self._delivery = None

    def _write(self, subscribers: Collection[Subscriber]) -> Iterator[None] | None:
        """Writes the turn: the hot path, one plain loop. A slow or dead client neither stops nor slows it.

        With many subscribers, or frames to be made, it writes one slice, and one more each time the returned iterator
        is advanced.
        """
        events, views = self._events, self._views
        if not (events or views):
            return None
        self._events, self._views = [], {}
        turn = _EncodedTurn(self._room, events)
        for client, view in views.items():
            if view.end is None and client not in subscribers:
                view.end = 0  # it left in an earlier turn: it gets only the frames pushed to it
        if self._has_later or len(subscribers) + len(views) > MAX_UNSLICED:
            self._has_later = False
            others = [each for each in subscribers if each not in views] if events else []
            delivery = _write_in_slices(turn, views, others)
            return None if next(delivery, _DONE) is _DONE else delivery
        for client, view in views.items():
            view.write(client, turn.frames(client.serializer) if view.end != 0 else _NO_FRAMES)
        if events:
            for subscriber in subscribers:
                if subscriber not in views:
                    for piece in turn.pieces(subscriber.serializer):
                        subscriber.write(piece)
        return None

    def _view(self, client: Asker) -> "_ClientView":
        view = self._views.get(client)
        if view is None:
            view = self._views[client] = _ClientView(0)
        return view


def _write_in_slices(turn: "_EncodedTurn", views: dict[Any, "_ClientView"], others: list[Subscriber]) -> Iterator[None]:
    """Writes to the clients with a view of their own, then to the `others`, who all get the same bytes."""
    until = time.perf_counter() + TIME_SLICE
    for number, (client, view) in enumerate(views.items(), 1):
        heard = turn.frames(client.serializer) if view.end != 0 else _NO_FRAMES
        if view.has_later:
            for _ in view.write_later(client, heard):
                if time.perf_counter() > until:
                    yield
                    until = time.perf_counter() + TIME_SLICE
            continue
        view.write(client, heard)
        if number % WRITES_BETWEEN_CLOCK_READS == 0 and time.perf_counter() > until:
            yield
            until = time.perf_counter() + TIME_SLICE
    piece, most = 0, 1
    while piece < most:  # all get the first piece, as a rule the only one, before any gets the second
        serializer, frames = None, b""
        for number, subscriber in enumerate(others, 1):
            if subscriber.serializer is not serializer:
                serializer = subscriber.serializer
                pieces = turn.pieces(serializer)
                frames = pieces[piece] if piece < len(pieces) else b""
                most = max(most, len(pieces))
            subscriber.write(frames)
            if number % WRITES_BETWEEN_CLOCK_READS == 0 and time.perf_counter() > until:
                yield
                until = time.perf_counter() + TIME_SLICE
        piece += 1


class _ClientView:
    """What one client gets of a turn: the events from `start` to `end`, with its own frames between them."""

    __slots__ = ("_cuts", "end", "has_later", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.end: int | None = None
        self._cuts: list[tuple[int, Any, int]] = []  # events up to here, then this frame or these, then events from
        self.has_later = False  # some of these are not made yet, and an iterable

    def insert(self, at: int, frame: bytes) -> None:
        self._cuts.append((at, frame, at))

    def insert_later(self, at: int, frames: Iterable[bytes]) -> None:
        self._cuts.append((at, frames, at))
        self.has_later = True

    def skip(self, at: int, frame: bytes = b"") -> None:
        self._cuts.append((at, frame, at + 1))

    def write(self, client: Asker, frames: list[bytes]) -> None:
        """Writes to `client`, for whom no frames are to be made; `frames` are the events of the turn."""
        parts: list[bytes] = []  # as `_frames`, in half of its time
        position = self.start
        end = len(frames) if self.end is None else self.end
        for until, frame, after in self._cuts:
            parts += frames[position : min(until, end)]
            parts.append(frame)
            position = max(position, after)
        parts += frames[position:end]
        whole = b"".join(parts)
        if len(whole) <= MAX_WRITE_BYTES:
            client.write(whole)
        else:
            for piece in _pieces(self._frames(frames), MAX_WRITE_BYTES):
                client.write(piece)

    def write_later(self, client: Asker, frames: list[bytes]) -> Iterator[None]:
        """Writes a small piece to `client` each time the iterator is advanced, and makes its frames then.

        It ends where the client takes no more: the rest would be dropped.
        """
        pieces = _pieces(self._frames(frames), MAX_LATER_BYTES)
        client.write(next(pieces))
        yield
        for piece in pieces:
            if not client.takes_frames:  # asked only where more follows: what is gathered is sent first
                return
            client.write(piece)
            yield

    def _frames(self, frames: list[bytes]) -> Iterator[bytes]:
        """Yields what the client gets; frames that are not made yet are made as they are taken."""
        position = self.start
        end = len(frames) if self.end is None else self.end
        for until, own, after in self._cuts:
            yield from frames[position : min(until, end)]
            yield from (own,) if isinstance(own, bytes) else own
            position = max(position, after)
        yield from frames[position:end]


class _EncodedTurn:
    """The turn's events, encoded once for each serializer."""

    def __init__(self, room: str, events: list[Event]) -> None:
        self._room = room
        self._events = events
        self._frames: dict[Serializer, list[bytes]] = {}
        self._pieces: dict[Serializer, list[bytes]] = {}

    def frames(self, serializer: Serializer) -> list[bytes]:
        frames = self._frames.get(serializer)
        if frames is None:
            frames = self._frames[serializer] = [serializer.broadcast(self._room, event) for event in self._events]
        return frames

    def pieces(self, serializer: Serializer) -> list[bytes]:
        pieces = self._pieces.get(serializer)
        if pieces is None:
            pieces = self._pieces[serializer] = list(_pieces(self.frames(serializer), MAX_WRITE_BYTES))
        return pieces


def _pieces(frames: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Joins frames to writes of at most `most` bytes; a larger frame is a write of its own."""
    piece: list[bytes] = []
    size = 0
    for frame in frames:
        if size and size + len(frame) > most:
            yield b"".join(piece)
            piece, size = [], 0
        piece.append(frame)
        size += len(frame)
    yield b"".join(piece)
