"""What people are told of their rooms: who hears what, how often, and in how many writes."""

from typing import TypeVar

import pytest

from chatter.charter import Author, Charter
from chatter.memberships import news
from chatter.memberships.values import Active, Companion, Last, Read, RoomAdded, RoomAltered, RoomRemoved
from chatter.messages import Mentions
from tests.chatter.memberships.conftest import Ears, House, turns, until
from tests.support.rooms import ANN, BO, CY, GROUP, PRIVATE, RoomLog, at


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """News are told in the next turns of the loop."""
    monkeypatch.setattr(news, "INTERVAL", 0.001)
    monkeypatch.setattr(news, "INTERVAL_FOR_ALL", 0.001)


async def listening(house: House, who: Author, *joined: str, shares: Ears | None = None) -> Ears:
    """A connection of somebody that has joined these rooms."""
    return await listening_with(Ears(*joined, shares=shares), house, who)


EarsT = TypeVar("EarsT", bound=Ears)


async def listening_with(ears: EarsT, house: House, who: Author) -> EarsT:
    """That connection listens."""
    await house.memberships.of(who.id)
    house.memberships.listen(who.id, ears)
    return ears


class SlowEars(Ears):
    """A connection that reads nothing: the first write to it is one too many, and ends it."""

    def __init__(self, house: House, who: Author) -> None:
        super().__init__()
        self._house, self._who = house, who

    def write(self, frames: bytes) -> None:
        super().write(frames)
        self._house.memberships.unlisten(self._who.id, self)


def test_who_has_not_joined_a_room_hears_once_of_all_that_was_said_there(house: House) -> None:
    async def scenario() -> None:
        log = RoomLog(PRIVATE, house.memberships).founded(ANN, BO, CY).saved()
        ears = await listening(house, ANN)
        joined = await listening(house, BO, PRIVATE, shares=ears)
        cy = await listening(house, CY, shares=ears)
        for text in ("one", "two", "x" * 200):
            log.says(None, text)
        await until(lambda: ears.heard and cy.heard)
        assert ears.take() == cy.take() == [Active(PRIVATE, 6, 3, Last("guest", "x" * 100, at(6)))]
        assert (ears.writes, cy.writes, joined.writes, len(ears.encoded)) == (1, 1, 0, 1)

    house.run(scenario)


def test_only_who_is_mentioned_is_told_how_often(house: House) -> None:
    async def scenario() -> None:
        log = RoomLog(PRIVATE, house.memberships).founded(ANN, BO, CY).saved()
        ears = {who: await listening(house, who) for who in (ANN, BO, CY)}
        seq = log.says(CY, "@ann @cy", Mentions(accounts=(ANN.id, CY.id)))
        await until(lambda: all(each.heard for each in ears.values()))
        told = [each.take()[0] for each in ears.values()]
        assert [each.mentions for each in told if isinstance(each, Active)] == [1, None, None]
        log.edits(CY, seq, "@bo", Mentions(accounts=(BO.id,)))
        await until(lambda: all(each.heard for each in ears.values()))
        told = [each.take()[0] for each in ears.values()]
        assert [each.mentions for each in told if isinstance(each, Active)] == [0, 1, None]
        log.says(CY, "@room", Mentions(room=True))
        await until(lambda: all(each.heard for each in ears.values()))
        told = [each.take()[0] for each in ears.values()]
        assert [each.mentions for each in told if isinstance(each, Active)] == [1, 2, None]

    house.run(scenario)


def test_who_has_something_unread_in_a_room_hears_of_more_of_it_a_little_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        log = RoomLog(PRIVATE, house.memberships).founded(ANN, BO, CY).saved()
        everybody = [await listening(house, who) for who in (ANN, BO, CY)]
        monkeypatch.setattr(news, "INTERVAL_FOR_ALL", 3600.0)
        log.says(None, "one")
        await until(lambda: all(each.heard for each in everybody))
        assert [each.take() for each in everybody] == 3 * [[Active(PRIVATE, 4, 1, Last("guest", "one", at(4)))]]
        await house.memberships.mark_read(ANN.id, PRIVATE, 4)
        await house.memberships.set_level(BO.id, PRIVATE, "everything")
        for ears in everybody:
            ears.take()
        log.says(None, "two")
        ann, bo, cy = everybody
        await until(lambda: ann.heard and bo.heard)
        assert ann.take() == bo.take() == [Active(PRIVATE, 5, 2, Last("guest", "two", at(5)))]
        log.says(None, "@cy", Mentions(accounts=(CY.id,)))
        await until(lambda: cy.heard and bo.heard)
        assert cy.take() == [Active(PRIVATE, 6, 3, Last("guest", "@cy", at(6)), 1)]
        await house.memberships.set_level(BO.id, PRIVATE, "nothing")
        bo.take()
        log.says(ANN, "four")
        await until(lambda: ann.heard)
        assert ann.take()[1:] == [Read(PRIVATE, 7, 4, 0, 0, 0)]
        assert bo.heard == cy.heard == []
        monkeypatch.setattr(news, "INTERVAL_FOR_ALL", 0.001)
        await until(lambda: bo.heard and cy.heard)
        assert bo.take() == cy.take() == [Active(PRIVATE, 7, 4, Last("Ann", "four", at(7)))]
        await turns()
        assert ann.heard == []

    house.run(scenario)


