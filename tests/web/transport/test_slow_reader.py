"""Slow readers: what waits for them is bounded, and the others notice nothing."""

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.memory import resident_bytes
from tests.support.phoenix_client import LongPoll, Opcode, WebSocket, frame, header
from tests.support.server import Server, wait_until
from tests.support.talker import Closed, PhoenixFrame, Talker

LIMIT = 65_536
LONG = "long " * 700
ROUNDS = 40
HUGE = "🐘" * 15_000  # 60 KB: of one alone the kernels of a narrow connection leave more than they take later
ENOUGH = 100  # long messages: 350 KB, more than the limit and the kernels' buffers of a narrow connection


@pytest.fixture
def server(database: Path) -> Iterator[Server]:
    """Starts a server with a small limit for unsent bytes."""
    with Server(
        database,
        max_unsent_bytes=LIMIT,
        max_message_length=len(HUGE),
        max_frame_bytes=200_000,
        send_buffer_bytes=16_384,
        poll_window=60,
        log_level="info",
    ) as started:
        yield started


@pytest.fixture
def bo(server: Server) -> Iterator[Talker]:
    """Connects a client that reads."""
    with Talker(server.port) as talker:
        talker.join("lobby", name="bo")
        yield talker


@pytest.fixture
def ann(server: Server, bo: Talker) -> Iterator[Talker]:
    """Connects a client that overflows when it does not read. It has not joined a room."""
    with Talker(server.port, narrow=True) as talker:
        yield talker


def post(talker: Talker, messages: int, room: str = "lobby") -> None:
    """Posts long messages, and returns when all are committed.

    The room has then written them to everybody.
    """
    for _ in range(messages):
        talker.ask(room, "new_message", name="bo", message=LONG)


def post_until_ann_is_out(talker: Talker) -> None:
    """Posts long messages until ann has left the presence. She then has two seconds to read the close frame."""
    heard: list[PhoenixFrame] = []
    while not any("ann" in each.payload["leaves"] for each in heard if each.event == "presence_diff"):
        ref = talker.push("lobby", "new_message", name="bo", message=LONG)
        heard = talker.receive_until(lambda each, ref=ref: each.ref == ref)  # type: ignore[misc]


def seqs(heard: list[PhoenixFrame]) -> list[int]:
    return [frame.payload["seq"] for frame in heard if frame.event == "new_message"]


def receive_until_resynced(newest: int, talker: Talker) -> list[PhoenixFrame]:
    """Returns the frames up to the newest `seq`, with at least one `resync`.

    A `resync` or a message has the newest `seq`. There are several `resync` when a kernel takes more meanwhile.
    """
    told = {"new_message": 0, "resync": 0}

    def is_last(frame: PhoenixFrame) -> bool:
        if frame.event in told:
            told[frame.event] = frame.payload["seq"]
        return told["resync"] > 0 and max(told.values()) == newest

    return talker.receive_until(is_last)


def receive_until_closed(talker: Talker) -> tuple[list[PhoenixFrame], int]:
    """Returns the frames still to come, and the close code."""
    heard: list[PhoenixFrame] = []
    with pytest.raises(Closed) as closed:
        heard.extend(talker.frames())
    return heard, closed.value.code


# ---------------------------------------------------------------- a client with resync


def test_an_overflowed_client_gets_a_resync_when_it_reads_again(bo: Talker, ann: Talker) -> None:
    ann.join("lobby", resync=True)
    post(bo, ENOUGH)
    heard = receive_until_resynced(ENOUGH, ann)
    assert seqs(heard) == sorted(set(seqs(heard)))
    assert seqs(heard)[0] == 1
    assert len(seqs(heard)) < ENOUGH  # the rest was dropped


def test_a_client_gets_new_messages_after_a_resync(bo: Talker, ann: Talker) -> None:
    ann.join("lobby", resync=True)
    for newest in (ENOUGH, 2 * ENOUGH):
        post(bo, ENOUGH)
        receive_until_resynced(newest, ann)
    post(bo, 3)
    assert ann.wait_for("new_message")["seq"] == 2 * ENOUGH + 1
    ann.heartbeat()


