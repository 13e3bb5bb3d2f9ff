"""A server with people in its rooms, kept from one step to the next, and opened anew after one that went wrong."""

import time
from types import TracebackType
from typing import Self

from bench.load_generator import JoinFailed, LoadGenerator
from bench.plan import Group, Outcome, Step
from bench.servers import RunningServer, Server

HEARTBEAT_EVERY = 20.0


class ServerSession:
    """`with ServerSession(server, group) as session:` opens when the first step is done."""

    def __init__(self, server: Server, *groups: Group) -> None:
        self.cpu = 0.0  # seconds the server used in the last step
        self.server = server
        self._groups = groups
        self._running: RunningServer | None = None
        self._generator: LoadGenerator | None = None
        self._beat_at = 0.0

    def run(self, step: Step) -> Outcome:
        """One step."""
        running, generator = self.open()
        if time.monotonic() - self._beat_at > HEARTBEAT_EVERY:
            if not generator.heartbeat():
                self.close()
                running, generator = self.open()
            self._beat_at = time.monotonic()
        before = running.cpu()
        outcome = generator.run(step)
        self.cpu = running.cpu() - before
        if not outcome.is_clean or not generator.settle():
            self.close()  # what is left of this step must not weigh on the next
        return outcome

    def cost(self, outcome: Outcome) -> float:
        """µs of the server's CPU for each delivery of the last step, of which this came; NaN where it went wrong."""
        return 1e6 * self.cpu / outcome.expected if outcome.is_clean else float("nan")

    def open(self) -> tuple[RunningServer, LoadGenerator]:
        """Have the server running and everybody in."""
        if self._running is None or self._generator is None:
            self._running = RunningServer(self.server).__enter__()
            self._generator = LoadGenerator(self._running.port).__enter__()
            try:
                for group in self._groups:
                    self._generator.add_group(group)
            except JoinFailed:
                self.close()
                raise
            self._beat_at = time.monotonic()
        return self._running, self._generator

    def close(self) -> None:
        """Everybody goes and the server ends."""
        if self._generator is not None:
            self._generator.__exit__(None, None, None)
        if self._running is not None:
            self._running.stop()
        self._generator = self._running = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
