"""Injects faults into a server in a process of its own. It imports this as its `--authorize`, and has fragile rooms."""

from collections.abc import Mapping
from typing import Any

from chatter.room import supervisor
from tests.support.fragile_room import FragileRoom

supervisor.Room = FragileRoom  # type: ignore[attr-defined]


def everybody(_room: str, _params: Mapping[str, Any]) -> bool:
    """Who may join."""
    return True