def test_an_overflowed_client_gets_a_resync_in_each_of_its_rooms(bo: Talker, ann: Talker) -> None:
    ann.join("lobby", resync=True)
    ann.join("den", resync=True)
    post(bo, ENOUGH)
    resyncs: dict[str, object] = {}  # in either order: a room of a node that waits for its turn tells it later

    def is_last(frame: PhoenixFrame) -> bool:
        if frame.event == "resync":
            resyncs[frame.topic] = frame.payload["seq"]
        return len(resyncs) == 2

    heard = ann.receive_until(is_last)
    assert resyncs["chat_room:den"] == 0
    assert {frame.event for frame in heard if frame.topic == "chat_room:den"} == {"resync"}


def test_other_clients_notice_nothing_of_an_overflowed_one(bo: Talker, ann: Talker) -> None:
    ann.join("lobby", resync=True)
    bo.heartbeat()
    for seq in range(1, ENOUGH + 1):
        ref = bo.push("lobby", "new_message", name="bo", message=LONG)
        posted, answer = next(bo.frames()), next(bo.frames())
        assert (posted.payload["seq"], answer.ref) == (seq, ref)
    receive_until_resynced(ENOUGH, ann)


def test_an_overflowed_client_gets_a_pong_for_its_latest_ping(bo: Talker, ann: Talker) -> None:
    ann.join("lobby", resync=True)
    bo.join("den")
    ann.join("den", resync=True)
    ann.websocket.connection.send(frame(Opcode.PING, b"x" * 125) * 5_000 + frame(Opcode.PING, b"last"))
    ann.push("den", "typing", name="ann")
    bo.wait_for("typing")
    pongs = ann.receive_until(lambda heard: heard.payload == b"last")
    assert len(pongs) < 2_000


def test_pages_stay_below_the_limit_and_bring_everything_to_a_client_that_reads(bo: Talker, ann: Talker) -> None:
    post(bo, 40)
    ann.join("lobby", resync=True)
    got, more = [0], True
    while more:
        page = ann.ask("lobby", "history", limit=100, after=got[-1])["response"]
        assert len(json.dumps(page)) < LIMIT
        got, more = [*got, *(posted["seq"] for posted in page["messages"])], page["more"]
    assert got == list(range(41))


@pytest.mark.alone
def test_a_message_larger_than_the_limit_reaches_a_client_that_reads(database: Path) -> None:
    huge = "x" * 300_000
    with (
        Server(database, max_unsent_bytes=LIMIT, max_message_length=len(huge), max_frame_bytes=400_000) as server,
        Talker(server.port) as bo,
        Talker(server.port, narrow=True) as ann,
    ):
        bo.join("lobby")
        bo.ask("lobby", "new_message", name="bo", message=huge)
        ann.join("lobby", resync=True)
        assert ann.wait_for("new_message")["message"] == huge
        (posted,) = ann.ask("lobby", "history")["response"]["messages"]
        assert posted["message"] == huge


def test_a_client_whose_phx_close_was_dropped_is_closed_with_1013(bo: Talker, ann: Talker) -> None:
    ann.join("lobby", resync=True)
    for _ in range(4):
        bo.ask("lobby", "new_message", name="bo", message=HUGE)
    ann.push("lobby", "phx_leave")
    bo.heartbeat()
    heard, code = receive_until_closed(ann)
    assert code == 1013
    assert "phx_close" not in [frame.event for frame in heard]


def test_an_overflowed_client_is_closed_with_1012_at_a_stop(server: Server, bo: Talker, ann: Talker) -> None:
    ann.join("lobby", resync=True)
    post(bo, ENOUGH)
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    assert receive_until_closed(ann)[1] == 1012
    stopping.join()


# ---------------------------------------------------------------- a client without resync


