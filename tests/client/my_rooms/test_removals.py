"""The end of being in a room: removed, left, and what the browser keeps of it."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.client.accounts.actions import dialog, fills, signs_in_as
from tests.client.axe import DARK, LIGHT, violations_in
from tests.client.conftest import Visit
from tests.client.little_storage import FULL, WITHOUT_STORAGE
from tests.client.my_rooms.members import Member, expect_list
from tests.client.my_rooms.parts import kept, opens_me_menu
from tests.client.person import PHONE
from tests.client.sessions import PASSWORD
from tests.client.watch import Watch
from tests.support.server import wait_until

pytestmark = pytest.mark.browser

SESSION_OVER = "You are not signed in any more. What you have written is kept while this page is open."


def test_who_is_removed_keeps_only_what_they_wrote(visit: Visit, ann: Member, bo: Member, watch: Watch) -> None:
    watch.outage = True
    slug = ann.makes_room("Den", bo)
    ann.pushes(slug, "pin", seq=ann.says(slug, "a secret"), id="pin-1")
    page, other = bo.comes(visit, slug), bo.comes(visit, viewport={"width": 1200, "height": 700})
    page.expect_said("a secret")
    expect_list(page)
    page.loses_network()
    page.says("said in vain")
    page.composer.press_sequentially("my half a thought")
    expect(other.room("Den")).to_be_visible()
    ann.pushes(slug, "remove_member", handle=bo.handle, id="remove-1", reason="too loud")
    page.page.context.set_offline(False)
    gone = page.page.get_by_role("region", name="Conversation")
    expect(gone).to_contain_text("You are no longer in this room")
    expect(gone.get_by_role("textbox")).to_have_value("said in vain\n\nmy half a thought")
    expect(gone).to_be_focused()
    expect(page.page.locator("body")).not_to_contain_text("a secret")
    expect(page.room("Den")).to_have_count(0)
    expect(page.composer).to_be_hidden()
    expect(page.page.locator(".bar button:visible")).to_have_count(0)  # that of the rooms is for narrow screens
    expect(other.page.locator(".removed-notices")).to_contain_text("You are no longer in Den: too loud")
    expect(other.room("Den")).to_have_count(0)
    wait_until(lambda: all(":left:" in key for each in (page, other) for key in kept(each, slug)))
    page.reloads()
    expect(gone.get_by_role("textbox")).to_have_value("said in vain\n\nmy half a thought")
    gone.get_by_role("button", name="Go to #lobby").click()
    page.expect_connected()
    assert kept(page, slug) == []


@pytest.mark.parametrize("options", [{}, PHONE], ids=["wide", "phone"])
def test_who_is_removed_reads_the_thread_no_more(
    visit: Visit, ann: Member, bo: Member, options: dict[str, Any]
) -> None:
    slug = ann.makes_room("Den", bo)
    ann.pushes(slug, "new_message", message="an answer", reply_to=ann.says(slug, "a secret"), id="answer")
    page = bo.comes(visit, slug, **options)
    expect_list(page)
    page.button("1 reply").click()
    reply = page.page.get_by_label("Reply in the thread")
    reply.fill("my half a thought")
    ann.pushes(slug, "remove_member", handle=bo.handle, id="remove-1")
    expect(page.page.get_by_role("heading", name="You are no longer in this room")).to_be_visible()
    expect(reply).to_have_count(0)
    expect(page.page.get_by_text("an answer")).to_have_count(0)
    expect(page.page.get_by_label("What you wrote and had not sent")).to_have_value("my half a thought")


def test_a_dialog_of_the_room_closes_as_somebody_is_removed(visit: Visit, ann: Member, bo: Member) -> None:
    slug = ann.makes_room("Den", bo)
    page = bo.comes(visit, slug, viewport={"width": 1400, "height": 800})
    page.button("Invite").click()
    expect(page.page.locator("#people")).to_be_focused()
    ann.pushes(slug, "remove_member", handle=bo.handle)
    expect(page.page.get_by_role("heading", name="You are no longer in this room")).to_be_visible()
    expect(page.page.locator("dialog:modal")).to_have_count(0)
    expect(page.page.locator(".removed-room")).to_be_focused()


def test_an_invitation_of_somebody_who_is_banned_says_who_that_is(visit: Visit, ann: Member, bo: Member) -> None:
    slug = ann.makes_room("Den", bo)
    ann.pushes(slug, "remove_member", handle=bo.handle, ban=True)
    page = ann.comes(visit, slug, viewport={"width": 1400, "height": 800})
    page.button("Invite").click()
    page.page.keyboard.type(bo.handle)
    page.page.keyboard.press("Enter")
    page.page.keyboard.press("Enter")
    expect(page.page.get_by_role("alert").filter(has_text=f"@{bo.handle} is banned here")).to_be_visible()


def test_who_was_removed_while_away_is_told_at_the_next_visit(visit: Visit, ann: Member, bo: Member) -> None:
    slug = ann.makes_room("Den", bo)
    page = bo.comes(visit, slug)
    expect_list(page)
    page.page.goto("about:blank")
    ann.pushes(slug, "remove_member", handle=bo.handle, id="remove-1")
    page.page.goto(f"{page.server.url}/rooms/{slug}")
    expect(page.page.get_by_role("region", name="Conversation")).to_contain_text("You are no longer in this room")
    expect(page.room("Den")).to_have_count(0)


def test_who_has_left_goes_to_the_lobby(visit: Visit, ann: Member, bo: Member) -> None:
    slug = ann.makes_room("Den", bo)
    page = bo.comes(visit, slug)
    expect_list(page)
    bo.pushes(slug, "leave_room", id="leave-1")
    expect(page.room("lobby")).to_have_attribute("aria-current", "page")
    expect(page.room("Den")).to_have_count(0)
    expect(page.page.locator("main")).not_to_contain_text("no longer")


@pytest.mark.usefixtures("outage", "refusals")
@pytest.mark.parametrize("kind", ["private", "public"])
def test_who_was_signed_out_while_the_page_was_away_signs_in_again_and_goes_on(
    visit: Visit, ann: Member, kind: str
) -> None:
    slug = ann.makes_room(f"Away {ann.handle}", kind=kind)
    ann.says(slug, "a secret")
    page = ann.comes(visit, slug)
    page.expect_said("a secret")
    page.loses_network()
    page.says("on the way")
    page.message("a secret").hover()
    page.button("Reply").click()
    page.composer.fill("half a thought")
    ann.session.send("DELETE", "/api/sessions/current").close()
    page.page.context.set_offline(False)
    expect(page.banner).to_contain_text(SESSION_OVER)
    seen = int(kind == "public")
    expect(page.conversation.get_by_text("a secret")).to_have_count(seen)
    expect(page.strip.get_by_text("a secret")).to_have_count(seen)
    expect(page.page.get_by_role("region", name="Members")).to_have_count(seen)
    assert violations_in(page.page, LIGHT, DARK) == []
    page.banner.get_by_role("button", name="Sign in again").click()
    form = page.page.get_by_role("dialog", name="Sign in")
    expect(form.get_by_label("Password")).to_be_focused()
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button", name="Sign in", exact=True).click()
    page.expect_said("a secret", "on the way")
    expect(page.strip).to_contain_text(re.compile("Replying to.*a secret"))
    expect(page.composer).to_have_value("half a thought")


@pytest.mark.usefixtures("outage", "refusals")
def test_who_signs_in_again_in_one_tab_goes_on_in_the_other(visit: Visit, ann: Member) -> None:
    slug = ann.makes_room("Tabs")
    page = ann.comes(visit, slug)
    other = page.opens_another_page()
    other.goes_to(slug)
    other.composer.fill("half a thought")
    page.loses_network()
    other.page.clock.install()
    other.expect_offline()
    ann.session.send("DELETE", "/api/sessions/current").close()
    page.page.context.set_offline(False)
    for each in (page, other):
        expect(each.banner).to_contain_text("You are not signed in any more.")
    page.banner.get_by_role("button", name="Sign in again").click()
    fills(dialog(page, "Sign in"), password=PASSWORD)
    page.expect_connected()
    other.looks_back()
    other.expect_connected()
    expect(other.composer).to_have_value("half a thought")


@pytest.mark.usefixtures("outage", "refusals")
@pytest.mark.parametrize(
    ("kind", "storage"),
    [("private", WITHOUT_STORAGE), ("public", WITHOUT_STORAGE), ("private", FULL)],
    ids=["private", "public", "full"],
)
def test_who_signs_in_again_where_the_browser_keeps_nothing_goes_on(
    visit: Visit, ann: Member, kind: str, storage: str
) -> None:
    ann.makes_room(f"Unkept {ann.handle}", kind=kind)
    page = visit("", "lobby")
    page.page.context.add_init_script(storage)
    page.goes_to("lobby")
    signs_in_as(page, ann.handle)
    page.room(f"Unkept {ann.handle}").click()
    page.says("a secret")
    page.expect_said("a secret")
    page.loses_network()
    page.says("on the way")
    page.composer.fill("half a thought")
    ann.asks("DELETE", "/api/sessions")
    page.page.context.set_offline(False)
    expect(page.banner).to_contain_text(SESSION_OVER)
    page.banner.get_by_role("button", name="Sign in again").click()
    fills(dialog(page, "Sign in"), password=PASSWORD)
    page.expect_said("a secret", "on the way")
    expect(page.composer).to_have_value("half a thought")


def test_who_comes_back_has_their_words_again(visit: Visit, ann: Member, bo: Member) -> None:
    slug = ann.makes_room("Den", bo)
    page = bo.comes(visit, slug)
    expect_list(page)
    page.composer.press_sequentially("my half a thought")
    ann.pushes(slug, "remove_member", handle=bo.handle, id="remove-1", reason="too loud")
    expect(page.composer).to_be_hidden()
    expect(page.page.get_by_role("region", name="Conversation")).to_contain_text("The reason: too loud")
    ann.pushes(slug, "invite", handles=[bo.handle], id="invite-1")
    page.expect_connected()
    expect(page.composer).to_have_value("my half a thought")
    expect(page.room("Den")).to_have_attribute("aria-current", "page")


def test_a_private_room_is_not_kept_for_the_guest_who_comes_after(visit: Visit, ann: Member, bo: Member) -> None:
    slug = ann.makes_room("Den", bo)
    ann.says(slug, "a secret")
    page = bo.comes(visit, slug)
    page.expect_said("a secret")
    opens_me_menu(page).get_by_role("menuitem", name="Sign out").click()
    expect(page.page.locator(".me .handle")).to_have_text("guest")
    page.page.wait_for_url(f"{page.server.url}/")
    assert kept(page, slug) == []
    assert kept(page, "Den") == []


def test_a_page_that_does_not_know_who_is_signed_in_keeps_nothing_of_a_private_room(
    visit: Visit, ann: Member, bo: Member, outage: None
) -> None:
    slug = ann.makes_room("Den", bo)
    ann.says(slug, "a secret")
    page = visit("", "lobby")
    page.takes_cookie_of(bo.session)
    page.page.route("**/api/me", lambda route: route.abort())
    page.page.goto(f"{page.server.url}/rooms/{slug}")
    page.expect_said("a secret")
    page.looks_away()
    page.page.goto("about:blank")
    page.goes_to("lobby")
    assert kept(page, slug) == []
