"""Describes a load and its result: groups of people, traffic, steps, outcomes. Values only."""

import dataclasses
from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple

SECOND = 1_000_000_000
"""Nanoseconds in a second. All clock times are `CLOCK_MONOTONIC` in nanoseconds."""

RECORD_ALL_UP_TO = 20
"""Largest room, in people, in which every connection is recorded. Of a larger one: a sample and the publishers."""


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """A number of people in rooms of one size.

    Members are numbered room by room in turn: the first person of each room, then the second of each.
    """

    name: str  # unique in one load generator
    rooms: int
    people: int  # in each room
    publishers: int = 0  # in all, spread evenly over the rooms and over the people in each
    sample: int = 8  # people recorded in each room larger than `RECORD_ALL_UP_TO`, besides its publishers
    topics: int = 1  # topics that each person joins; a "room" here then stands for that many, with the same people
    with_name: bool = True  # the join carries a name, so presence shows the person
    tokens: tuple[str, ...] = ()  # of accounts: each person shows one, in turn; without any they are guests
    room_prefix: str = "bench"  # groups with the same prefix share rooms

    @property
    def size(self) -> int:
        """The number of people in all rooms."""
        return self.rooms * self.people

    def room_of(self, member: int) -> int:
        """Returns the room of a member."""
        return member % self.rooms

    def node_of(self, member: int, nodes: int) -> int:
        """Returns to which of several nodes a member connects: people and publishers are spread over them."""
        return (member // self.rooms + member % self.rooms) % nodes

    def topics_of(self, room: int) -> list[str]:
        """Returns the topics that a room stands for, one unless `topics` is larger."""
        return [f"chat_room:{self.room_prefix}-{room}-{topic}" for topic in range(self.topics)]

    def token_of(self, member: int) -> str:
        """Returns the token that a member shows; empty for a guest."""
        return self.tokens[member % len(self.tokens)] if self.tokens else ""

    def member_of_publisher(self, number: int) -> int:
        """Returns the member who is publisher `number`."""
        in_each = -(-self.publishers // self.rooms)
        person = ((2 * (number // self.rooms) + 1) * self.people) // (2 * in_each)
        return person * self.rooms + number % self.rooms

    def recorded_members(self) -> set[int]:
        """Returns the members whose messages are recorded, besides the publishers."""
        if self.people <= max(RECORD_ALL_UP_TO, self.sample):
            return set(range(self.size))
        spread = [((2 * number + 1) * self.people) // (2 * self.sample) for number in range(self.sample)]
        return {person * self.rooms + room for person in spread for room in range(self.rooms)}


@dataclasses.dataclass(frozen=True, slots=True)
class Traffic:
    """The publishers of a group send messages round-robin at a constant rate."""

    group: str
    rate: float  # messages a second, over all publishers


@dataclasses.dataclass(frozen=True, slots=True)
class Arrival:
    """The people of a group connect and join, or only one of the two."""

    group: Group
    rate: float = 0  # people a second; 0: as fast as `concurrency` allows
    concurrency: int = 500  # connections being made at once, when `rate` is 0
    only: str = ""  # "connect": connect without joining; "join": join on connections made before
    history: int = 0  # messages of history that must arrive before a person counts as joined
    delay: float = 0  # seconds from the start of the step to the first connection


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """A timed part of a measurement: traffic, an arrival, or both."""

    traffic: tuple[Traffic, ...] = ()
    arrival: Arrival | None = None
    warm_up: float = 1.0  # seconds of traffic before latencies are measured
    seconds: float = 4.0  # of measured traffic
    drain_timeout: float = 5.0  # seconds to wait for missing deliveries after the last send
    abort_latency: float = 3.0  # seconds; a delivery later than this ends the step
    message_size: int = 64  # characters

    def messages(self, traffic: Traffic) -> int:
        """Returns the number of messages that `traffic` sends in this step."""
        return round(traffic.rate * (self.warm_up + self.seconds))


class PlannedMessage(NamedTuple):
    """A message of the schedule: its send time, its publisher and its number."""

    due: int
    publisher: int
    number: int


def schedule(step: Step, traffic: Traffic, group: Group, begin: int) -> Iterator[PlannedMessage]:
    """Yields every message of `step`, which starts at `begin`. All processes compute the same schedule."""
    for number in range(step.messages(traffic)):
        yield PlannedMessage(begin + round(number * SECOND / traffic.rate), number % group.publishers, number)


def expected_per_room(step: Step, traffic: Traffic, group: Group) -> list[int]:
    """Returns the number of messages sent to each room."""
    counts = [0] * group.rooms
    each, more = divmod(step.messages(traffic), group.publishers)
    for publisher in range(group.publishers):
        counts[publisher % group.rooms] += each + (publisher < more)
    return counts


@dataclasses.dataclass(slots=True)
class Outcome:
    """The counts and latencies of one step, of one generator process or of all merged."""

    sent: int = 0
    acknowledged: int = 0
    refused: int = 0
    expected: int = 0  # deliveries: messages times receivers
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0  # received after a later message of the same publisher
    disconnected: int = 0  # connections that ended during the step
    arrived: int = 0
    failed: int = 0  # connections that could not be made, and joins that were refused
    aborted: bool = False  # a delivery was later than `abort_latency`
    latencies: "array[int]" = dataclasses.field(default_factory=lambda: array("Q"))  # µs, recorded connections
    by_group: "dict[str, array[int]]" = dataclasses.field(default_factory=dict)  # the same, by group
    last_receipts: dict[int, int] = dataclasses.field(default_factory=dict)  # µs until all have it, by message number
    order_hashes: dict[str, set[int]] = dataclasses.field(default_factory=dict)  # of the messages received, by room
    join_times: "array[int]" = dataclasses.field(default_factory=lambda: array("Q"))  # µs from due to joined
    first_started_at: int = 0  # when the first person started to connect
    last_joined_at: int = 0  # when the last person had joined
    generator_cpu: float = 0.0  # seconds
    max_send_delay: float = 0.0  # seconds from due to sent, the largest

    @property
    def deliveries(self) -> int:
        """The number of deliveries that arrived."""
        return self.expected - self.lost

    @property
    def is_clean(self) -> bool:
        """Every message arrived once, in order, was acknowledged; no connection failed."""
        problems = (self.lost, self.duplicated, self.reordered, self.refused, self.disconnected, self.failed)
        return not self.aborted and not any(problems) and self.sent == self.acknowledged

    @property
    def has_total_order(self) -> bool:
        """All recorded connections of a room received the same messages in the same order."""
        return all(len(hashes) == 1 for hashes in self.order_hashes.values())

    def latency(self, fraction: float, group: str | None = None) -> float:
        """Returns the `fraction` quantile of the recorded latencies, in ms."""
        return quantile(self.latencies if group is None else self.by_group.get(group, []), fraction)


def quantile(values: Iterable[int], fraction: float) -> float:
    """Returns the `fraction` quantile of values in µs, in ms; NaN without values."""
    ordered = sorted(values)
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))] / 1000


def merge(outcomes: Iterable[Outcome]) -> Outcome:
    """Merges the outcomes of all generator processes into one."""
    whole = Outcome()
    for part in outcomes:
        for name in ("sent", "acknowledged", "refused", "expected", "lost", "duplicated", "reordered", "disconnected"):
            setattr(whole, name, getattr(whole, name) + getattr(part, name))
        whole.arrived += part.arrived
        whole.failed += part.failed
        whole.aborted |= part.aborted
        whole.latencies.extend(part.latencies)
        whole.join_times.extend(part.join_times)
        for group, latencies in part.by_group.items():
            whole.by_group.setdefault(group, array("Q")).extend(latencies)
        for number, last in part.last_receipts.items():
            whole.last_receipts[number] = max(last, whole.last_receipts.get(number, 0))
        for room, hashes in part.order_hashes.items():
            whole.order_hashes.setdefault(room, set()).update(hashes)
        whole.first_started_at = min(filter(None, (whole.first_started_at, part.first_started_at)), default=0)
        whole.last_joined_at = max(whole.last_joined_at, part.last_joined_at)
        whole.generator_cpu += part.generator_cpu
        whole.max_send_delay = max(whole.max_send_delay, part.max_send_delay)
    return whole
