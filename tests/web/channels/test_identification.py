"""Who a socket is: what waits for it, and how it changes and ends. The accounts are on a stage, too."""

import asyncio
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from chatter.accounts.values import What
from chatter.charter import Author
from chatter.messages import Join, Leave, Post
from tests.support.accounts import AccountsOnStage
from tests.support.stage import Stage
from tests.web.channels.conftest import SocketOnStage
from web.channels import held_frames, identification
from web.channels.wire import V2_LONGPOLL
from web.io.rfc6455 import CloseCode
from web.limits import Rate


@pytest.fixture
def accounts() -> AccountsOnStage:
    """The accounts of a server: none yet."""
    return AccountsOnStage()


def socket(stage: Stage, accounts: AccountsOnStage, secret: str | None = "ann's", **options: Any) -> SocketOnStage:
    return SocketOnStage(stage, accounts=accounts, secret=secret, **options)


def answered(client: SocketOnStage, accounts: AccountsOnStage) -> None:
    """The database answers, and what follows from that happens."""
    client.stage.call(accounts.answers)
    client.stage.run_turns()


def changed(client: SocketOnStage, accounts: AccountsOnStage, what: Any, **change: Any) -> None:
    client.stage.call(lambda: accounts.changes(what, **change))


def outcomes(client: SocketOnStage) -> list[Any]:
    """What was answered: `ok`, or the reason; and the events that were pushed."""
    return [
        (payload["response"].get("reason", "ok") if event == "phx_reply" else (event, payload))
        for _join_ref, _ref, _topic, event, payload in client.heard
    ]


POST = '["1","2","chat_room:lobby","new_message",{"name":"ann","message":"hello"}]'
HEARTBEAT = '[null,"9","phoenix","heartbeat",{}]'


# ---------------------------------------------------------------- until it is known


def test_frames_wait_in_their_order_and_a_heartbeat_does_not(stage: Stage, accounts: AccountsOnStage) -> None:
    accounts.has("ann's")
    client = socket(stage, accounts)
    client.asks_to_join("lobby")
    client.says(POST, HEARTBEAT)
    assert client.told == []
    assert outcomes(client) == ["ok"]
    answered(client, accounts)
    assert [type(each) for each in client.told] == [Join, Post]
    assert client.told[0].subscriber.author.handle == "ann"


def test_a_socket_whose_secret_is_remembered_waits_for_nothing(stage: Stage, accounts: AccountsOnStage) -> None:
    accounts.has("ann's", is_known=True)
    client = socket(stage, accounts)
    client.asks_to_join("lobby")
    assert client.joined == ["1"]
    assert accounts.asked == []


def test_a_secret_of_nobody_refuses_joins_and_leaves_the_socket_open(stage: Stage, accounts: AccountsOnStage) -> None:
    client = socket(stage, accounts, "stolen")
    client.asks_to_join("lobby")
    answered(client, accounts)
    client.asks_to_join("den", ref="2")
    assert outcomes(client) == ["unauthorized", "unauthorized"]
    assert (client.told, client.closed_with) == ([], [])


def test_many_frames_that_have_waited_are_handled_in_slices_and_in_their_order(
    stage: Stage, accounts: AccountsOnStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_frames, "TIME_SLICE", 0.0)
    accounts.has("ann's")
    client = socket(stage, accounts, rate_limits="off")
    client.asks_to_join("lobby")
    said = [POST.replace('"hello"', f'"{number}"') for number in range(200)]
    client.says(*said[:150])
    stage.call(accounts.answers)
    while len(client.told) < 20:
        stage.run(asyncio.sleep(0))
    assert len(client.told) < 100
    for late in said[150:]:
        stage.call(client.socket.receive, V2_LONGPOLL.decode(late.encode()))
    stage.run_until(lambda: len(client.told) == 201)
    assert [each.message for each in client.told[1:]] == [str(number) for number in range(200)]
    client.says(POST)
    assert client.told[-1].message == "hello"


