"""Each room has its own address, and a list at the side shows them."""

import re

import pytest
from playwright.sync_api import expect

from tests.client.conftest import Speaks, Visit
from tests.client.person import Person
from tests.client.test_unread import refreshes_rooms

pytestmark = pytest.mark.browser


def test_each_room_has_an_address_and_a_conversation_of_its_own(visit: Visit, speaks: Speaks, room: str) -> None:
    ann, bo = speaks("ann"), visit("bo", f"{room}-garden")
    ann.says("in here")
    bo.says("out there")
    ann.expect_said("in here")
    bo.expect_said("out there")
    expect(bo.page.get_by_role("heading", level=1)).to_have_text(f"#{room}-garden")
    expect(bo.page.get_by_role("log", name=f"Messages in #{room}-garden")).to_be_visible()
    expect(bo.page).to_have_title(f"#{room}-garden · Chatter")


def test_the_root_is_the_lobby(visit: Visit) -> None:
    ann = visit("ann", "lobby")
    expect(ann.page.get_by_role("heading", level=1)).to_have_text("#lobby")
    expect(ann.room("lobby")).to_have_attribute("aria-current", "page")
    expect(ann.room("lobby")).to_have_attribute("href", "/")


def test_an_empty_room_says_so(ann: Person, room: str) -> None:
    expect(ann.page.get_by_role("heading", name=f"It is quiet in #{room}")).to_be_visible()
    ann.says("hello")
    expect(ann.page.get_by_role("heading", name=f"It is quiet in #{room}")).to_be_hidden()


def test_the_list_shows_other_rooms_and_marks_the_one_on_the_screen(visit: Visit, speaks: Speaks, room: str) -> None:
    bo = speaks("bo", f"{room}-garden")
    bo.says("hello")  # of rooms in which nothing was said the list may be full
    bo.expect_said("hello")
    ann = visit("ann")
    expect(ann.room(f"{room}-garden")).to_be_visible()
    expect(ann.rooms.locator("[aria-current=page]")).to_have_count(1)
    expect(ann.room(room)).to_have_attribute("aria-current", "page")


def test_another_room_is_opened_from_the_list_without_a_new_page(visit: Visit, speaks: Speaks, room: str) -> None:
    bo = speaks("bo", f"{room}-garden")
    bo.says("out there")
    ann = visit("ann")
    ann.says("in here")
    ann.expect_said("in here")
    ann.page.evaluate("window.same = true")
    ann.room(f"{room}-garden").click()
    expect(ann.page).to_have_url(re.compile(f"/rooms/{room}-garden$"))
    ann.expect_said("out there")
    ann.says("so this is the garden")
    bo.expect_said("out there", "so this is the garden")
    ann.page.go_back()
    expect(ann.page).to_have_url(re.compile(f"/rooms/{room}$"))
    ann.expect_said("in here")
    assert ann.page.evaluate("window.same") is True


def test_a_room_that_is_left_is_left(visit: Visit, room: str) -> None:
    ann, bo = visit("ann"), visit("bo")
    expect(ann.people_button).to_have_accessible_name("2 people here")
    bo.room("lobby").click()
    expect(ann.people_button).to_have_accessible_name("1 person here")


def test_news_in_a_room_one_has_left_are_marked(visit: Visit, speaks: Speaks, room: str) -> None:
    ann, bo = speaks("ann"), visit("bo")
    ann.says("hello")
    bo.expect_said("hello")
    bo.creates_room(f"{room}-garden")
    bo.expect_connected()
    expect(bo.room(room)).not_to_have_class(re.compile("news"))
    ann.says("where are you?")
    ann.expect_said("hello", "where are you?")
    bo.looks_away()
    refreshes_rooms(bo)
    expect(bo.room(room).locator(".unread")).to_have_text("1 new message")
    bo.room(room).click()
    expect(bo.page.locator(".new + .message")).to_contain_text("where are you?")
    expect(bo.room(room).locator(".unread")).to_have_count(0)
