"""People react to messages: chips count and name them, and a press adds or takes back one's own."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.client.conftest import Speaks, Visit
from tests.client.person import PHONE, Person

pytestmark = pytest.mark.browser


def chip(person: Person, emoji: str) -> Locator:
    """Finds the chip of one reaction."""
    return person.page.locator(".reaction").filter(has_text=emoji)


def test_a_reaction_is_counted_named_and_taken_back(ann: Person, bo: Person) -> None:
    ann.says("hello")
    bo.expect_said("hello")
    bo.message("hello").hover()
    bo.button("React with 👍").click()
    expect(chip(bo, "👍")).to_have_attribute("aria-pressed", "true")
    expect(chip(ann, "👍")).to_have_attribute("aria-pressed", "false")
    chip(ann, "👍").click()
    expect(chip(bo, "👍")).to_have_accessible_name("👍 2: you and ann")
    chip(bo, "👍").hover()
    expect(bo.page.locator(".tooltip")).to_have_text("you and ann")
    chip(bo, "👍").click()
    expect(chip(ann, "👍")).to_have_accessible_name("👍 1: you")
    chip(ann, "👍").click()
    expect(ann.page.locator(".reaction")).to_have_count(0)
    expect(bo.page.locator(".reaction")).to_have_count(0)
    expect(ann.announcer).to_be_empty()


def test_who_has_reacted_after_many_finds_that_marked_after_a_reload(ann: Person, speaks: Speaks) -> None:
    crowd = [speaks(f"p{number}") for number in range(11)]
    crowd[0].says("hello")
    for each in crowd[:10]:
        each.reacts("hello", "👍")
    ann.message("hello").hover()
    chip(ann, "👍").click()
    expect(chip(ann, "👍")).to_have_accessible_name(re.compile("^👍 11: you, p0, .* p9$"))
    crowd[10].reacts("hello", "👍")
    ann.page.reload()
    expect(chip(ann, "👍")).to_have_attribute("aria-pressed", "true")
    expect(chip(ann, "👍")).to_have_accessible_name(re.compile("^👍 12: you, p0, .* p9 and 1 other$"))
    chip(ann, "👍").hover()
    expect(ann.page.locator(".tooltip")).to_have_text(re.compile("^you, p0, .* p9 and p10$"))
    chip(ann, "👍").click()
    expect(chip(ann, "👍")).to_have_attribute("aria-pressed", "false")
    expect(chip(ann, "👍")).to_have_accessible_name(re.compile("^👍 11: p0, .*, p9 and 1 other$"))
    ann.page.reload()
    expect(chip(ann, "👍")).to_have_accessible_name(re.compile("^👍 11: p0, .*, p9 and 1 other$"))
    expect(chip(ann, "👍")).to_have_attribute("aria-pressed", "false")


def test_keys_react_from_the_picker_and_reach_the_chips_and_their_names(ann: Person) -> None:
    ann.says("hello")
    ann.expect_said("hello")
    press = ann.page.keyboard.press
    ann.conversation.focus()
    press("ArrowUp")
    press("+")
    expect(ann.page.get_by_role("searchbox", name="Search emoji")).to_be_focused()
    ann.page.keyboard.type("tada")
    expect(ann.page.locator(".emoji-grid button")).to_have_count(1)
    press("Enter")
    expect(chip(ann, "🎉")).to_be_visible()
    expect(ann.message("hello")).to_be_focused()
    press("ArrowUp")  # there is nothing above: the focus stays
    press("Escape")
    ann.conversation.focus()
    press("ArrowUp")
    press("Tab")
    expect(chip(ann, "🎉")).to_be_focused()
    expect(ann.page.locator(".tooltip")).to_have_text("you")
    press("Enter")
    expect(ann.page.locator(".reaction")).to_have_count(0)
    expect(ann.page.locator(".tooltip")).to_be_hidden()
    expect(ann.message("hello")).to_be_focused()


def test_many_reactions_wrap_and_are_large_enough(visit: Visit, speaks: Speaks) -> None:
    bo = speaks("bo")
    bo.says("hello")
    keys = [*"😂🎉🚀👀🔥💯🙏"]
    bo.reacts("hello", *keys)
    phone, narrow = visit("ann", **PHONE), visit("cy", viewport={"width": 320, "height": 640})
    for person in (phone, narrow):
        expect(person.page.locator(".reaction:not(.add)")).to_have_count(len(keys))
        assert person.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    sides = "all => all.flatMap(chip => [chip.offsetHeight, chip.offsetWidth])"
    assert min(phone.page.locator(".reaction").evaluate_all(sides)) >= 44


def test_the_picker_leaves_the_message_in_sight_that_it_is_for(visit: Visit, speaks: Speaks) -> None:
    bo = speaks("bo")
    bo.says("first", "between\n" * 8, "last")
    for word in ("first", "last"):
        bo.reacts(word, "👍")
    for ann in (visit("ann", **PHONE), visit("ann", viewport={"width": 1440, "height": 900})):
        for word in ("first", "last"):
            expect_picker_beside(ann, word)


def expect_picker_beside(person: Person, word: str) -> None:
    """Opens the picker for a message, and closes it again."""
    person.message(word).get_by_role("button", name="Add a reaction").click()
    picker = person.page.locator(".emoji-picker")
    expect(picker).to_be_visible()
    message = person.message(word).bounding_box()
    cover = picker.bounding_box()
    assert message is not None
    assert cover is not None
    assert cover["y"] >= message["y"] + message["height"] or cover["y"] + cover["height"] <= message["y"]
    assert cover["y"] >= 0
    assert cover["y"] + cover["height"] <= person.page.evaluate("innerHeight")
    assert cover["height"] >= 200
    person.page.keyboard.press("Escape")
    expect(picker).to_have_count(0)


def test_escape_leaves_the_picker_for_its_message_whose_toolbar_comes_back(ann: Person) -> None:
    ann.says("hello")
    ann.expect_said("hello")
    ann.composer.press("Shift+Tab")
    ann.message("hello").focus()
    ann.page.keyboard.press("+")
    expect(ann.page.get_by_role("searchbox", name="Search emoji")).to_be_focused()
    ann.page.keyboard.press("Escape")
    expect(ann.message("hello")).to_be_focused()
    expect(ann.toolbar).to_be_visible()  # and `watch` has heard of no error