def test_a_database_that_is_away_is_asked_again_for_the_next_join(stage: Stage, accounts: AccountsOnStage) -> None:
    accounts.has("ann's")
    accounts.is_away = True
    client = socket(stage, accounts)
    client.asks_to_join("lobby")
    answered(client, accounts)
    assert [frame[4]["response"] for frame in client.heard] == [{"reason": "unavailable", "retry_after_ms": 1_000}]
    accounts.is_away = False
    client.asks_to_join("lobby", ref="2")
    answered(client, accounts)
    assert client.joined == ["2"]


def test_a_frame_that_comes_right_after_the_refusal_is_not_left_waiting(
    stage: Stage, accounts: AccountsOnStage
) -> None:
    accounts.has("ann's")
    accounts.is_away = True
    client = socket(stage, accounts)

    def hear_more() -> None:
        accounts.is_away = False
        client.socket.receive(V2_LONGPOLL.decode(b'["2","2","chat_room:lobby","phx_join",{}]'))

    def answer() -> None:
        accounts.answers()
        asyncio.get_running_loop().call_soon(hear_more)  # in the turn of the loop in which the first is refused

    client.asks_to_join("lobby")
    stage.call(answer)
    stage.run_turns()
    assert outcomes(client) == ["unavailable"]
    answered(client, accounts)
    assert client.joined == ["2"]


def test_more_than_a_page_may_ask_for_closes_the_socket(stage: Stage, accounts: AccountsOnStage) -> None:
    client = socket(stage, accounts)
    client.says(*[f'[null,"1","chat_room:r{n}","phx_leave",{{"x":"{"x" * 1_000}"}}]' for n in range(400)])
    assert client.closed_with == [CloseCode.TRY_AGAIN_LATER]
    assert client.told == []


def test_a_session_that_ends_while_it_is_looked_up_lets_nobody_in(stage: Stage, accounts: AccountsOnStage) -> None:
    accounts.has("ann's")
    client = socket(stage, accounts)
    client.asks_to_join("lobby")
    changed(client, accounts, "revoked", secret=1)
    for _ in range(2):  # it is asked once more, since what was read may be from before
        answered(client, accounts)
    assert outcomes(client) == ["unauthorized"]
    assert client.told == []


def test_a_client_that_hangs_up_meanwhile_is_forgotten(stage: Stage, accounts: AccountsOnStage) -> None:
    accounts.has("ann's")
    client = socket(stage, accounts)
    client.asks_to_join("lobby")
    client.hangs_up()
    answered(client, accounts)
    assert client.told == []
    assert client.endpoint.identity is not None
    assert not client.endpoint.identity.live.has(1)


# ---------------------------------------------------------------- what becomes of it


@pytest.mark.parametrize("what", ["revoked", "suspended", "erased"])
def test_whoever_is_signed_out_is_out_before_the_change_returns(
    stage: Stage, accounts: AccountsOnStage, what: What
) -> None:
    accounts.has("ann's", is_known=True)
    client = socket(stage, accounts)
    client.asks_to_join("lobby")
    client.asks_to_join("den", ref="2")
    seen: list[CloseCode] = []

    def change() -> None:
        accounts.changes(what, secret=1)
        seen.extend(client.closed_with)

    stage.call(change)
    assert seen == [CloseCode.SIGNED_OUT]
    assert outcomes(client) == [("signed_out", {"reason": what})] * 2
    client.stage.run_turns()
    assert [type(each) for each in client.told].count(Leave) == 2


def test_a_join_that_waits_for_the_hook_is_given_up_with_the_session(stage: Stage, accounts: AccountsOnStage) -> None:
    cancelled: list[bool] = []

    async def authorize(_slug: str, _params: Any) -> bool:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        return True

    accounts.has("ann's", is_known=True)
    client = socket(stage, accounts, authorize=authorize)
    client.asks_to_join("lobby")
    changed(client, accounts, "revoked", secret=1)
    client.stage.run_turns()
    assert (client.told, cancelled) == ([], [True])


