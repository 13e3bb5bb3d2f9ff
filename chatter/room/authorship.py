"""Authorship: who may change what was said, for a while: the account that said it; of a guest, the connection."""

from chatter.clock import Clock, seconds_since
from chatter.messages import Delete, Edit, Posted, Refused


def refusal(operation: Edit | Delete, posted: Posted, window: float, clock: Clock) -> Refused | None:
    """Returns why a message may not be changed, or None where it may; `window` is in seconds."""
    if not _is_own(operation, posted):
        return Refused("forbidden")
    if seconds_since(posted.inserted_at, clock) >= window:
        return Refused("too_late", limit_s=window)
    return None


def _is_own(operation: Edit | Delete, posted: Posted) -> bool:
    if posted.author is None:
        return operation.sender.has_said(posted.seq)
    return operation.author is not None and operation.author.id == posted.author.id
