"""The migration that makes a log of the table of messages: nothing that a client could notice changes."""

import shutil
from pathlib import Path

import peewee
import pytest
from playhouse.migrations import Runner

from schema import Entry, ListedRow, Room, open_database, timeline
from schema.database import MIGRATIONS, migrate
from schema.inspection import FINDERS

BEFORE = "0002_epochs_and_identity"

Message = tuple[str, int, int, str, str, str, str]


def old_database(url: str, messages: list[Message], rooms: list[tuple[str, str]]) -> peewee.Database:
    """Makes a database as the version before had it."""
    database = open_database(url)
    Runner(database, str(MIGRATIONS)).up(BEFORE)
    param = database.param
    for room in rooms:
        database.execute_sql(f"INSERT INTO room (slug, last_message_at) VALUES ({param}, {param})", room)
    for message in messages:
        database.execute_sql(
            f"INSERT INTO message (room, seq, epoch, id, name, message, inserted_at) VALUES ({', '.join([param] * 7)})",
            message,
        )
    database.execute_sql("INSERT INTO epoch (number, commits) VALUES (5, 1)")
    database.execute_sql("INSERT INTO epoch (number, commits) VALUES (7, 1)")
    return database


def message(room: str, seq: int, *, epoch: int = 5, void: bool = False) -> Message:
    id, name, text = (f"void-{seq}", "", "") if void else (f"id-{seq}", "ann", f"text {seq}")
    return (room, seq, epoch, id, name, text, f"2026-05-04T12:00:00.{seq:06}Z")


def with_chunks_of(rows: int, folder: Path) -> Path:
    """Copies the migrations, of which the log's copies so many rows at once."""
    shutil.copytree(MIGRATIONS, folder)
    step = folder / "0003_log.py"
    step.write_text(step.read_text().replace("CHUNK = 50_000", f"CHUNK = {rows}"))
    return folder


@pytest.mark.parametrize("chunk", [2, 50_000])
def test_messages_keep_their_places_and_are_counted(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr("schema.database.MIGRATIONS", with_chunks_of(chunk, tmp_path / "migrations"))
    messages = [
        *(message("lobby", seq, epoch=5 if seq < 4 else 7, void=seq == 3) for seq in range(1, 8)),
        message("a-room", 1),
        message("unlisted", 1, void=True),
        message("unlisted", 2),
    ]
    at = messages[6][-1]
    database = old_database(empty_database_url, messages, [("silent", ""), ("lobby", at), ("a-room", messages[7][-1])])
    assert migrate(database)[0] == "0003_log"
    for room in ("lobby", "a-room", "unlisted"):
        kept = [
            (room, row.seq, row.id, row.name, row.message, row.inserted_at, row.kind, row.target, row.data)
            for row in Entry.latest(room, 10)
        ]
        before = [(*each[:2], *each[3:], 0, None, None) for each in messages if each[0] == room]
        assert kept == before
    assert [row.nth for row in Entry.latest("lobby", 10)] == [1, 2, 2, 3, 4, 5, 6]
    assert [row.nth for row in Entry.latest("unlisted", 10)] == [0, 1]
    assert Room.recently_active(10)[0] == ListedRow("lobby", 7, 6, at, "", "")
    assert [Room.end(room) for room in ("silent", "a-room", "unlisted")] == [(0, 0), (1, 1), (2, 1)]
    assert Entry.epoch_ends("lobby", 0) == [(5, 3), (7, 7)]
    assert [row.state for row in timeline.latest("lobby", 10)] == [None] * 7
    assert [fault for finder in FINDERS for fault in finder()] == []
    database.close()