def test_the_end_of_another_session_concerns_nobody_else(stage: Stage, accounts: AccountsOnStage) -> None:
    accounts.has("ann's", number=1, is_known=True)
    client = socket(stage, accounts)
    client.asks_to_join("lobby")
    changed(client, accounts, "revoked", secret=2)
    changed(client, accounts, "suspended", id=2)
    assert client.closed_with == []


def test_a_new_name_counts_from_the_next_message_on(stage: Stage, accounts: AccountsOnStage) -> None:
    accounts.has("ann's", is_known=True)
    client = socket(stage, accounts)
    client.asks_to_join("lobby", name="anything")
    assert client.told[0].name == "Ann"
    changed(client, accounts, "renamed")
    subscriber = client.told[0].subscriber
    assert (subscriber.author.handle, subscriber.person_name) == ("anna", "Anna")


@pytest.mark.parametrize(("is_of_token", "after"), [(False, "admin"), (True, "moderator")])
def test_a_change_of_the_account_leaves_the_role_that_a_token_gives(
    stage: Stage, accounts: AccountsOnStage, is_of_token: bool, after: str
) -> None:
    accounts.has("ann's", role="moderator", has_role_of_token=is_of_token, is_known=True)
    client = socket(stage, accounts)
    roles: list[str] = []
    for what, role in (("renamed", "member"), ("role", "admin")):
        changed(client, accounts, what, role=role)
        roles.append(client.socket.principal.role)
    assert roles == ["moderator", after]


# ---------------------------------------------------------------- a newer secret, and the end of one


LIFE = 1_000.0
"""Seconds for which a secret counts: none ends before the test says so."""


