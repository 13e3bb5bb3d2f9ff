"""People answer a message: the answer quotes it as it is now, and leads to it and to the thread."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.client.conftest import Speaks, Visit
from tests.client.person import PHONE, Person
from tests.client.test_recovery import somebody_says
from tests.support.server import Server

pytestmark = pytest.mark.browser

WIDE: dict[str, Any] = {"viewport": {"width": 1400, "height": 800}}


def thread_of(person: Person) -> Locator:
    """Finds the replies in the panel."""
    return person.page.get_by_role("region", name="Replies")


def test_a_reply_quotes_what_it_answers_through_edits_and_leads_to_it(
    ann: Person, bo: Person, server: Server, room: str
) -> None:
    ann.says("**helo**")
    ann.expect_said("helo")
    somebody_says(server, room, *(f"word {number}" for number in range(60)))
    expect(bo.texts.last).to_have_text("word 59")
    bo.message("word 59").hover()
    bo.button("Reply").click()
    expect(bo.composer).to_be_focused()
    expect(bo.strip).to_contain_text("Replying to dora word 59")
    bo.page.keyboard.press("Escape")
    expect(bo.strip).to_be_empty()
    bo.conversation.press("Home")
    bo.message("helo").hover()
    bo.button("Reply").click()
    bo.page.keyboard.type("to the first")
    bo.page.keyboard.press("Enter")
    expect(bo.strip).to_be_empty()
    quote = ann.message("to the first").locator(".quote")
    expect(quote).to_contain_text("ann helo")
    ann.conversation.press("Home")
    ann.message("helo").hover()
    ann.button("Edit").click()
    ann.composer.fill("hello")
    ann.page.keyboard.press("Enter")
    expect(bo.message("to the first").locator(".quote")).to_contain_text("ann hello")
    bo.message("to the first").locator(".quote").click()
    expect(bo.page).to_have_url(re.compile("/1$"))
    expect(bo.message("hello")).to_be_in_viewport()


def test_a_thread_opens_beside_the_conversation_replies_to_its_root_and_closes(visit: Visit) -> None:
    ann, bo = visit("ann", **WIDE), visit("bo", **WIDE)
    ann.says("root", "other")
    bo.expect_said("root", "other")
    bo.message("root").hover()
    bo.button("Reply").click()
    bo.says("first")
    ann.button("1 reply").click()
    expect(thread_of(ann).locator(".text")).to_have_text(["root", "first"])
    ann.page.keyboard.type("second")
    ann.page.keyboard.press("Enter")
    expect(thread_of(ann).locator(".text")).to_have_text(["root", "first", "second"])
    expect(bo.button("2 replies")).to_be_visible()
    expect(bo.message("second").locator(".quote")).to_contain_text("root")
    bo.button("2 replies").click()
    bo.page.keyboard.type("third")
    bo.page.keyboard.press("Enter")
    expect(thread_of(ann).locator(".text")).to_have_text(["root", "first", "second", "third"])
    ann.page.keyboard.type("half a thought")
    ann.page.keyboard.press("Escape")
    expect(thread_of(ann)).to_have_count(0)
    expect(ann.people).to_be_visible()
    expect(ann.button("3 replies draft")).to_be_focused()
    expect(ann.rooms.locator(".room").filter(has_text="/")).to_have_count(0)  # its draft is no room's
    ann.page.keyboard.press("Enter")
    expect(ann.page.get_by_role("textbox", name="Reply in the thread")).to_have_value("half a thought")


def test_an_edit_that_began_in_a_thread_gives_the_focus_back_to_it(visit: Visit) -> None:
    ann = visit("ann", **WIDE)
    ann.says("root")
    ann.expect_said("root")
    ann.page.keyboard.press("ArrowUp")
    ann.page.keyboard.press("Escape")
    expect(ann.composer).to_be_focused()
    ann.message("root").hover()
    ann.button("Reply").click()
    ann.says("reply")
    ann.expect_acknowledged()
    ann.button("1 reply").click()
    reply = thread_of(ann).locator(".message").filter(has_text="reply")
    for end in ("Escape", "Enter"):
        reply.hover()
        thread_of(ann).locator("xpath=..").get_by_role("button", name="Edit").click()
        expect(ann.composer).to_be_focused()
        ann.page.keyboard.type("!")
        ann.page.keyboard.press(end)
        expect(reply).to_be_focused()
    expect(reply).to_contain_text("reply!")
    toolbar = thread_of(ann).locator("xpath=..").get_by_role("toolbar")
    reply.hover()
    expect(toolbar).to_be_visible()
    byline = reply.locator(".byline").bounding_box()
    tools = toolbar.bounding_box()
    assert byline
    assert tools
    assert tools["y"] >= byline["y"] + byline["height"]


@pytest.mark.parametrize("options", [WIDE, {"viewport": {"width": 1024, "height": 768}}])
def test_words_that_are_typed_at_the_messages_of_a_thread_are_a_reply(visit: Visit, options: dict[str, Any]) -> None:
    ann = visit("ann", **options)
    ann.says("root")
    ann.expect_said("root")
    ann.message("root").hover()
    ann.button("Reply").click()
    ann.says("first")
    ann.expect_acknowledged()
    ann.button("1 reply").click()
    field = ann.page.get_by_role("textbox", name="Reply in the thread")
    expect(field).to_be_focused()
    thread_of(ann).get_by_text("first").click()
    expect(field).not_to_be_focused()
    ann.page.keyboard.type("a second thought")
    expect(field).to_have_value("a second thought")
    ann.page.keyboard.press("Enter")
    expect(thread_of(ann).locator(".text")).to_have_text(["root", "first", "a second thought"])
    ann.button("Close panel").click()
    ann.page.keyboard.type("for all")
    expect(ann.composer).to_have_value("for all")


def test_a_deleted_reply_is_not_counted_also_after_a_reload(ann: Person, speaks: Speaks) -> None:
    ann.says("root")
    bo = speaks("bo")
    for text in ("first", "second"):
        bo.replies("root", text)
    expect(ann.button("2 replies")).to_be_visible()
    bo.deletes("second")
    expect(ann.button("1 reply")).to_be_visible()
    ann.reloads()
    ann.button("1 reply").click()
    expect(ann.page.get_by_role("heading", name="Thread 1")).to_be_visible()
    bo.deletes("first")
    expect(ann.page.locator(".replies")).to_have_count(0)
    ann.reloads()
    ann.expect_said("root")
    expect(ann.page.locator(".replies")).to_have_count(0)


def test_a_draft_in_a_thread_is_at_hand_after_its_last_reply_is_deleted(visit: Visit, speaks: Speaks) -> None:
    ann, bo = visit("ann", **WIDE), speaks("bo")
    ann.says("root")
    bo.replies("root", "first")
    ann.button("1 reply").click()
    ann.page.keyboard.type("half a thought")
    bo.deletes("first")
    ann.reloads()
    ann.button("draft").click()
    field = ann.page.get_by_role("textbox", name="Reply in the thread")
    expect(field).to_have_value("half a thought")
    ann.page.keyboard.press("Enter")
    expect(ann.button("1 reply")).to_be_visible()
    expect(ann.button("draft")).to_have_count(0)


def test_the_tabs_of_a_browser_agree_on_the_draft_of_a_thread(visit: Visit, speaks: Speaks, room: str) -> None:
    one, bo = visit("ann", **WIDE), speaks("bo")
    one.says("root")
    bo.replies("root", "first")
    other = one.opens_another_page()
    other.goes_to(room)
    for tab in (one, other):
        tab.button("1 reply").click()
    one.page.keyboard.type("half a thought")
    field = other.page.get_by_role("textbox", name="Reply in the thread")
    expect(field).to_have_value("half a thought")
    other.page.keyboard.press("Enter")
    expect(one.page.get_by_role("textbox", name="Reply in the thread")).to_be_empty()


def test_a_thread_lies_over_a_narrow_page(visit: Visit, speaks: Speaks) -> None:
    ann, bo = visit("ann", **PHONE), speaks("bo")
    ann.says("root")
    bo.replies("root", "first")
    ann.button("1 reply").tap()
    dialog = ann.page.get_by_role("dialog", name="Thread")
    field = dialog.get_by_role("textbox", name="Reply in the thread")
    field.tap()
    field.fill("second")
    dialog.get_by_role("button", name="Reply", exact=True).tap()
    expect(dialog.locator(".text")).to_have_text(["root", "first", "second"])
    bo.expect_said("root", "first", "second")
    ann.button("Close panel").tap()
    expect(dialog).to_be_hidden()


def test_a_reply_to_a_deleted_message_can_only_be_sent_without_the_reply(speaks: Speaks, bo: Person) -> None:
    ann = speaks("ann")
    ann.says("question")
    bo.expect_said("question")
    bo.message("question").hover()
    bo.button("Reply").click()
    ann.deletes("question")
    expect(bo.strip).to_contain_text("original deleted")
    bo.says("answer")
    expect(bo.not_sent).to_contain_text("the message was deleted")
    expect(bo.button("retry")).to_have_count(0)
    bo.button("send without the reply").click()
    bo.expect_said("answer")
    ann.expect_said("question", "answer")
