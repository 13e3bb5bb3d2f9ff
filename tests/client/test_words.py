"""No word is lost, and none goes somewhere else."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.client.conftest import Speaks, Visit
from tests.client.little_storage import WITHOUT_STORAGE
from tests.client.person import PHONE, Person
from tests.client.test_recovery import expect_kept
from tests.client.test_unread import refreshes_rooms

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("outage")]


def slow_down(page: Page) -> None:
    """Gives the page a processor that is six times as slow: what is typed comes before what it is for."""
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 6})


def test_words_that_follow_the_name_without_a_pause_are_a_message(visit: Visit) -> None:
    newcomer = visit()
    expect(newcomer.name_dialog.get_by_role("textbox")).to_be_focused()
    slow_down(newcomer.page)
    for text in ("Cleo", "hello"):
        newcomer.page.keyboard.type(text)
        newcomer.page.keyboard.press("Enter")
    newcomer.expect_said("hello")
    expect(newcomer.message("hello").locator(".author")).to_have_text("Cleo")


def test_words_that_follow_the_opening_of_a_room_are_said_there(visit: Visit, room: str) -> None:
    ann = visit("ann", f"{room}-garden")
    ann.says("first")
    ann.expect_said("first")
    ann.goes_to(room)
    ann.page.keyboard.type("not sent here")
    refreshes_rooms(ann)
    slow_down(ann.page)
    ann.room(f"{room}-garden").click()
    ann.page.keyboard.type("hello")
    ann.page.keyboard.press("Enter")
    ann.expect_said("first", "hello")
    ann.page.go_back()
    expect(ann.page.get_by_role("heading", level=1)).to_have_text(f"#{room}")
    expect(ann.composer).to_have_value("not sent here")
    expect(ann.texts).to_have_count(0)


def test_words_typed_outside_a_field_go_to_the_composer(ann: Person) -> None:
    ann.conversation.click()
    ann.page.keyboard.type("hello")
    expect(ann.composer).to_have_value("hello")
    ann.page.keyboard.press("Enter")
    ann.expect_said("hello")
    ann.button("Change name").focus()
    ann.page.keyboard.press("Space")
    ann.page.keyboard.type("a")
    expect(ann.name_dialog.get_by_role("textbox")).to_have_value("a")
    expect(ann.composer).to_be_empty()


def test_words_typed_after_a_press_in_the_toolbar_of_a_message_go_to_the_composer(ann: Person) -> None:
    ann.says("hello")
    ann.expect_said("hello")
    ann.message("hello").hover()
    ann.button("React with 👍").click()
    ann.page.keyboard.type("more words")
    expect(ann.composer).to_have_value("more words")
    ann.page.keyboard.press("Enter")
    ann.expect_said("hello", "more words")


def test_enter_after_a_press_in_the_toolbar_of_a_message_presses_it_no_second_time(ann: Person) -> None:
    ann.says("hello")
    ann.expect_said("hello")
    ann.message("hello").hover()
    ann.button("React with 👍").click()
    reaction = ann.message("hello").locator(".reaction").first
    expect(reaction).to_contain_text("1")
    ann.page.keyboard.press("Enter")
    ann.page.keyboard.type("words")
    ann.page.keyboard.press("Enter")
    ann.expect_said("hello", "words")
    expect(reaction).to_contain_text("1")


def asks_to_delete(person: Person) -> None:
    person.message("mine").hover()
    person.button("Delete").click()


def presses_beside_the_palette(person: Person) -> None:
    person.page.keyboard.press("Control+k")
    person.page.mouse.click(5, 5)


def keeps(person: Person) -> None:
    asks_to_delete(person)
    person.button("Keep it").click()


def deletes(person: Person) -> None:
    asks_to_delete(person)
    person.page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()


def cancels_a_change_of_name(person: Person) -> None:
    person.button("Change name").click()
    person.page.get_by_role("dialog").get_by_text("Change your name").click()
    person.button("Cancel").click()
    person.composer.focus()


def leaves_the_emoji(person: Person) -> None:
    person.button("Emoji").click()
    picker = person.page.get_by_role("dialog", name="Emoji", exact=True)
    picker.get_by_role("heading").first.click()
    person.page.mouse.click(600, 5)
    expect(picker).to_have_count(0)


@pytest.mark.parametrize(
    "act", [keeps, deletes, presses_beside_the_palette, cancels_a_change_of_name, leaves_the_emoji]
)
def test_words_typed_after_a_click_in_a_dialog_go_to_the_composer(ann: Person, act: Callable[[Person], None]) -> None:
    ann.says("mine")
    ann.expect_said("mine")
    ann.expect_acknowledged()
    ann.composer.press_sequentially("half a ")
    act(ann)
    ann.page.keyboard.type("thought")
    expect(ann.composer).to_have_value("half a thought")


def test_words_written_before_the_name_is_given_wait_for_it(visit: Visit, speaks: Speaks) -> None:
    bo = speaks("bo")
    newcomer = visit()
    newcomer.composer.fill("hello")
    newcomer.composer.press("Enter")
    expect(newcomer.name_dialog.get_by_role("textbox")).to_be_focused()
    newcomer.page.keyboard.type("cleo")
    newcomer.page.keyboard.press("Enter")
    newcomer.page.keyboard.press("Enter")
    bo.expect_said("hello")


def test_the_button_that_sends_asks_for_the_name_on_a_touch_screen_too(visit: Visit) -> None:
    newcomer = visit("", **PHONE)
    expect(newcomer.name_dialog).to_be_visible()
    expect(newcomer.page.get_by_label("Change name")).to_have_count(0)
    newcomer.composer.fill("hello")
    newcomer.button("Send").tap()
    expect(newcomer.name_dialog.get_by_role("textbox")).to_be_focused()
    newcomer.takes_name("cleo")
    newcomer.button("Send").tap()
    newcomer.expect_said("hello")


def test_the_conversation_can_be_read_before_a_name_is_given(visit: Visit, bo: Person, room: str) -> None:
    bo.says("welcome")
    newcomer = visit()
    newcomer.expect_said("welcome")
    expect(newcomer.name_dialog.get_by_role("heading")).to_have_text(f"Welcome to #{room}")
    expect(newcomer.name_dialog.locator(".who")).to_have_text("bo is here.")
    expect(bo.people_button).to_have_accessible_name("1 person here")
    newcomer.takes_name("cleo")
    expect(bo.people_button).to_have_accessible_name("2 people here")


def test_who_is_here_is_said_in_a_sentence(visit: Visit, speaks: Speaks) -> None:
    speaks("bo")
    who = visit().name_dialog.locator(".who")
    expect(who).to_have_text("bo is here.")
    speaks("cy")
    expect(who).to_have_text("bo and cy are here.")
    speaks("di")
    expect(who).to_have_text("bo, cy and di are here.")
    speaks("ed")
    expect(who).to_have_text("bo, cy, di and 1 more are here.")


def test_what_waits_in_another_room_is_sent_and_shown(ann: Person, speaks: Speaks, room: str) -> None:
    bo = speaks("bo")
    ann.says("first")
    bo.expect_said("first")
    ann.goes_to(f"{room}-garden")
    ann.room(room).click()
    ann.expect_connected()
    ann.loses_network()
    ann.says("written offline")
    ann.room(f"{room}-garden").click()
    expect(ann.room(room).locator(".unsent-mark")).to_contain_text("1 waiting to be sent")
    ann.finds_network()
    bo.expect_said("first", "written offline")
    expect(ann.room(room).locator(".unsent-mark")).to_have_count(0)


def test_what_a_closed_page_left_is_sent_by_a_page_in_another_room(ann: Person, speaks: Speaks, room: str) -> None:
    bo = speaks("bo")
    ann.says("first")
    bo.expect_said("first")
    ann.loses_network()
    ann.says("written offline")
    expect(ann.message("written offline")).to_be_visible()
    expect_kept(ann, "written offline")
    page = ann.page
    ann.opens_page()
    page.close()
    ann.page.context.set_offline(False)
    ann.goes_to(f"{room}-garden")
    bo.expect_said("first", "written offline")


def test_posts_are_kept_also_after_the_browser_has_dropped_its_database(ann: Person, speaks: Speaks) -> None:
    bo = speaks("bo")
    ann.says("first")
    bo.expect_said("first")
    page = ann.page
    session = page.context.new_cdp_session(page)
    session.send("Storage.clearDataForOrigin", {"origin": page.evaluate("origin"), "storageTypes": "indexeddb"})
    ann.loses_network()
    ann.says("written offline")
    expect(ann.message("written offline")).to_be_visible()
    expect_kept(ann, "written offline")
    ann.opens_page()
    page.close()
    ann.page.context.set_offline(False)
    ann.goes_to("lobby")
    bo.expect_said("first", "written offline")


def test_a_browser_that_forbids_storage_has_a_chat_that_forgets(visit: Visit, room: str) -> None:
    eve = visit("", "lobby")
    eve.page.context.add_init_script(WITHOUT_STORAGE)
    eve.page.goto(eve.page.url.replace("lobby", room))
    eve.takes_name("eve")
    eve.expect_connected()
    eve.says("hello")
    eve.expect_said("hello")
    eve.reloads()
    expect(eve.name_dialog).to_be_visible()
    eve.expect_said("hello")


def test_a_reply_in_a_thread_is_kept_while_it_is_closed_also_where_storage_is_forbidden(
    visit: Visit, speaks: Speaks, room: str
) -> None:
    bo = speaks("bo")
    bo.says("root")
    bo.replies("root", "first")
    eve = visit("", "lobby")
    eve.page.context.add_init_script(WITHOUT_STORAGE)
    eve.page.goto(eve.address_of(room))
    eve.takes_name("eve")
    eve.expect_connected()
    field = eve.page.get_by_role("textbox", name="Reply in the thread")
    eve.button("1 reply").click()
    expect(field).to_be_focused()
    eve.page.keyboard.type("half an answer")
    eve.page.keyboard.press("Escape")
    expect(field).to_have_count(0)
    eve.button("1 reply draft").click()
    expect(field).to_have_value("half an answer")


def test_each_room_keeps_its_draft_also_after_a_reload(ann: Person, room: str) -> None:
    ann.page.keyboard.type("half a thought")
    ann.goes_to(f"{room}-garden")
    expect(ann.composer).to_be_empty()
    ann.page.keyboard.type("another half")
    ann.goes_to(room)
    expect(ann.composer).to_have_value("half a thought")
    ann.page.keyboard.press("Enter")
    ann.expect_said("half a thought")
    ann.reloads()
    expect(ann.composer).to_be_empty()
    ann.goes_to(f"{room}-garden")
    expect(ann.composer).to_have_value("another half")


def test_the_tabs_of_a_browser_agree_on_drafts(ann: Person, room: str) -> None:
    second = ann.opens_another_page()
    second.goes_to(room)
    ann.composer.fill("half a thought")
    expect(second.composer).to_have_value("half a thought")
    second.composer.press("Enter")
    expect(ann.composer).to_be_empty()
    ann.expect_said("half a thought")


def test_the_tabs_of_a_browser_agree_on_the_name(visit: Visit, room: str) -> None:
    newcomer = visit()
    second = newcomer.opens_another_page()
    second.page.goto(newcomer.page.url)
    expect(second.name_dialog).to_be_visible()
    newcomer.takes_name("cleo")
    expect(second.name_dialog).to_be_hidden()
    second.says("hello")
    expect(newcomer.message("hello").locator(".author")).to_have_text("cleo")
    expect(newcomer.message("hello").locator(".you")).to_have_count(1)


def test_ones_own_words_of_another_tab_are_not_new(ann: Person, room: str) -> None:
    ann.says("first")
    ann.expect_said("first")
    second = ann.opens_another_page()
    second.goes_to(room)
    ann.looks_away()
    second.says("from the other tab")
    ann.expect_said("first", "from the other tab")
    expect(ann.page).to_have_title(re.compile("^#"))
    ann.looks_back()
    expect(ann.page.locator(".new")).to_have_count(0)


def test_enter_breaks_the_line_on_a_touch_screen(visit: Visit, speaks: Speaks) -> None:
    ann, bo = visit("ann", **PHONE), speaks("bo")
    ann.composer.fill("one")
    ann.composer.press("Enter")
    ann.page.keyboard.type("two")
    expect(ann.composer).to_have_value("one\ntwo")
    ann.button("Send").tap()
    bo.expect_said("one\ntwo")
    ann.composer.fill("by keyboard")
    ann.composer.press("Control+Enter")
    bo.expect_said("one\ntwo", "by keyboard")
