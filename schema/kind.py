"""The kinds of entries in a room's log."""

import enum


class Kind(enum.IntEnum):
    """What an entry does. The numbers are stored: none is ever given to another kind.

    7 to 11 are kept for member and room changes, purges, previews and notices. 4 was never given.
    """

    MESSAGE = 0
    EDIT = 1
    DELETE = 2
    REACT = 3
    PIN = 5
    UNPIN = 6