@pytest.fixture
def pass_time(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Returns a function that moves the clocks by so many seconds: those of the loop, and what sockets take for now."""
    loop = stage.run(running_loop())
    loop_time, moved = loop.time, [0.0]
    clock = SimpleNamespace(time=lambda: time.time() + sum(moved), monotonic=lambda: time.monotonic() + sum(moved))
    monkeypatch.setattr(loop, "time", lambda: loop_time() + sum(moved))
    monkeypatch.setattr(identification, "time", clock)
    return moved.append


async def running_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def refresh(token: str, topic: str = "phoenix", ref: str = "5") -> str:
    join_ref = "null" if topic == "phoenix" else '"1"'
    return f'[{join_ref},"{ref}","{topic}","access_token",{{"access_token":"{token}"}}]'


@pytest.mark.parametrize("topic", ["phoenix", "chat_room:lobby"])
def test_a_newer_token_of_the_same_person_moves_the_end(stage: Stage, accounts: AccountsOnStage, topic: str) -> None:
    accounts.has("ann's", is_known=True, expires_at=time.time() + 1_000)
    accounts.has("newer", number=2, expires_at=2_000_000_000.5)
    client = socket(stage, accounts)
    client.asks_to_join("lobby")
    client.says(refresh("newer", topic))
    answered(client, accounts)
    (answer,) = client.heard
    assert answer[4] == {"status": "ok", "response": {"expires_at": 2_000_000_000}}
    changed(client, accounts, "revoked", secret=2)
    assert client.closed_with == [CloseCode.SIGNED_OUT]


def test_a_token_of_another_person_changes_nothing(stage: Stage, accounts: AccountsOnStage) -> None:
    accounts.has("ann's", is_known=True)
    accounts.has("bo's", "bo", id=2)
    client = socket(stage, accounts)
    client.asks_to_join("lobby")
    client.says(refresh("bo's"))
    answered(client, accounts)
    assert outcomes(client) == ["other_person"]
    assert client.socket.principal.author is not None
    assert client.socket.principal.author.handle == "ann"


def test_a_guest_in_a_room_becomes_nobody_else(stage: Stage, accounts: AccountsOnStage) -> None:
    accounts.has("ann's")
    client = socket(stage, accounts, secret=None)
    client.asks_to_join("lobby", name="cy")
    client.says(refresh("ann's"))
    answered(client, accounts)
    assert outcomes(client) == ["other_person"]


def test_a_wrong_token_and_a_wrong_payload_are_refused(stage: Stage, accounts: AccountsOnStage) -> None:
    accounts.has("ann's", is_known=True)
    client = socket(stage, accounts)
    client.says(refresh("stolen"), '[null,"6","phoenix","access_token",{"access_token":7}]')
    answered(client, accounts)
    assert sorted(outcomes(client)) == ["invalid", "unauthorized"]


def test_of_many_newer_tokens_the_last_is_verified_after_a_pause(
    stage: Stage, accounts: AccountsOnStage, pass_time: Callable[[float], None]
) -> None:
    accounts.has("ann's", is_known=True)
    client = socket(stage, accounts)
    client.says(refresh("first", ref="5"))
    answered(client, accounts)
    client.says(refresh("second", ref="6"), refresh("third", ref="7"))
    assert [(frame[1], frame[4]["response"]["reason"]) for frame in client.heard] == [
        ("5", "unauthorized"),
        ("6", "rate_limited"),
    ]
    assert accounts.asked == ["first"]
    pass_time(identification.VERIFY_INTERVAL)
    stage.wait(lambda: accounts.asked == ["first", "third"])


def test_an_expired_token_is_told_and_then_closes(
    stage: Stage, accounts: AccountsOnStage, pass_time: Callable[[float], None]
) -> None:
    accounts.has("ann's", is_known=True, expires_at=time.time() + LIFE)
    client = socket(stage, accounts)
    client.asks_to_join("lobby")
    pass_time(LIFE)
    stage.wait(lambda: accounts.asked)
    answered(client, accounts)
    assert (outcomes(client), client.closed_with) == ([("token_expired", {"grace_ms": 25_000})], [])
    pass_time(identification.GRACE)
    stage.wait(lambda: client.closed_with == [CloseCode.TOKEN_EXPIRED])


def test_no_join_outlives_an_expired_token_unheard(
    stage: Stage, accounts: AccountsOnStage, pass_time: Callable[[float], None]
) -> None:
    hooks: list[asyncio.Future[bool]] = []

    async def authorize(_slug: str, _params: Any) -> bool:
        hooks.append(asyncio.get_running_loop().create_future())
        return await hooks[-1]

    accounts.has("ann's", is_known=True, expires_at=time.time() + LIFE)
    accounts.has("newer", number=2, expires_at=time.time() + 2 * LIFE)
    client = socket(stage, accounts, authorize=authorize, authorize_timeout=2 * LIFE)
    client.asks_to_join("lobby")
    pass_time(LIFE)
    stage.wait(lambda: accounts.asked)
    answered(client, accounts)
    assert outcomes(client) == ["unauthorized"]
    assert hooks[0].cancelled()
    client.asks_to_join("den", ref="2")
    stage.call(hooks[1].set_result, True)
    stage.run_turns()
    assert (outcomes(client), client.told) == (["unauthorized"], [])
    client.says(refresh("newer"))
    answered(client, accounts)
    client.asks_to_join("den", ref="3")
    stage.call(hooks[2].set_result, True)
    stage.run_turns()
    assert client.joined == ["3"]


def test_a_new_name_gives_an_expired_token_no_longer_life(
    stage: Stage, accounts: AccountsOnStage, pass_time: Callable[[float], None]
) -> None:
    accounts.has("ann's", is_known=True, expires_at=time.time() + LIFE)
    client = socket(stage, accounts)
    client.asks_to_join("lobby")
    pass_time(LIFE)
    stage.wait(lambda: accounts.asked)
    answered(client, accounts)
    for _ in range(2):
        changed(client, accounts, "renamed")
        pass_time(identification.GRACE / 2)
    stage.run_turns()
    assert client.closed_with == [CloseCode.TOKEN_EXPIRED]
    assert [event for event, _ in outcomes(client)].count("token_expired") == 1


def test_a_session_that_was_used_elsewhere_lives_on(
    stage: Stage, accounts: AccountsOnStage, pass_time: Callable[[float], None]
) -> None:
    accounts.has("ann's", is_known=True, expires_at=time.time() + LIFE)
    client = socket(stage, accounts)
    client.asks_to_join("lobby")
    accounts.has("ann's", expires_at=time.time() + 2 * LIFE)
    pass_time(LIFE)
    stage.wait(lambda: accounts.asked)
    answered(client, accounts)
    assert (outcomes(client), client.closed_with) == ([], [])


@pytest.mark.parametrize("secret", [1, 2])
def test_whoever_shows_what_a_session_was_shown_by_before_is_out(
    stage: Stage, accounts: AccountsOnStage, pass_time: Callable[[float], None], secret: int
) -> None:
    """A new password renews the session that has asked for it: a copy of its cookie is nobody's from then on."""
    accounts.has("ann's", is_known=True, expires_at=time.time() + LIFE)
    client = socket(stage, accounts)
    client.asks_to_join("lobby")
    if secret == 1:
        del accounts.principals["ann's"]
    accounts.is_away = True
    for _ in range(2):
        changed(client, accounts, "renewed", secret=secret)
        answered(client, accounts)
        assert outcomes(client) == []  # it is not known yet
    accounts.is_away = False
    pass_time(identification.LOOK_AGAIN_SOON)
    if secret == 2:  # another session of the account
        assert accounts.asked == []
        return
    stage.wait(lambda: len(accounts.asked) == 3)
    answered(client, accounts)
    assert outcomes(client) == [("token_expired", {"grace_ms": 25_000})]
    pass_time(identification.GRACE)
    stage.wait(lambda: client.closed_with == [CloseCode.TOKEN_EXPIRED])


def test_a_session_that_is_renewed_while_a_newer_secret_is_verified_is_looked_up_then(
    stage: Stage, accounts: AccountsOnStage, pass_time: Callable[[float], None]
) -> None:
    accounts.has("ann's", is_known=True, expires_at=time.time() + LIFE)
    client = socket(stage, accounts)
    client.asks_to_join("lobby")
    client.says(refresh("stolen"))
    stage.run_turns()
    del accounts.principals["ann's"]
    changed(client, accounts, "renewed", secret=1)
    answered(client, accounts)
    pass_time(1.0)
    stage.wait(lambda: accounts.asked == ["stolen", "ann's"])
    answered(client, accounts)
    assert outcomes(client) == ["unauthorized", ("token_expired", {"grace_ms": 25_000})]


# ---------------------------------------------------------------- rights and names


def test_a_token_to_read_may_not_post_react_or_type(stage: Stage, accounts: AccountsOnStage) -> None:
    accounts.has("ann's", is_known=True, scopes=frozenset({"read"}))
    client = socket(stage, accounts)
    client.asks_to_join("lobby")
    for event in ("new_message", "react", "pin", "edit_message", "delete_message", "typing"):
        client.says(f'["1","2","chat_room:lobby","{event}",{{"name":"ann","message":"x","seq":1,"key":"👍"}}]')
    assert outcomes(client) == ["forbidden"] * 6
    client.says('["1","3","chat_room:lobby","history",{}]')
    assert len(client.told) == 2


def test_a_token_to_post_may_not_join(stage: Stage, accounts: AccountsOnStage) -> None:
    accounts.has("ann's", is_known=True, scopes=frozenset({"post"}))
    client = socket(stage, accounts)
    client.asks_to_join("lobby")
    assert outcomes(client) == ["forbidden"]


def test_a_token_that_may_read_no_more_loses_its_rooms(stage: Stage, accounts: AccountsOnStage) -> None:
    accounts.has("ann's", is_known=True)
    accounts.has("newer", number=2, scopes=frozenset({"post"}))
    client = socket(stage, accounts)
    client.asks_to_join("lobby")
    client.says(refresh("newer"))
    answered(client, accounts)
    assert [type(each).__name__ for each in client.told] == ["Join", "Dismiss"]


def test_guests_of_a_reserved_name_are_asked_for_another(stage: Stage, accounts: AccountsOnStage) -> None:
    accounts.reserved.add("ann")
    client = socket(stage, accounts, secret=None)
    client.asks_to_join("lobby", name="Ann", resync=True)
    assert [frame[4]["response"] for frame in client.heard] == [
        {"reason": "name_taken", "suggestion": "Ann (guest)"},
    ]
    client.asks_to_join("lobby", name="cy", resync=True)
    for event in ("new_message", "react", "pin"):
        client.says(f'["1","2","chat_room:lobby","{event}",{{"name":"Ann","message":"x","seq":1,"key":"👍"}}]')
    assert outcomes(client) == ["name_taken"] * 3
    client.says('["1","2","chat_room:lobby","typing",{"name":"Ann"}]')
    assert [each.name for each in client.told] == ["cy", "Ann (guest)"]


def test_clients_that_read_no_errors_are_shown_as_guests(stage: Stage, accounts: AccountsOnStage) -> None:
    accounts.reserved.add("ann")
    client = socket(stage, accounts, secret=None)
    client.asks_to_join("lobby", name="Ann")
    client.says('["1","2","chat_room:lobby","new_message",{"name":"Ann","message":"x"}]')
    assert [each.name for each in client.told] == ["Ann (guest)", "Ann (guest)"]


def test_a_name_is_reserved_from_the_moment_on_when_its_account_comes(stage: Stage, accounts: AccountsOnStage) -> None:
    client = socket(stage, accounts, secret=None)
    client.asks_to_join("lobby", name="Ann", resync=True)
    accounts.reserved.add("ann")
    changed(client, accounts, "created", id=7)
    client.says('["1","2","chat_room:lobby","new_message",{"name":"Ann","message":"x"}]')
    assert outcomes(client) == ["name_taken"]
    assert client.refreshed == [Author(7, "anna")]
    assert client.told[0].subscriber.guest_name("Ann") == "Ann (guest)"


def test_a_name_that_is_free_again_may_be_had(stage: Stage, accounts: AccountsOnStage) -> None:
    accounts.reserved.add("ann")
    client = socket(stage, accounts, secret=None)
    client.asks_to_join("lobby", name="Ann", resync=True)
    accounts.reserved.clear()
    stage.call(accounts.on_names_freed)
    client.asks_to_join("lobby", name="Ann", resync=True)
    assert outcomes(client) == ["name_taken"]
    assert [each.name for each in client.told] == ["Ann"]


def test_without_accounts_there_is_no_such_event(stage: Stage) -> None:
    client = SocketOnStage(stage)
    client.asks_to_join("lobby")
    client.says(refresh("any"), refresh("any", "chat_room:lobby"))
    assert outcomes(client) == ["unmatched topic", "unknown event"]


def test_a_hook_may_ask_who_joins(stage: Stage, accounts: AccountsOnStage) -> None:
    asked: list[Any] = []
    accounts.has("ann's", is_known=True)

    def authorize(slug: str, params: Any, principal: Any) -> bool:
        asked.append((slug, principal.author.handle))
        return False

    client = socket(stage, accounts, authorize=authorize)
    client.asks_to_join("lobby")
    assert asked == [("lobby", "ann")]
    assert outcomes(client) == ["unauthorized"]


def test_all_connections_of_an_account_share_a_budget(stage: Stage, accounts: AccountsOnStage) -> None:
    accounts.has("ann's", is_known=True)
    client = socket(stage, accounts, message_rate=Rate(0.001, 2))
    others = [socket(stage, accounts, beside=client) for _ in range(4)]
    refused = 0
    for each in [client, *others]:
        each.asks_to_join("lobby")
        each.says(POST, POST)
        refused += outcomes(each).count("rate_limited")
    assert refused == 2  # four times two are the account's


def test_a_connection_is_not_closed_for_what_others_of_its_account_ask(stage: Stage, accounts: AccountsOnStage) -> None:
    accounts.has("ann's", is_known=True)
    client = socket(stage, accounts, message_rate=Rate(0.001, 2), max_ignored_refusals=1)
    others = [socket(stage, accounts, beside=client) for _ in range(8)]
    for each in [client, *others]:
        each.asks_to_join("lobby")
        each.says(POST)
    assert outcomes(others[-1]) == ["rate_limited"]
    client.says(POST)
    assert outcomes(client) == ["rate_limited"]
    assert client.closed_with == []
