"""The consistency check after a fault. Database, acknowledgements and what readers heard must say the same."""

from functools import partial

from tests.faults.crowd import Crowd, Reader
from tests.support.database import query

Place = tuple[int, str | None]
"""`seq, id`; a void place has None."""


def places(url: str, room: str) -> list[Place]:
    """What the database holds of a room, in order."""
    rows = query(url, f"SELECT seq, id, name FROM message WHERE room = '{room}' ORDER BY seq")
    return [(seq, id if name else None) for seq, id, name in rows]


def check_consistency(crowd: Crowd, url: str, *, void: int = 0, in_order: bool = True) -> None:
    """Have the crowd finish, and check that nothing is missing, doubled or out of order, wherever one looks.

    So many places are `void`. `in_order`: each writer was also heard in the order in which it spoke.
    """
    crowd.settle()
    saved = {room: places(url, room) for room in crowd.rooms}
    for room in crowd.rooms:
        _check_room(crowd, room, saved[room], in_order)
    assert [id for room in crowd.rooms for _, id in saved[room]].count(None) == void


def _check_room(crowd: Crowd, room: str, saved: list[Place], in_order: bool) -> None:
    assert [seq for seq, _ in saved] == list(range(1, len(saved) + 1)), "seq has gaps"
    where = {id: seq for seq, id in saved if id is not None}
    speakers = [writer for writer in crowd.writers if writer.room == room]
    assert where.keys() == {id for writer in speakers for id in writer.acknowledged}, "somebody else is heard"
    for writer in speakers:
        mine = {id: seq for id, seq in where.items() if id.startswith(f"{writer.name}-")}
        assert mine == writer.acknowledged, "what is saved is not what was acknowledged"
        assert len(mine) == sum(id in mine for _, id in saved), "something is saved twice"
        if in_order:
            assert list(mine) == sorted(mine, key=_number), f"{writer.name} is not heard as it spoke"
    for reader in crowd.readers:
        if reader.room == room:
            crowd.until(partial(_holds_all, reader, len(saved)))
            assert reader.held.contiguous == saved, "somebody holds something else than what is saved"
            assert reader.held.contradictions == []
            assert reader.held.times_started_over == 0, "somebody could not be told what they missed"
            assert reader.times_behind <= reader.times_lagging, "somebody missed something, and nobody said so"


def _holds_all(reader: Reader, newest: int) -> bool:
    return (reader.held.since or 0) >= newest


def _number(id: str) -> int:
    return int(id.rpartition("-")[2])
