"""Links into rooms, for who has an account and who has none."""

import re
import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import expect

from tests.client.accounts.actions import dialog, expect_account, fills
from tests.client.axe import violations
from tests.client.conftest import Visit
from tests.client.little_storage import WITHOUT_STORAGE
from tests.client.my_rooms.members import Member
from tests.client.my_rooms.parts import FOUNDED, notes, panel
from tests.client.person import PHONE, Person
from tests.client.sessions import PASSWORD
from tests.client.watch import Watch
from tests.support.server import PATIENCE

pytestmark = pytest.mark.browser


def ages(member: Member) -> None:
    """Makes an account as old as those that may make links."""
    with closing(sqlite3.connect(member.server.database, timeout=PATIENCE)) as connection, connection:
        connection.execute(
            "UPDATE account SET created_at = '2020-01-01T00:00:00.000000Z' WHERE handle = ?", [member.handle]
        )


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


def test_a_link_leads_who_is_in_the_room_there_at_once(ann: Member, visit: Visit) -> None:
    ages(ann)
    slug = ann.makes_room("Mine")
    code = ann.pushes(slug, "make_link", uses=2, days=1)["code"]
    one = ann.comes(visit)
    one.page.goto(f"{one.server.url}/join/{code}")
    expect(one.page).to_have_url(f"{one.server.url}/rooms/{slug}")
    one.expect_connected()
    expect(one.page.get_by_role("heading", level=1)).to_contain_text("Mine")
    expect(one.composer).to_be_focused()
    expect(one.page.get_by_role("dialog")).to_have_count(0)


def creates_account(person: Person, handle: str) -> None:
    fills(dialog(person, "Create an account"), handle=handle, password=PASSWORD)
    expect_account(person, handle)  # the address changes before: the page is loaded anew


def test_a_link_lets_somebody_without_an_account_create_one(ann: Member, visit: Visit) -> None:
    ages(ann)
    slug = ann.makes_room("Newcomers")
    code = ann.pushes(slug, "make_link", uses=1, days=1)["code"]
    newcomer = visit("eve", "lobby")
    newcomer.page.goto(f"{newcomer.server.url}/join/{code}")
    offered = newcomer.page.get_by_role("dialog", name="You are invited to Newcomers")
    offered.get_by_role("button", name="Create an account").click()
    creates_account(newcomer, f"fay-of-{ann.handle}")
    expect(newcomer.page).to_have_url(re.compile(f"/rooms/{slug}$"))
    newcomer.says("hello")
    newcomer.expect_said("hello")


def invite(member: Member, slug: str | None = None) -> str:
    """Makes an invite, and returns its address."""
    ages(member)
    url: str = member.asks("POST", "/api/invites", {"room": slug} if slug else {})["url"]
    return url


def test_an_invite_leads_a_new_account_into_its_room(ann: Member, visit: Visit) -> None:
    slug = ann.makes_room("Kitchen")
    newcomer = visit("", "lobby")
    newcomer.page.goto(invite(ann, slug))
    creates_account(newcomer, f"gil-of-{ann.handle}")
    expect(newcomer.page).to_have_url(f"{newcomer.server.url}/rooms/{slug}")
    expect(newcomer.page.get_by_role("heading", level=1)).to_contain_text("Kitchen")


