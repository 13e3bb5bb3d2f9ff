"""Chatter without saving, to see what saving costs: everything told to persistence is settled at once, and not written.

Only for the benchmark. What it acknowledges is not saved.
"""

import sys
from collections.abc import Sequence

from chatter.messages import NotSaved, Save
from chatter.storage.committer import Committer
from web.main import main


def _write_nothing(_committer: Committer, _batch: Sequence[Save]) -> list[tuple[Save, NotSaved]]:
    return []


if __name__ == "__main__":
    Committer.commit = _write_nothing  # type: ignore[assignment, method-assign]
    sys.exit(main())
