"""The browser chat: its page, its files, and the headers that keep it to its own origin."""

import base64
import hashlib
import html
import re
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tornado.web import HTTPError, StaticFileHandler

from web.http.handler import Handler

CLIENT = Path(__file__).parents[1] / "client"

_SLUG = re.compile("[a-z0-9][a-z0-9_-]{0,63}")

_SEQ = re.compile("[1-9][0-9]{0,14}")
"""A message's place as the page can read it: JavaScript's whole numbers have 15 digits in any case."""

_ERROR_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>%(what)s – Chatter</title>
<h1>%(what)s</h1>
<p><a href="/">Go to the chat</a></p>
</html>
"""

_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)


def content_security_policy(page: str) -> str:
    """Allows `page` to load files of this origin, and the inline scripts that it has now (the import map)."""
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
    """A handler that sets the security headers, on errors too."""

    def set_default_headers(self) -> None:
        """Sets the headers of every answer. The policy is a setting of the Tornado application."""
        self.set_header("Content-Security-Policy", self.settings["content_security_policy"])
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("X-Frame-Options", "DENY")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cross-Origin-Opener-Policy", "same-origin")
        self.clear_header("Server")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answers a person with a page, and a program in Phoenix's words."""
        self.set_header("Vary", "Accept")
        if "text/html" not in self.request.headers.get("Accept", ""):
            super().write_error(status_code, **kwargs)
            return
        self.set_header("Content-Type", "text/html; charset=utf-8")
        what = "There is no page at this address" if status_code == HTTPStatus.NOT_FOUND else self._reason
        self.finish(_ERROR_PAGE % {"what": html.escape(what)})


class _PageHandler(SecureHandler):
    """Has the page, which reads its own address."""

    def initialize(self, page: str) -> None:
        self._page = page

    def show(self) -> None:
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-cache")
        self.finish(self._page)


class PageHandler(_PageHandler):
    """`/`: the page."""

    def get(self) -> None:
        self.show()

    head = get


class RoomPageHandler(_PageHandler):
    """`/rooms/<slug>` and `/rooms/<slug>/<seq>`: the same page. Another spelling of the slug leads there."""

    def get(self, name: str, seq: str | None = None) -> None:
        slug = name.lower()
        path = f"/rooms/{slug}" if seq is None else f"/rooms/{slug}/{seq}"
        if not _SLUG.fullmatch(slug) or not (seq is None or _SEQ.fullmatch(seq)):
            self.send_error(HTTPStatus.NOT_FOUND)
        elif self.request.path == path:
            self.show()
        else:
            query = f"?{self.request.query}" if self.request.query else ""
            self.redirect(f"{path}{query}", permanent=True)

    head = get

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """Reads a part that is not UTF-8 as one that does not exist."""
        return value.decode(errors="replace")


class NotFoundHandler(SecureHandler):
    """Answers 404 to any other address, with any method, in Phoenix's words."""

    def prepare(self) -> None:
        self.send_error(404)


class ClientFileHandler(SecureHandler, StaticFileHandler):
    """`/client/…`: browsers revalidate each file at each load, so that versions are never mixed."""

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Refuses NUL, with which the file system raises an error that Tornado does not expect."""
        if "\0" in absolute_path:
            raise HTTPError(404)
        return super().validate_absolute_path(root, absolute_path)

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "no-cache")

    def get_content_type(self) -> str:
        """Names the type of modules, which Python's table lacks on some systems."""
        if self.absolute_path and self.absolute_path.endswith((".js", ".mjs")):
            return "text/javascript; charset=utf-8"
        return super().get_content_type()
