"""A long conversation: the view stays where the reader is."""

import pytest
from playwright.sync_api import expect

from tests.client.conftest import Speaks, Visit
from tests.client.person import Person
from tests.client.rows import prepare
from tests.support.server import Server, wait_until

pytestmark = pytest.mark.browser

STILL_PX = 3
PAGE = 50
"""The number of older messages that are loaded at once."""
FROM_BOTTOM = "scroller => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight"
SCROLL_TO = "(scroller, top) => { scroller.scrollTop = top; }"
ABOVE_THE_NEWEST = 1_300
"""Where the first messages are drawn, and no older ones loaded yet."""
BOTTOM = 100_000
FROM_TOP = "scroller => scroller.scrollTop"
SEQS = "log => [...log.querySelectorAll('.message')].map(message => Number(message.dataset.seq))"
TOP = "(scroller, seq) => scroller.querySelector(`[data-seq='${seq}']`).getBoundingClientRect().top"
DRAW_SLOWLY = "() => { window.requestAnimationFrame = draw => setTimeout(draw, 300); }"
READ_ABOVE = """scroller => {
  scroller.scrollTop = 300;
  const scrolling = setInterval(() => scroller.dispatchEvent(new Event("scroll")), 5);
  setTimeout(clearInterval, 1000, scrolling);
}"""
FIRST_IN_SIGHT = """scroller => {
  const { top } = scroller.getBoundingClientRect();
  const messages = [...scroller.querySelectorAll(".message")];
  return Number(messages.find(message => message.getBoundingClientRect().top >= top).dataset.seq);
}"""

SCROLL_UP = f"""scroller => {{
  scroller.scrollTop = 300;
  const seq = ({FIRST_IN_SIGHT})(scroller);
  return [seq, ({TOP})(scroller, seq)];
}}"""
"""Measures before a frame: then older messages are asked for."""


@pytest.fixture
def reader(server: Server, room: str, visit: Visit) -> Person:
    """Opens a page in a room with 300 messages of one to four lines."""
    prepare(server.database, room, [f"number {number}" + "\nand on" * (number % 4) for number in range(1, 301)])
    return visit("ann")


def from_bottom(person: Person) -> float:
    return float(person.conversation.evaluate(FROM_BOTTOM))


def held(person: Person) -> list[int]:
    seqs: list[int] = person.log.evaluate(SEQS)
    return seqs


def test_a_room_opens_at_its_newest_message(reader: Person) -> None:
    expect(reader.message("number 300")).to_be_in_viewport()
    wait_until(lambda: from_bottom(reader) < STILL_PX)
    expect(reader.pill).to_be_hidden()


@pytest.mark.parametrize("up", [1, 4], ids=["among the newest", "far above them"])
def test_a_reload_leaves_the_view_where_it_is(reader: Person, up: int) -> None:
    expect(reader.log).to_have_attribute("aria-busy", "false")
    for _ in range(up):
        oldest = held(reader)[0]
        reader.conversation.evaluate(SCROLL_TO, 400)
        expect(reader.page.locator(f"[data-seq='{oldest - 1}']")).to_have_count(1)
    expect(reader.log).to_have_attribute("aria-busy", "false")
    seq = reader.conversation.evaluate(FIRST_IN_SIGHT)
    top = reader.conversation.evaluate(TOP, seq)
    reader.reloads()
    expect(reader.page.locator(f"[data-seq='{seq}']")).to_be_in_viewport()
    wait_until(lambda: abs(reader.conversation.evaluate(TOP, seq) - top) < STILL_PX)
    expect(reader.page.locator(".message.target")).to_have_count(0)
    expect(reader.notices).to_be_empty()
    reader.pill.click()
    expect(reader.message("number 300")).to_be_in_viewport()
    wait_until(lambda: from_bottom(reader) < STILL_PX)
    reader.reloads()
    expect(reader.message("number 300")).to_be_in_viewport()
    wait_until(lambda: from_bottom(reader) < STILL_PX)


