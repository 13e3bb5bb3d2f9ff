"""Rooms that are somebody's, on the page: making, inviting, governing, and what becomes of them."""

import re

import pytest
from playwright.sync_api import expect

from tests.client.axe import violations
from tests.client.conftest import Visit
from tests.client.my_rooms.members import Member, expect_list
from tests.client.my_rooms.parts import FOUNDED, cannot_write, chooses, member_row, menu_of, notes, panel, settings
from tests.client.watch import Watch
from tests.support.server import Server, run_to_its_end

pytestmark = pytest.mark.browser


def test_somebody_makes_a_private_room_with_others_in_it(ann: Member, bo: Member, visit: Visit, watch: Watch) -> None:
    watch.refusals = True  # the server knows one of the handles not
    one = ann.comes(visit)
    one.button("Create a room").click()
    dialog = one.page.get_by_role("dialog", name="Create a room")
    expect(dialog).to_be_visible()
    assert not violations(one.page)
    dialog.get_by_label("Title").fill("Garden plans")
    dialog.get_by_role("combobox").press_sequentially(f"@{bo.handle},nobody.here ")
    dialog.get_by_role("button", name="Create").click()
    unknown = dialog.get_by_role("alert").filter(has_text="Nobody here is called @nobody.here.")
    expect(unknown).to_be_visible()
    dialog.get_by_role("button", name="Remove @nobody.here").click()
    expect(unknown).to_have_count(0)
    dialog.get_by_role("button", name="Create").click()
    expect(one.page.get_by_role("heading", level=1)).to_contain_text("Garden plans")
    expect(panel(one).get_by_role("list", name="Owners")).to_contain_text(ann.handle)
    expect(panel(one).get_by_role("list", name="Members")).to_contain_text(bo.handle)


def test_handles_are_pasted_and_what_is_none_is_not_passed_over(ann: Member, bo: Member, visit: Visit) -> None:
    one = ann.comes(visit)
    one.button("Create a room").click()
    dialog = one.page.get_by_role("dialog", name="Create a room")
    dialog.get_by_label("Title").fill("Garden plans")
    field = dialog.get_by_role("combobox")
    field.fill(f"{bo.handle}, Zoë @{ann.handle}")
    expect(dialog.get_by_role("list", name="Chosen")).to_have_text(f"@{bo.handle}@{ann.handle}")
    expect(field).to_have_value("Zoë")
    field.press("Enter")
    expect(dialog.get_by_role("alert").filter(has_text="“Zoë” is no handle.")).to_be_visible()
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_role("alert").filter(has_text="“Zoë” is no handle.")).to_be_visible()
    field.fill("")
    expect(dialog.get_by_role("alert").filter(has_text="no handle")).to_have_count(0)
    dialog.get_by_role("button", name="Create").click()
    expect(member_row(one, bo)).to_be_visible()


def test_a_ban_is_lifted_by_keys(ann: Member, bo: Member, visit: Visit) -> None:
    slug = ann.makes_room("Strict", bo)
    one = ann.comes(visit, slug)
    chooses(one, bo, "Ban…")
    question = one.page.get_by_role("dialog", name=f"Ban {bo.handle}?")
    expect(question.get_by_label("Why")).to_be_focused()
    one.page.keyboard.press("Enter")
    expect(question).to_have_count(0)
    lift = panel(one).get_by_role("button", name=f"Lift the ban of {bo.handle}")
    lift.press("Enter")
    expect(lift).to_have_count(0)
    expect(one.page.locator(":focus")).to_be_visible()


def test_who_is_in_the_room_on_the_screen_is_found_for_a_new_one(ann: Member, bo: Member, visit: Visit) -> None:
    bo.comes(visit)
    one = ann.comes(visit)
    expect(one.people).to_contain_text(bo.handle)
    one.button("Create a room").click()
    dialog = one.page.get_by_role("dialog", name="Create a room")
    dialog.get_by_role("combobox").press_sequentially(bo.handle[:2])
    dialog.get_by_role("option", name=f"@{bo.handle}").click()
    expect(dialog.get_by_role("list", name="Chosen")).to_contain_text(f"@{bo.handle}")


