"""Actors on the event loop behave as Pykka documents, and have turns besides."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pykka
import pytest
from pykka._envelope import Envelope

from chatter.actors import LoopActor, PassOn, Reply, ThreadActor, tell_if_alive
from tests.support.memory import is_in_memory, no_collector
from tests.support.stage import Stage


class RecordingActor(LoopActor):
    """RecordingActor appends each call of a hook and each message to `entries`."""

    def __init__(self, entries: list[Any]) -> None:
        super().__init__()
        self.entries = entries
        self.answer = 42

    def on_start(self) -> None:
        self.entries.append("started")

    def on_stop(self) -> None:
        self.entries.append("stopped")

    def on_failure(self, *why: object) -> None:
        self.entries.append(("failed", str(why[1])))

    def on_turn_end(self) -> None:
        self.entries.append("turn")

    def unhandled_to(self) -> PassOn:
        entries = self.entries
        return lambda message: entries.append(("dead letter", message))

    def on_receive(self, message: Any) -> Any:
        if isinstance(message, Exception):
            raise message
        if callable(message):
            return message(self)
        self.entries.append(message)
        return f"re: {message}"

    def greet(self, name: str) -> str:
        return f"hello {name}"


@pytest.fixture
def entries() -> list[Any]:
    return []


@pytest.fixture
def actor(stage: Stage, entries: list[Any]) -> pykka.ActorRef[Any]:
    ref = stage.start(RecordingActor, entries)
    stage.run_turns()
    entries.clear()
    return ref


def test_an_actor_starts_before_it_handles_its_first_message(stage: Stage, entries: list[Any]) -> None:
    async def start_and_tell() -> None:
        RecordingActor.start(entries).tell("hello")

    stage.run(start_and_tell())
    stage.run_turns()
    assert entries == ["started", "hello", "turn"]


def test_an_actor_cannot_start_where_no_loop_runs(entries: list[Any]) -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        RecordingActor.start(entries)


def test_messages_are_handled_in_the_order_in_which_they_are_told(
    stage: Stage, actor: pykka.ActorRef[Any], entries: list[Any]
) -> None:
    for number in range(100):
        actor.tell(number)
    stage.run_turns()
    assert entries == [*range(100), "turn"]


def test_telling_does_not_handle_the_message_at_once(actor: pykka.ActorRef[Any], entries: list[Any]) -> None:
    actor.tell("later")
    assert entries == []


def test_a_message_told_during_a_turn_is_handled_in_the_next(
    stage: Stage, actor: pykka.ActorRef[Any], entries: list[Any]
) -> None:
    actor.tell(lambda self: self.actor_ref.tell("second"))
    actor.tell("first")
    stage.run_turns()
    assert entries == ["first", "turn", "second", "turn"]


def test_all_actors_handle_their_mail_before_any_turn_ends(
    stage: Stage, actor: pykka.ActorRef[Any], entries: list[Any]
) -> None:
    other = stage.start(RecordingActor, entries)
    stage.run_turns()
    entries.clear()
    actor.tell("first")
    other.tell("second")
    stage.run_turns()
    assert entries == ["first", "second", "turn", "turn"]


def test_the_mail_of_a_failed_actor_is_passed_on_before_another_has_its_turn(
    stage: Stage, actor: pykka.ActorRef[Any], entries: list[Any]
) -> None:
    other = stage.start(RecordingActor, entries)
    stage.run_turns()
    entries.clear()
    actor.tell(ValueError("a fault"))
    actor.tell("behind it")
    other.tell("second")
    stage.run_turns()
    assert entries == [("failed", "a fault"), ("dead letter", "behind it"), "second", "turn"]


def test_no_actor_starves_another(stage: Stage, actor: pykka.ActorRef[Any], entries: list[Any]) -> None:
    def again(self: RecordingActor) -> None:
        self.actor_ref.tell(again)

    other: list[Any] = []
    actor.tell(again)
    stage.start(RecordingActor, other).tell("my turn")
    stage.run_turns()
    assert "my turn" in other


def test_any_thread_may_tell(stage: Stage, actor: pykka.ActorRef[Any], entries: list[Any]) -> None:
    def tell(first: int) -> None:
        for number in range(first, first + 1000):
            actor.tell(number)

    threads = [threading.Thread(target=tell, args=(first,)) for first in (0, 1000, 2000)]
    for thread in threads:
        thread.start()
    stage.run_until(lambda: len([entry for entry in entries if entry != "turn"]) == 3000)
    numbers = [entry for entry in entries if entry != "turn"]
    assert [n for n in numbers if n < 1000] == list(range(1000))
    assert sorted(numbers) == list(range(3000))


def test_messages_are_handled_on_the_loops_thread(stage: Stage, actor: pykka.ActorRef[Any]) -> None:
    assert stage.run(actor.ask(lambda _: threading.get_ident(), block=False)) == threading.get_ident()


def test_an_answer_can_be_awaited_on_the_loop(stage: Stage, actor: pykka.ActorRef[Any]) -> None:
    assert stage.run(actor.ask("hello", block=False)) == "re: hello"


def test_an_answer_can_be_waited_for_in_a_thread(stage: Stage, actor: pykka.ActorRef[Any]) -> None:
    assert stage.run(asyncio.to_thread(actor.ask, "hello")) == "re: hello"


def test_a_blocking_ask_on_the_loop_is_an_error_and_no_deadlock(stage: Stage, actor: pykka.ActorRef[Any]) -> None:
    async def ask() -> None:
        actor.ask("hello")

    with pytest.raises(RuntimeError, match="await"):
        stage.run(ask())


def test_an_ask_that_takes_too_long_raises_pykkas_timeout(actor: pykka.ActorRef[Any]) -> None:
    with pytest.raises(pykka.Timeout):
        actor.ask("hello", timeout=0.01)


def test_a_cancelled_ask_does_not_harm_the_actor(stage: Stage, actor: pykka.ActorRef[Any], entries: list[Any]) -> None:
    async def ask_briefly() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(actor.ask("hello", block=False), 0)

    stage.run(ask_briefly())
    stage.run_turns()
    assert actor.is_alive()
    assert "hello" in entries


def test_an_exception_in_an_ask_goes_to_the_asker_and_the_actor_lives_on(
    stage: Stage, actor: pykka.ActorRef[Any], entries: list[Any]
) -> None:
    with pytest.raises(ValueError, match="broken"):
        stage.run(actor.ask(ValueError("broken"), block=False))
    assert stage.run(actor.ask("still here", block=False)) == "re: still here"
    assert ("failed", "broken") not in entries


def test_an_exception_in_a_tell_ends_the_actor(stage: Stage, actor: pykka.ActorRef[Any], entries: list[Any]) -> None:
    actor.tell("before")
    actor.tell(ValueError("broken"))
    actor.tell("after")
    stage.run_turns()
    assert entries == ["before", ("failed", "broken"), ("dead letter", "after")]
    assert not actor.is_alive()
    assert actor not in pykka.ActorRegistry.get_all()


def test_an_exception_at_the_end_of_a_turn_ends_the_actor(stage: Stage, entries: list[Any]) -> None:
    class FailsAtTurnEnd(RecordingActor):
        def on_turn_end(self) -> None:
            raise ValueError("too tired")

    actor = stage.start(FailsAtTurnEnd, entries)
    stage.run_turns()
    assert entries == ["started", ("failed", "too tired")]
    assert not actor.is_alive()


def test_an_exception_at_the_start_ends_the_actor(stage: Stage, entries: list[Any]) -> None:
    class FailsAtStart(RecordingActor):
        def on_start(self) -> None:
            raise ValueError("no")

    actor = stage.start(FailsAtStart, entries)
    asked = actor.ask("hello", block=False)
    stage.run_turns()
    assert not actor.is_alive()
    with pytest.raises(pykka.ActorDeadError):
        stage.run(asked)


def test_a_stop_comes_after_the_messages_told_before_it(
    stage: Stage, actor: pykka.ActorRef[Any], entries: list[Any]
) -> None:
    actor.tell("before")
    stopped = actor.stop(block=False)
    asked_after = actor.ask("after", block=False)
    assert stage.run(stopped) is True
    assert entries == ["before", "stopped"]
    with pytest.raises(pykka.ActorDeadError):
        stage.run(asked_after)


def test_stopping_a_stopped_actor_returns_false(stage: Stage, actor: pykka.ActorRef[Any]) -> None:
    assert stage.run(actor.stop(block=False)) is True
    assert stage.run(actor.stop(block=False)) is False


def test_an_actor_can_stop_itself(stage: Stage, actor: pykka.ActorRef[Any], entries: list[Any]) -> None:
    actor.tell(lambda self: self.stop())
    stage.run_turns()
    assert entries[-1] == "stopped"
    assert not actor.is_alive()


@pytest.mark.parametrize("use", [lambda self: self.tell("x"), lambda self: self.ask("x")])
def test_a_stopped_actor_takes_no_messages(
    stage: Stage, actor: pykka.ActorRef[Any], use: Callable[[pykka.ActorRef[Any]], None]
) -> None:
    stage.run(actor.stop(block=False))
    with pytest.raises(pykka.ActorDeadError):
        use(actor)
    tell_if_alive(actor, "x")


def test_a_stopped_actor_leaves_memory_at_once(stage: Stage, actor: pykka.ActorRef[Any]) -> None:
    with no_collector():
        stage.run(actor.stop(block=False))
        stage.run_turns()
        assert not is_in_memory(actor)


def test_what_a_thread_tells_or_asks_a_stopped_actor_that_it_saw_alive_is_passed_on_or_answered(
    stage: Stage, actor: pykka.ActorRef[Any], entries: list[Any]
) -> None:
    stage.run(actor.stop(block=False))
    stage.run_turns()
    asked: Reply[Any] = Reply()
    actor.actor_inbox.put(Envelope("ask", reply_to=asked))
    actor.actor_inbox.put(Envelope("tell"))
    stage.run_turns()
    assert entries[-1] == ("dead letter", "tell")
    with pytest.raises(pykka.ActorDeadError):
        stage.run(asked)


def test_a_proxy_works_as_with_any_actor(stage: Stage, actor: pykka.ActorRef[Any]) -> None:
    def use_proxy() -> tuple[str, int]:
        proxy = actor.proxy()
        return proxy.greet("ann").get(), proxy.answer.get()

    assert stage.run(asyncio.to_thread(use_proxy)) == ("hello ann", 42)


def test_mapped_answers_can_be_awaited(stage: Stage, actor: pykka.ActorRef[Any]) -> None:
    assert stage.run(actor.ask("hello", block=False).map(len)) == len("re: hello")


def test_a_reply_can_be_set_once() -> None:
    reply: Reply[int] = Reply()
    reply.set(1)
    assert (reply.get(), reply.get()) == (1, 1)
    with pytest.raises(Exception, match=r".*"):
        reply.set(2)


class ThreadReporter(ThreadActor):
    """ThreadReporter answers with its thread, or raises the exception it is told."""

    def on_receive(self, message: object) -> int:
        if isinstance(message, Exception):
            raise message
        return threading.get_ident()


def test_a_thread_actor_works_beside_the_loop_and_can_be_awaited(stage: Stage) -> None:
    reporter = ThreadReporter.start()
    assert stage.run(reporter.ask("where?", block=False)) != threading.get_ident()
    with pytest.raises(ValueError, match="broken"):
        stage.run(reporter.ask(ValueError("broken"), block=False))
    assert stage.run(reporter.stop(block=False)) is True


def test_a_timeout_error_of_the_actor_itself_reaches_the_asker(stage: Stage) -> None:
    reporter = ThreadReporter.start()
    with pytest.raises(TimeoutError, match="mine"):
        reporter.ask(TimeoutError("mine"))
    reporter.stop()
