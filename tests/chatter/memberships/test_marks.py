"""How far people have read: what moves a mark, what does not, and when it is written."""

import asyncio

import pytest

from chatter.accounts.values import AccountRefused
from chatter.memberships import marks
from chatter.memberships.memberships import NotThere
from chatter.memberships.values import Level, LevelSet, Read
from chatter.messages import Mentions
from schema import MarkRow, write_marks
from tests.chatter.memberships.conftest import Ears, House, until
from tests.support.rooms import ANN, BO, GROUP, PRIVATE, RoomLog

NAMES_ANN = Mentions(accounts=(ANN.id,))


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Marks are written at once."""
    monkeypatch.setattr(marks, "WRITE_INTERVAL", 0.001)


async def room_with(house: House, *texts: str, mentions: Mentions | None = None) -> RoomLog:
    """A room of ann's, in which bo has said something since she came; her rooms are known."""
    log = RoomLog(PRIVATE, house.memberships).founded(ANN, BO).saved()
    await house.memberships.of(ANN.id)
    for text in texts:
        log.says(BO, text, mentions)
    return log


def stored(house: House, account: int = ANN.id) -> tuple[int, int, int]:
    """Returns the mark in the database: place, messages up to there, how often it was set back."""
    query = f"SELECT read_seq, read_nth, read_rev FROM member WHERE account = {account}"
    row: tuple[int, int, int] = house.database.execute_sql(query).fetchone()
    return row


def test_a_mark_moves_forward_and_not_back_and_not_beyond_the_log(house: House) -> None:
    async def scenario() -> None:
        memberships = house.memberships
        log = await room_with(house, "one", "two", "three", mentions=NAMES_ANN)
        assert await memberships.mark_read(ANN.id, PRIVATE, log.seq - 1) == Read(PRIVATE, 5, 2, 0, 1, 1)
        assert await memberships.mark_read(ANN.id, PRIVATE, 4) == Read(PRIVATE, 5, 2, 0, 1, 1)
        assert await memberships.mark_read(ANN.id, PRIVATE, 10**18) == Read(PRIVATE, 6, 3, 0, 0, 0)
        log.saved()
        await until(lambda: stored(house) == (6, 3, 0))

    house.run(scenario)


def test_a_mark_in_what_was_said_since_needs_no_read_of_the_database(house: House) -> None:
    async def scenario() -> None:
        await room_with(house, *map(str, range(300)))
        reads = house.transactions.reads
        assert (await house.memberships.mark_read(ANN.id, PRIVATE, 103)).nth == 100
        assert (await house.memberships.mark_read(ANN.id, PRIVATE, 303)).nth == 300
        assert house.transactions.reads == reads

    house.run(scenario)


def test_a_mark_in_what_was_said_before_the_room_was_known_counts_the_messages_too(house: House) -> None:
    async def scenario() -> None:
        log = RoomLog(PRIVATE, house.memberships).founded(ANN, BO)
        first = log.says(BO, "one")
        log.edits(BO, first, "One")
        log.says(BO, "two")
        log.says(BO, "three")
        log.saved()
        await house.memberships.of(ANN.id)
        assert (await house.memberships.mark_read(ANN.id, PRIVATE, first + 1)).unread == 2
        assert (await house.memberships.mark_read(ANN.id, PRIVATE, log.seq)).unread == 0

    house.run(scenario)


def test_a_mark_that_was_set_back_is_not_moved_by_who_does_not_know_it(house: House) -> None:
    async def scenario() -> None:
        memberships = house.memberships
        log = (await room_with(house, "one", "two", "three", mentions=NAMES_ANN)).saved()
        await memberships.mark_read(ANN.id, PRIVATE, log.seq, rev=0)
        back = await memberships.mark_unread(ANN.id, PRIVATE, 5)
        assert back == Read(PRIVATE, 4, 1, 1, 2, 2)
        assert await memberships.mark_read(ANN.id, PRIVATE, log.seq, rev=0) == back
        assert (await memberships.mark_read(ANN.id, PRIVATE, log.seq, rev=1)).unread == 0
        await until(lambda: stored(house) == (log.seq, 3, 1))

    house.run(scenario)


