"""Removal in a flood, over real connections: who is removed hears all up to it and nothing after it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatter.room.supervisor import MAX_FAILURES
from tests.support.database import query
from tests.support.fragile_room import FAIL_AFTER, FAIL_BEFORE
from tests.support.phoenix_client import LongPoll, Opcode
from tests.support.server import Server, wait_until
from tests.web.rooms.conftest import People, Person

FLOOD = 60
"""Messages before the removal from the same connection, and as many after it: fewer than may wait behind it."""


@pytest.fixture
def server(database: Path, database_url: str) -> Iterator[Server]:
    """Starts a server with fragile rooms."""
    options: dict[str, Any] = {"sign_up": "open", "authorize": "tests.faults.fault_injection:authorize"}
    with Server(database, database_url=database_url, poll_window=5, **options) as running:
        yield running


class Heard:
    """What somebody hears of a room, by websocket or by long poll: frames as lists."""

    def __init__(self, person: Person, *, polls: bool) -> None:
        self._person = person
        self._poll = LongPoll(person.server.port, headers=person.browser.headers) if polls else None
        if self._poll:
            self._poll.open()

    def sends(self, topic: str, event: str, ref: str, **payload: object) -> None:
        frame = json.dumps([None if topic == "phoenix" else "1", ref, topic, event, payload])
        if self._poll:
            self._poll.post(frame)
        else:
            self._person.talker.websocket.send(Opcode.TEXT, frame.encode())

    def until(self, event: str, ref: str | None = None) -> list[Any]:
        """Returns the frames up to that one, and perhaps some after it."""
        frames: list[Any] = []
        while not any(each[3] == event and ref in (None, each[1]) for each in frames):
            if self._poll:
                frames += [json.loads(each) for each in self._poll.get().get("messages", [])]
            else:
                frames.append(list(next(self._person.talker.frames())))
        return frames


def answers_of(person: Person, number: int) -> dict[str | None, Any]:
    """Waits for so many answers; returns them by ref."""
    answers: dict[str | None, Any] = {}
    while len(answers) < number:
        frame = next(person.talker.frames())
        if frame.event == "phx_reply":
            answers[frame.ref] = frame.payload
    return answers


@pytest.mark.parametrize("polls", [False, True], ids=["websocket", "longpoll"])
@pytest.mark.parametrize("dies", [False, pytest.param(True, marks=pytest.mark.alone)], ids=["lives", "dies"])
def test_who_is_removed_in_a_flood_hears_all_up_to_it_and_nothing_after(
    server: Server, people: People, polls: bool, dies: bool
) -> None:
    ann, bo, cy = people(), people(), people()
    room = ann.makes_room(members=[bo.handle, cy.handle])
    topic = f"chat_room:{room}"
    ann.joins(room)
    cy.joins(room)
    ears = Heard(bo, polls=polls)
    ears.sends(topic, "phx_join", "1", log=2)
    [joined] = [each[4]["response"] for each in ears.until("phx_reply", "1") if each[3] == "phx_reply"]

    texts = [f"flood {number}" for number in range(3 * FLOOD)]
    if dies:
        texts[FLOOD // 2], texts[-FLOOD // 2] = FAIL_BEFORE, FAIL_AFTER
    cy.talker.push_many([(room, "new_message", {"message": text, "id": text}) for text in texts])
    pushes: list[tuple[str, str, dict[str, object]]] = [
        (room, "new_message", {"message": f"ann {number}"}) for number in range(2 * FLOOD)
    ]
    pushes.insert(FLOOD, (room, "remove_member", {"handle": bo.handle}))
    refs = ann.talker.push_many(pushes)
    answers = answers_of(ann, len(refs))
    for each in (*answers.values(), *answers_of(cy, len(texts)).values()):
        assert each["status"] == "ok"
    removed = answers[refs[FLOOD]]["response"]["seq"]

    frames = ears.until("phx_close")
    ears.sends("phoenix", "heartbeat", "beat")
    frames += ears.until("phx_reply", "beat")
    heard = [each for each in frames if each[2] == topic]
    seqs = [each[4]["seq"] for each in heard[:-1]]
    assert seqs == list(range(joined["seq"] + 1, removed + 1))
    assert (heard[-2][4]["change"], heard[-1][3]) == ("removed", "phx_close")
    if dies:
        assert server.log.count(f"room {room} is rebuilt") == 2 < MAX_FAILURES
    # Of a node what was acknowledged is in the log, and in the database a moment later.
    wait_until(lambda: query(server.database_url, f"SELECT last_seq FROM room WHERE slug = '{room}'")[0][0] > removed)
