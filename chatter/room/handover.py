"""What a room that failed leaves to the one that is built in its place."""

import dataclasses

from chatter.messages import (
    Acknowledged,
    Join,
    Post,
    ReadHistory,
    Refused,
    Relay,
    RoomMessage,
    Subscriber,
    Sync,
    Type,
)
from chatter.room.presence import Presence


@dataclasses.dataclass(slots=True)
class Handover:
    """Everything of a room but what the database has. Passed on whole, never shared."""

    subscribers: dict[Subscriber, None]
    presence: Presence
    unanswered: dict[int, list[tuple[Post, Acknowledged]]]
    letters: list[RoomMessage]  # waiting to be handled, oldest first
    failed_message: RoomMessage | None  # the message at which the room failed, if it was one

    def crash(self) -> None:
        """Nobody takes it over: tell the listeners, whose clients join again by themselves."""
        arriving = [letter.subscriber for letter in self.letters if isinstance(letter, Join)]
        for subscriber in [*self.subscribers, *arriving]:
            subscriber.write(subscriber.ended("crashed"))


def refuse(message: RoomMessage | None) -> None:
    """Tell whoever asked for it that the room cannot deal with this message."""
    match message:
        case Join():
            message.subscriber.write(message.subscriber.refuse("join crashed"))  # Phoenix's words
        case Post() | Type() | Relay():
            message.sender.write(message.sender.answer(message.ref, Refused("quarantined")))
        case Sync():
            message.subscriber.write(message.subscriber.answer(message.ref, Refused("quarantined")))
        case ReadHistory():
            message.reader.write(message.reader.answer(message.ref, Refused("quarantined")))
        case _:
            pass  # nobody waits for an answer