def test_a_connection_that_comes_waits_for_the_rooms_where_it_has_nothing_unread(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "INTERVAL_FOR_ALL", 3600.0)

    async def scenario() -> None:
        log = RoomLog(PRIVATE, house.memberships).founded(ANN, BO).saved()
        first = await listening(house, ANN)
        house.memberships.unlisten(ANN.id, first)
        bo = await listening(house, BO)
        log.says(None, "one")
        await until(lambda: bo.heard)
        await house.memberships.mark_all_read(ANN.id)
        ann = await listening(house, ANN)
        log.says(None, "two")
        await until(lambda: ann.heard)
        assert ann.take() == [Active(PRIVATE, 5, 2, Last("guest", "two", at(5)))]

    house.run(scenario)


def test_who_says_something_hears_how_far_they_have_read(house: House) -> None:
    async def scenario() -> None:
        log = RoomLog(PRIVATE, house.memberships).founded(ANN, BO).saved()
        ears, joined = await listening(house, ANN), await listening(house, ANN, PRIVATE)
        log.says(ANN, "one")
        log.says(ANN, "two")
        await until(lambda: ears.heard and joined.heard)
        read = Read(PRIVATE, 5, 2, 0, 0, 0)
        assert joined.take() == [read]
        assert ears.take()[1:] == [read]
        assert (ears.writes, joined.writes) == (1, 1)

    house.run(scenario)


def test_the_line_of_a_room_follows_edits_and_deletions_of_its_latest_message(house: House) -> None:
    async def scenario() -> None:
        log = RoomLog(PRIVATE, house.memberships).founded(ANN, BO).saved()
        ears = await listening(house, ANN)
        older, latest = log.says(BO, "older"), log.says(BO, "latest")
        await until(ears.take)
        log.edits(BO, older, "other")
        log.edits(BO, latest, "new")
        await until(lambda: ears.heard)
        assert ears.take() == [Active(PRIVATE, 7, 2, Last("Bo", "new", at(5)))]
        log.deletes(BO, latest)
        await until(lambda: ears.heard)
        assert ears.take() == [Active(PRIVATE, 8, 2, Last("Bo", "", at(5)))]

    house.run(scenario)


def test_coming_and_going_is_told_at_once_and_news_end_with_it(house: House) -> None:
    async def scenario() -> None:
        log = RoomLog(PRIVATE, house.memberships).founded(ANN, title="Den").saved()
        ears, still_here = await listening(house, BO), await listening(house, ANN)
        log.adds(BO)
        [added] = ears.take()
        assert isinstance(added, RoomAdded)
        assert (added.room.title, added.room.people, added.room.unread) == ("Den", 2, 0)
        log.says(ANN, "a secret of then")
        log.removes(BO, reason="too loud")
        log.says(ANN, "a secret of later")
        await until(lambda: any(isinstance(each, Active) for each in still_here.heard))
        assert ears.take() == [RoomRemoved(PRIVATE, "removed", "too loud")]

    house.run(scenario)


def test_who_is_added_to_a_room_that_nobody_here_knows_is_told_its_latest_message(house: House) -> None:
    async def scenario() -> None:
        log = RoomLog(PRIVATE, house.memberships).founded(ANN)
        log.says(ANN, "hello")
        ears = await listening(house, BO)
        log.saved()
        log.says(ANN, "is that you?")
        log.adds(BO)  # it is not committed yet, nor what was said before it
        await turns()
        log.saved()
        await until(lambda: len(ears.heard) == 2)
        added, active = ears.take()
        assert isinstance(added, RoomAdded)
        assert active == Active(PRIVATE, 5, 2, Last("Ann", "is that you?", at(4)))

    house.run(scenario)


