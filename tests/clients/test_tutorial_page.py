"""A page such as one writes who follows a Phoenix chat tutorial, in a browser, served from elsewhere."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.browser import find_chromium
from tests.support.server import ROOT, Server

pytestmark = pytest.mark.browser

PAGE = Path(__file__).with_name("tutorial_page.html")
PHOENIX = ROOT / "web" / "client" / "node_modules" / "phoenix" / "priv" / "static" / "phoenix.js"
OPTIONS = {"/": "{}", "/polling": "{transport: Phoenix.LongPoll}"}


class TutorialSite(ThreadingHTTPServer):
    """The tutorial's own web server, on a port of its own."""

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
        """Not to stderr."""


@pytest.fixture
def site() -> Iterator[TutorialSite]:
    with TutorialSite() as site:
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield site
        site.shutdown()
        thread.join()


@pytest.fixture
def chatter(site: TutorialSite, database: Path) -> Iterator[Server]:
    """A server that admits the tutorial's site."""
    with Server(database, allowed_origins=site.origin) as server:
        site.socket_url = f"ws://127.0.0.1:{server.port}/socket"
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def stranger(browser: Browser, site: TutorialSite, database: Path) -> Iterator[Page]:
    """A page that has not been opened yet, and a server that does not admit it."""
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
def test_a_page_goes_on_by_itself_when_the_server_is_started_anew(
    browser: Browser, site: TutorialSite, chatter: Server, path: str
) -> None:
    ann = visit(browser, site.origin + path)
    say(ann, "ann", "before")
    expect_messages(ann, "ann: before")
    chatter.stop()
    chatter.start()
    expect_messages(ann, "ann: before", "ann: before")  # such a page shows again what it is told again
    say(ann, "ann", "after")
    expect_messages(ann, "ann: before", "ann: before", "ann: after")


def test_a_page_of_an_origin_that_is_not_admitted_gets_no_websocket(site: TutorialSite, stranger: Page) -> None:
    with stranger.expect_console_message(lambda message: "403" in message.text):
        stranger.goto(site.origin)
    expect(stranger.locator("body")).not_to_have_class("joined")


def test_a_page_of_an_origin_that_is_not_admitted_cannot_poll(site: TutorialSite, stranger: Page) -> None:
    with stranger.expect_response("**/socket/longpoll*") as poll:
        stranger.goto(f"{site.origin}/polling")
    assert poll.value.json() == {"status": 403}
