"""Rooms that are somebody's, through the storage: written with their entries, spooled, refused and read again."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from chatter.charter import Author, Charter, Member, RulesPatch
from chatter.messages import (
    Acknowledged,
    Deleted,
    Edited,
    Entry,
    Load,
    LookUp,
    MemberAs,
    MembersChanged,
    Mentions,
    Posted,
    PostState,
    Recovery,
    Refused,
    RoomChanged,
    Save,
    View,
    called,
)
from chatter.room.amendments import Amendments
from chatter.storage.authors import entries_of, messages_of
from chatter.storage.charters import read_charter
from chatter.storage.committer import Committer
from chatter.storage.dead_letters import DeadLetters
from chatter.storage.history import History
from chatter.storage.records import entry_of, object_of
from chatter.storage.spool import Spool
from schema import Audit, Database, EntryRow, Kind, Mention, Room, open_database, timeline
from schema import Entry as EntryTable
from schema import Member as MemberTable
from schema.base import tuples
from tests.chatter.conftest import RoomOnStage
from tests.support.accounts import add_account
from tests.support.database import query
from tests.support.governed import PRIVATE, Person
from tests.support.stage import Recorder, Stage, join

AT = "2026-05-04T12:00:00.000000Z"
UNTIL = "2026-05-04T13:00:00.000000Z"
ANN, BO, CY, DI = (MemberAs(Author(id, name), name.title()) for id, name in enumerate(("ann", "bo", "cy", "di"), 1))


def by(seq: int, who: MemberAs = ANN) -> dict[str, Any]:
    return {"seq": seq, "id": f"e{seq}", "name": who.name, "inserted_at": AT, "nth": 0, "author": who.who}


def people(seq: int, change: Any, *who: MemberAs, doer: MemberAs = ANN, **options: Any) -> MembersChanged:
    return MembersChanged(**by(seq, doer), change=change, members=who, **options)


FOUNDED: list[Entry] = [
    RoomChanged(**by(1), kind="private", title="Garden", topic="", rules=RulesPatch(slow_mode=5)),
    people(2, "joined", ANN, role="owner"),
    people(3, "added", BO, CY, DI, role="member"),
]
LOG: list[Entry] = [
    *FOUNDED,
    people(4, "role", BO, role="moderator"),
    people(5, "muted", CY, until=UNTIL, reason="noise"),
    people(6, "removed", DI, doer=BO, reason="spam"),
    people(7, "banned", DI, doer=BO),
    people(8, "left", CY, doer=CY),
    RoomChanged(**by(9), topic="flowers", rules=RulesPatch(read_only=True, listed=False)),
    RoomChanged(**by(10), archived=True),
]


@pytest.fixture
def opened(database_url: str) -> Iterator[Database]:
    database = open_database(database_url)
    for each in (ANN, BO, CY, DI):
        add_account(database, each.who.id, each.who.handle)
    yield database
    database.close()


@pytest.fixture
def committer(opened: Database, tmp_path: Path) -> Committer:
    return Committer(DeadLetters(tmp_path / "letters", "this database"), removed_days=1)


def save(entries: Sequence[Entry], slug: str = PRIVATE) -> Save:
    return Save(None, slug, 1, tuple(entries))


def in_memory(entries: Sequence[Entry]) -> Charter:
    """Returns the charter as a living room has it."""
    amendments = Amendments(PRIVATE, None)
    for entry in entries:
        if isinstance(entry, MembersChanged | RoomChanged):
            amendments.add(entry)
    assert amendments.charter is not None
    return amendments.charter


def names_of_now(charter: Charter | None) -> Charter | None:
    """Returns a charter with the display names that the accounts of this test have."""
    if charter is None:
        return None
    names = {each.who.id: each.name for each in (ANN, BO, CY, DI)}
    members = {
        account: Member(each.author, names[account], each.role, each.joined_seq, each.muted_until)
        for account, each in charter.members.items()
    }
    return Charter(
        kind=charter.kind,
        title=charter.title,
        topic=charter.topic,
        rules=charter.rules,
        archived_at=charter.archived_at,
        members=members,
        banned=charter.banned,
        muted=charter.muted,
    )


@pytest.mark.parametrize("number", range(1, len(LOG) + 1))
def test_the_database_has_after_each_entry_what_the_room_has_in_memory(committer: Committer, number: int) -> None:
    committer.commit([save([each]) for each in LOG[:number]])
    assert names_of_now(read_charter(PRIVATE)) == in_memory(LOG[:number])
    assert entries_of(EntryTable.after(PRIVATE, 0, 100)) == LOG[:number]


def test_a_plain_room_has_no_charter(committer: Committer) -> None:
    committer.commit([save([Posted(1, "1", "ann", "hi", AT, nth=1)], "lobby")])
    assert read_charter("lobby") is None
    assert read_charter("nowhere") is None


def test_a_public_room_that_somebody_joined_has_one_also_when_all_have_left(committer: Committer) -> None:
    committer.commit([save([people(1, "joined", ANN, role="member"), people(2, "left", ANN)], "lobby")])
    assert read_charter("lobby") == Charter()


def test_who_comes_has_read_everything_and_begins_anew_after_having_left(committer: Committer) -> None:
    committer.commit([save(FOUNDED)])
    MemberTable.update(read_seq=9, read_nth=9, read_rev=2, level="none", hidden=1).execute()
    committer.commit([save([people(4, "left", BO, doer=BO), people(5, "added", BO, role="member")])])
    columns = (MemberTable.joined_seq, MemberTable.read_seq, MemberTable.read_rev, MemberTable.level)
    (row,) = tuples(MemberTable.select(*columns, MemberTable.hidden).where(MemberTable.account == 2))
    assert row == (5, 5, 0, "", 0)


def test_only_public_rooms_that_are_listed_are_listed(committer: Committer) -> None:
    unlisted = RoomChanged(**by(1), kind="public", title="", topic="", rules=RulesPatch(listed=False))
    listed = RoomChanged(**by(1), kind="public", title="Garden", topic="flowers", rules=RulesPatch(guests=False))
    committer.commit([save(FOUNDED), save([unlisted], "secret"), save([listed], "garden")])
    assert [(row.slug, row.title, row.topic) for row in Room.recently_active(10)] == [("garden", "Garden", "flowers")]


def test_a_private_room_whose_foundation_is_void_is_not_listed(committer: Committer) -> None:
    void = Posted(1, "void-1", "", "", AT, void=True)
    committer.commit([save([void, *FOUNDED[1:]])])
    assert Room.recently_active(10) == []
    charter = read_charter(PRIVATE)
    assert charter is not None
    assert (charter.kind, sorted(charter.members)) == ("private", [1, 2, 3, 4])


def test_accounts_that_are_deleted_are_no_members_and_renamed_ones_have_their_names(
    opened: Database, committer: Committer
) -> None:
    committer.commit([save(FOUNDED)])
    opened.execute_sql("UPDATE account SET state = 'deleted' WHERE id = 2")
    opened.execute_sql("UPDATE account SET handle = 'cyd' WHERE id = 3")
    charter = read_charter(PRIVATE)
    assert charter is not None
    assert {each.author.handle for each in charter.members.values()} == {"ann", "cyd", "di"}


def test_a_room_that_begins_again_has_its_charter_and_knows_its_requests(
    stage: Stage, opened: Database, committer: Committer
) -> None:
    committer.commit([save(LOG[:6])])
    told: list[Any] = []
    history, room = stage.start(History, opened), stage.start(Recorder, told)
    bo, di = Person(2, "bo", view=View.PLACES), Person(4, "di")
    repeated = bo.does("removed", di, id="e6", repeat=True)
    history.tell(Load(room, PRIVATE, 10))
    history.tell(LookUp(room, PRIVATE, repeated))
    stage.run_until(lambda: len(told) == 2)
    loaded, looked_up = told
    assert names_of_now(loaded.charter) == in_memory(LOG[:6])
    begun = RoomOnStage(stage, slug=PRIVATE)
    begun.tell(loaded, join(bo), join(di), repeated, looked_up)
    assert isinstance(bo.heard[0], Recovery)
    assert di.heard == [Refused("unmatched topic")]
    assert bo.answers == [Acknowledged("e6", 6, AT, duplicate=True)]
    assert begun.saves == []
    stage.run(history.stop(block=False))


# ---------------------------------------------------------------- the audit log


def deeds() -> list[tuple[Any, ...]]:
    return [(row.action, row.actor, row.target, row.reason) for row in reversed(Audit.before_id(None, 100))]


def test_what_is_done_with_power_is_written_down(committer: Committer) -> None:
    committer.commit([save(LOG)])
    assert deeds() == [
        ("role", 1, 2, None),
        ("muted", 1, 3, "noise"),
        ("removed", 2, 4, "spam"),
        ("banned", 2, 4, None),
        ("room", 1, None, None),
        ("room", 1, None, None),
    ]
    rows = list(reversed(Audit.before_id(None, 100)))
    assert {row.room for row in rows} == {PRIVATE}
    role = [json.loads(each or "null") for each in (rows[0].before, rows[0].after)]
    assert [each["role"] for each in role] == ["member", "moderator"]
    assert json.loads(rows[4].before or "")["topic"] == ""
    assert json.loads(rows[4].after or "")["topic"] == "flowers"
    assert json.loads(rows[4].before or "")["rules"] == {"slow_mode": 5}


def test_a_deletion_by_a_moderator_is_written_down_and_one_by_the_author_is_not(committer: Committer) -> None:
    said = [Posted(seq, str(seq), "Bo", "hi", AT, nth=seq, author=BO.who) for seq in (1, 2)]
    own = Deleted(3, "3", "Bo", 1, AT, 2, author=BO.who)
    power = Deleted(4, "4", "Ann", 2, AT, 2, "spam", True, author=ANN.who)
    committer.commit([save([*said, own, power], "lobby")])
    assert deeds() == [("delete_message", 1, None, "spam")]
    assert entries_of(EntryTable.after("lobby", 3, 1)) == [power]


def test_pages_of_the_audit_log_follow_each_other(committer: Committer) -> None:
    committer.commit([save(LOG)])
    first = Audit.before_id(None, 4)
    rest = Audit.before_id(first[-1].id, 4)
    assert [row.id for row in (*first, *rest)] == sorted((row.id for row in (*first, *rest)), reverse=True)
    assert (len(first), len(rest)) == (4, 2)


# ---------------------------------------------------------------- mentions


def mentioned() -> dict[int, list[tuple[int, str]]]:
    found: dict[int, list[tuple[int, str]]] = {}
    for account, seq, kind in sorted(tuples(Mention.select(Mention.account, Mention.seq, Mention.kind))):
        found.setdefault(seq, []).append((account, kind))
    return found


def posts(seq: int, mentions: Mentions | None) -> Posted:
    return Posted(seq, f"m{seq}", "Ann", "hi", AT, nth=seq, author=ANN.who, mentions=mentions)


@pytest.mark.parametrize(
    "mentions",
    [
        Mentions(accounts=(2, 3)),
        Mentions(accounts=(1, 2)),
        Mentions(room=True),
        Mentions(accounts=(2,), room=True, here=True, present=(2, 3)),
        Mentions(here=True, present=(3,)),
    ],
)
def test_who_is_called_is_written_with_the_message(committer: Committer, mentions: Mentions) -> None:
    committer.commit([save([*FOUNDED, people(4, "removed", DI), posts(5, mentions)])])
    expected = called(mentions, (1, 2, 3), 1)
    assert mentioned().get(5, []) == sorted(expected.items())
    assert messages_of(timeline.latest(PRIVATE, 1)) == [posts(5, mentions)]


def test_an_edit_calls_others_and_a_deletion_nobody(committer: Committer) -> None:
    edit = Edited(6, "e6", "Ann", 5, AT, 5, "@cy", 1, Mentions(accounts=(3,)), author=ANN.who)
    committer.commit([save([*FOUNDED, posts(4, Mentions(accounts=(2,))), posts(5, Mentions(accounts=(2,)))])])
    committer.commit([save([edit])])
    assert mentioned() == {4: [(2, "account")], 5: [(3, "account")]}
    assert [each.mentions for each in messages_of(timeline.at(PRIVATE, [5]))] == [Mentions(accounts=(3,))]
    committer.commit([save([Deleted(7, "e7", "Ann", 5, AT, 5, author=ANN.who)])])
    assert mentioned() == {4: [(2, "account")]}
    assert [each.mentions for each in messages_of(timeline.at(PRIVATE, [5]))] == [None]
    said, edited, _ = entries_of(EntryTable.after(PRIVATE, 4, 3))
    assert [each.mentions for each in (said, edited) if isinstance(each, Posted | Edited)] == [None, None]


def test_a_reply_that_names_somebody_is_both(committer: Committer) -> None:
    state = PostState(changed=5, reply_to=4, root=4, root_replies=1)
    reply = replace(posts(5, Mentions(accounts=(2,))), state=state)
    committer.commit([save([*FOUNDED, posts(4, None), reply])])
    assert mentioned() == {5: [(2, "account")]}
    assert [each.state and each.state.replies for each in messages_of(timeline.at(PRIVATE, [4]))] == [1]


# ---------------------------------------------------------------- the files beside the database


def test_the_spool_replays_effects_once(opened: Database, committer: Committer, tmp_path: Path) -> None:
    log = [*LOG, posts(11, Mentions(accounts=(2,)))]
    committer.commit([save(log[:4])])  # these were committed, and only the news of that was lost
    letters = DeadLetters(tmp_path / "letters", "this database")
    spool = Spool(tmp_path / "spool", "this database", newest_epoch=9)
    spool.write([save(log)])
    spool.replay(committer, letters, (1, 2))
    assert names_of_now(read_charter(PRIVATE)) == in_memory(log)
    assert entries_of(EntryTable.after(PRIVATE, 0, 100)) == log
    assert mentioned() == {11: [(2, "account")]}
    assert [deed[0] for deed in deeds()] == ["role", "muted", "removed", "banned", "room", "room"]
    assert not (tmp_path / "letters").exists()


def test_an_entry_that_is_refused_has_no_effect_and_is_kept_whole(
    database_url: str, committer: Committer, tmp_path: Path
) -> None:
    taken = people(4, "left", BO, doer=BO)
    again = people(5, "left", CY, doer=BO)
    again = replace(again, id=taken.id)
    refused = committer.commit([save([*FOUNDED, taken, again])])
    assert [each.void.seq for _, each in refused] == [5]
    charter = read_charter(PRIVATE)
    assert charter is not None
    assert sorted(charter.members) == [1, 3, 4]
    assert query(database_url, "SELECT COUNT(*) FROM audit") == [(0,)]
    assert committer.commit([save([*FOUNDED, taken])]) == []  # it is there already


@pytest.mark.parametrize("entry", LOG, ids=lambda each: f"{each.seq}")
def test_a_room_entry_survives_the_spool(tmp_path: Path, opened: Database, entry: Entry) -> None:
    written = json.loads(json.dumps(object_of(save([entry]), entry)))
    row = EntryRow(**{name: written[name] for name in EntryRow._fields})
    handles = {each.who.id: each.who.handle for each in (ANN, BO, CY, DI)}
    assert entry_of(row, handles) == entry


@pytest.mark.parametrize(
    "data",
    [
        '{"change":"joined"}',
        '{"change":"danced","members":[]}',
        '{"change":"joined","members":[[1,2,3]]}',
        '{"change":"joined","members":5}',
        '{"change":"joined","members":[[1,"ann"]]}',
    ],
)
def test_data_that_no_entry_has_is_an_error_of_its_line(data: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        entry_of(EntryRow(1, "1", "Ann", "", AT, Kind.MEMBER, 0, None, data, 1))
