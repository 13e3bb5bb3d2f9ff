"""One field finds rooms and people, and keys lead through the rooms."""

import re

import pytest
from playwright.sync_api import expect

from tests.client.conftest import Speaks, Visit
from tests.client.person import PHONE, Person
from tests.client.rows import prepare
from tests.client.test_sidebar import ORDER
from tests.client.test_unread import refreshes_rooms
from tests.support.server import Server

pytestmark = pytest.mark.browser


def options(person: Person) -> list[str]:
    """What the field has found."""
    return person.palette.get_by_role("option").all_inner_texts()


def test_a_room_is_found_by_a_part_of_its_name(ann: Person, server: Server, room: str) -> None:
    prepare(server.database, f"{room}-garden", ["one"])
    refreshes_rooms(ann)
    expect(ann.room(f"{room}-garden")).to_be_visible()
    for key in ("Control+k", "Meta+k"):
        ann.page.keyboard.press(key)
        expect(ann.palette.get_by_role("combobox")).to_be_focused()
        ann.page.keyboard.press("Escape")
        expect(ann.palette).to_be_hidden()
    ann.page.keyboard.press("Control+k")
    ann.page.keyboard.type(f"{room}-gard")
    ann.page.keyboard.press("Enter")
    expect(ann.page).to_have_url(re.compile(f"/rooms/{room}-garden$"))
    ann.expect_said("one")
    expect(ann.composer).to_be_focused()


def test_a_room_is_created_by_its_own_row_and_not_by_a_typing_error(ann: Person, room: str) -> None:
    ann.searches(f"  Café {room}!")
    expect(ann.palette.get_by_role("option")).to_have_text([f"Create #cafe-{room}"])
    ann.page.keyboard.press("Enter")
    expect(ann.palette.get_by_role("status")).to_contain_text("No room has this name")
    expect(ann.page).to_have_url(re.compile(f"/rooms/{room}$"))
    ann.page.keyboard.press("ArrowDown")
    ann.page.keyboard.press("Enter")
    expect(ann.page).to_have_url(re.compile(f"/rooms/cafe-{room}$"))
    ann.expect_connected()
    expect(ann.room(f"cafe-{room}")).to_have_attribute("aria-current", "page")
    expect(ann.composer).to_be_focused()


def test_what_is_chosen_by_keys_is_in_sight_and_so_is_the_room_it_leads_to(
    visit: Visit, server: Server, room: str
) -> None:
    for number in range(30):
        prepare(server.database, f"{room}-{number}", ["one"])
    ann = visit("ann", viewport={"width": 1000, "height": 500})
    refreshes_rooms(ann)
    expect(ann.room(f"{room}-29")).to_be_visible()
    ann.page.keyboard.press("Control+k")
    ann.page.keyboard.type(room)
    ann.page.keyboard.press("ArrowUp")
    last = ann.palette.get_by_role("option", selected=True)
    expect(last).to_be_in_viewport(ratio=0.9)
    slug = last.locator(".name").inner_text()
    ann.page.keyboard.press("Enter")
    expect(ann.page).to_have_url(re.compile(f"/rooms/{slug}$"))
    expect(ann.room(slug)).to_be_in_viewport(ratio=0.9)


def test_the_enter_of_an_input_method_takes_nothing(ann: Person) -> None:
    """Safari tells of it by the code of the key alone, after the composition."""
    ann.page.keyboard.press("Control+k")
    field = ann.palette.get_by_role("combobox")
    field.dispatch_event("keydown", {"key": "Enter", "keyCode": 229})
    expect(ann.palette).to_be_visible()
    field.press("Enter")
    expect(ann.palette).to_be_hidden()


def test_a_name_that_makes_no_room_creates_none(ann: Person) -> None:
    ann.searches("!?")
    expect(ann.palette.get_by_role("status")).to_contain_text("letters a–z or digits")
    assert options(ann) == []