def test_an_invite_to_no_room_leaves_a_new_account_where_it_was(ann: Member, visit: Visit, room: str) -> None:
    newcomer = visit("", room)
    newcomer.page.evaluate("hash => (location.hash = hash)", invite(ann).partition("#")[2])
    creates_account(newcomer, f"gil-of-{ann.handle}")
    expect(newcomer.page).to_have_url(newcomer.address_of(room))
    expect(newcomer.page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("key", ["Escape", "Enter"])
def test_who_says_no_to_an_invite_stays_and_reads_it_no_more(ann: Member, visit: Visit, room: str, key: str) -> None:
    guest = visit("guest", room)
    guest.page.goto(f"{guest.address_of(room)}{invite(ann).removeprefix(f'{ann.server.url}/')}")
    form = dialog(guest, "Create an account")
    expect(form.get_by_label("Handle")).to_be_focused()
    if key == "Enter":
        form.get_by_role("button", name="Cancel").focus()
    guest.page.keyboard.press(key)
    expect(form).to_have_count(0)
    expect(guest.page).to_have_url(guest.address_of(room))
    guest.expect_connected()


@pytest.mark.parametrize("forgets", [False, True])
@pytest.mark.usefixtures("outage")
def test_who_has_an_account_follows_an_invite_as_soon_as_they_sign_in(
    ann: Member, bo: Member, visit: Visit, room: str, *, forgets: bool
) -> None:
    slug = ann.makes_room("Kitchen")
    other = visit("", room)
    if forgets:
        other.page.context.add_init_script(WITHOUT_STORAGE)
    other.page.goto(invite(ann, slug))
    other.button("I have an account").click()
    fills(dialog(other, "Sign in"), handle=bo.handle, password=PASSWORD)
    expect(dialog(other, "Join Kitchen?")).to_be_visible()
    expect_account(other, bo.handle)
    other.reloads()
    expect_account(other, bo.handle)
    dialog(other, "Join Kitchen?").get_by_role("button", name="Join").click()
    expect(other.page).to_have_url(f"{other.server.url}/rooms/{slug}")
    expect(other.page.get_by_role("heading", level=1)).to_contain_text("Kitchen")


def test_an_invite_offers_no_second_account(ann: Member, bo: Member, visit: Visit) -> None:
    slug = ann.makes_room("Kitchen")
    other = bo.comes(visit)
    other.page.goto(invite(ann))
    expect(dialog(other, "You have an account")).to_contain_text("for somebody who has none")
    other.button("Close").click()
    expect(other.page).to_have_url(f"{other.server.url}/")
    other.page.evaluate("hash => (location.hash = hash)", invite(ann, slug).partition("#")[2])
    dialog(other, "Join Kitchen?").get_by_role("button", name="Join").click()
    expect(other.page).to_have_url(f"{other.server.url}/rooms/{slug}")
    expect(other.page.get_by_role("heading", level=1)).to_contain_text("Kitchen")


@pytest.mark.usefixtures("outage")
def test_a_link_leads_into_the_room_where_the_browser_keeps_nothing(ann: Member, visit: Visit) -> None:
    ages(ann)
    slug = ann.makes_room("Forgetful")
    code = ann.pushes(slug, "make_link", uses=1, days=1)["code"]
    newcomer = visit("", "lobby")
    newcomer.page.context.add_init_script(WITHOUT_STORAGE)
    newcomer.page.goto(f"{newcomer.server.url}/join/{code}")
    newcomer.page.get_by_role("dialog", name="You are invited").get_by_role("button", name="Create").click()
    creates_account(newcomer, f"ida-of-{ann.handle}")
    expect(dialog(newcomer, "Create an account")).to_have_count(0)
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
    creates_account(newcomer, f"ida-of-{ann.handle}")
    newcomer.page.go_back()
    expect(newcomer.page).to_have_url(re.compile(f"/rooms/{slug}$"))
    expect(newcomer.page.get_by_role("heading", level=1)).to_contain_text("Back")


def test_links_that_do_not_work_have_one_page(ann: Member, visit: Visit, watch: Watch) -> None:
    watch.refusals = True
    ages(ann)
    slug = ann.makes_room("Secret")
    one = ann.comes(visit, slug)
    panel(one).get_by_role("button", name="Links").click()
    links = one.page.get_by_role("dialog", name="Links to Secret")
    links.get_by_role("button", name="Make a link").click()
    code = links.locator(".shown-once code").inner_text().rpartition("/")[2]
    links.get_by_role("button", name="Revoke the link for 1 person").click()
    expect(links).to_contain_text("There are none.")
    expect(links.locator(".shown-once, .qr-code")).to_have_count(0)
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
