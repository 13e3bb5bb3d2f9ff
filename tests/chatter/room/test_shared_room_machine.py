"""Checks the rooms of two nodes that share a log against the model of a room: `docs/delivery.md` holds on both.

The steps are those of a single room, and those of the log: a node decides what waits, sends it, is first or not, gets
an answer or none, and hears of others late. A node that dies loses nothing that was acknowledged.
"""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from chatter.messages import Deleted, Entry, NotifyLagged, Posted, Purge, Purged, Save
from schema import Entry as EntryTable
from tests.chatter.conftest import RoomOnStage
from tests.chatter.room import test_room_machine as single
from tests.chatter.room.test_room import poison
from tests.chatter.room.test_room_machine import SETTINGS, VIEWS, RoomMachine
from tests.support.log_truth import FAR, read_log
from tests.support.shared_log import Fate, LaneModel, NodeModel

OTHERS = [step for step in single.OTHERS if step != "kill_server"]
LOG = ("propose", "propose", "append", "append", "append", "hear", "hear", "turn", "turn", "late", "kill_node", "move")
STEPS = st.tuples(
    st.sampled_from([*single.SAID, *single.SAID, *single.DONE, *single.READ, *single.STORED, *OTHERS, *LOG]),
    st.sampled_from(list(VIEWS)),
    st.integers(0, 15),
    st.booleans(),
)
HOMES = {"ann": 0, "bo": 1, "cy": 1, "di": 0}
"""The node that each member is connected to first."""

FATES: tuple[Fate, ...] = ("placed", "placed", "placed", "unknown", "lost", "late")


class Node:
    """Node is a room on the stage, with the log as it sees it, and what it has asked the database."""

    def __init__(self, log: NodeModel) -> None:
        self.log = log
        self.room: RoomOnStage
        self.read_seen = 0
        self.loaded: list[tuple[int, Any]] = []

    @property
    def is_quiet(self) -> bool:
        """Whether its room has all that the log and the database have for it, and has nothing to say."""
        is_all_read = self.read_seen == len(self.room.to_history) and not self.loaded
        return is_all_read and self.log.is_quiet


