"""Checks rooms of three nodes over one log and one database against a model, whatever fails.

All of it is real but the stream itself (`LogModel`): lanes, rooms, their projections, projector and history. People and
their clients are those of the machine of a single room; they also go from node to node. The steps decide when a node
hears of turns, what the stream does to an append, who writes to the database and what that refuses, who dies and who
begins; in between time passes, which costs none.
"""

import asyncio
import collections
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import peewee
from hypothesis import given, settings
from hypothesis import strategies as st

from chatter.cluster.frames import GENESIS
from chatter.messages import Deleted, Entry, Join, Post, Posted, Purge, Purged
from chatter.room.supervisor import WITHIN_SECONDS
from chatter.storage.purging import places_of
from schema import Entry as EntryTable
from schema import Lane, LaneRow, UntoldVoid, traces
from tests.chatter.room import test_room_machine as single
from tests.chatter.room.test_room import poison
from tests.chatter.room.test_room_machine import SETTINGS, VIEWS, Member, RoomMachine
from tests.lanes.staged import Connection, StagedNode, Truth, Witness
from tests.support.log_client import Payload
from tests.support.log_model import Fault, LogModel
from tests.support.log_truth import folded, read_log, states
from tests.support.stage import Stage
from tests.support.virtual_time import Loop, seconds
from web.channels.fields import position_of

NODES = ("east", "north", "west")
HOMES = {"ann": 0, "bo": 1, "cy": 1, "di": 2}
"""The node that each member is connected to at first."""

FAULTS: tuple[Fault, ...] = ("answer lost", "request lost", "late", "no leader", "busy", "young leader", "full")
"""The outcome of the first three is unknown."""

SILENCE: tuple[Fault, ...] = ("no leader",) * 12
"""Longer than rooms wait for what became of a turn."""

TIMES = (0.001, 0.002, 0.004, 0.01, 0.03, 0.1, 0.4, 1.0)
WRITERS: tuple[tuple[int, ...], ...] = ((0,), (1,), (2,), (0, 1), (1, 2), (), ())
"""Nodes that write to the database: as a rule one, sometimes two at once, or none."""

STREAM = ("fault", "fault", "fault", "silence", "late", "leader", "stale", "trim")
HEARING = ("hear", "hear", "lose", "lose", "beat", "beat", "wait", "wait", "wait", "wait")
NODE = ("write", "write", "database", "database", "kill_node", "move", "move", "den", "watch")
OTHERS = ("rename", "ask", "leave", "forget", "depart", "fail_room", "settle")
STORED = ("read_database", "arrive", "arrive", "refuse")
STEPS = st.tuples(
    st.sampled_from(
        [*single.SAID, *single.SAID, *single.DONE, *single.READ, *STORED, *OTHERS, *STREAM, *HEARING, *NODE]
    ),
    st.sampled_from(list(VIEWS)),
    st.integers(0, 15),
    st.booleans(),
)
LANE_SETTINGS = dataclasses.replace(SETTINGS, room_idle_timeout=0.2)
FINAL = {"id_taken", "not_saved", "quarantined", "invalid", "not_found", "gone"}
"""Reasons for which nothing is sent again."""