def test_an_overflowed_client_without_resync_is_closed_with_1013(bo: Talker, ann: Talker) -> None:
    ann.join("lobby", name="ann")
    post_until_ann_is_out(bo)
    heard, code = receive_until_closed(ann)
    assert code == 1013
    assert seqs(heard) == list(range(1, len(seqs(heard)) + 1))


def test_one_channel_without_resync_closes_the_overflowed_client(bo: Talker, ann: Talker) -> None:
    ann.join("lobby", name="ann", resync=True)
    ann.join("den")
    post_until_ann_is_out(bo)
    assert receive_until_closed(ann)[1] == 1013


def test_an_overflowed_client_without_channels_is_closed_with_1013(server: Server, ann: Talker) -> None:
    ann.websocket.connection.send(many(b'[null,"1","phoenix","heartbeat",{}]', 4_000))  # 250 KB of answers
    wait_until(lambda: "closed with 1013" in server.log)
    assert receive_until_closed(ann)[1] == 1013


def test_a_client_that_never_reads_is_disconnected_and_leaves_the_room(bo: Talker, ann: Talker) -> None:
    ann.join("lobby", name="ann")
    post_until_ann_is_out(bo)


@pytest.mark.parametrize("flag", ["resync", "presence"])
@pytest.mark.parametrize("value", [1, "true", {}, []])
def test_flags_of_a_join_are_true_or_false(server: Server, ann: Talker, flag: str, value: object) -> None:
    answer = ann.ask("lobby", "phx_join", **{flag: value})
    assert (answer["status"], answer["response"]["field"]) == ("error", flag)


# ---------------------------------------------------------------- long polling


def joined_poll_session(server: Server, join: str) -> LongPoll:
    lee = LongPoll(server.port)
    lee.open()
    lee.post(f'["1","1","chat_room:lobby","phx_join",{join}]')
    assert "phx_reply" in lee.get()["messages"][0]
    return lee


def test_an_overflowed_poll_session_gets_a_resync_at_its_next_poll(server: Server, bo: Talker) -> None:
    lee = joined_poll_session(server, '{"resync":true}')
    post(bo, ENOUGH)
    assert [json.loads(message)[3:] for message in lee.get()["messages"]] == [["resync", {"seq": ENOUGH}]]
    post(bo, 1)
    assert [json.loads(message)[4]["seq"] for message in lee.get()["messages"]] == [ENOUGH + 1]


def test_an_overflowed_poll_session_without_resync_is_gone(server: Server, bo: Talker) -> None:
    lee = joined_poll_session(server, "{}")
    post(bo, ENOUGH)
    assert lee.get()["status"] == 410


# ---------------------------------------------------------------- many slow readers


def test_a_thousand_slow_readers_use_at_most_a_thousand_limits_of_memory(server: Server, bo: Talker) -> None:
    post(bo, 3)
    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(Talker(server.port, narrow=True)) for _ in range(1_000)]
        for reader in readers:
            reader.join("lobby", resync=True)
        before, heard = resident_bytes(server.pid), []
        with Talker(server.port) as cy:
            cy.join("lobby")
            for _ in range(ROUNDS):
                for reader in readers:
                    reader.push("lobby", "history", limit=1)  # broadcasts share their bytes, answers do not
                post(cy, 2)
                heard += [bo.wait_for("new_message")["seq"], bo.wait_for("new_message")["seq"]]
        grown = resident_bytes(server.pid) - before
        assert heard == list(range(4, 2 * ROUNDS + 4))
        assert grown < 1_000 * LIMIT


def test_half_a_frame_is_not_kept_after_the_end_of_its_connection(server: Server, ann: Talker) -> None:
    half = header(Opcode.TEXT, 65_000) + b"x" * 60_000
    before = resident_bytes(server.pid)
    for _ in range(300):
        websocket = WebSocket(server.port)
        websocket.connection.send(half)
        websocket.connection.close()
    ann.heartbeat()
    assert resident_bytes(server.pid) - before < 6_000_000  # not 18


def many(message: bytes, number: int) -> bytes:
    return frame(Opcode.TEXT, message) * number
