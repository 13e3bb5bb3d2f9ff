"""Checks after a fault that database, acknowledgements and readers agree."""

from functools import partial

from tests.faults.crowd import Crowd, Reader
from tests.support.database import query

Place = tuple[int, str | None]
"""`seq, id`; a void place has None."""


def places(url: str, room: str) -> list[Place]:
    """Returns what the database holds of a room, in order."""
    rows = query(
        url, f"SELECT seq, entry.id, name FROM entry JOIN room ON room.id = room WHERE slug = '{room}' ORDER BY seq"
    )
    return [(seq, id if name else None) for seq, id, name in rows]


def check_consistency(crowd: Crowd, url: str, *, void: int = 0, in_order: bool = True) -> None:
    """Ends posting, and checks that nothing is missing, doubled or out of order.

    `void` is the number of void places. `in_order` also checks that the posts of each writer are in the order in which
    it posted them.
    """
    crowd.finish_posting()
    saved = {room: places(url, room) for room in crowd.rooms}
    for room in crowd.rooms:
        _check_room(crowd, room, saved[room], in_order)
    assert [id for room in crowd.rooms for _, id in saved[room]].count(None) == void


def _check_room(crowd: Crowd, room: str, saved: list[Place], in_order: bool) -> None:
    assert [seq for seq, _ in saved] == list(range(1, len(saved) + 1)), "seq has gaps"
    where = {id: seq for seq, id in saved if id is not None}
    writers = [writer for writer in crowd.writers if writer.room == room]
    assert where.keys() == {id for writer in writers for id in writer.acknowledged}, (
        "the saved ids are not the acknowledged ones"
    )
    for writer in writers:
        own = {id: seq for id, seq in where.items() if id.startswith(f"{writer.name}-")}
        assert own == writer.acknowledged, "a message was acknowledged with another seq"
        assert len(own) == sum(id in own for _, id in saved), "a message is saved twice"
        if in_order:
            assert list(own) == sorted(own, key=_number), f"the posts of {writer.name} are out of order"
    for reader in crowd.readers:
        if reader.room == room:
            crowd.wait_until(partial(_holds_all, reader, len(saved)))
            assert reader.history.contiguous == saved, "a reader does not hold what is saved"
            assert reader.history.contradictions == {}
            assert reader.history.times_started_over == 0, "a reader was not sent what it missed"
            assert reader.gaps_seen <= reader.times_lagged, "a reader missed a message without `resync`"


def _holds_all(reader: Reader, newest: int) -> bool:
    return (reader.history.since or 0) >= newest


def _number(id: str) -> int:
    return int(id.rpartition("-")[2])
