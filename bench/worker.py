"""One process of the generator: its share of the people, one epoll, an open loop.

Open loop: what is to be sent when is laid down before a step begins, and does not wait for the server. A message that
leaves late, because this process or the server was busy, counts from the time at which it was to leave.
"""

import gc
import resource
import select
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from multiprocessing.connection import Connection as Pipe
from typing import NamedTuple

from bench import frames
from bench.connection import Connection, State
from bench.delivery_check import DeliveryCheck
from bench.message_stamp import TIME, MessageStamp, message_text
from bench.plan import SECOND, Arrival, Group, Outcome, Step, Talk, schedule

BUFFER = 256 * 1024
"""Bytes taken at once from a connection."""

FINE = 2_000_000
"""Nanoseconds before something is due from which on epoll's milliseconds are too coarse."""

LOOK_EVERY = SECOND // 20
"""How often it is looked whether a step is over, or hopeless."""

QUIET = SECOND // 3
"""Without a byte for so long a server is taken to have said everything."""

SETTLED_WITHIN = 10 * SECOND

ARRIVED_WITHIN = 60 * SECOND

NEVER = 1 << 62


class Action(NamedTuple):
    """Something to send, or without bytes somebody to set out."""

    due: int
    connection: Connection
    data: bytes


class Worker:
    """The public methods are what the other end of the pipe asks for."""

    def __init__(self, number: int, workers: int, port: int) -> None:
        self._number = number
        self._workers = workers
        self._port = port
        self._handshake = frames.handshake(port)
        self._epoll = select.epoll()
        self._buffer = bytearray(BUFFER)
        self._view = memoryview(self._buffer)
        self._groups: dict[str, Group] = {}
        self._people: dict[str, list[Connection]] = {}
        self._by_fd: dict[int, Connection] = {}
        self._outcome = Outcome()
        self._arrival: Arrival | None = None
        self._waiting: Iterator[Connection] = iter(())
        self._to_come = 0
        self._under_way = 0
        self._heard_at = 0

    def run(self, step: Step, begin: int) -> Outcome:
        """One step, beginning at `begin`."""
        outcome = self._outcome = Outcome()
        actions = [action for talk in step.talks for action in self._words(step, talk, begin)]
        actions += self._expect(step.arrival, begin)
        actions.sort(key=lambda action: action.due)
        checks = [DeliveryCheck(step, talk, self._groups[talk.group], self._people[talk.group]) for talk in step.talks]
        ear = next((one for talk in step.talks for one in self._people[talk.group] if one.is_read), None)
        spoken = max((begin + round((step.warm_up + step.seconds) * SECOND), begin) if step.talks else (begin,))
        latest = spoken + round(step.patience * SECOND)

        def is_over(now: int) -> bool:
            if self._to_come:
                return now > begin + ARRIVED_WITHIN
            if ear is not None and _delay(ear) > step.give_up_at * SECOND:
                outcome.gave_up = True
                return True
            return now >= spoken and (now >= latest or all(check.is_complete() for check in checks))

        cpu = _cpu()
        self._loop(actions, is_over)
        outcome.cpu = _cpu() - cpu
        outcome.failed += self._to_come
        for check in checks:
            check.settle(outcome, begin)
        return outcome

    def settle(self) -> bool:
        """Listen until nothing has come for a while; whether that is so."""
        until = time.monotonic_ns() + SETTLED_WITHIN
        self._heard_at = time.monotonic_ns()
        self._loop([], lambda now: now - self._heard_at > QUIET or now > until)
        return time.monotonic_ns() <= until

    def heartbeat(self) -> bool:
        """Everybody says that they are still there; whether all were answered, and nothing comes any more."""
        beat = frames.heartbeat()
        everybody = [person for people in self._people.values() for person in people]
        unanswered = {person: person.bytes for person in everybody if person.state in (State.IN, State.CONNECTED)}
        for person in unanswered:
            person.send(beat, self._epoll)
        until = time.monotonic_ns() + SETTLED_WITHIN

        def are_answered() -> bool:
            return all(person.bytes > before for person, before in unanswered.items())

        self._loop([], lambda now: now > until or are_answered())
        return are_answered() and self.settle()

    def close(self) -> None:
        """Everybody goes."""
        for person in self._by_fd.values():
            person.end()

    # ---------------------------------------------------------------- before a step

    def _words(self, step: Step, talk: Talk, begin: int) -> Iterator[Action]:
        group = self._groups[talk.group]
        talkers = {person.publisher: person for person in self._people[talk.group] if person.publisher is not None}
        for due, publisher, number in schedule(step, talk, group, begin):
            person = talkers.get(publisher)
            if person is None:
                continue
            topic = person.topics[number // group.publishers % group.topics]
            message = message_text(MessageStamp(due, publisher, number), step.size)
            said = {"name": f"u{person.member}", "message": message}
            yield Action(due, person, frames.push(str(number + 2), topic, "new_message", said))

    def _expect(self, arrival: Arrival | None, begin: int) -> list[Action]:
        """Who comes in this step; those who come at a certain rate are returned with the time at which they do."""
        self._arrival, self._waiting, self._to_come, self._under_way = arrival, iter(()), 0, 0
        if arrival is None:
            return []
        people = self._people[arrival.group.name] if arrival.only == "join" else self._recruit(arrival.group)
        self._to_come = len(people)
        begin += round(arrival.delay * SECOND)
        if not arrival.rate:
            first = people[: max(1, arrival.under_way // self._workers)]
            self._waiting = iter(people[len(first) :])
            return [Action(begin, person, b"") for person in first]
        return [Action(begin + round(person.member * SECOND / arrival.rate), person, b"") for person in people]

    def _recruit(self, group: Group) -> list[Connection]:
        """The share of a group that this process has."""
        self._groups[group.name] = group
        in_full = group.read_in_full()
        publishers = {group.publisher(number): number for number in range(group.publishers)}
        rooms_with_reader: set[int] = set()
        people = self._people[group.name] = []
        for member in range(self._number, group.size, self._workers):
            room = group.room_of(member)
            topics = group.topics_of(room)
            joins = _joins(group, member, topics)
            # One at least of those who are read in full has to be a measure for those whose bytes are counted.
            is_measure = member not in publishers and room not in rooms_with_reader
            person = Connection(member, room, topics, joins, is_read=member in in_full or is_measure)
            person.publisher = publishers.get(member)
            if person.is_read and person.publisher is None:
                rooms_with_reader.add(room)
            people.append(person)
        return people

    # ---------------------------------------------------------------- the loop

    def _loop(self, actions: Sequence[Action], is_over: Callable[[int], bool]) -> None:
        position, due, look = 0, actions[0].due if actions else NEVER, 0
        while True:
            now = time.monotonic_ns()
            if now >= look:
                if is_over(now):
                    return
                look = now + LOOK_EVERY
            for fd, events in self._wait(min(due, look) - now):
                if time.monotonic_ns() >= due:
                    position = self._act(actions, position)
                    due = actions[position].due if position < len(actions) else NEVER
                self._take(self._by_fd[fd], events)
            if time.monotonic_ns() >= due:
                position = self._act(actions, position)
                due = actions[position].due if position < len(actions) else NEVER

    def _wait(self, nanoseconds: int) -> Iterable[tuple[int, int]]:
        if nanoseconds <= 0:
            return self._epoll.poll(0)
        if nanoseconds < FINE:
            select.select([self._epoll], [], [], nanoseconds / SECOND)
            return self._epoll.poll(0)
        return self._epoll.poll((nanoseconds - FINE // 2) / SECOND)

    def _act(self, actions: Sequence[Action], position: int) -> int:
        """Do what is due; returns the position of what is not due yet."""
        outcome = self._outcome
        while position < len(actions):
            now = time.monotonic_ns()
            due, connection, data = actions[position]
            if due > now:
                break
            if data:
                outcome.sent += 1
                outcome.late = max(outcome.late, (now - due) / SECOND)
                connection.send(data, self._epoll)
            else:
                self._set_out(connection, due)
            position += 1
        return position

    def _take(self, connection: Connection, events: int) -> None:
        if events & select.EPOLLOUT:
            connection.flush(self._epoll)
        if events & ~select.EPOLLOUT:
            self._heard_at = connection.listen(self._buffer, self._view)
            if connection.state is not State.IN:
                self._advance(connection)

    # ---------------------------------------------------------------- coming

    def _set_out(self, connection: Connection, due: int) -> None:
        assert self._arrival is not None
        connection.due = due
        self._outcome.first_at = self._outcome.first_at or due
        if self._arrival.only == "join":
            connection.join(self._epoll)
            return
        try:
            connection.connect(self._port, self._handshake, self._epoll)
        except OSError:
            connection.end()
            self._came(connection)
        else:
            self._by_fd[connection.fd] = connection

    def _advance(self, connection: Connection) -> None:
        arrival = self._arrival
        if arrival is None:
            return
        if connection.state is State.SHAKING and connection.is_shaken():
            if arrival.only == "connect":
                self._came(connection)
            else:
                connection.join(self._epoll)
        elif (connection.state is State.JOINING and connection.is_let_in(arrival.greeting)) or (
            connection.state is State.GONE
        ):
            self._came(connection)

    def _came(self, connection: Connection) -> None:
        """One more is in, or will never be; the next may come."""
        assert self._arrival is not None
        outcome = self._outcome
        self._to_come -= 1
        if connection.state is State.GONE:
            outcome.failed += 1
        else:
            outcome.arrived += 1
            outcome.last_at = max(outcome.last_at, self._heard_at)
            outcome.joins.append((self._heard_at - connection.due) // 1000)
        after = next(self._waiting, None)
        if after is not None:
            self._set_out(after, time.monotonic_ns())


def serve(pipe: Pipe, number: int, workers: int, port: int) -> None:
    """What the process runs: do what comes through the pipe, until it says to close."""
    gc.disable()  # nothing here refers to itself, and a collection would be late for what is due
    worker = Worker(number, workers, port)
    while True:
        name, arguments = pipe.recv()
        try:
            pipe.send(getattr(worker, name)(*arguments))
        except Exception as error:
            pipe.send(error)
            raise
        if name == "close":
            return


def _joins(group: Group, member: int, topics: Sequence[str]) -> bytes:
    payload = {"name": f"u{member}"} if group.shown else {}
    return b"".join(frames.join(topic, payload) for topic in topics)


def _delay(ear: Connection) -> int:
    """How late the newest message was that somebody heard."""
    if not ear.heard:
        return 0
    came, found = ear.heard[-1]
    return came - int(found[-1][:TIME])


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
