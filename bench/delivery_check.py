"""What was heard in a step against what was said: nothing lost, nothing twice, in order, and how late.

A connection that is read in full is judged by its stamps. Of any other only the bytes are known: as many as somebody
got who is read in full in the same room means the same messages; fewer or more are counted in messages of that size.
"""

import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from bench.connection import Connection, State
from bench.message_stamp import NUMBER, TIME
from bench.plan import SECOND, Group, Outcome, Step, Talk, expected

FEW = 200
"""Of up to so many messages in a step the last receipt of each is kept."""


class Baseline(NamedTuple):
    """Where a connection stood when a step began."""

    bytes: int
    replies: int
    refused: int


class DeliveryCheck:
    """The books of one talk of a step, for the people whom one process has."""

    def __init__(self, step: Step, talk: Talk, group: Group, people: Sequence[Connection]) -> None:
        """Opened before the first word is said."""
        self._step = step
        self._group = group
        self._messages = step.messages(talk)
        self._expected = expected(step, talk, group)
        self._people = [person for person in people if person.state is State.IN]
        self._before = {}
        for person in self._people:
            person.heard.clear()
            self._before[person] = Baseline(person.bytes, person.replies, person.refused)

    def is_complete(self) -> bool:
        """Everything has come that is to come."""
        reference = self._reference_bytes()
        return all(self._has_all(person, reference) for person in self._people if person.state is State.IN)

    def settle(self, outcome: Outcome, begin: int) -> None:
        """Add what came of it to `outcome`; the step began at `begin`. Latency is measured while people arrive."""
        reference = self._reference_bytes()
        outcome.expected += sum(self._expected[person.room] for person in self._people)
        until = outcome.last_at or begin + round((self._step.warm_up + self._step.seconds) * SECOND)
        measured = range(begin + round(self._step.warm_up * SECOND), until)
        for person in self._people:
            outcome.gone += person.state is State.GONE
            if person.publisher is not None:
                before = self._before[person]
                outcome.refused += person.refused - before.refused
                outcome.acknowledged += person.replies - before.replies
            if person.is_counted:
                self._judge_by_bytes(outcome, person, reference)
            else:
                self._judge_in_full(outcome, person, measured)
        outcome.latencies.extend(outcome.by_group.get(self._group.name, []))

    def _said_by(self, publisher: int) -> int:
        each, more = divmod(self._messages, self._group.publishers)
        return each + (publisher < more)

    def _has_all(self, person: Connection, reference: Mapping[int, int]) -> bool:
        if person.is_counted:
            return self._bytes_of(person) == reference.get(person.room)
        before = self._before[person]
        if person.publisher is not None and person.replies - before.replies < self._said_by(person.publisher):
            return False
        return sum(len(found) for _, found in person.heard) >= self._expected[person.room]

    def _reference_bytes(self) -> dict[int, int]:
        """For each room what one of those got who are read in full and do not talk: the one who got most."""
        most: dict[int, int] = {}
        for person in self._people:
            if person.is_read and person.publisher is None:
                most[person.room] = max(most.get(person.room, 0), self._bytes_of(person))
        return most

    def _bytes_of(self, person: Connection) -> int:
        return person.bytes - self._before[person].bytes

    def _judge_by_bytes(self, outcome: Outcome, person: Connection, reference: Mapping[int, int]) -> None:
        whole, said = reference.get(person.room, 0), self._expected[person.room]
        difference = self._bytes_of(person) - whole
        if not difference or not said:
            return
        messages = max(1, round(abs(difference) * said / whole)) if whole else said
        if difference < 0:
            outcome.lost += min(said, messages)
        else:
            outcome.doubled += messages

    def _judge_in_full(self, outcome: Outcome, person: Connection, measured: range) -> None:
        stamps = [stamp for _, found in person.heard for stamp in found]
        numbers = [int(stamp[-NUMBER:]) for stamp in stamps]
        different = len(set(numbers))
        outcome.lost += max(0, self._expected[person.room] - different)
        outcome.doubled += len(numbers) - different
        outcome.disordered += disordered(numbers, self._group.publishers * self._group.topics)
        if person.state is State.IN and self._group.topics == 1:
            room = f"{self._group.name}-{person.room}"
            outcome.orders.setdefault(room, set()).add(zlib.crc32(b"".join(stamps)))
        latencies = outcome.by_group.setdefault(self._group.name, array("Q"))
        for came, found in person.heard:
            latencies.extend(delays(came, found, measured))
        if self._messages <= FEW:
            _keep_last(outcome.last, person, measured)


def delays(came: int, found: Iterable[bytes], measured: range) -> list[int]:
    """µs from the time at which each was to be sent until it came, of those whose time is `measured`."""
    dues = [int(stamp[:TIME]) for stamp in found]
    return [max(0, came - due) // 1000 for due in dues if due in measured]


def disordered(numbers: Iterable[int], speakers: int) -> int:
    """How many numbers stand behind a later one of the same speaker."""
    latest: dict[int, int] = {}
    wrong = 0
    for number in numbers:
        speaker = number % speakers
        if number < latest.get(speaker, 0):
            wrong += 1
        else:
            latest[speaker] = number
    return wrong


def _keep_last(last: dict[int, int], person: Connection, measured: range) -> None:
    for came, found in person.heard:
        for stamp in found:
            due, number = int(stamp[:TIME]), int(stamp[-NUMBER:])
            if due in measured:
                last[number] = max(last.get(number, 0), (came - due) // 1000)
