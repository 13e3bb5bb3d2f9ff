"""The page of a Phoenix chat tutorial, in a browser, served from another origin."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.chromium import chromium
from tests.support.server import ROOT, Server
from tests.support.serving import serving

pytestmark = pytest.mark.browser

PAGE = Path(__file__).with_name("tutorial_page.html")
PHOENIX = ROOT / "web" / "client" / "node_modules" / "phoenix" / "priv" / "static" / "phoenix.js"
OPTIONS = {"/": "{}", "/polling": "{transport: Phoenix.LongPoll}"}


class TutorialSite(ThreadingHTTPServer):
    """TutorialSite is the web server of the tutorial, on its own port."""

    socket_url = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _File)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _File(BaseHTTPRequestHandler):
    server: TutorialSite

    def do_GET(self) -> None:
        if self.path == "/phoenix.js":
            self._answer("text/javascript", PHOENIX.read_text())
        elif self.path in OPTIONS:
            page = PAGE.read_text().replace("SOCKET_URL", self.server.socket_url)
            self._answer("text/html", page.replace("OPTIONS", OPTIONS[self.path]))
        else:
            self.send_error(404)

    def _answer(self, kind: str, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args: object) -> None:
        """Keeps the log out of stderr."""


@pytest.fixture
def site() -> Iterator[TutorialSite]:
    site = TutorialSite()
    with serving(site):
        yield site


@pytest.fixture
def chatter(site: TutorialSite, database: Path) -> Iterator[Server]:
    """Starts a server that allows the origin of the tutorial."""
    with Server(database, allowed_origins=site.origin) as server:
        site.socket_url = f"ws://127.0.0.1:{server.port}/socket"
        yield server


@pytest.fixture(scope="module")
def launched() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def browser(launched: Browser) -> Iterator[Browser]:
    """A browser whose pages end with the test: they would connect for ever to who has the port next."""
    yield launched
    for context in launched.contexts:
        context.close()


@pytest.fixture
def refused_page(browser: Browser, site: TutorialSite, database: Path) -> Iterator[Page]:
    """Makes a page to open, and starts a server that does not allow its origin."""
    with Server(database, allowed_origins="http://other.example") as server:
        site.socket_url = f"ws://127.0.0.1:{server.port}/socket"
        yield browser.new_context().new_page()


def visit(browser: Browser, address: str) -> Page:
    page = browser.new_context().new_page()
    page.goto(address)
    return page


def say(page: Page, name: str, message: str) -> None:
    page.fill("#name", name)
    page.fill("#message", message)
    page.press("#message", "Enter")


def expect_messages(page: Page, *messages: str) -> None:
    expect(page.locator("#messages li")).to_have_text(list(messages))


@pytest.mark.parametrize("path", OPTIONS)
@pytest.mark.usefixtures("chatter")
def test_two_pages_talk_and_a_reload_shows_the_recent_messages(browser: Browser, site: TutorialSite, path: str) -> None:
    ann, bo = visit(browser, site.origin + path), visit(browser, site.origin + path)
    for page in (ann, bo):
        expect(page.locator("body")).to_have_class("joined")
    say(ann, "ann", "hello")
    expect_messages(bo, "ann: hello")
    say(bo, "bo", "hi ann")
    for page in (ann, bo):
        expect_messages(page, "ann: hello", "bo: hi ann")
    bo.reload()
    expect_messages(bo, "ann: hello", "bo: hi ann")


@pytest.mark.usefixtures("chatter")
def test_a_reload_shows_no_more_than_the_ten_latest_messages(browser: Browser, site: TutorialSite) -> None:
    ann = visit(browser, site.origin)
    for number in range(1, 13):
        say(ann, "ann", f"number {number}")
    expect(ann.locator("#messages li")).to_have_count(12)
    ann.reload()
    expect_messages(ann, *[f"ann: number {number}" for number in range(3, 13)])


@pytest.mark.parametrize("path", OPTIONS)
def test_a_page_reconnects_by_itself_after_a_restart(
    browser: Browser, site: TutorialSite, chatter: Server, path: str
) -> None:
    ann = visit(browser, site.origin + path)
    say(ann, "ann", "before")
    expect_messages(ann, "ann: before")
    chatter.stop()
    chatter.start()
    expect_messages(ann, "ann: before", "ann: before")  # the page does not recognise a message that it is sent again
    say(ann, "ann", "after")
    expect_messages(ann, "ann: before", "ann: before", "ann: after")


def test_a_page_of_another_origin_gets_no_websocket(site: TutorialSite, refused_page: Page) -> None:
    with refused_page.expect_console_message(lambda message: "403" in message.text):
        refused_page.goto(site.origin)
    expect(refused_page.locator("body")).not_to_have_class("joined")


def test_a_page_of_another_origin_cannot_poll(site: TutorialSite, refused_page: Page) -> None:
    with refused_page.expect_response("**/socket/longpoll*") as poll:
        refused_page.goto(f"{site.origin}/polling")
    assert poll.value.json() == {"status": 403}
