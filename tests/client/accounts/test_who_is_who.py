"""What others see of people with accounts and of guests, and what one sees oneself elsewhere."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.client.accounts.actions import (
    dialog,
    expect_account,
    fills,
    opens_account,
    signs_in_as,
    signs_out,
)
from tests.client.accounts.conftest import SignIn
from tests.client.conftest import Speaks, Visit
from tests.client.little_storage import WITHOUT_STORAGE
from tests.client.person import Person
from tests.client.sessions import PASSWORD, new_account, numbers, send, sign_in
from tests.support.server import Server

pytestmark = pytest.mark.browser


def test_a_guest_whose_name_is_somebodys_takes_another_and_what_was_written_is_sent(
    visit: Visit, speaks: Speaks, handle: str, room: str
) -> None:
    bo = speaks("bo")
    guest = visit(to=room)
    guest.composer.fill("hello")
    guest.takes_name(handle)
    taken = dialog(guest, "This name is taken")
    expect(taken.get_by_role("textbox")).to_have_value(f"{handle} (guest)")
    guest.page.keyboard.press("Enter")
    expect(taken).to_have_count(0)
    guest.expect_connected()
    guest.composer.press("Control+Enter")
    bo.expect_said("hello")
    assert bo.author_of("hello") == f"{handle} (guest)"
    # Which says already that it is a guest.
    expect(guest.message("hello").locator(".byline")).to_have_text(re.compile(rf"^{handle} \(guest\)(?!.*guest)"))
    expect(guest.people.get_by_role("listitem").filter(has_text=handle)).to_have_text(
        re.compile(rf"{handle} \(guest\)(?!.*guest)")
    )


def test_words_that_were_said_before_a_name_was_taken_wait_for_another(
    visit: Visit, speaks: Speaks, server: Server, room: str
) -> None:
    guest, bo = visit(f"eve{next(numbers)}"), speaks("bo")
    guest.says("first")
    guest.expect_said("first")
    name = guest.page.locator(".me .name").inner_text()
    send(server, "POST", "/api/accounts", {"handle": name, "password": PASSWORD}).close()
    guest.says("second")
    taken = dialog(guest, "This name is taken")
    expect(taken).to_be_visible()
    taken.get_by_role("button", name="Take this name").click()
    bo.expect_said("first", "second")
    assert bo.author_of("second") == f"{name} (guest)"


@pytest.mark.parametrize("keeps", [True, False])
def test_what_a_guest_could_not_say_under_a_name_is_a_draft_for_who_has_it(
    visit: Visit, speaks: Speaks, server: Server, room: str, *, keeps: bool
) -> None:
    bo = speaks("bo")
    guest = visit("" if keeps else "visitor", room)
    if not keeps:
        guest.page.context.add_init_script(WITHOUT_STORAGE)
        guest.reloads()
    guest.takes_name(f"eve{next(numbers)}")
    guest.says("first")
    guest.expect_said("first")
    name = guest.page.locator(".me .name").inner_text()
    send(server, "POST", "/api/accounts", {"handle": name, "password": PASSWORD}).close()
    guest.says("second")
    dialog(guest, "This name is taken").get_by_role("button", name="Cancel").click()
    guest.says("third")
    dialog(guest, "This name is taken").get_by_role("button", name="Sign in").click()
    fills(dialog(guest, "Sign in"), handle=name, password=PASSWORD)
    expect_account(guest, name)
    expect(guest.composer).to_have_value("second\nthird")
    guest.expect_said("first")
    guest.composer.press("Control+Enter")
    bo.expect_said("first", "second\nthird")


def test_who_has_a_name_that_is_somebodys_reads_on(visit: Visit, speaks: Speaks, handle: str, room: str) -> None:
    bo = speaks("bo")
    guest = visit(handle, room)
    for _ in range(2):
        dialog(guest, "This name is taken").get_by_role("button", name="Cancel").click()
        guest.expect_connected()
        guest.reloads()
    bo.says("hello")
    guest.expect_said("hello")
    expect(guest.people.get_by_role("listitem")).to_have_count(1)
    dialog(guest, "This name is taken").get_by_role("button", name="Cancel").click()
    for text in ("me too", "and then"):
        guest.page.keyboard.type(text)
        guest.page.keyboard.press("Control+Enter")
        expect(dialog(guest, "This name is taken").get_by_role("textbox")).to_be_focused()
        guest.page.keyboard.press("Escape")
        expect(dialog(guest, "This name is taken")).to_have_count(0)
    expect(guest.texts).to_have_text(["hello", "me too", "and then"])


def test_a_guest_who_became_an_account_is_asked_for_a_name_after_signing_out(visit: Visit, speaks: Speaks) -> None:
    name = f"Eve{next(numbers)}"
    eve, bo = visit(name), speaks("bo")
    eve.page.locator(".me").get_by_role("button", name="Sign in").click()
    dialog(eve, "Sign in").get_by_role("button", name="Create an account").click()
    fills(dialog(eve, "Create an account"), password=PASSWORD)
    expect_account(eve, name.lower())
    signs_out(eve)
    expect(eve.name_dialog).to_be_visible()
    eve.expect_connected()
    bo.says("hello")
    eve.expect_said("hello")


def test_guests_are_seen_to_be_guests_and_people_with_accounts_not(
    visit: Visit, speaks: Speaks, server: Server, handle: str
) -> None:
    bo, ann = visit("bo"), speaks("ann", session=sign_in(server, handle))
    bo.says("hi")
    ann.expect_said("hi")
    ann.says("hello")
    bo.expect_said("hi", "hello")
    expect(bo.people.get_by_role("listitem")).to_have_count(2)
    expect(bo.people.get_by_role("listitem").filter(has_text="bo")).to_contain_text("guest")
    expect(bo.people.get_by_role("listitem").filter(has_text=handle)).not_to_contain_text("guest")
    expect(bo.message("hi").locator(".byline")).to_contain_text("(guest)")
    expect(bo.message("hello").locator(".byline")).not_to_contain_text("(guest)")
    expect(bo.message("hello").locator(".author")).to_have_attribute("title", f"@{handle}")
    expect(bo.message("hi").locator(".avatar.guest")).to_be_visible()
    expect(bo.message("hello").locator(".avatar.guest")).to_have_count(0)


def test_guests_are_seen_to_be_guests_before_the_server_has_told_of_accounts(
    visit: Visit, speaks: Speaks, server: Server, handle: str
) -> None:
    bo, ann = visit("bo"), speaks("ann", session=sign_in(server, handle))
    bo.says("hi")
    ann.expect_said("hi")
    ann.says("hello")
    bo.expect_said("hi", "hello")
    ann.leaves()
    expect(bo.people.get_by_role("listitem")).to_have_count(1)
    bo.page.route("**/api/me", lambda route: None)  # never answered
    bo.page.evaluate("localStorage.removeItem('chatter:server')")
    bo.reloads()
    bo.expect_said("hi", "hello")
    expect(bo.message("hi").locator(".avatar.guest")).to_be_visible()


def test_guests_are_seen_to_be_guests_as_soon_as_somebody_has_an_account(
    browser: Browser, tmp_path: Path, room: str
) -> None:
    with Server(tmp_path / "chatter.db", sign_up="open") as server:
        bo = Person(browser.new_page(locale="en-GB"), server)
        bo.goes_to(room)
        bo.takes_name("bo")
        bo.says("hello")
        bo.expect_said("hello")
        avatar = bo.message("hello").locator(".avatar")
        expect(avatar).not_to_have_class(re.compile("guest"))
        ann = Person(browser.new_page(locale="en-GB"), server)
        ann.goes_to(room)
        ann.takes_name("ann")
        signs_in_as(ann, new_account(server))
        expect(avatar).to_have_class(re.compile("guest"))
        for person in (ann, bo):
            person.page.close()


def test_own_messages_can_be_changed_from_another_device(
    signs_in: SignIn, speaks: Speaks, server: Server, handle: str
) -> None:
    here, there = speaks("ann", session=sign_in(server, handle)), signs_in()
    here.says("teh tea")
    there.expect_said("teh tea")
    expect(there.message("teh tea").locator(".you")).to_be_visible()
    there.composer.press("ArrowUp")
    there.composer.fill("the tea")
    there.composer.press("Control+Enter")
    there.expect_said("the tea")
    expect(there.people.get_by_role("listitem")).to_have_count(1)
    expect(there.people).to_contain_text("2 windows")


def test_the_words_of_an_edit_outlive_the_tab_in_which_it_was_begun(signs_in: SignIn) -> None:
    person = signs_in()
    person.says("teh tea")
    person.expect_said("teh tea")
    person.composer.press("ArrowUp")
    person.page.keyboard.type(" is ready")
    url, tab = person.page.url, person.opens_another_page()
    person.page.close()
    tab.page.goto(url)
    tab.expect_said("teh tea")
    tab.composer.press("ArrowUp")
    expect(tab.composer).to_have_value("teh tea is ready")
    expect(tab.button("Start over")).to_be_visible()


def test_another_name_is_seen_at_once_and_what_was_said_stays_ones_own(signs_in: SignIn, speaks: Speaks) -> None:
    ann, bo = signs_in(), speaks("bo")
    ann.says("hello")
    bo.expect_said("hello")
    fills(opens_account(ann, "Profile"), name="Ann the Second")
    expect(ann.page.locator(".me .name")).to_have_text("Ann the Second")
    ann.page.keyboard.press("Escape")
    ann.says("again")
    assert bo.author_of("again") == "Ann the Second"
    expect(ann.message("hello").locator(".you")).to_have_count(1)
    assert ann.page.evaluate("JSON.parse(localStorage['chatter:account']).name") == "Ann the Second"
