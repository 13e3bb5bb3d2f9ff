"""Pykka actors on the asyncio event loop, and futures that threads and coroutines can wait for.

`LoopActor` is a Pykka actor (`start`, `tell`, `ask`, `stop`, `on_start`, `on_stop`, `on_failure`, `ActorDeadError`)
whose mailbox the event loop empties, instead of a thread. An actor that may block, as a database call does, is a
`ThreadActor`.
"""

import asyncio
import concurrent.futures
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import Any, Protocol, TypeAlias, TypeVar, cast
from weakref import WeakKeyDictionary

import pykka
from pykka._actor import ActorInbox
from pykka._envelope import Envelope
from pykka._types import OptExcInfo
from pykka.messages import ProxyCall, ProxyGetAttr, ProxySetAttr, _ActorStop

T = TypeVar("T")

_schedulers: WeakKeyDictionary[asyncio.AbstractEventLoop, "TurnScheduler"] = WeakKeyDictionary()


class Tellable(Protocol):
    """An actor, or what stands before one."""

    def tell(self, message: Any) -> None:
        """Passes `message` on. Any thread may call this."""


class Reply(pykka.Future[T]):
    """The future that `ask` returns: `await` it on an event loop, call `get()` on any other thread."""

    def __init__(self) -> None:
        super().__init__()
        self._future: concurrent.futures.Future[Any] = concurrent.futures.Future()

    def get(self, *, timeout: float | None = None) -> Any:
        """Waits for the value, at most `timeout` seconds.

        Raises `pykka.Timeout`; the actor's own exception; `RuntimeError` where waiting would block a running loop.
        """
        if not self._future.done() and asyncio._get_running_loop() is not None:
            raise RuntimeError("expected `await` on the event loop's thread, got a blocking get()")
        try:
            return super().get(timeout=timeout)
        except NotImplementedError:
            pass  # Pykka raises it where no get hook is set
        try:
            return self._future.result(timeout)
        except concurrent.futures.TimeoutError as error:
            if self._future.done():
                raise  # the actor's own TimeoutError
            raise pykka.Timeout(f"{timeout} seconds") from error

    def when_done(self, callback: Callable[[concurrent.futures.Future[Any]], object]) -> None:
        """Calls `callback` with what has the value or the exception, on the thread that sets it.

        A callback that knows this reply would be a circle, and keep the value until the collector comes.
        """
        self._future.add_done_callback(callback)

    def set(self, value: Any = None) -> None:
        """Sets the value. A second call raises `InvalidStateError`."""
        self._future.set_result(value)

    def set_exception(self, exc_info: OptExcInfo | None = None) -> None:
        """Sets an exception, by default the one being handled."""
        _, value, traceback = exc_info or sys.exc_info()
        if value is None:
            raise ValueError("expected an exception, got none")
        self._future.set_exception(value.with_traceback(traceback))

    def __await__(self) -> Generator[Any, None, Any]:
        if self._get_hook is not None:  # `stop` and `map` wait inside their hook, which must not block the loop
            return asyncio.get_running_loop().run_in_executor(None, self._get_hook, None).__await__()
        answer = asyncio.wrap_future(self._future)
        # Reading the exception keeps asyncio from logging it where the waiter has gone.
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        return asyncio.shield(answer).__await__()  # a waiter that is cancelled must not cancel the actor's answer

    __iter__ = __await__


class ThreadActor(pykka.ThreadingActor):
    """A Pykka actor with its own thread, whose `ask` can also be awaited.

    An error outside a handler fails it too (Pykka's thread would end unnoticed), and no error stops other actors.
    """

    use_daemon_thread = True  # the server stops its actors itself; if that fails, the process must still end

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        super().__init__()
        self.thread_ended = threading.Event()

    @staticmethod
    def _create_actor_inbox() -> ActorInbox:
        return queue.SimpleQueue()  # a put costs the loop 0.1 µs, against 1.6 µs for queue.Queue

    @staticmethod
    def _create_future() -> pykka.Future[Any]:
        return Reply()

    def _actor_loop(self) -> None:
        try:
            super()._actor_loop()
        except BaseException:
            self._handle_failure(*sys.exc_info())
            try:
                self.on_failure(*sys.exc_info())
            except Exception:
                self._handle_failure(*sys.exc_info())
            self._actor_loop_teardown()
        finally:
            self.thread_ended.set()

    def _handle_receive(self, message: Any) -> Any:
        try:
            return super()._handle_receive(message)
        except Exception:
            raise
        except BaseException as error:  # Pykka would stop all actors
            raise RuntimeError(f"{error!r} in a handler") from error


