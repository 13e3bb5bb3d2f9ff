"""The spool: what it saves, what it sets aside, and that nothing of it is lost."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatter.messages import Deleted, Edited, NotSaved, Pinned, Posted, Save
from chatter.storage.committer import Committer
from chatter.storage.dead_letters import DeadLetters
from chatter.storage.spool import BATCH, MAX_GAP, Spool, memory_of
from schema import Entry, EntryRow, Room, open_database, timeline
from tests.support.database import allow, forbid
from tests.support.templates import copy_sqlite

AT = "2026-05-04T12:00:00.000000Z"
FIRST_VERSION = {"room": "lobby", "epoch": 1, "seq": 1, "id": "a", "name": "ann", "message": "hi", "inserted_at": AT}
"""A line as the first Chatter wrote it. It has to be read for ever."""


class Place:
    """A database with a spool and dead letters beside it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "chatter.db.unsaved.jsonl"
        self.spool = Spool(self.file, "this database", newest_epoch=9)
        self._letters = folder / "dead-letters.jsonl"
        self.dead_letters = DeadLetters(self._letters, "this database")

    def write(self, *lines: Any) -> None:
        self.file.write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in lines))

    def replay(self, *starts: int) -> int:
        return self.spool.replay(Committer(self.dead_letters), self.dead_letters, starts or (1, 2))

    def saved(self, room: str = "lobby") -> list[tuple[int, str]]:
        return [(row.seq, row.message) for row in Entry.after(room, 0, 20_000)]

    def letters(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._letters.read_text().splitlines()] if self._letters.exists() else []


class FailingCommitter(Committer):
    """Commits one batch, and fails then."""

    _is_used = False

    def commit(self, *batch: Any) -> list[tuple[Save, NotSaved]]:
        if self._is_used:
            raise OSError("the database is gone")
        self._is_used = True
        return super().commit(*batch)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    database = open_database(copy_sqlite(tmp_path / "chatter.db"))
    yield Place(tmp_path)
    database.close()


def line(seq: int, message: str = "hi", **others: Any) -> dict[str, Any]:
    return {**FIRST_VERSION, "seq": seq, "id": f"id-{seq}", "message": message, **others}


def posted(seq: int) -> Posted:
    return Posted(seq, f"id-{seq}", "ann", f"number {seq}", AT)


def test_a_line_of_the_first_version_is_saved(place: Place) -> None:
    place.write(FIRST_VERSION)
    assert place.replay() == 1
    assert Entry.latest("lobby", 10) == [EntryRow(1, "a", "ann", "hi", AT, nth=1)]
    assert not place.file.exists()


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b'{"version": 3}', "expected version 2 or 1, got 3: a newer Chatter has written it"),
        (json.dumps({**FIRST_VERSION, "database": "another"}).encode(), "it belongs to another database, another"),
        (b'{"epoch": 1, "seq": 2, "id": "b", "name": "ann", "message": "hi", "inserted_at": "x"}', "expected room"),
        (b'{"room": "lobby", "epoch": 1, "seq": 2, "id": "b", "name": "ann", "message": "hi"}', "inserted_at"),
        (json.dumps({**FIRST_VERSION, "colour": "red"}).encode(), "colour"),
        (json.dumps({**FIRST_VERSION, "seq": "2"}).encode(), "expected a whole number from 1 as seq"),
        *((json.dumps({**FIRST_VERSION, "seq": seq}).encode(), "as seq") for seq in (0, -5, 2**63, 2**70, True, 1.0)),
        *((json.dumps({**FIRST_VERSION, "epoch": epoch}).encode(), "as epoch") for epoch in (0, 2**70, None)),
        (json.dumps({**FIRST_VERSION, "epoch": 10}).encode(), "expected an epoch up to 9, got 10"),
        *((json.dumps({**FIRST_VERSION, "id": id}).encode(), "as id") for id in (5, None, [1], "\ud800", "\0")),
        (json.dumps({**FIRST_VERSION, "message": "\ud800"}).encode(), "as message"),
        (json.dumps({**FIRST_VERSION, "name": None}).encode(), "expected a text as name"),
        (json.dumps({**FIRST_VERSION, "name": ""}).encode(), "expected a name"),
        (json.dumps({**FIRST_VERSION, "inserted_at": "x" * 28}).encode(), "at most 27 characters as inserted_at"),
        *((json.dumps({**FIRST_VERSION, "room": room}).encode(), "a room's name") for room in ("", "Bad/..", "x\n")),
        (json.dumps({**FIRST_VERSION, "room": "x" * 5_000}).encode(), "at most 64 characters as room"),
        (b"[" * 100_000, "recursion"),
        (b"[1]", "expected a JSON object"),
        (b'{"room": "lobby", "epo', "line 2"),
        (b"\x00\xff garbage", "line 2"),
        (b"", "line 2"),
    ],
)
def test_a_line_that_cannot_be_read_is_set_aside_and_the_others_are_saved(place: Place, bad: bytes, why: str) -> None:
    first, last = (json.dumps(line(seq, database="this database", version=2)).encode() for seq in (1, 2))
    place.file.write_bytes(b"\n".join([first, bad, last, b""]))
    assert place.replay() == 2
    assert place.saved() == [(1, "hi"), (2, "hi")]
    (letter,) = place.letters()
    assert letter["line"].encode("utf-8", "replace")[:5] == bad.decode("utf-8", "backslashreplace").encode()[:5]
    assert why in letter["error"]


