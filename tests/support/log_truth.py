"""What a database has of a room, as a client that knows the log would hold it."""

import contextlib
import json
from collections.abc import Iterable, Iterator

import schema
from chatter.messages import Entry, Posted, View, label_of
from chatter.storage.authors import entries_of, messages_of, people_of
from schema import Entry as EntryTable
from schema import timeline
from tests.support.log_client import Payload, fold, is_about, row_of
from tests.support.log_client import entry_of as heard
from web.channels.wire import NULL, V2_LONGPOLL

FAR = 1_000_000
"""More entries than any test has."""

Rows = dict[int, Payload]


@contextlib.contextmanager
def reading(url: str) -> Iterator[None]:
    """Has all that is read here be of that database."""
    database = schema.open_database(url, create=False, read_only=True)
    try:
        yield
    finally:
        database.close()


def read_log(room: str) -> list[Entry]:
    """Returns the committed log."""
    return entries_of(EntryTable.after(room, 0, FAR))


def folded(log: Iterable[Entry]) -> Rows:
    """Folds a log, as a client does."""
    rows: Rows = {}
    for entry in log:
        payload = payload_of(entry)
        event = heard("new_message" if isinstance(entry, Posted) else "room_event", payload)
        if event["kind"] == "message":
            rows[entry.seq] = row_of(payload)
        for row in rows.values() if event["kind"] == "purge" else [rows.get(event.get("target") or 0)]:
            if row is not None and is_about({"target": None, **event}, row["seq"]):
                fold(row, event)
    return rows


def states(room: str) -> Rows:
    """Returns the messages as the states beside the log say."""
    messages = messages_of(timeline.before(room, FAR, FAR))
    return {posted.seq: row_of(payload_of(posted)) for posted in messages if not posted.void}


def people(room: str, seq: int) -> dict[str, list[str]]:
    """Returns who has reacted to a message, by key. Those who have left are called alike."""
    found: dict[str, list[str]] = {}
    for key, person, _ in people_of(timeline.reactions(room, seq)):
        found.setdefault(key, []).append(label_of(person))
    return found


def check_reactions(room: str, rows: Rows) -> None:
    """Checks that as many people are counted as have reacted; with few of them all are named."""
    for seq, row in rows.items():
        counted = {key: (each["count"], sorted(each["names"])) for key, each in row.get("reactions", {}).items()}
        expected = {key: (len(names), sorted(names)) for key, names in people(room, seq).items()}
        assert counted == expected, f"message {seq} shows {counted}, but {expected} have reacted"


def payload_of(entry: Entry) -> Payload:
    """Returns what a client is pushed."""
    payload: Payload = json.loads(V2_LONGPOLL.viewing(View.LOG).push(NULL, NULL, entry))[4]
    return payload
