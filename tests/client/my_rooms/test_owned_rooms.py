"""Rooms that are somebody's, on the page: making, inviting, governing, and what one may not do in them."""

import re
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.client.accounts.actions import expect_account
from tests.client.axe import DARK, FORCED, GRAVE, LIGHT, violations, violations_in
from tests.client.conftest import Visit
from tests.client.my_rooms.members import Member, expect_list
from tests.client.person import PHONE, Person
from tests.client.sessions import PASSWORD
from tests.client.test_words import WITHOUT_STORAGE
from tests.client.watch import Watch
from tests.support.server import PATIENCE, Server, run_to_its_end

pytestmark = pytest.mark.browser

FOUNDED = "you created this room"

TINTS = 12
ONE_OF_EACH_TINT = f"""row => {{
  for (let tint = 0; tint < {TINTS}; tint++) {{
    const other = row.cloneNode(true);
    const avatar = other.querySelector(".avatar");
    avatar.className = `avatar tint-${{tint}}`;
    avatar.textContent = "AB"; // axe judges no single letter
    row.after(other);
  }}
}}"""


def ages(member: Member) -> None:
    """Makes an account as old as those that may make links."""
    with closing(sqlite3.connect(member.server.database, timeout=PATIENCE)) as connection, connection:
        connection.execute(
            "UPDATE account SET created_at = '2020-01-01T00:00:00.000000Z' WHERE handle = ?", [member.handle]
        )


def panel(person: Person) -> Locator:
    return person.page.get_by_role("region", name="Members")


def member_row(person: Person, member: Member) -> Locator:
    return panel(person).get_by_role("listitem").filter(has_text=member.handle)


def menu_of(person: Person, member: Member) -> Locator:
    """Opens what can be done to somebody."""
    panel(person).get_by_role("button", name=f"Options for {member.handle}").click()
    return person.page.get_by_role("menu", name=f"What to do with {member.handle}")


def chooses(person: Person, member: Member, words: str) -> None:
    menu_of(person, member).get_by_role("menuitem", name=words).click()


def settings(person: Person) -> Locator:
    panel(person).get_by_role("button", name="Settings").click()
    return person.page.get_by_role("dialog", name="Settings of the room")


def notes(person: Person) -> Locator:
    return person.page.locator(".room-notes p")


def cannot_write(person: Person) -> Locator:
    return person.page.locator("footer .cannot-write")


# ---------------------------------------------------------------- making and inviting


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
    expect(dialog.get_by_role("alert").filter(has_text="Nobody here is called @nobody.here.")).to_be_visible()
    dialog.get_by_role("button", name="Remove @nobody.here").click()
    dialog.get_by_role("button", name="Create").click()
    expect(one.page.get_by_role("heading", level=1)).to_contain_text("Garden plans")
    expect(panel(one).get_by_role("list", name="Owners")).to_contain_text(ann.handle)
    expect(panel(one).get_by_role("list", name="Members")).to_contain_text(bo.handle)


def test_who_is_in_the_room_on_the_screen_is_found_for_a_new_one(ann: Member, bo: Member, visit: Visit) -> None:
    bo.comes(visit)
    one = ann.comes(visit)
    expect(one.people).to_contain_text(bo.handle)
    one.button("Create a room").click()
    dialog = one.page.get_by_role("dialog", name="Create a room")
    dialog.get_by_role("combobox").press_sequentially(bo.handle[:2])
    dialog.get_by_role("option", name=f"@{bo.handle}").click()
    expect(dialog.get_by_role("list", name="Chosen")).to_contain_text(f"@{bo.handle}")


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


# ---------------------------------------------------------------- governing


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
            "you changed the settings and called this room After",
            "you changed the settings, called this room Last and set the topic: what we do",
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


# ---------------------------------------------------------------- why one cannot write


def test_a_muted_person_reads_until_when(ann: Member, bo: Member, visit: Visit) -> None:
    slug = ann.makes_room("Quiet", bo)
    one, other = ann.comes(visit, slug), bo.comes(visit, slug)
    other.composer.fill("my words")
    chooses(one, bo, "Mute for 1 hour")
    expect(cannot_write(other)).to_contain_text("You are muted here until")
    assert not violations(other.page)
    expect(member_row(one, bo)).to_contain_text("muted")
    chooses(one, bo, "Let write again")
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


# ---------------------------------------------------------------- links


def test_a_link_leads_somebody_with_an_account_into_the_room(ann: Member, bo: Member, visit: Visit, room: str) -> None:
    ages(ann)
    slug = ann.makes_room("Linked")
    one = ann.comes(visit, slug)
    panel(one).get_by_role("button", name="Links").click()
    dialog = one.page.get_by_role("dialog", name="Links to Linked")
    dialog.get_by_role("button", name="Make a link").click()
    expect(dialog.get_by_role("img", name="QR code of the link")).to_be_visible()
    assert not violations(one.page)
    link = dialog.locator("code").inner_text()
    other = bo.comes(visit)
    other.page.goto(link)
    offered = other.page.get_by_role("dialog", name="Join Linked?")
    expect(offered).to_contain_text("1 person is in it.")
    assert not violations(other.page)
    offered.get_by_role("button", name="Join").click()
    expect(other.page).to_have_url(re.compile(f"/rooms/{slug}$"))
    expect(notes(one)).to_have_text([FOUNDED, f"{bo.handle} joined"])
    expect(other.page.get_by_role("heading", level=1)).to_contain_text("Linked")
    other.page.go_back()
    expect(other.page).to_have_url(f"{other.server.url}/")  # the link has no entry of its own any more