@pytest.mark.parametrize("is_before", [True, False])
def test_a_message_that_is_deleted_while_it_is_looked_for_is_not_shown(house: House, is_before: bool) -> None:
    async def scenario() -> None:
        log = RoomLog(PRIVATE, house.memberships).founded(ANN)
        said = log.says(ANN, "a slip")
        ears = await listening(house, BO)
        log.saved()
        house.transactions.holds = True
        if is_before:
            log.deletes(ANN, said)
        log.adds(BO).saved()
        await turns()
        if not is_before:
            log.deletes(ANN, said)
        house.transactions.answers()
        await until(lambda: any(isinstance(each, Active) for each in ears.heard))
        texts = [each.last.text for each in ears.take() if isinstance(each, Active) and each.last is not None]
        assert set(texts) == {""}

    house.run(scenario)


def test_who_may_not_read_the_past_is_not_shown_it(house: House) -> None:
    async def scenario() -> None:
        log = RoomLog(PRIVATE, house.memberships).founded(ANN, history="since_join")
        log.says(ANN, "a secret of before")
        log.adds(BO).saved()
        ears = await listening(house, BO)
        assert house.memberships.rooms(BO.id).rooms[0].last is None
        log.edits(ANN, 3, "still a secret")
        await until(lambda: ears.heard)
        assert ears.take() == [Active(PRIVATE, 5, 1, None)]
        log.says(ANN, "hello bo")
        await until(lambda: ears.heard)
        assert ears.take() == [Active(PRIVATE, 6, 2, Last("Ann", "hello bo", at(6)))]

    house.run(scenario)


def test_another_title_is_told_to_all_and_another_role_to_who_has_it_at_once(house: House) -> None:
    async def scenario() -> None:
        log = RoomLog(PRIVATE, house.memberships).founded(ANN, BO, title="Den").saved()
        ann = await listening(house, ANN, PRIVATE)
        bo = await listening(house, BO, shares=ann)
        log.change(title="Loft")
        log.change(title="Attic", archived=True)
        changed = RoomAltered(PRIVATE, {"title": "Attic", "archived": True})
        await until(lambda: ann.heard and bo.heard)
        assert ann.take() == bo.take() == [changed]
        assert len(ann.encoded) == 1
        log.gives_role(BO, "moderator")
        assert (ann.take(), bo.take()) == ([], [RoomAltered(PRIVATE, {"role": "moderator"})])
        log.change(slow_mode=10)
        log.change(topic="Tea")
        await until(lambda: ann.heard)
        assert ann.take() == bo.take() == [RoomAltered(PRIVATE, {"topic": "Tea", "people": 2})]

    house.run(scenario)


def test_a_group_is_called_by_its_people_as_they_are_called_now(house: House) -> None:
    async def scenario() -> None:
        log = RoomLog(GROUP, house.memberships).founded(ANN, BO).saved()
        ears = await listening(house, ANN, GROUP)
        people = [Companion(1, "ann", "Ann"), Companion(2, "bo", "Bo")]
        assert house.memberships.rooms(ANN.id).rooms[0].companions == tuple(people)
        log.adds(CY)
        await until(lambda: ears.heard)
        people.append(Companion(3, "cy", "Cy"))
        assert ears.take() == [RoomAltered(GROUP, {"people": 3, "with": tuple(people)})]
        house.memberships.on_called(Author(2, "bob"), "Bob")
        await until(lambda: ears.heard)
        people[1] = Companion(2, "bob", "Bob")
        assert ears.take() == [RoomAltered(GROUP, {"people": 3, "with": tuple(people)})]

    house.run(scenario)


def test_what_can_never_be_saved_is_taken_back(house: House) -> None:
    async def scenario() -> None:
        log = RoomLog(PRIVATE, house.memberships).founded(ANN).saved()
        log.says(ANN, "one")
        log.saved()
        ann, bo = await listening(house, ANN), await listening(house, BO)
        before: Charter = log.charter
        log.adds(BO).voids(before)
        assert [type(each) for each in bo.take()] == [RoomAdded, RoomRemoved]
        assert house.memberships.is_member(BO.id, PRIVATE) is False
        log.saved()
        await until(ann.take)
        log.says(None, "never", Mentions(room=True))
        log.voids(before).saved()
        await until(lambda: any(isinstance(each, Active) and each.last for each in ann.heard))
        told = ann.take()[-1]
        assert isinstance(told, Active)
        assert (told.last, told.mentions) == (Last("Ann", "one", at(3)), 0)
        assert house.memberships.rooms(ANN.id).rooms[0].mentions == 0

    house.run(scenario)


