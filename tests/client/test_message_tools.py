"""What can be done with one message: by mouse, keys and finger, and what is seen of its time and day."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.client.conftest import Speaks, Visit
from tests.client.person import PHONE, Person
from tests.client.rows import prepare
from tests.client.watch import Watch
from tests.support.server import Server, wait_until

pytestmark = pytest.mark.browser

CLIPBOARD: dict[str, Any] = {"permissions": ["clipboard-read", "clipboard-write"]}
TEXTS = ["first", "see https://example.org/x", "third", "fourth"]
FROM_TOP = "scroller => scroller.scrollTop"
FULL = re.compile(r"\d{4} at \d\d:\d\d:\d\d$")
IS_AT_TOOLBAR = """message => {
  const { bottom } = document.querySelector(".toolbar").getBoundingClientRect();
  const { top } = message.getBoundingClientRect();
  return top < bottom && bottom < top + 20;
}"""
LASTING = """() => {
  const start = window.setTimeout;
  window.setTimeout = (act, ms, ...rest) => start(act, ms >= 1000 && ms < 5000 ? 600000 : ms, ...rest);
}"""
"""Leaves on the page what it shows for some seconds: on a slow machine they may pass before it is looked for."""

REPLACED_ROW = """async () => {
  const { h, options, render } = await import("preact");
  const { Chunk } = await import("/client/components/conversation/chunk.js");
  const inserted_at = "2026-05-04T03:02:01Z";
  const posted = seq => ({ seq, id: `m${seq}`, name: "bo", message: `word ${seq}`, inserted_at });
  const messages = [1, 2, 3, 4].map(posted);
  const place = document.createElement("div");
  const room = { slug: "room" };
  const draw = messages => render(h(Chunk, { room, messages, today: "", unsaved: "", firstNewSeq: 0 }), place);
  const texts = () => [...place.querySelectorAll(".text")].map(text => text.textContent);
  draw(messages);
  const drawn = [];
  options.diffed = ({ type, props }) => type?.name === "Text" && drawn.push(props.message);
  draw(messages.with(2, { ...messages[2], message: "edited" }));
  return { texts: texts(), drawn };
}"""


@pytest.fixture
def reader(visit: Visit, server: Server, room: str) -> Person:
    prepare(server.database, room, TEXTS)
    person = visit("ann", **CLIPBOARD)
    person.expect_said(*TEXTS)
    person.page.evaluate(LASTING)
    return person


def copied(person: Person) -> str:
    """What is on the clipboard once the page says that it has copied."""
    expect(person.toast).to_contain_text("copied")
    return str(person.page.evaluate("navigator.clipboard.readText()"))


def rests_a_finger_on(person: Person, text: str) -> None:
    """Presses a message until its sheet is there."""
    box = person.message(text).bounding_box()
    assert box is not None
    touch = person.page.context.new_cdp_session(person.page)
    point = {"x": box["x"] + 80, "y": box["y"] + box["height"] / 2}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    expect(person.page.get_by_role("dialog", name="Actions for the message")).to_be_visible()
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_mouse_finds_a_toolbar_at_each_message(reader: Person, server: Server, room: str) -> None:
    expect(reader.toolbar).to_be_hidden()
    reader.message("third").hover()
    expect(reader.toolbar).to_have_accessible_name("Actions for the message by dora")
    reader.button("Copy text").click()
    assert copied(reader) == "third"
    reader.message("fourth").hover()
    reader.button("Copy link").click()
    expect(reader.toast).to_have_text("Link copied")
    assert copied(reader) == f"{server.url}/rooms/{room}/4"
    reader.composer.hover()
    expect(reader.toolbar).to_be_hidden()


def test_the_toolbar_is_not_cut_off_by_the_chunk_of_its_message(reader: Person) -> None:
    reader.message("first").hover()
    expect(reader.toolbar).to_be_visible()
    box = reader.toolbar.bounding_box()
    assert box is not None
    at_its_top = "([x, y]) => document.elementFromPoint(x, y).closest('.toolbar') !== null"
    assert reader.page.evaluate(at_its_top, [box["x"] + box["width"] / 2, box["y"] + 3])


def test_the_toolbar_stays_at_its_message_when_the_composer_grows(reader: Person) -> None:
    reader.message("third").hover()
    reader.button("Reply").click()
    expect(reader.strip).to_contain_text("third")
    message = reader.message("third").element_handle()
    reader.page.wait_for_function(IS_AT_TOOLBAR, arg=message)


def test_the_toolbar_stays_at_its_message_when_rows_move_below_a_mouse_that_rests(
    reader: Person, speaks: Speaks
) -> None:
    bo = speaks("bo")

    def expect_toolbar_there() -> None:
        reader.page.wait_for_function(IS_AT_TOOLBAR, arg=reader.message("third").element_handle())

    reader.message("third").hover()
    expect_toolbar_there()
    bo.says("fifth")
    expect(reader.message("fifth")).to_be_visible()
    expect_toolbar_there()
    reader.button("React with 👍").click()
    expect(reader.page.locator(".reaction.add")).to_be_visible()
    expect_toolbar_there()
    reader.says("sixth")
    expect(reader.message("sixth")).to_be_visible()
    expect_toolbar_there()


def test_what_keys_have_opened_at_a_message_follows_it(reader: Person, speaks: Speaks) -> None:
    bo = speaks("bo")
    bo.reacts("third", "👍")
    chip = reader.page.locator(".reaction:not(.add)")
    expect(chip).to_be_visible()
    reader.conversation.focus()
    reader.page.keyboard.press("ArrowUp")
    reader.page.keyboard.press("ArrowUp")
    reader.page.keyboard.press("Tab")
    expect(chip).to_be_focused()
    tooltip = reader.page.locator(".tooltip")
    expect(tooltip).to_have_text("bo")
    bo.says("fifth")
    expect(reader.message("fifth")).to_be_visible()
    reader.page.wait_for_function(IS_AT_TOOLBAR, arg=reader.message("third").element_handle())
    reader.page.wait_for_function(
        "chip => Math.abs(chip.getBoundingClientRect().bottom -"
        " document.querySelector('.tooltip').getBoundingClientRect().top) < 20",
        arg=chip.element_handle(),
    )


def test_keys_reach_each_message_its_time_its_links_and_its_toolbar(reader: Person) -> None:
    press = reader.page.keyboard.press
    reader.button("Copy link to this room").focus()
    press("Tab")  # the people
    press("Tab")
    expect(reader.conversation).to_be_focused()
    press("ArrowUp")
    expect(reader.message("fourth")).to_be_focused()
    press("ArrowUp")
    press("ArrowUp")
    expect(reader.message(TEXTS[1])).to_be_focused()
    expect(reader.toolbar.locator("time")).to_have_text(FULL)
    press("Tab")
    expect(reader.page.get_by_role("link", name="example.org")).to_be_focused()
    press("Shift+Tab")
    press("ArrowRight")
    expect(reader.button("React with 👍")).to_be_focused()
    press("End")
    expect(reader.button("Copy link")).to_be_focused()
    press("ArrowLeft")
    expect(reader.button("Copy text")).to_be_focused()
    press("ArrowRight")
    press("Enter")
    assert copied(reader).endswith("/2")
    press("Escape")
    expect(reader.message(TEXTS[1])).to_be_focused()
    press("Escape")
    expect(reader.composer).to_be_focused()
    press("Shift+Tab")  # the emoji
    press("Shift+Tab")
    expect(reader.conversation).to_be_focused()


def test_keys_that_come_before_a_frame_go_past_the_toolbar_that_was_left(reader: Person) -> None:
    press = reader.page.keyboard.press
    reader.conversation.focus()
    press("ArrowUp")
    expect(reader.toolbar).to_be_visible()
    reader.draws_no_more()
    press("Escape")
    press("Shift+Tab")  # the emoji
    press("Shift+Tab")
    expect(reader.conversation).to_be_focused()


def test_the_focus_stays_on_a_tool_when_those_before_it_go_away(ann: Person, watch: Watch) -> None:
    ann.says("mine")
    ann.expect_said("mine")
    ann.conversation.focus()
    ann.page.keyboard.press("ArrowUp")
    expect(ann.toolbar).to_be_visible()
    for key in ("ArrowRight", "End", "ArrowLeft", "ArrowLeft", "ArrowLeft"):
        ann.page.keyboard.press(key)
    expect(ann.button("Pin")).to_be_focused()
    watch.outage = True
    ann.loses_network()  # on another connection they are somebody else, who may not edit this
    expect(ann.toolbar.get_by_role("button", name="Edit")).to_have_count(0)
    expect(ann.button("Pin")).to_be_focused()


def test_the_arrow_keys_lead_on_from_what_can_be_pressed_in_a_message(reader: Person) -> None:
    press = reader.page.keyboard.press
    link = reader.page.get_by_role("link", name="example.org")
    reader.conversation.focus()
    for key in ("ArrowUp", "ArrowUp", "ArrowUp", "Tab"):
        press(key)
    expect(link).to_be_focused()
    press("ArrowDown")
    expect(reader.message("third")).to_be_focused()
    press("ArrowUp")
    press("Tab")
    expect(link).to_be_focused()
    press("ArrowRight")
    expect(reader.button("React with 👍")).to_be_focused()
    press("Escape")
    press("Tab")
    press("Escape")
    expect(reader.composer).to_be_focused()


def test_what_can_be_pressed_in_a_message_is_reached_from_it_and_not_on_the_way_to_the_composer(
    visit: Visit, server: Server, room: str
) -> None:
    prepare(server.database, room, ["||secret||", "```js\nlet a = 1\n```"])
    ann = visit("ann")
    expect(ann.button("Copy code")).to_be_visible()
    press = ann.page.keyboard.press
    ann.conversation.focus()
    press("Tab")
    expect(ann.button("Emoji")).to_be_focused()
    press("Shift+Tab")
    expect(ann.conversation).to_be_focused()
    press("ArrowUp")
    press("Tab")
    expect(ann.button("Copy code")).to_be_focused()
    press("Shift+Tab")
    press("ArrowUp")
    press("Tab")
    expect(ann.button("Show spoiler")).to_be_focused()
    press("Enter")
    expect(ann.page.locator(".spoiler.open")).to_be_focused()


def test_a_finger_that_rests_on_a_message_opens_its_sheet(visit: Visit, server: Server, room: str) -> None:
    prepare(server.database, room, TEXTS)
    ann = visit("ann", **PHONE, **CLIPBOARD)
    ann.expect_said(*TEXTS)
    ann.page.evaluate(LASTING)
    sheet = ann.page.get_by_role("dialog", name="Actions for the message")
    rests_a_finger_on(ann, "third")
    expect(sheet.locator("time")).to_have_text(FULL)
    sheet.get_by_role("button", name="Copy text").tap()
    expect(sheet).to_be_hidden()
    assert copied(ann) == "third"
    rests_a_finger_on(ann, "fourth")
    sheet.get_by_role("button", name="Copy link").tap()
    expect(ann.toast).to_have_text("Link copied")
    assert copied(ann) == f"{server.url}/rooms/{room}/4"
    rests_a_finger_on(ann, "first")
    sheet.get_by_role("button", name="Cancel").tap()
    expect(sheet).to_be_hidden()
    ann.draws_no_more()
    rests_a_finger_on(ann, "third")
    sheet.get_by_role("button", name="Copy text").tap()
    ann.page.wait_for_function("navigator.clipboard.readText().then(text => text === 'third')", polling=100)


class TestOfTheSources:
    """Calls modules of the page, which only the sources have: a visit to them takes twice the CPU."""

    @pytest.fixture
    def server(self, database: Path) -> Iterator[Server]:
        with Server(database, bundle="off") as running:
            yield running

    def test_a_message_that_has_changed_is_drawn_again_and_its_neighbours_are_not(self, ann: Person) -> None:
        texts = ["word 1", "word 2", "edited", "word 4"]
        assert ann.page.evaluate(REPLACED_ROW) == {"texts": texts, "drawn": ["edited"]}


def test_the_day_of_the_topmost_message_stays_in_sight(visit: Visit, server: Server, room: str) -> None:
    prepare(server.database, room, [f"number {number}" for number in range(1, 121)])
    ann = visit("ann")
    day = ann.page.locator(".sticky-day")
    expect(day).to_have_text(re.compile("Today|Yesterday"))

    def is_at_the_beginning() -> bool:
        ann.conversation.press("Home")
        return bool(ann.page.locator(".beginning").count() and ann.conversation.evaluate(FROM_TOP) == 0)

    wait_until(is_at_the_beginning)
    expect(day).to_be_empty()
