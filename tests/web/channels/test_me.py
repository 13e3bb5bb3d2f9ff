"""The topic `me` on a stage: what waits for the rooms of an account, and what a slow reader gets."""

import asyncio
from collections.abc import Collection
from typing import Any, cast

import pytest

from chatter.accounts.values import AccountRefused
from chatter.memberships.memberships import Memberships
from chatter.memberships.values import Listener, Rooms
from chatter.messages import Join, Post
from tests.support.accounts import AccountsOnStage
from tests.support.stage import Stage
from tests.web.channels.conftest import SocketOnStage
from web.channels import held_frames
from web.channels.wire import V2_LONGPOLL
from web.io.rfc6455 import CloseCode

PRIVATE = f"p--{'a' * 26}"
JOIN_ME = '["1","1","me","phx_join",{}]'
JOIN_PRIVATE = f'["2","2","chat_room:{PRIVATE}","phx_join",{{}}]'
POST = f'["2","3","chat_room:{PRIVATE}","new_message",{{"message":"hello"}}]'
HEARTBEAT = '[null,"9","phoenix","heartbeat",{}]'


class MembershipsOnStage:
    """Plays `Memberships` of accounts in no room. They are loaded when the test `answers`."""

    def __init__(self) -> None:
        self.loaded: set[int] = set()
        self.listeners: list[Listener] = []
        self.is_away = False
        self._waiting: list[asyncio.Future[None]] = []

    def known(self, account: int) -> dict[str, Any] | None:
        return {PRIVATE: None} if account in self.loaded else None

    def is_member(self, account: int, slug: str) -> bool | None:
        rooms = self.known(account)
        return None if rooms is None else slug in rooms

    async def of(self, account: int) -> dict[str, Any]:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        await waiting
        if self.is_away:
            raise AccountRefused("busy", retry_after_ms=1_000)
        self.loaded.add(account)
        return {}

    def rooms(self, account: int, after: str = "", only: Collection[str] | None = None) -> Rooms:
        assert account in self.loaded
        return Rooms([])

    def listen(self, account: int, listener: Listener) -> None:
        self.listeners.append(listener)

    def unlisten(self, account: int, listener: Listener) -> None:
        self.listeners.remove(listener)

    def answers(self) -> None:
        """The database answers."""
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)


@pytest.fixture
def memberships() -> MembershipsOnStage:
    return MembershipsOnStage()


@pytest.fixture
def client(stage: Stage, memberships: MembershipsOnStage) -> SocketOnStage:
    """A socket of an account that is known, and whose rooms are not."""
    accounts = AccountsOnStage()
    accounts.has("ann's", is_known=True)
    return SocketOnStage(stage, accounts=accounts, secret="ann's", memberships=cast(Memberships, memberships))


def answered(client: SocketOnStage, memberships: MembershipsOnStage) -> None:
    """The rooms are loaded, and what follows from that happens."""
    client.stage.call(memberships.answers)
    client.stage.run_turns()


def outcomes(client: SocketOnStage) -> list[Any]:
    """What was answered: `ok` or the reason, by ref; and the events that were pushed."""
    return [
        (ref, payload["response"].get("reason", "ok") if event == "phx_reply" else event)
        for _join_ref, ref, _topic, event, payload in client.heard
    ]


@pytest.mark.parametrize("first", [JOIN_ME, JOIN_PRIVATE])
def test_a_join_that_needs_the_rooms_holds_what_comes_behind_it_in_order(
    client: SocketOnStage, memberships: MembershipsOnStage, first: str
) -> None:
    client.says(first, JOIN_PRIVATE.replace('"2"', '"4"'), POST.replace('"2","3"', '"4","5"'), HEARTBEAT)
    assert (client.told, outcomes(client)) == ([], [("9", "ok")])
    answered(client, memberships)
    assert [type(each) for each in client.told][-2:] == [Join, Post]
    assert client.joined[-1] == "4"


def test_a_public_room_waits_for_nothing(client: SocketOnStage) -> None:
    client.asks_to_join("lobby", ref="1")
    assert client.joined == ["1"]


def test_rooms_that_are_known_are_not_waited_for(client: SocketOnStage, memberships: MembershipsOnStage) -> None:
    memberships.loaded.add(1)
    client.says(JOIN_ME, JOIN_PRIVATE)
    assert (outcomes(client), client.joined) == ([("1", "ok")], ["2"])


def test_a_database_that_is_away_refuses_the_join_and_nothing_that_waited_behind_it(
    client: SocketOnStage, memberships: MembershipsOnStage
) -> None:
    memberships.is_away = True
    client.says(JOIN_ME)
    client.asks_to_join("lobby", ref="2")
    answered(client, memberships)
    assert [frame[4]["response"] for frame in client.heard] == [{"reason": "unavailable", "retry_after_ms": 1_000}]
    assert client.joined == ["2"]
    memberships.is_away = False
    client.says(JOIN_ME)
    answered(client, memberships)
    assert outcomes(client) == [("1", "ok")]


def test_more_than_a_page_may_ask_for_meanwhile_closes_the_socket(
    client: SocketOnStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_frames, "MAX_HELD_FRAMES", 3)
    client.says(JOIN_ME, *[POST] * 4)
    assert client.closed_with == [CloseCode.TRY_AGAIN_LATER]


def test_a_socket_that_closes_meanwhile_joins_nothing(client: SocketOnStage, memberships: MembershipsOnStage) -> None:
    client.says(JOIN_ME, JOIN_PRIVATE)
    client.hangs_up()
    answered(client, memberships)
    assert (client.told, client.heard, memberships.listeners) == ([], [], [])


def test_a_slow_reader_gets_the_whole_list_once_more(client: SocketOnStage, memberships: MembershipsOnStage) -> None:
    memberships.loaded.add(1)
    client.says(JOIN_ME)
    [joined] = client.heard
    client.stage.call(client.socket.overflowed)
    client.stage.call(client.socket.drained)
    [pushed] = client.heard
    assert (pushed[0], pushed[2], pushed[3]) == ("1", "me", "snapshot")
    assert pushed[4] == joined[4]["response"]
    assert client.closed_with == []


def test_a_connection_that_ends_hears_nothing_more(client: SocketOnStage, memberships: MembershipsOnStage) -> None:
    memberships.loaded.add(1)
    client.says(JOIN_ME)
    assert len(memberships.listeners) == 1
    client.hangs_up()
    assert memberships.listeners == []


def test_it_counts_as_one_of_the_channels(stage: Stage, memberships: MembershipsOnStage) -> None:
    accounts = AccountsOnStage()
    accounts.has("ann's", is_known=True)
    memberships.loaded.add(1)
    client = SocketOnStage(
        stage, accounts=accounts, secret="ann's", memberships=cast(Memberships, memberships), max_channels=1
    )
    client.asks_to_join("lobby", ref="1")
    client.stage.call(client.socket.receive, V2_LONGPOLL.decode(b'["2","2","me","phx_join",{}]'))
    assert outcomes(client) == [("2", "too many channels joined")]
