"""How much memory a process has."""

import os
from pathlib import Path

import pytest


def resident_bytes(pid: int) -> int:
    """Returns the resident memory of a process. Skips under the address sanitizer, which takes memory of its own."""
    if "libasan" in os.environ.get("LD_PRELOAD", ""):
        pytest.skip("the address sanitizer takes memory of its own")
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