async def stop_thread(actor: pykka.ActorRef[Any], timeout: float) -> bool:
    """Stops a `ThreadActor`. Returns False if its thread has not ended within `timeout` seconds: it hangs in a call."""
    running = actor._actor_weakref()
    if running is None:
        return True
    actor.stop(block=False)
    deadline = time.monotonic() + timeout
    while not running.thread_ended.is_set() and time.monotonic() < deadline:
        await asyncio.sleep(0.002)  # waiting in another thread would keep the process from ending
    return bool(running.thread_ended.is_set())


Turn: TypeAlias = Callable[[], Callable[[], None]]
"""Handles an actor's mail and returns the function that ends the turn."""

PassOn: TypeAlias = Callable[[Any], None]
"""Takes a message that an actor has not handled, which has stopped."""


class TurnScheduler:
    """Runs a turn of each actor that has mail, on one event loop. One wake-up serves all of them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = threading.get_ident()
        self._scheduled: deque[Turn] = deque()
        self._will_run = False
        self.end_turns: Callable[[Iterable[Callable[[], None]]], None] = self.end_each  # the edge gathers writes

    @classmethod
    def of_running_loop(cls) -> "TurnScheduler":
        """Returns the scheduler of the loop that runs in this thread; `RuntimeError` where none does."""
        loop = asyncio.get_running_loop()
        scheduler = _schedulers.get(loop)
        if scheduler is None:
            scheduler = _schedulers[loop] = cls(loop)
        return scheduler

    def schedule(self, turn: Turn) -> None:
        """Calls `turn` soon, on the loop. Any thread may call this."""
        self._scheduled.append(turn)
        if self._will_run:
            return
        self._will_run = True
        if threading.get_ident() == self._thread:
            self._loop.call_soon(self._run)
        else:
            self._wake()

    @staticmethod
    def end_each(ends: Iterable[Callable[[], None]]) -> None:
        """Calls all of `ends`, in order."""
        for end in ends:
            end()

    def _wake(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._run)
        except RuntimeError:
            pass  # the loop is closed: no actor of it handles mail any more

    def _run(self) -> None:
        """Has all actors handle their mail, then ends all their turns.

        Doing one kind of work for many actors in a row takes 3 % less CPU where 1,000 small rooms talk.
        """
        self._will_run = False  # before the count: a turn that is scheduled later wakes the loop again
        self.end_turns([self._scheduled.popleft()() for _ in range(len(self._scheduled))])


class LoopInbox:
    """A mailbox that schedules a turn when the first message arrives."""

    __slots__ = ("_envelopes", "_is_scheduled", "_pass_on", "_scheduler", "_turn")

    def __init__(self) -> None:
        self._scheduler = TurnScheduler.of_running_loop()
        self._envelopes: queue.SimpleQueue[Envelope[Any]] = queue.SimpleQueue()  # 0.2 kB empty; a deque takes 0.6
        self._turn: Turn | None = None  # once it is open, until the actor has stopped
        self._is_scheduled = True  # by `open`, until which mail waits
        self._pass_on: PassOn = _drop

    def open(self, turn: Turn) -> None:
        """Schedules a first `turn`, and from now on one whenever mail arrives."""
        self._turn = turn
        self._schedule()

    def close(self, pass_on: PassOn) -> None:
        """Passes on what is left, and later what a thread puts that has seen the actor alive.

        The actor is let go: it and its mailbox would be a circle, and stay in memory until the collector comes.
        """
        self._pass_on = pass_on
        self._turn = None  # after `_pass_on`, which a thread needs that sees this
        self._empty()

    def put(self, item: Envelope[Any], /) -> None:
        """Adds an envelope. Any thread may call this."""
        self._envelopes.put(item)
        if not self._is_scheduled:
            self._schedule()

    def get(self) -> Envelope[Any]:
        """Takes the oldest envelope. Raises `queue.Empty` instead of waiting."""
        return self._envelopes.get_nowait()

    def empty(self) -> bool:
        """Returns whether no mail waits."""
        return self._envelopes.empty()

    def qsize(self) -> int:
        """Returns how many envelopes wait."""
        return self._envelopes.qsize()

    def begin_turn(self) -> int:
        """Begins a turn and returns how many envelopes belong to it."""
        self._is_scheduled = False  # before the count: mail that another thread adds later schedules the next turn
        return self._envelopes.qsize()

    def _schedule(self) -> None:
        turn = self._turn
        self._is_scheduled = True
        self._scheduler.schedule(self._take_late_turn if turn is None else turn)

    def _take_late_turn(self) -> Callable[[], None]:
        self.begin_turn()
        self._empty()
        return _do_nothing

    def _empty(self) -> None:
        """Passes on what was told, then answers those who asked: the actor is dead."""
        asked: list[tuple[object, pykka.Future[Any]]] = []
        while not self._envelopes.empty():
            envelope = self._envelopes.get_nowait()
            if envelope.reply_to is None:
                self._pass_on(envelope.message)
            else:
                asked.append((envelope.message, envelope.reply_to))
        for message, reply in asked:
            if isinstance(message, _ActorStop):
                reply.set(None)
            else:
                dead = pykka.ActorDeadError("the actor stopped before it handled the message")
                reply.set_exception((pykka.ActorDeadError, dead, None))


def _drop(_message: object) -> None:
    pass


def _do_nothing() -> None:
    pass


class StopFlag:
    """The part of `threading.Event` that Pykka uses, without waiting: 0.05 kB instead of 1."""

    __slots__ = ("_is_set",)

    def __init__(self) -> None:
        self._is_set = False

    def is_set(self) -> bool:
        """Returns whether it was set."""
        return self._is_set

    def set(self) -> None:
        """Sets it; nothing clears it."""
        self._is_set = True


class LoopRef(pykka.ActorRef[Any]):
    """A Pykka reference whose `tell` puts into the mailbox directly, since loop actors tell all the time."""

    actor_inbox: LoopInbox

    def tell(self, message: Any) -> None:
        """Puts `message` into the actor's mailbox. Raises `pykka.ActorDeadError`."""
        if self.actor_stopped.is_set():
            raise pykka.ActorDeadError(f"{self} not found")
        self.actor_inbox.put(Envelope(message))


