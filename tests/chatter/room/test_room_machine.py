"""Checks a room against a model: `docs/delivery.md` holds after any steps.

The room is real, as are the committer, history and their database; the steps decide when what was said is committed,
and when what was read arrives. Members are clients that follow the rules of that document: of the whole log, of places
alone, or of messages as they come. Two are accounts, with the names of guests; they are renamed, and their ids may be
those of others; one may leave for good, and what it has left is purged. Two steps are crashes: a room fails at a
message and is handed over, or the server dies, which loses all that is not committed and begins a new epoch.
"""

import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import peewee
from hypothesis import given, settings
from hypothesis import strategies as st

from chatter.charter import Author
from chatter.messages import (
    Deleted,
    Edited,
    Entry,
    HistoryMessage,
    Join,
    Leave,
    Owner,
    Posted,
    Purge,
    Purged,
    Reacted,
    Save,
    Saved,
    View,
)
from chatter.room.context import RoomSettings
from chatter.storage.committer import Committer
from chatter.storage.dead_letters import DeadLetters
from chatter.storage.history import History
from chatter.storage.purging import places_of, ranges_of
from schema import Entry as EntryTable
from schema import traces
from schema.base import database as proxy
from tests.chatter.conftest import RoomOnStage
from tests.chatter.room.test_room import poison
from tests.support import log_client
from tests.support.accounts import add_account
from tests.support.log_client import LogClient, Payload, Request
from tests.support.log_truth import FAR, Rows, check_reactions, folded, read_log, states
from tests.support.places_client import PlacesClient
from tests.support.stage import Stage
from tests.support.templates import fill_in_memory
from tests.support.wire_listener import WireListener
from web.channels.fields import position_of
from web.channels.requests import translate
from web.limits import Limits

SETTINGS = RoomSettings(
    ring_size=4, greeting_size=2, max_recovery_page=6, max_recovery_gap=20, id_memory_size=6, max_edits=3, max_pins=2
)
LIMITS = Limits(max_history_page=20, max_recovery_page=20, max_pins=2)
PAGE = 3
VIEWS = {"ann": View.LOG, "bo": View.LOG, "cy": View.PLACES, "di": View.MESSAGES}
ACCOUNTS = {"bo": Author(1, "bo"), "di": Author(2, "di")}
NAMES = ("ann", "cy")
"""Of guests, and of accounts in turn."""

SAID = ("new_message", "new_message", "new_message reply", "edit_message", "edit_message", "delete_message")
DONE = ("react", "react", "unreact", "pin", "unpin", "again", "again repeat")
READ = ("read before", "read around", "read root", "read pinned", "read seqs")
STORED = ("commit", "commit", "read_database", "arrive", "refuse", "refuse")
OTHERS = ("rename", "ask", "ask", "leave", "forget", "depart", "fail_room", "kill_server", "settle")
STEPS = st.tuples(
    st.sampled_from([*SAID, *SAID, *DONE, *READ, *STORED, *OTHERS]),
    st.sampled_from(list(VIEWS)),
    st.integers(0, 15),
    st.booleans(),
)
"""What is done, by whom, to which one counted from the end, and whether the turn ends with it."""

KEYS = ("👍", "🎉")
PEOPLE = "efgh"


class TutorialClient(PlacesClient):
    """TutorialClient is told of messages and of nothing else."""

    join_params: ClassVar[Payload] = {}

    def next_request(self) -> None:
        return None

    def hear(self, event: str, payload: Payload) -> None:
        assert event != "new_message" or not payload.get("void")


CLIENTS = {View.LOG: LogClient, View.PLACES: PlacesClient, View.MESSAGES: TutorialClient}


