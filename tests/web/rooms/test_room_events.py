"""What became of a room is read again, after the server has forgotten it."""

from collections.abc import Iterator

import pytest

from tests.support.server import Server
from tests.web.rooms.conftest import People, rooms_server


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that keeps few entries in memory, on SQLite, then on PostgreSQL."""
    url = request.getfixturevalue("postgresql").create_database() if request.param == "postgresql" else None
    with rooms_server(tmp_path_factory.mktemp("rooms"), url, ring_size=5, greeting_size=3) as running:
        yield running


def test_what_became_of_a_room_is_read_as_it_was_heard(people: People) -> None:
    ann, bo, cy = people(), people(), people()
    room = ann.makes_room("Tea", members=[cy.handle])
    ann.joins(room)
    cy.joins(room)
    ann.says(room, "invite", handles=[bo.handle])
    heard = [cy.hears("room_event", kind="member", change="added")]
    for topic in ("black", "green"):
        for text in ("one", "two", "three", "four"):
            ann.says(room, "new_message", message=text)
        ann.says(room, "set_room", topic=topic)
        heard.append(cy.hears("room_event", kind="room"))
    ann.says(room, "new_message", message="last")
    bo.joins(room)
    read = bo.says(room, "history", events=True)
    founded, *others = read["events"]
    assert not read["more"]
    assert founded["set"]["kind"] == "private"
    assert [event for event in others if event["seq"] >= heard[0]["seq"]] == heard
    page = bo.says(room, "history", events=True, limit=1)
    assert page == {"events": heard[-1:], "more": True, "next": heard[-1]["seq"]}
    after, before = heard[0]["seq"], heard[2]["seq"]
    assert bo.says(room, "history", events=True, after=after, before=before) == {"events": heard[1:2], "more": False}
    assert bo.tries(room, "history", events=True, around=3) == "invalid"
    assert bo.tries(room, "history", events=True, pinned=True) == "invalid"
    assert bo.tries(room, "history", before=9, after=3) == "invalid"
    assert bo.says("plain", "phx_join", log=2)["seq"] == 0
    assert bo.says("plain", "history", events=True) == {"events": [], "more": False}