@pytest.mark.parametrize("is_drawn", [True, False], ids=["drawn before", "seen for the first time"])
def test_scrolling_up_loads_older_messages_without_a_jump(reader: Person, is_drawn: bool) -> None:
    """The browser's own anchoring moves the view, too, where it has drawn these messages before."""
    expect(reader.log).to_have_attribute("aria-busy", "false")
    oldest = held(reader)[0]
    for place in (ABOVE_THE_NEWEST, BOTTOM) if is_drawn else ():
        reader.conversation.evaluate(SCROLL_TO, place)
        reader.sees_a_frame()
    seq, top = reader.conversation.evaluate(SCROLL_UP)
    expect(reader.page.locator(f"[data-seq='{oldest - 1}']")).to_be_attached()
    expect(reader.log).to_have_attribute("aria-busy", "false")
    seqs = held(reader)
    assert seqs == list(range(seqs[0], 301))
    assert abs(reader.conversation.evaluate(TOP, seq) - top) <= STILL_PX


def test_a_page_that_draws_slowly_loads_no_more_than_it_needs(reader: Person) -> None:
    expect(reader.log).to_have_attribute("aria-busy", "false")
    oldest = held(reader)[0]
    reader.page.evaluate(DRAW_SLOWLY)
    reader.conversation.evaluate(READ_ABOVE)
    expect(reader.page.locator(f"[data-seq='{oldest - 1}']")).to_be_attached()
    assert held(reader) == list(range(oldest - PAGE, 301))


def test_the_way_back_leads_to_the_beginning(reader: Person) -> None:
    def is_at_the_beginning() -> bool:
        reader.conversation.press("Home")
        return bool(reader.page.locator(".beginning").count() and reader.conversation.evaluate(FROM_TOP) < STILL_PX)

    wait_until(is_at_the_beginning)
    assert held(reader) == list(range(1, 301))
    expect(reader.page.locator("[data-seq='1']")).to_be_in_viewport()


def test_the_pill_counts_what_is_new_and_the_view_stays_where_it_is(reader: Person, speaks: Speaks) -> None:
    reader.conversation.hover()
    reader.page.mouse.wheel(0, -900)
    expect(reader.message("number 300")).not_to_be_in_viewport()
    expect(reader.log).to_have_attribute("aria-busy", "false")
    bo = speaks("bo")
    expect(reader.people_button).to_have_accessible_name("2 people here")
    seq = reader.conversation.evaluate(FIRST_IN_SIGHT)
    top = reader.conversation.evaluate(TOP, seq)
    bo.says("one")
    expect(reader.pill).to_have_text("1 new message")
    bo.says("two", "three")
    expect(reader.pill).to_have_text("3 new messages")
    assert abs(reader.conversation.evaluate(TOP, seq) - top) <= STILL_PX
    reader.pill.click()
    expect(reader.message("three")).to_be_in_viewport()
    expect(reader.pill).to_be_hidden()
    bo.says("four")
    expect(reader.message("four")).to_be_in_viewport()


def test_what_one_says_oneself_is_seen_from_wherever_one_was(reader: Person) -> None:
    reader.conversation.hover()
    reader.page.mouse.wheel(0, -900)
    expect(reader.message("number 300")).not_to_be_in_viewport()
    reader.says("from above")
    expect(reader.message("from above")).to_be_in_viewport()
    reader.expect_connected()
    wait_until(lambda: from_bottom(reader) < STILL_PX)


def test_the_view_stays_at_the_bottom_if_it_was_there(reader: Person, speaks: Speaks) -> None:
    bo = speaks("bo")
    for text in ("one", "\n".join(["many lines"] * 60), "three"):
        bo.says(text)
        expect(reader.message(text)).to_be_attached()
        wait_until(lambda: from_bottom(reader) < STILL_PX)
        expect(reader.pill).to_be_hidden()
    reader.page.set_viewport_size({"width": 700, "height": 400})
    wait_until(lambda: from_bottom(reader) < STILL_PX)
