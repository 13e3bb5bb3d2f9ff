"""axe finds nothing serious in any state of the page, neither in the light nor in the dark.

Which states are checked here and elsewhere:

| state | light and dark | forced colours | phone |
|---|---|---|---|
| a conversation: empty, busy, at a linked message | here | here (its text), `test_contrast` | here |
| the sidebar with all its marks, its menus | here, `test_memberships` | `test_contrast` | here |
| offline, not sent, a notice | here | | |
| the people, the members | here | | `test_room_looks` |
| a thread, the pinned messages | here | here | here |
| the toolbar, the sheet, a reply, an edit, the question before a deletion | here | | here (the sheet) |
| the emoji to pick from and to complete | here, `test_emoji_completion` | | here |
| finding rooms and people, the keys | here | here | |
| the name of a guest, at first and another | here | here (another) | here (another) |
| signing in and up, the account | `test_account`, `test_passkeys` | the same | the same |
| the dialogs of a room: create, settings, links, invite, leave, remove | `test_room_looks` | the same | the same |
| why one cannot write: archived, muted, slow mode, removed | `test_not_writing`, `test_owned_rooms` (light) | | |
| the page of an error | `test_contrast` | | |
"""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.client.axe import DARK, FORCED, GRAVE, LIGHT, Look, violations, violations_in
from tests.client.conftest import SAVING_MS, SayInVain, Speaks, Visit
from tests.client.person import PHONE, Person
from tests.client.rows import prepare
from tests.client.test_message_tools import rests_a_finger_on
from tests.support.database import refusing
from tests.support.server import Server

pytestmark = pytest.mark.browser


BUSY = [
    "plain words",
    "a link: https://example.org/with/a/long/path?and=query",
    "some `code` in the line",
    "```\ndef hello():\n    return 'a block of code'\n```",
    "longer " * 60,
    "🙂 👍",
    "<b>not bold</b>",
    "word" * 60,
    "**bold** ~~no~~ ||a spoiler with https://example.org||\n\n> a quote\n\n- a list\n- of [two.example](https://example.org)",
    "```js\nclass A { // so\n  b = c('d', 1, true) ?? null;\n}\n```",
    "\n".join(["many lines"] * 30),
    ":tada:",
]


@pytest.fixture
def busy_room(server: Server, room: str) -> str:
    """Prepares a room where several people wrote all kinds of things."""
    prepare(server.database, room, BUSY * 2)
    return room


DANGLING = """() => {
  const names = ["aria-controls", "aria-describedby", "aria-labelledby", "aria-activedescendant", "for"];
  const idsOf = element => names.flatMap(name => (element.getAttribute(name) ?? "").split(" ").filter(Boolean));
  return [...document.querySelectorAll("*")].flatMap(idsOf).filter(id => !document.getElementById(id));
}"""


def expect_no_grave_violations(page: Page, *looks: Look) -> None:
    """Checks both schemes, or some looks."""
    assert violations_in(page, *(looks or (LIGHT, DARK)), impacts=GRAVE) == []


def test_the_question_for_a_name(visit: Visit) -> None:
    newcomer = visit()
    newcomer.takes_name("  ")
    expect(newcomer.name_dialog.get_by_role("alert")).not_to_be_empty()
    expect_no_grave_violations(newcomer.page)


@pytest.mark.parametrize("seq", [5, 900])
def test_a_message_that_a_link_leads_to(visit: Visit, server: Server, room: str, seq: int) -> None:
    prepare(
        server.database, room, ["plain words"] * 3 + ["\n".join(BUSY)] * 4 + ["plain words"] * 40 + ["\n".join(BUSY)]
    )
    ann = visit("ann", f"{room}/{seq}")
    expect(ann.page.locator(".message.target")).to_be_in_viewport()
    expect_no_grave_violations(ann.page)


def test_an_empty_room(ann: Person) -> None:
    expect(ann.page.get_by_role("heading", name="It is quiet")).to_be_visible()
    expect_no_grave_violations(ann.page)


def test_a_busy_room_and_its_people(visit: Visit, speaks: Speaks, busy_room: str) -> None:
    bo, ann = speaks("bo"), visit("ann")
    expect(ann.texts).to_have_count(2 * len(BUSY))
    ann.says("and this is mine")
    ann.expect_acknowledged()
    bo.types()
    expect(ann.typing).to_have_text("bo is typing…")
    expect_no_grave_violations(ann.page)
    expect(ann.people).to_be_visible()


