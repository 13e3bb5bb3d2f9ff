"""A room of several nodes, as clients of real sockets see it."""

from tests.support.cluster import Cluster
from tests.support.phoenix_client import Opcode, binary_push
from tests.support.talker import Talker


def said(talker: Talker, count: int) -> list[tuple[int, str]]:
    """The next messages that somebody hears."""
    found: list[tuple[int, str]] = []
    while len(found) < count:
        message = talker.wait_for("new_message")
        found.append((message["seq"], message["message"]))
    return found


def test_people_on_two_nodes_hear_one_order(cluster: Cluster) -> None:
    with Talker(cluster.port("east")) as east, Talker(cluster.port("west")) as west:
        for each in (east, west):
            each.join("order")
        for number in range(10):
            east.push("order", "new_message", name="ann", message=f"east {number}", id=f"e{number}")
            west.push("order", "new_message", name="bo", message=f"west {number}", id=f"w{number}")
        heard = said(east, 20)
        assert heard == said(west, 20)
        assert [seq for seq, _ in heard] == list(range(1, 21))


def test_what_was_said_on_one_node_is_read_and_acknowledged_on_the_other(cluster: Cluster) -> None:
    with Talker(cluster.port("east")) as east, Talker(cluster.port("west")) as west:
        east.join("again")
        first = east.ask("again", "new_message", name="ann", message="hello", id="one")
        assert (first["status"], first["response"]["seq"]) == ("ok", 1)
        west.join("again", log=2)
        assert said(west, 1) == [(1, "hello")]
        repeat = west.ask("again", "new_message", name="ann", message="hello", id="one", repeat=True)
        assert (repeat["response"]["seq"], repeat["response"]["duplicate"]) == (1, True)
        assert west.ask("again", "edit_message", seq=1, message="hullo", id="two")["response"]["reason"] == "forbidden"
        assert east.ask("again", "edit_message", seq=1, message="hullo", id="two")["response"]["seq"] == 2
        assert west.wait_for("room_event")["message"] == "hullo"
        page = west.ask("again", "history", limit=10)["response"]["messages"]
        assert [(each["seq"], each["message"]) for each in page] == [(1, "hullo")]


def test_who_types_and_bytes_that_are_relayed_reach_the_other_node(cluster: Cluster) -> None:
    with Talker(cluster.port("east")) as east, Talker(cluster.port("west")) as west:
        for each in (east, west):
            each.join("typing")
        assert east.ask("typing", "typing", name="ann")["status"] == "ok"
        assert west.wait_for("typing") == {"name": "ann"}
        east.websocket.send(Opcode.TEXT, b'["1","1","chat_room:typing","phx_join",{}]')
        east.wait_for("phx_reply", "1")
        east.websocket.send(Opcode.BINARY, binary_push("1", "raw", "chat_room:typing", "new_message", b"\x00\xff"))
        heard = west.websocket.receive()
        assert (heard.opcode, heard.data[-2:]) == (Opcode.BINARY, b"\x00\xff")


def test_the_database_gets_what_is_said(cluster: Cluster) -> None:
    with Talker(cluster.port("east")) as east:
        east.join("saved")
        for number in range(5):
            assert east.ask("saved", "new_message", name="ann", message=f"{number}")["status"] == "ok"
    cluster.wait_until_saved()
    assert cluster.query("SELECT seq, message FROM entry JOIN room ON room.id = room WHERE slug = 'saved'") == [
        (number + 1, f"{number}") for number in range(5)
    ]


def test_the_status_says_who_lives_and_how_far_the_lanes_are(cluster: Cluster) -> None:
    status = cluster.status()
    assert status["healthy"]
    assert [node["name"] for node in status["nodes"]] == ["east", "west"]
    assert {lane["owner"] for lane in status["lanes"]} <= {"east", "west"}
    assert [lane["fault"] for lane in status["lanes"]] == [None] * 4
    shown = cluster.command("status").stdout
    assert "east" in shown
    assert "LANE" in shown


def test_a_node_that_ends_leaves_its_work_to_the_others_and_comes_back(cluster: Cluster) -> None:
    with Talker(cluster.port("west")) as west:
        west.join("left")
        cluster.nodes["east"].stop()
        for number in range(5):
            assert west.ask("left", "new_message", name="bo", message=f"{number}")["status"] == "ok"
        cluster.wait_until_saved()
        assert {lane["owner"] for lane in cluster.status()["lanes"]} == {"west"}
        cluster.start()
        with Talker(cluster.port("east")) as east:
            east.join("left")
            assert said(east, 5) == [(number + 1, f"{number}") for number in range(5)]
            west.ask("left", "new_message", name="bo", message="more")
            assert said(east, 1) == [(6, "more")]