def test_a_link_lets_somebody_without_an_account_create_one(ann: Member, visit: Visit) -> None:
    ages(ann)
    slug = ann.makes_room("Newcomers")
    code = ann.pushes(slug, "make_link", uses=1, days=1)["code"]
    newcomer = visit("eve", "lobby")
    newcomer.page.goto(f"{newcomer.server.url}/join/{code}")
    offered = newcomer.page.get_by_role("dialog", name="You are invited to Newcomers")
    offered.get_by_role("button", name="Create an account").click()
    form = newcomer.page.get_by_role("dialog", name="Create an account")
    handle = f"fay-of-{ann.handle}"
    form.get_by_label("Handle").fill(handle)
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button", name="Create account").click()
    expect_account(newcomer, handle)  # the address changes before: the page is loaded anew
    expect(newcomer.page).to_have_url(re.compile(f"/rooms/{slug}$"))
    newcomer.says("hello")
    newcomer.expect_said("hello")


@pytest.mark.usefixtures("outage")
def test_a_link_leads_into_the_room_where_the_browser_keeps_nothing(ann: Member, visit: Visit) -> None:
    ages(ann)
    slug = ann.makes_room("Forgetful")
    code = ann.pushes(slug, "make_link", uses=1, days=1)["code"]
    newcomer = visit("", "lobby")
    newcomer.page.context.add_init_script(WITHOUT_STORAGE)
    newcomer.page.goto(f"{newcomer.server.url}/join/{code}")
    newcomer.page.get_by_role("dialog", name="You are invited").get_by_role("button", name="Create").click()
    form = newcomer.page.get_by_role("dialog", name="Create an account")
    form.get_by_label("Handle").fill(f"ida-of-{ann.handle}")
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button", name="Create account").click()
    expect(form).to_have_count(0)
    expect_account(newcomer, f"ida-of-{ann.handle}")
    expect(newcomer.page.get_by_role("heading", level=1)).to_contain_text("Forgetful")
    newcomer.says("hello")
    newcomer.expect_said("hello")


def test_back_says_no_to_an_invitation_and_does_not_come_to_it_again(ann: Member, bo: Member, visit: Visit) -> None:
    ages(ann)
    slug = ann.makes_room("Back")
    code = ann.pushes(slug, "make_link", uses=2, days=1)["code"]
    invited = bo.comes(visit, **PHONE)
    page = invited.page
    page.goto(f"{invited.server.url}/join/{code}")
    expect(page.get_by_role("dialog", name="Join Back?")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("dialog", name="Join Back?")).to_have_count(0)
    expect(page).to_have_url(f"{invited.server.url}/")
    newcomer = visit("", "lobby")
    newcomer.page.goto(f"{newcomer.server.url}/join/{code}")
    newcomer.page.get_by_role("dialog", name="You are invited").get_by_role("button", name="Create").click()
    form = newcomer.page.get_by_role("dialog", name="Create an account")
    form.get_by_label("Handle").fill(f"ida-of-{ann.handle}")
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button", name="Create account").click()
    expect_account(newcomer, f"ida-of-{ann.handle}")
    newcomer.page.go_back()
    expect(newcomer.page).to_have_url(re.compile(f"/rooms/{slug}$"))
    expect(newcomer.page.get_by_role("heading", level=1)).to_contain_text("Back")


def test_links_that_do_not_work_have_one_page(ann: Member, visit: Visit, watch: Watch) -> None:
    watch.refusals = True
    ages(ann)
    slug = ann.makes_room("Secret")
    code = ann.pushes(slug, "make_link", uses=1, days=1)["code"]
    one = ann.comes(visit, slug)
    panel(one).get_by_role("button", name="Links").click()
    links = one.page.get_by_role("dialog", name="Links to Secret")
    links.get_by_role("button", name="Revoke the link for 1 person").click()
    expect(links).to_contain_text("There are none.")
    guest = visit("dora", "lobby")
    said = []
    for wrong, key in ((code, "Escape"), ("never-made", "Enter")):
        guest.page.goto(f"{guest.server.url}/join/{wrong}")
        dialog = guest.page.get_by_role("dialog", name="This link does not work")
        said.append(dialog.inner_text())
        expect(dialog.get_by_role("button", name="Close")).to_be_focused()
        guest.page.keyboard.press(key)
        expect(guest.page).to_have_url(f"{guest.server.url}/")
    assert said[0] == said[1]


# ---------------------------------------------------------------- mentions


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


# ---------------------------------------------------------------- moderation


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


