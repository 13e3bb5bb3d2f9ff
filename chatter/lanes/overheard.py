"""What rooms broadcast and never save, as it goes from node to node."""

import msgspec

from chatter.charter import Author
from chatter.messages import Relayed, StartedTyping


class _Typing(msgspec.Struct, array_like=True, tag=0, frozen=True):
    slug: str
    name: str
    author: Author | None


class _Relay(msgspec.Struct, array_like=True, tag=1, frozen=True):
    slug: str
    data: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Typing | _Relay).decode


def encode(slug: str, event: StartedTyping | Relayed) -> bytes:
    """Returns what other nodes are told of an event in a room."""
    if isinstance(event, StartedTyping):
        return _encode(_Typing(slug, event.name, event.author))
    return _encode(_Relay(slug, event.data))


def decode(body: bytes) -> tuple[str, StartedTyping | Relayed]:
    """Reads that. Raises `msgspec.MsgspecError` for what is none."""
    told = _decode(body)
    if isinstance(told, _Typing):
        return told.slug, StartedTyping(told.name, told.author)
    return told.slug, Relayed(told.data)
