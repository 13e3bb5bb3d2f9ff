"""A link to a message opens its room there, however long ago it was said."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.client.conftest import Speaks, Visit
from tests.client.person import Person
from tests.client.rows import prepare
from tests.support.server import Server, wait_until

pytestmark = pytest.mark.browser

NEWEST = 3_000
OLD = 1_000
"""The message that is linked to: 2,000 back."""

STILL_PX = 3
SEQS = "log => [...log.querySelectorAll('.message')].map(message => Number(message.dataset.seq))"
TOP = "(scroller, seq) => scroller.querySelector(`[data-seq='${seq}']`).getBoundingClientRect().top"
FROM_BOTTOM = "scroller => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight"
FIRST_IN_SIGHT = """scroller => {
  const { top } = scroller.getBoundingClientRect();
  const messages = [...scroller.querySelectorAll(".message")];
  return Number(messages.find(message => message.getBoundingClientRect().bottom > top).dataset.seq);
}"""
FOLLOW = "path => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')); }"
VISIT_MESSAGE = """([room, seq]) => import("/client/browser/route.js").then(route => route.visitMessage(room, seq))"""
STOP_SCROLLING = "() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Starts a server that the tests of this file may stop."""
    with Server(tmp_path_factory.mktemp("server") / "chatter.db") as running:
        yield running


@pytest.fixture
def long_room(server: Server, room: str) -> str:
    """Fills a room with a long past, of lines of one to four lines."""
    prepare(server.database, room, [f"number {number}" + "\nand on" * (number % 4) for number in range(1, NEWEST + 1)])
    return room


@pytest.fixture
def reader(visit: Visit, long_room: str) -> Person:
    """Opens the link to the old message."""
    return visit("ann", f"{long_room}/{OLD}")


def follows(person: Person, room: str, seq: int | None = None) -> None:
    """Goes to a room or a message of it in the same page, as by a link."""
    person.page.evaluate(FOLLOW, f"/rooms/{room}" + (f"/{seq}" if seq else ""))


def message(person: Person, seq: int) -> Locator:
    return person.page.locator(f".message[data-seq='{seq}']")


def held(person: Person) -> list[int]:
    seqs: list[int] = person.log.evaluate(SEQS)
    return seqs


def is_run(seqs: list[int]) -> bool:
    return seqs == list(range(seqs[0], seqs[-1] + 1))


def first_in_sight(person: Person) -> int:
    return int(person.conversation.evaluate(FIRST_IN_SIGHT))


def expect_at(person: Person, seq: int) -> None:
    """Waits until the message is marked and in the middle of the view."""
    expect(message(person, seq)).to_have_class(re.compile(r"\btarget\b"))
    expect(message(person, seq)).to_be_in_viewport()
    expect(person.page.locator(".message.target")).to_have_count(1)


def expect_live(person: Person) -> None:
    """Waits until the newest message is at the bottom, and follows what is said."""
    wait_until(lambda: held(person)[-1:] >= [NEWEST] and person.conversation.evaluate(FROM_BOTTOM) < STILL_PX)
    expect(person.pill).to_be_hidden()


def test_a_link_opens_the_room_at_its_message(reader: Person, long_room: str) -> None:
    expect_at(reader, OLD)
    expect(message(reader, OLD)).to_have_attribute("aria-current", "location")
    expect(reader.pill).to_have_text("Newest messages")
    expect(reader.page).to_have_url(re.compile(f"/rooms/{long_room}/{OLD}$"))
    expect(reader.log).to_have_attribute("aria-busy", "false")
    assert is_run(held(reader))
    assert held(reader)[0] < OLD - 20 < OLD + 20 < held(reader)[-1] < NEWEST


def test_a_reload_opens_it_again_and_the_address_without_a_room_is_the_lobby(reader: Person, long_room: str) -> None:
    expect_at(reader, OLD)
    reader.reloads()
    expect_at(reader, OLD)
    reader.goes_to("lobby/5")
    expect(reader.page.get_by_role("heading", level=1)).to_have_text("#lobby")
    expect(reader.notices).to_contain_text("There is no message 5 in #lobby yet.")


