"""Runs a real Chatter in its own process, for tests that talk to it over sockets."""

import atexit
import contextlib
import multiprocessing
import multiprocessing.connection
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from tests.support import phoenix_client
from tests.support.ports import free_port
from tests.support.templates import copy_sqlite
from web.main import main

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds: more than the slowest machine needs, as only a failure waits so long."""


_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["web.main", "uvloop", "tornado.platform.asyncio", "tests.support.frozen"])
"""Each server is forked from a process that has imported what it needs, which saves 0.6 s of imports each time."""

IS_CLUSTERED = os.environ.get("CHATTER_TESTS_ON") == "cluster"
"""Each server is one of two nodes, so that what its clients see is shown of a cluster, too."""

NO_AUTHORITIES = {"SSL_CERT_FILE": os.devnull}
"""Servers of tests trust no certificates, unless a test names some: to read the system's is a quarter of a start."""


class Server:
    """`with Server(database) as server:` starts `chatter serve` on a free port of 127.0.0.1.

    `database` is a SQLite file; the log is beside it. With a `database_url` messages are kept there instead.
    `options` are settings by their field names: `Server(path, idle_timeout=1)` passes `--idle-timeout 1`. Rate limits
    are off, since tests ask faster than people do, and a client may be silent while other tests run. The process sees
    no CHATTER_ variables but those in `environment`.
    `stop()` ends it, `start()` starts it again on the same port.
    """

    def __init__(
        self,
        database: Path,
        environment: dict[str, str] | None = None,
        *,
        database_url: str | None = None,
        **options: object,
    ) -> None:
        self.database = database
        self.database_url = database_url or f"sqlite:///{database}"
        self.port = free_port(self) if sys.platform == "linux" else 0
        self._environment = environment or {}
        self._options = options
        self._process: multiprocessing.context.ForkServerProcess | None = None
        self._beside: Server | None = None  # another node

    @property
    def url(self) -> str:
        """The address of the page, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.is_alive()

    @property
    def log(self) -> str:
        """What the process wrote to stderr so far."""
        return self._log.read_text()

    @property
    def pid(self) -> int:
        """The id of the process."""
        assert self._process is not None
        assert self._process.pid is not None
        return self._process.pid

    def start(self) -> None:
        """Starts the server, and returns at its ready line. Fails at once if the process ends before."""
        if IS_CLUSTERED and "cluster" not in self._options:
            self._join_cluster()
        places = {"database": self.database_url, "spool_folder": self.database.parent}
        options = {"host": "127.0.0.1", "port": self.port, "rate_limits": "off", "idle_timeout": 600, **places}
        options |= self._options
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        self._log.touch()
        if self._process is None and self._is_new:
            copy_sqlite(self.database)
        environment = _plain_environment() | NO_AUTHORITIES | self._environment
        output, its_output = _processes.Pipe(duplex=False)
        self._process = _processes.Process(
            target=_run, args=(["serve", *arguments], environment, its_output, self._log)
        )
        self._process.start()
        its_output.close()  # only the process holds it now, so its output ends when the process does
        with output:
            ready = _first_line(output)
        match = re.fullmatch(r"Chatter is ready at http://127\.0\.0\.1:(\d+)\n", ready)
        if match is None:
            self._process.join(PATIENCE if ready == "" else 0)
            self._process.kill()
            self._process.join()
            got = f"got {ready!r} and exit code {self._process.exitcode}"
            raise AssertionError(f"expected the ready line, {got}; stderr:\n{self.log}")
        self.port = int(match[1])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends SIGTERM, or another signal that stops the server, and returns the exit code."""
        return self._end(number)

    def kill(self) -> None:
        """Sends SIGKILL."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int:
        process = self._process
        assert process is not None
        with contextlib.suppress(ProcessLookupError):  # it may have ended, after an earlier signal of the test
            os.kill(self.pid, number)
        process.join(PATIENCE)
        code = process.exitcode
        process.kill()
        process.join()
        assert code is not None, f"expected it to stop within {PATIENCE} s"
        return code

    @property
    def _is_new(self) -> bool:
        """Whether the server would have to make its tables. That it does is shown by the tests of the package."""
        is_own = self.database_url == f"sqlite:///{self.database}"
        return is_own and self.database.parent.exists() and not os.path.lexists(self.database)

    @property
    def _log(self) -> Path:
        return self.database.with_suffix(".log")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.is_running:
            self.stop()
        if self._beside is not None:
            self._beside.kill()

    def _join_cluster(self) -> None:
        """Makes this one of two nodes of a cluster of their own; clients are on this one."""
        from tests.support import clustered  # which needs this module

        if self.database_url.startswith("sqlite"):
            self.database_url = clustered.database_of(self.database_url)
        shared = clustered.options_of(self.database_url)
        of_both = {**self._options, **shared}
        self._beside = Server(
            self.database.with_name("beside.db"), database_url=self.database_url, **{**of_both, "node": "beside"}
        )
        atexit.register(self._beside.kill)  # not every test ends its server
        self._options = {**of_both, "node": "here"}
        self._beside.start()
        phoenix_client.NODES[self.port] = (self.port, self._beside.port)


class Ended(NamedTuple):
    """Ended is the exit code and the output of a command."""

    exit_code: int | None
    stdout: str
    stderr: str


def run_to_its_end(*arguments: str, **environment: str) -> Ended:
    """Runs `chatter` in its own process to its end. It sees no variables but those in `environment`."""
    output, its_output = _processes.Pipe(duplex=False)
    with tempfile.TemporaryDirectory() as folder:
        errors = Path(folder) / "stderr"
        process = _processes.Process(target=_run, args=(list(arguments), environment, its_output, errors))
        process.start()
        its_output.close()
        with output, open(output.fileno(), closefd=False) as written:
            stdout = written.read()
        process.join(PATIENCE)
        return Ended(process.exitcode, stdout, errors.read_text())


def _run(
    arguments: list[str], environment: dict[str, str], output: multiprocessing.connection.Connection, log: Path
) -> None:
    """Runs the command in the new process, with the environment and output that a shell would give it."""
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    with output, log.open("ab") as errors:
        os.dup2(output.fileno(), 1)
        os.dup2(errors.fileno(), 2)
    sys.exit(main(arguments))


def _first_line(output: multiprocessing.connection.Connection) -> str:
    """Returns the first line of a process's output; "" if the output ends before, or after `PATIENCE` without any."""
    if not output.poll(PATIENCE):
        return ""
    with open(output.fileno(), closefd=False) as lines:
        return lines.readline()


def wait_until(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Waits until `condition()` is true; fails after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"{condition} did not come true within {patience} s"
        time.sleep(0.02)


def _plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CHATTER_")}
