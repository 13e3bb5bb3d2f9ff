"""The list of rooms: how many messages are new, what one makes of a room, and an order that stands still."""

import pytest
from playwright.sync_api import expect

from tests.client.conftest import Speaks, Visit
from tests.client.person import PHONE, Person
from tests.client.rows import prepare
from tests.client.test_unread import refreshes_rooms
from tests.support.server import Server

pytestmark = pytest.mark.browser

ORDER = "nav => [...nav.querySelectorAll('.room')].map(room => room.dataset.stop)"


@pytest.fixture
def rooms(server: Server, room: str) -> list[str]:
    """Prepares three rooms, the one that was used last first."""
    names = [f"{room}-{name}" for name in ("attic", "barn", "cellar")]
    for name in reversed(names):
        prepare(server.database, name, ["one", "two"])
    return names


def shown(person: Person, prefix: str) -> list[str]:
    """The rooms of this test in the order of the list."""
    found: list[str] = person.rooms.evaluate(ORDER)
    return [name.removeprefix(f"{prefix}-") for name in found if name.startswith(f"{prefix}-")]


def chooses(person: Person, room: str, item: str) -> None:
    """Takes an item of a room's menu, by the mouse."""
    person.room(room).hover()
    person.button(f"Options for #{room}").click()
    person.page.get_by_role("menu", name=room).get_by_text(item, exact=True).click()


def test_the_new_messages_of_a_room_are_counted(visit: Visit, speaks: Speaks, room: str) -> None:
    ann, bo = visit("ann"), speaks("bo")
    bo.says("one")
    ann.expect_said("one")
    ann.room("lobby").click()
    bo.says("two", "three", "four")
    bo.expect_said("one", "two", "three", "four")
    refreshes_rooms(ann)
    expect(ann.room(room).locator(".unread")).to_have_text("3 new messages")
    ann.room(room).click()
    ann.expect_said("one", "two", "three", "four")
    expect(ann.room(room).locator(".unread")).to_have_count(0)


def test_own_words_of_another_window_are_not_new(ann: Person, speaks: Speaks) -> None:
    again, bo = speaks("ann"), speaks("bo")
    ann.looks_away()
    again.says("from my phone")
    bo.expect_said("from my phone")
    bo.says("hello")
    ann.expect_said("from my phone", "hello")
    ann.looks_back()
    expect(ann.page.locator(".new + .message")).to_contain_text("hello")


def test_a_pinned_room_stands_below_the_lobby_in_all_tabs(ann: Person, rooms: list[str], room: str) -> None:
    refreshes_rooms(ann)
    other = ann.opens_another_page()
    other.goes_to(room)
    chooses(ann, rooms[2], "Pin to the top")
    for person in (ann, other):
        expect(person.room(rooms[2])).to_contain_text("pinned")
        assert person.rooms.evaluate(ORDER)[:2] == ["lobby", rooms[2]]
    chooses(ann, rooms[2], "Pin to the top")
    expect(other.room(rooms[2])).not_to_contain_text("pinned")


def test_a_muted_room_says_nothing_of_new_messages(visit: Visit, speaks: Speaks, room: str) -> None:
    ann, bo = visit("ann"), speaks("bo")
    chooses(ann, room, "Mute")
    expect(ann.room(room)).to_contain_text("muted")
    ann.room(room).hover()
    expect(ann.room(room)).to_have_accessible_name(f"{room} muted")
    ann.room("lobby").click()
    bo.says("hello")
    bo.expect_said("hello")
    refreshes_rooms(ann)
    expect(ann.room(room).locator(".unread")).to_have_count(0)
    chooses(ann, room, "Mute")
    expect(ann.room(room)).not_to_contain_text("muted")


def test_the_menu_is_of_the_room_that_was_pressed_also_before_the_next_frame(ann: Person, room: str) -> None:
    ann.draws_no_more()
    ann.room(room).click(button="right")
    expect(ann.page.get_by_role("menu")).to_have_accessible_name(f"Options for #{room}")


def test_a_closed_room_is_gone_until_it_is_opened_again(ann: Person, rooms: list[str], room: str) -> None:
    refreshes_rooms(ann)
    chooses(ann, rooms[0], "Close")
    expect(ann.room(rooms[0])).to_have_count(0)
    ann.reloads()
    expect(ann.room(rooms[1])).to_be_visible()
    expect(ann.room(rooms[0])).to_have_count(0)
    ann.searches(rooms[0])
    ann.page.keyboard.press("Enter")
    expect(ann.room(rooms[0])).to_have_attribute("aria-current", "page")
    chooses(ann, rooms[0], "Close")
    expect(ann.room(rooms[0])).to_have_count(0)
    expect(ann.room("lobby")).to_have_attribute("aria-current", "page")


