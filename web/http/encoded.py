"""Files that were compressed when they were made, and the choice of a form that the client takes."""

import hashlib
import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from web.http.secure import SecureHandler

FORMS = {"br": ".br", "gzip": ".gz"}
"""The ending of a file's form by its `Content-Encoding`, the smallest first."""

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
}
"""Python's own table lacks some of these on some systems."""


class Form(NamedTuple):
    """One form of a file."""

    encoding: str  # as `Content-Encoding` says it; "" for the file as it is
    body: bytes
    etag: str


class EncodedFile:
    """A file in memory, as it is and compressed."""

    def __init__(self, content_type: str, bodies: Mapping[str, bytes]) -> None:
        """`bodies` has them by their encoding, and the file as it is under ""."""
        self.content_type = content_type
        self._forms = {encoding: Form(encoding, body, _etag(body)) for encoding, body in bodies.items()}

    @classmethod
    def read(cls, path: Path) -> "EncodedFile":
        """Reads a file, and its forms where they are beside it. Raises `OSError`."""
        beside = {encoding: path.with_name(path.name + ending) for encoding, ending in FORMS.items()}
        bodies = {encoding: form.read_bytes() for encoding, form in beside.items() if form.exists()}
        known = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
        return cls(known or "application/octet-stream", {**bodies, "": path.read_bytes()})

    @property
    def text(self) -> str:
        """The file as it is."""
        return self._forms[""].body.decode()

    def form_for(self, accept_encoding: str) -> Form:
        """Returns the smallest form that a client takes which sends this `Accept-Encoding` (RFC 9110, 12.5.3)."""
        weights = dict(map(_weighed, accept_encoding.lower().split(",")))
        for encoding in FORMS:
            if encoding in self._forms and weights.get(encoding, weights.get("*", 0.0)) > 0:
                return self._forms[encoding]
        return self._forms[""]


def _weighed(part: str) -> tuple[str, float]:
    """Reads a part like `gzip;q=0.5`. One whose weight cannot be read is not taken."""
    name, _, parameter = part.partition(";")
    key, _, weight = parameter.partition("=")
    if not parameter.strip():
        return name.strip(), 1.0
    try:
        return name.strip(), float(weight) if key.strip() == "q" else 0.0
    except ValueError:
        return name.strip(), 0.0


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


class EncodedFileHandler(SecureHandler):
    """A handler that answers with an `EncodedFile`."""

    _form: Form | None = None

    def answer(self, file: EncodedFile, cache_control: str) -> None:
        """Answers with the form that the client takes, or 304 if it has that."""
        self._form = file.form_for(self.request.headers.get("Accept-Encoding", ""))
        self.set_header("Content-Type", file.content_type)
        self.set_header("Cache-Control", cache_control)
        self.set_header("Vary", "Accept-Encoding")
        if self._form.encoding:
            self.set_header("Content-Encoding", self._form.encoding)
        self.finish(self._form.body)

    def compute_etag(self) -> str | None:
        """Returns what was computed once, where Tornado would hash each body."""
        return self._form and self._form.etag
