"""Tickets: texts that this server made itself, that count once and for a short time, and that cost it no memory.

Whoever begins to sign in elsewhere is given one and has to bring it back. It carries what the server has to know then,
with a signature, so that a flood of beginnings fills nothing; only what comes back is remembered, until it would have
expired anyway. The key lives as long as the process: what was begun before a restart has to begin again.
"""

import hashlib
import hmac
import secrets
import struct
import time
from collections import OrderedDict
from collections.abc import Callable

MAX_USED = 50_000
"""Tickets that are remembered as used: some 10 MB. With more than that none is taken until the oldest expire."""

_HEAD = struct.Struct(">d16s")  # when it was made; what tells it from another of the same moment
_MARK = hashlib.sha256().digest_size


class TicketRefused(Exception):
    """A ticket that does not count. The message says why, for the log."""


class Tickets:
    """Makes the tickets of one kind, and takes each of them once."""

    def __init__(self, lifetime: float, clock: Callable[[], float] = time.monotonic) -> None:
        """A ticket counts for `lifetime` seconds."""
        self._lifetime = lifetime
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._used: OrderedDict[bytes, float] = OrderedDict()  # the marks of those that came back, with their ends

    def issue(self, told: bytes, *, bound_to: str = "") -> bytes:
        """Makes a ticket that carries `told`, readable to its holder, and counts with `bound_to` alone."""
        body = _HEAD.pack(self._clock(), secrets.token_bytes(16)) + told
        return body + self._mark(body, bound_to)

    def redeem(self, ticket: bytes, *, bound_to: str = "") -> bytes:
        """Takes a ticket and returns what it carries. Raises `TicketRefused`."""
        body, mark = ticket[:-_MARK], ticket[-_MARK:]
        if len(body) < _HEAD.size or not hmac.compare_digest(mark, self._mark(body, bound_to)):
            raise TicketRefused("not one of ours, or somebody else's")
        now = self._clock()
        ends = _HEAD.unpack_from(body)[0] + self._lifetime
        self._forget_expired(now)
        if now >= ends:
            raise TicketRefused("expired")
        if mark in self._used:
            raise TicketRefused("used before")
        if len(self._used) >= MAX_USED:
            raise TicketRefused("too many others came back")
        self._used[mark] = now + self._lifetime
        return body[_HEAD.size :]

    def derive(self, purpose: str, ticket: bytes, *, bound_to: str = "") -> bytes:
        """Returns 32 bytes that belong to a ticket and that its holder cannot know."""
        return self._digest(purpose.encode(), bound_to.encode(), ticket)

    def _mark(self, body: bytes, bound_to: str) -> bytes:
        return self._digest(b"mark", bound_to.encode(), body)

    def _digest(self, *parts: bytes) -> bytes:
        framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(self._key, framed, "sha256")

    def _forget_expired(self, now: float) -> None:
        while self._used and next(iter(self._used.values())) <= now:
            self._used.popitem(last=False)
