"""What is loaded is what is remembered, whenever it is loaded."""

import asyncio
import random

import pytest

from chatter.memberships.memberships import Memberships
from chatter.messages import Mentions
from tests.chatter.memberships.conftest import House, turns
from tests.support.rooms import ANN, BO, CY, GROUP, PRIVATE, RoomLog

PEOPLE = [ANN, BO, CY]
EVENTS = ["say", "say", "say", "edit", "delete", "add", "remove", "title", "commit", "save", "void"]


def test_somebody_who_is_added_has_nothing_unread_however_much_was_said(house: House) -> None:
    async def scenario() -> None:
        log = RoomLog(PRIVATE, house.memberships).founded(ANN, title="Den")
        log.says(ANN, "before bo came")
        log.adds(BO).saved()
        await house.memberships.of(BO.id)
        [room] = house.memberships.rooms(BO.id).rooms
        assert (room.title, room.role, room.unread, room.last_nth, room.people) == ("Den", "member", 0, 1, 2)
        assert room.last is not None
        assert room.last.text == "before bo came"

    house.run(scenario)


@pytest.mark.parametrize("is_answered_late", [True, False])
def test_a_load_misses_nothing_that_is_not_committed_when_it_begins(house: House, is_answered_late: bool) -> None:
    async def scenario() -> None:
        log = RoomLog(PRIVATE, house.memberships).founded(ANN, title="Den")
        house.transactions.holds = is_answered_late
        load = asyncio.ensure_future(house.memberships.of(ANN.id))
        await turns()
        assert load.done() is not is_answered_late
        log.saved()  # while the load has what was before
        log.says(BO, "@ann", Mentions(accounts=(ANN.id,)))
        house.transactions.answers()
        await load
        [room] = house.memberships.rooms(ANN.id).rooms
        assert (room.title, room.last_seq, room.unread, room.mentions) == ("Den", 3, 1, 1)

    house.run(scenario)


def test_somebody_removed_while_their_rooms_are_loaded_is_in_none(house: House) -> None:
    async def scenario() -> None:
        log = RoomLog(PRIVATE, house.memberships).founded(ANN, BO).saved()
        house.transactions.holds = True
        load = asyncio.ensure_future(house.memberships.of(BO.id))
        await turns()
        log.removes(BO).saved()
        house.transactions.answers()
        assert await load == {}
        assert house.memberships.is_member(BO.id, PRIVATE) is False

    house.run(scenario)


def test_many_who_ask_at_once_are_answered_by_one_load(house: House) -> None:
    async def scenario() -> None:
        RoomLog(PRIVATE, house.memberships).founded(ANN).saved()
        assert house.memberships.known(ANN.id) is None
        found = await asyncio.gather(*(house.memberships.of(ANN.id) for _ in range(20)))
        assert [list(each) for each in found] == [[PRIVATE]] * 20
        assert house.transactions.reads == 1
        assert house.memberships.known(ANN.id) is found[0]

    house.run(scenario)


def shown(memberships: Memberships) -> list[str]:
    """Returns what everybody's list shows, a line for each value."""
    return [
        f"{who.handle} {room.slug[0]} {field}: {getattr(room, field)}"
        for who in PEOPLE
        for room in memberships.rooms(who.id).rooms
        for field in room.__struct_fields__
    ]


class Story:
    """Two rooms in which anything happens, told to memberships that know everybody from the start and to others."""

    def __init__(self, seed: int, *told: Memberships) -> None:
        self.dice = random.Random(seed)
        self.logs = [RoomLog(slug, *told).founded(ANN) for slug in (PRIVATE, GROUP)]
        self.said: dict[RoomLog, list[tuple[int, int]]] = {log: [] for log in self.logs}  # place and author's number

    def goes_on(self) -> None:
        """Something happens in one of the rooms."""
        log = self.dice.choice(self.logs)
        here = [who for who in PEOPLE if who.id in log.charter.members]
        away = [who for who in PEOPLE if who not in here]
        what = self.dice.choice(
            ["say", "say", "say", "edit", "delete", "add", "remove", "title", "commit", "save", "void"]
        )
        named = tuple(who.id for who in PEOPLE if self.dice.random() < 0.4)
        mentions = Mentions(named, room=self.dice.random() < 0.2) if self.dice.random() < 0.5 else None
        who = self.dice.choice(here) if here else None
        if what == "say" and who is not None:
            self.said[log].append((log.says(who, self.dice.choice("abc"), mentions), who.id))
        elif what in ("edit", "delete") and self.said[log]:
            place = self.dice.randrange(len(self.said[log]))
            seq, author = self.said[log][place]
            by = PEOPLE[author - 1]
            if what == "edit":
                log.edits(by, seq, self.dice.choice("xyz"), mentions)
            else:
                del self.said[log][place]
                log.deletes(by, seq)
        elif what == "add" and away:
            log.adds(self.dice.choice(away))
        elif what == "remove" and len(here) > 1:
            log.removes(self.dice.choice(here[1:]))
        elif what == "title":
            log.change(title=self.dice.choice(["Den", "Attic"]))
        elif what == "void" and away:
            before = log.charter
            log.adds(self.dice.choice(away)).voids(before)
        elif what == "commit":
            log.commits()
        elif what == "save":
            log.saved()


@pytest.mark.parametrize("seed", range(20))
def test_who_is_loaded_late_has_what_they_have_who_were_there_all_the_time(house: House, seed: int) -> None:
    """The load begins and ends anywhere between what happens, with some of it committed and some of it not."""

    async def scenario() -> None:
        late = house.opened()
        story = Story(seed, house.memberships, late)
        for who in PEOPLE:
            await house.memberships.of(who.id)
        for _ in range(story.dice.randrange(40)):
            story.goes_on()
        await turns()
        house.transactions.holds = True
        loads = [asyncio.ensure_future(late.of(who.id)) for who in PEOPLE]
        await turns()
        for _ in range(story.dice.randrange(12)):
            story.goes_on()
        house.transactions.holds = False
        house.transactions.answers()
        await asyncio.gather(*loads)
        for _ in range(story.dice.randrange(6)):
            story.goes_on()
        for log in story.logs:
            log.saved()
        await turns()
        assert shown(late) == shown(house.memberships)
        again = house.opened()
        await house.memberships.close(10.0)
        for who in PEOPLE:
            await again.of(who.id)
        assert shown(again) == shown(late)
        await again.close(10.0)
        await late.close(10.0)

    house.run(scenario)
