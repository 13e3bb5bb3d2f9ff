"""Authors: what the accounts that the log has by their numbers are called now."""

from collections.abc import Collection

from schema.base import batches, database


def handles_of(ids: Collection[int]) -> dict[int, str]:
    """Returns the handles of accounts by their numbers, without those that are deleted or not there."""
    found: dict[int, str] = {}
    for statement, values in batches([(id,) for id in ids], _select):
        found.update(database.execute_sql(statement, values))
    return found


def _select(param: str, rows: int) -> str:
    places = ", ".join([param] * rows)
    return f"SELECT id, handle FROM account WHERE id IN ({places}) AND state <> 'deleted'"  # noqa: S608