def test_scrolling_up_and_down_loads_what_is_there_without_a_jump(reader: Person) -> None:
    expect_at(reader, OLD)
    expect(reader.log).to_have_attribute("aria-busy", "false")
    for way in (-1_500, 30_000):
        reader.conversation.hover()
        edge = held(reader)[0] - 1 if way < 0 else held(reader)[-1] + 1
        reader.page.mouse.wheel(0, way)
        expect(message(reader, edge)).to_be_attached()
        expect(reader.log).to_have_attribute("aria-busy", "false")
        assert is_run(held(reader))
        expect(reader.pill).to_be_visible()


def test_reading_on_leads_to_the_newest_messages_and_the_two_runs_become_one(
    visit: Visit, speaks: Speaks, long_room: str
) -> None:
    begin = NEWEST - 400
    reader = visit("ann", f"{long_room}/{begin}")
    expect_at(reader, begin)
    places = []

    def is_at_the_newest() -> bool:
        before = first_in_sight(reader)
        reader.conversation.press("End")
        reader.page.evaluate(STOP_SCROLLING)
        places.append(first_in_sight(reader))
        assert places[-1] >= before
        return held(reader)[-1] == NEWEST and bool(reader.conversation.evaluate(FROM_BOTTOM) < STILL_PX)

    wait_until(is_at_the_newest)
    assert is_run(held(reader))
    assert held(reader)[0] <= begin
    expect(reader.page).to_have_url(re.compile(f"/rooms/{long_room}$"))
    expect_live(reader)
    bo = speaks("bo", long_room)
    bo.says("hello")
    expect(reader.message("hello")).to_be_in_viewport()


def test_the_button_leads_to_the_newest_message_and_the_address_is_the_rooms_again(
    reader: Person, long_room: str
) -> None:
    expect_at(reader, OLD)
    reader.pill.click()
    expect_live(reader)
    expect(reader.page).to_have_url(re.compile(f"/rooms/{long_room}$"))
    expect(reader.page.locator(".message.target")).to_have_count(0)
    assert is_run(held(reader))
    assert held(reader)[0] > OLD


def test_what_is_said_meanwhile_is_counted_and_not_mixed_in(reader: Person, speaks: Speaks, long_room: str) -> None:
    expect_at(reader, OLD)
    expect(reader.log).to_have_attribute("aria-busy", "false")
    bo = speaks("bo", long_room)
    top = reader.conversation.evaluate(TOP, OLD)
    bo.says("one", "two")
    expect(reader.pill).to_have_text("2 new messages")
    assert is_run(held(reader))
    assert held(reader)[-1] < NEWEST
    assert abs(reader.conversation.evaluate(TOP, OLD) - top) <= STILL_PX
    reader.pill.click()
    expect(reader.message("two")).to_be_in_viewport()
    expect(reader.pill).to_be_hidden()


def test_posting_leads_to_the_newest_message(reader: Person, long_room: str) -> None:
    expect_at(reader, OLD)
    reader.says("from the past")
    expect(reader.message("from the past")).to_be_in_viewport()
    expect(reader.page).to_have_url(re.compile(f"/rooms/{long_room}$"))
    expect_live(reader)


class TestOfTheSources:
    """Calls a module of the page, which only the sources have: a visit to them takes twice the CPU."""

    @pytest.fixture
    def server(self, database: Path) -> Iterator[Server]:
        with Server(database, bundle="off") as running:
            yield running

    def test_another_message_is_opened_without_a_new_page_and_back_and_forward_lead_between_them(
        self, reader: Person, long_room: str
    ) -> None:
        expect_at(reader, OLD)
        reader.page.evaluate("window.same = true")
        reader.page.evaluate(VISIT_MESSAGE, [long_room, 2_000])
        expect_at(reader, 2_000)
        expect(message(reader, 2_000)).not_to_be_focused()  # one may be writing
        reader.composer.blur()
        reader.page.evaluate(VISIT_MESSAGE, [long_room, NEWEST - 20])
        expect_at(reader, NEWEST - 20)
        expect(message(reader, NEWEST - 20)).to_be_focused()
        reader.page.go_back()
        expect_at(reader, 2_000)
        reader.page.go_back()
        expect_at(reader, OLD)
        reader.page.go_forward()
        expect_at(reader, 2_000)
        assert is_run(held(reader))
        assert reader.page.evaluate("window.same") is True


