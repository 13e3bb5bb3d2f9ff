"""The browser chat: its page and its files, bundled or as they are."""

import os
import re
from collections.abc import Generator
from http import HTTPStatus
from pathlib import Path

from tornado.web import HTTPError, StaticFileHandler

from chatter.messages import SLUG
from web.http.bundle import Bundle
from web.http.encoded import EncodedFile, EncodedFileHandler
from web.http.secure import SecureHandler

CLIENT = Path(__file__).parents[1] / "client"

REVALIDATED = "no-cache"
"""Browsers ask at each load whether the file has changed, so that versions are never mixed."""

IMMUTABLE = "public, max-age=31536000, immutable"
"""Browsers never ask again: the address has the content's hash in it."""


_SEQ = re.compile("[1-9][0-9]{0,14}")
"""A message's place as the page can read it: JavaScript's whole numbers have 15 digits in any case."""


class Client:
    """The browser client: the page of its sources, and the bundle of them if there is one."""

    def __init__(self, bundle: Bundle | None) -> None:
        self.icon = EncodedFile.read(CLIENT / "icons" / "favicon.ico")
        self._source_page = EncodedFile.read(CLIENT / "index.html")
        self._bundle = bundle

    @property
    def pages(self) -> list[str]:
        """The pages that may be served, as text."""
        return [file.text for file in (self._source_page, self._bundle and self._bundle.page) if file]

    @property
    def bundle(self) -> Bundle | None:
        """The bundle, until one of its sources is edited."""
        return self._bundle if self._bundle and self._bundle.sources.are_unchanged() else None

    @property
    def page(self) -> EncodedFile:
        """The page, which reads its own address."""
        bundle = self.bundle
        return bundle.page if bundle else self._source_page

    def asset(self, name: str) -> EncodedFile | None:
        """Returns a file of the bundle. A page that was loaded before an edit still finds what it needs."""
        return self._bundle.assets.get(name) if self._bundle else None


class _PageHandler(EncodedFileHandler):
    """Has the page."""

    def initialize(self, client: Client) -> None:
        self._client = client

    def show(self) -> None:
        self.answer(self._client.page, REVALIDATED)


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
        if not SLUG.fullmatch(slug) or not (seq is None or _SEQ.fullmatch(seq)):
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


class ServiceWorkerHandler(_PageHandler):
    """`/sw.js`: the service worker, at the root since it answers for all pages below its own address."""

    def get(self) -> None:
        bundle = self._client.bundle
        if bundle is None:
            raise HTTPError(404)
        self.answer(bundle.service_worker, REVALIDATED)

    head = get


class AssetHandler(_PageHandler):
    """`/assets/<name>-<hash>.js`: a file of the bundle."""

    def get(self, name: str) -> None:
        file = self._client.asset(name)
        if file is None:
            raise HTTPError(404)
        self.answer(file, IMMUTABLE)

    head = get


class IconHandler(_PageHandler):
    """`/favicon.ico`, where browsers look for an icon that no page has named."""

    def get(self) -> None:
        self.answer(self._client.icon, REVALIDATED)

    head = get


class NotFoundHandler(SecureHandler):
    """Answers 404 to any other address, with any method, in Phoenix's words."""

    def prepare(self) -> None:
        self.send_error(404)


class ClientFileHandler(SecureHandler, StaticFileHandler):
    """`/client/…`: the sources, and what no bundle has: icons and the manifest."""

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Refuses NUL, with which the file system raises an error that Tornado does not expect."""
        if "\0" in absolute_path:
            raise HTTPError(404)
        return super().validate_absolute_path(root, absolute_path)

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", REVALIDATED)

    @classmethod
    def get_content(
        cls, abspath: str, start: int | None = None, end: int | None = None
    ) -> Generator[bytes, None, None]:
        """Reads the file at once: Tornado would keep it open for as long as a client reads it."""
        yield Path(abspath).read_bytes()[start:end]

    def compute_etag(self) -> str | None:
        """Tells versions apart by time and size. Tornado's own hash is of the first version that it has sent."""
        assert self.absolute_path is not None
        status = os.stat(self.absolute_path)
        return f'"{status.st_mtime_ns:x}-{status.st_size:x}"'

    def get_content_type(self) -> str:
        """Names the type of modules, which Python's table lacks on some systems."""
        if self.absolute_path and self.absolute_path.endswith((".js", ".mjs")):
            return "text/javascript; charset=utf-8"
        return super().get_content_type()
