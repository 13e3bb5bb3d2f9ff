"""What is new in one's rooms: told to all browsers, read once, and noticed as one likes."""

import pytest
from playwright.sync_api import Route, expect

from tests.client.conftest import Visit
from tests.client.my_rooms.members import Member
from tests.client.my_rooms.parts import expect_read, opens_me_menu, options, unread
from tests.support.server import wait_until

pytestmark = pytest.mark.browser

BLUR = "isFocused => { document.hasFocus = () => isFocused; dispatchEvent(new Event(isFocused ? 'focus' : 'blur')); }"
NOTIFICATION = """window.notified = [];
window.Notification = class {
  static permission = "default";
  static async requestPermission() { return (this.permission = "granted"); }
  constructor(title, options) {
    notified.push([title, options.body]);
    Object.assign(this, options);
    window.last = this;
  }
  close() { notified.push(["closed", this.body]); }
};"""
ONE_A_FRAME = """const { set } = Object.getOwnPropertyDescriptor(WebSocket.prototype, "onmessage");
let last = Promise.resolve();
const after = act => (last = last.then(() => new Promise(requestAnimationFrame)).then(act));
Object.defineProperty(WebSocket.prototype, "onmessage", {
  set(hear) { set.call(this, event => after(() => hear(event))); },
});"""
"""Lets a page hear and draw one message after the other, as a slow connection does."""


def test_new_messages_are_pushed_and_read_in_all_browsers(visit: Visit, ann: Member, bo: Member) -> None:
    slug, direct = ann.makes_room("Den", bo), ann.opens_direct(bo)
    desk, phone = bo.comes(visit), bo.comes(visit, viewport={"width": 1200, "height": 700})
    ann.says(slug, "one")
    for page in (desk, phone):
        expect(page.room("Den").locator(".unread.dot")).to_be_visible()
    ann.says(direct, "two", "three")
    for page in (desk, phone):
        expect(unread(page, ann.handle)).to_have_text("2 new messages")
        expect(page.page).to_have_title("(2) #lobby · Chatter")
    desk.room(ann.handle).click()
    desk.expect_said("two", "three")
    expect_read(phone, ann.handle)
    expect(phone.page).to_have_title("• #lobby · Chatter")
    desk.room("lobby").click()
    expect(desk.room(ann.handle)).not_to_have_attribute("aria-current", "page")
    expect_read(desk, ann.handle)


def test_what_one_says_oneself_is_read_in_all_browsers(visit: Visit, ann: Member, bo: Member) -> None:
    slug = ann.opens_direct(bo)
    ann.says(slug, "hello")
    desk = bo.comes(visit)
    expect(unread(desk, ann.handle)).to_have_text("1 new message")
    bo.says(slug, "hello yourself")
    expect_read(desk, ann.handle)


def test_nothing_is_read_while_the_window_is_behind_another(visit: Visit, ann: Member, bo: Member) -> None:
    slug = ann.opens_direct(bo)
    page = bo.comes(visit, slug)
    page.page.clock.install()
    page.page.evaluate(BLUR, False)
    ann.says(slug, "are you there?")
    page.expect_said("are you there?")
    expect(page.page).to_have_title(f"(1) {ann.handle} · Chatter")
    page.waits(5_000)
    bo.expect_unread(slug, 1)
    page.page.evaluate(BLUR, True)
    expect(page.page.locator(".new + .message")).to_contain_text("are you there?")
    page.waits(1_000)
    bo.expect_unread(slug, 0)
    expect(page.page.locator(".new")).to_have_count(1)


def test_nothing_is_read_while_one_reads_further_up(visit: Visit, ann: Member, bo: Member) -> None:
    slug = ann.opens_direct(bo)
    ann.says(slug, *(f"line {number}" for number in range(30)))
    page = bo.comes(visit, slug, viewport={"width": 1200, "height": 500})
    bo.expect_unread(slug, 0)
    page.page.clock.install()
    page.conversation.evaluate("view => view.scrollTop = 0")
    expect(page.message("line 1")).to_be_in_viewport()
    ann.says(slug, "news")
    expect(page.pill).to_contain_text("1 new message")
    page.waits(5_000)
    bo.expect_unread(slug, 1)
    page.pill.click()
    expect(page.message("news")).to_be_in_viewport()
    page.waits(1_000)
    bo.expect_unread(slug, 0)