def test_setting_a_mark_back_finds_mentions_that_are_not_committed(house: House) -> None:
    async def scenario() -> None:
        log = await room_with(house, "one", "two", mentions=NAMES_ANN)
        await house.memberships.mark_read(ANN.id, PRIVATE, log.seq)
        assert (await house.memberships.mark_unread(ANN.id, PRIVATE, 4)).mentions == 2
        log.deletes(BO, 4)
        assert house.memberships.rooms(ANN.id).rooms[0].mentions == 1

    house.run(scenario)


def test_a_mark_is_not_set_back_beyond_what_may_be_read(house: House) -> None:
    async def scenario() -> None:
        memberships = house.memberships
        log = RoomLog(PRIVATE, memberships).founded(BO, history="since_join")
        log.says(BO, "before ann came")
        log.adds(ANN).saved()
        log.says(BO, "after")
        await memberships.of(ANN.id)
        assert await memberships.mark_unread(ANN.id, PRIVATE, 1) == Read(PRIVATE, log.seq - 1, 1, 1, 1, 0)

    house.run(scenario)


def test_both_devices_hear_at_once_how_far_one_has_read(house: House) -> None:
    async def scenario() -> None:
        log = await room_with(house, "one")
        phone, desk = Ears(), Ears(PRIVATE)
        for ears in (phone, desk):
            house.memberships.listen(ANN.id, ears)
        read = await house.memberships.mark_read(ANN.id, PRIVATE, log.seq)
        assert phone.take() == desk.take() == [read]
        await house.memberships.mark_read(ANN.id, PRIVATE, log.seq)
        assert phone.take() == []

    house.run(scenario)


def test_what_one_says_oneself_is_read_also_where_nobody_listens(house: House) -> None:
    async def scenario() -> None:
        log = await room_with(house, "one")
        log.says(ANN, "mine")
        assert house.memberships.rooms(ANN.id).rooms[0].unread == 0
        log.says(BO, "bo's")
        log.saved()
        await until(lambda: (stored(house), stored(house, BO.id)) == ((5, 2, 0), (6, 3, 0)))

    house.run(scenario)


def test_a_restart_keeps_marks_and_levels(house: House) -> None:
    async def before() -> None:
        log = (await room_with(house, "one", "two")).saved()
        await house.memberships.mark_read(ANN.id, PRIVATE, log.seq - 1)
        await house.memberships.set_level(ANN.id, PRIVATE, "nothing", "2999-01-01T00:00:00.000000Z", is_hidden=True)

    async def after() -> None:
        await house.memberships.of(ANN.id)
        [room] = house.memberships.rooms(ANN.id).rooms
        assert (room.read_seq, room.unread, room.level, room.hidden) == (4, 1, "nothing", True)
        assert room.level_until == "2999-01-01T00:00:00.000000Z"

    house.run(before)
    house.run(after)


def test_marks_are_written_many_at_once_and_a_hundred_at_most(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "WRITE_INTERVAL", 60.0)
    written: list[int] = []

    def write(rows: list[MarkRow]) -> list[MarkRow]:
        written.append(len(rows))
        return write_marks(rows)

    monkeypatch.setattr("chatter.memberships.marks.write_marks", write)

    async def scenario() -> None:
        logs = [RoomLog(f"p--{number:03}{'a' * 23}", house.memberships).founded(ANN, BO) for number in range(130)]
        for log in logs:
            log.says(BO, "one")
            log.saved()
        await house.memberships.of(ANN.id)
        for log in logs:
            for seq in range(3, log.seq + 1):
                await house.memberships.mark_read(ANN.id, log.slug, seq)
        assert written == []

    house.run(scenario)
    rows = house.database.execute_sql(f"SELECT COUNT(*) FROM member WHERE account = {ANN.id} AND read_nth = 1")
    assert rows.fetchone() == (130,)
    assert sum(written) == 130
    assert max(written) <= marks.MOST_ROWS


