"""Creates a database filled with messages.

Usage: `python -m bench.seed_database FILE MESSAGES`.
"""

import datetime
import sys

import schema
from schema.database import migrate
from schema.entry import Entry, EntryRow

ROOMS = 1_000
BATCH = 100
"""Messages of each room in one transaction. A transaction covers all rooms."""


def main(file: str, messages: int) -> None:
    """Writes `messages` messages, spread evenly over `ROOMS` rooms."""
    database = schema.open_database(f"sqlite:///{file}", "normal")
    migrate(database)
    epoch = schema.Epoch.begin()
    at = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    for first in range(1, messages // ROOMS + 1, BATCH):
        seqs = range(first, min(first + BATCH, messages // ROOMS + 1))
        Entry.save_all(
            (f"room-{room}", epoch, [EntryRow(seq, f"{room}-{seq}", "ann", "x" * 64, at, nth=seq) for seq in seqs])
            for room in range(ROOMS)
        )
    database.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
