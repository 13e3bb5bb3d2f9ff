"""The line above the conversation, and the panel beside it."""

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.client.conftest import Speaks, Visit
from tests.client.person import Person
from tests.support.server import Server

pytestmark = pytest.mark.browser

NARROWER: dict[str, Any] = {"viewport": {"width": 1024, "height": 768}}


def names(person: Person) -> Locator:
    """Finds the people of the column, in order."""
    return person.people.get_by_role("listitem").locator(".name")


def test_the_link_to_a_room_can_be_copied(visit: Visit, server: Server, room: str) -> None:
    ann = visit("ann", permissions=["clipboard-read", "clipboard-write"])
    ann.button("Copy link to this room").click()
    expect(ann.toast).to_have_text("Link copied")
    assert ann.page.evaluate("navigator.clipboard.readText()") == f"{server.url}/rooms/{room}"


def test_connected_is_said_to_screen_readers_only(ann: Person) -> None:
    expect(ann.status).to_have_text("Connected")
    expect(ann.status).to_have_css("width", "1px")
    expect(ann.banner).to_have_count(0)


@pytest.mark.usefixtures("outage")
def test_offline_offers_no_button_as_none_would_help(ann: Person) -> None:
    ann.loses_network()
    expect(ann.banner).to_contain_text("You are offline")
    expect(ann.banner.get_by_role("button")).to_have_count(0)


def test_oneself_comes_first_then_who_spoke_lately(visit: Visit, speaks: Speaks) -> None:
    bo, cleo, ann = speaks("bo"), speaks("cleo"), visit("dan")
    expect(ann.people_button).to_have_accessible_name("3 people here")
    expect(names(ann)).to_have_text(["dan", "bo", "cleo"])
    cleo.says("hello")
    ann.expect_said("hello")
    expect(names(ann)).to_have_text(["dan", "cleo", "bo"])
    bo.says("hi")
    ann.expect_said("hello", "hi")
    expect(names(ann)).to_have_text(["dan", "bo", "cleo"])


def test_on_a_wide_screen_the_people_are_a_column_that_stays_closed(ann: Person) -> None:
    expect(ann.people).to_be_visible()
    expect(ann.people_button).to_have_attribute("aria-expanded", "true")
    ann.button("Close panel").click()
    expect(ann.people).to_have_count(0)
    expect(ann.people_button).to_be_focused()
    ann.reloads()
    ann.expect_connected()
    expect(ann.people).to_have_count(0)
    ann.people_button.click()
    expect(ann.people).to_be_visible()


def test_elsewhere_the_people_are_behind_their_button(visit: Visit) -> None:
    ann = visit("ann", **NARROWER)
    expect(ann.people).to_have_count(0)
    expect(ann.people_dialog).to_be_hidden()
    ann.people_button.click()
    expect(ann.people_dialog.get_by_role("listitem").locator(".name")).to_have_text(["ann"])
    expect(ann.button("Close panel")).to_be_focused()
    ann.page.keyboard.press("Escape")
    expect(ann.people_dialog).to_be_hidden()
    expect(ann.people_button).to_be_focused()
    ann.people_button.click()
    ann.page.mouse.click(300, 400)  # beside it
    expect(ann.people_dialog).to_be_hidden()


def test_a_screen_that_becomes_wide_shows_the_column(visit: Visit) -> None:
    ann = visit("ann", **NARROWER)
    ann.page.set_viewport_size({"width": 1300, "height": 768})
    expect(ann.people).to_be_visible()
    ann.page.set_viewport_size(NARROWER["viewport"])
    expect(ann.people).to_have_count(0)
    expect(ann.people_dialog).to_be_hidden()


def test_the_topic_of_a_room_is_shown_where_it_has_one(ann: Person, room: str) -> None:
    expect(ann.page.locator(".topic")).to_have_count(0)
    listed = {"name": room, "seq": 0, "last_message_at": None, "people": 1, "topic": "What grows"}
    ann.page.route("**/api/rooms", lambda route: route.fulfill(json={"rooms": [listed]}))
    ann.looks_back()
    expect(ann.page.locator(".topic")).to_have_text("What grows")
