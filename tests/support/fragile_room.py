"""Rooms that fail, or set their clock back, at posts and edits with certain texts."""

import dataclasses
from typing import Any, ClassVar

from chatter.clock import SECOND, wall_clock
from chatter.messages import Edit, Post, RoomMessage
from chatter.room.context import RoomContext
from chatter.room.room import Room

FAIL_BEFORE = "the room fails before it has said this, once"
FAIL_AFTER = "the room fails when it has just said this, once"
POISON = "the room fails whenever it is to say this"
SET_BACK = "the clock is set back an hour"


class FragileRoom(Room):
    """FragileRoom is a room that obeys the texts above."""

    clock_offset_ns = 0  # of all rooms
    failed_ids: ClassVar[set[str | None]] = set()  # of all rooms

    def __init__(self, slug: str, context: RoomContext, **options: Any) -> None:
        super().__init__(slug, dataclasses.replace(context, clock=self.read_clock), **options)
        self.current_message: RoomMessage | None = None
        self.timestamped_message: RoomMessage | None = None  # the one that was given seq and time last

    def on_receive(self, message: RoomMessage) -> None:
        """Handles the message as any room does; `FAIL_AFTER` then fails it."""
        self.current_message = message
        if isinstance(message, Edit) and message.message == FAIL_BEFORE:
            self._current_message = message  # as where it fails on the way
            self.fail_once(message)
        super().on_receive(message)
        if isinstance(message, Edit) and message.message == FAIL_AFTER:
            self.fail_once(message)  # also where it waits for the database
        if isinstance(message, Post) and message.message == FAIL_AFTER and self.timestamped_message is message:
            self.fail_once(message)

    def read_clock(self) -> int:
        """Fails in the middle of a post: the sequencer reads the clock to say it."""
        self.timestamped_message = self.current_message
        match self.current_message:
            case Post(message=text) as post if text == FAIL_BEFORE:
                self.fail_once(post)
            case Post(message=text) if text == POISON:
                raise ValueError(text)
            case Post(message=text) if text == SET_BACK:
                FragileRoom.clock_offset_ns += 3_600 * SECOND
        return wall_clock() - self.clock_offset_ns

    def fail_once(self, said: Post | Edit) -> None:
        """Fails at the first of two attempts, so that the successor can do it."""
        if said.id not in self.failed_ids:
            self.failed_ids.add(said.id)
            raise ValueError(said.message)
