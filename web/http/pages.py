"""The browser chat: its page, its files, and the headers that keep it to its own origin."""

import base64
import hashlib
import re
from pathlib import Path

from tornado.web import HTTPError, StaticFileHandler

from web.http.handler import Handler

CLIENT = Path(__file__).parents[1] / "client"

_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)


def content_security_policy(page: str) -> str:
    """What `page` may load: files of this origin, and the inline scripts that it has now (the import map)."""
    hashes = [_source_hash(script) for script in _INLINE_SCRIPT.findall(page)]
    return "; ".join(
        [
            "default-src 'none'",
            " ".join(["script-src 'self'", *hashes]),
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _source_hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


class SecureHandler(Handler):
    """A handler whose answers carry the security headers, errors too."""

    def set_default_headers(self) -> None:
        """Tornado calls it for every answer, and again before an error. The policy is a setting of the application."""
        self.set_header("Content-Security-Policy", self.settings["content_security_policy"])
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("X-Frame-Options", "DENY")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cross-Origin-Opener-Policy", "same-origin")
        self.clear_header("Server")


class PageHandler(SecureHandler):
    """`/` and `/rooms/<slug>`: the same page, which looks at its own address."""

    def initialize(self, page: str) -> None:
        """Tornado's constructor."""
        self._page = page

    def get(self) -> None:
        """The page."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        self.finish(self._page)

    head = get


class NotFoundHandler(SecureHandler):
    """Everything that is not there, whatever the method."""

    def prepare(self) -> None:
        """404 in Phoenix's words."""
        self.send_error(404)


class ClientFileHandler(SecureHandler, StaticFileHandler):
    """`/client/…`: revalidated at each load, so that a new version is never mixed with an old one."""

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Tornado would ask the file system for a name that none can have."""
        if "\0" in absolute_path:
            raise HTTPError(404)
        return super().validate_absolute_path(root, absolute_path)

    def set_extra_headers(self, path: str) -> None:
        """Have browsers ask whether it changed."""
        self.set_header("Cache-Control", "no-cache")

    def get_content_type(self) -> str:
        """What Python's table does not know everywhere."""
        if self.absolute_path and self.absolute_path.endswith((".js", ".mjs")):
            return "text/javascript; charset=utf-8"
        return super().get_content_type()
