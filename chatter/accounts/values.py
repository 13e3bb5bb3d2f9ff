"""What accounts are asked with and answer with: values only, and the one exception with its reasons."""

from typing import Literal, NamedTuple, TypeAlias

import msgspec

from chatter.accounts.principal import Principal, Role, Scope
from chatter.charter import Author

Reason: TypeAlias = Literal[
    "unauthorized",  # the session that asks has ended meanwhile
    "wrong",  # handle and password, or the old password; also where there is no such account
    "handle_taken",
    "invalid",  # with the field
    "sign_up_closed",
    "invite",  # there is no such invite, or not any more
    "busy",  # too many passwords wait to be checked, or too many requests for the database
    "unavailable",  # the database does not answer
    "not_found",
    "forbidden",
    "full",  # as many tokens or invites as one may have
    "rate_limited",  # the name was changed as often as it may be in a day
    "gone",  # a link that was used, has expired, or never was
    "suspended",
    "proof",  # it is too long ago that the session has shown who has it
    "archived",  # the room of an invite, which takes nobody now
    "last_way",  # without it the account could not sign in any more
    "no_passkeys",  # the server, or the address of its page, can have none
]

LinkKind: TypeAlias = Literal["setup", "reset", "link"]
"""What a link is for: to become the first admin, to choose a new password, to sign in once."""

What: TypeAlias = Literal[
    "created", "revoked", "renewed", "suspended", "resumed", "role", "renamed", "left", "returned", "erased"
]
"""What has become of an account; `revoked` and `renewed` are about one of its sessions or tokens."""


class AccountRefused(Exception):
    """Something that was asked of accounts is not done. `message` is a sentence for a person."""

    def __init__(
        self,
        reason: Reason,
        *,
        field: str | None = None,  # of `invalid`: the parameter that is to blame
        retry_after_ms: int | None = None,
        message: str | None = None,
    ) -> None:
        super().__init__(message or reason)
        self.reason = reason
        self.field = field
        self.retry_after_ms = retry_after_ms
        self.message = message


class Device(NamedTuple):
    """Where somebody signs in from."""

    network: str  # as `web.channels.rate_limits.network_of` gives it
    agent: str = ""  # what the browser calls itself
    known: str | None = None  # the text that `SignedIn.device` gave this browser before


class SignedIn(NamedTuple):
    """Somebody has shown who they are. Both texts are secrets, and shown once."""

    principal: Principal
    session: str  # chs_…
    device: str  # chd_…: for a cookie that outlives the session
    came_back: bool = False  # the account was about to be erased


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account, as its person and admins see it."""

    id: int
    handle: str
    name: str
    role: Role
    kind: Literal["person", "bot"]
    state: Literal["active", "suspended", "leaving", "deleted"]
    has_password: bool
    created_at: str
    seen_at: str

    @property
    def author(self) -> Author:
        """Who its messages are by."""
        return Author(self.id, self.handle)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Somewhere an account is signed in."""

    id: int
    label: str  # "" until the person names it
    agent: str
    network: str
    created_at: str
    used_at: str  # exact to an hour
    expires_at: str


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """An access token, without its text."""

    id: int
    label: str
    scopes: tuple[Scope, ...]
    created_at: str
    used_at: str  # exact to an hour
    expires_at: str | None


class Changed(NamedTuple):
    """An account was changed."""

    account: Account
    session: str | None  # chs_…: what the session that has asked is shown by from now on; None for as before


class Invite(msgspec.Struct, frozen=True, kw_only=True):
    """An invite, without its code."""

    id: int
    by: int | None  # the account that made it; None for who owns the machine
    room: str | None
    uses_left: int | None  # None for any number
    created_at: str
    expires_at: str | None


class Made(NamedTuple):
    """A secret was made. Its text is shown once."""

    id: int
    text: str


class OthersEnded(NamedTuple):
    """All other sessions of an account have ended."""

    number: int
    session: str  # chs_…: what the session that has asked is shown by from now on


class WaysIn(NamedTuple):
    """By what an account can sign in beside a password."""

    passkeys: int
    issuers: tuple[str, ...]  # of the providers that are linked


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What a link is for."""

    kind: LinkKind
    handle: str | None  # None for the first admin, who chooses one
    name: str | None = None
    other_ways: WaysIn | None = None  # which a new password leaves, of a link to reset it


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Something has become of an account: here, by the command line or by another server."""

    account: int
    what: What
    secret: int | None = None  # the session or token of `revoked` and `renewed`
    # How the account is now, so that the principals of its connections can be replaced within the same turn.
    author: Author
    name: str
    role: Role
