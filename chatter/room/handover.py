"""The hand-over: what a room that failed passes on to its successor."""

import dataclasses
from typing import assert_never

from chatter.messages import (
    ContinueDelivery,
    Dismiss,
    Join,
    Leave,
    Loaded,
    LoadFailed,
    LookedUp,
    MissedLoaded,
    NotifyLagged,
    NotSaved,
    PageLoaded,
    Post,
    PresenceGraceEnded,
    PresencePauseEnded,
    ReadHistory,
    Recall,
    Refused,
    Relay,
    Retire,
    RoomMessage,
    Saved,
    ShowTyping,
    Subscriber,
    Sync,
)
from chatter.room.acknowledgements import Unanswered
from chatter.room.presence import Presence

QUARANTINED = Refused("quarantined")


@dataclasses.dataclass(slots=True)
class Handover:
    """Everything of a room but what the database has. Passed on whole, never shared."""

    subscribers: dict[Subscriber, None]
    presence: Presence
    unanswered: Unanswered
    mail: list[RoomMessage]  # waiting to be handled, oldest first
    failed_message: RoomMessage | None  # the message at which the room failed, if it was one

    def tell_crashed(self) -> None:
        """Tells all subscribers that the room has crashed. Phoenix clients then join again by themselves."""
        arriving = [message.subscriber for message in self.mail if isinstance(message, Join)]
        for subscriber in [*self.subscribers, *arriving]:
            subscriber.write(subscriber.ended("crashed"))


def answer_quarantined(message: RoomMessage) -> None:
    """Answers the client that sent `message`, which no room will handle."""
    match message:
        case Join():
            message.subscriber.write(message.subscriber.refuse("join crashed"))  # Phoenix's words
        case Post() | ShowTyping() | Relay():
            message.sender.write(message.sender.answer(message.ref, QUARANTINED))
        case Sync():
            message.subscriber.write(message.subscriber.answer(message.ref, QUARANTINED))
        case ReadHistory():
            message.reader.write(message.reader.answer(message.ref, QUARANTINED))
        case Leave() | Dismiss() | NotifyLagged():
            pass  # the client is leaving, or has asked for nothing
        case Loaded() | LoadFailed() | Saved() | NotSaved() | PageLoaded() | MissedLoaded() | LookedUp():
            pass  # from the storage
        case ContinueDelivery() | PresencePauseEnded() | PresenceGraceEnded() | Recall() | Retire():
            pass  # from the room itself or its supervisor
        case _:
            assert_never(message)
