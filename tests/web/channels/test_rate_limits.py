"""How often clients may ask: the buckets by a clock of the test's own, and what a server does with them."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.phoenix_client import UPGRADE, LongPoll, request
from tests.support.server import Server
from tests.support.talker import Closed, Talker
from web.channels.rate_limits import Bucket, ConnectLimiter, Rate


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def taken(bucket: Bucket, tries: int) -> int:
    """How many of so many tries get a token."""
    return sum(bucket.take() == 0.0 for _ in range(tries))


# ---------------------------------------------------------------- a bucket


def test_a_burst_is_granted_at_once_and_no_more(clock: Clock) -> None:
    assert taken(Bucket(Rate(20, 100), clock), 150) == 100


def test_afterwards_there_is_a_token_each_so_often(clock: Clock) -> None:
    bucket = Bucket(Rate(20, 100), clock)
    taken(bucket, 100)
    for _ in range(50):
        clock.now += 0.0501
        assert taken(bucket, 3) == 1


def test_a_refusal_says_when_there_is_a_token_again(clock: Clock) -> None:
    bucket = Bucket(Rate(4, 1), clock)
    taken(bucket, 1)
    assert bucket.take() == 0.25
    clock.now += 0.125
    assert bucket.take() == 0.125
    clock.now += 0.125
    assert bucket.take() == 0.0


def test_a_long_rest_fills_it_once(clock: Clock) -> None:
    bucket = Bucket(Rate(20, 100), clock)
    taken(bucket, 100)
    clock.now += 1e6
    assert taken(bucket, 300) == 100


def test_in_the_long_run_it_grants_its_rate(clock: Clock) -> None:
    bucket = Bucket(Rate(20, 100), clock)
    granted = 0
    for _ in range(100_000):
        clock.now += 0.001
        granted += taken(bucket, 1)
    assert 2_000 <= granted <= 2_000 + 2 * 100


def test_one_who_pauses_as_told_ignores_nothing_however_often_it_is_refused(clock: Clock) -> None:
    bucket = Bucket(Rate(20, 1), clock)
    for _ in range(1_000):
        clock.now += bucket.take()
    assert bucket.ignored == 0


def test_one_who_goes_on_regardless_is_counted_though_it_is_granted_its_rate(clock: Clock) -> None:
    bucket = Bucket(Rate(20, 1), clock)
    for _ in range(1_000):
        clock.now += 0.001
        bucket.take()
    assert bucket.ignored > 900
    clock.now += 0.05
    taken(bucket, 2)
    assert bucket.ignored == 0


# ---------------------------------------------------------------- a turnstile


def test_each_address_has_a_bucket_of_its_own(clock: Clock) -> None:
    turnstile = ConnectLimiter(Rate(1, 2), clock)
    assert [turnstile.take("a"), turnstile.take("a"), turnstile.take("b")] == [0.0, 0.0, 0.0]
    assert turnstile.take("a") == 1.0


def test_addresses_that_were_quiet_are_forgotten_and_others_are_not(clock: Clock) -> None:
    turnstile = ConnectLimiter(Rate(1, 2), clock)
    for number in range(100_000):
        clock.now += 0.01
        turnstile.take(f"2001:db8::{number:x}")
        if number % 10 == 0:
            turnstile.take("192.0.2.1")
    assert len(turnstile) <= ConnectLimiter.SWEPT_AT
    assert turnstile.take("192.0.2.1") > 0


# ---------------------------------------------------------------- what a server does with them


RATE = 0.01
"""A token each 100 s: in no test does one come back, however slow the machine is."""


@pytest.fixture
def server(database: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that is soon tired of being asked."""
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


ASKS: dict[str, dict[str, object]] = {
    "new_message": {"name": "ann", "message": "hello"},
    "typing": {"name": "ann"},
    "history": {},
    "sync": {"since": 0},
}


@pytest.mark.parametrize("event", ASKS)
def test_who_asks_too_often_is_told_when_to_ask_again(ann: Talker, event: str) -> None:
    answers = [ann.ask("lobby", event, **ASKS[event]) for _ in range(4)]
    assert [answer["status"] for answer in answers] == ["ok", "ok", "ok", "error"]
    refusal = answers[-1]["response"]
    assert set(refusal) == {"reason", "retry_after_ms"}
    assert refusal["reason"] == "rate_limited"
    assert 0 < refusal["retry_after_ms"] <= 1_000 / RATE


@pytest.mark.parametrize("server", [5], indirect=True)
@pytest.mark.parametrize("event", ASKS)
def test_who_asks_again_when_it_was_told_to_is_answered(ann: Talker, event: str) -> None:
    last = ann.push_many([("lobby", event, ASKS[event])] * 20)[-1]
    heard = ann.listen_until(lambda frame: frame.ref == last)
    refusals = [frame.payload["response"] for frame in heard if "rate_limited" in str(frame.payload)]
    time.sleep(refusals[-1]["retry_after_ms"] / 1_000)  # as it was told
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
    assert [answer.status for answer in answers] == [101] * 20 + [429] * 2
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 1 / RATE


def test_a_poll_session_too_many_is_answered_429_and_phoenix_comes_back(server: Server) -> None:
    answers = [request(server.port, "GET", "/socket/longpoll?vsn=2.0.0") for _ in range(22)]
    assert [answer.status for answer in answers] == [200] * 20 + [429] * 2
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 1 / RATE
    assert answers[-1].json["status"] == 500
    assert 0 < answers[-1].json["retry_after_ms"] <= 1_000 / RATE


def connects(server: Server, forwarded_for: str) -> int:
    headers = UPGRADE | {"X-Forwarded-For": forwarded_for}
    return request(server.port, "GET", "/socket/websocket?vsn=2.0.0", headers).status


def test_a_client_cannot_say_that_it_is_somebody_else(server: Server) -> None:
    assert [connects(server, f"192.0.2.{number}") for number in range(22)][-1] == 429


def test_a_trusted_proxy_says_for_whom_it_speaks(database: Path) -> None:
    with Server(database, rate_limits="on", connect_rate=f"{RATE}/2", trusted_proxies="127.0.0.1 192.0.2.9") as server:
        assert [connects(server, "192.0.2.1") for _ in range(3)] == [101, 101, 429]
        assert connects(server, "192.0.2.2") == 101
        assert connects(server, "192.0.2.3, 192.0.2.1") == 429  # only what the proxy itself has added counts
        assert connects(server, "192.0.2.1, 192.0.2.9") == 429  # which may be another proxy


def test_off_is_off(database: Path) -> None:
    with Server(database, rate_limits="off", message_rate="1/1", connect_rate="1/1") as server:
        for _ in range(3):
            with Talker(server.port) as ann:
                ann.join("lobby")
                answers = [ann.ask("lobby", "new_message", name="ann", message="hello") for _ in range(3)]
                assert [answer["status"] for answer in answers] == ["ok"] * 3
