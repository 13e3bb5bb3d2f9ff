"""One's own rooms: the list of somebody with an account is pushed, in sections, with what is new in each."""

import json
import re

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.client.axe import DARK, GRAVE, LIGHT, violations_in
from tests.client.conftest import Visit
from tests.client.my_rooms.members import Member, expect_list
from tests.client.person import PHONE, Person
from tests.client.test_words import WITHOUT_STORAGE
from tests.client.watch import Watch
from tests.support.server import wait_until

pytestmark = pytest.mark.browser

# As the browser does that has no space for this, and a little for what is shorter or comes later.
FULL = """{
  const { setItem } = Storage.prototype;
  Storage.prototype.setItem = function (key, value) {
    if (key === "chatter:account") throw new DOMException("full", "QuotaExceededError");
    setItem.call(this, key, value);
  };
}"""

BLUR = "isFocused => { document.hasFocus = () => isFocused; dispatchEvent(new Event(isFocused ? 'focus' : 'blur')); }"

GAP_BEFORE_TEXT = """name => {
  const text = document.createRange();
  text.selectNodeContents(name);
  return text.getBoundingClientRect().left - name.getBoundingClientRect().left;
}"""


def section(person: Person, title: str) -> Locator:
    return person.rooms.get_by_role("region", name=title, exact=True)


def unread(person: Person, title: str) -> Locator:
    return person.room(title).locator(".unread")


def expect_read(person: Person, title: str) -> None:
    """Waits until nothing is new in a room of the list, which says so once it has come."""
    expect(person.room(title)).to_be_visible()
    expect(unread(person, title)).to_have_count(0)


def options(person: Person, title: str) -> Locator:
    """Opens the menu of a room."""
    person.room(title).click(button="right")
    return person.page.get_by_role("menu", name=title)


def opens_me_menu(person: Person) -> Locator:
    person.button("Your account").click()
    return person.page.get_by_role("menu", name="Your account")


# ---- The list


def test_rooms_stand_in_sections_and_a_new_one_is_there_without_asking(visit: Visit, ann: Member, bo: Member) -> None:
    ann.makes_room("Den", bo)
    page = bo.comes(visit)
    expect(section(page, "Private rooms").locator(".room")).to_have_text("Den")
    asked: list[str] = []
    page.page.on("request", lambda request: asked.append(request.url))
    ann.opens_direct(bo)
    expect(section(page, "Direct messages").locator(".room .name")).to_have_text(ann.handle)
    ann.makes_room("", bo, kind="group")
    expect(section(page, "Groups").locator(".room .name")).to_have_text(ann.handle)
    assert [url for url in asked if "/socket/" not in url] == []  # a page polls where a websocket opens too late


def test_a_title_from_right_to_left_stands_beside_its_icon(visit: Visit, ann: Member) -> None:
    page = ann.comes(visit, ann.makes_room("מים"))
    name = page.room("מים").locator(".name")
    expect(name).to_be_visible()
    assert name.evaluate(GAP_BEFORE_TEXT) < 2


def test_rooms_with_something_new_stand_first_and_hidden_ones_are_folded(visit: Visit, ann: Member, bo: Member) -> None:
    slugs = [ann.makes_room(title, bo) for title in ("Attic", "Barn", "Cellar")]
    page = bo.comes(visit)
    private = section(page, "Private rooms")
    expect(private.locator(".room")).to_have_count(3)
    page.composer.hover()
    ann.says(slugs[2], "hello")
    expect(private.locator(".room").first).to_contain_text("Cellar")
    options(page, "Attic").get_by_role("menuitemcheckbox", name="Hide").click()
    expect(private.locator(".room")).to_have_count(2)
    fold = private.get_by_role("button", name="1 hidden")
    fold.click()
    expect(private.get_by_role("list", name="Hidden in Private rooms")).to_contain_text("Attic")
    page.reloads()
    expect(fold).to_have_attribute("aria-expanded", "false")
    fold.press("Enter")
    options(page, "Attic").get_by_role("menuitemcheckbox", name="Hide").click()
    expect(private.locator(".room")).to_have_count(3)


@pytest.mark.usefixtures("outage")
def test_the_list_is_there_at_the_next_visit_without_the_server(visit: Visit, ann: Member, bo: Member) -> None:
    slug = ann.makes_room("Den", bo)
    page = bo.comes(visit)
    expect(page.room("Den")).to_be_visible()
    expect_list(page)
    page.page.route("**/socket/**", lambda route: route.abort())
    page.page.route_web_socket("**/socket/**", lambda socket: socket.close())
    page.reloads()
    expect(page.room("Den")).to_have_attribute("href", f"/rooms/{slug}")


