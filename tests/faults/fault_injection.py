"""Makes the rooms of a server fragile, in the server's own process.

The server imports this module as its `--authorize`.
"""

from collections.abc import Mapping
from typing import Any

from chatter.room import supervisor
from tests.support.fragile_room import FragileRoom

supervisor.Room = FragileRoom  # type: ignore[attr-defined]


def authorize(_room: str, _params: Mapping[str, Any]) -> bool:
    """Lets everybody join."""
    return True