def test_enter_takes_who_is_suggested_first_and_any_other_handle_as_it_is_typed(
    ann: Member, bo: Member, cy: Member, visit: Visit
) -> None:
    bo.comes(visit)
    one = ann.comes(visit)
    expect(one.people).to_contain_text(bo.handle)
    one.button("Create a room").click()
    dialog = one.page.get_by_role("dialog", name="Create a room")
    field, chosen = dialog.get_by_role("combobox"), dialog.get_by_role("list", name="Chosen").get_by_role("listitem")
    field.press_sequentially(f"@{bo.handle[:-1]}")
    suggestion = dialog.get_by_role("option", name=f"@{bo.handle}", selected=True)
    expect(field).to_have_attribute("aria-activedescendant", str(suggestion.get_attribute("id")))
    assert not violations(one.page)
    field.press("Enter")
    expect(chosen).to_have_text([f"@{bo.handle}"])
    field.press_sequentially(f"@{cy.handle}")
    field.press("Enter")
    field.press_sequentially("@b @c,")
    expect(chosen).to_have_text([f"@{bo.handle}", f"@{cy.handle}", "@b", "@c"])


def test_who_was_met_in_another_room_is_found_for_an_invitation_and_members_are_not(
    ann: Member, bo: Member, cy: Member, visit: Visit
) -> None:
    slug = ann.makes_room("Band", bo)
    cy.comes(visit)
    bo.comes(visit, slug)
    one = ann.comes(visit)
    expect(one.people).to_contain_text(cy.handle)
    one.page.get_by_role("link", name="Band").click()
    expect(member_row(one, bo)).to_contain_text("here now")
    panel(one).get_by_role("button", name="Invite").click()
    dialog = one.page.get_by_role("dialog", name="Invite people to Band")
    field, found = dialog.get_by_role("combobox"), dialog.get_by_role("option")
    field.press_sequentially("c")
    expect(found.filter(has_text=f"@{cy.handle}")).to_have_count(1)
    field.fill("b")
    expect(found.filter(has_text=f"@{bo.handle}")).to_have_count(0)


def test_a_public_room_shows_its_address_before_it_is_made(ann: Member, visit: Visit) -> None:
    one = ann.comes(visit)
    one.button("Create a room").click()
    dialog = one.page.get_by_role("dialog", name="Create a room")
    dialog.get_by_role("radio", name="Public").check()
    dialog.get_by_label("Title").fill(f"News of {ann.handle}")
    expect(dialog).to_contain_text(f"/rooms/news-of-{ann.handle}")
    dialog.get_by_role("button", name="Create").click()
    expect(one.page).to_have_url(re.compile(f"/rooms/news-of-{ann.handle}$"))
    expect(one.page.get_by_role("heading", level=1)).to_have_text(f"#News of {ann.handle}")


def test_invited_people_are_in_the_room_and_the_log_says_so_in_one_line(
    ann: Member, bo: Member, cy: Member, visit: Visit
) -> None:
    slug = ann.makes_room("Choir")
    one = ann.comes(visit, slug)
    one.says("first")
    for member in (bo, cy):
        panel(one).get_by_role("button", name="Invite").click()
        dialog = one.page.get_by_role("dialog", name="Invite people to Choir")
        dialog.get_by_role("combobox").fill(member.handle)
        dialog.get_by_role("button", name="Invite").click()
        expect(dialog).not_to_be_attached()
        expect(member_row(one, member)).to_be_visible()
    expect(notes(one)).to_have_text([FOUNDED, f"you added {bo.handle} and {cy.handle}"])
    one.says("last")
    one.expect_said("first", "last")
    expect(notes(one)).to_have_text([FOUNDED, f"you added {bo.handle} and {cy.handle}"])
    assert one.log.inner_text().index("added") < one.log.inner_text().index("last")