def test_a_void_place_that_a_room_remembered_is_saved(place: Place) -> None:
    place.write(line(1), line(2, "", id="void-2", name=""), line(3))
    assert place.replay() == 2
    assert place.saved() == [(1, "hi"), (2, ""), (3, "hi")]
    assert place.letters() == []


def test_a_place_whose_line_is_torn_becomes_void(place: Place) -> None:
    place.file.write_bytes(b'%b\n{"room": "lob\n%b\n' % tuple(json.dumps(line(seq)).encode() for seq in (1, 3)))
    assert place.replay() == 2
    assert place.saved() == [(1, "hi"), (2, ""), (3, "hi")]


def test_what_an_interrupted_replay_has_saved_is_not_saved_again(place: Place) -> None:
    place.write(line(1), line(2))
    place.replay()
    place.write(line(1), line(2), line(3))
    assert place.replay() == 1
    assert place.saved() == [(1, "hi"), (2, "hi"), (3, "hi")]
    assert place.letters() == []


def test_a_line_that_stands_twice_is_saved_once_and_no_dead_letter(place: Place) -> None:
    place.write(line(1), line(2), line(1), line(2))
    assert place.replay() == 2
    assert place.saved() == [(1, "hi"), (2, "hi")]
    assert place.letters() == []


@pytest.mark.parametrize("is_committed", [False, True])
def test_the_id_of_another_sender_in_its_place_does_not_hide_a_message(place: Place, is_committed: bool) -> None:
    if is_committed:
        place.write(line(1))
        place.replay()
    place.write(line(1), line(1, "mine", name="bo"))
    place.replay()
    assert place.saved() == [(1, "hi")]
    (letter,) = place.letters()
    assert letter["error"] == "line 2: room lobby has another entry in place 1"


def test_a_replay_that_fails_leaves_the_dead_letters_to_the_next(place: Place) -> None:
    place.write(line(1), "garbage", *(line(seq) for seq in range(2, 3 * BATCH + 11)))
    for _ in range(3):
        with pytest.raises(OSError, match="gone"):
            place.spool.replay(FailingCommitter(place.dead_letters), place.dead_letters, (1, 2))
    assert place.letters() == []
    assert place.replay() == 10
    assert [letter["error"] for letter in place.letters()] == ["line 2: expected a JSON object"]


