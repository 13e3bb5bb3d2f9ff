"""The browser chat: its page, its files, and the headers that keep it to its own origin."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

from tornado.web import RequestHandler, StaticFileHandler

CLIENT = Path(__file__).parent / "client"

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


class Page:
    """The chat's page, read once, with its policy."""

    def __init__(self) -> None:
        self.html = (CLIENT / "index.html").read_text(encoding="utf-8")
        self.policy = content_security_policy(self.html)


class SecureHandler(RequestHandler):
    """A handler whose answers carry the security headers."""

    def initialize(self, page: Page) -> None:
        """Tornado's constructor."""
        self._page = page

    def prepare(self) -> None:
        """Before any answer, also an error."""
        set_security_headers(self, self._page.policy)

    def write_error(self, status_code: int, **_kwargs: Any) -> None:
        """Phoenix's words for an error."""
        self.finish({"errors": {"detail": self._reason}})


class PageHandler(SecureHandler):
    """`/` and `/rooms/<slug>`: the same page, which looks at its own address."""

    def get(self) -> None:
        """The page."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        self.finish(self._page.html)

    head = get


class NotFoundHandler(SecureHandler):
    """Everything that is not there, whatever the method."""

    def prepare(self) -> None:
        """404 in Phoenix's words."""
        super().prepare()
        self.send_error(404)


class ClientFileHandler(StaticFileHandler):
    """`/client/…`: revalidated at each load, so that a new version is never mixed with an old one."""

    def initialize(self, path: str, page: Page) -> None:  # type: ignore[override]
        """Tornado's constructor."""
        super().initialize(path)
        self._policy = page.policy

    def prepare(self) -> None:
        """Before any answer."""
        set_security_headers(self, self._policy)

    def set_extra_headers(self, path: str) -> None:
        """Have browsers ask whether it changed."""
        self.set_header("Cache-Control", "no-cache")

    def get_content_type(self) -> str:
        """What Python's table does not know everywhere."""
        if self.absolute_path and self.absolute_path.endswith((".js", ".mjs")):
            return "text/javascript; charset=utf-8"
        return super().get_content_type()


def set_security_headers(handler: RequestHandler, policy: str) -> None:
    """The headers that every page, file and answer carries."""
    handler.set_header("Content-Security-Policy", policy)
    handler.set_header("X-Content-Type-Options", "nosniff")
    handler.set_header("X-Frame-Options", "DENY")
    handler.set_header("Referrer-Policy", "no-referrer")
    handler.set_header("Cross-Origin-Opener-Policy", "same-origin")
    handler.clear_header("Server")
