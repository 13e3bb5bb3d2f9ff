"""What all HTTP handlers share: how an error is answered and logged."""

import logging
import re
from types import TracebackType
from typing import Any

from tornado.web import HTTPError, RequestHandler

logger = logging.getLogger(__name__)

_UNSHOWN = re.compile("(?<=/join/)[^/]+|[pdg]--[a-z2-7]{26}")
"""The code of a link, and the name of a room that is not public."""


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
        """Logs a bad request at info, where Tornado would warn of each: any client could fill the log.

        The query is left out, since tokens stand there, and so is what Tornado's error repeats of it; and what of the
        path is not for everybody.
        """
        path = _UNSHOWN.sub("…", self.request.path[:200])
        asked = f"{self.request.method:.20} {path!r}"
        if isinstance(error, HTTPError):
            logger.info("%d %s", error.status_code, asked)
        else:
            logger.error("%s failed", asked, exc_info=error)
