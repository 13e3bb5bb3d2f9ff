"""What was said is there again after a reload, a restart and a crash, and nothing is there twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.client.person import Person
from tests.client.rows import saved
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("outage")]


@pytest.fixture
def server(database: Path) -> Iterator[Server]:
    """A server that can be stopped."""
    with Server(database) as running:
        yield running


def test_the_history_is_there_after_a_reload_and_after_a_restart(ann: Person, server: Server, room: str) -> None:
    texts = [f"number {number}" for number in range(1, 31)]
    ann.says(*texts)
    ann.expect_said(*texts)
    ann.page.reload()
    ann.expect_said(*texts)
    server.stop()
    server.start()
    ann.page.reload()
    ann.expect_said(*texts)
    assert saved(server.database, room) == texts


@pytest.mark.parametrize("end", [Server.stop, Server.kill])
def test_all_come_back_by_themselves_and_what_was_said_meanwhile_arrives_once(
    ann: Person, bo: Person, server: Server, room: str, end: object
) -> None:
    ann.says("before")
    bo.expect_said("before")
    assert callable(end)
    end(server)
    ann.expect_state("reconnecting")
    expect(ann.status).to_have_text("Reconnecting")
    expect(ann.banner).to_contain_text("Reconnecting")
    ann.says("meanwhile")
    expect(ann.message("meanwhile")).to_have_attribute("data-state", "pending")
    server.start()
    bo.expect_said("before", "meanwhile")
    bo.says("after")
    for person in (ann, bo):
        person.expect_said("before", "meanwhile", "after")
        expect(person.banner).to_be_hidden()
        expect(person.people_button).to_have_accessible_name("2 people here")
    assert saved(server.database, room) == ["before", "meanwhile", "after"]


def test_who_does_not_want_to_wait_tries_at_once(ann: Person, server: Server) -> None:
    server.stop()
    ann.expect_state("reconnecting")
    expect(ann.button("Try now")).to_be_visible()
    server.start()
    ann.button("Try now").click()
    ann.expect_connected()


def test_a_hidden_page_comes_back_too(ann: Person, bo: Person, server: Server, room: str) -> None:
    bo.says("before")
    ann.expect_said("before")
    ann.looks_away()
    server.stop()
    server.start()
    bo.expect_connected()
    bo.says("after")
    expect(ann.page).to_have_title(f"(1) #{room} · Chatter", timeout=15_000)
    ann.expect_said("before", "after")


def test_one_who_was_away_gets_all_that_was_said_in_order_and_once(
    ann: Person, bo: Person, server: Server, room: str
) -> None:
    texts = [f"number {number}" for number in range(1, 36)]
    bo.says(texts[0])
    ann.expect_said(texts[0])
    ann.loses_network()
    bo.says(*texts[1:])
    bo.expect_said(*texts)
    expect(ann.texts).to_have_count(1)
    ann.finds_network()
    ann.expect_said(*texts)
    assert saved(server.database, room) == texts


def test_offline_a_message_is_not_sent_and_a_retry_says_it_once(
    ann: Person, bo: Person, server: Server, room: str
) -> None:
    ann.loses_network()
    expect(ann.banner).to_contain_text("You are offline")
    ann.says("hello", "never mind")
    expect(ann.message("hello")).to_have_attribute("data-state", "pending")
    ann.waits(10_000)
    expect(ann.not_sent).to_have_count(2)
    expect(ann.message("hello")).to_have_attribute("data-state", "failed")
    ann.finds_network()
    expect(ann.banner).to_be_hidden()
    ann.message("never mind").get_by_role("button", name="discard").click()
    ann.message("hello").get_by_role("button", name="retry").click()
    for person in (ann, bo):
        person.expect_said("hello")
    assert saved(server.database, room) == ["hello"]
