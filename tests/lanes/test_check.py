"""Before rooms get what was read, a node looks whether the database has all that it had: one of before has not."""

import peewee
import pytest

from chatter.cluster.cluster import ClusterSettings
from chatter.lanes.lanes import DatabaseBehind, Lanes
from schema import Lane, LaneRow
from tests.support.stage import Recorder, Stage


@pytest.fixture
def lanes(stage: Stage) -> Lanes:
    """The only lane of a node that has not joined its cluster."""
    history = stage.start(Recorder, [])

    async def make() -> Lanes:
        return Lanes(
            ClusterSettings(("nats://127.0.0.1:1",), "ann", lanes=1),
            [],
            find_room=lambda _slug: None,
            wake_room=lambda _slug: None,
            on_said_elsewhere=lambda _slug, _entries: None,
            history=history,
            start_projector=lambda: Recorder.start([]),
        )

    return stage.run(make())


def test_turns_that_the_database_had_are_missing_in_one_of_before(lanes: Lanes, database: peewee.Database) -> None:
    lanes.log_of("lobby").on_saved(7)
    with pytest.raises(DatabaseBehind, match="it has lane 0 up to turn 0, and had it up to 7"):
        lanes.check_commits()


def test_turns_that_are_saved_while_the_database_is_read_are_not_missing(
    lanes: Lanes, database: peewee.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Lane.rows

    def read_and_go_on() -> list[LaneRow]:
        rows = read()
        lanes.log_of("lobby").on_saved(7)  # on the loop's thread, which has not waited for this one
        return rows

    monkeypatch.setattr(Lane, "rows", read_and_go_on)
    lanes.check_commits()
