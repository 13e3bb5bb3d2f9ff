"""The browser's Back closes what is open over the page, from the top, and leads to where one was before."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from playwright.sync_api import Locator, expect

from tests.client.conftest import Visit
from tests.client.person import PHONE, Person
from tests.client.test_message_tools import rests_a_finger_on

pytestmark = pytest.mark.browser


class Overlay(NamedTuple):
    """What can be open over the page: how it is opened, and what is seen of it then."""

    open: Callable[[Person], None]
    seen: Callable[[Person], Locator]


OVERLAYS = {
    "drawer": Overlay(lambda ann: ann.button("Rooms").tap(), lambda ann: ann.rooms),
    "people": Overlay(lambda ann: ann.people_button.tap(), lambda ann: ann.people_dialog),
    "palette": Overlay(lambda ann: ann.page.keyboard.press("Control+k"), lambda ann: ann.palette),
    "emoji": Overlay(
        lambda ann: ann.button("Emoji").tap(), lambda ann: ann.page.get_by_role("dialog", name="Emoji", exact=True)
    ),
    "keys": Overlay(
        lambda ann: ann.conversation.press("?"), lambda ann: ann.page.get_by_role("dialog", name="Keys", exact=True)
    ),
    "sheet": Overlay(
        lambda ann: rests_a_finger_on(ann, "hello"),
        lambda ann: ann.page.get_by_role("dialog", name="Actions for the message"),
    ),
}
INSIDE_THE_DRAWER = {
    "palette": Overlay(lambda ann: ann.button("Find or create a room").tap(), lambda ann: ann.palette),
    "name": Overlay(lambda ann: ann.button("Change name").tap(), lambda ann: ann.name_dialog),
    "menu": Overlay(lambda ann: ann.button("Options for #lobby").tap(), lambda ann: ann.page.get_by_role("menu")),
}


@pytest.fixture
def ann(visit: Visit, room: str) -> Person:
    """Opens a phone's page in a room that she has come to from the lobby."""
    person = visit("ann", "lobby", **PHONE)
    person.page.keyboard.press("Control+k")
    person.palette.get_by_role("combobox").fill(room)
    person.palette.get_by_role("option", name="Create #").tap()
    expect_room(person, room)
    person.expect_connected()
    person.says("hello")
    person.expect_said("hello")
    return person


def expect_room(person: Person, room: str) -> None:
    expect(person.page.get_by_role("heading", level=1)).to_have_text(f"#{room}")


def test_back_closes_what_is_open_and_then_leaves_the_room(ann: Person, room: str) -> None:
    for overlay in OVERLAYS.values():
        overlay.open(ann)
        expect(overlay.seen(ann)).to_be_visible()
        ann.page.go_back()
        expect(overlay.seen(ann)).to_be_hidden()
        expect_room(ann, room)
    ann.page.go_back()
    expect_room(ann, "lobby")


def test_what_was_closed_by_escape_leaves_nothing_for_back(ann: Person, room: str) -> None:
    before = ann.page.evaluate("history.state")
    for overlay in OVERLAYS.values():
        overlay.open(ann)
        expect(overlay.seen(ann)).to_be_visible()
        ann.page.keyboard.press("Escape")
        expect(overlay.seen(ann)).to_be_hidden()
        ann.page.wait_for_function("before => history.state === before", arg=before)
    ann.page.go_back()
    expect_room(ann, "lobby")


def test_back_closes_one_thing_at_a_time(ann: Person, room: str) -> None:
    for overlay in INSIDE_THE_DRAWER.values():
        ann.button("Rooms").tap()
        overlay.open(ann)
        expect(overlay.seen(ann)).to_be_visible()
        ann.page.go_back()
        expect(overlay.seen(ann)).to_be_hidden()
        expect(ann.rooms).to_be_visible()
        ann.page.go_back()
        expect(ann.rooms).to_be_hidden()
        expect_room(ann, room)
    ann.page.go_back()
    expect_room(ann, "lobby")


def test_a_room_chosen_over_two_overlays_is_one_step_from_the_one_before(ann: Person, room: str) -> None:
    ann.button("Rooms").tap()
    ann.searches(f"{room}-attic")
    ann.palette.get_by_role("option", name="Create #").tap()
    expect_room(ann, f"{room}-attic")
    expect(ann.rooms).to_be_hidden()
    ann.page.wait_for_url(f"**/rooms/{room}-attic")  # the browser goes back over both before
    ann.page.go_back()
    expect_room(ann, room)
    ann.page.wait_for_function("history.state === null")
    ann.page.go_back()
    expect_room(ann, "lobby")
    ann.page.go_forward()
    expect_room(ann, room)
    ann.page.go_forward()
    expect_room(ann, f"{room}-attic")


def test_a_room_chosen_while_the_drawer_is_closing_is_shown(ann: Person, room: str) -> None:
    ann.button("Rooms").tap()
    expect(ann.rooms).to_be_visible()
    # In one task: the browser goes back only later.
    ann.page.evaluate(
        "() => ['.sidebar .close', '.room[data-stop=lobby]'].forEach(part => document.querySelector(part).click())"
    )
    ann.page.wait_for_function("location.pathname === '/' && history.state === null")
    expect_room(ann, "lobby")
    ann.page.go_back()
    expect_room(ann, room)


def test_the_address_that_is_given_up_while_something_is_open_does_not_come_back(ann: Person, room: str) -> None:
    ann.page.goto(f"{ann.page.url}/1")
    ann.expect_connected()
    expect(ann.page.locator(".message.target")).to_be_visible()
    ann.button("Emoji").tap()
    picker = OVERLAYS["emoji"].seen(ann)
    expect(picker).to_be_visible()
    ann.composer.fill("bye")
    ann.composer.evaluate("area => area.form.requestSubmit()")
    ann.expect_said("hello", "bye")
    ann.page.go_back()
    expect(picker).to_be_hidden()
    ann.page.wait_for_function("room => location.pathname === `/rooms/${room}`", arg=room)


def test_a_panel_that_becomes_a_column_leaves_nothing_for_back(visit: Visit, room: str) -> None:
    desk = visit("bo", "lobby", viewport={"width": 1024, "height": 768})
    desk.creates_room(room)
    expect_room(desk, room)
    desk.people_button.click()
    expect(desk.people_dialog).to_be_visible()
    desk.page.set_viewport_size({"width": 1440, "height": 900})
    expect(desk.people).to_be_visible()
    desk.page.wait_for_function("history.state === null")
    desk.page.go_back()
    expect_room(desk, "lobby")
    expect(desk.people).to_be_visible()
