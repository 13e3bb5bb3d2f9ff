"""A person: the rooms of one account, and its connections that want to know of them."""

from chatter.memberships.membership import Membership
from chatter.memberships.values import Listener, PersonalEvent


class Person:
    """Owns what is known of one account's rooms, as long as it is used."""

    __slots__ = ("account", "listeners", "rooms", "used_at")

    def __init__(self, account: int, used_at: float) -> None:
        self.account = account
        self.rooms: dict[str, Membership] = {}
        self.listeners: dict[Listener, None] = {}
        self.used_at = used_at  # by the loop's clock

    @property
    def hearers(self) -> tuple[Listener, ...]:
        """The connections as they are now: a write to one that reads too slowly may end it, and it is none then."""
        return tuple(self.listeners)

    def tell(self, *events: PersonalEvent) -> None:
        """Tells each connection what it may hear of that, in one write."""
        for listener in self.hearers:
            heard = [event for event in events if listener.reaches(event.slug)]
            if heard:
                listener.write(b"".join(map(listener.serializer.personal, heard)))
