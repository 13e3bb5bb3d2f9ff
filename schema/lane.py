"""The lanes of a cluster's log: how far the database has each of them.

Whoever writes the turns of a lane moves its position in the same transaction, and only from where it was. So two that
write at once cannot harm each other, and a database that was restored says by itself where it goes on.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import peewee

from schema.base import Model, tuples


class Moved(Exception):
    """A lane is not where it was expected: somebody else has written its turns, or the database was restored."""

    def __init__(self, lane: int, expected: int) -> None:
        super().__init__(f"lane {lane} is not at turn {expected}")


class LaneRow(NamedTuple):
    """A lane as it is stored."""

    number: int
    created: str
    replicas: int
    head: int
    chain: str


class Lane(Model):
    """One lane. A database without these rows belongs to no cluster."""

    number = peewee.SmallIntegerField(primary_key=True)
    created = peewee.CharField(40)  # when its stream was made: another time means another log
    replicas = peewee.SmallIntegerField()  # of its stream, as it was made
    head = peewee.BigIntegerField()  # the last turn that the database has
    chain = peewee.CharField(32)  # the hash over all turns up to there, in hexadecimal

    @classmethod
    def rows(cls) -> list[LaneRow]:
        """Returns all lanes in their order."""
        columns = [getattr(cls, field) for field in LaneRow._fields]
        return [LaneRow(*row) for row in tuples(cls.select(*columns).order_by(cls.number))]

    @classmethod
    def found(cls, rows: Iterable[LaneRow]) -> None:
        """Makes these the lanes, in the transaction of the caller, in the place of all that were there."""
        cls.delete().execute()
        UntoldVoid.delete().execute()
        for row in rows:
            cls.insert(row._asdict()).execute()

    @classmethod
    def hold(cls, number: int, head: int) -> None:
        """Keeps others from moving a lane until the transaction ends. Raises `Moved` unless it is at `head`."""
        held = cls.update(head=cls.head).where((cls.number == number) & (cls.head == head)).execute()
        if held != 1:
            raise Moved(number, head)

    @classmethod
    def move(cls, number: int, head: int, chain: str) -> None:
        """Notes how far the transaction that holds a lane has it."""
        cls.update(head=head, chain=chain).where(cls.number == number).execute()


class UntoldRow(NamedTuple):
    """A void place that the log has not told of yet."""

    slug: str
    seq: int
    lane: int
    turn: int
    first_seq: int | None


class UntoldVoid(Model):
    """A place for which the database took nothing. Its row goes with the turn that tells everybody."""

    slug = peewee.CharField(64)
    seq = peewee.BigIntegerField()
    lane = peewee.SmallIntegerField()
    turn = peewee.BigIntegerField()  # in which it was said
    first_seq = peewee.BigIntegerField(null=True)  # the place of what has its id; None where the row was refused

    class Meta:
        table_name = "untold_void"
        primary_key = peewee.CompositeKey("slug", "seq")

    @classmethod
    def of_lane(cls, lane: int) -> list[UntoldRow]:
        """Returns what the log of a lane has to be told of, oldest first."""
        columns = [getattr(cls, field) for field in UntoldRow._fields]
        query = cls.select(*columns).where(cls.lane == lane).order_by(cls.turn, cls.slug, cls.seq)
        return [UntoldRow(*row) for row in tuples(query)]

    @classmethod
    def add(cls, rows: Sequence[UntoldRow]) -> None:
        """Notes void places. One that is noted already stays as it is."""
        for row in rows:
            cls.insert(row._asdict()).on_conflict_ignore().execute()

    @classmethod
    def told(cls, places: Iterable[tuple[str, int]]) -> None:
        """Forgets void places, as `(slug, seq)`, of which the log has told."""
        for slug, seq in places:
            cls.delete().where((cls.slug == slug) & (cls.seq == seq)).execute()