def test_an_owner_makes_moderators_and_members_are_offered_nothing(ann: Member, bo: Member, visit: Visit) -> None:
    slug = ann.makes_room("Roles", bo)
    one, other = ann.comes(visit, slug), bo.comes(visit, slug)
    expect(panel(other).get_by_role("list", name="Owners")).to_contain_text(ann.handle)
    expect(menu_of(other, ann).get_by_role("menuitem")).to_have_text(["Send a message"])
    other.page.keyboard.press("Escape")
    expect(panel(other).get_by_role("button", name="Settings")).to_have_count(0)
    chooses(one, bo, "Make a moderator")
    expect(panel(other).get_by_role("list", name="Moderators")).to_contain_text(bo.handle)
    expect(panel(other).get_by_role("button", name="Settings")).to_be_visible()
    expect(settings(other).get_by_role("textbox")).to_have_count(1)  # the topic
    expect(notes(other)).to_have_text(
        [f"{ann.handle} created this room", f"{ann.handle} added you", f"{ann.handle} made you a moderator"]
    )


def test_who_is_removed_is_gone_from_the_list(ann: Member, bo: Member, visit: Visit) -> None:
    slug = ann.makes_room("Leavers", bo)
    one, other = ann.comes(visit, slug), bo.comes(visit, slug)
    expect_list(other)
    chooses(one, bo, "Remove…")
    dialog = one.page.get_by_role("dialog", name=f"Remove {bo.handle}?")
    dialog.get_by_label("Why").fill("moved away")
    dialog.get_by_role("button", name="Remove").click()
    expect(member_row(one, bo)).to_have_count(0)
    expect(one.page.locator(":focus")).to_be_visible()
    expect(notes(one)).to_have_text([FOUNDED, f"you added {bo.handle}", f"you removed {bo.handle}: moved away"])
    expect(other.page.get_by_role("heading", name="You are no longer in this room")).to_be_visible()
    expect(other.status).to_have_text("Not in this room")


def test_what_is_chosen_too_late_for_somebody_says_why_it_did_nothing(ann: Member, bo: Member, visit: Visit) -> None:
    slug = ann.makes_room("Late", bo)
    one = ann.comes(visit, slug)
    menu = menu_of(one, bo)
    bo.pushes(slug, "leave_room", id="leave-1")
    expect(member_row(one, bo)).to_have_count(0)
    menu.get_by_role("menuitem", name="Make a moderator").click()
    expect(one.toast).to_have_text("They are not in this room any more.")


def test_settings_send_only_what_changed(ann: Member, visit: Visit) -> None:
    slug = ann.makes_room("Before")
    one = ann.comes(visit, slug)
    sent: list[str] = []
    one.page.on("websocket", lambda websocket: websocket.on("framesent", lambda frame: sent.append(str(frame))))
    one.page.on("request", lambda request: sent.append(request.post_data or ""))  # of a page that polls
    one.reloads()
    one.expect_connected()
    dialog = settings(one)
    expect(dialog).to_be_visible()
    assert not violations(one.page)
    dialog.get_by_label("Title").fill("After")
    dialog.get_by_label("Pause between two messages").select_option("30 seconds")
    dialog.get_by_role("button", name="Save").click()
    expect(one.page.get_by_role("heading", level=1)).to_contain_text("After")
    expect(one.room("After")).to_be_visible()
    (frame,) = [frame for frame in sent if "set_room" in frame]
    assert '{"title":"After","settings":{"slow_mode":30}}' in frame
    ann.pushes(slug, "set_room", title="Last", topic="what we do", settings={"slow_mode": 0})
    expect(notes(one)).to_have_text(
        [
            FOUNDED,
            "you changed Pause between two messages to 30 seconds and called this room After",
            "you changed Pause between two messages to No pause, called this room Last and set the topic: what we do",
        ]
    )


def test_an_archived_room_cannot_be_written_in_until_it_is_opened_again(ann: Member, bo: Member, visit: Visit) -> None:
    slug = ann.makes_room("Old times", bo)
    one = ann.comes(visit, slug)
    settings(one).get_by_role("button", name="Archive this room").click()
    expect(cannot_write(one)).to_contain_text("This room is archived")
    expect(one.composer).to_be_hidden()
    assert not violations(one.page)
    opened = settings(one)
    expect(opened).to_be_visible()
    assert not violations(one.page)
    opened.get_by_role("button", name="Open it again").click()
    expect(one.composer).to_be_visible()
    bo.says(slug, "again")
    one.expect_said("again")


