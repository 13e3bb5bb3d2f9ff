"""The list of one's rooms on the page, and the people in it."""

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.client.axe import DARK, GRAVE, LIGHT, violations_in
from tests.client.conftest import Visit
from tests.client.little_storage import FULL, WITHOUT_STORAGE
from tests.client.my_rooms.members import Member, expect_list
from tests.client.my_rooms.parts import expect_read, kept, options, unread
from tests.client.person import PHONE, Person
from tests.support.server import wait_until

pytestmark = pytest.mark.browser

GAP_BEFORE_TEXT = """name => {
  const text = document.createRange();
  text.selectNodeContents(name);
  return text.getBoundingClientRect().left - name.getBoundingClientRect().left;
}"""


def section(person: Person, title: str) -> Locator:
    return person.rooms.get_by_role("region", name=title, exact=True)


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


@pytest.mark.usefixtures("outage")
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
    page.room("Attic").click()
    page.loses_network()
    page.says("on the way")
    mark = "1 waiting to be sent"
    expect(page.page.get_by_role("link", name=f"Attic {mark}")).to_be_visible()
    page.room("lobby").click()
    expect(private.get_by_role("button", name=f"1 hidden in Private rooms {mark}")).to_be_visible()
    page.finds_network()
    expect(private.locator(".unsent-mark")).to_have_count(0)
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
    # The server shares an answer for a second: that of before has no such title.
    wait_until(lambda: title in [room.get("title") for room in bo.asks("GET", "/api/rooms")["rooms"]])
    page = bo.comes(visit, slug)
    page.room("lobby").click()
    page.reloads()
    expect(page.room(title)).to_be_visible()
    ann.says(slug, "news")

    def has_asked_again() -> bool:
        with page.page.expect_response("**/api/rooms"):
            page.looks_back()
        return unread(page, title).count() == 1

    wait_until(has_asked_again)
    expect(unread(page, title)).to_have_text("1 new message")


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
