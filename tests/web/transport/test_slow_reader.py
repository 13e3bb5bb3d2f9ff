"""Clients that read too slowly: what waits for them is bounded, and the others notice nothing."""

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.phoenix_client import LongPoll, Opcode, frame, request
from tests.support.server import Server
from tests.support.talker import Closed, Heard, Talker

BOUND = 65_536
LONG = "long " * 700
ROUNDS = 40
ENOUGH = 100  # long messages: 350 KB, more than the bound and what the kernels keep for a narrow connection


@pytest.fixture
def server(database: Path) -> Iterator[Server]:
    """A server that keeps little for those who do not read."""
    with Server(database, max_unsent_bytes=BOUND, send_buffer_bytes=16_384, poll_window=5) as started:
        yield started


@pytest.fixture
def bo(server: Server) -> Iterator[Talker]:
    """Somebody who reads."""
    with Talker(server.port) as talker:
        talker.join("lobby", name="bo")
        yield talker


@pytest.fixture
def ann(server: Server, bo: Talker) -> Iterator[Talker]:
    """Somebody who can be stopped by not reading, and not in a room yet."""
    with Talker(server.port, narrow=True) as talker:
        yield talker


def say(talker: Talker, messages: int, room: str = "lobby") -> None:
    """Say so many long messages; returns when all are committed, so that the room has written them to everybody."""
    for _ in range(messages):
        talker.ask(room, "new_message", name="bo", message=LONG)


def say_until_gone(server: Server, talker: Talker) -> None:
    """Say long messages until nobody else is in the lobby: who is closed has seconds to read how."""
    while people(server) > 1:
        say(talker, 1)


def seqs(heard: list[Heard]) -> list[int]:
    return [frame.payload["seq"] for frame in heard if frame.event == "new_message"]


def until_told_of(newest: int, talker: Talker) -> list[Heard]:
    """All that comes until there was a `resync`, and that or a message has told of the newest.

    A kernel may take more now and then, also for one who does not read: then there is more than one `resync`.
    """
    told = {"new_message": 0, "resync": 0}

    def is_last(frame: Heard) -> bool:
        if frame.event in told:
            told[frame.event] = frame.payload["seq"]
        return told["resync"] > 0 and max(told.values()) == newest

    return talker.listen_until(is_last)


def read_to_the_close(talker: Talker) -> tuple[list[Heard], int]:
    """All that still comes, and the close code."""
    heard: list[Heard] = []
    with pytest.raises(Closed) as closed:
        heard.extend(talker.listen())
    return heard, closed.value.code


def people(server: Server) -> int:
    rooms = request(server.port, "GET", "/api/rooms").json["rooms"]
    count: int = next(room["people"] for room in rooms if room["name"] == "lobby")
    return count


# ---------------------------------------------------------------- one who can ask for what it missed


def test_it_is_told_where_the_room_is_when_it_reads_again(bo: Talker, ann: Talker) -> None:
    ann.join("lobby", resync=True)
    say(bo, ENOUGH)
    heard = until_told_of(ENOUGH, ann)
    assert seqs(heard) == sorted(set(seqs(heard)))
    assert seqs(heard)[0] == 1
    assert len(seqs(heard)) < ENOUGH  # the rest was dropped


def test_it_goes_on_hearing_the_room_afterwards(bo: Talker, ann: Talker) -> None:
    ann.join("lobby", resync=True)
    for newest in (ENOUGH, 2 * ENOUGH):
        say(bo, ENOUGH)
        until_told_of(newest, ann)
    say(bo, 3)
    assert ann.hears("new_message")["seq"] == 2 * ENOUGH + 1
    ann.beats()


def test_it_is_told_in_each_of_its_rooms(bo: Talker, ann: Talker) -> None:
    ann.join("lobby", resync=True)
    ann.join("den", resync=True)
    say(bo, ENOUGH)
    heard = ann.listen_until(lambda frame: frame.topic == "chat_room:den")
    assert heard[-1][3:] == ("resync", {"seq": 0})
    assert ("chat_room:lobby", "resync") in [(frame.topic, frame.event) for frame in heard]


def test_the_others_notice_nothing(bo: Talker, ann: Talker) -> None:
    ann.join("lobby", resync=True)
    bo.beats()
    for seq in range(1, ENOUGH + 1):
        ref = bo.push("lobby", "new_message", name="bo", message=LONG)
        posted, answer = next(bo.listen()), next(bo.listen())
        assert (posted.payload["seq"], answer.ref) == (seq, ref)
    until_told_of(ENOUGH, ann)


def test_it_gets_a_pong_for_the_latest_of_its_pings(bo: Talker, ann: Talker) -> None:
    ann.join("lobby", resync=True)
    bo.join("den")
    ann.join("den", resync=True)
    ann.websocket.connection.send(frame(Opcode.PING, b"x" * 125) * 5_000 + frame(Opcode.PING, b"last"))
    ann.push("den", "typing", name="ann")
    bo.hears("typing")
    pongs = ann.listen_until(lambda heard: heard.payload == b"last")
    assert len(pongs) < 2_000


