"""How much memory a process has, and which actors are left in it."""

import contextlib
import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pykka
import pytest


@contextlib.contextmanager
def no_collector() -> Iterator[None]:
    """Has Python's collector find no circles: what is freed meanwhile is freed at once."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def is_in_memory(actor: pykka.ActorRef[Any]) -> bool:
    """Returns whether an actor is there, be it alive or not."""
    return actor._actor_weakref() is not None


def resident_bytes(pid: int) -> int:
    """Returns the resident memory of a process. Skips under the address sanitizer, which takes memory of its own."""
    if "libasan" in os.environ.get("LD_PRELOAD", ""):
        pytest.skip("the address sanitizer takes memory of its own")
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
