"""A deleted text is nowhere any more: not in the database or its log, nor in log, spool or dead letters."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from tests.support.database import forbid, query
from tests.support.member import Member
from tests.support.server import PATIENCE, Server, wait_until

SAID, EDITED, REPLACED = "a text that is said", "a text after an edit", "the text at the end"
TEXTS = (SAID, EDITED, REPLACED)


def say_edit_and_delete(server: Server) -> None:
    with Member(server.port, "lobby", log=2) as ann:
        seq = ann.post_and_wait(SAID, id="said")["response"]["seq"]
        for number, text in enumerate((EDITED, REPLACED)):
            answer = ann.ask("edit_message", seq=seq, message=text, id=f"edit {number}")
            assert answer["status"] == "ok"
        answer = ann.ask("delete_message", seq=seq, id="delete")
        assert answer["status"] == "ok"


def traces(server: Server) -> dict[str, list[str]]:
    """Returns which of the texts each file beside the database has, once its log is emptied."""
    with contextlib.closing(sqlite3.connect(server.database, timeout=PATIENCE)) as database:
        wait_until(lambda: database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)  # or it was busy
    found = {}
    for path in server.database.parent.iterdir():
        content = path.read_bytes()
        found[path.name] = [text for text in TEXTS if text.encode() in content]
    return {name: texts for name, texts in found.items() if texts}


def removed(server: Server) -> list[str]:
    return [text for (text,) in query(server.database_url, "SELECT message FROM removed")]


@pytest.mark.parametrize("is_stopped", [False, True])
def test_a_deleted_text_is_nowhere(database: Path, is_stopped: bool) -> None:
    with Server(database, removed_days=0) as server:
        say_edit_and_delete(server)
        if is_stopped:
            assert server.stop() == 0
        assert traces(server) == {}
        assert removed(server) == []


def test_a_deleted_text_is_kept_aside_and_dropped_when_its_time_has_come(database: Path) -> None:
    with Server(database) as server:
        say_edit_and_delete(server)
        assert removed(server) == [REPLACED]
        assert traces(server) == {server.database.name: [REPLACED]}
        server.stop()
        query(server.database_url, "UPDATE removed SET removed_at = '2026-01-01T00:00:00.000000Z'")
        server.start()
        assert removed(server) == []
        assert traces(server) == {}


def test_a_text_that_the_database_refused_is_not_in_the_dead_letters_once_its_message_is_deleted(
    database: Path,
) -> None:
    with Server(database, removed_days=0) as server:
        forbid(server.database_url, EDITED)
        with Member(server.port, "lobby", log=2) as ann:
            seq = ann.post_and_wait(SAID, id="said")["response"]["seq"]
            refused = ann.ask("edit_message", seq=seq, message=EDITED, id="edit")["response"]
            assert refused == {"reason": "not_saved"}
            assert ann.ask("delete_message", seq=seq, id="delete")["status"] == "ok"
        query(server.database_url, "DROP TRIGGER never_this")  # it holds the text
        (letters,) = database.parent.glob("*.dead-letters.jsonl")
        assert EDITED not in letters.read_text()
        assert traces(server).keys() <= {server.database.with_suffix(".log").name}  # where it was refused