def test_pages_stay_below_the_bound_and_bring_everything_to_one_who_reads(bo: Talker, ann: Talker) -> None:
    say(bo, 40)
    ann.join("lobby", resync=True)
    got, more = [0], True
    while more:
        page = ann.ask("lobby", "history", limit=100, after=got[-1])["response"]
        assert len(json.dumps(page)) < BOUND
        got, more = [*got, *(posted["seq"] for posted in page["messages"])], page["more"]
    assert got == list(range(41))


def test_a_message_larger_than_the_bound_reaches_one_who_reads(database: Path) -> None:
    huge = "x" * 300_000
    with (
        Server(database, max_unsent_bytes=BOUND, max_message_length=len(huge), max_frame_bytes=400_000) as server,
        Talker(server.port) as bo,
        Talker(server.port, narrow=True) as ann,
    ):
        bo.join("lobby")
        bo.ask("lobby", "new_message", name="bo", message=huge)
        ann.join("lobby", resync=True)
        assert ann.hears("new_message")["message"] == huge
        (posted,) = ann.ask("lobby", "history")["response"]["messages"]
        assert posted["message"] == huge


def test_it_is_closed_with_1013_if_it_may_have_missed_what_became_of_a_channel(bo: Talker, ann: Talker) -> None:
    ann.join("lobby", resync=True)
    say(bo, ENOUGH)
    ann.push("lobby", "phx_leave")
    bo.beats()
    heard, code = read_to_the_close(ann)
    assert code == 1013
    assert "phx_close" not in [frame.event for frame in heard]


def test_it_is_told_of_a_stop_behind_what_could_not_be_taken_back(server: Server, bo: Talker, ann: Talker) -> None:
    ann.join("lobby", resync=True)
    say(bo, ENOUGH)
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    assert read_to_the_close(ann)[1] == 1012
    stopping.join()


# ---------------------------------------------------------------- one who cannot


def test_without_resync_it_is_closed_with_1013_behind_whole_frames(server: Server, bo: Talker, ann: Talker) -> None:
    ann.join("lobby", name="ann")
    say_until_gone(server, bo)
    heard, code = read_to_the_close(ann)
    assert code == 1013
    assert seqs(heard) == list(range(1, len(seqs(heard)) + 1))


def test_one_channel_without_resync_is_enough(server: Server, bo: Talker, ann: Talker) -> None:
    ann.join("lobby", name="ann", resync=True)
    ann.join("den")
    say_until_gone(server, bo)
    assert read_to_the_close(ann)[1] == 1013


def test_without_any_channel_it_is_closed_with_1013(server: Server, bo: Talker, ann: Talker) -> None:
    ann.websocket.connection.send(many(b'[null,"1","phoenix","heartbeat",{"a":"' + b"x" * 1_000 + b'"}]', 10_000))
    assert read_to_the_close(ann)[1] == 1013


def test_if_it_never_reads_it_is_cut_and_gone_for_the_others(server: Server, bo: Talker, ann: Talker) -> None:
    ann.join("lobby", name="ann")
    say_until_gone(server, bo)


@pytest.mark.parametrize("resync", [1, "true", {}, []])
def test_resync_is_true_or_false(server: Server, ann: Talker, resync: object) -> None:
    answer = ann.ask("lobby", "phx_join", resync=resync)
    assert (answer["status"], answer["response"]["field"]) == ("error", "resync")


# ---------------------------------------------------------------- long polling


def lee_in(server: Server, join: str) -> LongPoll:
    lee = LongPoll(server.port)
    lee.open()
    lee.post(f'["1","1","chat_room:lobby","phx_join",{join}]')
    assert "phx_reply" in lee.get()["messages"][0]
    return lee


def test_a_poll_session_that_can_ask_is_told_at_its_next_poll(server: Server, bo: Talker) -> None:
    lee = lee_in(server, '{"resync":true}')
    say(bo, ENOUGH)
    assert [json.loads(message)[3:] for message in lee.get()["messages"]] == [["resync", {"seq": ENOUGH}]]
    say(bo, 1)
    assert [json.loads(message)[4]["seq"] for message in lee.get()["messages"]] == [ENOUGH + 1]


def test_a_poll_session_that_cannot_is_gone(server: Server, bo: Talker) -> None:
    lee = lee_in(server, "{}")
    say(bo, ENOUGH)
    assert lee.get()["status"] == 410


# ---------------------------------------------------------------- many of them


def test_a_thousand_who_do_not_read_cost_no_more_than_a_thousand_bounds(server: Server, bo: Talker) -> None:
    say(bo, 3)
    with contextlib.ExitStack() as all_of_them:
        readers = [all_of_them.enter_context(Talker(server.port, narrow=True)) for _ in range(1_000)]
        for reader in readers:
            reader.join("lobby", resync=True)
        before, heard = resident_bytes(server.pid), []
        with Talker(server.port) as cy:
            cy.join("lobby")
            for _ in range(ROUNDS):
                for reader in readers:
                    reader.push("lobby", "history", limit=1)  # an answer of its own, where broadcasts are shared
                say(cy, 2)
                heard += [bo.hears("new_message")["seq"], bo.hears("new_message")["seq"]]
        grown = resident_bytes(server.pid) - before
        assert heard == list(range(4, 2 * ROUNDS + 4))
        assert grown < 1_000 * BOUND


def resident_bytes(pid: int) -> int:
    """The memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def many(message: bytes, number: int) -> bytes:
    return frame(Opcode.TEXT, message) * number