def test_the_drawer_and_the_link_that_skips_leave_the_view_where_it_is(reader: Person) -> None:
    expect_at(reader, OLD)
    reader.page.set_viewport_size({"width": 600, "height": 700})
    reader.conversation.hover()
    reader.page.mouse.wheel(0, 900)
    expect(message(reader, OLD)).not_to_be_in_viewport()
    expect(reader.log).to_have_attribute("aria-busy", "false")
    seq = first_in_sight(reader)
    reader.button("Rooms").click()
    with reader.page.expect_event("framenavigated"):  # back, past the drawer's entry
        reader.button("Close rooms").click()
    expect(reader.button("Rooms")).to_be_focused()  # which the next frame does
    skip = reader.page.get_by_role("link", name="Skip to writing")
    skip.focus()
    skip.press("Enter")
    expect(reader.composer).to_be_focused()
    reader.page.evaluate(STOP_SCROLLING)
    assert first_in_sight(reader) == seq


def test_the_rooms_own_entry_in_the_list_leads_away_from_its_message(reader: Person, long_room: str) -> None:
    expect_at(reader, OLD)
    reader.room(long_room).click()
    expect(reader.page).to_have_url(re.compile(f"/rooms/{long_room}$"))
    expect_live(reader)
    reader.page.go_back()
    expect_at(reader, OLD)


def test_a_message_of_another_room_is_opened_there_and_not_here(reader: Person, server: Server, long_room: str) -> None:
    other = f"{long_room}-garden"
    prepare(server.database, other, [f"number {number}" for number in range(1, 301)])
    expect_at(reader, OLD)
    follows(reader, other, 100)
    expect(reader.page.get_by_role("heading", level=1)).to_have_text(f"#{other}")
    expect_at(reader, 100)
    follows(reader, long_room)
    expect(reader.page.get_by_role("heading", level=1)).to_have_text(f"#{long_room}")
    expect_at(reader, OLD)


def test_back_from_a_message_leads_to_where_one_was(visit: Visit, long_room: str) -> None:
    ann = visit("ann", long_room)
    expect(message(ann, NEWEST)).to_be_in_viewport()
    ann.conversation.hover()
    ann.page.mouse.wheel(0, -900)
    expect(message(ann, NEWEST)).not_to_be_in_viewport()
    expect(ann.log).to_have_attribute("aria-busy", "false")
    seq = first_in_sight(ann)
    follows(ann, long_room, OLD)
    expect_at(ann, OLD)
    ann.page.go_back()
    expect(message(ann, seq)).to_be_in_viewport()
    wait_until(lambda: first_in_sight(ann) == seq)
    assert is_run(held(ann))


@pytest.mark.parametrize(("asked", "shown", "yet"), [(77, 76, ""), (NEWEST + 500, NEWEST, " yet")])
def test_where_no_such_message_is_the_nearest_is_shown_and_a_line_says_so(
    server: Server, visit: Visit, room: str, asked: int, shown: int, yet: str
) -> None:
    prepare(server.database, room, [f"number {number}" for number in range(1, NEWEST + 1)], void=77)
    ann = visit("ann", f"{room}/{asked}")
    expect_at(ann, shown)
    expect(ann.notices).to_contain_text(f"There is no message {asked} in #{room}{yet}. This is the nearest one.")
    ann.notices.get_by_role("button", name="Dismiss").click()
    expect(ann.notices).to_be_empty()
    expect(ann.composer).to_be_focused()
    expect(ann.page).to_have_url(re.compile(f"/rooms/{room}$"))
    expect(message(ann, shown)).to_be_in_viewport()


def test_a_line_says_that_the_message_was_deleted(visit: Visit, speaks: Speaks, room: str) -> None:
    bo = speaks("bo")
    bo.says("first", "second")
    bo.deletes("second")
    ann = visit("ann", f"{room}/2")
    expect(ann.notices).to_contain_text("This message was deleted.")
    ann.expect_said("first")
    ann.notices.get_by_role("button", name="Dismiss").click()
    expect(ann.notices).to_be_empty()
    expect(ann.page).to_have_url(re.compile(f"/rooms/{room}$"))


