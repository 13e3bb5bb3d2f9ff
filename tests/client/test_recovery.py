"""Messages are there after a reload, a restart and a crash, each of them once."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import WebSocketRoute, expect

from tests.client.conftest import SAVING_MS, Freeze, Speaks, Visit
from tests.client.person import Person
from tests.client.rows import prepare, saved
from tests.support.database import refusing
from tests.support.server import Server, wait_until
from tests.support.talker import Talker

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("outage")]

KEPT = """() => new Promise(resolve => {
  const opening = indexedDB.open("chatter", 1);
  opening.onupgradeneeded = () => opening.transaction.abort(); // the page is about to make it
  opening.onerror = () => resolve([]);
  opening.onsuccess = () => {
    const reading = opening.result.transaction("posts").objectStore("posts").getAll();
    reading.onsuccess = () => resolve(reading.result.map(post => post.message));
    opening.result.close();
  };
})"""
"""The posts that a guest's browser keeps for its next page."""

NEVER_POLLS = """
const start = window.setTimeout;
window.setTimeout = (act, ms, ...rest) => start(act, ms > 2000 && ms < 5000 ? 1e9 : ms, ...rest);"""
"""Gives a websocket all the time it takes on a slow machine."""


@pytest.fixture
def server(database: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """Starts a server that the test may stop, with its own settings."""
    with Server(database, **getattr(request, "param", {})) as running:
        yield running


def somebody_says(server: Server, room: str, *texts: str) -> None:
    """Posts as dora over a plain socket: a page would take half a second for each message."""
    with Talker(server.port) as somebody:
        somebody.join(room)
        refs = somebody.push_many([(room, "new_message", {"name": "dora", "message": text}) for text in texts])
        somebody.wait_for("phx_reply", refs[-1])


def expect_kept(person: Person, *texts: str) -> None:
    """Waits until the browser has stored what is not sent: the page shows it before, and may close after."""
    wait_until(lambda: set(texts) <= set(person.page.evaluate(KEPT)))


def test_the_history_is_there_after_a_reload_and_after_a_restart(ann: Person, server: Server, room: str) -> None:
    texts = [f"number {number}" for number in range(1, 16)]  # more than a join pushes
    ann.says(*texts)
    ann.expect_said(*texts)
    ann.reloads()
    ann.expect_said(*texts)
    server.stop()
    server.start()
    ann.reloads()
    ann.expect_said(*texts)
    assert saved(server.database, room) == texts


def test_after_a_crash_all_come_back_by_themselves_and_what_was_said_meanwhile_arrives_once(
    ann: Person, bo: Person, server: Server, room: str
) -> None:
    ann.says("before")
    bo.expect_said("before")
    server.kill()
    ann.expect_state("reconnecting")
    expect(ann.status).to_have_text("Reconnecting")
    expect(ann.banner).to_contain_text("Reconnecting")
    ann.says("meanwhile")
    expect(ann.message("meanwhile")).to_have_attribute("data-state", "waiting")
    server.start()
    bo.expect_said("before", "meanwhile")
    bo.says("after")
    for person in (ann, bo):
        person.expect_said("before", "meanwhile", "after")
        expect(person.banner).to_be_hidden()
        expect(person.people_button).to_have_accessible_name("2 people here")
    assert saved(server.database, room) == ["before", "meanwhile", "after"]


def test_who_does_not_want_to_wait_tries_at_once(ann: Person, server: Server) -> None:
    def next_try_is_far_off() -> bool:
        ann.page.clock.run_for(1_000)
        return re.search(r"in ([89]|10) s", ann.banner.inner_text()) is not None

    ann.page.clock.install()
    server.stop()
    ann.expect_state("reconnecting")
    # It reconnects at no time of its own. A minute, of which some may pass until the clock stands.
    ann.page.clock.pause_at(ann.page.evaluate("Date.now()") / 1_000 + 60)
    wait_until(next_try_is_far_off)
    server.start()
    ann.button("Try now").click()
    ann.page.clock.run_for(3_000)  # the page draws in frames of this clock
    expect(ann.status).not_to_have_text("Reconnecting")
    ann.page.clock.resume()
    ann.expect_connected()


def test_a_hidden_page_comes_back_too(ann: Person, bo: Person, server: Server, room: str) -> None:
    bo.says("before")
    ann.expect_said("before")
    ann.looks_away()
    server.stop()
    server.start()
    bo.expect_connected()
    bo.says("after")
    expect(ann.page).to_have_title(f"(1) #{room} · Chatter")
    ann.expect_said("before", "after")


def test_one_who_was_away_gets_all_that_was_said_in_order_and_once(ann: Person, server: Server, room: str) -> None:
    texts = [f"number {number}" for number in range(1, 36)]
    somebody_says(server, room, *texts[:1])
    ann.expect_said(texts[0])
    ann.loses_network()
    somebody_says(server, room, *texts[1:])
    expect(ann.texts).to_have_count(1)
    ann.finds_network()
    ann.expect_said(*texts)
    assert saved(server.database, room) == texts


@pytest.mark.parametrize("server", [{"max_recovery_gap": 30}], indirect=True)
def test_one_who_was_away_for_too_long_is_told_and_can_read_back(ann: Person, server: Server, room: str) -> None:
    texts = [f"number {number}" for number in range(1, 131)]
    ann.says("before")
    ann.expect_said("before")
    ann.loses_network()
    somebody_says(server, room, *texts)
    ann.finds_network()
    expect(ann.notices).to_contain_text("Not everything said while you were away is loaded")
    expect(ann.message("number 130")).to_be_in_viewport()

    def all_is_loaded() -> bool:
        ann.conversation.press("Home")
        return ann.texts.count() == 1 + len(texts)

    wait_until(all_is_loaded)
    ann.expect_said("before", *texts)
    expect(ann.notices).to_be_empty()


@pytest.mark.parametrize("server", [{"max_recovery_gap": 30}], indirect=True)
def test_one_who_was_away_for_too_long_reads_on_where_they_were(ann: Person, server: Server, room: str) -> None:
    somebody_says(server, room, *(f"number {number}" for number in range(1, 61)))
    expect(ann.message("number 60")).to_be_in_viewport()
    ann.conversation.hover()
    ann.page.mouse.wheel(0, -900)
    expect(ann.message("number 60")).not_to_be_in_viewport()
    expect(ann.message("number 15")).to_be_in_viewport()
    ann.loses_network()
    somebody_says(server, room, *(f"later {number}" for number in range(1, 131)))
    ann.finds_network()
    expect(ann.pill).to_have_text("130 new messages")  # the way there is loaded again
    expect(ann.message("number 15")).to_be_in_viewport()
    expect(ann.notices).to_be_empty()


def test_older_messages_are_asked_for_again_whose_request_was_lost(visit: Visit, server: Server, room: str) -> None:
    texts = [f"number {number}" for number in range(1, 31)]  # a join pushes so few of them that nothing can be scrolled
    prepare(server.database, room, texts)
    lost: list[str | bytes] = []

    def lose(page: WebSocketRoute) -> None:
        """Ends the first connection at its request for older messages."""
        server = page.connect_to_server()

        def pass_on(frame: str | bytes) -> None:
            if '"history"' in str(frame):
                lost.append(frame)
                page.close()
            elif not lost:
                server.send(frame)

        if not lost:
            page.on_message(pass_on)

    ann = visit("ann", "lobby")
    ann.page.add_init_script(NEVER_POLLS)
    ann.page.route_web_socket("**/socket/websocket*", lose)
    ann.goes_to(room)
    ann.expect_said(*texts)
    assert lost


def test_what_is_written_offline_waits_and_is_sent_once_when_the_network_is_back(
    ann: Person, speaks: Speaks, server: Server, room: str
) -> None:
    bo = speaks("bo")
    ann.loses_network()
    expect(ann.banner).to_contain_text("You are offline")
    ann.says("hello", "never mind", "I am back")
    ann.waits(60_000)
    expect(ann.message("hello")).to_have_attribute("data-state", "waiting")
    expect(ann.message("hello")).to_contain_text("waiting to be sent")
    expect(ann.not_sent).to_have_count(0)
    ann.message("never mind").get_by_role("button", name="discard").click()
    ann.finds_network()
    expect(ann.banner).to_be_hidden()
    for person in (ann, bo):
        person.expect_said("hello", "I am back")
    assert saved(server.database, room) == ["hello", "I am back"]


def test_what_a_closed_page_could_not_send_is_sent_by_the_next_one(
    ann: Person, speaks: Speaks, server: Server, room: str
) -> None:
    bo = speaks("bo")
    ann.says("before")
    ann.expect_said("before")
    ann.loses_network()
    ann.says("one", "two")
    expect(ann.message("two")).to_have_attribute("data-state", "waiting")
    expect_kept(ann, "one", "two")
    ann.page.close()
    ann.page.context.set_offline(False)
    ann.opens_page()
    ann.goes_to(room)
    for person in (ann, bo):
        person.expect_said("before", "one", "two")
    ann.reloads()
    ann.expect_said("before", "one", "two")
    assert saved(server.database, room) == ["before", "one", "two"]


def test_what_was_written_under_another_name_is_sent_by_the_next_page_too(
    ann: Person, speaks: Speaks, server: Server, room: str
) -> None:
    bo = speaks("bo")
    ann.loses_network()
    ann.says("from ann")
    ann.button("Change name").click()
    ann.takes_name("anna")
    expect(ann.name_dialog).not_to_be_visible()  # until then it takes every key
    ann.says("from anna")
    expect(ann.message("from anna")).to_have_attribute("data-state", "waiting")
    expect_kept(ann, "from ann", "from anna")
    ann.page.close()
    ann.page.context.set_offline(False)
    ann.opens_page()
    ann.goes_to(room)
    for person in (ann, bo):
        person.expect_said("from ann", "from anna")
    assert [bo.author_of(text) for text in ("from ann", "from anna")] == ["ann", "anna"]
    expect(ann.groups.locator(".author")).to_have_text(["ann", "anna"])


def test_two_pages_of_one_person_send_what_each_of_them_wrote(ann: Person, server: Server, room: str) -> None:
    other = ann.opens_another_page()
    other.goes_to(room)
    ann.loses_network()
    ann.says("from the first")
    other.expect_offline()
    other.says("from the second")
    expect(ann.message("from the second")).to_have_count(0)
    ann.finds_network()
    other.expect_connected()
    for person in (ann, other):
        expect(person.message("from the first")).to_have_attribute("data-state", "said")
        expect(person.message("from the second")).to_have_attribute("data-state", "said")
        expect(person.texts).to_have_count(2)
    assert sorted(saved(server.database, room)) == ["from the first", "from the second"]


def test_a_message_that_was_sent_twice_is_said_once(
    ann: Person, speaks: Speaks, server: Server, room: str, frozen: Freeze
) -> None:
    bo = speaks("bo")
    ann.page.clock.install()
    with frozen():
        ann.says("hello", "are you there?")
        expect(ann.message("are you there?")).to_have_attribute("data-state", "pending")
        ann.waits(10_000)
        expect(ann.not_sent).to_have_count(2)
        ann.message("hello").get_by_role("button", name="retry").click()
        expect(ann.message("hello")).to_have_attribute("data-state", "pending")
    for person in (ann, bo):
        person.expect_said("hello", "are you there?")
    assert saved(server.database, room) == ["hello", "are you there?"]


def test_while_the_database_is_away_all_is_heard_and_the_page_says_that_saving_is_behind(
    ann: Person, speaks: Speaks, server: Server, room: str
) -> None:
    bo = speaks("bo")
    ann.page.clock.install()
    with refusing(server.database_url):
        ann.says("hello")
        bo.expect_said("hello")
        expect(ann.message("hello")).to_contain_text("saving…")
        ann.waits(SAVING_MS)
        expect(ann.notices).to_contain_text("Saving is behind")
        expect(ann.message("hello")).to_have_attribute("data-state", "pending")
        expect_kept(ann, "hello")
        ann.reloads()  # the next page sends the post again, to get the answer that this one waited for
        expect(ann.message("hello")).to_have_attribute("data-state", "pending")
        expect(ann.texts).to_have_text(["hello"])
    ann.expect_said("hello")
    expect(ann.notices).to_be_empty()


def test_what_was_heard_and_lost_in_a_crash_is_said_again_by_its_sender(
    ann: Person, bo: Person, server: Server, room: str
) -> None:
    bo.says("kept")
    for person in (bo, ann):  # the sender sees it as said once it is committed
        person.expect_said("kept")
    with refusing(server.database_url):
        ann.says("not saved yet")
        bo.expect_said("kept", "not saved yet")
        bo.page.context.set_offline(True)
        server.kill()
    server.start()
    ann.expect_said("kept", "not saved yet")
    ann.says("after")
    bo.page.context.set_offline(False)
    bo.expect_said("kept", "not saved yet", "after")
    assert saved(server.database, room) == ["kept", "not saved yet", "after"]


def test_a_ghost_goes_when_its_sender_does_not_come_back(ann: Person, bo: Person, server: Server, room: str) -> None:
    bo.says("kept")
    for person in (bo, ann):  # the sender sees it as said once it is committed
        person.expect_said("kept")
    with refusing(server.database_url):
        bo.says("a ghost")
        ann.expect_said("kept", "a ghost")
        bo.page.close()
        server.kill()
    server.start()
    ann.expect_said("kept")
    ann.says("after")
    ann.expect_said("kept", "after")
    assert saved(server.database, room) == ["kept", "after"]


class TestWithNarrowLimits:
    """Tests with a server that keeps and recovers few messages."""

    @pytest.fixture
    def server(self, database: Path) -> Iterator[Server]:
        with Server(
            database, ring_size=5, greeting_size=3, max_recovery_page=4, max_recovery_gap=20, max_history_page=4
        ) as running:
            yield running

    def test_a_long_absence_is_made_up_for_in_pages(self, ann: Person, server: Server, room: str) -> None:
        texts = [f"number {number}" for number in range(1, 19)]
        somebody_says(server, room, *texts[:1])
        ann.expect_said(texts[0])
        ann.loses_network()
        somebody_says(server, room, *texts[1:])
        ann.finds_network()
        ann.expect_said(*texts)
        expect(ann.notices).to_be_empty()

    def test_one_who_was_away_too_long_is_told_so_and_starts_over(self, ann: Person, server: Server, room: str) -> None:
        texts = [f"number {number}" + "\nand on" * 18 for number in range(1, 31)]
        somebody_says(server, room, *texts[:1])
        ann.expect_said(texts[0])
        ann.loses_network()
        somebody_says(server, room, *texts[1:])
        ann.finds_network()
        expect(ann.notices).to_contain_text("Not everything said while you were away is loaded")
        expect(ann.texts.last).to_have_text(texts[-1])
        somebody_says(server, room, "and on")
        expect(ann.texts.last).to_have_text("and on")
        ann.notices.get_by_role("button", name="Dismiss").click()
        expect(ann.notices).to_be_empty()

    def test_what_could_not_be_recovered_is_read_by_scrolling_up(self, ann: Person, server: Server, room: str) -> None:
        texts = [f"number {number}" for number in range(1, 31)]
        somebody_says(server, room, *texts[:1])
        ann.expect_said(texts[0])
        ann.loses_network()
        somebody_says(server, room, *texts[1:])
        ann.finds_network()
        ann.conversation.press("Home")
        ann.expect_said(*texts)
        expect(ann.notices).to_be_empty()


class TestWithLittleRoomForWhatIsUnsaved:
    """Tests with a server that takes two messages more than its database."""

    @pytest.fixture
    def server(self, database: Path) -> Iterator[Server]:
        with Server(database, max_unsaved_messages=2) as running:
            yield running

    def test_what_is_too_much_waits_and_goes_out_by_itself_in_order(
        self, ann: Person, speaks: Speaks, server: Server, room: str
    ) -> None:
        bo = speaks("bo")
        texts = ["one", "two", "three", "four"]
        with refusing(server.database_url):
            ann.says(*texts)
            expect(ann.message("three")).to_contain_text("waiting to be sent")
            expect(ann.message("four")).to_contain_text("waiting to be sent")
            bo.expect_said("one", "two")
        for person in (ann, bo):
            person.expect_said(*texts)
        assert saved(server.database, room) == texts
