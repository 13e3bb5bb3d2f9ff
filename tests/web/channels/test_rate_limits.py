"""How often clients may ask: the buckets by a clock of the test's own, and what a server does with them."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.phoenix_client import UPGRADE, LongPoll, WebSocket, request
from tests.support.server import Server, wait_until
from tests.support.talker import Closed, Talker
from web.channels.rate_limits import AddressLimiter, TokenBucket, network_of
from web.limits import Rate


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def taken(bucket: TokenBucket, tries: int) -> int:
    """How many of so many tries get a token."""
    return sum(bucket.take() == 0.0 for _ in range(tries))


# ---------------------------------------------------------------- a bucket


def test_a_burst_is_granted_at_once_and_no_more(clock: Clock) -> None:
    assert taken(TokenBucket(Rate(20, 100), clock), 150) == 100


def test_afterwards_there_is_a_token_each_so_often(clock: Clock) -> None:
    bucket = TokenBucket(Rate(20, 100), clock)
    taken(bucket, 100)
    for _ in range(50):
        clock.now += 0.0501
        assert taken(bucket, 3) == 1


def test_a_refusal_says_when_there_is_a_token_again(clock: Clock) -> None:
    bucket = TokenBucket(Rate(4, 1), clock)
    taken(bucket, 1)
    assert bucket.take() == 0.25
    clock.now += 0.125
    assert bucket.take() == 0.125
    clock.now += 0.125
    assert bucket.take() == 0.0


def test_a_long_rest_fills_it_once(clock: Clock) -> None:
    bucket = TokenBucket(Rate(20, 100), clock)
    taken(bucket, 100)
    clock.now += 1e6
    assert taken(bucket, 300) == 100


def test_in_the_long_run_it_grants_its_rate(clock: Clock) -> None:
    bucket = TokenBucket(Rate(20, 100), clock)
    granted = 0
    for _ in range(100_000):
        clock.now += 0.001
        granted += taken(bucket, 1)
    assert 2_000 <= granted <= 2_000 + 2 * 100


def test_one_who_pauses_as_told_ignores_nothing_however_often_it_is_refused(clock: Clock) -> None:
    bucket = TokenBucket(Rate(20, 1), clock)
    for _ in range(1_000):
        clock.now += bucket.take()
    assert bucket.consecutive_ignored == 0


def test_one_who_goes_on_regardless_is_counted_though_it_is_granted_its_rate(clock: Clock) -> None:
    bucket = TokenBucket(Rate(20, 1), clock)
    for _ in range(1_000):
        clock.now += 0.001
        bucket.take()
    assert bucket.consecutive_ignored > 900
    clock.now += 0.05
    taken(bucket, 2)
    assert bucket.consecutive_ignored == 0


# ---------------------------------------------------------------- a turnstile


def test_each_address_has_a_bucket_of_its_own(clock: Clock) -> None:
    turnstile = AddressLimiter(Rate(1, 2), clock)
    assert [turnstile.take("a"), turnstile.take("a"), turnstile.take("b")] == [0.0, 0.0, 0.0]
    assert turnstile.take("a") == 1.0


def test_addresses_that_were_quiet_are_forgotten_and_others_are_not(clock: Clock) -> None:
    turnstile = AddressLimiter(Rate(1, 2), clock)
    for number in range(100_000):
        clock.now += 0.01
        turnstile.take(f"2001:db8::{number:x}")
        if number % 10 == 0:
            turnstile.take("192.0.2.1")
    assert len(turnstile) <= AddressLimiter.SWEPT_AT
    assert turnstile.take("192.0.2.1") > 0


# ---------------------------------------------------------------- what a server does with them


@pytest.fixture
def server(database: Path) -> Iterator[Server]:
    """A server that is soon tired of being asked."""
    few = "2/3"
    with Server(
        database,
        rate_limits="on",
        message_rate=few,
        join_rate=few,
        typing_rate=few,
        history_rate=few,
        connect_rate="1/20",
        max_ignored_refusals=50,
    ) as started:
        yield started


@pytest.fixture
def ann(server: Server) -> Iterator[Talker]:
    with Talker(server.port) as talker:
        talker.join("lobby")
        yield talker


@pytest.fixture
def bo(server: Server) -> Iterator[Talker]:
    with Talker(server.port) as talker:
        talker.join("lobby")
        yield talker


ASKS: dict[str, dict[str, object]] = {
    "new_message": {"name": "ann", "message": "hello"},
    "typing": {"name": "ann"},
    "history": {},
    "sync": {"since": 0},
}


@pytest.mark.parametrize("event", ASKS)
def test_who_asks_too_often_is_told_when_to_ask_again(ann: Talker, event: str) -> None:
    for _ in range(3):
        assert ann.ask("lobby", event, **ASKS[event])["status"] == "ok"
    refused = ann.ask("lobby", event, **ASKS[event])
    assert refused["status"] == "error"
    assert set(refused["response"]) == {"reason", "retry_after_ms"}
    assert refused["response"]["reason"] == "rate_limited"
    assert 0 < refused["response"]["retry_after_ms"] <= 500
    time.sleep(refused["response"]["retry_after_ms"] / 1_000)  # as it was told
    assert ann.ask("lobby", event, **ASKS[event])["status"] == "ok"


def test_joins_are_counted(ann: Talker) -> None:
    answers = [ann.ask(f"room-{number}", "phx_join") for number in range(3)]
    assert [answer["status"] for answer in answers] == ["ok", "ok", "error"]
    assert answers[2]["response"]["reason"] == "rate_limited"
    assert ann.ask("room-2", "new_message", name="ann", message="hello")["response"]["reason"] == "unmatched topic"


def test_what_is_refused_is_heard_by_nobody(ann: Talker, bo: Talker) -> None:
    for number in range(5):
        ann.ask("lobby", "new_message", name="ann", message=str(number))
    bo.push("lobby", "new_message", name="bo", message="mine")
    heard = bo.listen_until(lambda frame: frame.event == "new_message" and frame.payload["message"] == "mine")
    assert [frame.payload["message"] for frame in heard if frame.event == "new_message"] == ["0", "1", "2", "mine"]


def test_each_kind_is_counted_by_itself_and_each_connection_too(ann: Talker, bo: Talker) -> None:
    for _ in range(4):
        ann.ask("lobby", "typing", name="ann")
    assert ann.ask("lobby", "new_message", name="ann", message="hello")["status"] == "ok"
    assert bo.ask("lobby", "typing", name="bo")["status"] == "ok"
    ann.beats()


def test_who_goes_on_regardless_is_closed_with_1008(server: Server, ann: Talker, bo: Talker) -> None:
    ann.push_many([("lobby", "typing", {"name": "ann"})] * 60)
    with pytest.raises(Closed) as closed:
        list(ann.listen())
    assert closed.value.code == 1008
    bo.beats()


def test_messages_that_are_posted_are_counted_by_session(server: Server) -> None:
    lee = LongPoll(server.port)
    lee.open()
    lee.post('["1","1","chat_room:lobby","phx_join",{}]')
    lee.get()
    lee.post(*['["1","2","chat_room:lobby","typing",{"name":"lee"}]'] * 4)
    answers = lee.get()["messages"]
    assert len(answers) == 4
    assert ["rate_limited" in answer for answer in answers].count(True) == 1
    end = ['["1","2","chat_room:lobby","typing",{"name":"lee"}]'] * 60
    lee.post(*end, '["3","3","chat_room:after-the-end","phx_join",{"name":"lee"}]')
    assert lee.get()["status"] == 410
    assert request(server.port, "GET", "/api/rooms").json == {"rooms": []}


def test_a_websocket_too_many_is_answered_429(server: Server) -> None:
    answers = [request(server.port, "GET", "/socket/websocket?vsn=2.0.0", UPGRADE) for _ in range(22)]
    assert [answer.status for answer in answers].count(101) >= 20
    assert answers[-1].status == 429
    assert answers[-1].headers["retry-after"] == "1"


def test_a_poll_session_too_many_is_answered_429_and_phoenix_comes_back(server: Server) -> None:
    answers = [request(server.port, "GET", "/socket/longpoll?vsn=2.0.0") for _ in range(22)]
    assert (answers[-1].status, answers[-1].headers["retry-after"]) == (429, "1")
    assert answers[-1].json["status"] == 500
    assert 0 < answers[-1].json["retry_after_ms"] <= 1_000


def connects(server: Server, forwarded_for: str) -> int:
    headers = UPGRADE | {"X-Forwarded-For": forwarded_for}
    return request(server.port, "GET", "/socket/websocket?vsn=2.0.0", headers).status


def test_a_client_cannot_say_that_it_is_somebody_else(server: Server) -> None:
    assert [connects(server, f"192.0.2.{number}") for number in range(22)][-1] == 429


def test_a_trusted_proxy_says_for_whom_it_speaks(database: Path) -> None:
    with Server(database, rate_limits="on", connect_rate="0.001/2", trusted_proxies="127.0.0.1 192.0.2.9") as server:
        assert [connects(server, "192.0.2.1") for _ in range(3)] == [101, 101, 429]
        assert connects(server, "192.0.2.2") == 101
        assert connects(server, "192.0.2.3, 192.0.2.1") == 429  # only what the proxy itself has added counts
        assert connects(server, "192.0.2.1, 192.0.2.9") == 429  # which may be another proxy


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("a:b", "a:b"),
        ("", ""),
    ],
)
def test_an_ipv6_network_counts_as_one(address: str, network: str) -> None:
    assert network_of(address) == network


def test_an_ipv6_network_has_one_rate(database: Path) -> None:
    with Server(database, rate_limits="on", connect_rate="0.001/2", trusted_proxies="127.0.0.1") as server:
        assert [connects(server, f"2001:db8::{number}") for number in range(3)] == [101, 101, 429]
        assert connects(server, "2001:db8:0:1::1") == 101


@pytest.fixture
def crowded(database: Path) -> Iterator[Server]:
    """A server with two connections for each address."""
    with Server(database, rate_limits="on", max_connections_per_address=2, trusted_proxies="127.0.0.1") as started:
        yield started


def connected(server: Server, address: str) -> WebSocket:
    return WebSocket(server.port, headers={"X-Forwarded-For": address})


def test_an_address_has_only_so_many_connections_at_once(crowded: Server) -> None:
    held = [connected(crowded, "192.0.2.1"), connected(crowded, "192.0.2.1")]
    answer = request(crowded.port, "GET", "/socket/websocket", UPGRADE | {"X-Forwarded-For": "192.0.2.1"})
    assert (answer.status, answer.headers["retry-after"]) == (429, "10")
    assert connects(crowded, "192.0.2.2") == 101
    held.pop().connection.close()
    wait_until(lambda: connects(crowded, "192.0.2.1") == 101)  # the server notices the end a moment later
    held.pop().connection.close()
    assert crowded.log.count("192.0.2.1 has 2 connections") == 1


def test_a_network_of_ipv6_has_only_so_many(crowded: Server) -> None:
    held = [connected(crowded, f"2001:db8::{number}") for number in (1, 2)]
    assert connects(crowded, "2001:db8::3") == 429
    for websocket in held:
        websocket.connection.close()


def test_poll_sessions_count_too(crowded: Server) -> None:
    def opens() -> int:
        return request(crowded.port, "GET", "/socket/longpoll", {"X-Forwarded-For": "192.0.2.1"}).status

    held = connected(crowded, "192.0.2.1")
    assert [opens(), opens()] == [200, 429]
    assert connects(crowded, "192.0.2.1") == 429
    held.connection.close()
    wait_until(lambda: opens() == 200)


def test_off_lets_an_address_have_any_number(database: Path) -> None:
    with Server(database, rate_limits="off", max_connections_per_address=1) as server:
        held = [WebSocket(server.port) for _ in range(3)]
        for websocket in held:
            websocket.connection.close()


# ---------------------------------------------------------------- rooms that are opened


@pytest.fixture
def new_rooms(database: Path) -> Iterator[Server]:
    """A server on which each address may open three rooms."""
    with Server(database, rate_limits="on", room_rate="0.001/3", trusted_proxies="127.0.0.1") as started:
        yield started


def opens(talker: Talker, *rooms: str) -> list[str]:
    """Join the rooms: "ok", or the reason of each refusal."""
    answers = [talker.ask(room, "phx_join") for room in rooms]
    return [answer["response"].get("reason", "ok") for answer in answers]


def test_an_address_may_open_only_so_many_rooms(new_rooms: Server) -> None:
    with Talker(new_rooms.port) as ann:
        assert opens(ann, "a", "b", "c", "d") == ["ok", "ok", "ok", "rate_limited"]
        assert ann.ask("d", "phx_join")["response"]["retry_after_ms"] > 1_000
        assert ann.ask("d", "new_message", name="ann", message="hello")["response"]["reason"] == "unmatched topic"
        with Talker(new_rooms.port) as bo:
            assert opens(bo, "a", "b", "e") == ["ok", "ok", "rate_limited"]  # rooms in which somebody is are open


def test_a_room_that_was_spoken_in_stays_open_to_everybody(new_rooms: Server) -> None:
    with Talker(new_rooms.port) as ann:
        assert opens(ann, "a", "b", "c") == ["ok"] * 3
        ann.ask("a", "new_message", name="ann", message="hello")
    assert new_rooms.stop() == 0
    new_rooms.start()
    with Talker(new_rooms.port) as bo:
        assert opens(bo, "x", "y", "z", "b", "a") == ["ok", "ok", "ok", "rate_limited", "ok"]


def test_a_room_that_nobody_may_open_leaves_nothing_behind(new_rooms: Server) -> None:
    with Talker(new_rooms.port) as ann:
        opens(ann, "a", "b", "c", *(f"room-{number}" for number in range(50)))
        rooms = request(new_rooms.port, "GET", "/api/rooms").json["rooms"]
        assert {room["name"] for room in rooms} == {"a", "b", "c"}


def test_off_is_off(database: Path) -> None:
    with Server(database, rate_limits="off", message_rate="1/1", connect_rate="1/1") as server:
        for _ in range(3):
            with Talker(server.port) as ann:
                ann.join("lobby")
                answers = [ann.ask("lobby", "new_message", name="ann", message="hello") for _ in range(3)]
                assert [answer["status"] for answer in answers] == ["ok"] * 3
