"""Who may join in these tests."""

from collections.abc import Mapping
from typing import Any


def admits(_slug: str, params: Mapping[str, Any]) -> bool:
    """Everybody but those who say themselves that they may not; whoever asks for a crash gets one."""
    if params.get("crash"):
        raise RuntimeError("the join asked for it")
    return not params.get("unauthorized")
