"""A client that knows the log, as `docs/delivery.md` has it: an example. It knows no socket.

What it hears goes to `joined`, `hear` and `answered`; what it wants to ask comes from `next_request`, one at a time. A
request that was lost or refused comes again.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

Payload: TypeAlias = dict[str, Any]
Request: TypeAlias = tuple[str, Payload]

MOST_KEPT = 1_000
"""Entries that touch a message which are kept, for pages that were read before them."""

DELETED_ACCOUNT = "deleted account"
"""What is left of a name or a label."""

MOST_READ = 100
"""Messages in one request."""


def fold(row: Payload, entry: Payload) -> None:
    """Applies to a message an entry that touches it, unless the message shows that already (R1)."""
    if entry["seq"] <= row["changed"]:
        return
    row["changed"] = entry["seq"]
    if entry["kind"] == "purge":
        _purge(row, entry)
    elif entry["kind"] == "message":
        row |= {"replies": entry["root_replies"], "last_reply_seq": entry["seq"]}
    elif "deleted_at" not in row:
        _change(row, entry)


def _change(row: Payload, entry: Payload) -> None:
    match entry["kind"]:
        case "edit":
            row |= {"message": entry["message"], "edits": entry["edits"], "edited_at": entry["at"]}
        case "delete":
            for gone in ("reactions", "pinned_at", "pinned_by"):
                row.pop(gone, None)
            row |= {"message": "", "deleted_at": entry["at"], "deleted_by": label_of(entry["by"])}
        case "react":
            reactions = {**row.pop("reactions", {}), entry["key"]: {"count": entry["count"], "names": entry["names"]}}
            if remaining := {key: each for key, each in reactions.items() if each["count"]}:
                row["reactions"] = remaining
        case "pin":
            row |= {"pinned_at": entry["at"], "pinned_by": label_of(entry["by"])}
        case "unpin":
            row.pop("pinned_at", None)
            row.pop("pinned_by", None)


def _purge(row: Payload, entry: Payload) -> None:
    """Takes from a message of an account that has left its name, and the text where that goes too."""
    if not _is_in(entry["targets"], row["seq"]):
        return
    row |= {"name": DELETED_ACCOUNT, "author": {"id": entry["account"], "handle": ""}}
    if entry["erase"]:
        for gone in ("reactions", "pinned_at", "pinned_by"):
            row.pop(gone, None)
        row |= {"message": "", "deleted_at": entry["at"], "deleted_by": DELETED_ACCOUNT}


def is_about(entry: Payload, seq: int) -> bool:
    """Returns whether an entry touches a message. A purge touches many."""
    if entry["kind"] == "purge":
        return _is_in(entry["targets"], seq) or _is_in(entry["touched"], seq)
    return bool(entry["target"] == seq)


def must_be_read_again(entry: Payload, seq: int) -> bool:
    """Returns whether only the server knows what a message is after an entry: where it shows who has left."""
    return entry["kind"] == "purge" and _is_in(entry["touched"], seq)


def _is_in(ranges: Iterable[tuple[int, int]], seq: int) -> bool:
    return any(first <= seq <= last for first, last in ranges)


def label_of(by: Payload) -> str:
    """Returns what somebody is called where guests and accounts are told apart."""
    return f"@{by['handle']}" if by.get("handle") else str(by["name"])


def row_of(message: Payload) -> Payload:
    """Returns what is kept of a message that came."""
    kept = {name: value for name, value in message.items() if name not in ("kind", "target", "root_replies")}
    return {"changed": message["seq"], **kept}


def entry_of(event: str, payload: Payload) -> Payload:
    """Returns a push as an entry with its `kind` and `target`. A reply touches the first message of its thread."""
    if event == "room_event":
        return payload
    kind = "void" if payload.get("void") else "message"
    return {**payload, "kind": kind, "target": payload.get("root")}


class LogClient:
    """LogClient is what a client holds of one room: messages as they are after all entries up to `position`."""

    def __init__(self, page_size: int = MOST_READ) -> None:
        """`page_size` is the `limit` of the pages of a catch-up."""
        self.rows: dict[int, Payload] = {}
        self.position: int | None = None  # it has heard everything up to here; None before the first join
        self.complete_after = 0  # it holds all messages after this place; older ones as a person has read them
        self.epoch: int | None = None
        self.times_started_over = 0
        self._page_size = page_size
        self._newest = 0  # as far as an answer has told
        self._ahead: dict[int, Payload] = {}  # entries after the position, which came before what is between
        self._kept: dict[int, Payload] = {}  # entries up to the position that touch a message
        self._kept_after = 0  # the place after which all of these are kept
        self._voids: set[int] = set()
        self._told: set[int] = set()  # those of which it was told since the last join
        self._taken: set[int] = set()  # messages of pages since the last join
        self._to_read: set[int] = set()  # messages that may show an entry which is void
        self._next_page: int | None = None  # of the catch-up by rows, where the next page begins
        self._must_sync = False

    @property
    def join_params(self) -> Payload:
        """The parameters of a join."""
        return {"log": 2, **self._where}

    def next_request(self) -> Request | None:
        """Returns what has to be asked now, while nothing is asked."""
        if self._must_sync:
            return "sync", self._where
        if self._next_page is not None:
            return "history", {"after": self._next_page, "limit": self._page_size}
        if self._to_read:
            return "history", {"seqs": sorted(self._to_read)[:MOST_READ]}
        return None

    def joined(self, answer: Payload) -> None:
        """Applies the answer to a join; what was missed comes after it. Another node may hear of void places later."""
        self._told.clear()
        self._taken.clear()
        self._go_on(answer)

    def _go_on(self, answer: Payload) -> None:
        self._must_sync, self._next_page = False, None
        if self.position is None or not answer["recovered"]:
            self._start_over(answer["seq"])
        elif answer["epoch"] != self.epoch:
            self._drop_above(answer["base"])
        self.epoch, self._newest = answer["epoch"], answer["seq"]
        if answer["more"]:
            self._next_page = self.position
            self._to_read |= self._changed_after(self._position)  # voids up to the newest are not told
        self._advance()

    def hear(self, event: str, payload: Payload) -> None:
        """Applies an event that was pushed."""
        match event:
            case "new_message" | "room_event":
                self._add(entry_of(event, payload))
            case "message_voided":
                self._void(payload["seq"])
            case "resync":
                self._must_sync = True

    def answered(self, request: Request, answer: Payload) -> bool:
        """Applies the answer to a request, and returns whether it was of use. A page may be too old."""
        event, asked = request
        if event == "sync":
            self._go_on(answer)
            return True
        is_old = answer["as_of"] < min(self._position, self._kept_after)
        if is_old and "after" not in asked:
            return False
        if "after" in asked:
            self._apply_changes(asked, answer)
        elif "seqs" in asked:
            self._apply_read_again(asked["seqs"], answer)
        else:
            self._take_all(answer["messages"], answer["as_of"])
        return True

    # ------------------------------------------------------------ entries

    def _add(self, entry: Payload) -> None:
        seq = entry["seq"]
        if entry["kind"] == "message" and seq <= self._position:
            self._take(entry, self._position)  # of a greeting, or one that came twice
        elif seq > self._position:
            self._ahead[seq] = entry
            self._advance()
            self._must_sync |= bool(self._ahead) and self._next_page is None

    def _advance(self) -> None:
        """Applies entries in their order, up to a gap. During a catch-up by rows they are kept aside."""
        while self._next_page is None and self._position + 1 in self._ahead:
            entry = self._ahead.pop(self._position + 1)
            self.position = entry["seq"]
            if entry["kind"] == "void":
                self._void(entry["seq"])
            else:
                self._voids.discard(entry["seq"])  # this node has not heard yet that it is
            if entry["kind"] == "message":
                self._take(entry, entry["seq"])
            if entry.get("target") is not None or entry["kind"] == "purge":
                self._keep(entry)
                for row in self._touched_by(entry):
                    self._fold(row, entry)

    def _touched_by(self, entry: Payload) -> list[Payload]:
        if entry["kind"] == "purge":
            return [row for seq, row in self.rows.items() if is_about(entry, seq)]
        return [self.rows[entry["target"]]] if entry["target"] in self.rows else []

    def _fold(self, row: Payload, entry: Payload) -> None:
        if entry["seq"] > row["changed"] and must_be_read_again(entry, row["seq"]):
            self._to_read.add(row["seq"])
        fold(row, entry)

    def _keep(self, entry: Payload) -> None:
        self._kept[entry["seq"]] = entry
        if len(self._kept) > MOST_KEPT:
            self._kept_after = min(self._kept)
            del self._kept[self._kept_after]

    def _void(self, seq: int) -> None:
        """Takes back an entry. Where it is not known which message it touched, each that may show it is read again.

        Each join tells of it again: then that is no matter but for what was read since.
        """
        if seq in self._told:
            return
        self._told.add(seq)
        entry = self._kept.pop(seq, None) or self._ahead.get(seq) or self.rows.get(seq)
        is_known = entry is not None and entry.get("kind") != "purge"  # which touches many
        if seq in self._voids:
            touched: Iterable[Any] = self._taken
        else:
            touched = [entry.get("target") or entry.get("root")] if entry and is_known else self.rows
        self._voids.add(seq)
        self._to_read |= {each for each in touched if each in self.rows and self.rows[each]["changed"] >= seq}
        self._drop(seq)
        if seq in self._ahead:
            self._ahead[seq] = {"seq": seq, "kind": "void"}

    # ------------------------------------------------------------ rows

    def _take_all(self, messages: Iterable[Payload], as_of: int) -> None:
        for message in messages:
            if not message.get("void"):
                self._take(message, as_of)
                self._taken.add(message["seq"])

    def _take(self, message: Payload, as_of: int) -> None:
        """Takes a message unless the held one is as new (R2), with what has touched it since the page was read."""
        row, held = row_of(message), self.rows.get(message["seq"])
        if held is not None and held["changed"] >= row["changed"]:
            return
        self.rows[row["seq"]] = row
        for seq in sorted(each for each in self._kept if each > as_of):
            if is_about(self._kept[seq], row["seq"]):
                self._fold(row, self._kept[seq])

    def _apply_changes(self, asked: Payload, page: Payload) -> None:
        """Takes a page of what has changed; after the last one the position is where that was read."""
        if asked["after"] != self._next_page:
            return  # of an earlier catch-up
        wanted = (row for row in page["messages"] if row["seq"] > self.complete_after or row["seq"] in self.rows)
        self._take_all(wanted, page["as_of"])
        if page["more"]:
            self._next_page = page["next"]
            return
        self._next_page = None
        if page["as_of"] > self._position:
            self.position = self._kept_after = page["as_of"]
            self._kept.clear()
        self._ahead = {seq: entry for seq, entry in self._ahead.items() if seq > self._position}
        self._advance()
        self._must_sync = bool(self._ahead) or self._position < self._newest  # not saved when the page was read

    def _apply_read_again(self, seqs: Iterable[int], page: Payload) -> None:
        """Puts messages in the place of those that may have shown a void entry."""
        found: Mapping[int, Payload] = {each["seq"]: each for each in page["messages"]}
        for seq in seqs:
            if seq in found or not page["more"]:
                self._drop(seq)
        self._take_all(found.values(), page["as_of"])

    def _drop(self, seq: int) -> None:
        self.rows.pop(seq, None)
        self._to_read.discard(seq)

    # ------------------------------------------------------------ positions

    @property
    def _position(self) -> int:
        return self.position or 0

    @property
    def _where(self) -> Payload:
        return {} if self.position is None else {"since": self.position, "epoch": self.epoch}

    def _start_over(self, newest: int) -> None:
        self.times_started_over += self.position is not None
        self.rows.clear()
        self._kept.clear()
        self._ahead.clear()
        self._voids.clear()
        self._told.clear()
        self._to_read.clear()
        self.position = self.complete_after = self._kept_after = newest

    def _drop_above(self, base: int) -> None:
        """Drops what a crash of the server lost, and has messages read again that may show it (R3)."""
        for seq in [seq for seq in self.rows if seq > base]:
            self._drop(seq)
        self._kept = {seq: entry for seq, entry in self._kept.items() if seq <= base}
        self._ahead.clear()
        self._voids = {seq for seq in self._voids if seq <= base}
        self._told &= self._voids
        self._to_read |= self._changed_after(base)
        self.position = min(self._position, base)
        self.complete_after = min(self.complete_after, base)
        self._kept_after = min(self._kept_after, base)

    def _changed_after(self, seq: int) -> set[int]:
        return {each for each, row in self.rows.items() if row["changed"] > seq}
