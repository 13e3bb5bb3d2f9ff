"""What strangers write stays text: it is seen, or it is not sent, and it leads where it says."""

import pytest
from playwright.sync_api import expect

from tests.client.conftest import Visit
from tests.client.person import Person
from tests.support.server import Server
from tests.support.talker import Talker

pytestmark = pytest.mark.browser

UNSEEN = ["\u200b", "\u2800", "\u3164", "\u00ad", "\u202e", "\U000e0041", "\ufe0f", "\u0301"]


def test_a_message_that_nobody_could_see_is_not_sent(ann: Person) -> None:
    for text in UNSEEN:
        ann.composer.fill(text)
        expect(ann.button("Send")).to_have_attribute("aria-disabled", "true")
        ann.composer.press("Enter")
    ann.says("hello")
    ann.expect_said("hello")


def test_a_name_that_nobody_could_see_is_not_taken(visit: Visit) -> None:
    ann = visit()
    for name in UNSEEN:
        ann.takes_name(name)
        expect(ann.page.get_by_role("alert")).to_have_text("Please give a name.")
    ann.takes_name(" e\u0301lan \u200b of\u3000 Bo\u202e ")
    ann.expect_connected()
    ann.says("hello")
    expect(ann.groups.locator(".author")).to_have_text("élan of Bo")
    expect(ann.groups.locator(".you")).to_be_visible()


def test_a_name_kept_by_an_earlier_visit_is_brought_into_its_form(visit: Visit) -> None:
    ann = visit("ann\u200b")
    ann.says("hello")
    expect(ann.groups.locator(".you")).to_be_visible()


def test_names_with_joined_emoji_and_accents_are_shown_alike_by_all(visit: Visit) -> None:
    ann, bo = visit("👩\u200d💻 José"), visit("می\u200cخواهم")
    ann.says("hello")
    bo.expect_said("hello")
    bo.says("hello, too")
    for person in (ann, bo):
        expect(person.groups.locator(".author")).to_have_text(["👩\u200d💻 José", "می\u200cخواهم"])


def test_a_program_gets_the_name_that_all_others_see(ann: Person, room: str, server: Server) -> None:
    with Talker(server.port) as program:
        program.join(room)
        program.ask(room, "new_message", name=" bo\u202e  b\u200b ", message="hello")
    expect(ann.groups.locator(".author")).to_have_text("bo b")


def test_links_end_where_the_text_around_them_goes_on(ann: Person) -> None:
    ann.says("见 https://a.example/x。好, “www.b.example/it's”, bo@c.example!")
    ann.expect_acknowledged()
    links = ann.texts.get_by_role("link")
    expect(links).to_have_text(["https://a.example/x", "www.b.example/it's", "bo@c.example"])
    assert [link.get_attribute("href") for link in links.all()] == [
        "https://a.example/x",
        "https://www.b.example/it's",
        "mailto:bo@c.example",
    ]
    assert [link.get_attribute("target") for link in links.all()] == ["_blank", "_blank", None]