def test_a_crowd_is_told_in_slices(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "TIME_SLICE", -1.0)  # every look at the clock ends a slice

    async def scenario() -> None:
        log = RoomLog(PRIVATE, house.memberships).founded(ANN).saved()
        first = await listening(house, ANN)
        crowd = [await listening(house, ANN, shares=first) for _ in range(10)]
        everybody = [first, *crowd]
        log.says(None, "one")
        await until(lambda: all(each.heard for each in everybody))
        log.says(None, "two")
        await until(lambda: all(len(each.heard) == 2 for each in everybody))
        assert len(first.encoded) == 2

    house.run(scenario)


def test_the_rooms_of_who_has_left_are_forgotten_once_nothing_is_to_be_written(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatter.memberships.memberships.KEPT", 0.01)

    async def scenario() -> None:
        log = RoomLog(PRIVATE, house.memberships).founded(ANN).saved()
        ears = await listening(house, ANN)
        log.says(None, "one")
        await until(lambda: ears.heard)
        house.memberships.unlisten(ANN.id, ears)
        await until(lambda: not house.memberships._people)
        assert house.memberships.known(ANN.id) is None
        log.says(None, "two")
        log.saved()
        await house.memberships.of(ANN.id)
        assert house.memberships.rooms(ANN.id).rooms[0].unread == 2

    house.run(scenario)


def test_a_connection_that_ends_as_it_is_told_keeps_nobody_else_from_hearing(house: House) -> None:
    async def scenario() -> None:
        log = RoomLog(PRIVATE, house.memberships).founded(ANN, BO).saved()
        slow = [await listening_with(SlowEars(house, ANN), house, ANN)]
        ears = [await listening(house, ANN), await listening(house, BO)]
        log.change(title="Den")
        await until(lambda: all(each.heard for each in ears))
        assert [each.take() for each in ears] == 2 * [[RoomAltered(PRIVATE, {"title": "Den"})]]
        for text in ("one", "two"):
            slow.append(await listening_with(SlowEars(house, ANN), house, ANN))
            log.says(None, text)
            await until(lambda: all(each.heard for each in ears))
            for each in ears:
                each.take()
        slow.append(await listening_with(SlowEars(house, ANN), house, ANN))
        read = await house.memberships.mark_read(ANN.id, PRIVATE, log.seq)
        assert ears[0].take() == [read]
        assert [each.writes for each in slow] == 4 * [1]

    house.run(scenario)


@pytest.mark.parametrize(("erases", "text", "mentions"), [(True, "", 0), (False, "@ann", 1)])
def test_what_somebody_said_who_is_gone_is_nobodys_or_gone_in_the_list_too(
    house: House, erases: bool, text: str, mentions: int
) -> None:
    async def scenario() -> None:
        log = RoomLog(PRIVATE, house.memberships).founded(ANN, BO, CY).saved()
        ears = await listening(house, ANN)
        seq = log.says(BO, "@ann", Mentions(accounts=(ANN.id,)))
        await until(lambda: ears.heard)
        ears.take()
        last = Last("deleted account", text, at(seq))
        log.purges(BO, seq, erases=erases)
        await until(lambda: ears.heard)
        assert ears.take() == [Active(PRIVATE, seq + 1, 1, last, 0 if erases else None)]
        room = house.memberships.rooms(ANN.id).rooms[0]
        assert (room.last, room.mentions) == (last, mentions)
        assert (await house.memberships.mark_unread(ANN.id, PRIVATE, 1)).mentions == mentions
        await house.memberships.of(CY.id)
        assert house.memberships.rooms(CY.id).rooms[0].last == last

    house.run(scenario)


def test_an_older_message_that_is_erased_changes_the_mentions_alone(house: House) -> None:
    async def scenario() -> None:
        log = RoomLog(PRIVATE, house.memberships).founded(ANN, BO, CY).saved()
        seq = log.says(BO, "@ann", Mentions(accounts=(ANN.id,)))
        log.says(CY, "hello")
        ears = await listening(house, ANN)
        log.purges(BO, seq, erases=True)
        await until(lambda: ears.heard)
        assert [(each.last, each.mentions) for each in ears.take() if isinstance(each, Active)] == [
            (Last("Cy", "hello", at(seq + 1)), 0)
        ]

    house.run(scenario)