def test_the_people_where_there_is_no_column_for_them(visit: Visit, busy_room: str) -> None:
    ann = visit("ann", viewport={"width": 1024, "height": 768})
    expect(ann.texts).to_have_count(2 * len(BUSY))
    ann.people_button.click()
    expect(ann.people_dialog.get_by_role("listitem")).to_have_count(1)
    expect_no_grave_violations(ann.page)


def test_rooms_with_all_their_marks_and_the_menu_of_one(visit: Visit, room: str) -> None:
    listed = {"name": f"{room}-other", "seq": 9, "last_message_at": None, "people": 0}
    ann = visit("ann")
    ann.page.route("**/api/rooms", lambda route: route.fulfill(json={"rooms": [listed, {**listed, "name": room}]}))
    ann.page.evaluate("room => localStorage.setItem(`chatter:draft:${room}`, 'half a')", listed["name"])
    seen, kept = [[listed["name"], {"seq": 1, "epoch": 1}]], {"pinned": [listed["name"]], "muted": ["lobby"]}
    ann.page.evaluate(
        "([seen, rooms]) => Object.assign(localStorage, {'chatter:seen': seen, 'chatter:rooms': rooms})",
        [json.dumps(seen), json.dumps(kept)],
    )
    ann.reloads()
    expect(ann.room(f"{room}-other").locator(".unread")).to_have_text("8 new messages")
    expect(ann.room(f"{room}-other")).to_contain_text("draft")
    expect_no_grave_violations(ann.page)
    ann.room(f"{room}-other").click(button="right")
    expect(ann.page.get_by_role("menuitemcheckbox", name="Mute")).to_be_focused()
    assert violations_in(ann.page, LIGHT, DARK) == []


def test_the_dialogs_of_rooms_and_of_keys(ann: Person) -> None:
    ann.searches("l")
    expect(ann.palette.get_by_role("option")).not_to_have_count(0)
    expect_no_grave_violations(ann.page)
    ann.page.keyboard.press("Escape")
    ann.page.keyboard.press("Escape")
    ann.page.keyboard.press("?")
    expect(ann.page.get_by_role("dialog", name="Keys")).to_be_visible()
    expect_no_grave_violations(ann.page, LIGHT, DARK, FORCED)


EVERYWHERE = pytest.mark.parametrize(("options", "looks"), [({}, (LIGHT, DARK, FORCED)), (PHONE, (LIGHT, DARK))])


@EVERYWHERE
def test_the_dialog_for_another_name(visit: Visit, options: dict[str, Any], looks: tuple[Look, ...]) -> None:
    ann = visit("ann", **options)
    if "is_mobile" in options:
        ann.button("Rooms").click()
    ann.button("Change name").click()
    dialog = ann.page.get_by_role("dialog", name="Change your name")
    dialog.get_by_role("textbox").fill(" ")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).not_to_be_empty()
    expect_no_grave_violations(ann.page, *looks)


@EVERYWHERE
def test_a_thread_and_the_pinned_messages(
    visit: Visit, speaks: Speaks, options: dict[str, Any], looks: tuple[Look, ...]
) -> None:
    bo = speaks("bo")
    bo.says("root")
    bo.pins("root")
    bo.replies("root", "`code`, a ||spoiler|| and https://example.org")
    ann = visit("ann", **options)
    ann.button("1 reply").click()
    expect(ann.page.get_by_role("heading", name="Thread 1")).to_be_visible()
    expect(ann.page.get_by_role("region", name="Replies").locator(".text")).to_have_count(2)
    expect_no_grave_violations(ann.page, *looks)
    ann.button("Close panel").click()
    ann.pins_button.click()
    expect(ann.page.get_by_role("heading", name="Pinned 1")).to_be_visible()
    expect_no_grave_violations(ann.page, *looks)


def test_what_names_or_describes_an_element_is_there(visit: Visit) -> None:
    newcomer, phone, ann = visit(), visit("bo", **PHONE), visit("ann")
    for person in (newcomer, phone, ann):
        expect(person.composer).to_be_visible()
        assert person.page.evaluate(DANGLING) == []
    ann.searches("!?")
    expect(ann.palette.get_by_role("status")).to_contain_text("Nothing found")
    assert ann.page.evaluate(DANGLING) == []


