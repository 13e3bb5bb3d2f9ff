"""People correct what they have said: in the composer, which gives their draft back afterwards."""

import re

import pytest
from playwright.sync_api import expect

from tests.client.conftest import Speaks
from tests.client.person import Person

pytestmark = pytest.mark.browser

EDITED = re.compile(r"^Edited: .*\d{4} at \d\d:\d\d:\d\d$")


def test_arrow_up_in_an_empty_composer_edits_the_last_message_for_everybody(ann: Person, bo: Person) -> None:
    ann.says("hello", "helo there")
    bo.says("hi")
    ann.expect_said("hello", "helo there", "hi")
    press = ann.page.keyboard.press
    press("ArrowUp")
    expect(ann.composer).to_have_value("helo there")
    expect(ann.strip).to_have_text("Editing helo there")
    ann.page.keyboard.type("!")
    press("Enter")
    expect(ann.composer).to_be_empty()
    expect(ann.composer).to_be_focused()
    ann.expect_said("hello", "helo there!", "hi")
    bo.expect_said("hello", "helo there!", "hi")
    expect(bo.message("helo there!").locator(".edited")).to_have_attribute("title", EDITED)
    expect(ann.message("hello").locator(".edited")).to_have_count(0)


def test_escape_leaves_an_edit_and_the_draft_is_back(ann: Person) -> None:
    ann.says("hello")
    ann.expect_said("hello")
    ann.composer.fill("half a thought")
    ann.message("hello").hover()
    ann.button("Edit").click()
    expect(ann.composer).to_be_focused()
    expect(ann.composer).to_have_value("hello")
    ann.page.keyboard.type(" what")
    ann.page.keyboard.press("Escape")
    expect(ann.strip).to_be_empty()
    expect(ann.composer).to_have_value("half a thought")
    expect(ann.composer).to_be_focused()
    ann.reloads()
    expect(ann.composer).to_have_value("half a thought")
    ann.expect_said("hello")


def test_only_ones_own_messages_can_be_edited(speaks: Speaks, bo: Person) -> None:
    speaks("ann").says("mine")
    bo.message("mine").hover()
    expect(bo.toolbar).to_be_visible()
    expect(bo.button("Reply")).to_be_visible()
    expect(bo.button("Edit")).to_have_count(0)
    expect(bo.button("Delete")).to_have_count(0)
    bo.composer.focus()
    bo.page.keyboard.press("ArrowUp")
    expect(bo.toast).to_have_text("There is no message that you can edit")
    expect(bo.composer).to_be_empty()
    expect(bo.composer).to_be_focused()


def test_an_edit_is_told_once_to_those_who_hear_the_page_and_not_to_who_comes_later(ann: Person, bo: Person) -> None:
    ann.says("helo")
    ann.page.keyboard.press("ArrowUp")  # also while the message is being saved
    ann.composer.fill("hello")
    ann.page.keyboard.press("Enter")
    expect(bo.announcer).to_have_text("ann edited: hello")
    expect(ann.message("hello").locator(".edited")).to_be_visible()
    expect(ann.announcer).to_be_empty()
    bo.reloads()
    expect(bo.message("hello").locator(".edited")).to_be_visible()
    expect(bo.announcer).to_be_empty()


def test_keys_on_a_message_act_on_it_and_after_a_click_they_are_words(ann: Person) -> None:
    ann.says("hello")
    ann.expect_said("hello")
    press = ann.page.keyboard.press
    ann.message("hello").click()
    press("e")
    expect(ann.composer).to_have_value("e")
    ann.composer.fill("")
    ann.conversation.focus()
    press("ArrowUp")
    expect(ann.message("hello")).to_be_focused()
    press("e")
    expect(ann.composer).to_have_value("hello")
    expect(ann.strip).to_contain_text("Editing")


def test_the_words_of_an_edit_are_not_lost_by_a_reload_which_ends_the_right_to_it(ann: Person, room: str) -> None:
    ann.says("precious")
    ann.expect_said("precious")
    press = ann.page.keyboard.press
    press("ArrowUp")
    ann.page.keyboard.type(" words")
    ann.reloads()
    expect(ann.toast).to_contain_text("your words are a draft now")
    expect(ann.composer).to_have_value("precious words")
    expect(ann.strip).to_be_empty()
    press("Enter")
    ann.expect_said("precious", "precious words")
    ann.composer.fill("half a thought")
    ann.message("precious words").hover()
    ann.button("Edit").click()
    ann.page.keyboard.type("!")
    ann.goes_to(f"{room}-garden")
    expect(ann.composer).to_be_empty()
    ann.goes_to(room)
    expect(ann.composer).to_have_value("precious words!\nhalf a thought")
    ann.reloads()
    ann.expect_connected()
    expect(ann.composer).to_have_value("precious words!\nhalf a thought")


