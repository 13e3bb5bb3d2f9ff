"""Where one is signed in: the list of sessions, their names and their end."""

import re

import pytest
from playwright.sync_api import expect

from tests.client.accounts.actions import (
    expect_account,
    expect_guest,
    expect_nothing_kept,
    opens_account,
    renames,
    sessions_of,
    signs_out,
)
from tests.client.accounts.conftest import SignIn

pytestmark = pytest.mark.browser

ERASED = "What you had written here and not sent was erased."


@pytest.mark.usefixtures("refusals")
def test_a_session_that_another_browser_ends_is_over_at_once(signs_in: SignIn, handle: str) -> None:
    here, there = signs_in(), signs_in()
    there.composer.fill("not finished")
    beside = there.opens_another_page()
    beside.goes_to("lobby")
    opened = opens_account(here, "Signed in")
    sessions = sessions_of(opened)
    expect(sessions.filter(has_text="this browser")).to_have_count(1)
    with here.page.expect_websocket():  # the former one ends with the former cookie
        opened.get_by_role("button", name="Sign out everywhere else").click()
    expect(sessions).to_have_count(1)
    expect_guest(there)
    for page in (there, beside):
        expect(page.notices).to_contain_text("You were signed out")
    expect_nothing_kept(there.page)
    expect(there.composer).to_have_value("")
    there.button("Dismiss").click()
    there.expect_connected()
    there.reloads()
    expect_guest(there)
    expect(there.notices).to_be_empty()
    expect_account(here, handle)


@pytest.mark.usefixtures("refusals")
@pytest.mark.parametrize("written", ["a draft", "an edit"])
def test_a_page_that_is_signed_out_says_that_what_was_written_was_erased(signs_in: SignIn, written: str) -> None:
    here, there = signs_in(), signs_in()
    there.says("helo")
    there.expect_acknowledged()
    if written == "an edit":
        there.composer.press("ArrowUp")
        expect(there.strip).to_contain_text("Editing")
    there.composer.fill("hello")
    opens_account(here, "Signed in").get_by_role("button", name="Sign out everywhere else").click()
    expect(there.notices.locator("span")).to_have_text(f"You were signed out. {ERASED}")


@pytest.mark.usefixtures("refusals")
def test_a_page_that_is_signed_out_with_nothing_written_says_no_more(signs_in: SignIn) -> None:
    here, there = signs_in(), signs_in()
    there.says("hello")
    there.expect_acknowledged()
    opens_account(here, "Signed in").get_by_role("button", name="Sign out everywhere else").click()
    expect(there.notices.locator("span")).to_have_text("You were signed out.")


def test_a_session_is_renamed_by_keys_until_its_name_is_emptied(signs_in: SignIn) -> None:
    ann = signs_in()
    opened, keyboard = opens_account(ann, "Signed in"), ann.page.keyboard
    session = sessions_of(opened).filter(has_text="this browser")
    session.get_by_role("button").focus()
    for typed, key, name in (
        ("the laptop", "Enter", "the laptop"),
        ("something else", "Escape", "the laptop"),
        ("  ", "Enter", "Chrome on Linux"),
    ):
        keyboard.press("Enter")
        expect(opened.get_by_role("textbox")).to_be_focused()
        keyboard.type(typed)  # over the former name, which is selected
        keyboard.press(key)
        expect(session).to_have_text(re.compile(f"^{name} this browser"))
        expect(session.get_by_role("button", name=f"Rename {name}")).to_be_focused()


def test_the_name_of_a_session_is_the_same_in_another_browser(signs_in: SignIn) -> None:
    here, there = signs_in(), signs_in()
    opened = opens_account(here, "Signed in")
    session = sessions_of(opened).filter(has_not_text="this browser").filter(has_text="Chrome on Linux")
    field = renames(session)
    expect(field).to_have_accessible_name("Name of Chrome on Linux")
    field.fill("left alone")
    opened.get_by_role("button", name="Cancel").click()
    field = renames(session)
    expect(field).to_have_value("")
    field.fill("the <b>phone</b>")
    opened.get_by_role("button", name="Save").click()
    expect(sessions_of(opened).filter(has_text="the <b>phone</b>")).to_have_count(1)
    seen = sessions_of(opens_account(there, "Signed in")).filter(has_text="this browser")
    expect(seen).to_have_text(re.compile("^the <b>phone</b>"))


@pytest.mark.usefixtures("refusals")
def test_a_name_that_cannot_be_saved_stays_in_its_field_and_that_is_said(signs_in: SignIn) -> None:
    here, there = signs_in(), signs_in()
    opened = opens_account(here, "Signed in")
    field = renames(sessions_of(opened).filter(has_not_text="this browser").filter(has_text="Chrome on Linux"))
    field.fill("the phone")
    here.page.route("**/api/sessions/*", lambda route: route.fulfill(status=429, json={"reason": "rate_limited"}))
    field.press("Enter")
    expect(opened.get_by_role("alert")).to_have_text("That was too often.")
    expect(field).to_have_value("the phone")
    expect(field).to_be_focused()
    here.page.unroute("**/api/sessions/*")
    signs_out(there)
    field.press("Enter")
    expect(opened.get_by_role("alert")).to_have_text("It is not there any more.")
    expect(field).to_have_count(0)
    expect(opened.get_by_role("list", name="Where you are signed in")).to_be_focused()
