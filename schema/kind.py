"""The kinds of entries in a room's log."""

import enum


class Kind(enum.IntEnum):
    """What an entry does. The numbers are stored: none is ever given to another kind.

    7, 8, 10 and 11 are kept for member and room changes, previews and notices. 4 was never given.
    """

    MESSAGE = 0
    EDIT = 1
    DELETE = 2
    REACT = 3
    PIN = 5
    UNPIN = 6
    PURGE = 9
