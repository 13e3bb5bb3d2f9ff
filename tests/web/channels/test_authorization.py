"""Who may join: what a hook may be, what it may answer, and what becomes of a join while it thinks."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from chatter.messages import Dismiss, Join, Leave
from tests.support.stage import Stage
from tests.web.channels.conftest import SocketOnStage

Params = Mapping[str, Any]

OK: dict[str, object] = {"response": {}, "status": "ok"}


def error(reason: str) -> dict[str, object]:
    return {"response": {"reason": reason}, "status": "error"}


def reply(ref: str, payload: object, room: str = "lobby", join_ref: str | None = "") -> list[object]:
    return [ref if join_ref == "" else join_ref, ref, f"chat_room:{room}", "phx_reply", payload]


def closed(join_ref: str) -> list[object]:
    return [join_ref, join_ref, "chat_room:lobby", "phx_close", {}]


class Thinker:
    """An async hook that decides when the test says so."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Params]] = []
        self.cancelled: list[str] = []
        self._decisions: list[asyncio.Future[Any]] = []

    async def __call__(self, room: str, params: Params) -> Any:
        self.asked.append((room, params))
        decision = asyncio.get_running_loop().create_future()
        self._decisions.append(decision)
        try:
            return await decision
        except asyncio.CancelledError:
            self.cancelled.append(room)
            raise

    def decides(self, number: int, answer: object) -> None:
        if isinstance(answer, Exception):
            self._decisions[number].set_exception(answer)
        else:
            self._decisions[number].set_result(answer)


@pytest.fixture
def hook() -> Thinker:
    return Thinker()


@pytest.fixture
def client(stage: Stage, hook: Thinker) -> SocketOnStage:
    """A client whose joins the hook decides."""
    return SocketOnStage(stage, hook)


def decide(client: SocketOnStage, hook: Thinker, number: int, answer: object) -> None:
    client.stage.call(hook.decides, number, answer)
    client.stage.run_turns()


# ---------------------------------------------------------------- what a hook answers


def test_true_admits_and_false_refuses(stage: Stage) -> None:
    client = SocketOnStage(stage, lambda room, _params: room == "lobby")
    client.asks_to_join("lobby")
    assert (client.joined, client.heard) == (["1"], [])
    client.asks_to_join("den")
    assert (client.joined, client.heard) == (["1"], [reply("1", error("unauthorized"), "den")])


@pytest.mark.parametrize("answer", [None, 1, 0, "yes", "", {"allowed": False}, {}, [True], object(), lambda: True])
def test_anything_else_admits_nobody_and_is_logged_once(
    stage: Stage, caplog: pytest.LogCaptureFixture, answer: Any
) -> None:
    client = SocketOnStage(stage, lambda _room, _params: answer)
    for _ in range(3):
        client.asks_to_join("lobby")
        assert client.heard == [reply("1", error("join crashed"))]
    assert client.told == []
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "expected True or False" in caplog.text


class Nasty(BaseException):
    """No error that a hook is expected to raise."""


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("error_type", [KeyError, asyncio.CancelledError, Nasty])
def test_a_hook_that_raises_crashes_the_join(
    stage: Stage, caplog: pytest.LogCaptureFixture, error_type: type[BaseException], is_async: bool
) -> None:
    def raises(_room: str, _params: Params) -> bool:
        raise error_type("token")

    async def raises_later(room: str, params: Params) -> bool:
        return raises(room, params)

    client = SocketOnStage(stage, raises_later if is_async else raises)
    client.asks_to_join("lobby")
    stage.run_turns()
    assert (client.told, client.heard) == ([], [reply("1", error("join crashed"))])
    assert "the authorize hook failed for room lobby" in caplog.text


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        (True, None),
        (False, "unauthorized"),
        (None, "join crashed"),
        ("yes", "join crashed"),
        (RuntimeError("no token"), "join crashed"),
    ],
)
def test_an_async_hook_decides_alike(client: SocketOnStage, hook: Thinker, answer: object, refusal: str | None) -> None:
    client.asks_to_join("lobby", token="t")
    assert hook.asked == [("lobby", {"token": "t"})]
    assert (client.told, client.heard) == ([], [])
    decide(client, hook, 0, answer)
    if refusal is None:
        assert (client.joined, client.heard) == (["1"], [])
    else:
        assert (client.told, client.heard) == ([], [reply("1", error(refusal))])