def test_an_empty_room_has_no_message_to_show(visit: Visit, room: str) -> None:
    ann = visit("ann", f"{room}/7")
    expect(ann.page.get_by_role("heading", name=f"It is quiet in #{room}")).to_be_visible()
    expect(ann.notices).to_contain_text(f"There is no message 7 in #{room} yet.")
    ann.says("hello")
    ann.expect_said("hello")
    expect(ann.notices).to_be_empty()


@pytest.mark.usefixtures("outage")
def test_a_restart_of_the_server_leaves_the_view_where_it_is(reader: Person, server: Server, long_room: str) -> None:
    expect_at(reader, OLD)
    expect(reader.log).to_have_attribute("aria-busy", "false")
    top = reader.conversation.evaluate(TOP, OLD)
    server.stop()
    reader.expect_state("reconnecting")
    reader.conversation.press("End")  # asks for more in vain
    server.start()
    reader.expect_connected()
    expect(message(reader, OLD + 100)).to_be_attached()
    assert is_run(held(reader))
    message(reader, OLD).scroll_into_view_if_needed()
    assert top > 0
    reader.pill.click()
    expect_live(reader)


@pytest.mark.usefixtures("outage")
def test_a_link_that_is_opened_while_the_server_is_away_is_followed_when_it_is_back(
    visit: Visit, server: Server, long_room: str
) -> None:
    ann = visit("ann", long_room)
    expect(message(ann, NEWEST)).to_be_in_viewport()
    server.stop()
    ann.expect_state("reconnecting")
    follows(ann, long_room, OLD)
    expect(message(ann, NEWEST)).to_be_in_viewport()
    server.start()
    expect_at(ann, OLD)


# ---------------------------------------------------------------- coming back to a room


@pytest.mark.parametrize("is_apart", [False, True])
def test_who_comes_back_to_a_room_reads_on_where_they_were(
    visit: Visit, speaks: Speaks, long_room: str, server: Server, is_apart: bool
) -> None:
    ann = visit("ann", f"{long_room}/{OLD}" if is_apart else long_room)
    expect(message(ann, OLD if is_apart else NEWEST)).to_be_in_viewport()
    ann.conversation.hover()
    ann.page.mouse.wheel(0, -1_111)
    expect(message(ann, OLD if is_apart else NEWEST)).not_to_be_in_viewport()
    expect(ann.log).to_have_attribute("aria-busy", "false")
    seq = first_in_sight(ann)
    top = ann.conversation.evaluate(TOP, seq)
    follows(ann, f"{long_room}-garden")
    expect(ann.page.get_by_role("heading", level=1)).to_have_text(f"#{long_room}-garden")
    ann.expect_connected()
    bo = speaks("bo", long_room)
    bo.says("while you were away")
    follows(ann, long_room)
    expect(message(ann, seq)).to_be_in_viewport()
    ann.expect_connected()
    expect(ann.pill).to_have_text("1 new message")
    wait_until(lambda: first_in_sight(ann) == seq)
    wait_until(lambda: abs(ann.conversation.evaluate(TOP, seq) - top) <= STILL_PX)


def test_who_was_at_the_newest_message_comes_back_to_the_newest(visit: Visit, speaks: Speaks, long_room: str) -> None:
    ann, bo = visit("ann", long_room), speaks("bo", long_room)
    ann.says("hello")  # an own message must not lead down again later
    expect(ann.message("hello")).to_be_in_viewport()
    follows(ann, f"{long_room}-garden")
    ann.expect_connected()
    bo.says("\n".join(["while you were away"] * 3))
    follows(ann, long_room)
    expect(ann.texts.last).to_contain_text("while you were away")
    expect_live(ann)


def test_a_link_to_a_message_is_followed_in_the_same_page(reader: Person, server: Server, long_room: str) -> None:
    reader.says(f"look at {server.url}/rooms/{long_room}/{OLD // 2}")
    reader.expect_acknowledged()
    reader.page.evaluate("window.same = true")
    reader.texts.last.get_by_role("link").click()
    expect(message(reader, OLD // 2)).to_be_in_viewport()
    assert reader.page.evaluate("window.same") is True
    assert reader.page.url.endswith(f"/{OLD // 2}")
