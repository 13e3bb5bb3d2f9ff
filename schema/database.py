"""Opens the database, SQLite or PostgreSQL by its URL, and migrates its tables."""

import importlib.util
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import SplitResult, quote, urlsplit

import peewee
from playhouse import db_url
from playhouse.migrations import Runner

from schema.base import database as proxy
from schema.errors import in_one_line, is_damage
from schema.progress import shown_step

Database: TypeAlias = peewee.Database

MIGRATIONS = Path(__file__).parent / "migrations"

SQLITE_PRAGMAS = {
    "journal_mode": "wal",  # readers and the writer do not block each other
    "secure_delete": "on",  # what is deleted is overwritten, also in pages that are free again
}

SQLITE_LOCK_TIMEOUT = 1.0
"""Seconds that SQLite waits for another program's lock before it fails; a commit is tried again after that."""


IDLE_IN_TRANSACTION = 5.0
"""Seconds after which PostgreSQL ends a transaction whose program does not go on: a node may have been stopped in it.

Until then nobody else writes what it has locked, for hours if its machine is gone without a word. What was ended is
tried again.
"""


class _PostgreSQL(peewee.PostgresqlDatabase):
    """A PostgreSQL that does not end sessions, among them that of the lock, since nothing was said for long."""

    def _initialize_connection(self, connection: Any) -> None:
        if self.server_version >= 140_000:  # earlier ones have no such limit, and refuse its name
            connection.execute("SET idle_session_timeout = 0")


db_url.register_database(_PostgreSQL, "postgresql", "postgres")


class SqliteFile(peewee.SqliteDatabase):
    """A SQLite file. No connection reads it or its log before `check_file` has accepted what was opened.

    Another file that took its place would be read with the log of the first one, and destroyed by it.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.check_file: Callable[[], None] = lambda: None  # raises where the path leads to another file

    def _add_conn_hooks(self, connection: sqlite3.Connection) -> None:
        self.check_file()  # a connection that fails here is closed, and has touched nothing
        super()._add_conn_hooks(connection)  # type: ignore[misc]  # the stubs lack it


class DatabaseUnusable(Exception):
    """The database cannot be opened or must not be used. The message is one line for a person."""


def open_database(
    url: str, sqlite_synchronous: str = "full", *, timeout: float = 0.0, create: bool = True, read_only: bool = False
) -> Database:
    """Connects to the database at `url`, binds all models to it, and returns it.

    `url` is `sqlite:///relative/path`, `sqlite:////absolute/path` or `postgresql://user:password@host:port/name`.
    A SQLite file and its folder are created, unless `create` is False. With `sqlite_synchronous` "full" what is
    committed survives power loss, at a cost that group commits share; with "normal" only the end of the program.
    `timeout` and `read_only` are as in `connect`.

    Raises `DatabaseUnusable`.
    """
    try:
        if create:
            _create_file(url)
        database = connect(url, sqlite_synchronous=sqlite_synchronous, timeout=timeout, read_only=read_only)
        database.connect()
    except (peewee.PeeweeException, sqlite3.Error, OSError, RuntimeError, ValueError, ImportError) as error:
        shown = without_password(url)
        reason = in_one_line(error).replace(url, shown)  # some errors quote it
        raise DatabaseUnusable(f"cannot open the database {shown}: {reason}") from error
    proxy.initialize(database)
    return database


def check_integrity(database: Database) -> None:
    """Has SQLite look for damage in its file; PostgreSQL does so as it reads. Raises `DatabaseUnusable`."""
    for fault in find_damage(database, "quick_check(1)"):
        raise DatabaseUnusable(f"the database is damaged ({fault}): restore a backup with `chatter restore`")


def find_damage(database: Database, pragma: str) -> list[str]:
    """Returns what SQLite finds with one of its checks. Raises `DatabaseUnusable` where it cannot look."""
    if not isinstance(database, peewee.SqliteDatabase):
        return []
    try:
        found = database.execute_sql(f"PRAGMA {pragma}").fetchall()
    except peewee.PeeweeException as error:
        if is_damage(error):
            return [in_one_line(error)]
        raise DatabaseUnusable(f"cannot read the database: {in_one_line(error)}") from error
    return [_one_line(fault) for (fault,) in found if fault != "ok"]


def drop_old_pages(database: Database) -> bool:
    """Empties SQLite's log, in which deleted texts may still be. Returns False where a reader holds it; try again."""
    if not isinstance(database, peewee.SqliteDatabase):
        return True
    busy, _, _ = database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def migrate(database: Database) -> list[str]:
    """Applies the migrations that `database` has not seen, oldest first, and returns their names.

    Raises `DatabaseUnusable` when the database has seen one that this program does not know, or one fails.
    """
    runner = Runner(database, str(MIGRATIONS))
    try:
        steps = runner.status()
        unknown = [step.name for step in steps if step.path is None]
        if unknown:
            raise DatabaseUnusable(f"the database is newer than this program: it has {', '.join(unknown)}")
        pending = [step.name for step in steps if not step.applied]
        for name in pending:
            with shown_step(database, name):
                runner.up(name)
        return pending
    except peewee.PeeweeException as error:
        raise DatabaseUnusable(f"cannot bring the database up to date: {in_one_line(error)}") from error


