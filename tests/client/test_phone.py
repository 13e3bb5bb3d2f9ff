"""The page on a phone, with one hand."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.client.conftest import SayInVain, Visit
from tests.client.person import PHONE, Person
from tests.client.rows import prepare
from tests.support.server import Server

pytestmark = pytest.mark.browser

TOUCH_PX = 44
WIDE = ["w" * 300, f"https://example.org/{'path/' * 60}", f"`{'code' * 60}`", f"```\n{'block ' * 60}{'x' * 200}\n```"]
"""Texts without a place to break a line."""

SMALL = """([least, within]) => {
  const inline = element => element.closest(".text");
  const onScreen = element => element.getBoundingClientRect().bottom > 0; // the link that skips comes down when focused
  const touched = [...document.querySelectorAll(`${within} :is(button, a[href], input, textarea)`)];
  const visible = element => element.checkVisibility({ visibilityProperty: true }) && onScreen(element);
  const shown = touched.filter(element => visible(element) && !inline(element));
  const small = shown.filter(element => {
    const { width, height } = element.getBoundingClientRect();
    return width < least || height < least;
  });
  return { shown: shown.length, small: small.map(element => element.outerHTML) };
}"""
OVERFLOW = """() => [document.documentElement,
    ...document.querySelectorAll("main, .scroller, .text, .sidebar, .sections, .people")]
  .filter(element => element.scrollWidth > element.clientWidth + 1)
  .map(element => element.className || element.tagName)"""


@pytest.fixture
def ann(visit: Visit, server: Server, room: str) -> Person:
    """Opens a phone's page in a room with messages too wide for it."""
    prepare(server.database, room, WIDE * 3)
    return visit("ann", **PHONE)


def expect_touchable(person: Person, within: str, at_least: int) -> None:
    """Expects targets within `within`, all of them large enough for a thumb."""
    found = person.page.evaluate(SMALL, [TOUCH_PX, within])
    assert found["small"] == []
    assert found["shown"] >= at_least


def test_the_drawer_opens_and_closes_in_every_way(ann: Person) -> None:
    expect(ann.rooms).to_be_hidden()
    menu, close = ann.button("Rooms"), ann.button("Close rooms")
    ways: list[Callable[[], None]] = [
        close.tap,
        lambda: ann.page.keyboard.press("Escape"),
        lambda: ann.page.touchscreen.tap(380, 400),  # beside it
    ]
    for shut in ways:
        menu.tap()
        expect(ann.rooms).to_be_visible()
        expect(close).to_be_focused()
        shut()
        expect(ann.rooms).to_be_hidden()
        expect(menu).to_be_focused()


def test_choosing_a_room_closes_the_drawer(ann: Person, room: str) -> None:
    ann.button("Rooms").tap()
    ann.creates_room(f"{room}-garden")
    expect(ann.rooms).to_be_hidden()
    ann.expect_connected()
    ann.button("Rooms").tap()
    ann.room(room).tap()
    expect(ann.rooms).to_be_hidden()
    expect(ann.page.get_by_role("heading", level=1)).to_have_text(f"#{room}")


def test_back_closes_the_drawer_and_nothing_else(ann: Person, room: str) -> None:
    ann.button("Rooms").tap()
    expect(ann.rooms).to_be_visible()
    ann.page.go_back()
    expect(ann.rooms).to_be_hidden()
    expect(ann.page.get_by_role("heading", level=1)).to_have_text(f"#{room}")
    ann.button("Rooms").tap()
    ann.room("lobby").tap()
    expect(ann.page.get_by_role("heading", level=1)).to_have_text("#lobby")
    ann.page.go_back()  # not to the drawer
    expect(ann.page.get_by_role("heading", level=1)).to_have_text(f"#{room}")
    expect(ann.rooms).to_be_hidden()


def test_a_phone_held_across_has_the_drawer_too(ann: Person) -> None:
    ann.page.set_viewport_size({"width": 844, "height": 390})
    expect(ann.rooms).to_be_hidden()
    ann.button("Rooms").tap()
    expect(ann.rooms).to_be_visible()
    assert ann.page.evaluate(OVERFLOW) == []
    ann.page.set_viewport_size({"width": 1024, "height": 768})
    expect(ann.page.get_by_role("main")).not_to_have_attribute("inert", "")


def test_nothing_is_wider_than_the_screen(ann: Person) -> None:
    expect(ann.texts).to_have_count(3 * len(WIDE))
    assert ann.page.evaluate(OVERFLOW) == []
    ann.button("Rooms").tap()
    expect(ann.rooms).to_be_visible()
    assert ann.page.evaluate(OVERFLOW) == []


@pytest.mark.usefixtures("outage")
def test_all_that_can_be_tapped_is_large_enough_for_a_thumb(ann: Person, says_in_vain: SayInVain) -> None:
    expect_touchable(ann, ".app", 4)
    ann.people_button.tap()
    expect_touchable(ann, "dialog[open]", 1)
    ann.button("Close panel").tap()
    ann.button("Rooms").tap()
    expect(ann.rooms).to_be_visible()
    expect_touchable(ann, "#rooms", 7)
    ann.button("Change name").tap()
    expect(ann.button("Cancel")).to_be_visible()
    expect_touchable(ann, "dialog[open]", 3)
    ann.button("Cancel").tap()
    expect(ann.name_dialog).to_be_hidden()
    ann.button("Close rooms").tap()
    expect(ann.rooms).to_be_hidden()
    with says_in_vain(ann, "hello"):
        expect_touchable(ann, ".app", 6)
    ann.page.context.set_offline(True)
    ann.expect_offline()
    ann.says("later")
    expect(ann.message("later").get_by_role("button", name="discard")).to_be_visible()
    expect_touchable(ann, ".app", 6)


def test_the_composer_is_one_line_high_and_as_wide_for_a_long_message(visit: Visit, room: str) -> None:
    ann = visit("ann", f"{room}-{'long-name-' * 5}", **PHONE)
    empty = ann.composer.bounding_box()
    ann.composer.fill("hello")
    assert ann.composer.bounding_box() == empty
    ann.composer.fill("many " * 790)
    expect(ann.page.get_by_text("51 left")).to_be_visible()
    full = ann.composer.bounding_box()
    assert empty is not None
    assert full is not None
    assert full["width"] == empty["width"]


def test_a_message_is_written_and_sent_with_the_thumb(ann: Person) -> None:
    ann.composer.tap()
    ann.page.keyboard.type("from my phone")
    ann.button("Send").tap()
    expect(ann.message("from my phone")).to_have_attribute("data-state", "said")
    expect(ann.message("from my phone")).to_be_in_viewport()
    expect(ann.composer).to_be_focused()


def test_a_phone_names_no_key_that_takes_an_emoji(visit: Visit) -> None:
    ann = visit("ann", **PHONE)
    ann.button("Emoji").tap()
    ann.page.get_by_role("searchbox", name="Search emoji").fill("rocket")
    expect(ann.page.locator(".emoji-grid button").first).to_have_accessible_name("rocket")
    expect(ann.page.locator(".emoji-picker .hint")).to_be_empty()