def test_a_room_that_is_closed_leaves_the_focus_with_the_next(ann: Person, rooms: list[str], room: str) -> None:
    refreshes_rooms(ann)
    expect(ann.room(rooms[2])).to_be_visible()
    ann.button(f"Options for #{rooms[0]}").press("Enter")
    ann.page.get_by_role("menuitem", name="Close").press("Enter")
    expect(ann.room(rooms[0])).to_have_count(0)
    expect(ann.room(rooms[1])).to_be_focused()


def test_the_order_stands_still_while_one_points_at_it_or_is_in_it(
    ann: Person, speaks: Speaks, rooms: list[str], room: str
) -> None:
    refreshes_rooms(ann)
    expect(ann.room(rooms[2])).to_be_visible()
    ann.room(rooms[0]).hover()
    bo = speaks("bo", rooms[2])
    bo.says("three")
    bo.expect_said("one", "two", "three")
    refreshes_rooms(ann)
    assert shown(ann, room) == ["attic", "barn", "cellar"]
    ann.room(rooms[0]).focus()
    ann.conversation.hover()
    refreshes_rooms(ann)
    assert shown(ann, room) == ["attic", "barn", "cellar"]
    ann.composer.focus()
    expect(ann.room(rooms[2]).locator("xpath=following::*[@data-stop][1]")).to_have_attribute("data-stop", rooms[0])
    assert shown(ann, room) == ["cellar", "attic", "barn"]


def test_the_filter_leaves_the_rooms_with_that_name(ann: Person, rooms: list[str], room: str) -> None:
    refreshes_rooms(ann)
    field = ann.rooms.get_by_role("textbox", name="Filter rooms")
    field.fill(f"{room}-b")
    expect(ann.rooms.locator(".room")).to_have_count(1)
    expect(ann.room(rooms[1])).to_be_visible()
    field.fill(f"{room}-nothing")
    expect(ann.rooms.get_by_role("status")).to_have_text("No room here has such a name.")
    field.press("Escape")
    expect(ann.room(rooms[0])).to_be_visible()
    field.fill(f"{room}-c")
    field.press("Enter")
    expect(ann.room(rooms[2])).to_have_attribute("aria-current", "page")
    expect(field).to_be_empty()


def test_the_arrow_keys_lead_from_the_button_of_a_row_to_the_rows_beside_it(rooms: list[str], ann: Person) -> None:
    refreshes_rooms(ann)
    ann.room(rooms[1]).focus()
    ann.page.keyboard.press("ArrowRight")
    expect(ann.button(f"Options for #{rooms[1]}")).to_be_focused()
    ann.page.keyboard.press("ArrowDown")
    expect(ann.room(rooms[2])).to_be_focused()
    ann.page.keyboard.press("ArrowRight")
    ann.page.keyboard.press("ArrowUp")
    expect(ann.room(rooms[1])).to_be_focused()


def test_a_room_chosen_by_keys_in_the_drawer_is_written_in_at_once(visit: Visit) -> None:
    ann = visit("ann", viewport={"width": 390, "height": 844})
    ann.button("Rooms").press("Enter")
    expect(ann.button("Close rooms")).to_be_focused()
    ann.room("lobby").press("Enter")
    ann.page.keyboard.type("hello")
    expect(ann.page.get_by_role("heading", level=1)).to_have_text("#lobby")
    expect(ann.rooms).to_be_hidden()
    expect(ann.composer).to_be_focused()
    expect(ann.composer).to_have_value("hello")


def test_a_room_with_a_draft_is_marked_also_where_nobody_has_said_anything(ann: Person, room: str) -> None:
    other = ann.opens_another_page()
    other.goes_to("lobby")
    ann.composer.press_sequentially("half a")
    expect(other.room(room)).to_have_accessible_name(f"{room} draft")
    ann.room("lobby").click()
    expect(ann.room(room)).to_have_accessible_name(f"{room} draft")
    other.reloads()
    expect(other.room(room)).to_have_accessible_name(f"{room} draft")
    other.room(room).click()
    expect(other.room(room)).to_have_accessible_name(room)
    other.says("half a thought")
    other.expect_said("half a thought")
    other.room("lobby").click()
    for person in (ann, other):
        expect(person.room(room)).to_have_accessible_name(room)


def test_rows_are_flat_for_a_mouse_and_high_enough_for_a_thumb(visit: Visit) -> None:
    mouse, thumb = visit("ann"), visit("bo", **PHONE)
    thumb.button("Rooms").tap()
    expect(thumb.rooms).to_be_visible()
    heights = [person.room("lobby").bounding_box() for person in (mouse, thumb)]
    assert [box and box["height"] for box in heights] == [32, 44]


def test_the_current_room_is_marked_by_shape(ann: Person, room: str) -> None:
    width = "room => getComputedStyle(room, '::before').width"
    assert ann.room(room).evaluate(width) not in {"auto", "0px"}
    assert ann.room("lobby").evaluate(width) == "auto"