@dataclasses.dataclass
class Member:
    """Member is a person with one connection, which joins and leaves the room."""

    name: str
    view: View
    client: LogClient | PlacesClient
    author: Author | None = None
    listener: WireListener | None = None
    said: set[int] = dataclasses.field(default_factory=set)
    is_gone: bool = False  # its account is closed
    is_acknowledged_early: bool = False  # an old repeat, which becomes void, is acknowledged too
    asked: tuple[str, Request] | None = None  # the client's own request that is not answered yet, by its ref
    sent: dict[str, Request] = dataclasses.field(default_factory=dict)  # what was asked to be said or done, by ref
    acknowledged: dict[str, Payload] = dataclasses.field(default_factory=dict)  # answers by the id of the request

    @property
    def owner(self) -> Owner:
        """Whose its ids are."""
        return self.name if self.author is None else self.author.id

    def rename(self) -> None:
        """Gives an account the other name; a guest who did that would be another one."""
        if self.author is not None:
            self.name = NAMES[self.name == NAMES[0]]

    def receive(self) -> None:
        """Applies what has arrived."""
        for event, ref, payload in self.listener.take() if self.listener else ():
            if event != "phx_reply":
                assert event in ("new_message", "room_event", "message_voided", "resync"), event
                self.client.hear(event, payload)
            elif payload["status"] == "ok":
                self._answered(str(ref), payload["response"])
            elif self.asked is not None and self.asked[0] == ref:
                self.asked = None  # refused: it asks again

    def _answered(self, ref: str, response: Payload) -> None:
        if ref == "join":
            self.client.joined(response)
        elif self.asked is not None and self.asked[0] == ref:
            (_, request), self.asked = self.asked, None
            self.client.answered(request, response)
        elif ref in self.sent and "id" in response:
            said = self.acknowledged.setdefault(response["id"], response)
            assert self.is_acknowledged_early or said["seq"] == response["seq"], "two answers differ"

    @property
    def is_quiet(self) -> bool:
        """Returns whether its client waits for no answer, and has nothing to ask."""
        return self.listener is None or (self.asked is None and self.client.next_request() is None)

    def disconnect(self) -> None:
        """Forgets the connection's place in the room, with what was asked."""
        self.listener, self.asked = None, None