class SharedRoomMachine(RoomMachine):
    """SharedRoomMachine defines the steps of two nodes."""

    nodes: list[Node]

    def start_server(self) -> None:
        self.epoch = 1  # of the log, whoever begins or dies
        self.homes = dict(HOMES)
        self.lane = LaneModel()
        for member in self.members.values():
            member.is_acknowledged_early = True  # before the database knows that an id is taken
        self.nodes = []
        for _ in range(2):
            node = Node(NodeModel(self.lane, self.stage))
            self.start_node(node)
            self.nodes.append(node)

    def start_node(self, node: Node, **options: Any) -> None:
        node.room = RoomOnStage(self.stage, SETTINGS, server_epoch=1, shared_log=node.log, **options)
        node.log.room = node.room.ref
        node.log.revive = lambda: self.revive(node)
        node.read_seen, node.loaded = 0, []
        self.stage.run_turns()
        for load in node.log.loads:
            answers = single._Answers()
            self.history.on_receive(msgspec.structs.replace(load, room=answers, unsaved=node.log.unsaved()))
            node.room.tell(*answers.told)
        node.log.loads.clear()
        node.log.hear_of_saves()

    # ------------------------------------------------------------ where a step goes

    def home_of(self, message: Any) -> Node:
        if isinstance(message, Purge):
            return self.nodes[0]
        who = next(getattr(message, name) for name in ("subscriber", "sender", "reader") if hasattr(message, name))
        names = [name for name, member in self.members.items() if member.listener is who]
        return self.nodes[self.homes[names[0]] if names else self.refs % 2]  # a newcomer comes anywhere

    def tell(self, *messages: object) -> None:
        for node in self.nodes:
            if here := [message for message in messages if self.home_of(message) is node]:
                node.room.tell(*here)
        self.look()

    @property
    def waiting(self) -> list[Entry]:
        """What all have heard."""
        heard = min(node.log.heard for node in self.nodes)
        return [entry for turn in self.lane.turns[:heard] if isinstance(turn, Save) for entry in turn.entries]

    @property
    def newest(self) -> int:
        return len(self.lane.entries)

    def note(self, entry: Entry) -> None:
        if entry.seq not in self.lane.voids or not isinstance(entry, Deleted | Purged):  # a void one deletes nothing
            super().note(entry)

    def do_more(self, verb: str, name: str, number: int) -> None:
        node = self.nodes[self.homes[name]]
        match verb:
            case "propose":
                node.log.propose()
            case "append":
                node.log.append(FATES[number % len(FATES)])
            case "turn":
                node.log.hear(FAR)
                node.log.propose()
                node.log.append("placed")
            case "hear":
                node.log.hear(1 + number % 3)
            case "late":
                self.lane.arrive()
            case "kill_node":
                self.kill_node(node)
            case "move":
                self.move(name)
        self.look()

    def move(self, name: str) -> None:
        """Has a member come back to the other node."""
        member = self.members[name]
        self.leave(member, forgets=False)
        if member.author is None:
            member.said = set()
        self.homes[name] = 1 - self.homes[name]

    # ------------------------------------------------------------ the database

    def commit(self, most: int) -> None:
        """Commits turns of the log; what the database refuses becomes void for everybody, in the log's order."""
        for turn in self.lane.turns[self.lane.saved :][:most]:
            self.lane.saved += 1
            if isinstance(turn, Save):
                for _, not_saved in self.committer.commit([turn]):
                    self.forgive(turn, not_saved.void.seq)
                    self.lane.turns.append(not_saved)
        self.lane.announce()
        for node in self.nodes:
            node.log.hear_of_saves()
        self.look()

    def refuse(self, which: int) -> None:
        unsaved = [turn for turn in self.lane.turns[self.lane.saved :] if isinstance(turn, Save)]
        if waiting := [entry for turn in unsaved for entry in turn.entries]:
            entry = waiting[which % len(waiting)]
            self.database.execute_sql("INSERT INTO refused VALUES (?)", (entry.id,))

    def read_database(self) -> None:
        newest = EntryTable.last_place("lobby")[0]
        for node in self.nodes:
            for question in node.room.to_history[node.read_seen :]:
                node.read_seen += 1
                answers = single._Answers()
                self.history.on_receive(msgspec.structs.replace(question, room=answers))
                node.loaded += ((newest, answer) for answer in answers.told)

    def arrive(self) -> None:
        self.stage.run_turns()
        self.read_database()
        for node in self.nodes:
            while node.loaded:
                answers, node.loaded = node.loaded, []
                node.room.tell(*(answer for _, answer in answers))
                self.read_database()
        self.look()

    # ------------------------------------------------------------ crashes

    def fail_room(self) -> None:
        """Fails one node's room at a message."""
        self.nodes[self.refs % 2].room.tell(poison())
        self.look()

    def look(self) -> None:
        for node in self.nodes:
            self.revive(node)
        super().look()

    def revive(self, node: Node) -> None:
        """Starts a successor of a room that has failed at the message of `fail_room`."""
        if not node.room.ref.is_alive():
            (handover,) = [told[2] for told in node.room.to_supervisor if told[0] == "on_crashed"]
            handover.mail[:] = [each for each in handover.mail if not isinstance(each, NotifyLagged)]
            self.start_node(node, handover=handover, is_rebuilt=True)

    def kill_node(self, node: Node) -> None:
        """Loses all that one node knows. Its members come back to it."""
        self.look()
        for name, member in self.members.items():
            if self.nodes[self.homes[name]] is node:
                member.disconnect()
                if member.author is None:
                    member.said.clear()
        node.room.ref.stop(block=False)
        self.stage.run_turns()
        node.log = NodeModel(self.lane, self.stage)
        self.start_node(node)

    # ------------------------------------------------------------ invariants

    def log(self) -> list[Entry]:
        """Returns the log, which has more than the database."""
        saved = read_log("lobby")
        return [*saved, *self.lane.entries[len(saved) :]]

    def is_void_later(self, entry: Entry) -> bool:
        return isinstance(entry, Posted) and entry.void

    def save_some(self) -> None:
        self.arrive()
        for node in self.nodes:
            node.log.hear(FAR)
            node.log.propose()
            node.log.append("placed")
            node.log.hear(FAR)
        self.commit(FAR)
        for node in self.nodes:
            node.log.hear(FAR)
        self.look()

    def settle(self) -> None:
        self.lane.arrive()
        super().settle()
        assert len(read_log("lobby")) == len(self.lane.entries)

    def is_quiet(self) -> bool:
        """Returns whether all nodes have heard everything and wait for nothing, and the database has it."""
        return self.lane.saved == self.lane.head and all(node.is_quiet for node in self.nodes)