def test_people_are_found_beside_rooms(visit: Visit, speaks: Speaks, room: str) -> None:
    speaks("Zoë")
    ann = visit("ann", viewport={"width": 1024, "height": 768})
    expect(ann.people_button).to_have_accessible_name("2 people here")
    ann.searches("zo")
    found = ann.palette.get_by_role("option", name="Zoë")
    expect(found).to_have_attribute("aria-selected", "true")
    ann.page.keyboard.press("Enter")
    expect(ann.people_dialog.get_by_role("listitem").locator(".name")).to_have_text(["ann", "Zoë"])


def test_alt_and_an_arrow_lead_to_the_next_room_and_with_shift_to_the_next_unread(
    visit: Visit, speaks: Speaks, server: Server, room: str
) -> None:
    for name in ("attic", "barn"):
        prepare(server.database, f"{room}-{name}", ["one"])
    ann = visit("ann", f"{room}-attic")
    ann.goes_to("lobby")
    bo = speaks("bo", f"{room}-attic")
    bo.says("two")
    bo.expect_said("one", "two")
    refreshes_rooms(ann)
    expect(ann.room(f"{room}-attic").locator(".unread")).to_have_text("1 new message")
    ann.page.keyboard.press("Alt+Shift+ArrowDown")
    expect(ann.room(f"{room}-attic")).to_have_attribute("aria-current", "page")
    expect(ann.composer).to_be_focused()
    order = ann.rooms.evaluate(ORDER)
    ann.page.keyboard.press("Alt+ArrowUp")
    expect(ann.room(order[order.index(f"{room}-attic") - 1])).to_have_attribute("aria-current", "page")
    ann.page.keyboard.press("Alt+ArrowDown")
    expect(ann.room(f"{room}-attic")).to_have_attribute("aria-current", "page")


def test_a_question_mark_outside_of_fields_shows_the_keys(ann: Person) -> None:
    keys = ann.page.get_by_role("dialog", name="Keys")
    ann.composer.press("?")
    expect(ann.composer).to_have_value("?")
    expect(keys).to_be_hidden()
    ann.composer.press("Escape")
    ann.page.keyboard.press("?")
    expect(keys).to_be_visible()
    ann.page.keyboard.press("Escape")
    expect(keys).to_be_hidden()


def test_a_list_is_one_stop_of_the_tab_key_and_arrows_move_inside(
    ann: Person, speaks: Speaks, server: Server, room: str
) -> None:
    for name in ("attic", "barn"):
        prepare(server.database, f"{room}-{name}", ["one"])
    refreshes_rooms(ann)
    expect(ann.room(f"{room}-barn")).to_be_visible()
    ann.rooms.get_by_role("textbox").focus()
    press = ann.page.keyboard.press
    press("Tab")
    expect(ann.room(room)).to_be_focused()
    press("Home")
    expect(ann.room("lobby")).to_be_focused()
    press("ArrowRight")
    expect(ann.button("Options for #lobby")).to_be_focused()
    press("Enter")
    expect(ann.page.get_by_role("menuitemcheckbox", name="Mute")).to_be_focused()
    press("Escape")
    expect(ann.button("Options for #lobby")).to_be_focused()
    press("Tab")
    expect(ann.button("Change name")).to_be_focused()
    speaks("bo")
    people = ann.people.get_by_role("listitem")
    expect(people).to_have_count(2)
    ann.button("Close panel").focus()
    press("Tab")
    expect(people.first).to_be_focused()
    press("ArrowDown")
    expect(people.last).to_be_focused()


def test_who_finds_no_room_is_told_how_to_create_it(visit: Visit, room: str) -> None:
    desk, phone = visit("ann"), visit("bo", **PHONE)
    desk.searches(f"{room}-new")
    expect(desk.palette.get_by_role("status")).to_contain_text("Press the down arrow and Enter to create it")
    phone.button("Rooms").click()
    phone.searches(f"{room}-new")
    expect(phone.palette.get_by_role("status")).to_contain_text("Tap Create to create it")
    phone.palette.get_by_role("option", name="Create #").click()
    expect(phone.page.get_by_role("heading", level=1)).to_have_text(f"#{room}-new")
