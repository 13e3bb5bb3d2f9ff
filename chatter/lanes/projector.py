"""The projector: the actor that writes the turns of lanes to the database.

Owns the connection that writes the log. What a turn says and the position of its lane are one transaction, so that each
turn is there once, whoever writes it and however often. What the database refuses leaves a void place, which the log
has to be told of: that is noted in the same transaction.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, assert_never

import msgspec

from chatter.actors import ThreadActor
from chatter.lanes.turns import RoomTurn
from chatter.messages import Forget, NotSaved, Save, Tidy
from chatter.storage.committer import Committer
from chatter.storage.dead_letters import DeadLetters
from chatter.storage.records import entry_of, posted_of
from schema import Database, Entry, Lane, LaneRow, Moved, UntoldRow, UntoldVoid
from schema.base import writing_transaction


class Project(msgspec.Struct, frozen=True):
    """The projection of a lane has turns for the database, one after the other."""

    lane: int
    turns: Sequence[RoomTurn]


class ReadPosition(msgspec.Struct, frozen=True):
    """The projection of a lane asks where the database is."""

    lane: int


class Untold(msgspec.Struct, frozen=True):
    """A void place of which the log has to tell."""

    slug: str
    not_saved: NotSaved
    turn: int  # in which it was said


class PositionRead(msgspec.Struct, frozen=True):
    """How far the database has a lane, and of which void places the log has to tell, the oldest first."""

    head: int
    chain: bytes
    untold: Sequence[Untold]


class Projector(ThreadActor):
    """Answers `Project` with the void places that are new, and `ReadPosition` with `PositionRead`.

    An asker gets the exception of what failed, `Moved` among them. Nothing of it is in the database then.
    """

    def __init__(
        self,
        database: Database,
        *,
        epoch: int,
        dead_letters: DeadLetters,
        removed_days: float = 0.0,
        guard: AbstractContextManager[None] | None = None,
    ) -> None:
        """`guard` bounds each transaction."""
        super().__init__()
        self._database = database
        self._epoch = epoch
        self._dead_letters = dead_letters
        self._removed_days = removed_days
        self._guard = guard or nullcontext()
        self._committer = self._new_committer()
        self._written: dict[int, int] = {}  # up to which turn, by lane

    def on_receive(self, message: Project | ReadPosition | Tidy | Forget) -> Any:
        """Does what it is told, in one transaction."""
        try:
            with self._guard:
                return self._do(message)
        except Moved:
            raise
        except BaseException:
            self._database.close()  # the next one opens a new connection
            self._committer = self._new_committer()  # it may know rooms that were not committed
            raise

    def on_stop(self) -> None:
        """Closes the connection."""
        self._database.close()

    def _do(self, message: Project | ReadPosition | Tidy | Forget) -> Any:
        match message:
            case Project():
                with writing_transaction():
                    untold = self._project(message)
                self._written[message.lane] = message.turns[-1].seq
                return untold
            case ReadPosition(lane):
                with self._database.atomic():
                    position = _position(lane)
                if position.head < self._written.get(lane, 0):
                    self._committer = self._new_committer()  # it knows rooms by the numbers of another database
                return position
            case Tidy():
                return self._committer.tidy(self._database)
            case Forget():
                return self._committer.forget(message.account, self._database, erases=message.erases)
            case _:
                assert_never(message)

    def _project(self, asked: Project) -> list[Untold]:
        lane, turns = asked.lane, asked.turns
        Lane.hold(lane, turns[0].seq - 1)
        saves = [Save(None, said.slug, self._epoch, said.entries) for turn in turns for said in turn.said]
        voids = {(save.slug, refused.void.seq): refused for save, refused in self._committer.commit(saves)}
        untold = [
            Untold(said.slug, voids[said.slug, entry.seq], turn.seq)
            for turn in (turns if voids else ())
            for said in turn.said
            for entry in said.entries
            if (said.slug, entry.seq) in voids
        ]
        UntoldVoid.add([_row(lane, each) for each in untold])
        UntoldVoid.told((slug, told.void.seq) for turn in turns for slug, told in turn.voids)
        Lane.move(lane, turns[-1].seq, turns[-1].chain.hex())
        return untold

    def _new_committer(self) -> Committer:
        return Committer(self._dead_letters, removed_days=self._removed_days)


def _row(lane: int, untold: Untold) -> UntoldRow:
    void, first = untold.not_saved.void, untold.not_saved.first
    return UntoldRow(untold.slug, void.seq, lane, untold.turn, None if first is None else first.seq)


def _position(number: int) -> PositionRead:
    row = _lane(number)
    untold = [Untold(each.slug, _not_saved(each), each.turn) for each in UntoldVoid.of_lane(number)]
    return PositionRead(row.head, bytes.fromhex(row.chain), untold)


def _lane(number: int) -> LaneRow:
    return next(row for row in Lane.rows() if row.number == number)


def _not_saved(untold: UntoldRow) -> NotSaved:
    void = Entry.at(untold.slug, untold.seq)
    first = None if untold.first_seq is None else Entry.at(untold.slug, untold.first_seq)
    assert void is not None, "the void row and the note of it are one transaction"
    return NotSaved(posted_of(void), first and entry_of(first))
