"""Without a bundle the page is made of the sources as they are, and an edit shows at the next load."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.client.conftest import memory_of
from tests.client.watch import Watch
from tests.packaging.program import Program, copy_program, serve_copy

pytestmark = pytest.mark.browser


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    running = serve_copy(copy_program(tmp_path / "copy"), f"sqlite:///{tmp_path}/chatter.db")
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.terminate()


def test_the_sources_are_served_as_they_are_and_an_edit_shows_at_the_next_load(
    browser: Browser, program: Program, tmp_path: Path
) -> None:
    watch = Watch(program.url)
    context = browser.new_context()
    context.add_init_script(memory_of("ann"))
    watch.follow(context)
    page = context.new_page()
    page.goto(program.url)
    page.locator(".app[data-state=connected]").wait_for()
    assert watch.reached(f"{program.url}/client/components/app.js")
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then(all => all.length)") == 0
    with (tmp_path / "copy/web/client/main.js").open("a") as main:
        main.write("\ndocument.documentElement.lang = 'en-edited';\n")
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en-edited")
    assert watch.faults == []
    context.close()
