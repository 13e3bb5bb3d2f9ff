"""Two people talk."""

import json
import re

import pytest
from playwright.sync_api import WebSocketRoute, expect

from tests.client.conftest import Freeze, Speaks, Visit
from tests.client.person import Person
from tests.support.server import Server

pytestmark = pytest.mark.browser

NOTE_PENDING_HEIGHTS = """() => {
  window.heights = [];
  const note = () => {
    for (const pending of document.querySelectorAll(".message[data-state=pending]")) heights.push(pending.offsetHeight);
  };
  new MutationObserver(note).observe(document.body, { childList: true, subtree: true });
}"""


def test_a_first_visit_asks_for_a_name_and_remembers_it(visit: Visit, room: str) -> None:
    newcomer = visit()
    expect(newcomer.name_dialog.get_by_role("heading")).to_have_text(f"Welcome to #{room}")
    expect(newcomer.name_dialog.get_by_role("textbox")).to_be_focused()
    newcomer.takes_name("  Cleo   Ray ")
    newcomer.expect_connected()
    expect(newcomer.name_dialog).to_be_hidden()
    newcomer.says("hello")
    expect(newcomer.message("hello").locator(".author")).to_have_text("Cleo Ray")
    newcomer.reloads()
    newcomer.expect_connected()
    expect(newcomer.name_dialog).to_be_hidden()
    newcomer.expect_said("hello")


@pytest.mark.parametrize("name", ["   ", "n" * 65], ids=["blank", "too long"])
def test_a_name_that_cannot_be_is_not_taken(visit: Visit, name: str) -> None:
    newcomer = visit()
    newcomer.takes_name(name)
    expect(newcomer.name_dialog.get_by_role("alert")).not_to_be_empty()
    newcomer.name_dialog.get_by_role("textbox").fill("n" * 64)
    newcomer.button("Start chatting").click()
    newcomer.expect_connected()


def test_two_people_hear_each_other_in_groups_by_author(ann: Person, bo: Person) -> None:
    ann.says("hello", "is somebody here?")
    bo.expect_said("hello", "is somebody here?")
    bo.says("yes")
    for person in (ann, bo):
        person.expect_said("hello", "is somebody here?", "yes")
        expect(person.groups.locator(".author")).to_have_text(["ann", "bo"])
        expect(person.page.locator(".day")).to_have_text("Today")
    expect(ann.message("hello").locator("time")).to_have_attribute("title", re.compile(r"\d{4} at \d\d:\d\d:\d\d$"))
    expect(ann.groups.locator(".you")).to_have_count(1)


def test_what_one_says_is_pending_until_the_server_has_it(ann: Person, frozen: Freeze) -> None:
    with frozen():
        ann.says("hello")
        expect(ann.page.get_by_role("group", name="Not sent yet")).to_have_text(re.compile("hello"))
        expect(ann.message("hello")).to_have_attribute("data-state", "pending")
        expect(ann.composer).to_be_empty()
    expect(ann.message("hello")).to_have_attribute("data-state", "said")
    ann.expect_said("hello")


def test_one_sees_who_is_typing_until_it_is_said(ann: Person, bo: Person) -> None:
    bo.composer.press_sequentially("hi")
    expect(ann.typing).to_have_text("bo is typing…")
    expect(bo.typing).to_be_empty()
    bo.composer.press("Enter")
    ann.expect_said("hi")
    expect(ann.typing).to_be_empty()


def test_one_sees_who_is_here_and_who_leaves(ann: Person, speaks: Speaks) -> None:
    here = ann.people.get_by_role("listitem")
    expect(ann.people_button).to_have_accessible_name("1 person here")
    bo, bo_again = speaks("bo"), speaks("bo")
    expect(ann.people_button).to_have_accessible_name("2 people here")
    expect(here.locator(".name")).to_have_text(["ann", "bo"])
    expect(here.filter(has_text="bo")).to_contain_text("2 windows")
    for person in (bo, bo_again):
        person.leaves()
    expect(here.locator(".name")).to_have_text(["ann"])


def test_of_a_crowd_one_sees_some_and_how_many_there_are(visit: Visit, speaks: Speaks, room: str) -> None:
    def crowd(route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def pass_on(text: str | bytes) -> None:
            route.send(text)
            _join_ref, _ref, topic, event, _payload = json.loads(text)
            if event == "presence_state":
                route.send(json.dumps([None, None, topic, "presence_count", {"people": 1384}]))

        server.on_message(pass_on)

    speaks("ann")
    bo = visit("bo", f"{room}-garden")
    bo.page.route_web_socket("**/socket/**", crowd)
    bo.goes_to(room)
    expect(bo.people_button).to_have_accessible_name("1,384 people here")
    here = bo.people
    expect(here.get_by_role("heading")).to_have_text("Here now 1,384")
    expect(here.get_by_role("listitem")).to_contain_text(["bo", "ann", "and 1,382 others"])


def test_a_person_can_change_their_name(ann: Person, bo: Person) -> None:
    bo.says("I am bo")
    bo.button("Change name").click()
    expect(bo.name_dialog.get_by_role("heading")).to_have_text("Change your name")
    expect(bo.name_dialog.get_by_role("textbox")).to_have_value("bo")
    bo.name_dialog.get_by_role("textbox").fill("bob")
    bo.button("Save").click()
    expect(ann.people.locator("li .name")).to_have_text(["ann", "bob"])
    bo.expect_connected()
    bo.says("now I am bob")
    ann.expect_said("I am bo", "now I am bob")
    expect(ann.groups.locator(".author")).to_have_text(["bo", "bob"])


def test_a_link_can_be_clicked(speaks: Speaks, bo: Person, server: Server) -> None:
    address = f"{server.url}/rooms/garden"
    speaks("ann").says(f"come to {address}, it is nice")
    link = bo.texts.get_by_role("link")
    expect(link).to_have_text(address)
    with bo.page.context.expect_page() as opened:
        link.click(modifiers=["Control"])
    expect(opened.value).to_have_url(address)
    expect(opened.value.get_by_role("heading", name="garden", exact=True)).to_be_visible()
    assert opened.value.evaluate("window.opener") is None
    link.click()  # this page goes there too
    expect(bo.page).to_have_url(address)


def test_text_is_never_markup(speaks: Speaks, bo: Person) -> None:
    texts = ["<b>bold</b>", "<img src=x onerror=alert(1)>", "&lt;i&gt;", "<script>alert(1)</script>"]
    speaks("ann").says(*texts)
    bo.expect_said(*texts)
    assert bo.texts.locator("*").count() == 0


def test_what_one_says_moves_what_is_above_it_once(ann: Person) -> None:
    ann.page.evaluate(NOTE_PENDING_HEIGHTS)
    ann.says("hello")
    ann.expect_said("hello")
    height = ann.message("hello").evaluate("message => message.offsetHeight")
    assert ann.page.evaluate("window.heights[0]") == height
