"""What all handlers of HTTP requests share."""

from typing import Any

from tornado.web import RequestHandler


class Handler(RequestHandler):
    """A handler that tells an error in Phoenix's words."""

    def write_error(self, status_code: int, **_kwargs: Any) -> None:
        """Tornado calls it where something is wrong with a request that got this far."""
        self.finish({"errors": {"detail": self._reason}})
