"""Decides who may join in these tests."""

from collections.abc import Mapping
from typing import Any


def authorize(_slug: str, params: Mapping[str, Any]) -> bool:
    """Refuses a join with `unauthorized`, fails at one with `crash`, grants others."""
    if params.get("crash"):
        raise RuntimeError("the join asked for it")
    return not params.get("unauthorized")
