"""Why one cannot write in a room: archived, read only, muted, slow mode, banned."""

import re

import pytest
from playwright.sync_api import expect

from tests.client.axe import violations
from tests.client.conftest import Visit
from tests.client.my_rooms.members import Member, expect_list
from tests.client.my_rooms.parts import cannot_write, chooses, member_row, notes

pytestmark = pytest.mark.browser


def test_a_muted_person_reads_until_when(ann: Member, bo: Member, visit: Visit) -> None:
    slug = ann.makes_room("Quiet", bo)
    one, other = ann.comes(visit, slug), bo.comes(visit, slug)
    other.composer.fill("my words")
    chooses(one, bo, "Mute for 1 hour")
    expect(cannot_write(other)).to_contain_text("You are muted here until")
    expect(cannot_write(other).get_by_role("button", name="Copy what you wrote")).to_be_visible()
    assert not violations(other.page)
    expect(member_row(one, bo)).to_contain_text("muted")
    chooses(one, bo, "Let write again")
    expect(member_row(one, bo)).not_to_contain_text("muted")  # the menu offers what is so as it opens
    chooses(one, bo, "Mute for 1 day")
    expect(notes(one).last).to_contain_text(re.compile(r"until .* 20\d\d"))  # not of today
    chooses(one, bo, "Let write again")
    expect(other.composer).to_have_value("my words")
    expect(other.composer).to_be_visible()


def test_what_cannot_be_done_in_a_room_that_is_only_read_is_not_offered(ann: Member, bo: Member, visit: Visit) -> None:
    slug = ann.makes_room("Old words", bo)
    seq = bo.says(slug, "of bo")
    ann.pushes(slug, "react", seq=seq, key="👍")
    one, other = ann.comes(visit, slug), bo.comes(visit, slug)
    chip = other.message("of bo").get_by_role("button", name=re.compile("^👍 1"))
    other.message("of bo").hover()
    expect(other.toolbar.get_by_role("button", name="Edit")).to_be_visible()
    ann.pushes(slug, "set_room", archived=True)
    expect(chip).to_be_disabled()
    expect(other.toolbar.get_by_role("button", name=re.compile("React|reaction|Reply|Edit|Pin|Delete"))).to_have_count(
        0
    )
    expect(other.toolbar.get_by_role("button", name="Copy text")).to_be_visible()
    one.message("of bo").hover()
    expect(one.toolbar.get_by_role("button", name="Delete")).to_be_visible()  # who moderates may, still
    expect(one.toolbar.get_by_role("button", name="Pin")).to_have_count(0)
    ann.pushes(slug, "set_room", archived=False, settings={"read_only": True})
    expect(one.toolbar.get_by_role("button", name="Pin")).to_be_visible()
    expect(other.toolbar.get_by_role("button", name="Delete")).to_be_visible()  # one may take back one's own
    expect(other.toolbar.get_by_role("button", name="Edit")).to_have_count(0)


def test_slow_mode_ends_with_the_rule_and_is_not_said_where_nobody_writes(
    ann: Member, bo: Member, visit: Visit
) -> None:
    slug = ann.makes_room("Slower", bo)
    ann.pushes(slug, "set_room", settings={"slow_mode": 3600})
    other = bo.comes(visit, slug)
    other.says("one")
    line = other.page.locator(".slow-mode")
    expect(line).to_contain_text("you can write again in")
    ann.pushes(slug, "set_room", settings={"read_only": True})
    expect(line).to_be_empty()
    ann.pushes(slug, "set_room", settings={"read_only": False, "slow_mode": 0})
    other.says("two")
    other.expect_said("one", "two")


def test_slow_mode_counts_down_and_keeps_the_words(ann: Member, bo: Member, visit: Visit) -> None:
    slug = ann.makes_room("Slow", bo)
    ann.pushes(slug, "set_room", settings={"slow_mode": 600})
    other = bo.comes(visit, slug)
    other.page.clock.install()
    other.says("one")
    line = other.page.locator(".slow-mode")
    expect(line).to_contain_text("you can write again in")
    assert not violations(other.page)
    other.says("two")
    expect(other.composer).to_have_value("two")
    other.expect_said("one")
    elsewhere = bo.comes(visit, slug)
    expect(elsewhere.page.locator(".slow-mode")).to_contain_text("you can write again in")
    other.waits(601_000)
    expect(line).to_be_empty()
    one = ann.comes(visit, slug)
    one.says("an owner")
    one.says("need not wait")
    one.expect_said("one", "an owner", "need not wait")


