"""The page opens without its server, and never with a program that is older than its server."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.client.conftest import memory_of
from tests.client.contexts import own_context
from tests.client.person import Person
from tests.client.rows import prepare
from tests.packaging.program import copy_program, serve_copy
from tests.support.server import ROOT, Server

pytestmark = [pytest.mark.browser, pytest.mark.node]

INSTALLED = """async () => {
  const { active } = await navigator.serviceWorker.ready;
  if (active.state !== "activated")
    await new Promise(resolve => active.addEventListener("statechange", resolve, { once: true }));
}"""
KEPT = """async () => {
  const names = await caches.keys();
  const requests = await Promise.all(names.map(async name => (await caches.open(name)).keys()));
  return requests.map(all => all.map(({ url }) => new URL(url).pathname).sort());
}"""
UPDATED = """async old => {
  while ((await caches.keys()).length !== 1 || (await caches.keys())[0] === old)
    await new Promise(resolve => setTimeout(resolve, 20));
}"""


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of its own: other tests' pages must not lose their server."""
    with own_context(browser, memory_of("ann"), locale="en-GB") as opened:
        yield opened


def visit_once(context: BrowserContext, server: Server, room: str = "lobby") -> Person:
    """Visits a room, until the page is kept."""
    person = Person(context.new_page(), server)
    person.goes_to(room)
    person.page.evaluate(INSTALLED)
    return person


def test_the_page_opens_without_its_server_and_keeps_what_is_written(context: BrowserContext, tmp_path: Path) -> None:
    server = Server(tmp_path / "chatter.db")
    with server:
        prepare(server.database, "attic", ["hello"])
        visitor = visit_once(context, server)
        expect(visitor.room("attic")).to_be_visible()
        visitor.page.close()
    ann = Person(context.new_page(), server)
    ann.page.goto(f"{server.url}/rooms/garden")  # another room than that of the visit
    expect(ann.page.get_by_role("heading", level=1)).to_have_text("#garden")
    expect(ann.room("attic")).to_be_visible()
    expect(ann.conversation).to_contain_text("What was said in #garden is shown when the connection is back.")
    expect(ann.page.locator(".skeleton")).to_have_count(0)
    expect(ann.composer).to_be_visible()
    ann.says("for later")
    expect(ann.message("for later")).to_be_visible()
    with server:
        ann.expect_connected()
        ann.expect_said("for later")


def test_what_is_no_page_of_the_chat_is_left_to_the_server(context: BrowserContext, tmp_path: Path) -> None:
    with Server(tmp_path / "chatter.db") as server:
        ann = visit_once(context, server)
        answer = ann.page.goto(f"{server.url}/nothing")
        assert answer is not None
        assert answer.status == 404
        assert ann.page.evaluate(KEPT) == [["/", *bundled_scripts()]]


def bundled_scripts() -> list[str]:
    """The addresses of the scripts that the page names."""
    page = (ROOT / "web/bundle/index.html").read_text()
    return sorted(f"/assets/{path.name}" for path in (ROOT / "web/bundle/assets").glob("*.js") if path.name in page)


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A program with a page that says so."""
    program = copy_program(tmp_path / "newer")
    client = program / "web" / "client"
    with (client / "main.js").open("a") as main:
        main.write("\ndocument.documentElement.dataset.version = 'newer';\n")
    node = shutil.which("node")
    assert node is not None
    subprocess.run([node, client / "build.mjs", program / "web" / "bundle"], check=True)
    return program


def version_of(page: Page) -> object:
    return page.evaluate("document.documentElement.dataset.version")


def test_a_newer_server_has_its_own_program_run_at_the_next_load(
    context: BrowserContext, tmp_path: Path, newer: Path
) -> None:
    server = Server(tmp_path / "chatter.db")
    with server:
        ann = visit_once(context, server)
        (cache,) = ann.page.evaluate("caches.keys()")
    program = serve_copy(newer, server.database_url, server.port)
    try:
        program.wait_until_ready()
        ann.reloads()
        ann.expect_connected()
        assert version_of(ann.page) == "newer"
        ann.page.evaluate(UPDATED, cache)
    finally:
        program.terminate()
    ann.reloads()
    expect(ann.composer).to_be_visible()
    assert version_of(ann.page) == "newer"


def test_the_page_can_be_installed(context: BrowserContext, tmp_path: Path) -> None:
    with Server(tmp_path / "chatter.db") as server:
        page = visit_once(context, server).page
        session = context.new_cdp_session(page)
        manifest = session.send("Page.getAppManifest")
        assert manifest["url"] == f"{server.url}/client/manifest.webmanifest"
        assert manifest["errors"] == []
        assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
