"""A shared room: one whose log the rooms of other nodes add to as well.

It hears what they have said (`Heard`), and what it says itself is heard once the log has it: see `proposals.py`.
"""

from collections import deque
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any, assert_never

from chatter.messages import (
    Edited,
    Entry,
    Heard,
    Loaded,
    MembersChanged,
    NotPlaced,
    Overheard,
    PeopleMoved,
    Placed,
    Posted,
    Propose,
    Reacted,
    Relayed,
    RoomChanged,
    RoomMessage,
    Save,
    StartedTyping,
    Subscriber,
    size_of,
)
from chatter.room.context import RoomContext, SharedLog
from chatter.room.handover import Handover
from chatter.room.proposals import Proposals, Restore
from chatter.room.refusals import OVERLOADED, refuse
from chatter.room.room import OfOthers, Room

MAX_PROPOSAL_BYTES = 64 * 1024
"""Past so much no further request is decided in a turn: those of many rooms, or many of one, make one turn."""


class SharedRoom(Room):
    """One node's part of a room. All nodes hear the same entries in the same order."""

    MAX_COUNTED = 500
    """Reactions that are counted in one turn. With the longest names they take half of what the log takes at once."""

    def __init__(
        self, slug: str, context: RoomContext, *, log: SharedLog, handover: Handover | None = None, **options: Any
    ) -> None:
        """`log` is the context's; the options are those of a `Room`."""
        super().__init__(slug, context, handover=handover, **options)
        self._heard = 0 if handover is None else handover.newest  # the last entry that the subscribers have heard
        self._log = log
        self._proposals = Proposals()
        if handover is None:
            log.forget_people(slug)
            self._presence.on_change = partial(log.tell_person, slug)
            for name, meta in log.people_elsewhere(slug):
                self._presence.meet(name, meta)

    def on_receive(self, message: RoomMessage) -> list[Save] | Save | None:
        """Handles what adds nothing to the log. Requests wait, as does all mail while the room is ahead of the log."""
        if self._has_begun:
            if self._proposals.is_refused(message, is_full=self._log.is_full):
                refuse(message, OVERLOADED)
                return None
            if self._proposals.keep(message):
                return None
        return super().on_receive(message)

    def on_turn_end(self) -> None:
        """Delivers the turn, unless the room is ahead of the log, and tells that where requests wait."""
        self._current_message = None
        proposals = self._proposals
        if proposals.save is not None:
            return
        super().on_turn_end()
        if proposals.are_waiting and not proposals.is_asked and self._broadcaster.is_empty:
            proposals.is_asked = True
            self._log.ask_for_turn(self.actor_ref, self._slug)

    def on_stop(self) -> None:
        """Delivers what was heard. What the log may have besides is heard by those who come back."""
        self._take_back()
        super().on_stop()

    def _undecided(self, failed_message: RoomMessage | None) -> list[RoomMessage]:
        mail = self._take_back()
        requests = self._proposals.undecided
        is_request = any(each is failed_message for each in requests)
        return [*requests, *super()._undecided(None if is_request else failed_message), *mail]

    def _hear_of_log(self, message: OfOthers) -> Save | None:
        match message:
            case Propose():
                return self._propose()
            case Heard():
                self._hear(message.entries)
            case PeopleMoved():
                self._move_people(message)
            case Overheard():
                self._broadcaster.broadcast(message.event)
            case Placed():
                self._placed(message.through)
            case NotPlaced(is_too_large):
                number = self._proposals.decided_number
                mail = self._take_back()
                for request in self._proposals.take_asked(number) if is_too_large else ():
                    refuse(request, OVERLOADED)
                self._handle(mail)
            case _:
                assert_never(message)
        return None

    def _load(self, loaded: Loaded) -> None:
        """Begins with what the database has and, where that is behind the log, with the rest of that."""
        super()._load(loaded)
        saved = loaded.recent[-1].seq if loaded.recent else 0
        for entry in loaded.unsaved:
            if entry.seq <= saved:
                continue
            if isinstance(entry, MembersChanged | RoomChanged):
                (self._government or self._govern_by(None)).learn(entry)
            elif not isinstance(entry, Posted | Edited | Reacted):
                self._made_operations.learn(entry)
        if self._government is not None:
            self._expel(None)
            entries = [*loaded.recent, *(each for each in loaded.unsaved if each.seq > saved)]
            self._government.tell_begun_here(entries, saved)
        if self._recent.newest > self._heard:
            for subscriber in self._subscribers:
                self._notify_lagged(subscriber)

    # ------------------------------------------------------------ what other nodes say

    def _hear(self, entries: Sequence[Entry]) -> None:
        """Does what entries do. One that would leave a gap makes the room fail: its successor loads what is missing."""
        newest = self._recent.newest
        for entry in entries:
            if entry.seq <= newest:
                continue  # it was loaded
            if entry.seq != newest + 1:
                raise RuntimeError(f"room {self._slug} heard of entry {entry.seq} after {newest}")
            match entry:
                case Posted():
                    self._sequencer.hear(entry)
                case MembersChanged() | RoomChanged():
                    (self._government or self._govern_by(None)).hear(entry)
                case _:
                    self._made_operations.hear(entry)
            newest = entry.seq
        self._sequencer.acknowledge(newest)

    def _move_people(self, moved: PeopleMoved) -> None:
        for name, meta in moved.came:
            self._presence.meet(name, meta)
        for phx_ref in moved.left:
            self._presence.miss(phx_ref)
        self._people_changed = True

    def _tell_all(self, event: StartedTyping | Relayed, but: Subscriber | None = None) -> None:
        super()._tell_all(event, but)
        self._log.tell_elsewhere(self._slug, event)

    # ------------------------------------------------------------ what this node proposes

    def _close_turn(self) -> None:
        pass  # only a proposal adds to the log

    def _propose(self) -> Save | None:
        """Decides what waits. The room is ahead of the log then, and delivers nothing until it hears of that."""
        proposals = self._proposals
        if not self._broadcaster.is_empty:
            proposals.is_asked = False  # many are being told something: it asks again
            return None
        try:
            size = decided = 0
            for request in proposals.decide(self._snapshot()):
                super().on_receive(request)
                size += sum(map(size_of, self._sequencer.unsaved[decided:]))
                decided = len(self._sequencer.unsaved)
                if size >= MAX_PROPOSAL_BYTES:
                    break
            self._current_message = None
            self._count_reactions()
        except Exception:
            self._fail()  # whoever has asked gets no error: the room fails as at any other message
            return None
        save = self._sequencer.take_unsaved() if self._sequencer.unsaved else None
        proposals.end(save)
        return save

    def _snapshot(self) -> Sequence[Restore]:
        operations, government = self._operations, self._government

        def restore() -> None:
            self._broadcaster.discard()
            self._operations = operations
            self._government = self._sequencer.government = self._catch_up.government = government

        parts = (self._recent, self._sequencer.targets, self._sequencer, operations, government)
        return [restore, *(part.snapshot() for part in parts if part is not None)]

    def _placed(self, through: int) -> None:
        expelled, mail = self._proposals.placed()
        self._sequencer.acknowledge(through)
        for accounts in expelled:
            self._expel(accounts)
        self._handle(mail)

    def _take_back(self) -> deque[RoomMessage]:
        """Puts the room back to where the log is, and returns the mail that has waited."""
        proposals, government = self._proposals, self._government
        save = proposals.save
        if save is not None:
            self._sequencer.unnote_said(save)
        mail = proposals.take_back()
        if save is not None and government is not None:
            charter = None if self._government is None else self._government.charter
            for entry in reversed(save.entries):
                self._context.memberships.on_voided(self._slug, entry.seq, charter)
        return mail

    def _handle(self, mail: deque[RoomMessage]) -> None:
        self._waiting_mail = mail  # where the room fails at some of it, the hand-over has the rest
        self._handle_waiting_mail()

    def _expel(self, accounts: Collection[int] | None) -> None:
        if self._proposals.is_deciding:
            self._proposals.expelled.append(accounts)  # once the log has it
        else:
            super()._expel(accounts)

    @property
    def _has_nothing_to_do(self) -> bool:
        return super()._has_nothing_to_do and not self._proposals.undecided

    @property
    def _is_behind_log(self) -> bool:
        return True
