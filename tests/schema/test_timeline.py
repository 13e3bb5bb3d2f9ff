"""The messages of a room as they are now, as they are read from the tables."""

import json

import pytest

from schema import Entry, EntryRow, Kind, Removed, Room, RowRefused, timeline
from schema.timeline import MessageRow
from tests.support.database import query

pytestmark = pytest.mark.usefixtures("database")


def at(seq: int) -> str:
    return f"2026-05-04T12:00:00.{seq:06}Z"


def message(seq: int, text: str = "hello", root: int | None = None, replies: int = 0) -> EntryRow:
    data = None if root is None else json.dumps({"reply_to": root, "replies": replies})
    return EntryRow(seq, f"id{seq}", "ann", text, at(seq), 0, seq, root, data)


def change(seq: int, kind: Kind, target: int, text: str = "", **data: object) -> EntryRow:
    return EntryRow(seq, f"id{seq}", "bo", text, at(seq), int(kind), 3, target, json.dumps(data) if data else None)


def reaction(seq: int, target: int, key: str, add: list[str], remove: list[str], names: list[str]) -> EntryRow:
    counts = {key: {"count": len(names), "names": names}} if names else {}
    return change(seq, Kind.REACT, target, key=key, add=add, remove=remove, reactions=counts)


def save(*rows: EntryRow, room: str = "lobby", keeps_removed: bool = True) -> None:
    Entry.save_all([(room, 1, rows)], keeps_removed=keeps_removed)


def now(seq: int) -> MessageRow:
    (row,) = timeline.at("lobby", [seq])
    return row


@pytest.fixture(autouse=True)
def _said(database: object) -> None:
    save(message(1, "one"), message(2, "two"), message(3, "three"))
    save(message(1), room="other")


def test_an_untouched_message_has_no_state() -> None:
    assert now(1) == (message(1, "one"), None)
    assert now(1).changed == 1


def test_each_kind_of_entry_changes_its_target_and_nothing_else() -> None:
    save(
        change(4, Kind.EDIT, 1, "first", edits=1),
        change(5, Kind.PIN, 2),
        reaction(6, 2, "👍", ["bo", "cy"], [], ["bo", "cy"]),
        change(7, Kind.EDIT, 1, "the first", edits=2),
        change(8, Kind.UNPIN, 2),
        message(9, "reply", root=3, replies=1),
    )
    edited, reacted, answered = (now(seq).state for seq in (1, 2, 3))
    assert edited is not None
    assert reacted is not None
    assert answered is not None
    assert (edited.changed, edited.message, edited.edits, edited.edited_at) == (7, "the first", 2, at(7))
    assert (reacted.changed, reacted.message, reacted.pinned_at) == (8, None, None)
    assert json.loads(reacted.reactions or "") == {"👍": {"count": 2, "names": ["bo", "cy"]}}
    assert (answered.changed, answered.replies, answered.last_reply_seq) == (9, 1, 9)
    assert timeline.at("other", [1]) == [(message(1), None)]
    assert Room.end("lobby") == (9, 9)


def test_people_who_take_a_reaction_back_are_gone() -> None:
    save(reaction(4, 1, "👍", ["bo", "cy"], [], ["bo", "cy"]), reaction(5, 1, "👍", ["di"], ["bo"], ["cy", "di"]))
    assert timeline.reactions("lobby", 1) == [("👍", 0, "cy", 4), ("👍", 0, "di", 5)]


@pytest.mark.parametrize("keeps_removed", [True, False])
def test_a_deletion_leaves_no_text_but_what_is_kept_aside(database_url: str, *, keeps_removed: bool) -> None:
    save(change(4, Kind.EDIT, 1, "secret", edits=1), reaction(5, 1, "👍", ["bo"], [], ["bo"]), change(6, Kind.PIN, 1))
    save(change(7, Kind.DELETE, 1), keeps_removed=keeps_removed)
    row = now(1)
    assert row.state is not None
    assert (row.entry.message, row.state.message, row.state.deleted_at, row.state.deleted_by) == ("", "", at(7), "bo")
    assert (row.state.reactions, row.state.pinned_at) == (None, None)
    assert timeline.reactions("lobby", 1) == []
    assert [entry.message for entry in Entry.latest("lobby", 10)] == ["", "two", "three", "", "", "", ""]
    kept = [("secret",)] if keeps_removed else []
    assert query(database_url, "SELECT message FROM removed") == kept
    assert Removed.drop(at(7)) == 0
    assert Removed.drop(at(8)) == len(kept)
    assert query(database_url, "SELECT message FROM removed") == []


def test_what_has_changed_is_read_in_the_order_of_the_changes() -> None:
    save(
        change(4, Kind.EDIT, 2, "new", edits=1),
        message(5, "five"),
        change(6, Kind.PIN, 1),
        change(7, Kind.EDIT, 2, "", edits=2),
    )
    assert [(row.entry.seq, row.changed) for row in timeline.changed_after("lobby", 0, 10)] == [
        (3, 3),
        (5, 5),
        (1, 6),
        (2, 7),
    ]
    assert [row.entry.seq for row in timeline.changed_after("lobby", 3, 2)] == [5, 1]
    assert timeline.count_touched("lobby", 3, 10) == 2
    assert timeline.count_touched("lobby", 3, 1) == 1
    assert Entry.nth_at("lobby", 3) == 3
    assert Entry.nth_at("lobby", 0) == 0


def test_pins_and_threads_are_found() -> None:
    save(message(4, "a", 1, 1), message(5, "b", 1, 2), change(6, Kind.PIN, 4), change(7, Kind.PIN, 2))
    assert [row.entry.seq for row in timeline.pinned("lobby", 10)] == [2, 4]
    assert [row.entry.seq for row in timeline.pinned("lobby", 10, before=2)] == [4]
    assert [row.entry.seq for row in timeline.pinned("lobby", 10, before=4)] == []
    assert [row.entry.seq for row in timeline.pinned("lobby", 10, before=3)] == [2, 4]
    assert sorted(timeline.pins("lobby")) == [2, 4]
    assert [row.entry.seq for row in timeline.thread("lobby", 1, after=0, limit=10)] == [4, 5]
    assert [row.entry.seq for row in timeline.thread_before("lobby", 1, 5, 10)] == [4]


def test_epochs_end_where_a_bisection_finds_it() -> None:
    for seq, epoch in ((4, 3), (5, 3), (6, 7)):
        Entry.save_all([("lobby", epoch, [message(seq)])])
    assert [Entry.end_of_epoch("lobby", epoch) for epoch in (0, 1, 2, 3, 6, 7, 9)] == [0, 3, 3, 5, 5, 6, 6]
    assert Entry.end_of_epoch("silent", 1) == 0


def test_an_entry_of_a_refused_batch_leaves_its_target_alone() -> None:
    with pytest.raises(RowRefused):
        save(change(4, Kind.EDIT, 1, "new", edits=1), message(3, "again"))
    assert now(1).state is None
    assert Room.end("lobby") == (3, 3)