def run(*steps: tuple[str, str, int, bool]) -> None:
    machine = SharedRoomMachine()
    try:
        machine.run(list(steps))
    finally:
        machine.close()


def test_it_is_quiet_once_a_client_has_read_again_what_showed_an_edit_that_is_void() -> None:
    """Its request waits behind a page, which waits until the room is not ahead of the log."""
    run(
        ("new_message", "ann", 0, False),
        ("settle", "ann", 0, True),
        ("edit_message", "ann", 0, True),
        ("propose", "ann", 0, True),
        ("append", "ann", 0, True),
        ("refuse", "ann", 0, True),
        ("new_message", "ann", 0, False),
        ("new_message", "ann", 0, True),
        ("propose", "ann", 0, True),
        ("commit", "ann", 1, True),
        ("read root", "ann", 1, True),
    )


def test_what_a_room_that_is_ahead_of_the_log_keeps_as_mail_is_not_heard() -> None:
    """Its people hear a message, and behind it the deletion, once others have heard both."""
    run(
        ("new_message", "ann", 0, True),
        ("new_message", "bo", 0, True),
        ("turn", "bo", 0, True),
        ("propose", "ann", 0, True),
        ("new_message", "ann", 0, True),
        ("delete_message", "bo", 0, True),
        ("turn", "bo", 0, True),
        ("hear", "ann", 1, True),
        ("append", "ann", 0, True),
    )


def test_a_client_of_places_may_hold_the_text_of_an_edit_that_is_void() -> None:
    """It was said before the database refused it, and not yet on the other node."""
    run(
        ("new_message", "cy", 0, True),
        ("settle", "", 0, True),
        ("edit_message", "cy", 0, True),
        ("turn", "cy", 0, True),
        ("forget", "cy", 0, True),
        ("refuse", "", 0, True),
        ("new_message", "cy", 0, True),
    )


ARRIVE = ("arrive", "", 0, True)
AROUND = ("read around", "ann", 15, True)
VOID_FOR_ANN_ALONE = [
    ("new_message", "ann", 0, True),
    ("turn", "ann", 0, True),
    ("commit", "ann", 4, True),
    ("new_message", "cy", 0, True),
    ("edit_message", "ann", 0, True),
    ("turn", "ann", 0, True),
    ("hear", "bo", 2, True),
    ("refuse", "ann", 0, True),
    ("commit", "ann", 4, True),
    ("hear", "ann", 2, True),
]
"""The database has refused an edit. Its author's node has heard of that, and the other node has not."""


def test_what_a_node_shows_that_is_void_is_taken_back_once_it_hears_of_that() -> None:
    """The message is read again on that node."""
    run(*VOID_FOR_ANN_ALONE, ("move", "ann", 0, True), ("pin", "ann", 0, True), ("ask", "", 0, True), ARRIVE)


def test_a_page_of_a_node_that_has_not_heard_of_a_void_entry_is_taken_back_too() -> None:
    """The message was read again before."""
    read_again = [("ask", "", 0, True), ARRIVE, ("ask", "", 0, True)]
    run(*VOID_FOR_ANN_ALONE, *read_again, ("move", "ann", 0, True), ("pin", "ann", 0, True), AROUND, ARRIVE)


@settings(max_examples=40)
@given(steps=st.lists(STEPS, min_size=20, max_size=80))
def test_all_nodes_hold_the_log_after_any_steps(steps: list[tuple[str, str, int, bool]]) -> None:
    run(*steps)
