"""What people do to messages, what they are answered, and two rooms in which they do it."""

from typing import Any

import pytest

from chatter.messages import Edit, Page, Pin, Posted, React, ReadHistory, Saved, View
from tests.chatter.conftest import RoomOnStage, post, posted
from tests.support.stage import Listener, Stage, join

THUMB, HEART = "👍", "❤"


def edit(sender: Listener, target: int, message: str, id: str = "e", **options: Any) -> Edit:
    return Edit(sender, b"1", id, target, message, **options)


def react(sender: Listener, name: str, target: int = 1, key: str = THUMB, *, is_added: bool = True) -> React:
    return React(sender, b"1", name, target, key, is_added)


def pin(sender: Listener, target: int = 1, id: str = "p", *, is_pinned: bool = True, **options: Any) -> Pin:
    return Pin(sender, b"1", id, "ann", target, is_pinned, **options)


@pytest.fixture
def members(room: RoomOnStage, ann: Listener) -> Listener:
    """Has ann say a message, which is committed, and bo listen; returns bo."""
    bo = Listener(view=View.LOG)
    room.tell(join(ann), join(bo), post(ann, "hello"), Saved(1))
    ann.clear()
    bo.clear()
    return bo


@pytest.fixture
def old(stage: Stage, ann: Listener) -> RoomOnStage:
    """Starts a room that remembers the last ten of a hundred messages, all of which ann has said."""
    room = RoomOnStage(stage, recent=[posted(seq, f"{seq}") for seq in range(91, 101)])
    for seq in range(1, 101):
        ann.note_said(seq)
    room.tell(join(ann))
    ann.clear()
    return room


def answers(listener: Listener) -> list[Any]:
    return [answer for ref, answer in (each for each in listener.heard if isinstance(each, tuple))]


def message_of(room: RoomOnStage, reader: Listener, seq: int = 1) -> Posted:
    """Returns a message as the room shows it."""
    reader.clear()
    room.tell(ReadHistory(reader, b"1", seq + 1, 1))
    (page,) = answers(reader)
    assert isinstance(page, Page)
    reader.clear()
    return page.messages[0]