async def admits(_room: str, _params: Params) -> bool:
    return True


class Later:
    """An awaitable that is no coroutine."""

    def __await__(self) -> Any:
        return admits("", {}).__await__()


class Service:
    """An object with an async method."""

    async def may_join(self, _room: str, _params: Params) -> bool:
        return True

    __call__ = may_join


@pytest.mark.parametrize("hook", [admits, Service().may_join, lambda _room, _params: Later(), Service()])
def test_whatever_is_awaited_may_be_a_hook(stage: Stage, hook: Callable[[str, Params], Awaitable[bool]]) -> None:
    client = SocketOnStage(stage, hook)
    client.asks_to_join("lobby")
    assert client.joined == ["1"]


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_hook_that_takes_too_long_crashes_the_join(
    stage: Stage, caplog: pytest.LogCaptureFixture, stubborn: bool
) -> None:
    end = asyncio.Event()

    async def never(_room: str, _params: Params) -> bool:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if stubborn:
                await end.wait()
            raise
        return True

    client = SocketOnStage(stage, never, authorize_timeout=0.01)
    client.asks_to_join("lobby")
    stage.run_until(lambda: client._written)
    assert (client.told, client.heard) == ([], [reply("1", error("join crashed"))])
    assert "took longer than 0.01 s" in caplog.text
    stage.call(end.set)
    stage.run_turns()


def test_a_hook_that_cancels_itself_crashes_the_join(stage: Stage) -> None:
    async def cancels(_room: str, _params: Params) -> bool:
        raise asyncio.CancelledError

    client = SocketOnStage(stage, cancels)
    client.asks_to_join("lobby")
    assert client.heard == [reply("1", error("join crashed"))]


# ---------------------------------------------------------------- while it thinks


def test_other_joins_are_decided_meanwhile(client: SocketOnStage, hook: Thinker) -> None:
    client.asks_to_join("lobby", "1")
    client.asks_to_join("den", "2")
    decide(client, hook, 1, True)
    assert client.joined == ["2"]
    decide(client, hook, 0, True)
    assert client.joined == ["2", "1"]


def test_what_is_pushed_meanwhile_is_unmatched(client: SocketOnStage, hook: Thinker) -> None:
    client.asks_to_join("lobby")
    client.says('["1","2","chat_room:lobby","new_message",{"name":"ann","message":"hello"}]')
    client.says('[null,"3","chat_room:lobby","typing",{"name":"ann"}]')
    assert client.heard == [
        reply(ref, error("unmatched topic"), join_ref=None) for ref in ("2", "3")
    ]  # as where nothing was joined
    decide(client, hook, 0, True)
    assert [type(message) for message in client.told] == [Join]


def test_a_second_join_takes_the_place_of_one_that_is_not_decided(client: SocketOnStage, hook: Thinker) -> None:
    client.asks_to_join("lobby", "1")
    client.asks_to_join("lobby", "2")
    assert client.heard == [closed("1")]
    assert hook.cancelled == ["lobby"]
    decide(client, hook, 1, True)
    assert client.joined == ["2"]
    assert client.told[0].replaces is None


def test_a_second_join_of_a_topic_replaces_the_first_when_it_is_granted(client: SocketOnStage, hook: Thinker) -> None:
    client.asks_to_join("lobby", "1")
    decide(client, hook, 0, True)
    client.asks_to_join("lobby", "2")
    client.says('["1","3","chat_room:lobby","typing",{"name":"ann"}]')  # the first lives on
    client.says('["2","4","chat_room:lobby","typing",{"name":"ann"}]')
    assert client.heard == [reply("4", error("unmatched topic"), join_ref=None)]
    decide(client, hook, 1, True)
    first, typing, second = client.told
    assert (first.subscriber, typing.ref, second.replaces) == (first.subscriber, b'"3"', first.subscriber)


