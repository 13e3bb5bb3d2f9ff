"""People with accounts in a room that is somebody's, for tests of rooms that need no socket."""

from collections.abc import Iterable
from typing import Any

from chatter.charter import Author, Charter, Member, RoomKind, RoomRole, RoomRules, ServerRole
from chatter.messages import (
    By,
    ChangeMembers,
    ChangeRoom,
    Delete,
    MemberChange,
    MembersChanged,
    Post,
    Posted,
    ReadHistory,
    RoomChanged,
    View,
)
from tests.support.stage import Listener

PRIVATE = "p--" + "a" * 26
GROUP = "g--" + "a" * 26
DIRECT = "d--" + "a" * 26

SLUGS: dict[RoomKind, str] = {"public": "lobby", "private": PRIVATE, "group": GROUP, "direct": DIRECT}


class Person(Listener):
    """Person is a connection of an account, or of a guest."""

    def __init__(
        self, number: int, handle: str, role: ServerRole = "member", view: View = View.LOG, *, is_guest: bool = False
    ) -> None:
        super().__init__(view=view)
        self.as_by = By(Author(number, handle), handle.title(), role)
        self.author = None if is_guest else self.as_by.author
        self.person_name = None if is_guest else self.as_by.name
        self.server_role = "guest" if is_guest else role

    @property
    def answers(self) -> list[Any]:
        """The answers to its requests, in their order."""
        return [each[1] for each in self.heard if isinstance(each, tuple)]

    @property
    def texts(self) -> list[str]:
        """The texts of the messages that it heard."""
        return [each.message for each in self.heard if isinstance(each, Posted) and not each.void]

    def posts(self, message: str, id: str | None = None, **options: Any) -> Post:
        return Post(self, b"1", id, self.as_by.name, message, author=self.author, **options)

    def deletes(self, seq: int, **options: Any) -> Delete:
        return Delete(self, b"1", None, seq, author=self.author, **options)

    def reads(self, **options: Any) -> ReadHistory:
        return ReadHistory(self, b"1", options.pop("before", None), options.pop("limit", 50), **options)

    def sets(self, **options: Any) -> ChangeRoom:
        return ChangeRoom(self, b"1", options.pop("id", None), self.as_by, **options)

    def does(self, change: MemberChange, *people: "Person", **options: Any) -> ChangeMembers:
        """Makes a request about others, or about itself."""
        accounts = tuple(each.as_by for each in people or (self,))
        return ChangeMembers(self, b"1", options.pop("id", None), self.as_by, change, accounts, **options)


def charter(
    kind: RoomKind = "private",
    *,
    owners: Iterable[Person] = (),
    moderators: Iterable[Person] = (),
    members: Iterable[Person] = (),
    rules: RoomRules | None = None,
    joined: int = 0,
) -> Charter:
    """Makes the charter of a room in which these people are since an entry."""
    people: dict[RoomRole, Iterable[Person]] = {"owner": owners, "moderator": moderators, "member": members}
    found = {
        each.as_by.author.id: Member(each.as_by.author, each.as_by.name, role, joined)
        for role, of_role in people.items()
        for each in of_role
    }
    return Charter(kind=kind, members=found, rules=rules or RoomRules())


def changes_in(listener: Listener) -> list[Any]:
    """Returns what was done to the room itself, as somebody heard it."""
    return [each for each in listener.heard if isinstance(each, MembersChanged | RoomChanged)]