def test_the_messages_of_a_room_stay_while_the_database_has_no_place_for_one_of_them(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{place.file.parent}/chatter.db"
    forbid(url, "never", "")
    of_den = [line(seq, room="den") for seq in range(1, BATCH)]
    place.write(line(1), line(2, "never"), *of_den, "garbage", line(3), line(BATCH, room="den"))
    assert place.replay() == BATCH
    assert (place.saved(), len(place.saved("den"))) == ([(1, "hi")], BATCH)
    assert [letter["error"] for letter in place.letters()] == [f"line {BATCH + 2}: expected a JSON object"]
    assert "room lobby: the database takes neither message 2" in caplog.text
    allow(url)
    assert place.replay() == 2
    assert place.saved() == [(1, "hi"), (2, "never"), (3, "hi")]
    assert not place.file.exists()
    assert len(place.letters()) == 1


def test_what_is_not_the_next_word_of_its_room_is_set_aside(place: Place) -> None:
    Entry.save_all([("lobby", 5, [EntryRow(1, "x", "bo", "said since", AT)])])
    place.write(line(1, "taken"), line(2, "late"), line(1, "elsewhere", room="other"))
    assert place.replay() == 1
    assert place.saved() == [(1, "said since")]
    assert place.saved("other") == [(1, "elsewhere")]
    errors = [letter["error"] for letter in place.letters()]
    assert errors == [
        "line 1: room lobby has another entry in place 1",
        "line 2: room lobby was spoken in since, in epoch 5",
    ]


@pytest.mark.parametrize("is_first", [True, False])
def test_of_two_lines_for_a_place_the_later_epoch_is_saved(place: Place, is_first: bool) -> None:
    earlier = [line(1, "earlier", id="earlier", epoch=3), line(2, "earlier", id="earlier 2", epoch=3)]
    later = [line(1, "later", epoch=4)]
    place.write(*(earlier + later if is_first else later + earlier))
    assert place.replay(3, 4, 5) == 1
    assert place.saved() == [(1, "later")]
    assert Entry.last_place("lobby") == (1, 4)
    assert sorted(letter["error"].split(": ", 1)[1] for letter in place.letters()) == [
        "room lobby has another entry in place 1",
        "room lobby was spoken in since, in epoch 4",
    ]


def test_a_line_is_saved_in_its_epoch_unless_another_has_begun_before_this_one(place: Place) -> None:
    place.write(line(1, epoch=3), line(1, epoch=4, room="other"), line(1, epoch=6, room="third"))
    place.replay(3, 4, 7)
    assert Entry.last_place("lobby") == (1, 7)  # clients of epoch 4 may have heard another message there
    assert Entry.last_place("other") == (1, 4)
    assert Entry.last_place("third") == (1, 7)  # the database went back and lacks epoch 6


def test_the_rest_of_a_room_that_an_interrupted_replay_has_begun_is_saved(place: Place) -> None:
    place.write(*(line(seq, epoch=3) for seq in range(1, BATCH + 3)))
    with pytest.raises(OSError, match="gone"):
        place.spool.replay(FailingCommitter(place.dead_letters), place.dead_letters, (3, 4, 5))
    assert Entry.last_place("lobby") == (BATCH, 5)
    assert place.replay(3, 4, 5, 6) == 2
    assert Entry.last_place("lobby") == (BATCH + 2, 6)
    assert place.letters() == []


def test_epochs_do_not_fall_where_a_line_is_saved_in_this_one(place: Place) -> None:
    place.write(line(1, epoch=3), line(2, epoch=4))
    assert place.replay(3, 4, 5) == 2
    assert Entry.epoch_ends("lobby", 0) == [(5, 2)]


def test_a_gap_before_the_next_word_becomes_void_unless_it_is_too_large(place: Place) -> None:
    place.write(line(4, "after the gap"), line(MAX_GAP + 100, "too far"))
    assert place.replay() == 1
    assert place.saved() == [(1, ""), (2, ""), (3, ""), (4, "after the gap")]
    assert "too far before" in place.letters()[0]["error"]


def test_a_write_adds_to_what_is_there_and_names_the_database(place: Place) -> None:
    place.spool.write([Save(None, "lobby", 3, (posted(1),))])
    place.spool.write([Save(None, "lobby", 3, (posted(2),))])
    lines = [json.loads(text) for text in place.file.read_text().splitlines()]
    assert [(each["seq"], each["epoch"], each["version"], each["database"]) for each in lines] == [
        (1, 3, 2, "this database"),
        (2, 3, 2, "this database"),
    ]
    assert place.replay() == 2


def test_the_text_of_what_is_deleted_is_not_written_down_and_everything_is_done_by_the_next_start(place: Place) -> None:
    secret = Posted(1, "id-1", "ann", "a secret", AT, nth=1)
    edited = Edited(2, "id-2", "ann", 1, AT, 1, "the same secret", 1)
    kept = Posted(3, "id-3", "ann", "no secret", AT, nth=2)
    pinned, deleted = Pinned(4, "id-4", "bo", 3, AT, 2), Deleted(5, "id-5", "ann", 1, AT, 2)
    place.spool.write([Save(None, "lobby", 2, (secret, edited, kept)), Save(None, "lobby", 2, (pinned, deleted))])
    assert b"secret" in place.file.read_bytes()
    assert b"a secret" not in place.file.read_bytes()
    assert b"the same secret" not in place.file.read_bytes()
    assert place.replay() == 5
    assert place.saved() == [(1, ""), (2, ""), (3, "no secret"), (4, ""), (5, "")]
    gone, shown = (row.state for row in timeline.at("lobby", [1, 3]))
    assert gone is not None
    assert shown is not None
    assert (gone.deleted_by, shown.pinned_by) == ("ann", "bo")
    assert Room.end("lobby") == (5, 2)


def test_a_write_that_fails_leaves_the_file_as_it_was(place: Place) -> None:
    place.spool.write([Save(None, "lobby", 3, (posted(1),))])
    before = place.file.read_bytes()
    place.file.with_name(place.file.name + ".new").mkdir()  # whatever else keeps it from being written aside
    with pytest.raises(OSError, match="directory"):
        place.spool.write([Save(None, "lobby", 3, (posted(2),))])
    assert place.file.read_bytes() == before


def test_what_rooms_remember_is_sorted_and_each_message_is_there_once() -> None:
    saves = [
        Save(None, "b", 2, (posted(2), posted(3))),
        Save(None, "a", 2, (posted(1),)),
        Save(None, "b", 2, (posted(3),)),
    ]
    assert [(save.slug, save.entries[0].seq) for save in memory_of(saves)] == [("a", 1), ("b", 2), ("b", 3)]