class RoomMachine:
    """RoomMachine defines the steps, and what holds after each."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.database = peewee.SqliteDatabase(":memory:")
        proxy.initialize(self.database)
        fill_in_memory(self.database)
        for author in ACCOUNTS.values():
            add_account(self.database, author.id, author.handle)
        self.database.execute_sql("CREATE TABLE refused (id TEXT)")
        self.database.execute_sql(
            "CREATE TRIGGER refuse BEFORE INSERT ON entry WHEN EXISTS (SELECT 1 FROM refused WHERE id = NEW.id)"
            " BEGIN SELECT RAISE(ABORT, 'never this'); END"
        )
        self.committer = Committer(DeadLetters(Path(self.folder.name) / "dead-letters.jsonl"))
        self.history = History(self.database)
        self.stage = self.make_stage()
        self.epoch = 0
        self.members = {
            name: Member(NAMES[0] if name in ACCOUNTS else name, view, CLIENTS[view](PAGE), ACCOUNTS.get(name))
            for name, view in VIEWS.items()
        }
        self.numbers = 0
        self.texts: dict[int, set[str]] = {}  # all that each message had
        self.noted = 0  # what is said up to here is in `texts`
        self.deleted: set[str] = set()  # texts that nobody may be told any more
        self.refs = 0
        self.sending: list[Any] = []  # of this turn
        self.miscounted: int | None = None  # the first reaction that is void and counts until the room has counted anew
        self.departed: dict[int, bool] = {}  # accounts that are gone, and whether with their texts
        self.start_server()

    def make_stage(self) -> Stage:
        return Stage()

    def close(self) -> None:
        self.stage.close()
        self.database.close()
        self.folder.cleanup()

    def run(self, steps: list[tuple[str, str, int, bool]]) -> None:
        """Does the steps, then waits until all is quiet."""
        for step, name, number, ends_turn in steps:
            verb, _, what = step.partition(" ")
            if step in SAID or step in DONE:
                self.say(step, self.members[name], number)
                if not ends_turn:
                    continue
            self.tell_sending()
            match verb:
                case "read":
                    self.read(self.members[name], what, number)
                case "rename":
                    self.members[name].rename()
                case "depart":
                    self.depart(self.members[name], erases=number % 2 == 0)
                case "leave" | "forget":
                    self.leave(self.members[name], forgets=verb == "forget")
                case "commit" | "refuse":
                    getattr(self, verb)(number % 5)
                case "read_database" | "arrive" | "ask" | "fail_room" | "kill_server" | "settle":
                    getattr(self, verb)()
                case _ if step not in SAID and step not in DONE:
                    self.do_more(verb, name, number)
            self.check_log()
        self.tell_sending()
        self.settle()

    def do_more(self, verb: str, name: str, number: int) -> None:
        raise AssertionError(f"no such step: {verb}")

    def start_server(self) -> None:
        self.epoch += 1
        self.start_room()

    def start_room(self, **options: Any) -> None:
        """Starts a room over the committed entries."""
        self.room = RoomOnStage(self.stage, SETTINGS, server_epoch=self.epoch, **options)
        self.told_seen, self.read_seen = 0, 0  # of what the room has told the storage
        self.loaded: list[tuple[int, Any]] = []  # answers that have not arrived, with the newest of their time
        self.arrive()

    def tell(self, *messages: object) -> None:
        """Tells the room, and hears what it says."""
        self.room.tell(*messages)
        self.look()

    def look(self) -> None:
        """Has the members hear what was said, and notes it."""
        new = [entry for entry in self.waiting if entry.seq > self.noted]
        forbidden = self.deleted - {entry.message for entry in new if isinstance(entry, Posted | Edited)}
        for member in self.members.values():
            if member.listener is not None:
                for write in member.listener.written:
                    told = [text for text in forbidden if text.encode() in write]
                    assert not told, f"{member.name} was told {told}, which is deleted: {write!r}"
            member.receive()
        for entry in new:
            self.note(entry)
            self.noted = entry.seq

    def note(self, entry: Entry) -> None:
        match entry:
            case Posted(seq=seq, message=text) if text:
                self.texts[seq] = {text}
                self.deleted.discard(text)
            case Edited(target=target, message=text) if text:
                self.texts.setdefault(target, set()).add(text)
            case Deleted(target=target):
                self.deleted |= self.texts.get(target, set())
            case Purged(targets=targets, erases=True):
                self.deleted |= {text for seq in places_of(targets) for text in self.texts.get(seq, ())}

    @property
    def waiting(self) -> list[Entry]:
        """What is said and not committed."""
        told = self.room.to_persistence[self.told_seen :]
        return [entry for save in told if isinstance(save, Save) for entry in save.entries]

    @property
    def newest(self) -> int:
        waiting = self.waiting
        return waiting[-1].seq if waiting else EntryTable.last_place("lobby")[0]

    # ------------------------------------------------------------ people

    def join(self, member: Member) -> None:
        member.listener = WireListener(member.view, member.said)
        member.listener.author = member.author
        self.tell(Join(member.listener, None, position=position_of(member.client.join_params)))

    def leave(self, member: Member, *, forgets: bool) -> None:
        """Has a member leave, and come back when it has something to say. A page that is loaded anew forgets."""
        if member.listener is not None:
            self.tell(Leave(member.listener))
            member.disconnect()
        if forgets:
            member.client = CLIENTS[member.view](PAGE)

    def depart(self, member: Member, *, erases: bool) -> None:
        """Closes the account of a member, for good."""
        if member.author is None or member.is_gone:
            return
        self.leave(member, forgets=False)
        member.is_gone = True
        self.database.execute_sql("UPDATE account SET state = 'deleted' WHERE id = ?", (member.author.id,))
        self.departed[member.author.id] = erases
        self.save_all()
        self.purge()

    def save_all(self) -> None:
        """Waits until what was asked for is in the database, as whoever purges does."""
        for _ in range(200):
            self.save_some()
            if self.is_quiet():
                return
        raise AssertionError("it never becomes quiet")

    def save_some(self) -> None:
        self.arrive()
        self.commit(FAR)

    def purge(self) -> bool:
        """Has the room purge what the database has of accounts that are gone; returns whether it has something."""
        room = traces.next_room(0)
        return room is not None and self.purge_room(room[0])

    def purge_room(self, room: int) -> bool:
        found_any = False
        for account, erases in self.departed.items():
            found = traces.traces(room, account, 0)
            if found.own or found.touched:
                about = (ranges_of(found.own), ranges_of(found.touched), tuple(found.labels))
                self.tell(Purge(account, erases, *about, lambda _is_done: None))
                found_any = True
        return found_any

    def send(self, member: Member, event: str, payload: Payload) -> str:
        """Has a member ask the room for something, and returns the ref."""
        self.refs += 1
        raw = msgspec.Raw(msgspec.json.encode(payload))
        assert member.listener is not None
        member.listener.person_name = member.name if member.author else None
        self.sending.append(translate(event, raw, member.listener, b'"%d"' % self.refs, LIMITS))
        return str(self.refs)

    def say(self, step: str, member: Member, back: int) -> None:
        """Has a member say or do something; `back` tells to which message."""
        if member.is_gone:
            return
        if member.listener is None:
            self.join(member)
        event, _, what = step.partition(" ")
        payload = self.payload_of(member, step, back)
        if event == "again" and member.sent:
            event, payload = list(member.sent.values())[-1 - back % len(member.sent)]
            if "id" in payload:
                payload = {**payload, "repeat": what == "repeat"}
        if payload is not None:
            member.sent[self.send(member, event, payload)] = (event, payload)

    def tell_sending(self) -> None:
        """Ends the turn."""
        sending, self.sending = self.sending, []
        if sending:
            self.tell(*sending)

    def payload_of(self, member: Member, step: str, back: int) -> Payload | None:
        self.numbers += 1
        by, text, seq = {"name": member.name}, {"message": f"<{self.numbers}>"}, max(1, self.newest - back)
        id = {"id": f"{self.numbers // 2}"}  # the next one may have it too
        said = sorted(member.said)
        own = {"seq": said[-1 - back % len(said)]} if said else None
        match step:
            case "new_message":
                return by | text | id
            case "new_message reply":
                return by | text | id | {"reply_to": seq}
            case "edit_message":
                return own and own | text | id
            case "delete_message":
                return own and own | id
            case "pin" | "unpin":
                return by | id | {"seq": seq}
            case "again" | "again repeat":
                return None
            case _:
                return {"name": PEOPLE[self.numbers % len(PEOPLE)], "seq": seq, "key": KEYS[back % 2]}

    # ------------------------------------------------------------ what clients ask

    def ask(self) -> None:
        """Has clients ask for what their rules say."""
        for member in self.members.values():
            self.ask_for(member, member.client.next_request())

    def ask_for(self, member: Member, request: Request | None) -> None:
        if member.listener is not None and member.asked is None and request is not None:
            member.asked = self.send(member, *request), request
            self.tell_sending()

    def read(self, member: Member, how: str, back: int) -> None:
        """Has a person read a page."""
        seq = max(1, self.newest - back)
        value = {"pinned": True, "seqs": [seq, max(1, seq - 2)]}.get(how, seq)
        if member.view is View.LOG:
            self.ask_for(member, ("history", {how: value, "limit": 1 + back % 5}))

    # ------------------------------------------------------------ the database

    def commit(self, most: int) -> None:
        """Commits what the room has told, and tells it."""
        for told in self.room.to_persistence[self.told_seen :][:most]:
            self.told_seen += 1
            if isinstance(told, Save):
                refused = [not_saved for _, not_saved in self.committer.commit([told])]
                for not_saved in refused:
                    self.forgive(told, not_saved.void.seq)
                self.tell(*refused, Saved(told.entries[-1].seq))
            else:
                self.read_now(told)
                self.arrive()

    def forgive(self, save: Save, seq: int) -> None:
        """A deletion that is void deletes nothing. Void reactions count until the room has counted anew."""
        for entry in save.entries:
            if isinstance(entry, Deleted) and entry.seq == seq:
                self.deleted -= self.texts.get(entry.target, set())
            if isinstance(entry, Purged) and entry.seq == seq:
                self.deleted -= {text for each in places_of(entry.targets) for text in self.texts.get(each, ())}
            if isinstance(entry, Reacted) and entry.seq == seq:
                self.miscounted = min(self.miscounted or seq, seq)

    def refuse(self, which: int) -> None:
        """Has the database refuse something that waits to be committed."""
        if waiting := self.waiting:
            entry = waiting[which % len(waiting)]
            self.database.execute_sql("INSERT INTO refused VALUES (?)", (entry.id,))

    def read_database(self) -> None:
        """Reads what the room has asked for; the answers arrive later."""
        for question in self.room.to_history[self.read_seen :]:
            self.read_seen += 1
            self.read_now(question)

    def read_now(self, question: HistoryMessage) -> None:
        """Reads with the real history actor, which tells the room `self`."""
        newest = EntryTable.last_place("lobby")[0]
        answers = _Answers()
        self.history.on_receive(msgspec.structs.replace(question, room=answers))
        self.loaded += ((newest, answer) for answer in answers.told)

    def arrive(self) -> None:
        """Reads, and has all answers arrive."""
        self.stage.run_turns()
        self.read_database()
        while self.loaded:
            answers, self.loaded = self.loaded, []
            self.tell(*(answer for _, answer in answers))
            self.read_database()

    # ------------------------------------------------------------ crashes

    def fail_room(self) -> None:
        """Fails the room at a message, and starts its successor with the hand-over."""
        if len(self.waiting) > SETTINGS.ring_size:
            self.settle()  # the successor counts reactions anew that are in its memory
        self.tell(poison())
        handover = self.room.to_supervisor[-1][2]
        assert handover is not None
        del handover.mail[0]
        waiting = self.room.to_persistence[self.told_seen :]
        for told in waiting:
            if isinstance(told, Save):
                for _, not_saved in self.committer.commit([told]):
                    self.forgive(told, not_saved.void.seq)
        self.start_room(handover=handover, is_rebuilt=True)
        self.commit(FAR)

    def kill_server(self) -> None:
        """Loses all that is not committed, and tells nobody."""
        if self.miscounted is not None and EntryTable.last_place("lobby")[0] - self.miscounted >= SETTINGS.ring_size:
            self.settle()  # the next room counts reactions anew that are in its memory
        self.look()
        for member in self.members.values():
            member.disconnect()
            if member.author is None:
                member.said.clear()
        self.room.ref.stop(block=False)
        self.stage.run_turns()
        committed = self.log()
        self.deleted, self.noted = set(), len(committed)
        self.texts = {seq: texts for seq, texts in self.texts.items() if seq <= len(committed)}
        for entry in committed:
            if isinstance(entry, Deleted):
                self.deleted |= self.texts[entry.target]
            if isinstance(entry, Purged) and entry.erases:
                self.deleted |= {text for seq in places_of(entry.targets) for text in self.texts[seq]}
        self.start_server()

    # ------------------------------------------------------------ invariants

    def log(self) -> list[Entry]:
        """Returns the committed log."""
        return read_log("lobby")

    def check_log(self) -> None:
        """It has no gaps, each id once, and what is acknowledged in its place."""
        log = self.log()
        ids = [(entry.owner, entry.id) for entry in log]
        assert [entry.seq for entry in log] == list(range(1, len(log) + 1))
        assert len(set(ids)) == len(log)
        for member in self.members.values():
            for id, answer in member.acknowledged.items():
                entry = log[answer["seq"] - 1]
                if self.is_void_later(entry):
                    continue
                shared = isinstance(entry, Reacted)  # it has the id of the first who reacted
                assert entry.id == id
                assert shared or (entry.owner, ids.count((entry.owner, id))) == (member.owner, 1)

    def is_void_later(self, entry: Entry) -> bool:
        """Returns whether the database may refuse what is acknowledged already."""
        return False

    def settle(self) -> None:
        """Waits until all is quiet, and compares everybody with the database."""
        for _ in range(200):
            self.save_all()
            self.ask()
            if self.is_quiet() and self.are_members_quiet and not self.purge():
                break
        else:
            raise AssertionError("it never becomes quiet")
        self.check_everybody()

    def is_quiet(self) -> bool:
        """Returns whether all that was said is in the database, and the room has all answers of that."""
        is_all_saved = self.told_seen == len(self.room.to_persistence)
        return is_all_saved and self.read_seen == len(self.room.to_history) and not self.loaded

    @property
    def are_members_quiet(self) -> bool:
        """Whether nobody waits for an answer or has something to ask: till then one may hold what the room does not."""
        return all(member.is_quiet for member in self.members.values())

    def check_everybody(self) -> None:
        self.miscounted = None
        truth = folded(self.log())
        assert truth == states("lobby")
        check_reactions("lobby", truth)
        for member in self.members.values():
            if member.listener is not None and member.view is not View.MESSAGES:
                self.check_member(member, truth)
        self.check_newcomer(truth)

    def check_member(self, member: Member, truth: Rows) -> None:
        client, newest = member.client, self.newest
        if isinstance(client, LogClient):
            assert client.position == newest
            assert client.rows == {seq: truth[seq] for seq in client.rows}
            assert client.rows.keys() >= {seq for seq in truth if seq > client.complete_after}
        elif client.held:
            assert client.since is not None
            assert all(seq <= client.since for seq in truth)  # a greeting does not tell what came after its messages
            assert sorted(client.held) == list(range(min(client.held), client.since + 1))
            for seq, text in client.held.items():
                assert text is None or text in self.texts[seq], "a text that was never said"

    def check_newcomer(self, truth: Rows) -> None:
        """Checks what one reads who knows places alone, and one who knows the log, from the first to the last."""
        places = self.read_all(View.PLACES, {"after": 0, "limit": PAGE})
        assert {each["seq"]: each["message"] for each in places} == {
            seq: truth[seq]["message"] if seq in truth else "" for seq in range(1, self.newest + 1)
        }
        rows = self.read_all(View.LOG, {"limit": PAGE})
        assert {each["seq"]: log_client.row_of(each) for each in rows if not each.get("void")} == truth

    def read_all(self, view: View, request: Payload) -> Iterator[Payload]:
        """Yields all pages' messages, in the direction in which the request begins."""
        member = Member("newcomer", view, PlacesClient(PAGE), listener=WireListener(view, set()))
        while True:
            self.send(member, "history", request)
            self.tell_sending()
            self.arrive()
            assert member.listener is not None
            ((_, _, answer),) = member.listener.take()
            page = answer["response"]
            yield from page["messages"]
            if not page["more"]:
                return
            end, way = (-1, "after") if "after" in request else (0, "before")
            request = {way: page["messages"][end]["seq"], "limit": PAGE}


class _Answers:
    """Plays the room for history, and keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def tell(self, message: Any) -> None:
        self.told.append(message)


@settings(max_examples=40)
@given(steps=st.lists(STEPS, min_size=20, max_size=60))
def test_everybody_holds_the_log_after_any_steps(steps: list[tuple[str, str, int, bool]]) -> None:
    machine = RoomMachine()
    try:
        machine.run(steps)
    finally:
        machine.close()