def needs_migration(database: Database) -> bool:
    """Returns whether there are migrations that `database` has not seen. Raises `DatabaseUnusable`."""
    return not all(_applied(database))


def is_new(database: Database) -> bool:
    """Returns whether no Chatter has used `database`. Raises `DatabaseUnusable`."""
    return not any(_applied(database))


def _applied(database: Database) -> list[bool]:
    try:
        return [bool(step.applied) for step in Runner(database, str(MIGRATIONS)).status()]
    except peewee.PeeweeException as error:
        raise DatabaseUnusable(f"cannot read the database: {in_one_line(error)}") from error


def sqlite_path(url: str) -> Path | None:
    """Returns the file that a SQLite `url` names; None for another database. Raises `ValueError`."""
    scheme, _, rest = url.partition("://")
    if scheme != "sqlite":
        return None
    path = rest.removeprefix("/")
    if not rest.startswith("/") or not path:
        raise ValueError("expected sqlite:///relative/path or sqlite:////absolute/path")
    if path.startswith(":memory:"):
        raise ValueError("a database in memory cannot be shared by the threads that read and write")
    return Path(path)


def connect(
    url: str, *, sqlite_synchronous: str = "full", timeout: float = 0.0, read_only: bool = False, **options: Any
) -> Database:
    """Returns the database at `url`, not connected yet; `options` are Peewee's. Raises `ValueError`, `ImportError`.

    After `timeout` seconds PostgreSQL has to have connected, answered a statement and acknowledged a packet; 0 is for
    ever. A SQLite file is not created: a connection that is opened again must find the same one. With `read_only`
    neither the database nor its folder is written to.
    """
    path = sqlite_path(url)
    if path is not None and read_only:
        return peewee.SqliteDatabase(read_only_uri(path), uri=True, timeout=SQLITE_LOCK_TIMEOUT, **options)
    if path is not None:
        pragmas = {**SQLITE_PRAGMAS, "synchronous": sqlite_synchronous}
        file = f"file:{quote(str(path))}?mode=rw"
        return SqliteFile(file, uri=True, pragmas=pragmas, timeout=SQLITE_LOCK_TIMEOUT, **options)
    scheme = _checked(url).scheme
    if scheme not in ("postgresql", "postgres"):
        raise ValueError(f"expected sqlite:///… or postgresql://…, got {scheme or 'nothing'}://")
    _require_psycopg()
    asked = db_url.parse(url)
    settings = str(asked.get("options", "")) + (" -c default_transaction_read_only=on" if read_only else "")
    own = _postgresql_options(settings, timeout)
    options = {**{name: value for name, value in own.items() if name == "options" or name not in asked}, **options}
    database: Database = db_url.connect(url, unquote_user=True, unquote_password=True, prefer_psycopg3=True, **options)
    return database


def read_only_uri(path: Path) -> str:
    """Returns what has SQLite read a file. Without a log beside it nobody writes, and SQLite must not make one."""
    has_log = any(path.with_name(path.name + suffix).exists() for suffix in ("-wal", "-journal"))
    return f"{path.absolute().as_uri()}?mode=ro" + ("" if has_log else "&immutable=1")


def without_password(url: str) -> str:
    """Returns `url` for a log: a password is replaced by `…`, wherever it stands."""
    if url.startswith("sqlite:"):
        return url
    scheme, _, rest = url.partition("://")
    address, _, query = rest.partition("?")
    user, at, host = address.rpartition("@")
    shown = f"{scheme}://{user.partition(':')[0]}{':…' if ':' in user else ''}{at}{host}"
    return shown + ("?…" if query else "")


def _checked(url: str) -> SplitResult:
    """Parses a URL. Raises `ValueError` with words of its own: Python's quote the password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        expected = "expected postgresql://user:password@host:port/name, the password percent-encoded"
        raise ValueError(expected) from error
    return parts


def _create_file(url: str) -> None:
    path = sqlite_path(url)
    if path is not None and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        sqlite3.connect(path).close()


def _postgresql_options(asked: str, timeout: float) -> dict[str, Any]:
    """Returns psycopg's parameters. A commit is on the disk when it is answered, whatever the server's default is."""
    settings = "-c synchronous_commit=on"
    if not timeout:
        return {"options": f"{asked} {settings}".strip()}
    seconds = max(1, round(timeout))
    limits = f"-c statement_timeout={round(1_000 * timeout)}"
    limits += f" -c idle_in_transaction_session_timeout={round(1_000 * IDLE_IN_TRANSACTION)}"
    return {
        "options": f"{asked} {settings} {limits}".strip(),
        "connect_timeout": max(2, seconds),  # libpq's least
        "keepalives_idle": seconds,
        "keepalives_interval": max(1, seconds // 3),
        "keepalives_count": 3,
        "tcp_user_timeout": round(1_000 * timeout),
    }


def _require_psycopg() -> None:
    if importlib.util.find_spec("psycopg") is None:
        raise ImportError("PostgreSQL needs the package psycopg: pip install 'chatter[postgresql]'")


def _one_line(text: str) -> str:
    return " ".join(text.split())
