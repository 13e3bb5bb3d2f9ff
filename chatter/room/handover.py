"""The hand-over: what a room that failed passes on to its successor."""

import dataclasses

from chatter.messages import (
    Join,
    RoomMessage,
    Subscriber,
)
from chatter.room.acknowledgements import Unanswered
from chatter.room.presence import Presence


@dataclasses.dataclass(slots=True)
class Handover:
    """Everything of a room but what the database has. Passed on whole, never shared."""

    subscribers: dict[Subscriber, None]
    presence: Presence
    unanswered: Unanswered
    newest: int  # the last entry that the subscribers have heard
    committed_through: int  # a seq: what becomes void above it is not told yet
    mail: list[RoomMessage]  # waiting to be handled, oldest first
    failed_message: RoomMessage | None  # the message at which the room failed, if it was one

    def tell_crashed(self) -> None:
        """Tells all subscribers that the room has crashed. Phoenix clients then join again by themselves."""
        arriving = [message.subscriber for message in self.mail if isinstance(message, Join)]
        for subscriber in [*self.subscribers, *arriving]:
            subscriber.write(subscriber.ended("crashed"))