def test_the_words_of_an_edit_that_was_left_wait_for_the_next_one_of_its_message(ann: Person) -> None:
    ann.says("one", "two")
    ann.expect_said("one", "two")
    press = ann.page.keyboard.press
    press("ArrowUp")
    ann.page.keyboard.type(" and more")
    press("Escape")
    ann.message("one").hover()
    ann.button("Edit").click()
    expect(ann.composer).to_have_value("one")
    ann.page.keyboard.type("!")
    ann.message("two").hover()
    ann.button("Edit").click()
    expect(ann.composer).to_have_value("two and more")
    ann.button("Start over").click()
    expect(ann.composer).to_have_value("two")
    expect(ann.composer).to_be_focused()
    expect(ann.button("Start over")).to_have_count(0)
    press("Escape")
    press("ArrowUp")
    expect(ann.composer).to_have_value("two")
    press("Escape")
    ann.message("one").hover()
    ann.button("Edit").click()
    expect(ann.composer).to_have_value("one!")
    press("Enter")
    ann.expect_said("one!", "two")
    ann.button("Edit").click()
    expect(ann.composer).to_have_value("one!")
    expect(ann.button("Start over")).to_have_count(0)


def test_an_edit_that_was_left_or_not_begun_to_be_written_is_nothing_after_a_reload(ann: Person) -> None:
    ann.says("one", "two")
    ann.expect_said("one", "two")
    press = ann.page.keyboard.press
    press("ArrowUp")
    ann.page.keyboard.type(" and more")
    press("Escape")
    press("ArrowUp")
    ann.button("Start over").click()
    ann.reloads()
    ann.expect_said("one", "two")
    ann.expect_connected()
    expect(ann.composer).to_be_empty()
    expect(ann.toast).to_be_empty()


def test_ones_words_can_be_edited_and_deleted_after_a_visit_to_another_room(ann: Person, bo: Person, room: str) -> None:
    ann.says("one", "two")
    ann.expect_said("one", "two")
    ann.creates_room(f"{room}-garden")
    ann.says("elsewhere")
    ann.expect_said("elsewhere")
    ann.room(room).click()
    ann.expect_said("one", "two")
    ann.expect_connected()
    ann.composer.press("ArrowUp")
    expect(ann.composer).to_have_value("two")
    ann.page.keyboard.type("!")
    ann.page.keyboard.press("Enter")
    bo.expect_said("one", "two!")
    ann.message("one").hover()
    ann.button("Delete").click()
    ann.page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    bo.expect_said("two!")


def test_an_edit_that_leaves_nothing_deletes_the_message_after_one_question(ann: Person, bo: Person) -> None:
    ann.says("one", "two")
    ann.expect_said("one", "two")
    press = ann.page.keyboard.press
    press("ArrowUp")
    ann.composer.fill("")
    expect(ann.strip).to_contain_text("Save it empty to delete")
    press("ArrowUp")  # the edit goes on
    expect(ann.composer).to_be_empty()
    press("Enter")
    question = ann.page.get_by_role("alertdialog", name="Delete this message?")
    expect(question).to_contain_text("two")
    press("Escape")
    expect(ann.composer).to_be_focused()
    expect(ann.strip).to_contain_text("two")
    ann.button("Save").click()
    question.get_by_role("button", name="Delete").click()
    expect(ann.composer).to_be_focused()
    expect(ann.strip).to_be_empty()
    bo.expect_said("one")
    press("Enter")  # nothing is written and nothing edited
    expect(question).to_be_hidden()


@pytest.mark.usefixtures("outage")
def test_a_guest_is_told_that_a_lost_connection_ends_an_edit_and_its_words_become_a_draft(ann: Person) -> None:
    ann.says("precious")
    ann.expect_said("precious")
    ann.page.keyboard.press("ArrowUp")
    ann.page.keyboard.type(" words")
    expect(ann.strip).to_contain_text("Editing")
    ann.loses_network()
    expect(ann.strip).to_contain_text("The connection was lost: a draft now")
    ann.page.keyboard.press("Enter")
    expect(ann.toast).to_contain_text("your words are a draft now")
    toast = ann.toast.bounding_box()  # which it has for three seconds
    expect(ann.strip).to_be_empty()
    expect(ann.composer).to_have_value("precious words")
    expect(ann.composer).to_be_focused()
    expect(ann.page.get_by_role("alert").filter(has_text="not changed")).to_have_count(0)
    rooms = ann.rooms.bounding_box()
    last = ann.message("precious").locator(".text").bounding_box()
    assert toast
    assert rooms
    assert last
    assert toast["x"] >= rooms["x"] + rooms["width"]
    assert toast["y"] >= last["y"] + last["height"]
