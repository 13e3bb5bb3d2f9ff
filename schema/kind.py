"""The kinds of entries in a room's log."""

import enum


class Kind(enum.IntEnum):
    """What an entry does. The numbers are stored: none is ever given to another kind.

    10 and 11 are kept for previews and notices. 4 was never given.
    """

    MESSAGE = 0
    EDIT = 1
    DELETE = 2
    REACT = 3
    PIN = 5
    UNPIN = 6
    MEMBER = 7
    ROOM = 8
    PURGE = 9
