"""Runs Chatter without saving, to measure what saving costs. Only for the benchmark.

The committer reports every batch as saved and writes nothing, so acknowledged messages are lost.
"""

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager

from chatter.messages import NotSaved, Save
from chatter.storage.committer import Committer
from web.main import main


def _write_nothing(
    _committer: Committer, _saves: Sequence[Save], _guard: AbstractContextManager[None] | None = None
) -> list[tuple[Save, NotSaved]]:
    return []


if __name__ == "__main__":
    Committer.commit = _write_nothing  # type: ignore[assignment, method-assign]
    sys.exit(main())
