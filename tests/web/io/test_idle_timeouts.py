"""Who has been silent for too long, on a clock that a test moves."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from web.io.idle_timeouts import IdleTimeouts


class Clock:
    """A loop's clock and timers: time passes when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self._timers: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, call: Callable[[], None]) -> object:
        self._timers.append((self.now + delay, call))
        return object()

    def pass_to(self, moment: float) -> None:
        """Let the timers ring that are due until then, each at its time."""
        while self._timers and min(self._timers)[0] <= moment:
            self.now, call = self._timers.pop(self._timers.index(min(self._timers)))
            call()
        self.now = moment

    def rings(self) -> bool:
        """Whether a timer is set."""
        return bool(self._timers)


class Person:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.last_heard_at = clock.now
        self.due = 0
        self._found_silent: list[float] = []

    def speaks(self) -> None:
        self.last_heard_at = self._clock.now

    def on_idle(self) -> None:
        self._found_silent.append(self._clock.now)

    def found_silent(self) -> list[float]:
        """When it was."""
        return list(self._found_silent)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def silence(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> IdleTimeouts:
    monkeypatch.setattr("web.io.idle_timeouts.asyncio.get_running_loop", lambda: cast(Any, clock))
    return IdleTimeouts(60.0)


def test_one_who_says_nothing_is_found_when_the_patience_ends(clock: Clock, silence: IdleTimeouts) -> None:
    ann = Person(clock)
    silence.watch(ann)
    clock.pass_to(1_059.9)
    assert ann.found_silent() == []
    clock.pass_to(1_070.0)
    [moment] = ann.found_silent()
    assert 1_060.0 <= moment <= 1_066.0


def test_whoever_is_heard_has_the_whole_patience_again(clock: Clock, silence: IdleTimeouts) -> None:
    ann, bo = Person(clock), Person(clock)
    silence.watch(ann)
    silence.watch(bo)
    for moment in range(1_030, 1_300, 30):
        clock.pass_to(float(moment))
        ann.speaks()
    assert len(bo.found_silent()) == 1
    assert ann.found_silent() == []
    clock.pass_to(1_329.0)
    assert ann.found_silent() == []
    clock.pass_to(1_336.0)
    assert len(ann.found_silent()) == 1


def test_one_who_is_forgotten_is_not_looked_for(clock: Clock, silence: IdleTimeouts) -> None:
    ann = Person(clock)
    silence.watch(ann)
    silence.forget(ann)
    clock.pass_to(1_200.0)
    assert ann.found_silent() == []


def test_without_anybody_no_clock_ticks(clock: Clock, silence: IdleTimeouts) -> None:
    silence.watch(Person(clock))
    assert clock.rings()
    clock.pass_to(1_100.0)
    assert not clock.rings()
    silence.watch(ann := Person(clock))
    clock.pass_to(1_200.0)
    assert len(ann.found_silent()) == 1
