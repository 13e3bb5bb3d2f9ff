"""Runs a coroutine on a loop whose clock jumps to the next timer when nothing else is to be done."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Jump(selectors.SelectSelector):
    """Selects without waiting, and adds the time that it would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.jumped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "expected something to happen, nothing ever will"
            self.jumped += max(timeout, 0)
        return ready


class Loop(asyncio.SelectorEventLoop):
    """A loop in whose time nothing lasts but what waits."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.jumped


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs `coroutine` to its end, in no time."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(coroutine)


async def seconds() -> float:
    """Returns what the clock of the loop shows."""
    return asyncio.get_running_loop().time()