@pytest.mark.usefixtures("outage")
def test_the_list_is_there_where_the_browser_keeps_nothing(visit: Visit, ann: Member, bo: Member) -> None:
    slug = ann.makes_room("Den", bo)
    page = visit("", "lobby")
    page.takes_cookie_of(bo.session)
    page.page.context.add_init_script(WITHOUT_STORAGE)
    page.goes_to("lobby")
    expect(section(page, "Private rooms").locator(".room")).to_have_text("Den")
    ann.says(slug, f"hello @{bo.handle}")
    expect(page.room("Den").locator(".mentions")).to_have_text("@1 mention")
    page.room("Den").click()
    bo.expect_unread(slug, 0)
    page.room("lobby").click()
    expect_read(page, "Den")
    page.button("Create a room").click()
    expect(page.page.get_by_role("dialog", name="Create a room")).to_be_visible()


def test_nothing_of_an_account_is_kept_for_a_guest_where_the_browser_is_full(
    visit: Visit, ann: Member, bo: Member, outage: None
) -> None:
    slug = ann.makes_room("Den", bo)
    page = visit("", "lobby")
    page.takes_cookie_of(bo.session)
    page.page.context.add_init_script(FULL)
    page.page.clock.install()
    page.goes_to(slug)
    expect(page.room("Den")).to_be_visible()
    page.composer.fill("half a thought")
    page.waits(5_000)
    page.looks_away()
    assert kept(page, slug) == []
    assert kept(page, "Den") == []
    assert kept(page, "half a thought") == []


@pytest.mark.usefixtures("outage", "refusals")
def test_who_is_signed_out_elsewhere_is_told_where_the_browser_keeps_nothing(visit: Visit, ann: Member) -> None:
    slug = ann.makes_room("Den")
    page = visit("", "lobby")
    page.takes_cookie_of(ann.session)
    page.page.context.add_init_script(WITHOUT_STORAGE)
    page.goes_to(slug)
    expect(page.room("Den")).to_be_visible()
    ann.session.send("DELETE", "/api/sessions/current").close()
    expect(page.page.locator(".me .sign-in-button")).to_be_visible()
    expect(page.room("Den")).to_have_count(0)


def test_a_public_room_that_was_quiet_when_it_was_opened_stays_in_the_list(
    visit: Visit, ann: Member, bo: Member
) -> None:
    title = f"Plaza {ann.handle}"
    slug = ann.makes_room(title, kind="public")
    page = bo.comes(visit, slug)
    page.room("lobby").click()
    page.reloads()
    expect(page.room(title)).to_be_visible()
    ann.says(slug, "news")

    def has_asked_again() -> bool:  # the server shares an answer for a second
        with page.page.expect_response("**/api/rooms"):
            page.looks_back()
        return unread(page, title).count() == 1

    wait_until(has_asked_again)
    expect(unread(page, title)).to_have_text("1 new message")


# ---- What is new


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


# ---- What is noticed


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


# ---- People


def test_a_direct_message_is_opened_by_the_palette(visit: Visit, ann: Member, bo: Member, room: str) -> None:
    anns, bos = ann.comes(visit, room), bo.comes(visit, room)
    anns.searches(bo.handle)
    anns.palette.get_by_role("option", name=f"@{bo.handle}").click()
    expect(anns.room(bo.handle)).to_have_attribute("aria-current", "page")
    expect(anns.page.get_by_role("heading", name=f"Your conversation with {bo.handle}")).to_be_visible()
    anns.says("psst")
    anns.expect_said("psst")
    expect(anns.page.locator(".beginning")).to_have_text(f"Your conversation with {bo.handle} begins here.")
    expect(anns.page.locator(".room-notes")).to_have_count(0)
    expect(unread(bos, ann.handle)).to_have_text("1 new message")
    bos.searches(ann.handle)
    bos.page.keyboard.press("Enter")
    bos.expect_said("psst")
    expect(bos.room(ann.handle)).to_have_accessible_name(re.compile("here now"))
    bos.composer.press_sequentially("h")
    expect(anns.typing).to_contain_text(f"{bo.handle} is typing")


