"""npm's `phoenix`, over both transports and both versions of the protocol."""

import contextlib
import itertools
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.clients.phoenix_js import Client, NodeProcess
from tests.support.server import Server

pytestmark = pytest.mark.node

WEBSOCKET, LONGPOLL = "websocket", "longpoll"
V1, V2 = "1.0.0", "2.0.0"
ALL_KINDS = [(transport, vsn) for transport in (WEBSOCKET, LONGPOLL) for vsn in (V1, V2)]
OK = {"status": "ok", "response": {}}

Connect: TypeAlias = Callable[..., Client]

numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Starts one server for all tests. Each test has its own room."""
    with Server(tmp_path_factory.mktemp("server") / "chatter.db") as running:
        yield running


@pytest.fixture(scope="module")
def process() -> Iterator[NodeProcess]:
    with NodeProcess() as running:
        yield running


@pytest.fixture
def node(process: NodeProcess) -> Iterator[NodeProcess]:
    yield process
    process.disconnect_all()


@pytest.fixture
def connect(node: NodeProcess, server: Server) -> Connect:
    return partial(node.connect, server.url)


@pytest.fixture
def room() -> str:
    return f"chat_room:room-{next(numbers)}"


@pytest.fixture(params=ALL_KINDS, ids=lambda kind: f"{kind[0]}-{kind[1]}")
def client(connect: Connect, request: pytest.FixtureRequest) -> Client:
    transport, vsn = request.param
    return connect(transport=transport, vsn=vsn)


@pytest.fixture
def bo(connect: Connect, room: str) -> Client:
    bo = connect()
    bo.join(room)
    return bo


def test_a_join_is_answered_ok_and_everyone_hears_the_posts(client: Client, bo: Client, room: str) -> None:
    answer = client.join(room)
    assert answer["status"] == "ok"
    assert answer["response"].items() >= {"seq": 0, "recovered": True, "missed": 0, "more": False}.items()
    client.post(room, "ann", "hello")
    bo.post(room, "bo", "hi ann")
    for each in (client, bo):
        heard = [each.wait_for_message(), each.wait_for_message()]
        assert [(said["name"], said["message"]) for said in heard] == [("ann", "hello"), ("bo", "hi ann")]
        assert [said["seq"] for said in heard] == [1, 2]


def test_a_post_is_answered_with_its_seq(client: Client, room: str) -> None:
    client.join(room)
    answer = client.push(room, "new_message", name="ann", message="hello", id="a-1")
    assert answer == {
        "status": "ok",
        "response": {"id": "a-1", "seq": 1, "inserted_at": client.wait_for_message()["inserted_at"]},
    }


def test_a_later_join_gets_the_ten_latest_messages_oldest_first(client: Client, bo: Client, room: str) -> None:
    for number in range(1, 13):
        bo.post(room, "bo", f"number {number}")
    client.join(room)
    assert [client.wait_for_message()["message"] for _ in range(10)] == [f"number {number}" for number in range(3, 13)]


def test_text_of_any_language_arrives_unchanged(client: Client, bo: Client, room: str) -> None:
    text = 'ж 日本 ☕ 👩‍👩‍👧 "\\/<&>\t\n\u2028'
    client.join(room)
    client.post(room, "ann", text)
    assert bo.wait_for_message()["message"] == client.wait_for_message()["message"] == text


def test_a_post_without_a_name_is_answered_with_what_was_expected(client: Client, room: str) -> None:
    client.join(room)
    answer = client.push(room, "new_message", message="hello")
    assert answer["status"] == "error"
    assert (answer["response"]["reason"], answer["response"]["field"]) == ("invalid", "name")


def test_an_unknown_topic_is_refused(client: Client) -> None:
    assert client.join("nowhere:1") == {"status": "error", "response": {"reason": "unmatched topic"}}


def test_a_client_that_leaves_is_told_and_hears_no_more(client: Client, bo: Client, room: str) -> None:
    client.join(room)
    assert client.command("leave", topic=room) == OK
    assert client.wait_for("channel close") == {"topic": room}
    assert client.wait_for("phx_close") == {"topic": room}  # version 1 would close the next channel with it
    bo.post(room, "bo", "anybody here?")
    client.join(room)  # which sends it now, once
    client.post(room, "ann", "back again")
    assert [client.wait_for_message()["message"] for _ in range(2)] == ["anybody here?", "back again"]


def test_the_presence_is_kept_up_to_date(client: Client, connect: Connect, room: str) -> None:
    client.join(room, name="ann")
    laptop, phone = connect(), connect()
    laptop.join(room, name="bo")
    for each in (client, laptop):
        wait_for_people(each, room, {"ann": 1, "bo": 1})
    phone.join(room, name="bo")
    for each in (client, laptop, phone):
        wait_for_people(each, room, {"ann": 1, "bo": 2})
    phone.disconnect()
    wait_for_people(client, room, {"ann": 1, "bo": 1})
    laptop.command("leave", topic=room)
    wait_for_people(client, room, {"ann": 1})


def test_typing_is_shown_to_the_others(client: Client, bo: Client, room: str) -> None:
    client.join(room)
    assert client.push(room, "typing", name="ann") == OK
    assert bo.wait_for("typing")["payload"] == {"name": "ann"}
    assert bo.push(room, "typing", name="bo") == OK
    assert client.wait_for("typing")["payload"] == {"name": "bo"}  # its own came first, and is not sent to it


def test_a_hundred_posts_in_a_burst_arrive_in_order(client: Client, bo: Client, room: str) -> None:
    client.join(room)
    for number in range(100):
        client.send_command("push", topic=room, event="new_message", payload={"name": "ann", "message": str(number)})
    answers = [client.wait_for_answer(room) for _ in range(100)]
    assert [answer["response"]["seq"] for answer in answers] == list(range(1, 101))
    for each in (client, bo):
        assert [each.wait_for_message()["message"] for _ in range(100)] == [str(number) for number in range(100)]


@pytest.mark.parametrize("transport", [WEBSOCKET, LONGPOLL])
def test_bytes_are_relayed_to_every_client_that_can_carry_them(
    connect: Connect, bo: Client, room: str, transport: str
) -> None:
    others = [connect(transport=kind, vsn=vsn) for kind, vsn in ALL_KINDS if (kind, vsn) != (WEBSOCKET, V2)]
    sender = connect(transport=transport)
    for each in (*others, sender):
        each.join(room)
    assert sender.command("push", topic=room, event="new_message", hex="000102faff") == OK
    sender.post(room, "ann", "did you get it?")
    assert bo.wait_for_message() == {"hex": "000102faff"}
    for each in (bo, *others):
        assert each.wait_for_message()["message"] == "did you get it?"


def test_a_client_gets_its_own_bytes_too(bo: Client, room: str) -> None:
    bo.command("push", topic=room, event="new_message", hex="")
    assert bo.wait_for_message() == {"hex": ""}


@pytest.mark.parametrize("vsn", [V1, V2])
def test_a_heartbeat_is_answered(connect: Connect, vsn: str) -> None:
    client = connect(vsn=vsn)
    client.send_command("heartbeat")
    client.wait_for("heartbeat")


@pytest.mark.parametrize("transport", [WEBSOCKET, LONGPOLL])
def test_a_token_says_nothing_where_there_are_no_accounts(
    node: NodeProcess, room: str, transport: str, tmp_path: Path
) -> None:
    with Server(tmp_path / "chatter.db", accounts="off") as server:
        assert node.connect(server.url, transport=transport, token="secret").join(room)["status"] == "ok"
        node.disconnect_all()


@pytest.mark.parametrize("transport", [WEBSOCKET, LONGPOLL])
def test_a_token_that_is_nobodys_joins_no_room(connect: Connect, room: str, transport: str) -> None:
    refused = connect(transport=transport, token="secret").join(room)
    assert refused == {"status": "error", "response": {"reason": "unauthorized"}}


def test_the_name_in_the_connect_params_is_used_for_a_join_without_one(connect: Connect, room: str) -> None:
    connect(params={"name": "bo"}).join(room)
    ann = connect()
    ann.join(room, name="ann")
    wait_for_people(ann, room, {"ann": 1, "bo": 1})


def test_a_client_without_websockets_falls_back_to_long_polling(connect: Connect, bo: Client, room: str) -> None:
    client = connect(transport="blocked", longPollFallbackMs=2_000)
    assert client.transport == LONGPOLL
    client.join(room)
    bo.post(room, "bo", "can you hear me?")
    assert client.wait_for_message()["message"] == "can you hear me?"


@pytest.mark.parametrize(("transport", "vsn"), ALL_KINDS)
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_client_reconnects_by_itself_after_a_restart(
    node: NodeProcess, database: Path, transport: str, vsn: str, end: str
) -> None:
    with Server(database) as server:
        client = node.connect(server.url, transport=transport, vsn=vsn)
        client.join("chat_room:lobby", name="ann")
        client.post("chat_room:lobby", "ann", "before")
        client.wait_for_message()
        getattr(server, end)()
        client.wait_for("channel error")
        server.start()
        assert client.wait_for_answer("chat_room:lobby")["status"] == "ok"
        assert client.wait_for_message()["message"] == "before"
        client.post("chat_room:lobby", "ann", "after")
        said = client.wait_for_message()
        assert (said["message"], said["seq"]) == ("after", 2)
        client.disconnect()


@pytest.mark.parametrize("vsn", [V1, V2])
def test_a_client_that_polls_during_a_stop_reconnects_by_itself(node: NodeProcess, database: Path, vsn: str) -> None:
    with (
        Server(database, poll_window=1) as server,
        contextlib.closing(sqlite3.connect(database)) as other,
        ThreadPoolExecutor() as aside,
    ):
        client = node.connect(server.url, transport=LONGPOLL, vsn=vsn)
        client.join("chat_room:lobby")
        other.execute("begin immediate")  # the server cannot save the next post, which makes its stop slow
        client.send_command(
            "push", topic="chat_room:lobby", event="new_message", payload={"name": "ann", "message": "before"}
        )
        assert client.wait_for_message()["message"] == "before"
        stopped = aside.submit(server.stop)
        try:
            client.wait_for("channel error")
        finally:
            other.rollback()
        assert stopped.result() == 0
        server.start()
        assert client.wait_for_message()["message"] == "before"
        client.disconnect()


def wait_for_people(client: Client, room: str, people: dict[str, int]) -> None:
    """Waits until `client` sees these people, each with that number of connections."""
    while client.wait_for("people") != {"topic": room, "people": people}:
        pass