class LaneMachine(RoomMachine):
    """LaneMachine defines the steps of three nodes."""

    def make_stage(self) -> Stage:
        return Stage(Loop)

    def start_server(self) -> None:
        self.epoch = 1  # of the log, whoever begins or dies
        Lane.found([LaneRow(0, "2026-01-01T00:00:00Z", 3, 0, GENESIS.hex())])
        for member in self.members.values():
            member.is_acknowledged_early = True  # before the database knows that an id is taken
        self.model = LogModel()
        self.model.delay = 0.003
        self.truth = Truth(self.model)
        self.homes = dict(HOMES)
        self.boots = 0
        self.saved = 0  # turns that the database has
        self.forgiven: set[int] = set()
        self.refused: set[str] = set()  # ids that the database never takes
        self.plain: collections.Counter[tuple[Any, str]] = collections.Counter()  # posts that do not say "repeat"
        self.witnesses: list[Witness] = []
        self.said_in_den: dict[Witness, int] = {}
        self.nodes = [self.start_node(name) for name in NODES]
        self.nodes[0].write()
        for node in self.nodes[:2]:
            self.watch(node, "lobby")

    def start_node(self, name: str) -> StagedNode:
        self.boots += 1
        letters = Path(self.folder.name) / f"{name}-{self.boots}.jsonl"
        node: StagedNode

        def on_saved(through: int) -> None:
            for other in self.nodes:
                if other is not node and not other.must_wait:
                    other.rooms.on_saved(through)

        node = StagedNode(
            name, self.model, self.database, letters, boot=self.boots, settings=LANE_SETTINGS, on_saved=on_saved
        )
        self.stage.run(node.begin())
        return node

    # ------------------------------------------------------------ where a step goes

    def home_of(self, message: Any) -> StagedNode:
        if isinstance(message, Purge):
            return self.nodes[0]
        who = next(getattr(message, name) for name in ("subscriber", "sender", "reader") if hasattr(message, name))
        names = [name for name, member in self.members.items() if member.listener is who]
        return self.nodes[self.homes[names[0]] if names else self.refs % len(self.nodes)]  # a newcomer comes anywhere

    def tell(self, *messages: object) -> None:
        self.stage.call(self._tell_now, messages)
        self.stage.run_turns()
        self.look()

    def _tell_now(self, messages: tuple[object, ...]) -> None:
        for message in messages:
            self.home_of(message).supervisor.ensure_room("lobby").tell(message)

    def join(self, member: Member) -> None:
        said = member.said if member.author is None else set()
        member.listener = Connection(member.view, said, member.said)
        member.listener.author = member.author
        self.tell(Join(member.listener, None, position=position_of(member.client.join_params)))

    def payload_of(self, member: Member, step: str, back: int) -> Payload | None:
        payload = super().payload_of(member, step, back)
        if payload is not None and back % 3 == 2:
            payload.pop("id", None)
        return payload

    def send(self, member: Member, event: str, payload: Payload) -> str:
        if event == "new_message" and "id" not in payload:
            payload = {**payload, "message": f"<{self.refs} without an id>"}  # it is another one each time
        ref = super().send(member, event, payload)
        if isinstance(member.listener, Connection):
            member.listener.unanswered.add(ref)
        if event == "new_message" and "id" in payload and not payload.get("repeat"):
            self.plain[member.owner, payload["id"]] += 1
        return ref

    def do_more(self, verb: str, name: str, number: int) -> None:
        node, model = self.nodes[number % len(self.nodes)], self.model
        match verb:
            case "fault":
                model.faults.append(FAULTS[number % len(FAULTS)])
            case "silence":
                model.faults.extend([FAULTS[number % 3], *SILENCE])
                self.wait(TIMES[number // 2])
            case "late":
                self.stage.call(model.deliver_late)
            case "leader":
                model.has_leader = not model.has_leader
            case "hear":
                node.must_wait = number % 2 == 0 and not node.must_wait
                self.stage.call(node.hear_some, 1 + number // 4)
            case "lose":
                node.to_lose = 1 + number // 8
            case "stale":
                model.staleness = 1 + number // 3
            case "wait":
                self.wait(TIMES[number % len(TIMES)])
            case "beat":
                self.stage.call(node.hear_beat, self.nodes[number // 5 - 1])
            case "write":
                for each, other in enumerate(self.nodes):
                    other.write(writes=each in WRITERS[number % len(WRITERS)])
            case "database":
                where = node.projector.failures if number % 2 else node.projector.losses
                where.append(peewee.OperationalError("away"))
            case "trim":
                heads = [each.log.head for each in self.nodes]
                model.purge(max(model.first, min(*heads, Lane.rows()[0].head) + 1))
            case "kill_node":
                self.kill_node(number % len(self.nodes))
            case "move":
                self.move(name, number % len(self.nodes))
            case "den":
                self.say_in_den(node)
            case "watch":
                self.watch(node, "lobby" if number % 4 else "den")
        self.stage.run_turns()
        self.look()

    def wait(self, seconds: float) -> None:
        """Lets time pass."""
        self.stage.run(asyncio.sleep(seconds))
        self.look()

    # ------------------------------------------------------------ people beside the members

    def watch(self, node: StagedNode, slug: str) -> None:
        """Has somebody listen in a room on a node, or leave it."""
        there = [each for each in self.witnesses if (each.node, each.slug) == (node, slug)]
        for each in there:
            if each not in self.said_in_den:
                self.witnesses.remove(each)
                self.stage.call(each.leave)
        if not there:
            self.stage.call(lambda: self.witnesses.append(Witness(node, slug)))

    def say_in_den(self, node: StagedNode) -> None:
        """Has somebody say something in another room of the lane."""
        there = [each for each in self.witnesses if (each.node, each.slug) == (node, "den")]
        if not there:
            self.watch(node, "den")
            there = self.witnesses[-1:]
        count = self.said_in_den[there[0]] = self.said_in_den.get(there[0], 0) + 1
        id = f"{node.author.name} {node.author.boot} {count}"
        self.stage.call(there[0].tell, Post(there[0].listener, b"1", id, "dan", f"in the den: {id}"))

    def move(self, name: str, home: int) -> None:
        """Has a member come to another node, or come back to the same one by another connection."""
        member = self.members[name]
        self.leave(member, forgets=False)
        if member.author is None:
            member.said = set()
        self.homes[name] = home

    # ------------------------------------------------------------ what all have heard

    def look(self) -> None:
        self.truth.read()
        self.forgive_voids()
        for node in self.nodes:
            node.look()
        super().look()
        for witness in self.witnesses:
            witness.check(self.truth)

    def forgive_voids(self) -> None:
        """A deletion that is void deletes nothing. The database knows that before the log tells it."""
        said = self.truth.said.get("lobby", ())
        for seq in EntryTable.voids("lobby"):
            if seq not in self.forgiven:
                self.forgiven.add(seq)
                match said[seq - 1]:
                    case Deleted(target=target):
                        self.deleted -= self.texts.get(target, set())
                    case Purged() as purged:
                        self.deleted -= {t for each in places_of(purged.targets) for t in self.texts.get(each, ())}

    def note(self, entry: Entry) -> None:
        if entry.seq not in self.forgiven or not isinstance(entry, Deleted | Purged):
            super().note(entry)

    @property
    def waiting(self) -> list[Entry]:
        """What all have heard."""
        return self.truth.heard_by("lobby", min(node.applied for node in self.nodes))

    @property
    def newest(self) -> int:
        return len(self.truth.said.get("lobby", ()))

    # ------------------------------------------------------------ the database

    def refuse(self, which: int) -> None:
        """Has the database refuse something that it lacks, or what is said next."""
        saved = EntryTable.last_place("lobby")[0]
        unsaved = self.truth.said.get("lobby", [])[saved:]
        id = unsaved[which % len(unsaved)].id if unsaved else str((self.numbers + 1 + which) // 2)
        self.refused.add(id)
        self.database.execute_sql("INSERT INTO refused VALUES (?)", (id,))

    def read_database(self) -> None:
        for node in self.nodes:
            asked, node.questions.asked = node.questions.asked, []
            for question in asked:
                answers = single._Answers()
                self.history.on_receive(msgspec.structs.replace(question, room=answers))
                node.questions.loaded += ((question, answer) for answer in answers.told)

    def arrive(self) -> None:
        self.stage.run_turns()
        self.read_database()
        while any(node.questions.loaded for node in self.nodes):
            for node in self.nodes:
                loaded, node.questions.loaded = node.questions.loaded, []
                for question, answer in loaded:
                    if question.room.is_alive():
                        question.room.tell(answer)
            self.stage.run_turns()
            self.look()
            self.read_database()

    # ------------------------------------------------------------ crashes

    def fail_room(self) -> None:
        """Fails one node's room at a message, and its successor at the same."""
        node = self.nodes[self.refs % len(self.nodes)]
        now = self.stage.run(seconds())
        node.poisoned = [each for each in node.poisoned if now - each < WITHIN_SECONDS]
        if len(node.poisoned) == 2 or node.supervisor.find_room("lobby") is None:
            return  # more often than it is rebuilt, or there is none
        node.poisoned.append(now)
        self.stage.call(lambda: node.supervisor.ensure_room("lobby").tell(poison()))
        self.stage.run_turns()
        self.look()

    def kill_node(self, which: int) -> None:
        """Loses all that one node knows. Its members come back to the one that takes its place."""
        self.look()
        node = self.nodes[which]
        for name, member in self.members.items():
            if self.nodes[self.homes[name]] is node:
                member.disconnect()
                if member.author is None:
                    member.said = set()
        self.witnesses = [each for each in self.witnesses if each.node is not node]
        self.stage.run(node.close())
        self.model.has_leader = True  # a node waits for it
        self.nodes[which] = self.start_node(node.author.name)
        self.nodes[which].write(writes=node.writes)

    # ------------------------------------------------------------ invariants

    def log(self) -> list[Entry]:
        """Returns the log, which has more than the database."""
        saved = read_log("lobby")
        return [*saved, *self.truth.log_of("lobby")[len(saved) :]]

    def is_void_later(self, entry: Entry) -> bool:
        return isinstance(entry, Posted) and entry.void

    def check_log(self) -> None:
        self.check_turns()
        self.check_position()
        log = self.log()
        assert [entry.seq for entry in log] == list(range(1, len(log) + 1))
        self.check_ids(log)
        for member in self.members.values():
            for id, answer in member.acknowledged.items():
                entry = log[answer["seq"] - 1]
                assert entry.id == id or self.is_void_later(entry), f"{entry} was acknowledged as {id}"

    def check_position(self) -> None:
        """The database has what was said up to its position, which never goes back, and nothing else."""
        head = Lane.rows()[0].head
        assert head >= self.saved
        self.saved = head
        for slug in ("lobby", "den"):
            assert EntryTable.last_place(slug)[0] == len(self.truth.heard_by(slug, head))

    def check_turns(self) -> None:
        """All nodes were handed the same turns, each once."""
        for node in self.nodes:
            assert node.log.stopped is None
            assert node.projection.fault is None
            begun = node.position
            assert [turn.seq for turn in node.turns] == list(range(begun + 1, begun + len(node.turns) + 1))
            for turn in node.turns[-5:]:
                assert turn.chain == self.truth.turns[turn.seq - 1].chain

    def check_ids(self, log: Sequence[Entry]) -> None:
        """What is near has no id twice, nor has what was always said to be a repeat."""
        places: dict[tuple[Any, str], int] = {}
        for entry in log:
            if not self.is_void_later(entry):
                key = (entry.owner, entry.id)
                is_old = key in places and log[places[key] - 1].nth + SETTINGS.ring_size < entry.nth
                assert key not in places or (is_old and self.plain[key] > 1), f"{entry} is said twice"
                places[key] = entry.seq
        texts = [each.message for each in log if isinstance(each, Posted) and "without an id" in each.message]
        assert len(texts) == len({*texts}), "what has no id is said twice"

    def save_all(self) -> None:
        """Waits until all is in the database and heard, and nothing fails any more."""
        model = self.model
        for _ in range(100):
            model.has_leader, model.staleness = True, 0
            model.faults.clear()
            if not any(node.writes for node in self.nodes):
                self.nodes[0].write()
            self.stage.call(model.deliver_late)
            for node in self.nodes:
                node.must_wait, node.to_lose = False, 0
                node.projector.failures.clear()
                node.projector.losses.clear()
                self.stage.call(node.hear_some, len(model.frames))
                for other in self.nodes:
                    self.stage.call(node.hear_beat, other)
            self.arrive()
            self.wait(0.6)
            if self.is_quiet():
                return
        raise AssertionError("it never becomes quiet")

    def is_quiet(self) -> bool:
        """Whether everybody has said and heard everything, and the database has it."""
        through = [node.rooms.saved_through for node in self.nodes]
        heads = [node.log.head for node in self.nodes]
        applied = [node.applied for node in self.nodes]
        is_asked = any(node.questions.asked or node.questions.loaded for node in self.nodes)
        is_saying = any(node.rooms.is_saying for node in self.nodes)  # a node may pause where the log was full
        return not is_asked and not is_saying and {*through, *heads, *applied} == {self.model.last}

    def settle(self) -> None:
        super().settle()
        self.check_log()
        self.check_all_answered()
        self.check_database()

    def check_all_answered(self) -> None:
        for member in self.members.values():
            if isinstance(member.listener, Connection):
                assert not member.listener.unanswered, f"{member.name} is not answered"
        for witness in self.witnesses:
            assert witness.at == len(self.truth.said.get(witness.slug, ())), "it has not heard all"
            said = self.said_in_den.get(witness, 0)
            assert len(witness.answers) == said

    def check_database(self) -> None:
        """The database has the log, of this room and of the other."""
        assert Lane.rows()[0][3:] == (
            self.model.last,
            self.truth.turns[-1].chain.hex() if self.truth.turns else GENESIS.hex(),
        )
        assert UntoldVoid.select().count() == 0
        for slug in ("lobby", "den"):
            log, saved = self.truth.log_of(slug), read_log(slug)
            names = [[(type(each), each.seq, each.id, each.nth) for each in entries] for entries in (log, saved)]
            assert names[0] == names[1]
        if not self.departed:
            assert folded(self.truth.log_of("lobby")) == states("lobby")

    def purge(self) -> bool:
        """Has the room purge what the database has of accounts that are gone; returns whether it has something."""
        room = traces.next_room(0)
        while room is not None and room[1] != "lobby":
            room = traces.next_room(room[0])
        return room is not None and self.purge_room(room[0])

    # ------------------------------------------------------------ repeats

    def run(self, steps: list[tuple[str, str, int, bool]]) -> None:
        super().run(steps)
        self.repeat_posts()

    def repeat_posts(self) -> None:
        """Has everybody send again what was not acknowledged. Each is said once then, unless that can never be."""
        repeated: list[tuple[Member, str, Payload]] = []
        for member in self.members.values():
            if member.is_gone:
                continue
            if member.listener is None:
                self.join(member)
            for event, payload in list(member.sent.values()):
                if event == "new_message" and "id" in payload and payload["id"] not in member.acknowledged:
                    again = {**payload, "repeat": True}
                    repeated.append((member, self.send(member, event, again), again))
        self.tell_sending()
        self.settle()
        said = collections.Counter((each.owner, each.id) for each in self.truth.log_of("lobby"))
        for member, ref, payload in repeated:
            assert isinstance(member.listener, Connection)
            reason = member.listener.refused.get(ref)
            if reason is not None:
                assert reason in FINAL
            elif payload["id"] not in self.refused:
                assert said[member.owner, payload["id"]] == 1


@settings(max_examples=40)
@given(steps=st.lists(STEPS, min_size=20, max_size=80))
def test_all_nodes_and_the_database_have_one_log_whatever_fails(steps: list[tuple[str, str, int, bool]]) -> None:
    machine = LaneMachine()
    try:
        machine.run(steps)
    finally:
        machine.close()