@pytest.mark.parametrize("answer", [False, RuntimeError()])
def test_a_second_join_that_is_refused_ends_the_first(client: SocketOnStage, hook: Thinker, answer: object) -> None:
    client.asks_to_join("lobby", "1")
    decide(client, hook, 0, True)
    client.asks_to_join("lobby", "2")
    decide(client, hook, 1, answer)
    first, end = client.told
    assert end == Dismiss(first.subscriber)
    assert client.heard[0][1] == "2"


@pytest.mark.parametrize("join_ref", ['"1"', "null"])
def test_who_leaves_meanwhile_is_out(client: SocketOnStage, hook: Thinker, join_ref: str) -> None:
    client.asks_to_join("lobby", "1")
    client.says(f'[{join_ref},"2","chat_room:lobby","phx_leave",{{}}]')
    assert client.heard == [["1", "2", "chat_room:lobby", "phx_reply", OK], closed("1")]
    assert hook.cancelled == ["lobby"]
    client.asks_to_join("lobby", "3")
    decide(client, hook, 1, True)
    assert client.joined == ["3"]


def test_a_stale_leave_changes_nothing(client: SocketOnStage, hook: Thinker) -> None:
    client.asks_to_join("lobby", "1")
    client.says('["0","2","chat_room:lobby","phx_leave",{}]')
    assert client.heard == []  # meant for an earlier join of the same topic
    decide(client, hook, 0, True)
    assert client.joined == ["1"]


def test_a_leave_during_a_second_join_ends_both(client: SocketOnStage, hook: Thinker) -> None:
    client.asks_to_join("lobby", "1")
    decide(client, hook, 0, True)
    client.asks_to_join("lobby", "2")
    client.says('["2","3","chat_room:lobby","phx_leave",{}]')
    assert client.heard == [["2", "3", "chat_room:lobby", "phx_reply", OK], closed("2")]
    assert client.told[1:] == [Dismiss(client.told[0].subscriber)]


def test_a_leave_of_the_first_leaves_the_second_undecided(client: SocketOnStage, hook: Thinker) -> None:
    client.asks_to_join("lobby", "1")
    decide(client, hook, 0, True)
    client.asks_to_join("lobby", "2")
    client.says('["1","3","chat_room:lobby","phx_leave",{}]')
    assert client.told[1:] == [Leave(client.told[0].subscriber, b'"3"')]
    decide(client, hook, 1, True)
    assert (client.joined, client.told[-1].replaces) == (["1", "2"], None)


def test_who_hangs_up_meanwhile_is_not_let_in(client: SocketOnStage, hook: Thinker) -> None:
    client.asks_to_join("lobby")
    client.asks_to_join("den")
    client.hangs_up()
    assert hook.cancelled == ["lobby", "den"]
    assert (client.told, client.heard) == ([], [])


def test_a_join_that_the_stop_of_the_server_overtakes_is_dropped(client: SocketOnStage, hook: Thinker) -> None:
    client.asks_to_join("lobby")
    client.endpoint.is_accepting = False
    decide(client, hook, 0, True)
    assert (client.told, client.heard, client.closed_with) == ([], [], [])


def test_joins_that_are_not_decided_count_as_channels(stage: Stage, hook: Thinker) -> None:
    client = SocketOnStage(stage, hook, max_channels=2)
    for number in range(3):
        client.asks_to_join(f"room-{number}")
    assert client.heard == [reply("1", error("too many channels joined"), "room-2")]
    assert len(hook.asked) == 2


def test_the_parameters_of_a_join_are_bounded_before_the_hook_has_them(stage: Stage, hook: Thinker) -> None:
    client = SocketOnStage(stage, hook, max_join_bytes=1_000)
    client.asks_to_join("lobby", "1", token="x" * 980)
    client.asks_to_join("den", "2", token="x" * 1_000)
    (refused,) = client.heard
    assert refused[4]["response"]["reason"] == "invalid"
    assert refused[4]["response"]["field"] == "payload"
    assert len(hook.asked) == 1


def test_a_hook_that_answers_for_a_room_that_cannot_start_costs_only_its_connection(
    stage: Stage, hook: Thinker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = SocketOnStage(stage, hook)
    client.asks_to_join("lobby")
    monkeypatch.setattr(client, "ensure_room", lambda _slug: 1 / 0)
    decide(client, hook, 0, True)
    assert client.closed_with == [1011]
    assert "ZeroDivisionError" in caplog.text
