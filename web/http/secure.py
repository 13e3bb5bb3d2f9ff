"""The headers that keep the page to its own origin, and the page that a person gets for an error."""

import base64
import hashlib
import html
import re
from http import HTTPStatus
from pathlib import Path
from typing import Any

from web.http.handler import Handler

ERROR_PAGE = (Path(__file__).parents[1] / "client" / "error.html").read_text(encoding="utf-8")
"""The page for an error, with `{{title}}` and `{{text}}` in it."""

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""The headers of every answer, beside the policy."""

_WORDS = {
    HTTPStatus.FORBIDDEN: ("The server refuses this", "It does not answer this under the address that you used."),
    HTTPStatus.NOT_FOUND: ("There is no page at this address", "It may have been mistyped, or be a link that was cut."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("This cannot be done here", "The address can only be read."),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        "Your browser sent too much",
        "Its cookies for this address, or the address itself, are too long. Clearing the cookies may help.",
    ),
}
_OTHER_WORDS = ("Something went wrong", "The server could not answer. It may work in a moment.")

_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)
_INLINE_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def content_security_policy(*pages: str) -> str:
    """Allows files of this origin, and the scripts and styles that are in `pages` now, by hash."""
    return "; ".join(
        [
            "default-src 'none'",
            " ".join(["script-src 'self'", *_hashes(_INLINE_SCRIPT, pages)]),
            " ".join(["style-src 'self'", *_hashes(_INLINE_STYLE, pages)]),
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "worker-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _hashes(inline: re.Pattern[str], pages: tuple[str, ...]) -> list[str]:
    found = (text for page in pages for text in inline.findall(page))
    return list(dict.fromkeys(map(_source_hash, found)))


def _source_hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def error_page(status: int, reason: str) -> str:
    """Returns the page for an error. `reason` is shown where there are no words for the status."""
    title, text = _WORDS.get(HTTPStatus(status), _OTHER_WORDS)
    shown = {"title": title, "text": text, "status": f"{status} {reason}"}
    return re.sub(r"{{(\w+)}}", lambda name: html.escape(shown[name[1]]), ERROR_PAGE)


class SecureHandler(Handler):
    """A handler that sets the security headers, on errors too."""

    def set_default_headers(self) -> None:
        """Sets the headers of every answer. The policy is a setting of the Tornado application."""
        self.set_header("Content-Security-Policy", self.settings["content_security_policy"])
        for name, value in SECURITY_HEADERS.items():
            self.set_header(name, value)
        self.clear_header("Server")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answers a person with a page, and a program in Phoenix's words."""
        self.set_header("Vary", "Accept")
        if "text/html" not in self.request.headers.get("Accept", ""):
            super().write_error(status_code, **kwargs)
            return
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(error_page(status_code, self._reason))
