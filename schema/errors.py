"""Errors of the databases: which of several came first, and whether it is about the rows or about the database."""

import sqlite3
from typing import TypeGuard

import peewee

TEMPORARY_STATES = frozenset(
    {
        "08",  # the connection
        "0A",  # a plan that is out of date
        "25",  # the transaction: read-only, idle for too long
        "26",  # a prepared statement that is gone
        "28",  # the password
        "3D",  # the name of the database
        "40",  # deadlocks and conflicts
        "53",  # no memory, disk or connection is left
        "55",  # a lock, an object that is in use
        "57",  # a shutdown, a time limit
        "58",  # input and output
        "F0",  # the configuration
        "XX",  # damage
    }
)
"""Classes of PostgreSQL's SQLSTATE that say nothing about the rows. All others do, also those of operators."""

SQLITE_REFUSALS = frozenset(
    {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG}
)
"""Results of SQLite that are about the rows; `SQLITE_ERROR` is that of a function in a trigger."""


def first_error(error: BaseException) -> BaseException:
    """Returns the database's first error: Peewee wraps it, and a rollback that fails then hides it."""
    while _is_of_database(before := error.__cause__ or error.__context__):
        error = before
    return error


def in_one_line(error: BaseException) -> str:
    """Returns what the database's first error says."""
    first = first_error(error)
    return " ".join(str(first).split()) or type(first).__name__


def is_refusal(error: BaseException) -> bool:
    """Returns whether the database refuses the rows, so that another try is useless."""
    first = first_error(error)
    if (state := getattr(first, "sqlstate", None)) is not None:
        return state[:2] not in TEMPORARY_STATES
    if (code := getattr(first, "sqlite_errorcode", None)) is not None:
        return code & 0xFF in SQLITE_REFUSALS
    is_of_values = not _names(first).isdisjoint({"IntegrityError", "DataError"})  # the driver's own
    return is_of_values or isinstance(first, UnicodeError | OverflowError)


def is_damage(error: BaseException) -> bool:
    """Returns whether SQLite has found its file damaged, or no database."""
    code = getattr(first_error(error), "sqlite_errorcode", 0)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _is_of_database(error: BaseException | None) -> TypeGuard[BaseException]:
    return isinstance(error, peewee.PeeweeException) or (error is not None and "DatabaseError" in _names(error))


def _names(error: BaseException) -> set[str]:
    """Returns the names of its classes: each driver has its own, named after PEP 249's."""
    return {base.__name__ for base in type(error).__mro__}
