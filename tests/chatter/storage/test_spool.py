"""The spool: which lines it replays, and how it names those that it cannot read."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatter.storage.committer import Committer
from chatter.storage.dead_letters import DeadLetters
from chatter.storage.spool import Spool, SpoolUnreadable
from schema import Message, MessageRow, open_database
from schema.database import migrate

FIRST_VERSION = {
    "room": "lobby",
    "epoch": 1,
    "seq": 1,
    "id": "a",
    "name": "ann",
    "message": "hi",
    "inserted_at": "2026-05-04T12:00:00.000000Z",
}
"""A line as the first release wrote it. Every later release must read it."""


@pytest.fixture
def committer(tmp_path: Path) -> Iterator[Committer]:
    database = open_database(f"sqlite:///{tmp_path}/chatter.db")
    migrate(database)
    yield Committer(DeadLetters(tmp_path / "dead-letters.jsonl"))
    database.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "chatter.db.unsaved.jsonl"


def write(file: Path, *lines: Any) -> None:
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_line_of_the_first_release_is_replayed(committer: Committer, file: Path) -> None:
    write(file, FIRST_VERSION)
    assert Spool(file).replay(committer) == 1
    saved = MessageRow(1, "a", "ann", "hi", FIRST_VERSION["inserted_at"])  # type: ignore[arg-type]
    assert Message.latest("lobby", 10)[0][: len(saved)] == saved
    assert not file.exists()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ({**FIRST_VERSION, "version": 2}, "expected version 1, got 2: a newer Chatter has written it"),
        ({name: value for name, value in FIRST_VERSION.items() if name != "room"}, "expected room"),
        ({name: value for name, value in FIRST_VERSION.items() if name != "inserted_at"}, "inserted_at"),
        ({**FIRST_VERSION, "colour": "red"}, "colour"),
        ([1], "expected a JSON object"),
    ],
)
def test_an_unreadable_line_is_named_and_the_file_is_kept(
    committer: Committer, file: Path, line: Any, why: str
) -> None:
    write(file, {**FIRST_VERSION, "version": 1}, line)
    before = file.read_text()
    with pytest.raises(SpoolUnreadable, match=r"unsaved\.jsonl, line 2: ") as error:
        Spool(file).replay(committer)
    assert why in str(error.value)
    assert file.read_text() == before
