"""Checks a room against a model: `docs/delivery.md` holds after any steps.

The model is the list of committed messages. Members are clients that follow the rules of that document. Two steps are
crashes: a room fails at a message and is handed over, or the server dies, which loses all that is not committed and
begins a new epoch.
"""

import dataclasses
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chatter.messages import (
    Acknowledged,
    Join,
    Leave,
    Load,
    Loaded,
    LoadMissed,
    LookedUp,
    LookUp,
    MissedLoaded,
    NotSaved,
    Position,
    Post,
    Posted,
    PresenceChanged,
    PresenceListed,
    Recovery,
    Refused,
    Saved,
    Voided,
)
from chatter.room.context import RoomSettings
from tests.chatter.conftest import RoomOnStage
from tests.chatter.room.test_room import poison
from tests.support.stage import Listener, Stage

SETTINGS = RoomSettings(ring_size=4, greeting_size=2, max_recovery_page=1_000, max_recovery_gap=1_000, id_memory_size=6)
NAMES = ("ann", "bo", "cy")


@dataclasses.dataclass
class Member:
    """Member is a client that follows the rules, with the messages that it holds."""

    name: str
    listener: Listener | None = None
    epoch: int | None = None
    held: dict[int, str] = dataclasses.field(default_factory=dict)
    acknowledged: dict[str, int] = dataclasses.field(default_factory=dict)
    sent: list[str] = dataclasses.field(default_factory=list)

    def receive(self) -> None:
        """Applies the events that have arrived."""
        if self.listener is None:
            return
        for heard in self.listener.heard:
            match heard:
                case Recovery():
                    self._apply(heard)
                case Posted(void=True):
                    self.held[heard.seq] = ""
                case Posted():
                    assert self.held.get(heard.seq, heard.message) == heard.message, "one number, two messages"
                    self.held[heard.seq] = heard.message
                case Voided():
                    self.held |= {heard.seq: ""} if heard.seq in self.held else {}
                case (bytes(ref), Acknowledged(seq=seq)):
                    assert self.acknowledged.setdefault(ref.decode(), seq) == seq, "two answers differ"
                case (_, Refused()) | PresenceListed() | PresenceChanged():
                    pass
                case _:
                    raise AssertionError(heard)
        self.listener.clear()

    @property
    def since(self) -> int:
        """The highest seq without a gap, counted from the oldest message held."""
        last = min(self.held, default=0)
        while last + 1 in self.held:
            last += 1
        return last

    def _apply(self, recovery: Recovery) -> None:
        if not recovery.recovered:
            self.held.clear()
        elif recovery.epoch != self.epoch:
            self.held = {seq: text for seq, text in self.held.items() if seq <= recovery.base}
        self.epoch = recovery.epoch


