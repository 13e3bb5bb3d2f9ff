"""A room against a simple model: whatever happens, and in whatever order, the promises of `docs/delivery.md` hold.

The model is a list of what was said, and what of it is committed. Members are clients that do what the document asks
of them. A crash is a room that dies of a message and is handed on, or a server that dies: all that is not committed is
gone, and the next one begins a new epoch.
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
    LookedUp,
    LookUp,
    MissedRead,
    NotSaved,
    Position,
    Post,
    Posted,
    PresenceChanged,
    PresenceListed,
    ReadMissed,
    Recovery,
    Refused,
    Saved,
    Voided,
)
from chatter.room.room import RoomSettings
from tests.chatter.conftest import RoomOnStage
from tests.chatter.room.test_room import Poison
from tests.support.stage import Listener, Stage

SETTINGS = RoomSettings(ring_size=4, greeting_size=2, recovery_page=1_000, recovery_gap=1_000, id_memory_size=6)
NAMES = ("ann", "bo", "cy")


@dataclasses.dataclass
class Member:
    """A client that follows the rules, and what it holds."""

    name: str
    listener: Listener | None = None
    epoch: int | None = None
    held: dict[int, str] = dataclasses.field(default_factory=dict)
    acknowledged: dict[str, int] = dataclasses.field(default_factory=dict)
    sent: list[str] = dataclasses.field(default_factory=list)

    def hear(self) -> None:
        """Take in what came."""
        if self.listener is None:
            return
        for heard in self.listener.heard:
            match heard:
                case Recovery():
                    self._stand(heard)
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
        self.listener.forget()

    @property
    def since(self) -> int:
        """The highest seq without a gap above where it began."""
        last = min(self.held, default=0)
        while last + 1 in self.held:
            last += 1
        return last

    def _stand(self, recovery: Recovery) -> None:
        if not recovery.recovered:
            self.held.clear()
        elif recovery.epoch != self.epoch:
            self.held = {seq: text for seq, text in self.held.items() if seq <= recovery.base}
        self.epoch = recovery.epoch


class RoomMachine(RuleBasedStateMachine):
    """Steps, and what must hold after each."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.epoch = 0
        self.members = {name: Member(name) for name in NAMES}
        self.rows: list[tuple[int, Posted]] = []  # committed: the epoch, and the message
        self.answered = 0  # questions to history that were dealt with
        self.numbers = 0

    def teardown(self) -> None:
        self.stage.close()

    @initialize()
    def start(self) -> None:
        self.epoch += 1
        self.begin()

    def begin(self, **options: Any) -> None:
        """A room, over what is committed."""
        self.room = RoomOnStage(self.stage, SETTINGS, server_epoch=self.epoch, **options)
        self.saves_seen, self.told_to_history = 0, 0
        self.stage.turn()
        self.serve_history()

    # ------------------------------------------------------------ what people do

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
        self.room.told(Join(member.listener, name, position=position))
        self.serve_history()

    @rule(name=st.sampled_from(NAMES))
    def leave(self, name: str) -> None:
        member = self.members[name]
        if member.listener is not None:
            member.hear()
            self.room.told(Leave(member.listener))
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
        self.room.told(*posts)

    @rule(name=st.sampled_from(NAMES), which=st.integers(0, 100))
    def repeat(self, name: str, which: int) -> None:
        member = self.members[name]
        if member.listener is None or not member.sent:
            return
        text = member.sent[which % len(member.sent)]
        self.room.told(Post(member.listener, text.encode(), text, name, text, repeat=True))
        self.serve_history()

    # ------------------------------------------------------------ what the database does

    @rule()
    def commit(self) -> None:
        saves = self.room.saves[self.saves_seen :]
        self.saves_seen += len(saves)
        for save in saves:
            self.rows += [(save.epoch, posted) for posted in save.messages]
            self.room.told(Saved(save.messages[-1].seq))

    @rule()
    def refuse_one(self) -> None:
        """The first message that waits can never be saved."""
        saves = self.room.saves[self.saves_seen :]
        if not saves:
            return
        self.saves_seen += 1
        first, *rest = saves[0].messages
        void = Posted(first.seq, f"void-{first.seq}", "", "", first.inserted_at, void=True)
        self.rows += [(self.epoch, posted) for posted in (void, *rest)]
        self.room.told(NotSaved(void, None), Saved(saves[0].messages[-1].seq))
        self.forget_sent(first.message)

    def forget_sent(self, text: str) -> None:
        """Nobody repeats what is refused for good."""
        for member in self.members.values():
            if text in member.sent:
                member.sent.remove(text)

    def serve_history(self) -> None:
        """Answer as a database would that holds what is committed."""
        said = [posted for _, posted in self.rows]
        for question in self.room.to_history[self.told_to_history :]:
            match question:
                case Load():
                    recent = said[-SETTINGS.ring_size :]
                    self.room.told(Loaded(recent, self.ends(recent[0].seq if recent else 1), self.voids()))
                case LookUp(post=post):
                    first = next((one for one in said if (one.name, one.id) == (post.name, post.id)), None)
                    self.room.told(LookedUp(post, first))
                case ReadMissed():
                    ends = self.ends(1)
                    base = (
                        question.since
                        if question.epoch is None
                        else max((last for epoch, last in ends if epoch <= question.epoch), default=0)
                    )
                    self.room.told(MissedRead(question.request, base, said[min(question.since, base) :]))
        self.told_to_history = len(self.room.to_history)
        for asked in self.room.to_persistence:
            if isinstance(asked, Load) and not self.loaded_by_way_of_persistence:
                self.loaded_by_way_of_persistence = True
                self.commit()
                recent = [posted for _, posted in self.rows][-SETTINGS.ring_size :]
                self.room.told(Loaded(recent, self.ends(recent[0].seq if recent else 1), self.voids()))

    def voids(self) -> list[int]:
        """The void places."""
        return [posted.seq for _, posted in self.rows if posted.void]

    loaded_by_way_of_persistence = True

    def ends(self, first: int) -> list[tuple[int, int]]:
        """The last seq of each epoch."""
        found: dict[int, int] = {}
        for epoch, posted in self.rows:
            if posted.seq >= first:
                found[epoch] = posted.seq
        return sorted(found.items())

    # ------------------------------------------------------------ what goes wrong

    @rule()
    def room_dies(self) -> None:
        """Of a message; it is handed on with all that it owns."""
        self.room.told(Poison())
        handover = self.room.to_keeper[-1][2]
        assert handover is not None
        del handover.letters[0]
        old = self.room
        uncommitted = old.saves[self.saves_seen :]
        self.rows += [(save.epoch, posted) for save in uncommitted for posted in save.messages]
        self.loaded_by_way_of_persistence = False
        self.begin(handover=handover, is_rebuilt=True)

    @rule()
    def server_dies(self) -> None:
        """What is not committed is gone, and nobody is told anything."""
        for member in self.members.values():
            member.hear()
            member.listener = None
        self.room.ref.stop(block=False)
        self.stage.turn()
        self.epoch += 1
        self.begin()

    # ------------------------------------------------------------ what must hold

    @invariant()
    def numbers_have_no_gaps_and_ids_are_saved_once(self) -> None:
        assert [posted.seq for _, posted in self.rows] == list(range(1, len(self.rows) + 1))
        named = [(posted.name, posted.id) for _, posted in self.rows]
        assert len(named) == len(set(named))

    @invariant()
    def what_was_acknowledged_is_committed_in_its_place(self) -> None:
        for member in self.members.values():
            member.hear()
            for text, seq in member.acknowledged.items():
                assert self.rows[seq - 1][1].message == text

    @invariant()
    @precondition(lambda self: self.epoch > 0)
    def members_hold_the_same_without_gaps(self) -> None:
        truth = {posted.seq: posted.message for _, posted in self.rows}
        waiting = [posted for save in self.room.saves[self.saves_seen :] for posted in save.messages]
        truth |= {posted.seq: posted.message for posted in waiting}
        for member in self.members.values():
            member.hear()
            if member.listener is not None and member.held:
                expected = {seq: text for seq, text in truth.items() if seq >= min(member.held)}
                assert spoken(member.held) == spoken(expected)  # void places greet nobody


def spoken(said: dict[int, str]) -> dict[int, str]:
    """Without void places."""
    return {seq: text for seq, text in said.items() if text}


RoomMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestRoom = RoomMachine.TestCase