def test_coming_and_going_is_not_said_where_that_is_off(ann: Member, bo: Member, visit: Visit) -> None:
    slug = ann.makes_room("Silent")
    one = ann.comes(visit, slug)
    ann.pushes(slug, "set_room", settings={"join_notes": "off"})
    ann.pushes(slug, "invite", handles=[bo.handle])
    ann.pushes(slug, "set_room", topic="what we do")
    expect(notes(one)).to_have_text([FOUNDED, "you changed the settings", "you set the topic: what we do"])
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


def test_who_is_not_here_can_be_read_in_every_colour(ann: Member, bo: Member, visit: Visit) -> None:
    one = ann.comes(visit, ann.makes_room("Absence", bo))
    expect(member_row(one, bo)).to_have_class("absent")
    member_row(one, bo).evaluate(ONE_OF_EACH_TINT)
    expect(panel(one).locator(".absent")).to_have_count(1 + TINTS)
    assert violations_in(one.page, LIGHT, DARK, FORCED, impacts=GRAVE) == []


@pytest.mark.parametrize("options", [{}, PHONE])
def test_the_dialogs_of_a_room_are_accessible_in_every_look(
    ann: Member, bo: Member, visit: Visit, options: dict[str, Any]
) -> None:
    one = ann.comes(visit, ann.makes_room("Looks", bo), **options)
    if options:
        one.page.locator(".people-button").click()
    people = one.page.get_by_role("region", name="Members").or_(one.page.get_by_role("dialog", name="Members"))
    dialog = one.page.locator("dialog.room-dialog")
    for name in ("Invite", "Links", "Settings", "Leave"):
        people.get_by_role("button", name=name).click()
        expect(dialog).to_be_visible()
        assert violations_in(one.page, LIGHT, DARK, FORCED, impacts=GRAVE) == [], name
        one.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
    people.get_by_role("button", name=f"Options for {bo.handle}").click()
    one.page.get_by_role("menuitem", name="Remove…").click()
    expect(dialog).to_be_visible()
    assert violations_in(one.page, LIGHT, DARK, FORCED, impacts=GRAVE) == []


def test_all_settings_are_in_sight_on_a_screen_of_a_laptop(ann: Member, visit: Visit) -> None:
    slug = ann.makes_room(f"Many rules {ann.handle}", kind="public")
    one = ann.comes(visit, slug, viewport={"width": 1440, "height": 900})
    dialog = settings(one)
    for name in ("Save", "Archive this room"):
        expect(dialog.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    assert dialog.evaluate("dialog => [dialog.scrollHeight - dialog.clientHeight, dialog.scrollTop]") == [0, 0]


def test_the_settings_are_saved_on_a_phone_without_scrolling(ann: Member, visit: Visit) -> None:
    slug = ann.makes_room(f"Small screen {ann.handle}", kind="public")
    one = ann.comes(visit, slug, **PHONE)
    one.people_button.click()
    one.page.get_by_role("dialog", name="Members").get_by_role("button", name="Settings").tap()
    dialog = one.page.get_by_role("dialog", name="Settings of the room")
    save = dialog.get_by_role("button", name="Save")
    expect(save).to_be_in_viewport(ratio=1)
    last = dialog.get_by_role("checkbox").last
    last.focus()
    expect(last).to_be_in_viewport(ratio=1)
    field, bar = last.bounding_box(), save.bounding_box()
    assert field
    assert bar
    assert field["y"] + field["height"] <= bar["y"]  # nothing with the focus is behind the buttons
    dialog.get_by_label("Topic").fill("short")
    save.tap()
    expect(one.page.locator(".topic")).to_have_text("short")


@pytest.mark.usefixtures("outage")
def test_the_settings_say_why_they_are_not_saved(ann: Member, visit: Visit) -> None:
    one = ann.comes(visit, ann.makes_room("Far away"))
    dialog = settings(one)
    dialog.get_by_label("Topic").fill("kept")
    one.loses_network()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert").filter(has_text="The connection to the server was lost.")).to_be_visible()
    expect(dialog.get_by_label("Topic")).to_have_value("kept")
    assert violations_in(one.page, LIGHT, DARK, FORCED, impacts=GRAVE) == []


def test_the_members_panel_of_a_phone_and_its_dialogs_are_accessible(ann: Member, bo: Member, visit: Visit) -> None:
    slug = ann.makes_room("Small screens", bo)
    one = ann.comes(visit, slug, **PHONE)
    one.people_button.click()
    dialog = one.page.get_by_role("dialog", name="Members")
    expect(dialog.get_by_role("list", name="Members")).to_contain_text(bo.handle)
    assert not violations(one.page)
    for action, title in (("Invite", "Invite people to Small screens"), ("Leave", "Leave Small screens?")):
        dialog.get_by_role("button", name=action).tap()
        expect(one.page.get_by_role("dialog", name=title)).to_be_visible()
        assert not violations(one.page)
        one.page.keyboard.press("Escape")
    dialog.get_by_role("button", name=f"Options for {bo.handle}").tap()
    one.page.get_by_role("menuitem", name="Ban…").tap()
    expect(one.page.get_by_role("dialog", name=f"Ban {bo.handle}?")).to_be_visible()
    assert not violations(one.page)
