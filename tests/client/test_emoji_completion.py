"""A name of an emoji is completed while it is typed, and no key is lost."""

import pytest
from playwright.sync_api import expect

from tests.client.axe import grave_violations
from tests.client.person import Person

pytestmark = pytest.mark.browser


def types(person: Person, text: str) -> None:
    """Types a text that begins a name, and waits until the list for all of it is drawn."""
    person.page.keyboard.type(text)
    expect(person.page.get_by_role("listbox", name="Emoji")).to_be_visible()
    person.sees_a_frame()


def test_a_name_is_completed_by_enter_and_by_tab(ann: Person) -> None:
    types(ann, "well :tad")
    expect(ann.page.get_by_role("option").first).to_have_text("🎉tada")
    assert grave_violations(ann.page) == []
    ann.page.keyboard.press("Enter")
    expect(ann.composer).to_have_value("well 🎉 ")
    types(ann, "and :heart_e")
    ann.page.keyboard.press("Tab")
    expect(ann.composer).to_have_value("well 🎉 and 😍 ")
    expect(ann.composer).to_be_focused()
    ann.page.keyboard.press("Enter")
    ann.expect_said("well 🎉 and 😍")


def test_the_arrow_keys_choose_and_the_mouse_does(ann: Person) -> None:
    types(ann, ":smi")
    names = ann.page.get_by_role("option").all_inner_texts()
    ann.page.keyboard.press("ArrowDown")
    ann.page.keyboard.press("ArrowDown")
    ann.page.keyboard.press("ArrowUp")
    ann.page.keyboard.press("Enter")
    expect(ann.composer).to_have_value(f"{names[1].split()[0]} ")
    types(ann, ":smi")
    ann.page.get_by_role("option").nth(2).click()
    expect(ann.composer).to_have_value(f"{names[1].split()[0]} {names[2].split()[0]} ")
    expect(ann.composer).to_be_focused()


def test_escape_closes_the_list_for_this_name_and_leaves_the_composer_the_second_time(ann: Person) -> None:
    types(ann, ":tad")
    ann.page.keyboard.press("Escape")
    expect(ann.page.get_by_role("listbox")).to_have_count(0)
    ann.page.keyboard.type("a")
    expect(ann.composer).to_have_value(":tada")
    expect(ann.page.get_by_role("listbox")).to_have_count(0)
    ann.page.keyboard.press("Enter")
    ann.expect_said(":tada")
    types(ann, ":tad")
    ann.page.keyboard.press("Escape")
    ann.page.keyboard.press("Escape")
    expect(ann.composer).not_to_be_focused()


def test_what_is_no_name_has_no_list(ann: Person, room: str) -> None:
    types(ann, ":tad")  # so that the names are there
    for text in ("see 10:30", "so :-)", "`x :tad", "a:tad", ":tada: ", ":xyzzyx"):
        ann.composer.fill("")
        ann.page.keyboard.type(text)
        expect(ann.composer).to_have_value(text)
        expect(ann.page.get_by_role("listbox")).to_have_count(0)
    ann.composer.fill("")
    types(ann, ":tad")
    ann.page.keyboard.press("Shift+Enter")
    expect(ann.composer).to_have_value(":tad\n")
    ann.page.keyboard.press("Backspace")
    expect(ann.page.get_by_role("listbox")).to_be_visible()
    ann.page.keyboard.press("Control+Enter")
    ann.expect_said(":tad")
    types(ann, ":tad")
    ann.page.keyboard.press("Alt+ArrowUp")
    expect(ann.page.get_by_role("listbox")).to_have_count(0)
