"""Why a node does not start, and how an append can fail."""


class ClusterRefused(Exception):
    """The cluster is not one that this node may work with. The text is one line for the operator."""


class Conflict(Exception):
    """Another turn was placed first. Nothing of this append is in the log: decide anew."""


class LogFull(Exception):
    """The stream has reached its `max_bytes`. Nothing of this append is in the log."""


class Unavailable(Exception):
    """No quorum has placed the turn in time.

    Where it is `undecided` the turn may still be placed: the lane goes on to find out, and takes no other append
    until it knows. Otherwise nothing of it is in the log.
    """

    def __init__(self, why: str, *, undecided: bool) -> None:
        super().__init__(why)
        self.undecided = undecided


class LaneStopped(Exception):
    """The lane has found that its history is not the log's, and takes part no more. The text says what it found."""


class NoAnswer(Exception):
    """The server did not answer a read or a question in time. It may be asked again."""
