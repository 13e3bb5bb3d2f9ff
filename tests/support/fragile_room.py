"""Rooms that fail, and whose clock is set back, when certain things are said."""

import dataclasses
from typing import Any, ClassVar

from chatter.clock import SECOND, wall_clock
from chatter.messages import Post, RoomMessage
from chatter.room.context import RoomContext
from chatter.room.room import Room

FAIL_BEFORE = "the room fails before it has said this, once"
FAIL_AFTER = "the room fails when it has just said this, once"
POISON = "the room fails whenever it is to say this"
SET_BACK = "an hour is taken back"


class FragileRoom(Room):
    """A room as it is, until it is told one of the texts above."""

    late = 0  # nanoseconds, of all rooms' clocks
    failed_at: ClassVar[set[str | None]] = set()  # ids, of all rooms

    def __init__(self, slug: str, context: RoomContext, **options: Any) -> None:
        super().__init__(slug, dataclasses.replace(context, clock=self.tell_time), **options)
        self.in_hand: RoomMessage | None = None
        self.dated: RoomMessage | None = None  # what was said last

    def on_receive(self, message: RoomMessage) -> None:
        """As any room; some messages kill it when it has said them."""
        self.in_hand = message
        super().on_receive(message)
        if isinstance(message, Post) and message.message == FAIL_AFTER and self.dated is message:
            self.fail_once(message)

    def tell_time(self) -> int:
        """Whoever says something needs the time: here it fails in the middle of it."""
        self.dated = self.in_hand
        match self.in_hand:
            case Post(message=text) as post if text == FAIL_BEFORE:
                self.fail_once(post)
            case Post(message=text) if text == POISON:
                raise ValueError(text)
            case Post(message=text) if text == SET_BACK:
                FragileRoom.late += 3_600 * SECOND
        return wall_clock() - self.late

    def fail_once(self, post: Post) -> None:
        """The room that takes this one's place gets over it."""
        if post.id not in self.failed_at:
            self.failed_at.add(post.id)
            raise ValueError(post.message)
