"""Admission: turns away who may not be in a room, or not any more, whatever they have asked for before."""

from collections.abc import Collection

from msgspec.structs import replace

from chatter.charter import Charter
from chatter.messages import (
    Delete,
    Edit,
    ListReactors,
    MissedLoaded,
    Operation,
    PageLoaded,
    Pin,
    Post,
    React,
    ReadHistory,
    Refused,
    Relay,
    RoomMessage,
    ShowTyping,
    Subscriber,
    Sync,
)
from chatter.room.broadcaster import Broadcaster
from chatter.room.judge import Judge


class Admission:
    """Stands before a room that has a charter. Who says something there is judged once more when it gets its place."""

    __slots__ = ("_broadcaster", "_judge")

    def __init__(self, judge: Judge, broadcaster: Broadcaster) -> None:
        self._judge = judge
        self._broadcaster = broadcaster

    def screened(self, charter: Charter, message: RoomMessage) -> RoomMessage | None:
        """Returns a message for the room to handle, or None where it is answered.

        What the database has answered meanwhile to somebody who may not be here any more becomes a refusal.
        """
        match message:
            case Post() | Edit() | Delete() | React() | Pin() | ListReactors():
                refused = self._judge.of_stranger(charter, message.author, message.sender.server_role)
            case Relay(sender=sender):
                refused = self.refusal(charter, sender) or self._judge.of_relay(charter, sender)
            case ShowTyping(sender=sender):
                refused = self.refusal(charter, sender) or self._judge.of_speech(charter, sender.author, sender)
            case Sync():
                refused = self.refusal(charter, message.subscriber)
            case ReadHistory():
                refused = self.refusal(charter, message.reader)
            case PageLoaded(request=request):
                refused = self.refusal(charter, request.reader)
                return message if refused is None else PageLoaded(request, refused)
            case MissedLoaded(request=request):
                refused = self.refusal(charter, request.subscriber)
                return message if refused is None else replace(message, refused=refused)
            case _:
                return message
        if refused is None:
            return message
        self._turn_away(message, refused)
        return None

    def refusal(self, charter: Charter, subscriber: Subscriber) -> Refused | None:
        """Returns why somebody may not be in the room; of one that is not public, because it is not there for them."""
        return self._judge.of_stranger(charter, subscriber.author, subscriber.server_role)

    def strangers(
        self, charter: Charter, subscribers: Collection[Subscriber], accounts: Collection[int] | None
    ) -> list[Subscriber]:
        """Returns the subscribers who may not be here any more: of some accounts, or of all."""
        if accounts is not None:
            subscribers = [each for each in subscribers if each.author is not None and each.author.id in accounts]
        return [each for each in subscribers if self.refusal(charter, each) is not None]

    def _turn_away(
        self, message: Post | Operation | ShowTyping | Relay | Sync | ReadHistory | ListReactors, refused: Refused
    ) -> None:
        match message:
            case Sync(subscriber=client) | ReadHistory(reader=client):
                pass
            case _:
                client = message.sender
        self._broadcaster.push(client, client.answer(message.ref, refused))
