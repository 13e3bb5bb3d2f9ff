"""The generator, seen from outside: people come, talk and go; several processes do it."""

import multiprocessing
import os
import resource
import time
from types import TracebackType
from typing import Any, Self

from bench.plan import SECOND, Arrival, Group, Outcome, Step, merge
from bench.worker import serve

PREPARATION = 6_000
"""Nanoseconds that laying down one message takes; half as much on any machine that was tried."""

_spawn = multiprocessing.get_context("spawn")


class JoinFailed(Exception):
    """Not everybody could connect and join."""


class LoadGenerator:
    """`with LoadGenerator(port) as generator:` has processes ready, with nobody connected."""

    def __init__(self, port: int, workers: int | None = None) -> None:
        self._port = port
        self._workers = workers or max(1, min(4, (os.cpu_count() or 2)))
        self._pipes: list[Any] = []
        self._processes: list[Any] = []

    def __enter__(self) -> Self:
        allow_many_files()
        for number in range(self._workers):
            ours, theirs = _spawn.Pipe()
            process = _spawn.Process(target=serve, args=(theirs, number, self._workers, self._port), daemon=True)
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

    def add_group(self, group: Group, **how: Any) -> Outcome:
        """Everybody in `group` connects and joins; returns when all is quiet. `how` is as in `Arrival`."""
        outcome = self.run(Step(arrival=Arrival(group, **how)))
        self.settle()
        if outcome.failed:
            raise JoinFailed(f"{outcome.failed} of {group.size} could not connect and join")
        return outcome

    def run(self, step: Step) -> Outcome:
        """One step, in all processes at once."""
        messages = sum(step.messages(talk) for talk in step.talks)
        people = step.arrival.group.size if step.arrival else 0
        preparation = SECOND // 20 + PREPARATION * messages + 4 * PREPARATION * people
        return merge(self._ask("run", step, time.monotonic_ns() + preparation))

    def settle(self) -> bool:
        """Listen until nothing comes any more; whether that was reached."""
        return all(self._ask("settle"))

    def heartbeat(self) -> bool:
        """Everybody says that they are still there, as Phoenix clients do every 30 s."""
        return all(self._ask("heartbeat"))

    def _ask(self, name: str, *arguments: object) -> list[Any]:
        for pipe in self._pipes:
            pipe.send((name, arguments))
        answers = [pipe.recv() for pipe in self._pipes]
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers


def allow_many_files() -> None:
    """Take as many open files as we may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def most_connections() -> int:
    """So many connections can a server have here, some files left for itself."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most - 200
