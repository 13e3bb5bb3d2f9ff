"""Authorship: who may change what was said. Without accounts that is the connection that said it, for a while."""

from chatter.clock import Clock, seconds_since
from chatter.messages import Posted, Refused, Subscriber


def refusal(sender: Subscriber, posted: Posted, window: float, clock: Clock) -> Refused | None:
    """Returns why `sender` may not change a message, or None where it may; `window` is in seconds."""
    if not sender.has_said(posted.seq):
        return Refused("forbidden")
    if seconds_since(posted.inserted_at, clock) >= window:
        return Refused("too_late", limit_s=window)
    return None
