import pytest

from schema import Entry, EntryRow, ListedRow, Room, RowRefused, timeline, void_row

pytestmark = pytest.mark.usefixtures("database")


def row(seq: int, message: str = "hello") -> EntryRow:
    return EntryRow(seq, f"id{seq}", "ann", message, f"2026-05-04T12:00:00.{seq:06}Z")


def test_a_saved_message_is_read_back_unchanged() -> None:
    text = "tab\t, line\nfeed, é, 😀, '; DROP TABLE message; --"
    Entry.save_all([("lobby", 1, [row(1, text)])])
    assert Entry.latest("lobby", 10) == [row(1, text)]


def test_the_latest_messages_come_oldest_first() -> None:
    Entry.save_all([("lobby", 1, [row(seq) for seq in range(1, 8)])])
    assert Entry.latest("lobby", 3) == [row(5), row(6), row(7)]


def test_a_page_ends_before_its_seq() -> None:
    Entry.save_all([("lobby", 1, [row(seq) for seq in range(1, 8)])])
    assert [each.entry for each in timeline.before("lobby", 5, 2)] == [row(3), row(4)]
    assert timeline.before("lobby", 1, 2) == []


def test_a_query_returns_only_messages_of_its_room() -> None:
    Entry.save_all([("a", 1, [row(1, "in a")]), ("b", 1, [row(1, "in b")])])
    assert Entry.latest("a", 10) == [row(1, "in a")]
    assert [each.entry for each in timeline.before("b", 2, 10)] == [row(1, "in b")]
    assert Entry.latest("c", 10) == []


def test_a_void_place_is_a_row_without_a_name() -> None:
    Entry.save_all([("lobby", 1, [row(1)])])
    Entry.save_all([("lobby", 1, [void_row(2, row(2)[4])])])
    assert Entry.at("lobby", 2) == void_row(2, row(2)[4])
    assert Entry.voids("lobby") == [2]
    assert Entry.voids("elsewhere") == []


def test_an_id_is_unique_for_a_room_and_a_name() -> None:
    Entry.save_all([("lobby", 1, [row(1)]), ("other", 1, [row(1)])])
    assert Entry.by_client_id("lobby", "ann", "id1") == row(1)
    assert Entry.by_client_id("lobby", "bo", "id1") is None
    with pytest.raises(RowRefused):
        Entry.save_all([("lobby", 1, [EntryRow(2, "id1", "ann", "again", row(2)[4])])])
    Entry.save_all([("lobby", 1, [EntryRow(2, "id1", "bo", "mine", row(2)[4])])])


def test_epochs_end_with_their_last_message() -> None:
    Entry.save_all([("lobby", epoch, [row(seq)]) for seq, epoch in ((1, 1), (2, 1), (3, 4), (4, 5))])
    assert Entry.epoch_ends("lobby", 0) == [(1, 2), (4, 3), (5, 4)]
    assert Entry.epoch_ends("lobby", 2) == [(4, 3), (5, 4)]


def test_a_batch_is_saved_whole_or_not_at_all() -> None:
    Entry.save_all([("lobby", 1, [row(1)])])
    with pytest.raises(Exception, match=r"(?i)unique constraint"):
        Entry.save_all([("lobby", 1, [row(2)]), ("other", 1, [row(1)]), ("lobby", 1, [row(1, "again")])])
    assert Entry.latest("lobby", 10) == [row(1)]
    assert Entry.latest("other", 10) == []
    assert [room.slug for room in Room.recently_active(10)] == ["lobby"]


def test_rooms_are_listed_by_their_last_message() -> None:
    Entry.save_all([("early", 1, [row(1)]), ("late", 1, [row(1), row(9)]), ("middle", 1, [row(1), row(5)])])
    assert Room.recently_active(10) == [
        ListedRow("late", 9, 0, row(9)[4], "", ""),
        ListedRow("middle", 5, 0, row(5)[4], "", ""),
        ListedRow("early", 1, 0, row(1)[4], "", ""),
    ]
    assert len(Room.recently_active(2)) == 2