class LoopActor(pykka.Actor):
    """A Pykka actor whose messages are handled on the event loop that it was started on.

    A turn handles the mail that was there when it began, then calls `on_turn_end`. Later mail waits for the next turn,
    so no actor starves another. Handlers must not block. `start` outside a running loop raises `RuntimeError`.
    """

    actor_inbox: LoopInbox

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        super().__init__()
        self.actor_stopped = cast(threading.Event, StopFlag())
        self._actor_ref = LoopRef(self)

    @classmethod
    def start(cls, *args: Any, **kwargs: Any) -> pykka.ActorRef[Any]:
        """Starts an actor. It is not in Pykka's registry, a list that takes 2 ms to search with 100,000 actors."""
        actor = cls(*args, **kwargs)
        actor._start_actor_loop()
        return actor.actor_ref

    @staticmethod
    def _create_actor_inbox() -> ActorInbox:
        return LoopInbox()

    @staticmethod
    def _create_future() -> pykka.Future[Any]:
        return Reply()

    def on_turn_end(self) -> None:
        """Hook: all messages of a turn have been handled. An exception stops the actor, as one in a handler."""

    def unhandled_to(self) -> PassOn:
        """Hook: returns what takes mail that was never handled. It must not know the actor, which it outlives."""
        return _drop

    def _start_actor_loop(self) -> None:
        self.actor_inbox.open(self._first_turn)

    def _first_turn(self) -> Callable[[], None]:
        self._actor_loop_setup()
        self.actor_inbox._turn = self._take_turn
        return self._take_turn()

    def _take_turn(self) -> Callable[[], None]:
        inbox, stopped = self.actor_inbox, self.actor_stopped
        mail = inbox.begin_turn()
        if stopped.is_set():  # a thread has put this mail while the actor stopped
            self._close_mailbox()
            return self._end_turn
        for _ in range(mail):
            envelope = inbox.get()
            try:
                if type(envelope.message) in _PYKKA_MESSAGES:
                    answer = self._handle_receive(envelope.message)
                else:
                    answer = self.on_receive(envelope.message)
            except Exception:
                if envelope.reply_to is None:
                    self._fail()
                else:
                    envelope.reply_to.set_exception()
            else:
                if envelope.reply_to is not None:
                    envelope.reply_to.set(answer)
            if stopped.is_set():
                self._close_mailbox()  # now: a successor must get this mail before newer messages
                break
        return self._end_turn

    def _end_turn(self) -> None:
        if self.actor_stopped.is_set():
            return
        try:
            self.on_turn_end()
        except Exception:
            self._fail()
        if self.actor_stopped.is_set():
            self._close_mailbox()

    def _fail(self) -> None:
        self._handle_failure(*sys.exc_info())
        try:
            self.on_failure(*sys.exc_info())
        except Exception:
            self._handle_failure(*sys.exc_info())

    def _close_mailbox(self) -> None:
        self.actor_inbox.close(self.unhandled_to())


_PYKKA_MESSAGES = frozenset({_ActorStop, ProxyCall, ProxyGetAttr, ProxySetAttr})
"""Messages that Pykka handles itself. One look-up by type replaces its four `isinstance` checks a message."""


def tell_if_alive(actor: pykka.ActorRef[Any], message: object) -> None:
    """Tells `actor`, or drops `message` where it has stopped."""
    try:
        actor.tell(message)
    except pykka.ActorDeadError:
        pass