def test_a_moderator_deletes_what_another_has_said(ann: Member, bo: Member, visit: Visit) -> None:
    slug = ann.makes_room("Tidy", bo)
    bo.says(slug, "rude", "kind")
    one, other = ann.comes(visit, slug), bo.comes(visit, slug)
    other.page.clock.install()
    one.message("rude").focus()
    one.page.keyboard.press("Delete")
    one.page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(one.message("rude")).to_have_count(0)
    other.message("kind").focus()
    other.page.keyboard.press("p")
    other.sees_a_frame()
    expect(other.page.locator(".pinned")).to_have_count(0)


def test_who_moderates_the_server_deletes_what_guests_have_said_in_a_plain_room(
    ann: Member, visit: Visit, server: Server, room: str
) -> None:
    options = [f"--database={server.database_url}", f"--spool-folder={server.database.parent}"]
    assert run_to_its_end("account", "role", ann.handle, "moderator", *options).exit_code == 0
    guest, one = visit("guest", room), ann.comes(visit, room)
    guest.says("rude")
    one.message("rude").focus()
    one.page.keyboard.press("Delete")
    one.page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(guest.message("rude")).to_have_count(0)


def test_coming_and_going_is_not_said_where_that_is_off(ann: Member, bo: Member, visit: Visit) -> None:
    slug = ann.makes_room("Silent")
    one = ann.comes(visit, slug)
    ann.pushes(slug, "set_room", settings={"join_notes": "off"})
    ann.pushes(slug, "invite", handles=[bo.handle])
    ann.pushes(slug, "set_room", topic="what we do")
    ann.pushes(slug, "set_room", settings={"slow_mode": 45, "read_only": True})
    both = "you changed Pause between two messages to 45 seconds and turned Read only: nobody writes on"
    expect(notes(one).last).to_have_text(both)
    ann.pushes(slug, "set_room", settings={"read_only": False, "slow_mode": 0, "pins": "members"})
    expect(notes(one)).to_have_text(
        [
            FOUNDED,
            "you changed Who comes and goes to Is not said",
            "you set the topic: what we do",
            "you changed 3 settings",
        ]
    )
    expect(one.page.locator(".topic")).to_have_text("what we do")


def test_lines_about_the_room_name_nobody_whose_account_is_erased(
    ann: Member, bo: Member, visit: Visit, server: Server
) -> None:
    slug = ann.makes_room("Kept words", bo)
    bo.says(slug, "mine")
    one = ann.comes(visit, slug)
    expect(notes(one).last).to_contain_text(bo.handle)
    options = [f"--database={server.database_url}", f"--spool-folder={server.database.parent}"]
    assert run_to_its_end("account", "erase", bo.handle, *options).exit_code == 0
    expect(one.page.locator(".message")).to_contain_text("deleted account")
    expect(notes(one)).to_have_text([FOUNDED, "you added somebody", "somebody left"])
    expect(one.conversation).not_to_contain_text(bo.handle)


def test_a_line_about_the_room_stays_where_it_is_and_parts_what_one_person_says(
    ann: Member, bo: Member, visit: Visit
) -> None:
    slug = ann.makes_room("Lines", bo)
    one = bo.comes(visit, slug)
    ann.says(slug, "before")
    ann.pushes(slug, "set_room", topic="birds")
    soon = ann.says(slug, "after")
    expect(one.message("after").locator(".author")).to_be_visible()
    ann.pushes(slug, "set_room", topic="bees")
    last = ann.says(slug, "last")
    topics = [f"{ann.handle} set the topic: birds", f"{ann.handle} set the topic: bees"]
    lines = [f"{ann.handle} created this room", f"{ann.handle} added you", *topics]
    for seq in (last, soon):
        ann.pushes(slug, "delete_message", seq=seq)
        expect(one.page.locator(f".message[data-seq='{seq}']")).to_have_count(0)
        expect(notes(one)).to_have_text(lines)
    one.reloads()
    one.expect_said("before")
    expect(notes(one)).to_have_text(lines)
