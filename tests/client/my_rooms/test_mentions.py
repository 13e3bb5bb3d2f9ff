"""Mentions on the page: completed, marked, and asked about where they call many."""

import pytest
from playwright.sync_api import expect

from tests.client.axe import violations
from tests.client.conftest import Visit
from tests.client.my_rooms.members import Member
from tests.client.my_rooms.parts import member_row
from tests.support.server import Server

pytestmark = pytest.mark.browser


def test_a_mention_is_completed_and_marked_for_whom_it_calls(ann: Member, bo: Member, visit: Visit) -> None:
    slug = ann.makes_room("Calls", bo)
    one, other = ann.comes(visit, slug), bo.comes(visit, slug)
    one.composer.press_sequentially("look @b")
    expect(one.page.get_by_role("listbox", name="People").get_by_role("option")).to_have_text(
        [f"{bo.handle}@{bo.handle}"]
    )
    one.composer.press("Enter")
    expect(one.composer).to_have_value(f"look @{bo.handle} ")
    one.composer.press("Control+Enter")
    called = other.page.locator(".message.calls-me")
    expect(called.locator(".mention.mine")).to_have_text(f"@{bo.handle}")
    expect(called).to_contain_text("mentions you")
    expect(one.page.locator(".message .mention")).to_have_text(f"@{bo.handle}")
    expect(one.page.locator(".message.calls-me")).to_have_count(0)
    assert not violations(other.page)


def test_here_is_marked_for_who_was_in_the_room_when_it_was_said(ann: Member, bo: Member, visit: Visit) -> None:
    slug = ann.makes_room("Kitchen", bo)
    one = bo.comes(visit)
    ann.says(slug, "@here lunch")
    one.page.get_by_role("link", name="Kitchen").click()
    expect(one.page.locator(".message.calls .mention")).to_have_text("@here")
    expect(one.page.locator(".message.calls-me")).to_have_count(0)
    ann.says(slug, "@here pudding")
    expect(one.page.locator(".message.calls-me")).to_contain_text("pudding")
    expect(one.page.get_by_text("mentions you")).to_have_count(1)


def test_a_list_of_people_that_was_closed_is_there_for_the_next_message(ann: Member, bo: Member, visit: Visit) -> None:
    one = ann.comes(visit, ann.makes_room("Lists", bo))
    people = one.page.get_by_role("listbox", name="People")
    one.page.keyboard.type(f"@{bo.handle}")
    expect(people).to_be_visible()
    one.page.keyboard.press("Escape")
    one.page.keyboard.press("Enter")
    one.expect_said(f"@{bo.handle}")
    one.page.keyboard.type("@b")
    expect(people).to_be_visible()
    one.page.keyboard.press("Escape")
    one.page.keyboard.type("o")
    one.sees_a_frame()
    expect(people).to_have_count(0)
    one.page.keyboard.press("Control+a")
    one.page.keyboard.press("Delete")
    one.page.keyboard.type("@b")
    expect(people).to_be_visible()


def test_who_is_named_and_not_in_the_room_can_be_invited(ann: Member, bo: Member, visit: Visit) -> None:
    slug = ann.makes_room("Missing")
    one = ann.comes(visit, slug)
    one.says(f"where is @{bo.handle}?")
    line = one.page.locator(".not-here")
    expect(line).to_contain_text(f"@{bo.handle} is not in this room")
    assert not violations(one.page)
    line.get_by_role("button", name="invite").click()
    expect(line).to_have_count(0)
    expect(member_row(one, bo)).to_be_visible()


def test_a_call_of_many_people_is_asked_about(ann: Member, server: Server, visit: Visit) -> None:
    people = [Member(server, "many") for _ in range(15)]
    slug = ann.makes_room("Crowd", *people)
    one = ann.comes(visit, slug)
    one.says("@room hello")
    question = one.page.get_by_role("alert").filter(has_text="Notify 16 people?")
    expect(question).to_be_visible()
    assert not violations(one.page)
    question.get_by_role("button", name="notify them").click()
    one.expect_said("@room hello")
    expect(question).to_have_count(0)
