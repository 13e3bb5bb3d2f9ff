"""One's list of rooms, on a node on which the rooms do not live."""

import pytest

from tests.support.cluster import Cluster
from tests.web.accounts.conftest import Browser
from tests.web.accounts.devices import Device


class People:
    """Two people with a private room each of whose devices may be on another node."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.ann, self.bo = (Browser(cluster.nodes[node]) for node in ("east", "west"))
        self.names = [each.signs_up() for each in (self.ann, self.bo)]

    def device(self, browser: Browser, node: str) -> Device:
        server = self.cluster.nodes[node]
        return Device(server, {**browser.headers, "Origin": server.url})

    def room(self, *others: str) -> str:
        """Makes a private room of ann's on the first node."""
        answer = self.ann.ask("POST", "/api/rooms", {"kind": "private", "title": "Den", "members": others})
        assert answer.status == 201, answer.json
        return str(answer.json["slug"])


@pytest.fixture
def people(cluster: Cluster) -> People:
    return People(cluster)


def test_activity_in_a_room_that_lives_on_another_node_is_told(people: People) -> None:
    den = people.room(people.names[1])
    with people.device(people.ann, "east") as ann, people.device(people.bo, "west") as bo:
        wait_for_room(bo, den)
        ann.joins(den)
        ann.says("hello", den)
        activity = bo.wait_for("activity")
        assert (activity["slug"], activity["last_nth"], activity["last"]["text"]) == (den, 1, "hello")
        ann.says(f"@{people.names[1]}", den)
        assert bo.wait_for("activity")["mentions"] == 1


def test_who_is_invited_and_removed_on_another_node_is_told(people: People) -> None:
    den = people.room()
    with people.device(people.ann, "east") as ann, people.device(people.bo, "west") as bo:
        bo.enters()
        ann.joins(den)
        ann.says("before", den)
        assert ann.asks("invite", f"chat_room:{den}", handles=[people.names[1]], id="i")["ok"]
        added = bo.wait_for("room_added")["room"]
        assert (added["slug"], added["unread"]) == (den, 0)
        bo.joins(den)
        ann.says("after", den)
        assert [bo.wait_for("new_message")["message"] for _ in range(2)] == ["before", "after"]
        assert ann.asks("remove_member", f"chat_room:{den}", handle=people.names[1], id="r")["ok"]
        assert bo.wait_for("room_removed")["slug"] == den
        assert not bo.asks("new_message", f"chat_room:{den}", message="still here")["ok"]


def test_what_is_read_on_one_node_is_read_on_all(people: People) -> None:
    den = people.room(people.names[1])
    with (
        people.device(people.ann, "east") as ann,
        people.device(people.bo, "east") as here,
        people.device(people.bo, "west") as there,
    ):
        for device in (here, there):
            wait_for_room(device, den)
        ann.joins(den)
        seq = ann.says("hello", den)
        for device in (here, there):
            assert device.wait_for("activity")["last_seq"] == seq
        assert here.asks("mark_read", slug=den, seq=seq)["ok"]
        read = there.wait_for("read")
        assert (read["slug"], read["seq"], read["unread"]) == (den, seq, 0)
        assert there.asks("mark_unread", slug=den, seq=seq)["ok"]
        read = here.wait_for("read")
        assert (read["seq"], read["unread"], read["rev"]) == (seq - 1, 1, 1)
        assert there.asks("set_level", slug=den, level="nothing")["ok"]
        assert here.wait_for("level")["level"] == "nothing"
        assert here.asks("mark_all_read")["ok"]
        assert there.wait_for("read")["unread"] == 0


def wait_for_room(device: Device, slug: str) -> None:
    """Waits until a room is in somebody's list."""
    if slug not in device.enters():
        assert device.wait_for("room_added")["room"]["slug"] == slug
