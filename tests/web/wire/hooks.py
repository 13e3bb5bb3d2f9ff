"""Decides who may join in these tests."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

_waiting: list[asyncio.Future[bool]] = []


def authorize(_slug: str, params: Mapping[str, Any]) -> bool | Awaitable[bool]:
    """Refuses a join with `unauthorized`, fails at one with `crash`, grants others.

    A join with `waits` is decided when another one `releases` it.
    """
    if params.get("crash"):
        raise RuntimeError("the join asked for it")
    if params.get("waits"):
        _waiting.append(asyncio.get_running_loop().create_future())
        return _waiting[-1]
    if params.get("releases"):
        for decision in _waiting:
            decision.set_result(True)
        _waiting.clear()
    return not params.get("unauthorized")
