"""Everything can be done from the keyboard, and no key does harm."""

import pytest
from playwright.sync_api import expect

from tests.client.conftest import Speaks, Visit
from tests.client.person import Person

pytestmark = pytest.mark.browser


def test_writing_can_begin_at_once_and_enter_sends(ann: Person) -> None:
    expect(ann.composer).to_be_focused()
    ann.page.keyboard.type("hello")
    ann.page.keyboard.press("Enter")
    ann.expect_said("hello")
    expect(ann.composer).to_be_empty()
    expect(ann.composer).to_be_focused()


def test_one_who_has_just_given_a_name_can_write_at_once(visit: Visit) -> None:
    newcomer = visit()
    newcomer.takes_name("cleo")
    expect(newcomer.name_dialog).to_be_hidden()
    expect(newcomer.composer).to_be_focused()
    newcomer.page.keyboard.type("hello")
    newcomer.page.keyboard.press("Enter")
    newcomer.expect_said("hello")


def test_shift_and_enter_break_the_line(ann: Person, speaks: Speaks) -> None:
    bo = speaks("bo")
    ann.page.keyboard.type("one")
    ann.page.keyboard.press("Shift+Enter")
    ann.page.keyboard.type("two")
    expect(ann.composer).to_have_value("one\ntwo")
    expect(ann.texts).to_have_count(0)
    ann.page.keyboard.press("Enter")
    bo.expect_said("one\ntwo")
    ann.expect_said("one two")
    assert ann.texts.inner_text() == "one\ntwo"


def test_a_line_break_at_the_wrong_moment_sends_nothing(ann: Person) -> None:
    ann.composer.press("Enter")
    ann.composer.fill(" \n\t ")
    ann.composer.press("Enter")
    ann.composer.fill("にほん")
    # Enter picks a word of the input method; some browsers report it by key code 229 only.
    ann.composer.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    ann.composer.dispatch_event("keydown", {"key": "Enter", "keyCode": 229, "bubbles": True})
    expect(ann.composer).to_have_value("にほん")
    ann.composer.press("Enter")
    ann.expect_said("にほん")


def test_escape_leaves_the_composer_and_keeps_what_was_written(ann: Person) -> None:
    ann.page.keyboard.type("half a thought")
    ann.page.keyboard.press("Escape")
    expect(ann.composer).not_to_be_focused()
    expect(ann.composer).to_have_value("half a thought")


def test_escape_closes_what_is_open_but_not_the_question_for_a_name(ann: Person) -> None:
    ann.button("Change name").click()
    expect(ann.name_dialog).to_be_visible()
    ann.page.keyboard.press("Escape")
    expect(ann.name_dialog).to_be_hidden()
    expect(ann.button("Change name")).to_be_focused()
    ann.page.evaluate("localStorage.clear()")


def test_the_counter_appears_near_the_limit_and_beyond_it_nothing_is_sent(ann: Person) -> None:
    left = ann.page.locator("#left")
    ann.composer.fill("x" * 3_599)
    expect(left).to_be_empty()
    ann.composer.fill("😀" * 4_001)
    expect(left).to_have_text("1 too many: shorten it, or send it in two")
    expect(ann.button("Send")).to_have_attribute("aria-disabled", "true")
    ann.composer.press("Enter")
    expect(ann.composer).to_have_value("😀" * 4_001)
    ann.composer.fill("😀" * 4_000)
    expect(left).to_have_text("0 left")
    ann.button("Send").click()
    expect(ann.texts).to_contain_text("😀" * 4_000)  # with a button, as it is folded
    expect(ann.texts.locator("xpath=..")).to_have_attribute("data-state", "said")
