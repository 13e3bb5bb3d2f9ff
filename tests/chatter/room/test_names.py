"""Names that change while people are in a room: an account's own, and a guest's that an account takes."""

from typing import Any

import pytest

from chatter.charter import Author
from chatter.messages import (
    Acknowledged,
    Delete,
    Deleted,
    Edit,
    Edited,
    Join,
    Loaded,
    Page,
    Post,
    Posted,
    PresenceChanged,
    React,
    Reacted,
    ReactionCount,
    ReadHistory,
    RefreshNames,
    View,
)
from chatter.room.context import RoomSettings
from chatter.room.room import REFRESHED_AT_ONCE
from tests.chatter.conftest import RoomOnStage
from tests.support.stage import Listener, Stage, join

ANN, RENAMED = Author(7, "ann"), Author(7, "anna")
THUMB = "👍"


@pytest.fixture
def watcher(room: RoomOnStage) -> Listener:
    """Sees who is present, and who does what."""
    watcher = Listener(view=View.LOG)
    watcher.sees_presence = True
    room.tell(join(watcher))
    watcher.clear()
    return watcher


def of(kind: Any, listener: Listener) -> list[Any]:
    return [each for each in listener.heard if isinstance(each, kind)]


def present(listener: Listener) -> tuple[list[str], list[str]]:
    """Who has come and who has left, by the last change."""
    change = of(PresenceChanged, listener)[-1]
    return list(change.joins), list(change.leaves)


def test_a_guest_whose_name_an_account_takes_is_shown_as_a_guest(room: RoomOnStage, watcher: Listener) -> None:
    ann, bo = Listener(), Listener()
    room.tell(join(ann, "ann"), join(bo, "bo"))
    before = of(PresenceChanged, watcher)[-1].joins["ann"].metas
    watcher.clear()
    for each in (ann, bo):
        each.taken["ann"] = "ann (guest)"
    room.tell(RefreshNames(ANN, "Ann"))
    assert present(watcher) == (["ann (guest)"], ["ann"])
    (change,) = of(PresenceChanged, watcher)
    assert [meta.online_at for meta in change.joins["ann (guest)"].metas] == [meta.online_at for meta in before]
    watcher.clear()
    room.tell(RefreshNames(ANN, "Ann"))
    assert watcher.heard == []


def test_everybody_in_a_crowd_is_looked_at(stage: Stage) -> None:
    room = RoomOnStage(stage, RoomSettings(max_listed_people=1_000), recent=[])
    guests = [Listener() for _ in range(REFRESHED_AT_ONCE + 20)]
    room.tell(*(join(guest, f"guest {number}") for number, guest in enumerate(guests)))
    last = f"guest {len(guests) - 1}"
    guests[-1].taken[last] = "renamed"
    room.tell(RefreshNames(ANN, "Ann"))
    room.ref.stop(block=False)
    stage.run_turns()
    (people,) = [told[2] for told in room.to_supervisor if told[0] == "on_stopped"]
    assert len(people) == len(guests)
    assert "renamed" in people
    assert last not in people


def test_a_join_that_has_waited_is_shown_under_the_name_of_now(stage: Stage) -> None:
    room, ann = RoomOnStage(stage), Listener()
    ann.taken["ann"] = "ann (guest)"
    room.tell(join(ann, "ann"))
    room.tell(Loaded([]))
    assert present(ann) == (["ann (guest)"], [])


@pytest.mark.parametrize("is_renamed_before", [False, True])
def test_a_guest_changes_its_messages_under_the_new_name(
    room: RoomOnStage, watcher: Listener, is_renamed_before: bool
) -> None:
    """A repeat is known also under the name of before."""
    ann = Listener()
    room.tell(join(ann), Post(ann, b"1", "p", "ann", "helo"))
    if is_renamed_before:
        ann.taken["ann"] = "ann (guest)"
    room.tell(Edit(ann, b"2", "e", 1, "hello"))
    ann.taken["ann"] = "ann (guest)"
    room.tell(Edit(ann, b"3", "e", 1, "hello!", repeat=True), Delete(ann, b"4", "d", 1))
    edits, deletions = of(Edited, watcher), of(Deleted, watcher)
    assert [each.name for each in edits] == ["ann (guest)" if is_renamed_before else "ann"]
    assert [each.name for each in deletions] == ["ann (guest)"]


def test_an_account_is_shown_under_its_new_names_on_all_connections(room: RoomOnStage, watcher: Listener) -> None:
    phone, desk = Listener(), Listener()
    for each in (phone, desk):
        each.author, each.person_name = ANN, "Ann"
    room.tell(Join(phone, "Ann"), Join(desk, "Ann"))
    watcher.clear()
    for each in (phone, desk):
        each.author, each.person_name = RENAMED, "Anna"
    room.tell(RefreshNames(RENAMED, "Ann"))
    assert present(watcher) == (["@anna"], ["@ann"])
    (change,) = of(PresenceChanged, watcher)
    assert [meta.name for meta in change.joins["@anna"].metas] == ["Anna", "Anna"]


def test_what_is_in_memory_has_the_handle_of_now(room: RoomOnStage, watcher: Listener) -> None:
    ann = Listener(view=View.LOG)
    ann.author, ann.person_name = ANN, "Ann"
    room.tell(join(ann), Post(ann, b"1", "p", "Ann", "hello", author=ANN))
    room.tell(React(ann, b"2", "Ann", 1, THUMB, is_added=True, author=ANN))
    heard = of(Posted, watcher)
    ann.author = RENAMED
    room.tell(RefreshNames(RENAMED, "Ann"))
    watcher.clear()
    room.tell(ReadHistory(watcher, b"3", None, 10), React(watcher, b"4", "bo", 1, THUMB, is_added=True))
    (page,) = [answer for answer in (each[1] for each in of(tuple, watcher)) if isinstance(answer, Page)]
    assert ([each.author for each in heard], [each.author for each in page.messages]) == ([ANN], [RENAMED])
    assert of(Reacted, watcher)[-1].reactions == (ReactionCount(THUMB, 2, ("@anna", "bo")),)
    room.tell(Post(ann, b"5", "p", "Ann", "hello", repeat=True, author=RENAMED))
    assert len([save for save in room.saves for entry in save.entries if isinstance(entry, Posted)]) == 1
    assert not of(Acknowledged, watcher)
