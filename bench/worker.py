"""Runs one generator process: a share of the connections, on one epoll.

The loop is open: the send times of a step are planned before it begins and do not depend on the server. A message that
is sent late, because this process or the server was busy, is timed from its planned send time.
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
from bench.plan import SECOND, Arrival, Group, Outcome, Step, Traffic, schedule

BUFFER = 256 * 1024
"""Bytes of one read from a connection."""

SELECT_BELOW = 2_000_000
"""Nanoseconds. Shorter waits use `select`, because epoll's timeout is in milliseconds."""

CHECK_INTERVAL = SECOND // 20
"""Time between two checks whether a step is over or has to be aborted."""

QUIET_PERIOD = SECOND // 3
"""A server that sends nothing for this long counts as quiet."""

QUIET_TIMEOUT = 10 * SECOND

ARRIVAL_TIMEOUT = 60 * SECOND

NEVER = 1 << 62


class ScheduledAction(NamedTuple):
    """Sends `data` at `due`, or starts the connection if `data` is empty."""

    due: int
    connection: Connection
    data: bytes


class Worker:
    """Owns this process's connections. Its public methods are called through the pipe."""

    def __init__(self, number: int, workers: int, ports: Sequence[int]) -> None:
        self._number = number
        self._workers = workers
        self._ports = ports
        self._epoll = select.epoll()
        self._buffer = bytearray(BUFFER)
        self._view = memoryview(self._buffer)
        self._groups: dict[str, Group] = {}
        self._people: dict[str, list[Connection]] = {}
        self._by_fd: dict[int, Connection] = {}
        self._outcome = Outcome()
        self._arrival: Arrival | None = None
        self._not_started: Iterator[Connection] = iter(())
        self._arrivals_left = 0
        self._last_receipt_at = 0

    def run(self, step: Step, begin: int) -> Outcome:
        """Runs one step that starts at `begin`."""
        outcome = self._outcome = Outcome()
        actions = [action for traffic in step.traffic for action in self._planned_sends(step, traffic, begin)]
        actions += self._plan_arrival(step.arrival, begin)
        actions.sort(key=lambda action: action.due)
        checks = [
            DeliveryCheck(step, traffic, self._groups[traffic.group], self._people[traffic.group])
            for traffic in step.traffic
        ]
        people = (person for traffic in step.traffic for person in self._people[traffic.group])
        probe = next((person for person in people if person.is_recorded), None)
        last_send = max((begin + round((step.warm_up + step.seconds) * SECOND), begin) if step.traffic else (begin,))
        deadline = last_send + round(step.drain_timeout * SECOND)

        def is_over(now: int) -> bool:
            if self._arrivals_left:
                return now > begin + ARRIVAL_TIMEOUT
            if probe is not None and _latest_delay(probe) > step.abort_latency * SECOND:
                outcome.aborted = True
                return True
            return now >= last_send and (now >= deadline or all(check.is_complete() for check in checks))

        cpu = _cpu_seconds()
        self._loop(actions, is_over)
        outcome.generator_cpu = _cpu_seconds() - cpu
        outcome.failed += self._arrivals_left
        for check in checks:
            check.add_to(outcome, begin)
        return outcome

    def wait_until_quiet(self) -> bool:
        """Receives until nothing has arrived for a while; returns False on timeout."""
        until = time.monotonic_ns() + QUIET_TIMEOUT
        self._last_receipt_at = time.monotonic_ns()
        self._loop([], lambda now: now - self._last_receipt_at > QUIET_PERIOD or now > until)
        return time.monotonic_ns() <= until

    def heartbeat(self) -> bool:
        """Sends heartbeats; returns whether all were answered and the server is quiet."""
        heartbeat = frames.heartbeat()
        everybody = [person for people in self._people.values() for person in people]
        open_states = (State.CONNECTED, State.JOINED)
        unanswered = {person: person.bytes_received for person in everybody if person.state in open_states}
        for person in unanswered:
            person.send(heartbeat, self._epoll)
        until = time.monotonic_ns() + QUIET_TIMEOUT

        def are_answered() -> bool:
            return all(person.bytes_received > before for person, before in unanswered.items())

        self._loop([], lambda now: now > until or are_answered())
        return are_answered() and self.wait_until_quiet()

    def close(self) -> None:
        """Closes all connections."""
        for person in self._by_fd.values():
            person.close()

    # ---------------------------------------------------------------- plan of a step

    def _planned_sends(self, step: Step, traffic: Traffic, begin: int) -> Iterator[ScheduledAction]:
        group = self._groups[traffic.group]
        publishers = {
            person.publisher: person for person in self._people[traffic.group] if person.publisher is not None
        }
        for due, publisher, number in schedule(step, traffic, group, begin):
            person = publishers.get(publisher)
            if person is None:
                continue
            topic = person.topics[number // group.publishers % group.topics]
            text = message_text(MessageStamp(due, publisher, number), step.message_size)
            payload = {"name": f"u{person.member}", "message": text}
            yield ScheduledAction(due, person, frames.push(str(number + 2), topic, "new_message", payload))

    def _plan_arrival(self, arrival: Arrival | None, begin: int) -> list[ScheduledAction]:
        """Plans who starts when. Without a rate only the first ones are planned; each arrival starts the next."""
        self._arrival, self._not_started, self._arrivals_left = arrival, iter(()), 0
        if arrival is None:
            return []
        people = self._people[arrival.group.name] if arrival.only == "join" else self._create_connections(arrival.group)
        self._arrivals_left = len(people)
        begin += round(arrival.delay * SECOND)
        if not arrival.rate:
            first = people[: max(1, arrival.concurrency // self._workers)]
            self._not_started = iter(people[len(first) :])
            return [ScheduledAction(begin, person, b"") for person in first]
        return [ScheduledAction(begin + round(person.member * SECOND / arrival.rate), person, b"") for person in people]

    def _create_connections(self, group: Group) -> list[Connection]:
        """Creates this process's share of a group, not yet connected."""
        self._groups[group.name] = group
        recorded = group.recorded_members()
        publishers = {group.member_of_publisher(number): number for number in range(group.publishers)}
        rooms_with_reference: set[int] = set()
        people = self._people[group.name] = []
        for member in range(self._number, group.size, self._workers):
            room = group.room_of(member)
            topics = group.topics_of(room)
            joins = _join_frames(group, member, topics)
            # Byte counts are compared within a process, so each room needs a recorded non-publisher here.
            is_reference = member not in publishers and room not in rooms_with_reference
            person = Connection(member, room, topics, joins, is_recorded=member in recorded or is_reference)
            person.token = group.token_of(member)
            person.publisher = publishers.get(member)
            if person.is_recorded and person.publisher is None:
                rooms_with_reference.add(room)
            people.append(person)
        return people

    # ---------------------------------------------------------------- event loop

    def _loop(self, actions: Sequence[ScheduledAction], is_over: Callable[[int], bool]) -> None:
        position, due, next_check = 0, actions[0].due if actions else NEVER, 0
        while True:
            now = time.monotonic_ns()
            if now >= next_check:
                if is_over(now):
                    return
                next_check = now + CHECK_INTERVAL
            for fd, events in self._wait(min(due, next_check) - now):
                if time.monotonic_ns() >= due:
                    position = self._run_due(actions, position)
                    due = actions[position].due if position < len(actions) else NEVER
                self._on_event(self._by_fd[fd], events)
            if time.monotonic_ns() >= due:
                position = self._run_due(actions, position)
                due = actions[position].due if position < len(actions) else NEVER

    def _wait(self, nanoseconds: int) -> Iterable[tuple[int, int]]:
        if nanoseconds <= 0:
            return self._epoll.poll(0)
        if nanoseconds < SELECT_BELOW:
            select.select([self._epoll], [], [], nanoseconds / SECOND)
            return self._epoll.poll(0)
        return self._epoll.poll((nanoseconds - SELECT_BELOW // 2) / SECOND)

    def _run_due(self, actions: Sequence[ScheduledAction], position: int) -> int:
        """Runs the due actions from `position`; returns the position of the next one."""
        outcome = self._outcome
        while position < len(actions):
            now = time.monotonic_ns()
            due, connection, data = actions[position]
            if due > now:
                break
            if data:
                outcome.sent += 1
                outcome.max_send_delay = max(outcome.max_send_delay, (now - due) / SECOND)
                connection.send(data, self._epoll)
            else:
                self._start(connection, due)
            position += 1
        return position

    def _on_event(self, connection: Connection, events: int) -> None:
        if events & select.EPOLLOUT:
            connection.flush(self._epoll)
        if events & ~select.EPOLLOUT:
            self._last_receipt_at = connection.receive(self._buffer, self._view)
            if connection.state is not State.JOINED:
                self._advance(connection)

    # ---------------------------------------------------------------- arrivals

    def _start(self, connection: Connection, due: int) -> None:
        arrival = self._arrival
        assert arrival is not None
        connection.start_due = due
        self._outcome.first_started_at = self._outcome.first_started_at or due
        if arrival.only == "join":
            connection.join(self._epoll)
            return
        try:
            port = self._ports[arrival.group.node_of(connection.member, len(self._ports))]
            connection.connect(port, frames.handshake(port, connection.token), self._epoll)
        except OSError:
            connection.close()
            self._arrived(connection)
        else:
            self._by_fd[connection.fd] = connection

    def _advance(self, connection: Connection) -> None:
        arrival = self._arrival
        if arrival is None:
            return
        if connection.state is State.HANDSHAKE and connection.try_finish_handshake():
            if arrival.only == "connect":
                self._arrived(connection)
            else:
                connection.join(self._epoll)
        elif (connection.state is State.JOINING and connection.try_finish_join(arrival.history)) or (
            connection.state is State.CLOSED
        ):
            self._arrived(connection)

    def _arrived(self, connection: Connection) -> None:
        """Counts one arrival, joined or failed, and starts the next."""
        assert self._arrival is not None
        outcome = self._outcome
        self._arrivals_left -= 1
        if connection.state is State.CLOSED:
            outcome.failed += 1
        else:
            outcome.arrived += 1
            outcome.last_joined_at = max(outcome.last_joined_at, self._last_receipt_at)
            outcome.join_times.append((self._last_receipt_at - connection.start_due) // 1000)
        following = next(self._not_started, None)
        if following is not None:
            self._start(following, time.monotonic_ns())


def run_worker(pipe: Pipe, number: int, workers: int, ports: Sequence[int]) -> None:
    """Calls the methods that `pipe` names, in the worker process, until "close"."""
    gc.disable()  # there are no reference cycles, and a collection would delay sends
    worker = Worker(number, workers, ports)
    while True:
        name, arguments = pipe.recv()
        try:
            pipe.send(getattr(worker, name)(*arguments))
        except Exception as error:
            pipe.send(error)
            raise
        if name == "close":
            return


def _join_frames(group: Group, member: int, topics: Sequence[str]) -> bytes:
    payload = {"name": f"u{member}"} if group.with_name else {}
    return b"".join(frames.join(topic, payload) for topic in topics)


def _latest_delay(probe: Connection) -> int:
    """Returns the latency of the newest message that `probe` received, in nanoseconds."""
    if not probe.received:
        return 0
    received_at, stamps = probe.received[-1]
    return received_at - int(stamps[-1][:TIME])


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
