"""How a message is written down: as a row of the database, and as a line of JSON in the files beside it."""

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chatter.messages import Posted, Save
from schema import MessageRow


def row_of(posted: Posted) -> MessageRow:
    """Returns the row that saves a message."""
    return MessageRow(posted.seq, posted.id, posted.name, posted.message, posted.inserted_at)


def posted_of(row: MessageRow) -> Posted:
    """Returns the message that a row holds; a row without a name is a void place."""
    return Posted(row.seq, row.id, row.name, row.message, row.inserted_at, void=not row.name)


def object_of(save: Save, posted: Posted) -> dict[str, Any]:
    """Returns a message as a JSON object: its room, its epoch and the columns of its row."""
    return {"room": save.slug, "epoch": save.epoch, **row_of(posted)._asdict()}


def append_lines(path: Path, objects: Iterable[dict[str, Any]]) -> None:
    """Appends JSON objects to a file, one a line, and waits until they are on the disk. Raises `OSError`."""
    with path.open("a", encoding="ascii") as file:
        file.writelines(json.dumps(each) + "\n" for each in objects)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all, and waits until it is on the disk. Raises `OSError`."""
    aside = path.with_name(path.name + ".new")
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
        sync_folder(path.parent)
    except OSError:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise


def sync_folder(folder: Path) -> None:
    """Waits until what was made, moved and removed in the folder is on the disk. Raises `OSError`."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