def test_somebody_is_found_by_the_whole_handle(visit: Visit, ann: Member, bo: Member, refusals: None) -> None:
    page = ann.comes(visit)
    page.searches("@nobody-at-all")
    page.page.keyboard.press("Enter")
    expect(page.toast).to_have_text("Nobody here is called @nobody-at-all")
    page.searches(f"@{bo.handle}")
    page.page.keyboard.press("Enter")
    expect(page.room(bo.handle)).to_have_attribute("aria-current", "page")


# ---- The end of it


def kept(person: Person, word: str) -> list[str]:
    """Returns where the browser keeps a word: keys and values of its storages and databases."""
    found: str = person.page.evaluate("""async () => {
        const entries = [...Object.entries(localStorage), ...Object.entries(sessionStorage)];
        for (const { name } of await indexedDB.databases()) {
          const opening = indexedDB.open(name);
          const database = await new Promise(resolve => (opening.onsuccess = () => resolve(opening.result)));
          for (const store of database.objectStoreNames) {
            const asking = database.transaction(store).objectStore(store).getAll();
            await new Promise(resolve => (asking.onsuccess = resolve));
            entries.push([name, JSON.stringify(asking.result)]);
          }
          database.close();
        }
        return JSON.stringify(entries);
    }""")
    return [key for key, value in json.loads(found) if word in key or word in value]


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
    ann.pushes(slug, "remove_member", handle=bo.handle, id="remove-1")
    page.page.context.set_offline(False)
    gone = page.page.get_by_role("region", name="Conversation")
    expect(gone).to_contain_text("You are no longer in this room")
    expect(gone.get_by_role("textbox")).to_have_value("said in vain\n\nmy half a thought")
    expect(gone).to_be_focused()
    expect(page.page.locator("body")).not_to_contain_text("a secret")
    expect(page.room("Den")).to_have_count(0)
    expect(page.composer).to_be_hidden()
    expect(page.page.locator(".bar button:visible")).to_have_count(0)  # that of the rooms is for narrow screens
    expect(other.page.locator(".removed-notices")).to_contain_text("You are no longer in Den.")
    expect(other.room("Den")).to_have_count(0)
    wait_until(lambda: all(":left:" in key for each in (page, other) for key in kept(each, slug)))
    page.reloads()
    expect(gone.get_by_role("textbox")).to_have_value("said in vain\n\nmy half a thought")
    gone.get_by_role("button", name="Go to #lobby").click()
    page.expect_connected()
    assert kept(page, slug) == []


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


def test_who_comes_back_has_their_words_again(visit: Visit, ann: Member, bo: Member) -> None:
    slug = ann.makes_room("Den", bo)
    page = bo.comes(visit, slug)
    expect_list(page)
    page.composer.press_sequentially("my half a thought")
    ann.pushes(slug, "remove_member", handle=bo.handle, id="remove-1")
    expect(page.composer).to_be_hidden()
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


# ---- For everybody


def test_the_list_with_all_its_marks_is_accessible(visit: Visit, ann: Member, bo: Member) -> None:
    slug, direct = ann.makes_room("Den", bo), ann.opens_direct(bo)
    hidden = ann.makes_room("Attic", bo)
    page = bo.comes(visit, slug)
    ann.says(direct, "one")
    ann.says(hidden, f"hello @{bo.handle}")
    options(page, "Attic").get_by_role("menuitemcheckbox", name="Hide").click()
    expect(page.rooms.get_by_role("button", name="1 hidden in Private rooms @1 mention new messages")).to_be_visible()
    assert violations_in(page.page, LIGHT, DARK) == []
    expect(options(page, "Den")).to_be_visible()
    assert violations_in(page.page, LIGHT, DARK, impacts=GRAVE) == []
    page.page.keyboard.press("Escape")
    ann.pushes(slug, "remove_member", handle=bo.handle, id="remove-1")
    expect(page.composer).to_be_hidden()
    assert violations_in(page.page, LIGHT, DARK) == []


def test_all_is_reached_with_a_thumb(visit: Visit, ann: Member, bo: Member) -> None:
    ann.makes_room("Den", bo)
    page = bo.comes(visit, **PHONE)
    page.button("Rooms").tap()
    page.room("Den").tap()
    expect(page.page.get_by_role("heading", level=1)).to_be_visible()
    page.button("Rooms").tap()
    page.rooms.get_by_role("button", name="Options for Den").tap()
    expect(page.page.get_by_role("menuitemradio", name="Mute for 8 hours")).to_be_in_viewport()