def test_what_was_read_without_a_connection_is_said_when_there_is_one(
    visit: Visit, ann: Member, bo: Member, outage: None
) -> None:
    slug = ann.opens_direct(bo)
    page = bo.comes(visit, slug)
    expect(page.room(ann.handle)).to_be_visible()
    page.page.evaluate(BLUR, False)
    ann.says(slug, "hello")
    page.expect_said("hello")
    page.loses_network()
    page.page.evaluate(BLUR, True)
    page.waits(3_000)
    bo.expect_unread(slug, 1)
    page.finds_network()
    bo.expect_unread(slug, 0)


def test_the_line_stands_above_what_is_new_and_a_button_leads_there(visit: Visit, ann: Member, bo: Member) -> None:
    slug = ann.makes_room("Den", bo)
    ann.says(slug, "seen")
    page = bo.comes(visit, slug)
    expect(page.room("Den")).to_be_visible()
    expect(page.page.locator(".new + .message")).to_contain_text("seen")
    bo.expect_unread(slug, 0)
    page.goes_to("lobby")
    ann.says(slug, *(f"line {number}" for number in range(120)))
    page.room("Den").click()
    expect(page.texts.last).to_have_text("line 119")
    page.button("First new message").click()
    expect(page.page.locator(".new + .message")).to_contain_text("line 0")
    expect(page.message("line 0")).to_be_in_viewport()
    expect(page.button("First new message")).to_have_count(0)


def test_the_line_stands_anew_each_time_one_comes_to_a_room(visit: Visit, ann: Member, bo: Member) -> None:
    slug = ann.makes_room("Den", bo)
    ann.says(slug, "seen")
    page = bo.comes(visit, slug)
    expect(page.page.locator(".new + .message")).to_contain_text("seen")
    bo.expect_unread(slug, 0)
    page.room("lobby").click()  # which is nobody's
    ann.says(slug, *(f"line {number}" for number in range(60)))
    expect(page.room("Den").locator(".unread.dot")).to_be_visible()
    page.room("Den").click()
    expect(page.texts.last).to_have_text("line 59")
    page.button("First new message").click()
    expect(page.page.locator(".new + .message")).to_contain_text("line 0")
    page.conversation.press("End")
    bo.expect_unread(slug, 0)
    expect(page.page.locator(".new + .message")).to_contain_text("line 0")
    page.room("lobby").click()
    page.room("Den").click()
    expect(page.texts.last).to_have_text("line 59")
    expect(page.page.locator(".new")).to_have_count(0)


def test_a_button_leads_to_the_first_new_message_however_slowly_they_come(
    visit: Visit, ann: Member, bo: Member
) -> None:
    slug = ann.opens_direct(bo)
    ann.says(slug, "seen")
    page = bo.comes(visit)
    page.page.add_init_script(ONE_A_FRAME)
    page.reloads()
    page.room(ann.handle).click()
    bo.expect_unread(slug, 0)
    page.room("lobby").click()
    ann.says(slug, *(f"line {number}" for number in range(40)))
    expect(unread(page, ann.handle)).to_be_visible()
    page.room(ann.handle).click()
    expect(page.texts.last).to_have_text("line 39")
    page.button("First new message").click()
    expect(page.message("line 0")).to_be_in_viewport()


def test_a_message_is_made_unread_and_stays_so_until_one_comes_again(visit: Visit, ann: Member, bo: Member) -> None:
    slug = ann.opens_direct(bo)
    ann.says(slug, "one", "two", "three")
    page, other = bo.comes(visit, slug), bo.comes(visit, slug, viewport={"width": 1200, "height": 700})
    bo.expect_unread(slug, 0)
    for each in (page, other):
        expect_read(each, ann.handle)
        each.page.clock.install()
    page.message("two").hover()
    page.toolbar.get_by_role("button", name="Mark unread from here").click()
    expect(page.toast).to_have_text("Unread from here on")
    bo.expect_unread(slug, 2)
    for each in (page, other):
        expect(each.page.locator(".new + .message")).to_contain_text("two")
        each.waits(5_000)
    ann.says(slug, "four")
    for each in (page, other):
        each.expect_said("one", "two", "three", "four")
        each.waits(5_000)
    bo.expect_unread(slug, 3)
    page.room("lobby").click()
    expect(unread(page, ann.handle)).to_have_text("3 new messages")
    page.room(ann.handle).click()
    page.expect_said("one", "two", "three", "four")
    page.waits(1_500)
    bo.expect_unread(slug, 0)


