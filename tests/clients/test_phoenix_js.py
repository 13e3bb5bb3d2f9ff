"""The client that every browser uses, npm's `phoenix`, over both transports and both versions of the protocol."""

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
EVERY_KIND = [(transport, vsn) for transport in (WEBSOCKET, LONGPOLL) for vsn in (V1, V2)]
OK = {"status": "ok", "response": {}}

Connect: TypeAlias = Callable[..., Client]

numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests: each has a room of its own."""
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


@pytest.fixture(params=EVERY_KIND, ids=lambda kind: f"{kind[0]}-{kind[1]}")
def client(connect: Connect, request: pytest.FixtureRequest) -> Client:
    transport, vsn = request.param
    return connect(transport=transport, vsn=vsn)


@pytest.fixture
def bo(connect: Connect, room: str) -> Client:
    bo = connect()
    bo.join(room)
    return bo


def test_a_join_is_granted_and_what_is_said_is_heard_by_everyone(client: Client, bo: Client, room: str) -> None:
    answer = client.join(room)
    assert answer["status"] == "ok"
    assert answer["response"].items() >= {"seq": 0, "recovered": True, "missed": 0, "more": False}.items()
    client.post(room, "ann", "hello")
    bo.post(room, "bo", "hi ann")
    for each in (client, bo):
        heard = [each.message(), each.message()]
        assert [(said["name"], said["message"]) for said in heard] == [("ann", "hello"), ("bo", "hi ann")]
        assert [said["seq"] for said in heard] == [1, 2]


def test_a_post_is_answered_with_its_place_in_the_room(client: Client, room: str) -> None:
    client.join(room)
    answer = client.push(room, "new_message", name="ann", message="hello", id="a-1")
    assert answer == {
        "status": "ok",
        "response": {"id": "a-1", "seq": 1, "inserted_at": client.message()["inserted_at"]},
    }


def test_one_who_joins_later_hears_the_ten_latest_messages_oldest_first(client: Client, bo: Client, room: str) -> None:
    for number in range(1, 13):
        bo.post(room, "bo", f"number {number}")
    client.join(room)
    assert [client.message()["message"] for _ in range(10)] == [f"number {number}" for number in range(3, 13)]


def test_text_of_every_language_comes_back_as_it_was_said(client: Client, bo: Client, room: str) -> None:
    text = 'ж 日本 ☕ 👩‍👩‍👧 "\\/<&>\t\n\u2028'
    client.join(room)
    client.post(room, "ann", text)
    assert bo.message()["message"] == client.message()["message"] == text


def test_a_post_without_a_name_is_answered_with_what_was_expected(client: Client, room: str) -> None:
    client.join(room)
    answer = client.push(room, "new_message", message="hello")
    assert answer["status"] == "error"
    assert (answer["response"]["reason"], answer["response"]["field"]) == ("invalid", "name")


def test_an_unknown_topic_is_refused(client: Client) -> None:
    assert client.join("nowhere:1") == {"status": "error", "response": {"reason": "unmatched topic"}}


def test_one_who_leaves_is_told_so_and_hears_no_more(client: Client, bo: Client, room: str) -> None:
    client.join(room)
    assert client.ask("leave", topic=room) == OK
    assert client.next("channel close") == {"topic": room}
    assert client.next("phx_close") == {"topic": room}  # in version 1 it would end a channel that is joined before it
    bo.post(room, "bo", "anybody here?")
    client.join(room)  # hears it now, and once
    client.post(room, "ann", "back again")
    assert [client.message()["message"] for _ in range(2)] == ["anybody here?", "back again"]


def test_who_is_here_is_kept_up_to_date(client: Client, connect: Connect, room: str) -> None:
    client.join(room, name="ann")
    laptop, phone = connect(), connect()
    laptop.join(room, name="bo")
    for each in (client, laptop):
        await_people(each, room, {"ann": 1, "bo": 1})
    phone.join(room, name="bo")
    for each in (client, laptop, phone):
        await_people(each, room, {"ann": 1, "bo": 2})
    phone.disconnect()
    await_people(client, room, {"ann": 1, "bo": 1})
    laptop.ask("leave", topic=room)
    await_people(client, room, {"ann": 1})


def test_the_others_see_that_somebody_writes(client: Client, bo: Client, room: str) -> None:
    client.join(room)
    assert client.push(room, "typing", name="ann") == OK
    assert bo.next("typing")["payload"] == {"name": "ann"}
    assert bo.push(room, "typing", name="bo") == OK
    assert client.next("typing")["payload"] == {"name": "bo"}  # and not its own, which was first


def test_a_hundred_posts_in_a_burst_arrive_in_their_order(client: Client, bo: Client, room: str) -> None:
    client.join(room)
    for number in range(100):
        client.tell("push", topic=room, event="new_message", payload={"name": "ann", "message": str(number)})
    answers = [client.answer(room) for _ in range(100)]
    assert [answer["response"]["seq"] for answer in answers] == list(range(1, 101))
    for each in (client, bo):
        assert [each.message()["message"] for _ in range(100)] == [str(number) for number in range(100)]


@pytest.mark.parametrize("transport", [WEBSOCKET, LONGPOLL])
def test_bytes_are_relayed_to_every_client_that_can_carry_them(
    connect: Connect, bo: Client, room: str, transport: str
) -> None:
    others = [connect(transport=kind, vsn=vsn) for kind, vsn in EVERY_KIND if (kind, vsn) != (WEBSOCKET, V2)]
    sender = connect(transport=transport)
    for each in (*others, sender):
        each.join(room)
    assert sender.ask("push", topic=room, event="new_message", hex="000102faff") == OK
    sender.post(room, "ann", "did you get it?")
    assert bo.message() == {"hex": "000102faff"}
    for each in (bo, *others):
        assert each.message()["message"] == "did you get it?"


def test_a_client_sees_its_own_bytes_too(bo: Client, room: str) -> None:
    bo.ask("push", topic=room, event="new_message", hex="")
    assert bo.message() == {"hex": ""}


@pytest.mark.parametrize("vsn", [V1, V2])
def test_a_heartbeat_is_answered(connect: Connect, vsn: str) -> None:
    client = connect(vsn=vsn)
    client.tell("heartbeat")
    client.next("heartbeat")


@pytest.mark.parametrize("transport", [WEBSOCKET, LONGPOLL])
def test_a_client_that_brings_a_token_gets_in(connect: Connect, room: str, transport: str) -> None:
    assert connect(transport=transport, token="secret").join(room)["status"] == "ok"


def test_the_name_of_the_connection_counts_where_a_join_gives_none(connect: Connect, room: str) -> None:
    connect(params={"name": "bo"}).join(room)
    ann = connect()
    ann.join(room, name="ann")
    await_people(ann, room, {"ann": 1, "bo": 1})


def test_a_client_whose_network_lets_no_websocket_through_falls_back_to_polling(
    connect: Connect, bo: Client, room: str
) -> None:
    client = connect(transport="blocked", longPollFallbackMs=2_000)
    assert client.over == LONGPOLL
    client.join(room)
    bo.post(room, "bo", "can you hear me?")
    assert client.message()["message"] == "can you hear me?"


@pytest.mark.parametrize(("transport", "vsn"), EVERY_KIND)
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_client_comes_back_by_itself_when_the_server_is_started_anew(
    node: NodeProcess, database: Path, transport: str, vsn: str, end: str
) -> None:
    with Server(database) as server:
        client = node.connect(server.url, transport=transport, vsn=vsn)
        client.join("chat_room:lobby", name="ann")
        client.post("chat_room:lobby", "ann", "before")
        client.message()
        getattr(server, end)()
        client.next("channel error")
        server.start()
        assert client.answer("chat_room:lobby")["status"] == "ok"
        assert client.message()["message"] == "before"
        client.post("chat_room:lobby", "ann", "after")
        said = client.message()
        assert (said["message"], said["seq"]) == ("after", 2)
        client.disconnect()


@pytest.mark.parametrize("vsn", [V1, V2])
def test_a_client_that_polls_while_the_server_stops_comes_back_by_itself(
    node: NodeProcess, database: Path, vsn: str
) -> None:
    with (
        Server(database, poll_window=1) as server,
        contextlib.closing(sqlite3.connect(database)) as other,
        ThreadPoolExecutor() as aside,
    ):
        client = node.connect(server.url, transport=LONGPOLL, vsn=vsn)
        client.join("chat_room:lobby")
        other.execute("begin immediate")  # the server cannot save what comes now, and takes its time to stop
        client.tell("push", topic="chat_room:lobby", event="new_message", payload={"name": "ann", "message": "before"})
        assert client.message()["message"] == "before"
        stopped = aside.submit(server.stop)
        try:
            client.next("channel error")
        finally:
            other.rollback()
        assert stopped.result() == 0
        server.start()
        assert client.message()["message"] == "before"
        client.disconnect()


def await_people(client: Client, room: str, people: dict[str, int]) -> None:
    """Return when `client` sees these people in the room, each with that number of connections."""
    while client.next("people") != {"topic": room, "people": people}:
        pass
