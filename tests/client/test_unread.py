"""The tab's title counts messages while the page is hidden, and the list marks rooms with messages not seen."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.client.conftest import Speaks, Visit
from tests.client.person import Person
from tests.client.rows import ends, prepare
from tests.support.server import Server, wait_until

pytestmark = pytest.mark.browser


def test_the_title_counts_what_others_say_while_the_page_is_hidden(ann: Person, speaks: Speaks, room: str) -> None:
    bo = speaks("bo")
    bo.says("you are here")
    ann.expect_said("you are here")
    expect(ann.page).to_have_title(f"#{room} · Chatter")
    ann.looks_away()
    bo.says("are you there?", "hello?")
    expect(ann.page).to_have_title(f"(2) #{room} · Chatter")
    ann.looks_back()
    expect(ann.page).to_have_title(f"#{room} · Chatter")
    expect(ann.page.locator(".new")).to_have_count(1)
    expect(ann.page.locator(".new + .message")).to_contain_text("are you there?")


def test_what_one_says_oneself_in_another_window_is_not_counted(ann: Person, speaks: Speaks, room: str) -> None:
    ann_again = speaks("ann")
    ann.looks_away()
    ann_again.says("from my phone")
    ann.expect_said("from my phone")
    expect(ann.page).to_have_title(f"#{room} · Chatter")


def test_the_title_counts_what_is_new_in_other_rooms_that_are_not_muted(
    visit: Visit, speaks: Speaks, room: str
) -> None:
    ann, bo = visit("ann", f"{room}-attic"), speaks("bo", f"{room}-attic")
    bo.says("one")
    ann.expect_said("one")
    ann.creates_room(room)
    ann.expect_connected()
    bo.says("two", "three")
    bo.expect_said("one", "two", "three")
    refreshes_rooms(ann)
    expect(ann.page).to_have_title(f"(2) #{room} · Chatter")
    ann.page.clock.install()
    ann.reloads()
    ann.expect_connected()
    ann.looks_away()
    bo.says("four")
    bo.expect_said("one", "two", "three", "four")
    refreshes_rooms(ann, lambda: ann.waits(60_000))
    expect(ann.page).to_have_title(f"(3) #{room} · Chatter")
    ann.room(f"{room}-attic").click(button="right")
    ann.page.get_by_role("menuitemcheckbox", name="Mute").click()
    expect(ann.page).to_have_title(f"#{room} · Chatter")


NEWS = re.compile(r"\bnews\b")


def refreshes_rooms(person: Person, act: Callable[[], None] | None = None) -> None:
    """Has the page ask for the list of rooms, as it does when it is shown, until it gets all that is saved.

    The server shares an answer for a second: the first one may be of before what the test did.
    """
    saved = ends(person.server.database)

    def has_it_all() -> bool:
        with person.page.expect_response("**/api/rooms") as answer:
            (act or person.looks_back)()
        if not answer.value.ok:  # the database had no answer in time
            return False
        listed = {room["name"]: room["seq"] for room in answer.value.json()["rooms"]}
        return all(listed.get(name, -1) >= seq for name, seq in saved.items())

    wait_until(has_it_all)
    person.sees_a_frame()


def test_messages_are_new_by_their_place_although_the_clock_was_set_back(
    visit: Visit, speaks: Speaks, room: str, server: Server
) -> None:
    prepare(server.database, room, ["said by a clock", "that is fast"], ahead=timedelta(hours=1))
    ann = visit("ann")
    ann.expect_said("said by a clock", "that is fast")
    ann.goes_to("lobby")
    refreshes_rooms(ann)
    expect(ann.room(room)).not_to_have_class(NEWS)
    bo = speaks("bo")
    bo.says("said by a clock that was set back")
    bo.expect_said("said by a clock", "that is fast", "said by a clock that was set back")
    refreshes_rooms(ann)
    expect(ann.room(room)).to_have_class(NEWS)
    ann.goes_to(room)
    expect(ann.page.locator(".new + .message")).to_contain_text("set back")
    ann.goes_to("lobby")
    refreshes_rooms(ann)
    expect(ann.room(room)).not_to_have_class(NEWS)


def test_own_words_of_another_device_are_not_new_at_the_first_visit(visit: Visit, speaks: Speaks, room: str) -> None:
    ann, phone, bo = visit("ann"), speaks("ann"), speaks("bo")
    bo.says("one")
    ann.expect_said("one")
    ann.goes_to("lobby")
    phone.says("from my phone")
    ann.goes_to(room)
    ann.expect_said("one", "from my phone")
    expect(ann.page.locator(".new")).to_have_count(0)
    ann.goes_to("lobby")
    phone.says("again")
    bo.expect_said("one", "from my phone", "again")
    bo.says("hello")
    ann.goes_to(room)
    expect(ann.page.locator(".new + .message")).to_contain_text("hello")


def test_a_room_named_like_a_word_of_javascript_has_news(visit: Visit, speaks: Speaks) -> None:
    ann, bo = visit("ann", "constructor"), speaks("bo", "constructor")
    bo.says("one")
    ann.expect_said("one")
    ann.goes_to("lobby")
    bo.says("two")
    bo.expect_said("one", "two")
    refreshes_rooms(ann)
    expect(ann.room("constructor")).to_have_class(NEWS)


def test_what_was_seen_in_another_window_is_no_news_here(visit: Visit, speaks: Speaks, room: str) -> None:
    bo, ann = speaks("bo"), visit("ann")
    bo.says("one")
    ann.expect_said("one")
    other = ann.opens_another_page()
    other.goes_to(room)
    ann.goes_to("lobby")
    bo.says("two")
    other.expect_said("one", "two")
    refreshes_rooms(ann)
    expect(ann.room(room)).not_to_have_class(NEWS)


def test_the_line_stands_before_what_no_window_has_shown_each_time_one_comes(
    visit: Visit, speaks: Speaks, room: str
) -> None:
    ann, bo = visit("ann"), speaks("bo")
    bo.says("one")
    ann.expect_said("one")
    other = ann.opens_another_page()
    other.goes_to(room)
    ann.room("lobby").click()
    bo.says("two")
    other.expect_said("one", "two")
    other.goes_to("lobby")  # which keeps what it has shown
    bo.says("three")
    ann.room(room).click()
    ann.expect_said("one", "two", "three")
    expect(ann.page.locator(".new + .message")).to_contain_text("three")


def test_own_words_of_another_device_are_not_new_when_one_comes_back(visit: Visit, speaks: Speaks, room: str) -> None:
    ann, phone, bo = visit("ann"), speaks("ann"), speaks("bo")
    bo.says("one")
    ann.expect_said("one")
    ann.room("lobby").click()
    ann.expect_connected()
    phone.says("from my phone")
    bo.expect_said("one", "from my phone")
    bo.says("hello")
    ann.room(room).click()
    ann.expect_said("one", "from my phone", "hello")
    expect(ann.page.locator(".new + .message")).to_contain_text("hello")


def test_what_is_said_after_one_has_come_back_is_not_new(ann: Person, speaks: Speaks, room: str) -> None:
    bo = speaks("bo")
    bo.says("one")
    ann.expect_said("one")
    ann.room("lobby").click()
    ann.room(room).click()
    ann.expect_connected()
    ann.sees_a_frame()
    bo.says("two")
    ann.expect_said("one", "two")
    expect(ann.page.locator(".new")).to_have_count(0)


def test_all_is_new_in_a_room_that_was_empty_when_one_left_it(ann: Person, speaks: Speaks, room: str) -> None:
    ann.room("lobby").click()
    ann.expect_connected()
    speaks("bo").says("one", "two")
    ann.room(room).click()
    ann.expect_said("one", "two")
    expect(ann.page.locator(".new + .message")).to_contain_text("one")
    ann.room("lobby").click()
    ann.room(room).click()
    ann.expect_connected()
    ann.expect_said("one", "two")
    expect(ann.page.locator(".new")).to_have_count(0)
