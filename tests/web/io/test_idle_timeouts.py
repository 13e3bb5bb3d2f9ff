"""Idle time-outs, on a clock that tests move."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from web.io.idle_timeouts import IdleTimeouts, IdleWatched


class Clock:
    """Clock plays the event loop: its time and timers advance only in `advance_to`."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self._timers: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, call: Callable[[], None]) -> object:
        self._timers.append((self.now + delay, call))
        return object()

    def advance_to(self, moment: float) -> None:
        """Advances the time, and calls each timer when it is due."""
        while self._timers and min(self._timers)[0] <= moment:
            self.now, call = self._timers.pop(self._timers.index(min(self._timers)))
            call()
        self.now = moment

    def has_timer(self) -> bool:
        """Returns whether a timer is set."""
        return bool(self._timers)


class Connection:
    """Connection records when it was found idle."""

    due: set[IdleWatched]

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.last_heard_at = clock.now
        self._idle_at: list[float] = []

    def receive(self) -> None:
        self.last_heard_at = self._clock.now

    def on_idle(self) -> None:
        self._idle_at.append(self._clock.now)

    def idle_at(self) -> list[float]:
        return list(self._idle_at)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timeouts(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> IdleTimeouts:
    monkeypatch.setattr("web.io.idle_timeouts.asyncio.get_running_loop", lambda: cast(Any, clock))
    return IdleTimeouts(60.0)


def test_a_connection_that_sends_nothing_is_idle_after_the_timeout(clock: Clock, timeouts: IdleTimeouts) -> None:
    ann = Connection(clock)
    timeouts.watch(ann)
    clock.advance_to(1_059.9)
    assert ann.idle_at() == []
    clock.advance_to(1_070.0)
    [moment] = ann.idle_at()
    assert 1_060.0 <= moment <= 1_066.0


def test_each_receipt_restarts_the_idle_timeout(clock: Clock, timeouts: IdleTimeouts) -> None:
    ann, bo = Connection(clock), Connection(clock)
    timeouts.watch(ann)
    timeouts.watch(bo)
    for moment in range(1_030, 1_300, 30):
        clock.advance_to(float(moment))
        ann.receive()
    assert len(bo.idle_at()) == 1
    assert ann.idle_at() == []
    clock.advance_to(1_329.0)
    assert ann.idle_at() == []
    clock.advance_to(1_336.0)
    assert len(ann.idle_at()) == 1


def test_a_forgotten_connection_is_not_reported_idle(clock: Clock, timeouts: IdleTimeouts) -> None:
    ann = Connection(clock)
    timeouts.watch(ann)
    timeouts.forget(ann)
    clock.advance_to(1_200.0)
    assert ann.idle_at() == []


class Ending(Connection):
    """A connection that ends when it is found idle."""

    def __init__(self, clock: Clock, timeouts: IdleTimeouts) -> None:
        super().__init__(clock)
        self._timeouts = timeouts

    def on_idle(self) -> None:
        super().on_idle()
        self._timeouts.forget(self)


def test_connections_that_end_as_they_are_found_idle_are_all_found(clock: Clock, timeouts: IdleTimeouts) -> None:
    people = [Ending(clock, timeouts) for _ in range(3)]
    for each in people:
        timeouts.watch(each)
    clock.advance_to(1_100.0)
    assert [len(each.idle_at()) for each in people] == [1, 1, 1]


class Broken(Connection):
    """A connection that fails when it is found idle."""

    def on_idle(self) -> None:
        raise ValueError("a fault of the connection")


def test_a_connection_that_fails_ends_nobody_elses_timeout(clock: Clock, timeouts: IdleTimeouts) -> None:
    timeouts.watch(Broken(clock))
    with pytest.raises(ValueError, match="a fault"):
        clock.advance_to(1_100.0)
    timeouts.watch(ann := Connection(clock))
    clock.advance_to(1_300.0)
    assert len(ann.idle_at()) == 1


def test_without_connections_there_is_no_timer(clock: Clock, timeouts: IdleTimeouts) -> None:
    timeouts.watch(Connection(clock))
    assert clock.has_timer()
    clock.advance_to(1_100.0)
    assert not clock.has_timer()
    timeouts.watch(ann := Connection(clock))
    clock.advance_to(1_200.0)
    assert len(ann.idle_at()) == 1
