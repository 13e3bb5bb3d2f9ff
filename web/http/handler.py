"""What all HTTP handlers share: how an error is answered and logged."""

import logging
from types import TracebackType
from typing import Any

from tornado.web import HTTPError, RequestHandler

logger = logging.getLogger(__name__)


class Handler(RequestHandler):
    """A handler that answers an error in Phoenix's words."""

    def write_error(self, status_code: int, **_kwargs: Any) -> None:
        self.finish({"errors": {"detail": self._reason}})

    def log_exception(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Logs a bad request at info. Tornado would warn of each: any client could fill the log."""
        if isinstance(error, HTTPError):
            logger.info("%d %s %r: %s", error.status_code, self.request.method, self.request.uri, error)
        else:
            super().log_exception(error_type, error, traceback)
