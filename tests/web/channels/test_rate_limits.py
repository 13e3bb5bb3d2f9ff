"""Rate limits: token buckets on a clock that tests move, then a real server."""

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
    """Clock stands still until a test sets `now`."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def count_granted(bucket: TokenBucket, tries: int) -> int:
    """Returns how many of the tries get a token."""
    return sum(bucket.take() == 0.0 for _ in range(tries))


# ---------------------------------------------------------------- TokenBucket


def test_a_bucket_grants_its_burst_at_once_and_no_more(clock: Clock) -> None:
    assert count_granted(TokenBucket(Rate(20, 100), clock), 150) == 100


def test_an_empty_bucket_gets_a_token_at_its_rate(clock: Clock) -> None:
    bucket = TokenBucket(Rate(20, 100), clock)
    count_granted(bucket, 100)
    for _ in range(50):
        clock.now += 0.0501
        assert count_granted(bucket, 3) == 1


def test_a_refusal_gives_the_seconds_until_the_next_token(clock: Clock) -> None:
    bucket = TokenBucket(Rate(4, 1), clock)
    count_granted(bucket, 1)
    assert bucket.take() == 0.25
    clock.now += 0.125
    assert bucket.take() == 0.125
    clock.now += 0.125
    assert bucket.take() == 0.0


def test_a_long_pause_fills_a_bucket_once(clock: Clock) -> None:
    bucket = TokenBucket(Rate(20, 100), clock)
    count_granted(bucket, 100)
    clock.now += 1e6
    assert count_granted(bucket, 300) == 100


def test_a_bucket_grants_its_rate_in_the_long_run(clock: Clock) -> None:
    bucket = TokenBucket(Rate(20, 100), clock)
    granted = 0
    for _ in range(100_000):
        clock.now += 0.001
        granted += count_granted(bucket, 1)
    assert 2_000 <= granted <= 2_000 + 2 * 100


def test_a_client_that_pauses_as_told_ignores_no_refusal(clock: Clock) -> None:
    bucket = TokenBucket(Rate(20, 1), clock)
    for _ in range(1_000):
        clock.now += bucket.take()
    assert bucket.consecutive_ignored == 0


def test_refusals_that_a_client_ignores_are_counted_until_it_pauses(clock: Clock) -> None:
    bucket = TokenBucket(Rate(20, 1), clock)
    for _ in range(1_000):
        clock.now += 0.001
        bucket.take()
    assert bucket.consecutive_ignored > 900
    clock.now += 0.05
    count_granted(bucket, 2)
    assert bucket.consecutive_ignored == 0


# ---------------------------------------------------------------- AddressLimiter


def test_each_address_has_its_own_bucket(clock: Clock) -> None:
    limiter = AddressLimiter(Rate(1, 2), clock)
    assert [limiter.take("a"), limiter.take("a"), limiter.take("b")] == [0.0, 0.0, 0.0]
    assert limiter.take("a") == 1.0


def test_idle_addresses_are_forgotten_and_busy_ones_are_not(clock: Clock) -> None:
    limiter = AddressLimiter(Rate(1, 2), clock)
    for number in range(100_000):
        clock.now += 0.01
        limiter.take(f"2001:db8::{number:x}")
        if number % 10 == 0:
            limiter.take("192.0.2.1")
    assert len(limiter) <= AddressLimiter.SWEPT_AT
    assert limiter.take("192.0.2.1") > 0


# ---------------------------------------------------------------- a server with rate limits


RATE = 0.01
"""One token in 100 s: no test sees a second one, however slow the machine is."""


@pytest.fixture
def server(database: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """Starts a server with low rate limits."""
    few = f"{getattr(request, 'param', RATE)}/3"
    with Server(
        database,
        rate_limits="on",
        message_rate=few,
        join_rate=few,
        typing_rate=few,
        history_rate=few,
        connect_rate=f"{RATE}/20",
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


REQUESTS: dict[str, dict[str, object]] = {
    "new_message": {"name": "ann", "message": "hello"},
    "typing": {"name": "ann"},
    "history": {},
    "sync": {"since": 0},
}


@pytest.mark.parametrize("event", REQUESTS)
def test_a_request_beyond_the_rate_is_refused_with_retry_after_ms(ann: Talker, event: str) -> None:
    answers = [ann.ask("lobby", event, **REQUESTS[event]) for _ in range(4)]
    assert [answer["status"] for answer in answers] == ["ok", "ok", "ok", "error"]
    refused = answers[-1]["response"]
    assert set(refused) == {"reason", "retry_after_ms"}
    assert refused["reason"] == "rate_limited"
    assert 0 < refused["retry_after_ms"] <= 1_000 / RATE


@pytest.mark.parametrize("server", [5], indirect=True)
@pytest.mark.parametrize("event", REQUESTS)
def test_a_request_after_the_pause_of_retry_after_ms_is_answered(ann: Talker, event: str) -> None:
    last = ann.push_many([("lobby", event, REQUESTS[event])] * 20)[-1]
    received = ann.receive_until(lambda frame: frame.ref == last)
    refused = [frame.payload["response"] for frame in received if "rate_limited" in str(frame.payload)]
    time.sleep(refused[-1]["retry_after_ms"] / 1_000)  # the pause that the server asked for
    assert ann.ask("lobby", event, **REQUESTS[event])["status"] == "ok"


def test_joins_are_rate_limited(ann: Talker) -> None:
    answers = [ann.ask(f"room-{number}", "phx_join") for number in range(3)]
    assert [answer["status"] for answer in answers] == ["ok", "ok", "error"]
    assert answers[2]["response"]["reason"] == "rate_limited"
    assert ann.ask("room-2", "new_message", name="ann", message="hello")["response"]["reason"] == "unmatched topic"


def test_a_refused_post_is_heard_by_nobody(ann: Talker, bo: Talker) -> None:
    for number in range(5):
        ann.ask("lobby", "new_message", name="ann", message=str(number))
    bo.push("lobby", "new_message", name="bo", message="mine")
    heard = bo.receive_until(lambda frame: frame.event == "new_message" and frame.payload["message"] == "mine")
    assert [frame.payload["message"] for frame in heard if frame.event == "new_message"] == ["0", "1", "2", "mine"]


def test_each_kind_of_request_of_each_connection_has_its_own_bucket(ann: Talker, bo: Talker) -> None:
    for _ in range(4):
        ann.ask("lobby", "typing", name="ann")
    assert ann.ask("lobby", "new_message", name="ann", message="hello")["status"] == "ok"
    assert bo.ask("lobby", "typing", name="bo")["status"] == "ok"
    ann.heartbeat()


def test_a_client_that_ignores_too_many_refusals_is_closed_with_1008(server: Server, ann: Talker, bo: Talker) -> None:
    ann.push_many([("lobby", "typing", {"name": "ann"})] * 60)
    with pytest.raises(Closed) as closed:
        list(ann.frames())
    assert closed.value.code == 1008
    bo.heartbeat()


def test_requests_of_a_poll_session_are_rate_limited_until_it_is_gone(server: Server) -> None:
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


def test_a_websocket_beyond_the_connect_rate_is_answered_429(server: Server) -> None:
    answers = [request(server.port, "GET", "/socket/websocket?vsn=2.0.0", UPGRADE) for _ in range(22)]
    assert [answer.status for answer in answers] == [101] * 20 + [429] * 2
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 1 / RATE


def test_a_poll_session_beyond_the_connect_rate_is_answered_429(server: Server) -> None:
    answers = [request(server.port, "GET", "/socket/longpoll?vsn=2.0.0") for _ in range(22)]
    assert [answer.status for answer in answers] == [200] * 20 + [429] * 2
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 1 / RATE
    assert answers[-1].json["status"] == 500
    assert 0 < answers[-1].json["retry_after_ms"] <= 1_000 / RATE


def connect_status(server: Server, forwarded_for: str) -> int:
    headers = UPGRADE | {"X-Forwarded-For": forwarded_for}
    return request(server.port, "GET", "/socket/websocket?vsn=2.0.0", headers).status


def test_x_forwarded_for_of_an_untrusted_client_is_ignored(server: Server) -> None:
    assert [connect_status(server, f"192.0.2.{number}") for number in range(22)][-1] == 429


def test_x_forwarded_for_of_a_trusted_proxy_names_the_client(database: Path) -> None:
    with Server(database, rate_limits="on", connect_rate=f"{RATE}/2", trusted_proxies="127.0.0.1 192.0.2.9") as server:
        assert [connect_status(server, "192.0.2.1") for _ in range(3)] == [101, 101, 429]
        assert connect_status(server, "192.0.2.2") == 101
        assert connect_status(server, "192.0.2.3, 192.0.2.1") == 429  # the proxy itself added only the last
        assert connect_status(server, "192.0.2.1, 192.0.2.9") == 429  # which may be another proxy


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
        assert [connect_status(server, f"2001:db8::{number}") for number in range(3)] == [101, 101, 429]
        assert connect_status(server, "2001:db8:0:1::1") == 101


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
    assert connect_status(crowded, "192.0.2.2") == 101
    held.pop().connection.close()
    wait_until(lambda: connect_status(crowded, "192.0.2.1") == 101)  # the server notices the end a moment later
    held.pop().connection.close()
    assert crowded.log.count("192.0.2.1 has 2 connections") == 1


def test_a_network_of_ipv6_has_only_so_many(crowded: Server) -> None:
    held = [connected(crowded, f"2001:db8::{number}") for number in (1, 2)]
    assert connect_status(crowded, "2001:db8::3") == 429
    for websocket in held:
        websocket.connection.close()


def test_poll_sessions_count_too(crowded: Server) -> None:
    def opens() -> int:
        return request(crowded.port, "GET", "/socket/longpoll", {"X-Forwarded-For": "192.0.2.1"}).status

    held = connected(crowded, "192.0.2.1")
    assert [opens(), opens()] == [200, 429]
    assert connect_status(crowded, "192.0.2.1") == 429
    held.connection.close()
    wait_until(lambda: opens() == 200)


def test_without_rate_limits_an_address_may_have_any_number_of_connections(database: Path) -> None:
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
    """Joins the rooms, and returns "ok" or the reason of the refusal for each."""
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


def test_rate_limits_can_be_switched_off(database: Path) -> None:
    with Server(database, rate_limits="off", message_rate="1/1", connect_rate="1/1") as server:
        for _ in range(3):
            with Talker(server.port) as ann:
                ann.join("lobby")
                answers = [ann.ask("lobby", "new_message", name="ann", message="hello") for _ in range(3)]
                assert [answer["status"] for answer in answers] == ["ok"] * 3
