"""What all handlers of HTTP requests share."""

import logging
from types import TracebackType
from typing import Any

from tornado.web import HTTPError, RequestHandler

logger = logging.getLogger(__name__)


class Handler(RequestHandler):
    """A handler that tells an error in Phoenix's words."""

    def write_error(self, status_code: int, **_kwargs: Any) -> None:
        """Tornado calls it where something is wrong with a request that got this far."""
        self.finish({"errors": {"detail": self._reason}})

    def log_exception(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Tornado would warn of each bad request: any client could fill the log."""
        if isinstance(error, HTTPError):
            logger.info("%d %s %r: %s", error.status_code, self.request.method, self.request.uri, error)
        else:
            super().log_exception(error_type, error, traceback)