def test_everything_is_marked_as_read_by_the_menu_and_by_keys(visit: Visit, ann: Member, bo: Member) -> None:
    slug, direct = ann.makes_room("Den", bo), ann.opens_direct(bo)
    page = bo.comes(visit)
    for keys in ("", "Shift+Escape"):
        ann.says(slug, "one")
        ann.says(direct, "two")
        for title in ("Den", ann.handle):
            expect(unread(page, title)).to_be_visible()
        if keys:
            page.page.keyboard.press(keys)
        else:
            opens_me_menu(page).get_by_role("menuitem", name="Mark all as read").click()
        for title in ("Den", ann.handle):
            expect_read(page, title)
        for room in (slug, direct):
            bo.expect_unread(room, 0)


def test_the_menu_opens_as_soon_as_it_is_loaded(visit: Visit, ann: Member) -> None:
    page = ann.comes(visit)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.page.route("**/assets/members-only-*.js", hold)
    page.reloads()
    page.button("Your account").click()
    wait_until(lambda: page.page.evaluate("true") and bool(held))
    held[0].continue_()
    expect(page.page.get_by_role("menuitem", name="Mark all as read")).to_be_visible()


def test_levels_say_what_a_row_shows(visit: Visit, ann: Member, bo: Member) -> None:
    slug = ann.makes_room("Den", bo)
    page, other = bo.comes(visit), bo.comes(visit, viewport={"width": 1200, "height": 700})
    ann.says(slug, "one", "two")
    expect(page.room("Den").locator(".unread.dot")).to_be_visible()
    ann.says(slug, f"hello @{bo.handle}")
    expect(page.room("Den").locator(".mentions")).to_have_text("@1 mention")
    options(page, "Den").get_by_role("menuitemradio", name="Notify about everything").click()
    for each in (page, other):
        expect(unread(each, "Den")).to_have_text("3 new messages")
    options(page, "Den").get_by_role("menuitemradio", name="Mute for ever").click()
    for each in (page, other):
        expect(each.room("Den")).to_have_text("Denmuted")
    options(page, "Den").get_by_role("menuitem", name="Mark as read").click()
    options(page, "Den").get_by_role("menuitemradio", name="Notify about mentions").click()
    for each in (page, other):
        expect(each.room("Den")).to_have_text("Den")


def test_a_room_is_muted_for_a_while(visit: Visit, ann: Member, bo: Member) -> None:
    slug = ann.makes_room("Den", bo)
    page = bo.comes(visit)
    page.page.clock.install()
    options(page, "Den").get_by_role("menuitemradio", name="Mute for 1 hour").click()
    expect(page.room("Den")).to_have_text("Denmuted")
    expect(options(page, "Den").get_by_role("menuitemradio", checked=True)).to_contain_text("Muted until")
    page.page.keyboard.press("Escape")
    ann.says(slug, "hello")
    page.waits(61 * 60_000)
    expect(page.room("Den")).to_have_text("Dennew messages")


def test_notifications_obey_the_levels_keep_spoilers_and_go_when_the_message_is_read_elsewhere(
    visit: Visit, ann: Member, bo: Member
) -> None:
    slug, direct = ann.makes_room("Den", bo), ann.opens_direct(bo)
    other = bo.comes(visit, viewport={"width": 1200, "height": 700})
    page = bo.comes(visit)
    page.page.context.add_init_script(NOTIFICATION)
    page.reloads()
    page.expect_connected()
    opens_me_menu(page).get_by_role("menuitemcheckbox", name="Desktop notifications").click()
    ann.says(slug, "said to nobody")
    expect(unread(page, "Den")).to_be_visible()  # so the list has come anew: what follows is news
    ann.says(slug, f"hello @{bo.handle}")
    wait_until(lambda: bool(page.page.evaluate("notified.length === 1")))
    ann.says(direct, f"just **you** ||{'secret ' * 20}||")
    wait_until(lambda: bool(page.page.evaluate("notified.length === 2")))
    assert page.page.evaluate("notified") == [
        [f"{ann.handle} in Den", f"hello @{bo.handle}"],
        [ann.handle, "just you ▒▒▒▒▒"],
    ]
    other.room(ann.handle).click()
    wait_until(lambda: bool(page.page.evaluate("notified.length === 3")))
    assert page.page.evaluate("notified")[-1] == ["closed", "just you ▒▒▒▒▒"]
    ann.says(slug, f"again @{bo.handle}")
    wait_until(lambda: bool(page.page.evaluate("notified.at(-1)[1].startsWith('again')")))
    page.page.evaluate("last.onclick()")
    expect(page.room("Den")).to_have_attribute("aria-current", "page")
