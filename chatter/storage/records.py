"""How an entry is written down: as a row of the database, and as a line of JSON in the files beside it."""

import contextlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, assert_never

from msgspec import convert, to_builtins
from msgspec.structs import replace

from chatter.charter import Author
from chatter.messages import (
    Deleted,
    Edited,
    Entry,
    MembersChanged,
    Mentions,
    Person,
    Pinned,
    Posted,
    PostState,
    Purged,
    Reacted,
    ReactionCount,
    RoomChanged,
    RoomEntry,
    Save,
    Unpinned,
)
from schema import EntryRow, Kind, MessageRow, StateRow
from schema.purge import MOST_PLACES, count_places

Data = dict[str, Any]

_NO_HANDLES: Mapping[int, str] = {}


def row_of(entry: Entry) -> EntryRow:
    """Returns the row that saves an entry."""
    if isinstance(entry, Posted):
        if (entry.state is None or entry.state.root is None) and entry.mentions is None:
            author = None if entry.author is None else entry.author.id
            return EntryRow(
                entry.seq, entry.id, entry.name, entry.message, entry.inserted_at, nth=entry.nth, author=author
            )
        return _row_of_message(entry)
    match entry:
        case Edited():
            edited = {"edits": entry.edits, **_mentions_as_data(entry.mentions)}
            return _row(entry, Kind.EDIT, entry.message, edited, entry.target)
        case Deleted():
            reason = {} if entry.reason is None else {"reason": entry.reason}
            power = {"moderator": True} if entry.moderator else {}
            return _row(entry, Kind.DELETE, "", {**reason, **power, **_by(entry)}, entry.target)
        case Reacted():
            reacted: Data = {
                "key": entry.key,
                "add": list(map(_person_as_data, entry.added)),
                "remove": list(map(_person_as_data, entry.removed)),
                "reactions": _counts_as_data(entry.reactions),
            }
            return _row(entry, Kind.REACT, "", reacted, entry.target)
        case Pinned():
            return _row(entry, Kind.PIN, "", _by(entry), entry.target)
        case Unpinned():
            return _row(entry, Kind.UNPIN, "", _by(entry), entry.target)
        case Purged():
            purge = {
                "account": entry.account, "erase": entry.erases, "targets": entry.targets, "touched": entry.touched
            }  # fmt: skip
            return _row(entry, Kind.PURGE, "", purge, None)
        case MembersChanged():
            return _row(entry, Kind.MEMBER, "", _member_as_data(entry), None)
        case RoomChanged():
            return _row(entry, Kind.ROOM, "", _room_as_data(entry), None)
        case _:
            assert_never(entry)


def entry_of(row: EntryRow, handles: Mapping[int, str] = _NO_HANDLES) -> Entry:
    """Returns the entry that a row holds; a row without a name is a void place. `handles` are those of accounts.

    Raises `ValueError` for a kind that is not known, and `KeyError` or `TypeError` where `data` lacks what it needs.
    """
    data: Data = json.loads(row.data) if row.data else {}
    author = None
    if row.author is not None:
        author = Author(row.author, data["by"] if "by" in data else handles.get(row.author, ""))
    if row.kind == Kind.MESSAGE:
        state = None
        if row.target is not None:
            state = PostState(changed=row.seq, reply_to=data["reply_to"], root=row.target, root_replies=data["replies"])
        void, mentions = not row.name, _mentions_of(row, data)
        return Posted(row.seq, row.id, row.name, row.message, row.inserted_at, void, row.nth, state, author, mentions)
    if row.kind == Kind.PURGE:
        return _purged_of(row, data)
    if row.kind in (Kind.MEMBER, Kind.ROOM):
        return _room_entry_of(row, data, author)
    if row.target is None:
        raise ValueError("expected a target")
    change = (row.seq, row.id, row.name, row.target, row.inserted_at, row.nth)
    match row.kind:
        case Kind.EDIT:
            return Edited(*change, row.message, data["edits"], _mentions_of(row, data), author=author)
        case Kind.DELETE:
            return Deleted(*change, data.get("reason"), data.get("moderator", False), author=author)
        case Kind.REACT:
            added, removed = tuple(map(_person_of, data["add"])), tuple(map(_person_of, data["remove"]))
            return Reacted(*change, data["key"], added, removed, _counts_of(data["reactions"]), author=author)
        case Kind.PIN:
            return Pinned(*change, author=author)
        case Kind.UNPIN:
            return Unpinned(*change, author=author)
        case _:
            raise ValueError(f"expected a kind of entry, got {row.kind}")


def _purged_of(row: EntryRow, data: Data) -> Purged:
    targets, touched = (tuple((int(first), int(last)) for first, last in data[of]) for of in ("targets", "touched"))
    if count_places((*targets, *touched)) > 2 * MOST_PLACES:
        raise ValueError(f"expected at most {2 * MOST_PLACES} places to purge")
    about = (int(data["account"]), bool(data["erase"]), targets, touched)
    return Purged(row.seq, row.id, row.inserted_at, row.nth, *about)


