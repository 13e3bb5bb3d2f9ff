"""Three people, what they do to rooms, and an index that records what rooms tell it."""

from collections.abc import Mapping
from typing import Any

import pytest

from chatter.charter import Charter
from chatter.messages import Entry, Found, MembersChanged, Posted, RoomChanged
from tests.chatter.conftest import NOON_ISO, RoomOnStage
from tests.support.governed import Person

ANN, BO, CY = 1, 2, 3


class Index:
    """Index records what rooms tell memberships. It knows how many rooms the people of `counts` are in."""

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self.told: list[tuple[Any, ...]] = []
        self._counts = counts or {}

    def count_of(self, account: int) -> int | None:
        return self._counts.get(account)

    def on_members_changed(self, slug: str, entry: MembersChanged, charter: Charter) -> None:
        self.told.append((entry.change, entry.seq, sorted(charter.members)))

    def on_room_changed(self, slug: str, entry: RoomChanged, charter: Charter) -> None:
        self.told.append(("room", entry.seq, charter.title))

    def on_said(self, slug: str, posted: Posted, charter: Charter) -> None:
        self.told.append(("said", posted.seq))

    def on_changed(self, slug: str, change: Entry, charter: Charter) -> None:
        self.told.append(("changed", change.seq))

    def on_saved(self, slug: str, through: int) -> None:
        self.told.append(("saved", through))

    def on_voided(self, slug: str, seq: int, charter: Charter | None) -> None:
        self.told.append(("voided", seq, charter and sorted(charter.members)))


@pytest.fixture
def ann() -> Person:
    return Person(ANN, "ann")


@pytest.fixture
def bo() -> Person:
    return Person(BO, "bo")


@pytest.fixture
def cy() -> Person:
    return Person(CY, "cy")


def founds(person: Person, kind: Any = "private", *others: Person, id: str = "f", **options: Any) -> Found:
    members = tuple(each.as_by for each in others)
    return Found(person, b"1", id, person.as_by, kind, members=members, **options)


def entries(room: RoomOnStage) -> list[Entry]:
    return [entry for save in room.saves for entry in save.entries]


def said(seq: int, by: Person, text: str = "hi") -> Posted:
    return Posted(seq, str(seq), by.as_by.name, text, NOON_ISO, nth=seq, author=by.author)