def test_marks_wait_for_a_database_that_is_away_and_for_who_is_not_committed_yet(house: House) -> None:
    async def scenario() -> None:
        log = await room_with(house, "one")
        house.transactions.is_away = True
        await house.memberships.mark_read(ANN.id, PRIVATE, log.seq)
        with pytest.raises(AccountRefused):
            await house.memberships.mark_unread(ANN.id, PRIVATE, 3)
        with pytest.raises(AccountRefused):
            await house.memberships.of(BO.id)
        house.transactions.is_away = False
        log.removes(ANN).adds(ANN)
        log.says(BO, "two")
        await house.memberships.mark_read(ANN.id, PRIVATE, log.seq)
        await until(lambda: len(house.transactions.writes) > 2)
        log.saved()
        await until(lambda: stored(house)[0] == log.seq)

    house.run(scenario)


def test_who_is_not_in_a_room_has_no_mark_there(house: House) -> None:
    async def scenario() -> None:
        memberships = house.memberships
        log = await room_with(house, "one")
        log.removes(ANN)
        for asked in (
            memberships.mark_read(ANN.id, PRIVATE, 1),
            memberships.mark_unread(ANN.id, PRIVATE, 1),
            memberships.set_level(ANN.id, GROUP, "nothing"),
        ):
            with pytest.raises(NotThere):
                await asked

    house.run(scenario)


def test_somebody_removed_while_the_database_counts_has_no_mark(house: House) -> None:
    async def scenario() -> None:
        log = (await room_with(house, "one")).saved()
        house.transactions.holds = True
        asked = asyncio.ensure_future(house.memberships.mark_unread(ANN.id, PRIVATE, 3))
        await until(lambda: house.transactions._waiting)
        log.removes(ANN)
        house.transactions.answers()
        with pytest.raises(NotThere):
            await asked

    house.run(scenario)


def test_all_rooms_are_read_with_one_write_to_each_device(house: House) -> None:
    async def scenario() -> None:
        for slug in (PRIVATE, GROUP):
            log = RoomLog(slug, house.memberships).founded(ANN, BO)
            log.says(BO, "one")
            log.saved()
        ears = Ears()
        await house.memberships.of(ANN.id)
        house.memberships.listen(ANN.id, ears)
        assert await house.memberships.mark_all_read(ANN.id) == 2
        assert [room.unread for room in house.memberships.rooms(ANN.id).rooms] == [0, 0]
        assert ears.writes == 1
        assert {each.slug for each in ears.take() if isinstance(each, Read)} == {GROUP, PRIVATE}
        assert await house.memberships.mark_all_read(ANN.id) == 0

    house.run(scenario)


@pytest.mark.parametrize(("slug", "usual"), [(PRIVATE, "mentions"), (GROUP, "everything")])
def test_a_level_ends_at_its_time(house: House, slug: str, usual: Level) -> None:
    async def scenario() -> None:
        RoomLog(slug, house.memberships).founded(ANN).saved()
        set_level = house.memberships.set_level
        assert await set_level(ANN.id, slug, is_hidden=True) == LevelSet(slug, usual, None, hidden=True)
        later = "2999-01-01T00:00:00.000000Z"
        assert await set_level(ANN.id, slug, "nothing", later) == LevelSet(slug, "nothing", later, hidden=True)
        past = "2001-01-01T00:00:00.000000Z"
        assert await set_level(ANN.id, slug, "nothing", past) == LevelSet(slug, usual, None, hidden=True)
        assert await set_level(ANN.id, slug, "nothing") == LevelSet(slug, "nothing", None, hidden=True)

    house.run(scenario)
