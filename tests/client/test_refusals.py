"""What the server refuses is taken back, said, and not lost."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.client.conftest import Freeze
from tests.client.person import Person
from tests.support.server import Server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Starts a server where every edit comes too late, and the page does not know."""
    with Server(tmp_path_factory.mktemp("server") / "chatter.db", edit_window=0.001) as running:
        yield running


def test_a_refused_edit_is_taken_back_and_its_words_can_be_used_again(ann: Person, bo: Person) -> None:
    ann.says("hello")
    bo.expect_said("hello")
    ann.expect_said("hello")
    ann.page.keyboard.press("ArrowUp")
    ann.page.keyboard.type(" there")
    ann.page.keyboard.press("Enter")
    refusal = ann.page.get_by_role("alert").filter(has_text="not changed")
    expect(refusal).to_contain_text("the time for that is over")
    ann.expect_said("hello")
    expect(ann.page.locator(".edited")).to_have_count(0)
    ann.button("edit again").click()
    expect(refusal).to_have_count(0)
    expect(ann.composer).to_be_focused()
    expect(ann.composer).to_have_value("hello there")
    ann.page.keyboard.press("Enter")
    ann.button("dismiss").click()
    expect(refusal).to_have_count(0)
    bo.expect_said("hello")


def test_the_words_of_a_refused_edit_wait_for_the_next_edit_of_the_message(ann: Person) -> None:
    ann.says("hello")
    ann.expect_said("hello")
    ann.page.keyboard.press("ArrowUp")
    ann.page.keyboard.type(" there")
    ann.page.keyboard.press("Enter")
    expect(ann.page.get_by_role("alert").filter(has_text="not changed")).to_be_visible()
    ann.page.keyboard.press("ArrowUp")
    expect(ann.composer).to_have_value("hello there")
    ann.page.keyboard.press("Escape")
    ann.button("dismiss").click()
    ann.page.keyboard.press("ArrowUp")
    expect(ann.composer).to_have_value("hello")


@pytest.mark.usefixtures("outage")
def test_the_words_of_an_edit_that_a_new_connection_may_not_make_become_a_draft(
    ann: Person, server: Server, frozen: Freeze
) -> None:
    ann.says("precious")
    ann.expect_said("precious")
    ann.page.keyboard.press("ArrowUp")
    ann.page.keyboard.type(" words")
    with frozen():
        ann.page.keyboard.press("Enter")  # it is on its way as the connection ends
        expect(ann.message("precious words")).to_be_visible()
        server.kill()
        server.start()
    refusal = ann.page.get_by_role("alert").filter(has_text="not changed")
    expect(refusal).to_contain_text("a guest only until the connection is lost")
    ann.button("keep as a draft").click()
    expect(refusal).to_have_count(0)
    expect(ann.composer).to_be_focused()
    expect(ann.composer).to_have_value("precious words")
