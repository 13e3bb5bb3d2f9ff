"""Refusals: how a client is answered whose message no room handles."""

from typing import assert_never

from chatter.messages import (
    ChangeMembers,
    ChangeRoom,
    ContinueDelivery,
    Delete,
    Describe,
    Dismiss,
    Edit,
    Found,
    Heard,
    Join,
    Leave,
    ListReactors,
    Loaded,
    LoadFailed,
    LookedUp,
    MissedLoaded,
    NotifyLagged,
    NotPlaced,
    NotSaved,
    Overheard,
    PageLoaded,
    PeopleMoved,
    Pin,
    Placed,
    Post,
    PresenceGraceEnded,
    PresencePauseEnded,
    Propose,
    Purge,
    React,
    ReactionsDue,
    ReadHistory,
    Recall,
    RefreshNames,
    Refused,
    Relay,
    Retire,
    RoomMessage,
    Saved,
    ShowTyping,
    Sync,
    TargetLoaded,
)

OVERLOADED = Refused("overloaded", retry_after_ms=1_000)
"""More waits than is kept, or the database does not answer whether a post is a repeat."""

QUARANTINED = Refused("quarantined")
"""A room and its successor failed at the message."""


def refuse(message: RoomMessage, refused: Refused) -> None:
    """Answers the client that sent `message`, which no room will handle."""
    match message:
        case Join():
            reason = "join crashed" if refused is QUARANTINED else refused.reason  # Phoenix's words
            message.subscriber.write(message.subscriber.refuse(reason, refused.retry_after_ms))
        case Post() | ShowTyping() | Relay() | Edit() | Delete() | React() | Pin() | ListReactors():
            message.sender.write(message.sender.answer(message.ref, refused))
        case Purge():
            message.answer(False)
        case Found() | ChangeRoom() | ChangeMembers() | Describe():
            message.sender.write(message.sender.answer(message.ref, refused))
        case Sync():
            message.subscriber.write(message.subscriber.answer(message.ref, refused))
        case ReadHistory():
            message.reader.write(message.reader.answer(message.ref, refused))
        case Leave() | Dismiss() | NotifyLagged():
            pass  # the client is leaving, or has asked for nothing
        case Loaded() | LoadFailed() | Saved() | NotSaved():
            pass  # from the storage
        case Heard() | Overheard() | PeopleMoved() | Propose() | Placed() | NotPlaced():
            pass  # from the shared log
        case PageLoaded() | MissedLoaded() | LookedUp() | TargetLoaded():
            pass  # from the storage
        case ContinueDelivery() | PresencePauseEnded() | PresenceGraceEnded() | ReactionsDue():
            pass  # from the room itself
        case RefreshNames() | Recall() | Retire():
            pass  # from its supervisor
        case _:
            assert_never(message)
