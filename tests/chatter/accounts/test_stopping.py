"""The end of the accounts of a server that stops."""

import asyncio

import pytest

from chatter.accounts.accounts import Accounts
from tests.chatter.accounts.conftest import People, SilentRooms
from tests.support.server import PATIENCE


@pytest.mark.parametrize("turns", range(5))
def test_all_that_is_watched_ends_also_right_after_it_was_told_to_look(people: People, turns: int) -> None:
    async def scenario(accounts: Accounts) -> None:
        accounts.departures.begin(SilentRooms())
        for _ in range(10):
            await accounts.accounts()  # until all wait to be told
        accounts.changes.look()
        accounts.departures.look()
        for _ in range(turns):
            await asyncio.sleep(0)
        await accounts.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:
            await asyncio.wait(left, timeout=PATIENCE)
        assert all(task.done() for task in left)

    people.run(scenario)