class RoomMachine(RuleBasedStateMachine):
    """RoomMachine defines the steps, and the invariants that hold after each."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.epoch = 0
        self.members = {name: Member(name) for name in NAMES}
        self.rows: list[tuple[int, Posted]] = []  # committed: the epoch, and the message
        self.numbers = 0

    def teardown(self) -> None:
        self.stage.close()

    @initialize()
    def start(self) -> None:
        self.epoch += 1
        self.start_room()

    def start_room(self, **options: Any) -> None:
        """Starts a room over the committed messages."""
        self.room = RoomOnStage(self.stage, SETTINGS, server_epoch=self.epoch, **options)
        self.saves_seen, self.history_answered = 0, 0
        self.stage.run_turns()
        self.answer_history()

    # ------------------------------------------------------------ people

    @rule(name=st.sampled_from(NAMES), with_position=st.booleans())
    def join(self, name: str, with_position: bool) -> None:
        member = self.members[name]
        if member.listener is not None:
            return
        member.listener = Listener()
        if not (with_position and member.epoch is not None):
            member.held.clear()
            member.epoch = None
        position = None if member.epoch is None else Position(member.since, member.epoch)
        self.room.tell(Join(member.listener, name, position=position))
        self.answer_history()

    @rule(name=st.sampled_from(NAMES))
    def leave(self, name: str) -> None:
        member = self.members[name]
        if member.listener is not None:
            member.receive()
            self.room.tell(Leave(member.listener))
            member.listener = None

    @rule(name=st.sampled_from(NAMES), count=st.integers(1, 3))
    def post(self, name: str, count: int) -> None:
        member = self.members[name]
        if member.listener is None:
            return
        posts = []
        for _ in range(count):
            self.numbers += 1
            text = f"{name} {self.numbers}"
            member.sent.append(text)
            posts.append(Post(member.listener, text.encode(), text, name, text))
        self.room.tell(*posts)

    @rule(name=st.sampled_from(NAMES), which=st.integers(0, 100))
    def repeat(self, name: str, which: int) -> None:
        member = self.members[name]
        if member.listener is None or not member.sent:
            return
        text = member.sent[which % len(member.sent)]
        self.room.tell(Post(member.listener, text.encode(), text, name, text, repeat=True))
        self.answer_history()

    # ------------------------------------------------------------ the database

    @rule()
    def commit(self) -> None:
        saves = self.room.saves[self.saves_seen :]
        self.saves_seen += len(saves)
        for save in saves:
            self.rows += [(save.epoch, posted) for posted in save.messages]
            self.room.tell(Saved(save.messages[-1].seq))

    @rule()
    def refuse_one(self) -> None:
        """Makes a void place of the first message that waits."""
        saves = self.room.saves[self.saves_seen :]
        if not saves:
            return
        self.saves_seen += 1
        first, *rest = saves[0].messages
        void = Posted(first.seq, f"void-{first.seq}", "", "", first.inserted_at, void=True)
        self.rows += [(self.epoch, posted) for posted in (void, *rest)]
        self.room.tell(NotSaved(void, None), Saved(saves[0].messages[-1].seq))
        self.forget_sent(first.message)

    def forget_sent(self, text: str) -> None:
        """Keeps members from repeating a message that was refused for good."""
        for member in self.members.values():
            if text in member.sent:
                member.sent.remove(text)

    def answer_history(self) -> None:
        """Answers what the room has asked history, from the committed messages."""
        said = [posted for _, posted in self.rows]
        for question in self.room.to_history[self.history_answered :]:
            match question:
                case Load():
                    recent = said[-SETTINGS.ring_size :]
                    self.room.tell(Loaded(recent, self.ends(recent[0].seq if recent else 1), self.voids()))
                case LookUp(post=post):
                    first = next((one for one in said if (one.name, one.id) == (post.name, post.id)), None)
                    self.room.tell(LookedUp(post, first))
                case LoadMissed():
                    ends = self.ends(1)
                    base = (
                        question.since
                        if question.epoch is None
                        else max((last for epoch, last in ends if epoch <= question.epoch), default=0)
                    )
                    self.room.tell(MissedLoaded(question.request, base, said[min(question.since, base) :]))
        self.history_answered = len(self.room.to_history)
        for asked in self.room.to_persistence:
            if isinstance(asked, Load) and not self.is_loaded:
                self.is_loaded = True
                self.commit()
                recent = [posted for _, posted in self.rows][-SETTINGS.ring_size :]
                self.room.tell(Loaded(recent, self.ends(recent[0].seq if recent else 1), self.voids()))

    def voids(self) -> list[int]:
        """Returns the void places."""
        return [posted.seq for _, posted in self.rows if posted.void]

    is_loaded = True

    def ends(self, first: int) -> list[tuple[int, int]]:
        """Returns the last seq of each epoch."""
        found: dict[int, int] = {}
        for epoch, posted in self.rows:
            if posted.seq >= first:
                found[epoch] = posted.seq
        return sorted(found.items())

    # ------------------------------------------------------------ crashes

    @rule()
    def fail_room(self) -> None:
        """Fails the room at a message, and starts its successor with the hand-over."""
        self.room.tell(poison())
        handover = self.room.to_supervisor[-1][2]
        assert handover is not None
        del handover.mail[0]
        old = self.room
        uncommitted = old.saves[self.saves_seen :]
        self.rows += [(save.epoch, posted) for save in uncommitted for posted in save.messages]
        self.is_loaded = False
        self.start_room(handover=handover, is_rebuilt=True)

    @rule()
    def kill_server(self) -> None:
        """Loses all that is not committed, and tells nobody."""
        for member in self.members.values():
            member.receive()
            member.listener = None
        self.room.ref.stop(block=False)
        self.stage.run_turns()
        self.epoch += 1
        self.start_room()

    # ------------------------------------------------------------ invariants

    @invariant()
    def numbers_have_no_gaps_and_ids_are_saved_once(self) -> None:
        assert [posted.seq for _, posted in self.rows] == list(range(1, len(self.rows) + 1))
        named = [(posted.name, posted.id) for _, posted in self.rows]
        assert len(named) == len(set(named))

    @invariant()
    def acknowledged_messages_are_committed_in_their_place(self) -> None:
        for member in self.members.values():
            member.receive()
            for text, seq in member.acknowledged.items():
                assert self.rows[seq - 1][1].message == text

    @invariant()
    @precondition(lambda self: self.epoch > 0)
    def members_hold_the_same_without_gaps(self) -> None:
        truth = {posted.seq: posted.message for _, posted in self.rows}
        waiting = [posted for save in self.room.saves[self.saves_seen :] for posted in save.messages]
        truth |= {posted.seq: posted.message for posted in waiting}
        for member in self.members.values():
            member.receive()
            if member.listener is not None and member.held:
                expected = {seq: text for seq, text in truth.items() if seq >= min(member.held)}
                assert without_voids(member.held) == without_voids(expected)  # a greeting has no void places


def without_voids(messages: dict[int, str]) -> dict[int, str]:
    return {seq: text for seq, text in messages.items() if text}


RoomMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestRoom = RoomMachine.TestCase
