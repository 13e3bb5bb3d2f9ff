"""An outage: what is tried again and again is logged once when it fails, and once when it works again."""

import logging

import peewee

from schema.errors import first_error, in_one_line


class Outage:
    """Owns whether something fails, and how that was last said. Belongs to one thread."""

    def __init__(self, logger: logging.Logger, what: str) -> None:
        """`what` says what cannot be done."""
        self._logger = logger
        self._what = what
        self._kind: str | None = None

    def failed(self, error: Exception) -> None:
        """Logs the error in one line, unless one of its kind was logged. What is no database's has its traceback."""
        kind = _kind(error)
        if kind != self._kind:
            traceback = None if isinstance(error, peewee.PeeweeException) else error
            self._logger.warning(
                "%s, which will be tried again: %s", self._what, in_one_line(error), exc_info=traceback
            )
        self._kind = kind

    def end(self) -> None:
        """Logs that it works, if it did not."""
        if self._kind is not None:
            self._logger.warning("it is over that %s", self._what)
        self._kind = None


def _kind(error: Exception) -> str:
    """Tells errors apart that need something else done. A database that is away says so in many words."""
    if not isinstance(error, peewee.PeeweeException):
        return type(error).__name__
    first = first_error(error)
    state = getattr(first, "sqlstate", None)
    if state is not None:
        return "" if state[:2] in ("08", "57") else str(state)
    return str(getattr(first, "sqlite_errorcode", ""))