def test_what_can_be_done_with_a_message(visit: Visit, busy_room: str) -> None:
    ann = visit("ann")
    ann.message("plain words").last.hover()
    expect(ann.toolbar).to_be_visible()
    expect_no_grave_violations(ann.page)
    ann.conversation.focus()
    ann.page.keyboard.press("ArrowUp")
    expect(ann.toolbar.locator("time")).to_be_visible()
    expect_no_grave_violations(ann.page)


def test_a_reply_an_edit_and_the_question_before_a_deletion(ann: Person) -> None:
    ann.says("hello")
    ann.expect_said("hello")
    ann.message("hello").hover()
    ann.button("Reply").click()
    expect(ann.strip).to_contain_text("Replying to")
    expect_no_grave_violations(ann.page)
    ann.page.keyboard.press("Escape")
    ann.page.keyboard.press("ArrowUp")
    expect(ann.strip).to_contain_text("Editing")
    expect_no_grave_violations(ann.page)
    ann.page.keyboard.press("Escape")
    ann.message("hello").hover()
    ann.button("Delete").click()
    expect(ann.page.get_by_role("alertdialog")).to_be_visible()
    expect_no_grave_violations(ann.page)


def test_the_sheet_of_a_message_on_a_phone(visit: Visit) -> None:
    ann = visit("ann", **PHONE)
    ann.says("hello")
    ann.expect_said("hello")
    rests_a_finger_on(ann, "hello")
    expect_no_grave_violations(ann.page)


def test_the_text_of_messages_in_forced_colours(visit: Visit, busy_room: str) -> None:
    ann = visit("ann", forced_colors="active")
    expect(ann.page.locator(".token").first).to_be_visible()
    ann.button("Show spoiler").first.click()
    ann.button("Show all").first.click()
    expect_no_grave_violations(ann.page)


def test_the_emoji_to_pick_from(ann: Person) -> None:
    ann.button("Emoji").click()
    expect(ann.button("grinning face")).to_be_visible()
    expect_no_grave_violations(ann.page)


def test_the_headings_of_the_emoji_on_a_phone_follow_that_of_the_room(visit: Visit) -> None:
    ann = visit("ann", **PHONE)
    ann.says("hello")  # an empty room has another heading
    ann.expect_said("hello")
    ann.button("Emoji").tap()
    expect(ann.button("grinning face")).to_be_visible()
    assert violations(ann.page) == []


def test_a_drawer_and_the_room_behind_it_on_a_phone(visit: Visit, busy_room: str) -> None:
    ann = visit("ann", **PHONE)
    expect(ann.texts).to_have_count(2 * len(BUSY))
    expect_no_grave_violations(ann.page)
    ann.button("Rooms").click()
    expect(ann.button("Close rooms")).to_be_focused()
    expect_no_grave_violations(ann.page)


@pytest.mark.usefixtures("outage")
def test_a_message_that_waits_and_the_banner_above_it(ann: Person) -> None:
    ann.loses_network()
    ann.says("hello")
    expect(ann.message("hello").get_by_role("button", name="discard")).to_be_visible()
    expect(ann.banner).to_contain_text("You are offline")
    expect_no_grave_violations(ann.page, LIGHT, DARK, FORCED)


def test_a_message_that_was_not_sent(ann: Person, says_in_vain: SayInVain) -> None:
    with says_in_vain(ann, "hello"):
        expect_no_grave_violations(ann.page)


@pytest.mark.usefixtures("outage")
def test_a_notice(ann: Person, server: Server) -> None:
    ann.page.clock.install()
    with refusing(server.database_url):
        ann.says("hello")
        expect(ann.message("hello")).to_contain_text("saving…")
        ann.waits(SAVING_MS)
        expect(ann.notices).to_contain_text("Saving is behind")
        expect_no_grave_violations(ann.page)
    expect(ann.message("hello")).not_to_contain_text("saving…")  # so the next test meets a server that is well


def test_axe_finds_what_is_wrong(ann: Person) -> None:
    """Checks that the tests above can fail."""
    ann.composer.evaluate("composer => composer.parentElement.querySelector('label').remove()")
    ann.composer.evaluate("composer => composer.removeAttribute('placeholder')")
    ann.room("lobby").evaluate("room => { room.style.color = 'color-mix(in srgb, CanvasText 20%, Canvas)'; }")
    found = {(look["color_scheme"], fault.rule) for look, fault in violations_in(ann.page, LIGHT, DARK, impacts=GRAVE)}
    assert found >= {("light", "label-title-only"), ("light", "color-contrast"), ("dark", "color-contrast")}
