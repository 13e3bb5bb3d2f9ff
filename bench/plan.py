"""What a load is to be: who comes into which rooms, who talks how much, and what came of it. Values only."""

import dataclasses
from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple

SECOND = 1_000_000_000
"""In nanoseconds, the unit of all times on the clock."""

READ_WHOLE = 20
"""Everyone in a room of up to so many people is read in full; of a larger one a sample and the publishers."""


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """People in rooms of one size, who come in turn: the first person of each room, then the second of each."""

    name: str  # unique in a load
    rooms: int
    people: int  # in each room
    publishers: int = 0  # in all, spread evenly over the rooms and the people in each
    sample: int = 8  # so many of a larger room are read in full, besides its publishers
    topics: int = 1  # each person joins so many rooms: then a "room" here stands for that many, with the same people
    shown: bool = True  # join with a name
    place: str = "bench"  # groups in one place share rooms

    @property
    def size(self) -> int:
        """How many people."""
        return self.rooms * self.people

    def room_of(self, member: int) -> int:
        """The room of a member."""
        return member % self.rooms

    def topics_of(self, room: int) -> list[str]:
        """The topics that stand for a room, most often one."""
        return [f"chat_room:{self.place}-{room}-{topic}" for topic in range(self.topics)]

    def publisher(self, number: int) -> int:
        """The member who is this publisher."""
        in_each = -(-self.publishers // self.rooms)
        person = ((2 * (number // self.rooms) + 1) * self.people) // (2 * in_each)
        return person * self.rooms + number % self.rooms

    def read_in_full(self) -> set[int]:
        """The members of whom every message is read, not only bytes counted; publishers not among them."""
        if self.people <= max(READ_WHOLE, self.sample):
            return set(range(self.size))
        spread = [((2 * number + 1) * self.people) // (2 * self.sample) for number in range(self.sample)]
        return {person * self.rooms + room for person in spread for room in range(self.rooms)}


@dataclasses.dataclass(frozen=True, slots=True)
class Talk:
    """The publishers of a group say so many messages a second, in turn, at even distances."""

    group: str
    rate: float


@dataclasses.dataclass(frozen=True, slots=True)
class Arrival:
    """The people of a group connect and join, or those who are connected join."""

    group: Group
    rate: float = 0  # a second; 0: as fast as `under_way` lets them
    under_way: int = 500  # so many connections are being made at once
    only: str = ""  # "connect": they do not join; "join": they have connected before
    greeting: int = 0  # one is in when so many messages of the past have come too
    delay: float = 0  # seconds after the step begins


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """A stretch of time in which things are measured."""

    talks: tuple[Talk, ...] = ()
    arrival: Arrival | None = None
    warm_up: float = 1.0  # seconds of talk before the measured ones
    seconds: float = 4.0
    patience: float = 5.0  # to wait for what is late, in seconds
    give_up_at: float = 3.0  # a delivery this late, in seconds, ends the step
    size: int = 64  # of a message, in characters

    def messages(self, talk: Talk) -> int:
        """How many are said."""
        return round(talk.rate * (self.warm_up + self.seconds))


class Said(NamedTuple):
    """One message as planned."""

    due: int
    publisher: int
    number: int


def schedule(step: Step, talk: Talk, group: Group, begin: int) -> Iterator[Said]:
    """Everything that is said in `step`, from `begin`: the same for all who ask."""
    for number in range(step.messages(talk)):
        yield Said(begin + round(number * SECOND / talk.rate), number % group.publishers, number)


def expected(step: Step, talk: Talk, group: Group) -> list[int]:
    """How many messages are said in each room."""
    counts = [0] * group.rooms
    each, more = divmod(step.messages(talk), group.publishers)
    for publisher in range(group.publishers):
        counts[publisher % group.rooms] += each + (publisher < more)
    return counts


@dataclasses.dataclass(slots=True)
class Outcome:
    """What came of a step, for one process of the generator or for all of them."""

    sent: int = 0
    acknowledged: int = 0
    refused: int = 0
    expected: int = 0  # deliveries
    lost: int = 0
    doubled: int = 0
    disordered: int = 0  # one publisher's messages in another order than they were sent
    gone: int = 0  # connections that ended
    arrived: int = 0
    failed: int = 0  # connections that could not be made, or joins that were refused
    gave_up: bool = False
    latencies: "array[int]" = dataclasses.field(default_factory=lambda: array("Q"))  # µs, of those read in full
    by_group: "dict[str, array[int]]" = dataclasses.field(default_factory=dict)
    last: dict[int, int] = dataclasses.field(default_factory=dict)  # µs to the last receipt of a message, by number
    orders: dict[str, set[int]] = dataclasses.field(default_factory=dict)  # hashes of what was heard in a room
    joins: "array[int]" = dataclasses.field(default_factory=lambda: array("Q"))  # µs from its time to being in
    first_at: int = 0  # when the first one set out
    last_at: int = 0  # when the last one was in
    cpu: float = 0.0  # seconds the generator used
    late: float = 0.0  # seconds: the latest that a message was sent after its time

    @property
    def deliveries(self) -> int:
        """How many messages arrived, in all ears."""
        return self.expected - self.lost

    @property
    def is_clean(self) -> bool:
        """Nothing was lost, doubled or refused, and everything was acknowledged."""
        troubles = (self.lost, self.doubled, self.disordered, self.refused, self.gone, self.failed)
        return not self.gave_up and not any(troubles) and self.sent == self.acknowledged

    @property
    def has_one_order(self) -> bool:
        """Everybody who was read in full heard the same in the same order, in each room."""
        return all(len(heard) == 1 for heard in self.orders.values())

    def latency(self, part: float, group: str | None = None) -> float:
        """The `part` quantile of all deliveries that were timed, in ms."""
        return quantile(self.latencies if group is None else self.by_group.get(group, []), part)


def quantile(values: Iterable[int], part: float) -> float:
    """The `part` quantile of µs, in ms; NaN where there are none."""
    ordered = sorted(values)
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] / 1000


def merge(outcomes: Iterable[Outcome]) -> Outcome:
    """One outcome of several processes' parts."""
    whole = Outcome()
    for part in outcomes:
        for name in ("sent", "acknowledged", "refused", "expected", "lost", "doubled", "disordered", "gone"):
            setattr(whole, name, getattr(whole, name) + getattr(part, name))
        whole.arrived += part.arrived
        whole.failed += part.failed
        whole.gave_up |= part.gave_up
        whole.latencies.extend(part.latencies)
        whole.joins.extend(part.joins)
        for group, latencies in part.by_group.items():
            whole.by_group.setdefault(group, array("Q")).extend(latencies)
        for number, last in part.last.items():
            whole.last[number] = max(last, whole.last.get(number, 0))
        for room, heard in part.orders.items():
            whole.orders.setdefault(room, set()).update(heard)
        whole.first_at = min(filter(None, (whole.first_at, part.first_at)), default=0)
        whole.last_at = max(whole.last_at, part.last_at)
        whole.cpu += part.cpu
        whole.late = max(whole.late, part.late)
    return whole
