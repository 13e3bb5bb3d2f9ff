"""Has tests run on Python, and on the accelerator in C without io_uring and with it."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from web import accelerator

IMPLEMENTATIONS = ["Python", "C"]
WITH_RING = [*IMPLEMENTATIONS, "C with io_uring"]


def use(implementation: str, function: str) -> Iterator[Callable[..., Any]]:
    """Yields the function of that name. Skips where it was not built, or the kernel refuses."""
    if implementation == "Python":
        yield accelerator.PYTHON[function]
        return
    if accelerator.C is None:
        pytest.skip("the accelerator was not built, or is turned off")
    if implementation == "C with io_uring" and not accelerator.C.open_ring():
        pytest.skip("the kernel lets nobody use io_uring")
    if implementation == "C":
        accelerator.C.close_ring()
    try:
        yield getattr(accelerator.C, function)
    finally:
        accelerator.C.close_ring()


def is_wanted() -> bool:
    """Returns whether the accelerator must be in use here: in CI, unless a run is of Python alone."""
    return os.environ.get("CI") == "true" and os.environ.get(accelerator.VARIABLE) != "off"
