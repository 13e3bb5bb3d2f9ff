"""Checks the deliveries of a step: loss, duplicates, order and latency.

A recorded connection is checked by its stamps. Of any other only the number of bytes is known. It is compared with
that of a recorded connection in the same room: an equal number means the same messages, a difference is converted into
lost or duplicated messages of the average size.
"""

import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from bench.connection import Connection, State
from bench.message_stamp import NUMBER, TIME
from bench.plan import SECOND, Group, Outcome, Step, Traffic, expected_per_room

TRACK_LAST_UP_TO = 200
"""Largest number of messages in a step for which the last receipt of each is kept."""


class Counters(NamedTuple):
    """The counters of a connection when a step began."""

    bytes_received: int
    replies: int
    refused: int


class DeliveryCheck:
    """Checks one group's traffic in one step, on this process's connections."""

    def __init__(self, step: Step, traffic: Traffic, group: Group, people: Sequence[Connection]) -> None:
        """Must be created before the first message of the step is sent."""
        self._step = step
        self._group = group
        self._messages = step.messages(traffic)
        self._expected = expected_per_room(step, traffic, group)
        self._people = [person for person in people if person.state is State.JOINED]
        self._at_start = {}
        for person in self._people:
            person.received.clear()
            self._at_start[person] = Counters(person.bytes_received, person.replies, person.refused)

    def is_complete(self) -> bool:
        """Every open connection has received all deliveries and replies."""
        reference = self._reference_bytes()
        return all(self._has_received_all(person, reference) for person in self._people if person.state is State.JOINED)

    def add_to(self, outcome: Outcome, begin: int) -> None:
        """Adds the results to `outcome`. The step started at `begin`.

        In a step with an arrival, latency is measured until the last person has joined.
        """
        reference = self._reference_bytes()
        outcome.expected += sum(self._expected[person.room] for person in self._people)
        until = outcome.last_joined_at or begin + round((self._step.warm_up + self._step.seconds) * SECOND)
        measured = range(begin + round(self._step.warm_up * SECOND), until)
        for person in self._people:
            outcome.disconnected += person.state is State.CLOSED
            if person.publisher is not None:
                at_start = self._at_start[person]
                outcome.refused += person.refused - at_start.refused
                outcome.acknowledged += person.replies - at_start.replies
            if person.is_byte_counted:
                self._check_bytes(outcome, person, reference)
            else:
                self._check_stamps(outcome, person, measured)
        outcome.latencies.extend(outcome.by_group.get(self._group.name, []))

    def _messages_by(self, publisher: int) -> int:
        each, more = divmod(self._messages, self._group.publishers)
        return each + (publisher < more)

    def _has_received_all(self, person: Connection, reference: Mapping[int, int]) -> bool:
        if person.is_byte_counted:
            return self._bytes_of(person) == reference.get(person.room)
        at_start = self._at_start[person]
        if person.publisher is not None and person.replies - at_start.replies < self._messages_by(person.publisher):
            return False
        return sum(len(stamps) for _, stamps in person.received) >= self._expected[person.room]

    def _reference_bytes(self) -> dict[int, int]:
        """Returns the most bytes that a recorded non-publisher received, by room."""
        most: dict[int, int] = {}
        for person in self._people:
            if person.is_recorded and person.publisher is None:
                most[person.room] = max(most.get(person.room, 0), self._bytes_of(person))
        return most

    def _bytes_of(self, person: Connection) -> int:
        return person.bytes_received - self._at_start[person].bytes_received

    def _check_bytes(self, outcome: Outcome, person: Connection, reference: Mapping[int, int]) -> None:
        complete, expected = reference.get(person.room, 0), self._expected[person.room]
        difference = self._bytes_of(person) - complete
        if not difference or not expected:
            return
        messages = max(1, round(abs(difference) * expected / complete)) if complete else expected
        if difference < 0:
            outcome.lost += min(expected, messages)
        else:
            outcome.duplicated += messages

    def _check_stamps(self, outcome: Outcome, person: Connection, measured: range) -> None:
        all_stamps = [stamp for _, stamps in person.received for stamp in stamps]
        numbers = [int(stamp[-NUMBER:]) for stamp in all_stamps]
        different = len(set(numbers))
        outcome.lost += max(0, self._expected[person.room] - different)
        outcome.duplicated += len(numbers) - different
        outcome.reordered += count_reordered(numbers, self._group.publishers * self._group.topics)
        if person.state is State.JOINED and self._group.topics == 1:
            room = f"{self._group.name}-{person.room}"
            outcome.order_hashes.setdefault(room, set()).add(zlib.crc32(b"".join(all_stamps)))
        latencies = outcome.by_group.setdefault(self._group.name, array("Q"))
        for received_at, stamps in person.received:
            latencies.extend(latencies_us(received_at, stamps, measured))
        if self._messages <= TRACK_LAST_UP_TO:
            _update_last_receipts(outcome.last_receipts, person, measured)


def latencies_us(received_at: int, stamps: Iterable[bytes], measured: range) -> list[int]:
    """Returns µs from planned send to receipt, of messages due in `measured`."""
    dues = [int(stamp[:TIME]) for stamp in stamps]
    return [max(0, received_at - due) // 1000 for due in dues if due in measured]


def count_reordered(numbers: Iterable[int], publishers: int) -> int:
    """Counts the messages that follow a later one of the same publisher."""
    latest: dict[int, int] = {}
    reordered = 0
    for number in numbers:
        publisher = number % publishers
        if number < latest.get(publisher, 0):
            reordered += 1
        else:
            latest[publisher] = number
    return reordered


def _update_last_receipts(last_receipts: dict[int, int], person: Connection, measured: range) -> None:
    for received_at, stamps in person.received:
        for stamp in stamps:
            due, number = int(stamp[:TIME]), int(stamp[-NUMBER:])
            if due in measured:
                last_receipts[number] = max(last_receipts.get(number, 0), (received_at - due) // 1000)
