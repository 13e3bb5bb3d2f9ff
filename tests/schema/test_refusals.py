"""Rows that a database refuses for good, and faults of it that are none."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schema import Entry, RowRefused, open_database
from tests.schema.test_entry import row
from tests.support.database import forbid_by_trigger, query
from tests.support.postgresql import PostgreSQL
from tests.support.templates import copy_sqlite

NEVER = "BEFORE INSERT ON entry WHEN NEW.message = 'never' BEGIN SELECT {}; END"
SQLITE_REFUSALS = {
    "check": "RAISE(ABORT, 'never this')",
    "rollback": "RAISE(ROLLBACK, 'never this')",
    "fail": "RAISE(FAIL, 'never this')",
    "function": "json(NEW.message)",
}
POSTGRESQL_REFUSALS: dict[str, dict[str, Any]] = {
    "raise": {},
    "raise at the commit": {"deferred": True},
    "state of its own": {"error": "RAISE EXCEPTION 'never this' USING ERRCODE = 'CH001'"},
    "state of its own at the commit": {"error": "RAISE 'never this' USING ERRCODE = 'U0001'", "deferred": True},
    "assertion": {"error": "ASSERT false, 'never this'"},
    "division": {"error": "PERFORM 1 / 0"},
    "function": {"error": "PERFORM no_such_function()"},
}


@contextlib.contextmanager
def opened(url: str) -> Iterator[None]:
    database = open_database(url)
    try:
        yield
    finally:
        database.close()


def check_refusal(why: str) -> None:
    with pytest.raises(RowRefused, match=why):
        Entry.save_all([("lobby", 1, [row(1), row(2, "never")])])
    Entry.save_all([("lobby", 1, [row(1)])])
    assert Entry.latest("lobby", 10) == [row(1)]


@pytest.mark.parametrize("kind", SQLITE_REFUSALS)
def test_a_message_that_sqlite_rejects_is_refused_for_good(tmp_path: Path, kind: str) -> None:
    url = copy_sqlite(tmp_path / "chatter.db")
    with opened(url):
        query(url, f"CREATE TRIGGER never {NEVER.format(SQLITE_REFUSALS[kind])}")
        check_refusal("malformed JSON" if kind == "function" else "never this")


@pytest.mark.postgresql
@pytest.mark.parametrize("kind", POSTGRESQL_REFUSALS)
def test_a_message_that_postgresql_rejects_is_refused_for_good(postgresql: PostgreSQL, kind: str) -> None:
    url = postgresql.create_database()
    with opened(url):
        forbid_by_trigger(url, "never", **POSTGRESQL_REFUSALS[kind])
        check_refusal({"division": "division by zero", "function": "no_such_function"}.get(kind, "never this"))


@pytest.mark.postgresql
def test_a_fault_of_postgresql_is_no_refusal(postgresql: PostgreSQL) -> None:
    url = postgresql.create_database()
    with opened(url):
        for state in ("08006", "0A000", "25006", "26000", "40P01", "53100", "55P03", "57014", "58030", "XX001"):
            forbid_by_trigger(url, "never", f"RAISE 'a fault' USING ERRCODE = '{state}'")
            with pytest.raises(Exception, match="a fault") as raised:
                Entry.save_all([("lobby", 1, [row(1, "never")])])
            assert not isinstance(raised.value, RowRefused), state
            query(url, "DROP FUNCTION never_this CASCADE")
