"""Nothing of people with accounts stays behind, and they lose no words."""

import pytest
from playwright.sync_api import expect

from tests.client.accounts.actions import (
    ANOTHER_PASSWORD,
    KEPT,
    asks_to_sign_out,
    dialog,
    expect_account,
    expect_guest,
    expect_nothing_kept,
    fills,
    loses_session,
    opens_account,
    signs_in_as,
    signs_out,
)
from tests.client.accounts.conftest import SignIn
from tests.client.conftest import Speaks, Visit
from tests.client.sessions import PASSWORD, new_account, sign_in
from tests.support.server import Server, run_to_its_end

pytestmark = pytest.mark.browser

IS_ON_TOP = """element => {
  const { left, top, width, height } = element.getBoundingClientRect();
  return document.elementFromPoint(left + width / 2, top + height / 2) === element;
}"""
"""Nothing covers the element."""


def test_nothing_of_an_account_stays_behind(signs_in: SignIn, room: str, refusals: None) -> None:
    ann = signs_in()
    ann.says("hello")
    ann.expect_said("hello")
    ann.composer.fill("nobody else's business")
    other = ann.opens_another_page()
    other.goes_to(room)
    expect(other.composer).to_have_value("nobody else's business")
    assert ann.page.evaluate(KEPT) != []
    signs_out(ann, with_words=True)
    expect_guest(other)
    for page in (ann.page, other.page):
        expect_nothing_kept(page)
        assert "chatter" not in {each["name"] for each in page.context.cookies()}
    expect(ann.composer).to_have_value("")
    expect(other.composer).to_have_value("")
    expect(ann.message("hello").locator(".you")).to_have_count(0)


def test_who_would_lose_words_by_signing_out_is_asked_once(signs_in: SignIn, speaks: Speaks) -> None:
    ann, bo = signs_in(), speaks("bo")
    bo.says("question")
    ann.message("question").hover()
    ann.button("Reply").click()
    bo.deletes("question")
    expect(ann.strip).to_contain_text("original deleted")
    ann.says("answer")
    expect(ann.not_sent).to_be_visible()
    ann.composer.fill("half a thought")
    question = dialog(ann, "Sign out?")
    for key in ("Enter", "Escape"):
        asks_to_sign_out(ann)
        expect(question).to_contain_text("One message is not sent. There is a draft.")
        expect(question.get_by_role("button", name="Stay signed in")).to_be_focused()
        ann.page.keyboard.press(key)
        expect(question).to_have_count(0)
    expect(ann.composer).to_have_value("half a thought")
    ann.button("send without the reply").click()
    ann.expect_said("answer")
    asks_to_sign_out(ann)
    expect(question).not_to_contain_text("not sent")
    question.get_by_role("button", name="Sign out").click()
    expect_guest(ann)


def link_for(server: Server, handle: str) -> str:
    """Makes a link that signs an account in once, and returns its address."""
    printed = run_to_its_end("account", "link", handle, f"--database={server.database_url}").stdout.strip()
    return f"{server.url}/#{printed.partition('#')[2]}"


LOSS = "There is a draft. Signing in as somebody else erases what you have written here."


def test_who_would_lose_words_by_the_link_of_another_account_is_asked(
    signs_in: SignIn, server: Server, handle: str, room: str
) -> None:
    ann, bo = signs_in(), new_account(server, "bo")
    ann.composer.fill("half a thought")
    link = link_for(server, bo)
    ann.page.goto(link)
    offered, question = dialog(ann, f"Sign in as @{bo}?"), dialog(ann, "Sign in?")
    expect(offered).to_contain_text(f"You are signed in as @{handle}, which ends here.")
    offered.get_by_role("button", name="Sign in").click()
    expect(question).to_contain_text(LOSS)
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    ann.page.keyboard.press("Enter")
    expect(question).to_have_count(0)
    ann.page.keyboard.press("Escape")
    expect(offered).to_have_count(0)
    expect_account(ann, handle)
    ann.goes_to(room)
    expect(ann.composer).to_have_value("half a thought")
    ann.page.goto(link)
    offered.get_by_role("button", name="Sign in").click()
    question.get_by_role("button", name="Sign in").click()
    expect_account(ann, bo)


def test_the_link_of_ones_own_account_asks_nothing(signs_in: SignIn, server: Server, handle: str, room: str) -> None:
    ann = signs_in()
    ann.composer.fill("half a thought")
    ann.page.goto(link_for(server, handle))
    offered = dialog(ann, f"Sign in as @{handle}?")
    expect(offered).not_to_contain_text("ends here")
    offered.get_by_role("button", name="Sign in").click()
    expect(offered).to_have_count(0)
    expect_account(ann, handle)
    ann.goes_to(room)
    expect(ann.composer).to_have_value("half a thought")


