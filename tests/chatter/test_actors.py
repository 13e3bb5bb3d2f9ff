"""What Pykka documents about actors, held by actors on the event loop; and what is special about them."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pykka
import pytest

from chatter.actors import LoopActor, Reply, ThreadActor, tell_if_alive
from tests.support.stage import Stage


class Diary(LoopActor):
    """Writes down what happens to it, and where."""

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

    def on_unhandled(self, message: object) -> None:
        self.entries.append(("dead letter", message))

    def on_receive(self, message: Any) -> Any:
        if isinstance(message, Exception):
            raise message
        if callable(message):
            return message(self)
        self.entries.append(message)
        return f"re: {message}"

    def greet(self, name: str) -> str:
        """For a proxy."""
        return f"hello {name}"


@pytest.fixture
def entries() -> list[Any]:
    return []


@pytest.fixture
def diary(stage: Stage, entries: list[Any]) -> pykka.ActorRef[Any]:
    actor = stage.start(Diary, entries)
    stage.turn()
    entries.clear()
    return actor


def test_an_actor_starts_before_it_reads_its_first_message(stage: Stage, entries: list[Any]) -> None:
    async def start_and_tell() -> None:
        Diary.start(entries).tell("hello")

    stage.run(start_and_tell())
    stage.turn()
    assert entries == ["started", "hello", "turn"]


def test_an_actor_cannot_start_where_no_loop_runs(entries: list[Any]) -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        Diary.start(entries)


def test_messages_are_read_in_the_order_of_telling(
    stage: Stage, diary: pykka.ActorRef[Any], entries: list[Any]
) -> None:
    for number in range(100):
        diary.tell(number)
    stage.turn()
    assert entries == [*range(100), "turn"]


def test_telling_does_not_read(diary: pykka.ActorRef[Any], entries: list[Any]) -> None:
    diary.tell("later")
    assert entries == []


def test_what_is_told_during_a_turn_belongs_to_the_next(
    stage: Stage, diary: pykka.ActorRef[Any], entries: list[Any]
) -> None:
    diary.tell(lambda actor: actor.actor_ref.tell("second"))
    diary.tell("first")
    stage.turn()
    assert entries == ["first", "turn", "second", "turn"]


def test_all_who_have_mail_read_it_before_their_turns_end(
    stage: Stage, diary: pykka.ActorRef[Any], entries: list[Any]
) -> None:
    other = stage.start(Diary, entries)
    stage.turn()
    entries.clear()
    diary.tell("first")
    other.tell("second")
    stage.turn()
    assert entries == ["first", "second", "turn", "turn"]


def test_what_a_dead_actor_was_told_is_passed_on_before_another_has_its_turn(
    stage: Stage, diary: pykka.ActorRef[Any], entries: list[Any]
) -> None:
    other = stage.start(Diary, entries)
    stage.turn()
    entries.clear()
    diary.tell(ValueError("a fault"))
    diary.tell("behind it")
    other.tell("second")
    stage.turn()
    assert entries == [("failed", "a fault"), ("dead letter", "behind it"), "second", "turn"]


def test_no_actor_starves_another(stage: Stage, diary: pykka.ActorRef[Any], entries: list[Any]) -> None:
    def again(actor: Diary) -> None:
        actor.actor_ref.tell(again)

    other: list[Any] = []
    diary.tell(again)
    stage.start(Diary, other).tell("my turn")
    stage.turn()
    assert "my turn" in other


def test_any_thread_may_tell(stage: Stage, diary: pykka.ActorRef[Any], entries: list[Any]) -> None:
    def tell(first: int) -> None:
        for number in range(first, first + 1000):
            diary.tell(number)

    threads = [threading.Thread(target=tell, args=(first,)) for first in (0, 1000, 2000)]
    for thread in threads:
        thread.start()
    stage.until(lambda: len([entry for entry in entries if entry != "turn"]) == 3000)
    numbers = [entry for entry in entries if entry != "turn"]
    assert [n for n in numbers if n < 1000] == list(range(1000))
    assert sorted(numbers) == list(range(3000))


def test_messages_are_handled_on_the_loops_thread(stage: Stage, diary: pykka.ActorRef[Any]) -> None:
    assert stage.run(diary.ask(lambda _: threading.get_ident(), block=False)) == threading.get_ident()


def test_an_answer_can_be_awaited_on_the_loop(stage: Stage, diary: pykka.ActorRef[Any]) -> None:
    assert stage.run(diary.ask("hello", block=False)) == "re: hello"


def test_an_answer_can_be_waited_for_in_a_thread(stage: Stage, diary: pykka.ActorRef[Any]) -> None:
    assert stage.run(asyncio.to_thread(diary.ask, "hello")) == "re: hello"


def test_waiting_for_an_answer_on_the_loop_is_an_error_and_no_deadlock(
    stage: Stage, diary: pykka.ActorRef[Any]
) -> None:
    async def ask() -> None:
        diary.ask("hello")

    with pytest.raises(RuntimeError, match="await"):
        stage.run(ask())


def test_waiting_too_long_raises_pykkas_timeout(diary: pykka.ActorRef[Any]) -> None:
    with pytest.raises(pykka.Timeout):
        diary.ask("hello", timeout=0.01)


def test_one_who_stops_waiting_does_not_harm_the_actor(
    stage: Stage, diary: pykka.ActorRef[Any], entries: list[Any]
) -> None:
    async def ask_briefly() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(diary.ask("hello", block=False), 0)

    stage.run(ask_briefly())
    stage.turn()
    assert diary.is_alive()
    assert "hello" in entries


def test_an_exception_goes_to_the_asker_and_the_actor_lives_on(
    stage: Stage, diary: pykka.ActorRef[Any], entries: list[Any]
) -> None:
    with pytest.raises(ValueError, match="broken"):
        stage.run(diary.ask(ValueError("broken"), block=False))
    assert stage.run(diary.ask("still here", block=False)) == "re: still here"
    assert ("failed", "broken") not in entries


def test_an_exception_that_nobody_asked_for_ends_the_actor(
    stage: Stage, diary: pykka.ActorRef[Any], entries: list[Any]
) -> None:
    diary.tell("before")
    diary.tell(ValueError("broken"))
    diary.tell("after")
    stage.turn()
    assert entries == ["before", ("failed", "broken"), ("dead letter", "after")]
    assert not diary.is_alive()
    assert diary not in pykka.ActorRegistry.get_all()


def test_an_exception_at_the_end_of_a_turn_ends_the_actor(stage: Stage, entries: list[Any]) -> None:
    class Tired(Diary):
        def on_turn_end(self) -> None:
            raise ValueError("too tired")

    actor = stage.start(Tired, entries)
    stage.turn()
    assert entries == ["started", ("failed", "too tired")]
    assert not actor.is_alive()


def test_an_exception_at_the_start_ends_the_actor(stage: Stage, entries: list[Any]) -> None:
    class Stillborn(Diary):
        def on_start(self) -> None:
            raise ValueError("no")

    actor = stage.start(Stillborn, entries)
    asked = actor.ask("hello", block=False)
    stage.turn()
    assert not actor.is_alive()
    with pytest.raises(pykka.ActorDeadError):
        stage.run(asked)


def test_a_stop_comes_after_what_was_told_before(stage: Stage, diary: pykka.ActorRef[Any], entries: list[Any]) -> None:
    diary.tell("before")
    stopped = diary.stop(block=False)
    asked_after = diary.ask("after", block=False)
    assert stage.run(stopped) is True
    assert entries == ["before", "stopped"]
    with pytest.raises(pykka.ActorDeadError):
        stage.run(asked_after)


def test_stopping_a_dead_actor_says_so(stage: Stage, diary: pykka.ActorRef[Any]) -> None:
    assert stage.run(diary.stop(block=False)) is True
    assert stage.run(diary.stop(block=False)) is False


def test_an_actor_can_stop_itself(stage: Stage, diary: pykka.ActorRef[Any], entries: list[Any]) -> None:
    diary.tell(lambda actor: actor.stop())
    stage.turn()
    assert entries[-1] == "stopped"
    assert not diary.is_alive()


@pytest.mark.parametrize("use", [lambda actor: actor.tell("x"), lambda actor: actor.ask("x")])
def test_a_dead_actor_takes_no_messages(
    stage: Stage, diary: pykka.ActorRef[Any], use: Callable[[pykka.ActorRef[Any]], None]
) -> None:
    stage.run(diary.stop(block=False))
    with pytest.raises(pykka.ActorDeadError):
        use(diary)
    tell_if_alive(diary, "x")


def test_a_proxy_works_as_with_any_actor(stage: Stage, diary: pykka.ActorRef[Any]) -> None:
    def use_proxy() -> tuple[str, int]:
        proxy = diary.proxy()
        return proxy.greet("ann").get(), proxy.answer.get()

    assert stage.run(asyncio.to_thread(use_proxy)) == ("hello ann", 42)


def test_mapped_answers_can_be_awaited(stage: Stage, diary: pykka.ActorRef[Any]) -> None:
    assert stage.run(diary.ask("hello", block=False).map(len)) == len("re: hello")


def test_an_answer_is_given_once() -> None:
    reply: Reply[int] = Reply()
    reply.set(1)
    assert (reply.get(), reply.get()) == (1, 1)
    with pytest.raises(Exception, match=r".*"):
        reply.set(2)


class Clerk(ThreadActor):
    """Answers with the thread it works in, or fails as it is told to."""

    def on_receive(self, message: object) -> int:
        if isinstance(message, Exception):
            raise message
        return threading.get_ident()


def test_a_thread_actor_works_beside_the_loop_and_can_be_awaited(stage: Stage) -> None:
    clerk = Clerk.start()
    assert stage.run(clerk.ask("where?", block=False)) != threading.get_ident()
    with pytest.raises(ValueError, match="broken"):
        stage.run(clerk.ask(ValueError("broken"), block=False))
    assert stage.run(clerk.stop(block=False)) is True


def test_the_actors_own_timeout_is_not_taken_for_the_waiters(stage: Stage) -> None:
    clerk = Clerk.start()
    with pytest.raises(TimeoutError, match="mine"):
        clerk.ask(TimeoutError("mine"))
    clerk.stop()
