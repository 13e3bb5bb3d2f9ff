"""The call guard: ends a database call that takes too long.

PostgreSQL's own time limits end a call that the server works on, the kernel's one whose packets nobody acknowledges.
This also ends a call to a proxy or a pooler that takes packets and never answers.
"""

import asyncio
import logging
import os
import socket
import sqlite3
import time
from types import TracebackType
from typing import Any

from schema import Database

logger = logging.getLogger(__name__)


class CallGuard:
    """Guards the calls of one thread: `with guard:` begins and ends one. Made on the loop, which looks after it."""

    def __init__(self, database: Database, timeout: float) -> None:
        """`timeout` is in seconds; a call is ended a quarter of it later at most."""
        self._database = database
        self._timeout = timeout
        self._connection: Any = None
        self._since: float | None = None
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(timeout / 4, self._check)

    def close(self) -> None:
        """Stops looking after calls."""
        self._timer.cancel()

    def __enter__(self) -> None:
        self._connection = self._database.connection()
        self._since = time.monotonic()

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._since = None

    def _check(self) -> None:
        self._timer = self._loop.call_later(self._timeout / 4, self._check)
        since = self._since
        if since is not None and time.monotonic() - since > self._timeout:
            logger.error("a database call has not returned within %g s and is ended", self._timeout)
            _interrupt(self._connection)


def _interrupt(connection: Any) -> None:
    """Makes the call that runs on a connection raise. May be called from another thread."""
    try:
        if isinstance(connection, sqlite3.Connection):
            connection.interrupt()
        else:
            with socket.socket(fileno=os.dup(connection.fileno())) as file:
                file.shutdown(socket.SHUT_RDWR)
    except Exception as error:  # it may have ended in this moment
        logger.info("a database call could not be ended: %r", error)
