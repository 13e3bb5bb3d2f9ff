"""A server with people in its rooms, kept from one step to the next, and opened anew after one that went wrong."""

import time
from types import TracebackType
from typing import Self

from bench.load import Load, TroubleComing
from bench.plan import Group, Outcome, Step
from bench.servers import Running, Server

HEARTBEAT_EVERY = 20.0


class Venue:
    """`with Venue(server, group) as venue:` opens when the first step is done."""

    def __init__(self, server: Server, *groups: Group) -> None:
        self.cpu = 0.0  # seconds the server used in the last step
        self.server = server
        self._groups = groups
        self._running: Running | None = None
        self._load: Load | None = None
        self._beat_at = 0.0

    def run(self, step: Step) -> Outcome:
        """One step."""
        running, load = self.open()
        if time.monotonic() - self._beat_at > HEARTBEAT_EVERY:
            if not load.heartbeat():
                self.close()
                running, load = self.open()
            self._beat_at = time.monotonic()
        before = running.cpu()
        outcome = load.run(step)
        self.cpu = running.cpu() - before
        if not outcome.is_clean or not load.settle():
            self.close()  # what is left of this step must not weigh on the next
        return outcome

    def cost(self, outcome: Outcome) -> float:
        """µs of the server's CPU for each delivery of the last step, of which this came; NaN where it went wrong."""
        return 1e6 * self.cpu / outcome.expected if outcome.is_clean else float("nan")

    def open(self) -> tuple[Running, Load]:
        """Have the server running and everybody in."""
        if self._running is None or self._load is None:
            self._running = Running(self.server).__enter__()
            self._load = Load(self._running.port).__enter__()
            try:
                for group in self._groups:
                    self._load.come(group)
            except TroubleComing:
                self.close()
                raise
            self._beat_at = time.monotonic()
        return self._running, self._load

    def close(self) -> None:
        """Everybody goes and the server ends."""
        if self._load is not None:
            self._load.__exit__(None, None, None)
        if self._running is not None:
            self._running.stop()
        self._load = self._running = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