@pytest.mark.usefixtures("refusals")
def test_who_would_lose_words_by_signing_in_as_another_is_asked(signs_in: SignIn, server: Server, handle: str) -> None:
    ann, bo = signs_in(), new_account(server, "bo")
    ann.composer.fill("half a thought")
    loses_session(ann)
    ann.button("Sign in again").click()
    fills(dialog(ann, "Sign in"), handle=bo, password=PASSWORD)
    question = dialog(ann, "Sign in?")
    expect(question).to_contain_text(LOSS)
    ann.page.keyboard.press("Enter")
    expect(question).to_have_count(0)
    ann.button("Create an account").click()
    fills(dialog(ann, "Create an account"), handle=f"{bo}-too", password=PASSWORD)
    expect(question).to_contain_text(LOSS)
    ann.page.keyboard.press("Enter")
    expect(question).to_have_count(0)
    ann.button("I have an account").click()
    fills(dialog(ann, "Sign in"), handle=handle, password=ANOTHER_PASSWORD)
    expect_account(ann, handle)
    expect(ann.composer).to_have_value("half a thought")


def test_unsent_words_of_an_account_are_not_sent_by_the_next_person(
    signs_in: SignIn, speaks: Speaks, server: Server, room: str, outage: None
) -> None:
    ann = signs_in()
    ann.page.context.set_offline(True)
    ann.says("only mine")
    expect(ann.message("only mine")).not_to_have_attribute("data-state", "said")
    ann.page.evaluate("window.stop()")
    ann.page.context.set_offline(False)
    ann.expect_said("only mine")
    signs_out(ann)
    signs_in_as(ann, new_account(server))
    expect(ann.message("only mine").locator(".you")).to_have_count(0)
    speaks("bo").expect_said("only mine")


@pytest.mark.usefixtures("refusals")
def test_another_password_is_asked_for_at_the_next_sign_in(signs_in: SignIn, handle: str) -> None:
    ann, elsewhere = signs_in(), signs_in()
    opened = opens_account(ann, "Profile")
    with ann.page.expect_websocket():  # the former one ends with the former cookie
        fills(opened, old_password=PASSWORD, password="eight green bottles")
    toast = opened.locator(".toast")
    expect(toast).to_contain_text("Your password is changed")
    assert toast.evaluate(IS_ON_TOP)
    expect_guest(elsewhere)
    ann.page.keyboard.press("Escape")
    signs_out(ann)
    signs_in_as(ann, handle, "eight green bottles")


def test_who_deletes_the_account_is_a_guest_again(signs_in: SignIn, handle: str) -> None:
    ann = signs_in()
    ann.composer.fill("half a thought")
    opened = opens_account(ann, "Leave")
    expect(opened).to_contain_text("and what you have written here and not sent")
    opened.get_by_role("button", name="Delete my account").click()
    expect(opened.get_by_label("Stays, as said by a “deleted account”")).to_be_checked()
    expect(opened.locator("input[name=password]")).to_be_focused()
    fills(opened, password=PASSWORD)
    expect_guest(ann)
    expect(ann.notices).to_contain_text("Sign in within 7 days to come back")
    expect(ann.notices).to_contain_text("What you had written here and not sent was erased.")
    expect_nothing_kept(ann.page)
    signs_in_as(ann, handle)
    expect(ann.notices).to_contain_text("You came back: your account is not deleted.")


def test_an_open_page_shows_what_is_left_of_who_is_gone(
    server: Server, visit: Visit, speaks: Speaks, handle: str
) -> None:
    ann = speaks("ann", session=sign_in(server, handle))
    ann.says("hers", "hers too")
    ann.leaves()
    bo = visit("bo")
    bo.message("hers").hover()
    bo.button("Reply").click()
    bo.says("an answer")
    expect(bo.message("an answer").locator(".quote")).to_contain_text("hers")
    options = [f"--database={server.database_url}", f"--spool-folder={server.database.parent}"]
    assert run_to_its_end("account", "erase", handle, "--messages=erase", *options).exit_code == 0
    expect(bo.page.locator(".gone")).to_contain_text("Message deleted")  # the other one leaves nothing, so soon
    expect(bo.message("hers too")).to_have_count(0)
    expect(bo.message("an answer").locator(".quote")).to_contain_text("original deleted")
    expect(bo.page.locator("body")).not_to_contain_text(handle)
    bo.reloads()
    expect(bo.message("an answer").locator(".quote")).to_contain_text("original deleted")
    expect(bo.page.locator("body")).not_to_contain_text(handle)
