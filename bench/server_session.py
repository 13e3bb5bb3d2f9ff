"""Keeps a server and its connections open over several steps.

After a step that is not clean, both are restarted.
"""

import time
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.load_generator import JoinFailed, LoadGenerator
from bench.plan import Group, Outcome, Step
from bench.servers import RunningServer, Server

HEARTBEAT_INTERVAL = 20.0


class ServerSession:
    """Owns a running server and a load generator whose `groups` have joined.

    `with ServerSession(server, group) as session:` starts both at the first step.
    """

    def __init__(self, server: Server, *groups: Group, database: Path | None = None) -> None:
        """The server gets a new database unless one is given."""
        self.server_cpu = 0.0  # seconds used in the last step
        self.server = server
        self._groups = groups
        self._database = database
        self._running: RunningServer | None = None
        self._generator: LoadGenerator | None = None
        self._last_heartbeat = 0.0

    def run(self, step: Step) -> Outcome:
        """Runs one step. A step that is not clean closes the session; the next one reopens it."""
        running, generator = self.open()
        if time.monotonic() - self._last_heartbeat > HEARTBEAT_INTERVAL:
            if not generator.heartbeat():
                self.close()
                running, generator = self.open()
            self._last_heartbeat = time.monotonic()
        before = running.cpu()
        outcome = generator.run(step)
        self.server_cpu = running.cpu() - before
        if not outcome.is_clean or not generator.wait_until_quiet():
            self.close()  # its backlog would slow the next step
        return outcome

    def cpu_per_delivery(self, outcome: Outcome) -> float:
        """Returns the server's µs of CPU a delivery; NaN unless clean. `outcome` is that of the last step."""
        return 1e6 * self.server_cpu / outcome.expected if outcome.is_clean else float("nan")

    def open(self) -> tuple[RunningServer, LoadGenerator]:
        """Starts the server and joins all groups, unless both are running."""
        if self._running is None or self._generator is None:
            self._running = RunningServer(self.server, self._database).__enter__()
            self._generator = LoadGenerator(self._running.port).__enter__()
            try:
                for group in self._groups:
                    self._generator.add_group(group)
            except JoinFailed:
                self.close()
                raise
            self._last_heartbeat = time.monotonic()
        return self._running, self._generator

    def close(self) -> None:
        """Closes all connections and stops the server."""
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
