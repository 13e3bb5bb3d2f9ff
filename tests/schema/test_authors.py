"""The log with accounts, on both databases: whose an id is, who has reacted, and what was there before them."""

import json
from pathlib import Path

import pytest
from playhouse.migrations import Runner

from schema import Database, Entry, EntryRow, Kind, RowRefused, handles_of, open_database, timeline, void_row
from schema.database import MIGRATIONS, migrate
from schema.inspection import FINDERS, doubled_ids
from tests.support.accounts import add_account
from tests.support.templates import copy_sqlite

AT = "2026-05-04T12:00:00.000000Z"


def row(seq: int, id: str = "1", name: str = "ann", author: int | None = None) -> EntryRow:
    return EntryRow(seq, id, name, f"text {seq}", AT, author=author, nth=seq)


def save(*rows: EntryRow) -> None:
    Entry.save_all([("lobby", 1, rows)])


def reaction(seq: int, add: list[object], remove: list[object]) -> EntryRow:
    data = {"key": "👍", "add": add, "remove": remove, "reactions": {}}
    return EntryRow(seq, f"r{seq}", "ann", "", AT, int(Kind.REACT), 1, 1, json.dumps(data), 7)


@pytest.mark.usefixtures("database")
def test_an_id_is_unique_for_an_account_or_for_a_guest_of_that_name() -> None:
    save(row(1), row(2, author=7), row(3, author=8), row(4, name="Ann Lee"), void_row(5, AT))
    for refused in (row(6), row(6, name="renamed", author=7)):
        with pytest.raises(RowRefused):
            save(refused)
    assert Entry.by_client_id("lobby", 7, "1") == row(2, author=7)
    assert Entry.by_client_id("lobby", "ann", "1") == row(1)
    assert Entry.by_client_id("lobby", "7", "1") is None
    assert Entry.voids("lobby") == [5]
    assert Entry.owners([("lobby", 1, 2)]) == {("lobby", 1): ("ann", "1"), ("lobby", 2): (7, "1")}
    assert list(doubled_ids()) == []


@pytest.mark.usefixtures("database")
def test_an_account_has_one_reaction_under_every_handle() -> None:
    save(row(1), reaction(2, ["@ann", "7", [7, "ann"]], []), reaction(3, [[7, "anna"], [8, "bo"]], ["7"]))
    assert timeline.reactions("lobby", 1) == [("👍", 0, "@ann", 2), ("👍", 7, "", 2), ("👍", 8, "", 3)]
    save(reaction(4, [], [[7, "another"]]))
    assert [author for _, author, _, _ in timeline.reactions("lobby", 1)] == [0, 8]


def test_handles_are_those_of_now(database: Database) -> None:
    for id, handle, state in ((7, "ann", "active"), (8, "bo", "suspended"), (9, "cy", "deleted")):
        add_account(database, id, handle, state)
    assert handles_of({7, 8, 9, 10}) == {7: "ann", 8: "bo"}
    assert handles_of(set()) == {}


def test_the_index_of_each_owner_finds_an_id(tmp_path: Path) -> None:
    database = open_database(copy_sqlite(tmp_path / "chatter.db"))  # PostgreSQL takes no index of an empty table
    for owner, index in ((7, "entry_room_author_id"), ("ann", "entry_room_name_id")):
        seen: list[str] = []
        database.connection().set_trace_callback(seen.append)
        Entry.by_client_id("lobby", owner, "1")
        database.connection().set_trace_callback(None)
        plan = str(database.execute_sql(f"EXPLAIN QUERY PLAN {seen[-1]}").fetchall())
        assert index in plan
    database.close()


def test_what_was_there_before_accounts_is_nobodys(empty_database_url: str) -> None:
    database = open_database(empty_database_url)
    Runner(database, str(MIGRATIONS)).up("0003_log")
    entries = f"(1, 1, 1, 0, 1, '1', 'ann', 'text 1', '{AT}'), (1, 2, 1, 0, 1, 'void-2', '', '', '{AT}')"
    for statement in (
        "INSERT INTO room (slug, last_seq, last_nth, last_message_at) VALUES ('lobby', 3, 1, '')",
        f"INSERT INTO entry (room, seq, epoch, kind, nth, id, name, message, inserted_at) VALUES {entries}",
        "INSERT INTO reaction (room, seq, key, name, at_seq) VALUES (1, 1, '👍', 'bo', 3), (1, 1, '👍', 'cy', 3)",
        "INSERT INTO epoch (number, commits) VALUES (1, 1)",
    ):
        database.execute_sql(statement)
    migrate(database)
    assert Entry.latest("lobby", 10) == [row(1), void_row(2, AT, nth=1)]
    assert timeline.reactions("lobby", 1) == [("👍", 0, "bo", 3), ("👍", 0, "cy", 3)]
    with pytest.raises(RowRefused):
        save(row(3))
    save(row(3, author=7))
    assert Entry.voids("lobby") == [2]
    assert [fault for finder in FINDERS for fault in finder()] == []
    database.close()
