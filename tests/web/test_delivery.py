"""Delivery over real sockets: many rooms on one connection, bursts, disconnects."""

import contextlib
import itertools
from collections import defaultdict

from tests.support.server import Server
from tests.support.talker import PhoenixFrame, Talker

MANY = 60


def posts_by_topic(heard: list[PhoenixFrame]) -> dict[str, list[tuple[int, str]]]:
    """Returns the `(seq, message)` of the broadcast posts by topic."""
    by_topic = defaultdict(list)
    for each in heard:
        if each.event == "new_message" and each.join_ref is None:
            by_topic[each.topic].append((each.payload["seq"], each.payload["message"]))
    return by_topic


def test_a_connection_in_many_rooms_hears_each_of_them_in_order(server: Server) -> None:
    rooms = [f"room-{number}" for number in range(MANY)]
    with Talker(server.port) as listener, Talker(server.port) as speaker:
        for room in rooms:
            listener.join(room)
            speaker.join(room)
        posts = [(room, f"{number} in {room}") for number, room in itertools.product(range(1, 6), rooms)]
        speaker.push_many([(room, "new_message", {"name": "ann", "message": text}) for room, text in posts])
        ends = {(5, f"5 in {room}") for room in rooms}
        heard: list[PhoenixFrame] = []
        while ends:
            heard += listener.receive_until(lambda each: each.event == "new_message")
            ends.discard((heard[-1].payload["seq"], heard[-1].payload["message"]))
    for room in rooms:
        assert posts_by_topic(heard)[f"chat_room:{room}"] == [(number, f"{number} in {room}") for number in range(1, 6)]


def test_each_post_of_a_burst_is_acknowledged_once_after_its_broadcast(server: Server) -> None:
    with Talker(server.port) as ann:
        ann.join("lobby")
        texts = [f"number {number}" for number in range(500)]
        refs = ann.push_many([("lobby", "new_message", {"name": "ann", "message": text}) for text in texts])
        heard = ann.receive_until(lambda each: each.ref == refs[-1])
    assert posts_by_topic(heard)["chat_room:lobby"] == list(enumerate(texts, 1))
    answers = [(each.ref, each.payload["response"]["seq"]) for each in heard if each.event == "phx_reply"]
    assert answers == [(ref, seq) for seq, ref in enumerate(refs, 1)]
    for seq, ref in enumerate(refs, 1):
        broadcast = next(
            n for n, each in enumerate(heard) if each.event == "new_message" and each.payload["seq"] == seq
        )
        answer = next(n for n, each in enumerate(heard) if each.ref == ref)
        assert broadcast < answer


def test_clients_that_leave_during_a_burst_cost_the_others_no_message(server: Server) -> None:
    with contextlib.ExitStack() as crowd:
        people = [crowd.enter_context(Talker(server.port)) for _ in range(MANY)]
        for person in people:
            person.join("lobby")
        speaker, *others = people
        texts = [f"number {number}" for number in range(300)]
        for number, text in enumerate(texts):
            speaker.push("lobby", "new_message", name="ann", message=text)
            if number % 10 == 0 and len(others) > MANY // 2:
                others.pop().websocket.connection.close()
            elif number % 10 == 5 and len(others) > MANY // 2:
                others.pop().push("lobby", "phx_leave")
        for person in (speaker, others[0], others[-1]):
            heard = person.receive_until(lambda each: each.event == "new_message" and each.payload["seq"] == len(texts))
            assert posts_by_topic(heard)["chat_room:lobby"] == list(enumerate(texts, 1))
