"""Reads and writes a room's rows in the database, past the server."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.server import PATIENCE

ROOM = "(SELECT id FROM room WHERE slug = ?)"

AUTHORS = ("dora", "dora", "emil", "dora", "fritz")


def saved(database: Path, room: str) -> list[str]:
    """Returns the texts of a room's messages, in order."""
    with closing(sqlite3.connect(database, timeout=PATIENCE)) as connection:
        rows = connection.execute(f"SELECT message FROM entry WHERE room = {ROOM} ORDER BY seq", [room])
        return [message for (message,) in rows]


def ends(database: Path) -> dict[str, int]:
    """Returns the last `seq` of the fifty rooms that were last spoken in."""
    with closing(sqlite3.connect(database, timeout=PATIENCE)) as connection:
        return dict(connection.execute("SELECT slug, last_seq FROM room ORDER BY last_message_at DESC LIMIT 50"))


def prepare(
    database: Path, room: str, texts: Iterable[str], ahead: timedelta = timedelta(), void: int | None = None
) -> None:
    """Writes `texts` of several authors into a room that is not open, one a minute until now, or so far `ahead`.

    The place `void` has no message.
    """
    said = list(texts)
    start = datetime.now(UTC) + ahead - timedelta(minutes=len(said))
    rows = [
        (
            seq,
            seq - (void is not None and seq > void),
            f"prepared-{seq}",
            AUTHORS[seq % len(AUTHORS)],
            text,
            _iso(start + timedelta(minutes=seq)),
        )
        for seq, text in enumerate(said, 1)
        if seq != void
    ]
    with closing(sqlite3.connect(database, timeout=PATIENCE)) as connection, connection:
        connection.execute(
            "INSERT INTO room (slug, last_seq, last_nth, last_message_at) VALUES (?, ?, ?, ?)",
            [room, len(said), len(rows), rows[-1][-1] if rows else ""],
        )
        connection.executemany(
            "INSERT INTO entry (room, epoch, kind, seq, nth, id, name, message, inserted_at)"
            f" VALUES ({ROOM}, 0, 0, ?, ?, ?, ?, ?, ?)",
            [(room, *row) for row in rows],
        )


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")
