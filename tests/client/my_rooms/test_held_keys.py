"""What somebody types while something opens is typed there, however slow the line is, and nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.client.accounts.actions import dialog, expect_account
from tests.client.conftest import Visit
from tests.client.my_rooms.members import Member
from tests.client.my_rooms.parts import menu_of, panel
from tests.client.my_rooms.test_links import ages
from tests.client.person import Person
from tests.client.sessions import PASSWORD
from tests.client.watch import Watch

pytestmark = pytest.mark.browser

WIDE: dict[str, Any] = {"viewport": {"width": 1400, "height": 800}}


@contextmanager
def slow(page: Page, address: str) -> Iterator[None]:
    """Keeps requests for an address back until the end."""

    def hold(_route: Route) -> None:
        pass

    # What the page's process has in memory would not be asked for.
    page.context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.route(address, hold)
    with page.expect_request(address):
        yield
    page.unroute(address, hold)  # which lets go


@pytest.mark.parametrize("way", ["menu", "palette"])
def test_words_for_somebody_are_said_to_them(ann: Member, bo: Member, visit: Visit, way: str) -> None:
    slug = ann.makes_room("Alpha", bo)
    one = ann.comes(visit, slug, **WIDE)
    if way == "menu":
        menu = menu_of(one, bo)
        menu.get_by_role("menuitem", name="Send a message").focus()
    else:
        one.searches(f"@{bo.handle}")
        expect(one.palette.get_by_role("option").first).to_contain_text(bo.handle)
    with slow(one.page, "**/api/direct"):
        one.page.keyboard.press("Enter")
        one.page.keyboard.press("Enter")
        one.page.keyboard.type("secret for bp")
        one.page.keyboard.press("Backspace")
        one.page.keyboard.type("o")
        one.page.keyboard.press("Enter")
    expect(one.page.get_by_role("heading", level=1)).to_contain_text(bo.handle)
    one.expect_said("secret for bo")
    one.goes_to(slug)
    expect(one.page.get_by_text("here yet")).to_be_visible()
    expect(one.composer).to_be_empty()


def test_words_for_nobody_are_given_back_and_not_said(ann: Member, visit: Visit, watch: Watch) -> None:
    watch.refusals = True
    one = ann.comes(visit)
    one.searches("@nobody-at-all")
    with slow(one.page, "**/api/direct"):
        one.page.keyboard.press("Enter")
        one.page.keyboard.type("secret")
        one.page.keyboard.press("Enter")
    expect(one.toast).to_have_text("Nobody here is called @nobody-at-all")
    expect(one.composer).to_have_value("secret")


def test_a_draft_is_not_sent_along_with_words_for_somebody(ann: Member, bo: Member, visit: Visit) -> None:
    direct = ann.opens_direct(bo)
    one = ann.comes(visit, direct, **WIDE)
    one.page.keyboard.type("half a thought")
    one.goes_to(ann.makes_room("Alpha", bo))
    chooses_to_write = menu_of(one, bo).get_by_role("menuitem", name="Send a message")
    with slow(one.page, "**/api/direct"):
        chooses_to_write.press("Enter")
        one.page.keyboard.type("hello")
        one.page.keyboard.press("Enter")
    expect(one.composer).to_have_value("half a thought\nhello")
    expect(one.page.locator(".message")).to_have_count(0)


def test_a_password_is_typed_into_the_dialog_that_comes(ann: Member, visit: Visit, room: str) -> None:
    guest = visit("guest")
    guest.button("Sign in").focus()
    with slow(guest.page, "**/sign-in-*.js"):
        guest.page.keyboard.press("Enter")
        guest.page.keyboard.type(ann.handle)
        guest.page.keyboard.press("Tab")
        guest.page.keyboard.type(PASSWORD)
        guest.page.keyboard.press("Enter")
    expect_account(guest, ann.handle)
    expect(guest.page.locator(".message")).to_have_count(0)
    expect(guest.composer).to_be_empty()


def test_words_that_follow_a_sign_in_are_there_in_the_page_that_comes(ann: Member, visit: Visit) -> None:
    guest = visit("guest")
    guest.button("Sign in").click()
    form = dialog(guest, "Sign in")
    form.locator("input[name=handle]").fill(ann.handle)
    form.locator("input[name=password]").fill(PASSWORD)
    with slow(guest.page, "**/api/sessions"):
        guest.page.keyboard.press("Enter")
        guest.page.keyboard.type("hello")
    expect_account(guest, ann.handle)
    expect(guest.composer).to_have_value("hello")


def test_who_presses_twice_gets_one_dialog_and_sends_nothing(ann: Member, visit: Visit) -> None:
    one = ann.comes(visit, ann.makes_room("Alpha"), **WIDE)
    button = panel(one).get_by_role("button", name="Leave")
    with slow(one.page, "**/leave-*.js"):
        button.press("Enter")
        one.page.keyboard.press("Enter")
        button.dblclick()
    expect(one.page.locator("dialog:modal")).to_have_count(1)
    expect(one.page.get_by_role("heading", level=1)).to_contain_text("Alpha")


def test_words_are_for_the_room_that_somebody_joins_also_where_they_had_begun(
    ann: Member, bo: Member, visit: Visit
) -> None:
    ages(ann)
    slug = ann.makes_room("Linked", bo)
    code = ann.pushes(slug, "make_link", uses=9, days=1)["code"]
    other = bo.comes(visit, slug)
    other.page.keyboard.type("PRIVATE")
    ann.pushes(slug, "remove_member", handle=bo.handle)
    expect(other.page.get_by_label("What you wrote and had not sent")).to_have_value("PRIVATE")
    other.page.goto(f"{other.server.url}/join/{code}")
    expect(dialog(other, "Join Linked?").get_by_role("button", name="Join")).to_be_focused()
    with slow(other.page, "**/api/join"):
        other.page.keyboard.press("Enter")
        other.page.keyboard.type("hello")
    expect(other.page.get_by_role("heading", level=1)).to_contain_text("Linked")
    expect(other.composer).to_be_focused()
    other.page.keyboard.type(" again")
    expect(other.composer).to_have_value("PRIVATE\nhello again")


def test_words_that_follow_a_form_are_said_in_the_room(ann: Member, visit: Visit) -> None:
    one: Person = ann.comes(visit)
    one.button("Create a room").click()
    created = dialog(one, "Create a room")
    created.get_by_label("Title").fill("Garden")
    with slow(one.page, "**/api/rooms"):
        one.page.keyboard.press("Enter")
        one.page.keyboard.type("the first word")
        one.page.keyboard.press("Enter")
    expect(one.page.get_by_role("heading", level=1)).to_contain_text("Garden")
    one.expect_said("the first word")
