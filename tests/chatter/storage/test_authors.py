"""Who wrote what, through the storage: saved, spooled, refused and read again with the handle of now."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chatter.charter import Author
from chatter.messages import (
    Deleted,
    Edited,
    Entry,
    Meta,
    Metas,
    Pinned,
    Posted,
    PostState,
    Reacted,
    ReactionCount,
    Save,
)
from chatter.storage.authors import entries_of, messages_of, people_of
from chatter.storage.committer import Committer
from chatter.storage.dead_letters import DeadLetters
from chatter.storage.presence_snapshot import PresenceSnapshot
from chatter.storage.spool import Spool
from schema import Database, open_database, timeline
from schema import Entry as EntryTable
from tests.support.accounts import add_account
from tests.support.database import forbid

AT = "2026-05-04T12:00:00.000000Z"
ANN, ANNA = Author(7, "ann"), Author(7, "anna")
COUNT = (ReactionCount("👍", 2, ("bo", "@ann")),)
LOG: list[Entry] = [
    Posted(1, "a", "Ann Lee", "hello", AT, nth=1, author=ANN),
    Posted(2, "a", "Ann Lee", "a guest", AT, nth=2),
    Edited(3, "b", "Ann Lee", 1, AT, 2, "hello!", 1, author=ANN),
    Pinned(4, "c", "Ann Lee", 1, AT, 2, author=ANN),
    Reacted(5, "d", "bo", 1, AT, 2, "👍", ("bo", ANN), (), COUNT),
    Posted(6, "e", "Ann Lee", "gone", AT, nth=3, author=ANN),
    Deleted(7, "f", "Ann Lee", 6, AT, 3, author=ANN),
]


@pytest.fixture
def opened(database_url: str) -> Iterator[Database]:
    database = open_database(database_url)
    add_account(database, 7, "anna")  # the handle has changed since
    yield database
    database.close()


def check_what_is_read() -> None:
    read = entries_of(EntryTable.latest("lobby", 10))
    assert read[0] == Posted(1, "a", "Ann Lee", "hello", AT, nth=1, author=ANNA)
    assert read[1:5] == [LOG[1], Edited(3, "b", "Ann Lee", 1, AT, 2, "hello!", 1, author=ANNA), *LOG[3:5]]
    assert read[6] == LOG[6]  # as the message says, who is called so since
    first, _, deleted = messages_of(timeline.at("lobby", [1, 2, 6]))
    edited = PostState(changed=5, message="hello!", edits=1, edited_at=AT, pinned_at=AT, pinned_by="@ann")
    assert first.state is not None
    assert (first.author, first.state.pinned_by, first.state.reactions) == (ANNA, edited.pinned_by, COUNT)
    assert deleted.state is not None
    assert (deleted.author, deleted.message, deleted.state.deleted_by) == (ANNA, "", "@ann")
    assert people_of(timeline.reactions("lobby", 1)) == [("👍", "bo", 5), ("👍", ANNA, 5)]


@pytest.mark.usefixtures("opened")
def test_what_accounts_did_is_read_with_their_handles_of_now(tmp_path: Path) -> None:
    Committer(DeadLetters(tmp_path / "letters")).commit([Save(None, "lobby", 1, LOG)])
    check_what_is_read()


@pytest.mark.usefixtures("opened")
def test_the_spool_keeps_who_wrote_what(tmp_path: Path) -> None:
    spool, letters = Spool(tmp_path / "spool", "this", newest_epoch=9), DeadLetters(tmp_path / "letters")
    spool.write([Save(None, "lobby", 1, LOG)])
    assert spool.replay(Committer(letters), letters, (1, 2)) == len(LOG)
    spool.write([Save(None, "lobby", 1, LOG)])
    assert spool.replay(Committer(letters), letters, (1, 2)) == 0
    assert not (tmp_path / "letters").exists()
    check_what_is_read()


@pytest.mark.usefixtures("opened")
def test_a_batch_whose_news_was_lost_is_not_saved_twice_after_a_rename(tmp_path: Path) -> None:
    committer = Committer(DeadLetters(tmp_path / "letters"))
    committer.commit([Save(None, "lobby", 1, LOG[:1])])
    assert committer.commit([Save(None, "lobby", 1, LOG[:1])]) == []
    again = Posted(2, "a", "Anna", "hello", AT, nth=2, author=ANNA)
    ((_, refused),) = committer.commit([Save(None, "lobby", 1, (again,))])
    assert refused.first is not None
    assert (refused.first.seq, refused.first.owner) == (1, 7)


@pytest.mark.usefixtures("opened")
def test_what_a_guest_did_is_found_by_its_id_whatever_it_was_called(tmp_path: Path) -> None:
    by_guest = Edited(8, "g", "Ann Lee (guest)", 2, AT, 3, "a guest!", 1)
    Committer(DeadLetters(tmp_path / "letters")).commit([Save(None, "lobby", 1, [*LOG, by_guest])])
    found = EntryTable.change_by_guest("lobby", 2, "g")
    assert found is not None
    assert found.seq == 8
    assert EntryTable.change_by_guest("lobby", 1, "b") is None  # an account's


def test_a_dead_letter_has_its_account(tmp_path: Path, database_url: str, opened: Database) -> None:
    forbid(database_url, "hello")
    Committer(DeadLetters(tmp_path / "letters")).commit([Save(None, "lobby", 1, LOG[:1])])
    assert '"author": 7' in (tmp_path / "letters").read_text()
    assert EntryTable.voids("lobby") == [1]
    assert EntryTable.latest("lobby", 1)[0].author is None


def test_the_presence_snapshot_keeps_accounts(tmp_path: Path) -> None:
    people = {"@ann": Metas((Meta("ref", 9, 7, "Ann Lee"),)), "bo": Metas((Meta("other", 9),))}
    snapshot = PresenceSnapshot(tmp_path / "present.json")
    snapshot.save({"lobby": people})
    assert snapshot.load() == {"lobby": people}
