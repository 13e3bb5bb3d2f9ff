"""What a visit costs, and what is seen before the scripts are there. Counts and bytes, never times."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.client.conftest import memory_of
from tests.client.contexts import own_context
from tests.client.person import PHONE, Person
from tests.client.rows import prepare
from tests.support.server import Server

pytestmark = pytest.mark.browser

MOST_REQUESTS = 12
MOST_BYTES = 81_000
"""At 50 kB/s they take 1.6 s. The first visit had 230 kB in 48 requests."""

MOST_BYTES_AGAIN = 10_000
"""The second visit asks whether the page has changed, and for what has been said."""

SLOW_TIMERS = """
for (const name of ["setTimeout", "setInterval"]) {
  const start = window[name];
  window[name] = (act, ms = 0, ...rest) => start(act, ms * 20, ...rest);
}"""
"""On a slow machine the page would ask again for the list of rooms, or poll, before it is loaded."""

BOXES = """() => [".sidebar", ".brand .logo", "main", ".panel", ".bar", ".conversation", ".composer"].map(part => {
  const { x, y, width, height } = document.querySelector(part)?.getBoundingClientRect() ?? {};
  return width ? [part, x, y, width, height] : [part];
})"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Starts a server without the rooms of other tests: each visit loads the list of rooms."""
    with Server(tmp_path_factory.mktemp("server") / "chatter.db") as running:
        yield running


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser without a service worker, which would fetch what it keeps at a moment of its own."""
    with own_context(browser, memory_of("ann") + SLOW_TIMERS, service_workers="block") as opened:
        yield opened


class Traffic:
    """What a page requests and receives, as the browser's network counts it: compressed, with heads."""

    def __init__(self, page: Page) -> None:
        self.addresses: list[str] = []
        self.bytes = 0
        session = page.context.new_cdp_session(page)
        session.on("Network.requestWillBeSent", lambda event: self.addresses.append(event["request"]["url"]))
        session.on("Network.webSocketCreated", lambda event: self.addresses.append(event["url"]))
        session.on("Network.dataReceived", self._received)
        session.on("Network.responseReceived", self._received)
        session.send("Network.enable")

    def _received(self, event: dict[str, Any]) -> None:
        self.bytes += event.get("response", event)["encodedDataLength"]


def test_a_first_visit_takes_few_requests_and_bytes_and_a_second_hardly_any(
    context: BrowserContext, server: Server, room: str
) -> None:
    prepare(server.database, room, ["hello"] * 60)
    prepare(server.database, f"{room}-other", ["hello"])
    for most in (MOST_BYTES, MOST_BYTES_AGAIN):
        ann = Person(context.new_page(), server)
        traffic = Traffic(ann.page)
        ann.goes_to(room)
        expect(ann.texts.last).to_have_text("hello")
        expect(ann.room(f"{room}-other")).to_be_visible()
        assert 3 <= len(traffic.addresses) <= MOST_REQUESTS
        assert 0 < traffic.bytes <= most
        assert traffic.addresses.count(f"{server.url}/api/rooms") == 1
        ann.page.close()


@contextmanager
def held_scripts(page: Page) -> Iterator[Callable[[], None]]:
    """Holds the page's scripts back until the function is called."""
    held: list[Route] = []

    is_released = False

    def hold(route: Route) -> None:
        if is_released:
            route.continue_()
        else:
            held.append(route)

    def release() -> None:
        nonlocal is_released
        is_released = True
        for route in held:
            route.continue_()

    page.route("**/assets/*.js", hold)
    yield release


WITHOUT_PANEL = "localStorage['chatter:panel'] = 'none'"


@pytest.mark.parametrize(
    ("options", "memory"),
    [({"color_scheme": "light"}, ""), ({"color_scheme": "dark"}, ""), (PHONE, ""), ({}, WITHOUT_PANEL)],
)
def test_the_shell_has_the_boxes_of_the_page(
    browser: Browser, server: Server, options: dict[str, Any], memory: str
) -> None:
    context = browser.new_context(**options)
    context.add_init_script(memory_of("ann") + memory)
    page = context.new_page()
    with held_scripts(page) as release:
        page.goto(server.url, wait_until="commit")
        page.locator(".shell .composer").wait_for()
        shell = page.evaluate(BOXES)
        ground = page.evaluate("getComputedStyle(document.querySelector('main')).backgroundColor")
        release()
    person = Person(page, server)
    person.expect_connected()
    assert page.locator(".shell").count() == 0
    assert page.evaluate(BOXES) == shell
    assert page.evaluate("getComputedStyle(document.querySelector('main')).backgroundColor") == ground
    context.close()


def test_without_scripts_the_page_says_what_it_needs(browser: Browser, server: Server) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(server.url)
    expect(page.locator("noscript")).to_be_in_viewport(ratio=1)
    assert "Chatter needs JavaScript" in (page.locator("noscript").text_content() or "")
    context.close()
