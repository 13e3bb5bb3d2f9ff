"""What is done to messages shows in a page, however it comes there: told, missed, or missed for long."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.client.person import Person
from tests.client.test_unread import refreshes_rooms
from tests.support.member import Member
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("outage")]


@pytest.fixture
def dora(server: Server, room: str) -> Iterator[Member]:
    """Somebody without a page, who says `first`, `second` and `third`."""
    with Member(server.port, room, "dora", log=2) as member:
        for text in ("first", "second", "third"):
            member.post_and_wait(text)
        yield member


def place_of(person: Person, text: str) -> int:
    """Returns the `seq` of a message on the screen."""
    return int(person.message(text).get_attribute("data-seq") or 0)


def does(member: Member, event: str, **payload: object) -> None:
    answer = member.ask(event, **payload)
    assert answer["status"] == "ok", answer


def test_what_is_done_to_a_message_shows_at_once(ann: Person, dora: Member) -> None:
    ann.expect_said("first", "second", "third")
    does(dora, "edit_message", seq=place_of(ann, "second"), message="mended")
    ann.expect_said("first", "mended", "third")
    does(dora, "react", name="dora", seq=place_of(ann, "first"), key="👍")
    dora.post_and_wait("fourth")
    ann.expect_said("first", "mended", "third", "fourth")


def test_what_was_done_is_there_after_a_reload(ann: Person, dora: Member) -> None:
    ann.expect_said("first", "second", "third")
    does(dora, "edit_message", seq=place_of(ann, "second"), message="mended")
    ann.expect_said("first", "mended", "third")
    ann.reloads()
    ann.expect_said("first", "mended", "third")


@pytest.mark.parametrize("server", [{}, {"max_recovery_page": 5}], indirect=True, ids=["entries", "rows"])
def test_what_was_done_during_an_absence_shows_after_it(ann: Person, dora: Member) -> None:
    ann.expect_said("first", "second", "third")
    second = place_of(ann, "second")
    ann.loses_network()
    for number in range(8):
        does(dora, "edit_message", seq=second, message=f"mended {number}")
    dora.post_and_wait("fourth")
    ann.finds_network()
    ann.expect_said("first", "mended 7", "third", "fourth")
    does(dora, "edit_message", seq=second, message="mended again")
    ann.expect_said("first", "mended again", "third", "fourth")


def test_reactions_are_no_unread_messages(ann: Person, dora: Member, room: str) -> None:
    ann.expect_said("first", "second", "third")
    first = place_of(ann, "first")
    ann.goes_to(f"{room}-garden")
    for key in ("👍", "🎉", "🚀"):
        does(dora, "react", name="dora", seq=first, key=key)
    dora.post_and_wait("fourth")
    refreshes_rooms(ann)
    expect(ann.room(room)).to_have_accessible_name(f"{room} 1 new message")