def posted_of(row: EntryRow, handles: Mapping[int, str] = _NO_HANDLES) -> Posted:
    """Returns the message that a row holds."""
    posted = entry_of(row, handles)
    assert isinstance(posted, Posted)
    return posted


def message_of(row: MessageRow, handles: Mapping[int, str] = _NO_HANDLES) -> Posted:
    """Returns a message as it is now. A void place stays one, also where an edit of what it was is saved."""
    posted = posted_of(row.entry, handles)
    if row.state is None or posted.void:
        return posted
    state = state_of(row.state, posted.state)
    if state.message is None:
        return replace(posted, state=state)
    return replace(posted, message=state.message, mentions=state.mentions, state=state)


def state_of(row: StateRow, said: PostState | None = None) -> PostState:
    """Returns the state that a row holds; `said` is that of the message as it was said."""
    kept: Data = {"reply_to": said.reply_to, "root": said.root, "root_replies": said.root_replies} if said else {}
    counts = _counts_of(json.loads(row.reactions)) if row.reactions else ()
    mentions = convert(json.loads(row.mentions), Mentions) if row.mentions else None
    return PostState(**{**row._asdict(), "reactions": counts, "mentions": mentions}, **kept)


def blanked(entry: Entry) -> Entry:
    """Returns an entry of a deleted message without its text, and whom that named."""
    return replace(entry, message="", mentions=None) if isinstance(entry, Posted | Edited) else entry


def object_of(save: Save, entry: Entry) -> Data:
    """Returns an entry as a JSON object: its room, its epoch and the columns of its row."""
    return {"room": save.slug, "epoch": save.epoch, **row_of(entry)._asdict()}


def append_lines(path: Path, objects: Iterable[Data]) -> None:
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


def _row(entry: Entry, kind: Kind, message: str, data: Data | None, target: int | None) -> EntryRow:
    written = json.dumps(data, ensure_ascii=False, separators=(",", ":")) if data else None
    author = None if entry.author is None else entry.author.id
    at, nth = entry.inserted_at, entry.nth
    return EntryRow(entry.seq, entry.id, entry.name, message, at, int(kind), nth, target, written, author)


def _row_of_message(posted: Posted) -> EntryRow:
    state, data = posted.state, _mentions_as_data(posted.mentions)
    if state is None or state.root is None:
        return _row(posted, Kind.MESSAGE, posted.message, data, None)
    reply = {"reply_to": state.reply_to, "replies": state.root_replies}
    return _row(posted, Kind.MESSAGE, posted.message, {**reply, **data}, state.root)


def _mentions_as_data(mentions: Mentions | None) -> Data:
    return {} if mentions is None else {"mentions": to_builtins(mentions)}


def _mentions_of(row: EntryRow, data: Data) -> Mentions | None:
    """Returns whom a text names; one that is deleted names nobody any more."""
    return convert(data["mentions"], Mentions) if "mentions" in data and row.message else None


def _member_as_data(entry: MembersChanged) -> Data:
    people = [[each.who.id, each.who.handle, each.name] for each in entry.members]
    more = {"role": entry.role, "until": entry.until, "reason": entry.reason}
    return {"change": entry.change, "members": people, **_without_none(more)}


def _room_as_data(entry: RoomChanged) -> Data:
    rules = None if entry.rules is None else to_builtins(entry.rules)
    more = {"title": entry.title, "topic": entry.topic, "rules": rules, "archived": entry.archived}
    return _without_none({"kind": entry.kind, **more})


def _without_none(data: Data) -> Data:
    return {name: value for name, value in data.items() if value is not None}


def _room_entry_of(row: EntryRow, data: Data, author: Author | None) -> RoomEntry:
    """Returns what was done to a room. Raises `msgspec.ValidationError`, a `ValueError`, where a value is none."""
    done = {"seq": row.seq, "id": row.id, "name": row.name, "inserted_at": row.inserted_at, "nth": row.nth}
    if row.kind == Kind.ROOM:
        return replace(convert({**done, **data}, RoomChanged), author=author)
    people = [{"who": {"id": id, "handle": handle}, "name": name} for id, handle, name in data["members"]]
    return replace(convert({**done, **data, "members": people}, MembersChanged), author=author)


def _by(entry: Deleted | Pinned | Unpinned) -> Data:
    """Returns what an account is called now: the message says so from then on."""
    return {} if entry.author is None else {"by": entry.author.handle}


def _person_as_data(person: Person) -> object:
    return person if isinstance(person, str) else [person.id, person.handle]


def _person_of(written: Any) -> Person:
    if isinstance(written, str):
        return written
    id, handle = written
    if not isinstance(id, int) or not isinstance(handle, str):
        raise ValueError("expected a name, or an account's number and its handle")
    return Author(id, handle)


def _counts_as_data(counts: tuple[ReactionCount, ...]) -> Data:
    return {each.key: {"count": each.count, "names": each.names} for each in counts}


def _counts_of(data: Data) -> tuple[ReactionCount, ...]:
    return tuple(ReactionCount(key, each["count"], tuple(each["names"])) for key, each in data.items())