def test_a_room_is_read_only_and_a_banned_person_reads_why(
    ann: Member, bo: Member, visit: Visit, refusals: None
) -> None:
    # The page may still be asking what it may do where nobody writes as the ban is decided.
    slug = ann.makes_room(f"Public {ann.handle}", kind="public")
    other = bo.comes(visit, slug)
    ann.pushes(slug, "set_room", settings={"read_only": True})
    expect(cannot_write(other)).to_contain_text("Nobody writes in this room at present.")
    ann.pushes(slug, "remove_member", handle=bo.handle, ban=True)
    expect(cannot_write(other)).to_contain_text("You are banned from this room.")


def test_nothing_is_written_into_a_private_room_of_others(
    ann: Member, bo: Member, visit: Visit, refusals: None
) -> None:
    slug = ann.makes_room("Den")
    other = bo.comes(visit)
    other.page.goto(other.address_of(slug))
    expect(cannot_write(other)).to_have_text("There is no such room, or you are not in it.")
    expect(other.composer).to_be_hidden()
    ann.pushes(slug, "invite", handles=[bo.handle])
    expect(other.composer).to_be_visible()


def test_who_was_banned_from_a_public_room_comes_in_again_with_their_words(
    ann: Member, bo: Member, visit: Visit, refusals: None
) -> None:
    slug = ann.makes_room(f"Open {ann.handle}", bo, kind="public")
    other = bo.comes(visit, slug)
    expect_list(other)
    elsewhere = bo.comes(visit, viewport={"width": 1200, "height": 700})
    expect_list(elsewhere)
    other.composer.fill("half a word")
    ann.pushes(slug, "remove_member", handle=bo.handle, ban=True)
    expect(other.page.get_by_role("heading", name="You were banned from this room")).to_be_visible()
    expect(elsewhere.page.locator(".removed-notices")).to_contain_text(f"You were banned from Open {ann.handle}.")
    other.button("Try to come in").click()
    expect(other.toast).to_have_text("You are banned from this room.")
    expect(other.page.get_by_label("What you wrote and had not sent")).to_have_value("half a word")
    assert not violations(other.page)
    ann.pushes(slug, "unban_member", handle=bo.handle)
    other.button("Try to come in").click()
    expect(other.composer).to_have_value("half a word")
    expect(notes(other).last).to_have_text(f"{ann.handle} lifted your ban")
    other.says("a whole one")
    other.expect_said("a whole one")


def test_what_was_written_offline_before_a_ban_is_said_to_be_not_sent_and_can_be_sent_after_it(
    ann: Member, bo: Member, visit: Visit, outage: None, refusals: None
) -> None:
    slug = ann.makes_room(f"Cafe {ann.handle}", kind="public")
    other = bo.comes(visit, slug)
    other.says("hi")
    other.expect_acknowledged()
    other.loses_network()
    other.says("said offline")
    ann.pushes(slug, "remove_member", handle=bo.handle, ban=True)
    other.page.context.set_offline(False)
    expect(other.not_sent).to_contain_text("you are banned from this room")
    expect(other.room(f"Cafe {ann.handle}").locator(".unsent-mark")).to_contain_text("1 not sent")
    assert not violations(other.page)
    other.page.reload()
    expect(other.not_sent).to_contain_text("you are banned from this room")
    ann.pushes(slug, "unban_member", handle=bo.handle)
    other.not_sent.get_by_role("button", name="retry").click()
    other.expect_said("hi", "said offline")
    expect(other.not_sent).to_have_count(0)


def test_who_reads_only_what_was_said_since_they_came_is_not_told_that_the_room_begins_there(
    ann: Member, bo: Member, visit: Visit
) -> None:
    slug = ann.makes_room("Since")
    ann.pushes(slug, "set_room", settings={"history": "since_join"})
    ann.says(slug, "before")
    ann.pushes(slug, "invite", handles=[bo.handle])
    one, other = ann.comes(visit, slug), bo.comes(visit, slug)
    expect(other.conversation).to_contain_text("Nobody has said anything since you came.")
    ann.says(slug, "after")
    expect(other.page.locator(".beginning")).to_have_text("You came to Since here. What was said before is not shown.")
    expect(one.page.locator(".beginning")).to_have_text("Since begins here.")
    other.expect_said("after")


def test_a_rule_about_the_past_changes_nothing_for_who_has_read_it(ann: Member, bo: Member, visit: Visit) -> None:
    slug = ann.makes_room("Whole")
    ann.says(slug, "the first word")
    ann.pushes(slug, "invite", handles=[bo.handle])
    other = bo.comes(visit, slug)
    other.expect_said("the first word")
    ann.pushes(slug, "set_room", settings={"history": "since_join"})
    expect(notes(other).last).to_contain_text("since they")
    expect(other.page.locator(".beginning")).to_have_text("Whole begins here.")
