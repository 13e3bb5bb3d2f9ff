"""Who is present in a room of several nodes."""

from tests.support.cluster import Cluster
from tests.support.talker import Talker


class Roster:
    """What a client that joins a room is told of who is there."""

    def __init__(self, talker: Talker, name: str, room: str = "people") -> None:
        self._shown: dict[str, set[str]] = {}
        talker.push(room, "phx_join", name=name)
        self._frames = talker.frames()

    def wait_for(self, *people: str) -> None:
        """Waits until just these are there."""
        while self._shown.keys() != set(people):
            frame = next(self._frames)
            if frame.event == "presence_state":
                self._shown = {name: _refs(of) for name, of in frame.payload.items()}
            elif frame.event == "presence_diff":
                for name, of in frame.payload["joins"].items():
                    self._shown.setdefault(name, set()).update(_refs(of))
                for name, of in frame.payload["leaves"].items():
                    self._shown[name] -= _refs(of)
                    if not self._shown[name]:
                        del self._shown[name]


def _refs(of: dict[str, list[dict[str, str]]]) -> set[str]:
    return {meta["phx_ref"] for meta in of["metas"]}


def test_who_comes_and_goes_on_one_node_is_shown_on_the_other(cluster: Cluster) -> None:
    with Talker(cluster.port("west")) as west:
        here = Roster(west, "bo")
        here.wait_for("bo")
        with Talker(cluster.port("east")) as east:
            there = Roster(east, "ann")
            there.wait_for("ann", "bo")
            here.wait_for("ann", "bo")
        here.wait_for("bo")


def test_the_people_of_a_node_that_is_killed_go_and_a_new_one_knows_who_is_there(cluster: Cluster) -> None:
    with Talker(cluster.port("west")) as west:
        here = Roster(west, "bo", "killed")
        with Talker(cluster.port("east")) as east:
            Roster(east, "ann", "killed").wait_for("ann", "bo")
            here.wait_for("ann", "bo")
            cluster.nodes["east"].kill()
            here.wait_for("bo")
        cluster.start()
        with Talker(cluster.port("east")) as east:
            Roster(east, "ann", "killed").wait_for("ann", "bo")
            here.wait_for("ann", "bo")
