"""Marks of people whose devices are on several nodes: what one node tells the others of them."""

from collections.abc import Sequence

import msgspec

from chatter.memberships.membership import Membership
from chatter.memberships.values import Level


class Marked(msgspec.Struct, array_like=True, frozen=True):
    """How far somebody has read a room, and what they want to notice there."""

    account: int
    slug: str
    read_seq: int
    read_nth: int
    rev: int
    mentions: tuple[int, ...]  # the places above `read_seq` that name the person
    level: Level | None
    level_until: str | None
    is_hidden: bool

    @classmethod
    def of(cls, membership: Membership) -> "Marked":
        """Returns what a membership is now."""
        return cls(
            membership.account,
            membership.slug,
            membership.read_seq,
            membership.read_nth,
            membership.read_rev,
            membership.mentioned_at,
            membership.level,
            membership.level_until,
            membership.is_hidden,
        )


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Marked]).decode


def encode(memberships: Sequence[Membership]) -> bytes:
    """Returns what other nodes are told of these memberships."""
    return _encode(list(map(Marked.of, memberships)))


def decode(body: bytes) -> list[Marked]:
    """Reads that. Raises `msgspec.MsgspecError` for what is none."""
    return _decode(body)
