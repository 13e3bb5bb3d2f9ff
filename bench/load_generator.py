"""Starts the generator's processes and runs each step in all of them at once."""

import multiprocessing
import os
import resource
import time
from types import TracebackType
from typing import Any, Self

from bench.plan import SECOND, Arrival, Group, Outcome, Step, merge
from bench.worker import run_worker

PLANNING_NS = 6_000
"""Nanoseconds allowed to plan one message before a step begins. Every machine tried needed half of that."""

_spawn = multiprocessing.get_context("spawn")


class JoinFailed(Exception):
    """Some people of a group could not connect and join."""


class LoadGenerator:
    """Owns the worker processes.

    `with LoadGenerator(port) as generator:` starts them, without connections. With several ports the people of each
    room are spread over them.
    """

    def __init__(self, *ports: int, workers: int | None = None) -> None:
        self._ports = ports
        self._workers = workers or max(1, min(4, (os.cpu_count() or 2)))
        self._pipes: list[Any] = []
        self._processes: list[Any] = []

    def __enter__(self) -> Self:
        raise_file_limit()
        for number in range(self._workers):
            ours, theirs = _spawn.Pipe()
            process = _spawn.Process(target=run_worker, args=(theirs, number, self._workers, self._ports), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for pipe, process in zip(self._pipes, self._processes, strict=True):
            if process.is_alive():
                pipe.send(("close", ()))
            process.join(5)
            if process.is_alive():
                process.kill()
            pipe.close()

    def add_group(self, group: Group, **arrival: Any) -> Outcome:
        """Connects and joins everybody in `group`; returns when the server is quiet.

        `arrival` has further fields of `Arrival`. Raises `JoinFailed`.
        """
        outcome = self.run(Step(arrival=Arrival(group, **arrival)))
        self.wait_until_quiet()
        if outcome.failed:
            raise JoinFailed(f"{outcome.failed} of {group.size} could not connect and join")
        return outcome

    def run(self, step: Step) -> Outcome:
        """Runs one step in all processes and merges their outcomes."""
        messages = sum(step.messages(traffic) for traffic in step.traffic)
        people = step.arrival.group.size if step.arrival else 0
        planning = SECOND // 20 + PLANNING_NS * messages + 4 * PLANNING_NS * people
        return merge(self._call_all("run", step, time.monotonic_ns() + planning))

    def wait_until_quiet(self) -> bool:
        """Receives until nothing more arrives; returns False if that takes too long."""
        return all(self._call_all("wait_until_quiet"))

    def heartbeat(self) -> bool:
        """Sends a heartbeat on every connection; returns whether all were answered."""
        return all(self._call_all("heartbeat"))

    def _call_all(self, name: str, *arguments: object) -> list[Any]:
        for pipe in self._pipes:
            pipe.send((name, arguments))
        answers = [pipe.recv() for pipe in self._pipes]
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers


def raise_file_limit() -> None:
    """Raises the soft limit of open files to the hard limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def max_connections() -> int:
    """Returns how many connections a server can hold: all open files but 200."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most - 200
