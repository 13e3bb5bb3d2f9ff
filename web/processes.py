"""Several nodes of a cluster on one machine: processes that share a port, kept running by the one that started them.

Each binds the port for itself (`SO_REUSEPORT`, socket(7)): the kernel spreads connections over those that listen, so
that one that starts or has died gets none.
"""

import contextlib
import gc
import logging
import os
import signal
import time
from collections.abc import Callable
from typing import NamedTuple, NoReturn, TypeAlias

logger = logging.getLogger(__name__)

RESTART_PAUSE = 1.0
"""Seconds before a process that has ended is started again."""

MAX_READY_BYTES = 4_096
"""Of what a process says when it is ready: a pipe takes that as a whole."""


class Parent(NamedTuple):
    """What a process has of the one that started it."""

    lifeline: int
    """A file that can be read once the parent is gone."""

    ready: int
    """The file to which it writes what it says when it is ready."""


Serve: TypeAlias = Callable[[int, Parent], int]
"""Runs the process of a number, from 1, and returns its exit code."""


class Processes:
    """Starts processes, starts those again that end, and ends all when it is told to."""

    def __init__(self, count: int, serve: Serve) -> None:
        self._count = count
        self._serve = serve
        self._numbers: dict[int, int] = {}  # of those that run, by their ids
        self._is_stopping = False
        self._lifeline, self._held = os.pipe()

    def run(self, announce: Callable[[str], object]) -> int:
        """Runs all until SIGTERM or SIGINT, and returns the exit code: the first one's where that cannot start.

        Calls `announce` with what the first one says, once all are ready.
        """
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, self._stop)
        gc.freeze()  # what is imported by now stays memory that all share
        ready = self._start(1)
        if not ready:
            return self._exit_code(self._wait_for_one()[1])
        for number in range(2, self._count + 1):
            self._start(number)
        if not self._is_stopping:
            announce(ready)
        return self._keep_running()

    def _keep_running(self) -> int:
        codes = [0]
        while self._numbers:
            number, end = self._wait_for_one()
            if self._is_stopping:
                codes.append(self._exit_code(end))
                continue
            logger.error("process %d %s, and is started again", number, _in_words(end))
            time.sleep(RESTART_PAUSE)
            self._start(number)
        return max(codes)

    def _start(self, number: int) -> str:
        """Starts a process, and returns what it says when it is ready; nothing where it ends before."""
        if self._is_stopping:
            return ""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            self._become(number, Parent(self._lifeline, writing))
        os.close(writing)
        self._add(pid, number)
        said = os.read(reading, MAX_READY_BYTES).decode()
        os.close(reading)
        return said

    def _add(self, pid: int, number: int) -> None:
        self._numbers[pid] = number
        if self._is_stopping:  # this process was told so before it knew that one
            os.kill(pid, signal.SIGTERM)

    def _become(self, number: int, parent: Parent) -> NoReturn:
        """Goes on as the process of that number."""
        code = 1
        try:
            for each in (signal.SIGTERM, signal.SIGINT):
                signal.signal(each, signal.SIG_DFL)
            if self._is_stopping:  # this process was told so while it still had the handler of its parent
                os._exit(0)
            os.close(self._held)  # which only the parent holds, so that it ends with the parent
            code = self._serve(number, parent)
        finally:
            os._exit(code)

    def _wait_for_one(self) -> tuple[int, int]:
        """Waits until a process ends, and returns its number and its exit code, or minus the signal that ended it."""
        pid, status = os.waitpid(-1, 0)
        return self._numbers.pop(pid), os.waitstatus_to_exitcode(status)

    def _exit_code(self, end: int) -> int:
        is_told = self._is_stopping and end == -signal.SIGTERM  # before it could do so in order
        return 0 if is_told else end if end >= 0 else 1

    def _stop(self, *_signal: object) -> None:
        self._is_stopping = True
        for pid in self._numbers:
            with contextlib.suppress(ProcessLookupError):  # it has ended, and is about to be forgotten
                os.kill(pid, signal.SIGTERM)


def _in_words(end: int) -> str:
    return f"has ended with {end}" if end >= 0 else f"was ended by signal {-end} ({signal.strsignal(-end)})"
