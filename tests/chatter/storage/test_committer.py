"""The committer: what it does with a batch that is refused, on both databases."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatter.messages import Deleted, Posted, PostState, Save
from chatter.storage.committer import Committer, PlaceRefused
from chatter.storage.dead_letters import DeadLetters
from schema import Entry, Epoch, Fence, open_database
from tests.chatter.conftest import NOON_ISO, posted
from tests.support.database import allow, forbid, skip


class CountingFence(Fence):
    """Counts the transactions, also those that are refused."""

    transactions = 0

    def count_commit(self) -> None:
        self.transactions += 1
        super().count_commit()


class CountingGuard:
    """Counts the transactions that each guarded call holds."""

    def __init__(self, fence: CountingFence) -> None:
        self.most = 0
        self._fence = fence
        self._before = 0

    def __enter__(self) -> None:
        self._before = self._fence.transactions

    def __exit__(self, *_error: object) -> None:
        self.most = max(self.most, self._fence.transactions - self._before)


class Place:
    """A committer on a database, with dead letters beside it."""

    def __init__(self, dead_letters: Path) -> None:
        self.fence = CountingFence(Epoch.begin())
        self.committer = Committer(DeadLetters(dead_letters), self.fence)
        self._dead_letters = dead_letters

    def letters(self) -> list[str]:
        lines = self._dead_letters.read_text().splitlines() if self._dead_letters.exists() else []
        return [json.loads(line)["message"] for line in lines]


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Iterator[Place]:
    database = open_database(database_url)
    yield Place(tmp_path / "dead-letters.jsonl")
    database.close()


def save(*seqs: int, slug: str = "lobby") -> Save:
    return Save(None, slug, 1, tuple(posted(seq, f"number {seq}") for seq in seqs))


def seqs(slug: str = "lobby") -> list[int]:
    return [row.seq for row in Entry.after(slug, 0, 10_000)]


def test_a_batch_whose_commit_was_not_answered_is_recognised_at_once(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    batch = [save(*range(1, 501)), *(save(1, 2, slug=f"room-{number}") for number in range(250))]
    assert place.committer.commit(batch) == []
    place.fence.transactions = 0
    with caplog.at_level("DEBUG", "peewee"):
        assert place.committer.commit(batch) == []
    assert place.fence.transactions <= 2
    assert len([record for record in caplog.records if record.name == "peewee"]) < 30
    assert place.committer.commit([save(501)]) == []
    assert seqs() == list(range(1, 502))


def test_what_was_said_since_is_committed_in_one_transaction(place: Place) -> None:
    place.committer.commit([save(*range(1, 501))])
    place.fence.transactions = 0
    assert place.committer.commit([save(*range(1, 501)), save(*range(501, 601)), save(1, slug="other")]) == []
    assert place.fence.transactions <= 3
    assert (seqs(), seqs("other")) == (list(range(1, 601)), [1])
    assert place.letters() == []


def test_a_message_in_the_place_of_another_is_not_taken_for_saved(place: Place) -> None:
    place.committer.commit([save(1, 2)])
    another = Save(None, "lobby", 1, (posted(2, "another"), posted(3, "number 3")))
    ((_, refused),) = place.committer.commit([save(1), another])
    assert refused.void.seq == 2
    assert [row.message for row in Entry.after("lobby", 0, 10)] == ["number 1", "number 2", "number 3"]
    assert place.letters() == ["another"]


def test_a_message_voided_before_is_named_again_without_another_dead_letter(place: Place, database_url: str) -> None:
    forbid(database_url, "number 3")
    for _ in range(2):
        ((_, refused),) = place.committer.commit([save(*range(1, 9))])
        assert refused.void.seq == 3
    assert seqs() == list(range(1, 9))
    assert place.letters() == ["number 3"]


def test_the_guard_spans_one_transaction(place: Place, database_url: str) -> None:
    forbid(database_url, "number 3")
    guard = CountingGuard(place.fence)
    place.committer.commit([save(*range(1, 9))], guard)
    assert place.fence.transactions > 3
    assert guard.most == 1


def test_a_message_that_a_trigger_skips_is_refused(place: Place, database_url: str) -> None:
    skip(database_url, "number 3")
    ((_, refused),) = place.committer.commit([save(*range(1, 9))])
    assert refused.void.seq == 3
    assert seqs() == list(range(1, 9))
    assert place.letters() == ["number 3"]


def test_a_message_stays_with_its_room_while_not_even_a_void_row_can_take_its_place(
    place: Place, database_url: str
) -> None:
    forbid(database_url, "number 3", "")
    for _ in range(2):
        with pytest.raises(PlaceRefused, match=r"neither message 3 \(.*never_this.*\) nor a row without name and text"):
            place.committer.commit([save(*range(1, 9))])
    assert place.letters() == []
    allow(database_url)
    assert place.committer.commit([save(*range(1, 9))]) == []
    assert seqs() == list(range(1, 9))


def test_a_deletion_blanks_the_dead_letter_of_its_message_and_of_no_reply(place: Place, database_url: str) -> None:
    forbid(database_url, "number 2", "a reply")
    place.committer.commit([save(1, 2)])
    state = PostState(changed=3, reply_to=1, root=1, root_replies=1)
    reply = Posted(3, "r", "ann", "a reply", NOON_ISO, nth=3, state=state)
    deletions = [Deleted(3 + target, f"d{target}", "ann", target, NOON_ISO, 3) for target in (1, 2)]
    place.committer.commit([Save(None, "lobby", 1, (reply, *deletions))])
    assert place.letters() == ["", "a reply"]


def test_a_deletion_whose_commit_was_not_answered_blanks_the_dead_letter_too(
    place: Place, tmp_path: Path, database_url: str
) -> None:
    forbid(database_url, "number 2")
    place.committer.commit([save(1, 2)])
    deletion = Save(None, "lobby", 1, (Deleted(3, "d", "ann", 2, NOON_ISO, 2),))
    Committer(DeadLetters(tmp_path / "of nobody.jsonl"), place.fence).commit([deletion])
    assert place.letters() == ["number 2"]
    assert place.committer.commit([deletion]) == []
    assert place.letters() == [""]


def test_a_deletion_that_is_refused_blanks_nothing(place: Place, database_url: str) -> None:
    forbid(database_url, "number 2")
    place.committer.commit([save(1, 2)])
    place.committer.commit([Save(None, "lobby", 1, (posted(3, "number 3"),))])
    another = Save(None, "lobby", 1, (Deleted(3, "d", "ann", 2, NOON_ISO, 2),))
    ((_, refused),) = place.committer.commit([another])
    assert refused.void.seq == 3
    assert place.letters()[0] == "number 2"
