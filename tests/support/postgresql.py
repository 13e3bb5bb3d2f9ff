"""Runs a PostgreSQL cluster that tests can stop, kill and restart."""

import contextlib
import glob
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

from tests.support.database import query, refusing
from tests.support.ports import free_port
from tests.support.server import PATIENCE, wait_until
from tests.support.templates import migrate_empty, new_identity

STOPS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
OWNER = "chatter"

TEMPLATE = "migrated"
"""A database that has its tables: copying it takes a fifth of the work of migrating an empty one."""

CATALOGS = ("pg_class", "pg_attribute", "pg_constraint", "pg_trigger", "pg_proc", "schema_migration")
SHAPE = " UNION ALL ".join(f"SELECT count(*), max(xmin::text::bigint) FROM {catalog}" for catalog in CATALOGS)
SHAPE += " UNION ALL SELECT count(*), 0 FROM identity"
"""What differs from the template's once a test has changed the tables, or what is known of them."""

IS_LARGE = b"SELECT 1 FROM pg_class WHERE relkind = 'r' AND pg_relation_size(oid) > 2000000"
"""Nothing tidies up behind rows that are deleted."""

END_OTHERS = b"""SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""

EMPTY = b"""DO $$ DECLARE name text; BEGIN
    SET LOCAL session_replication_role = replica; -- in any order, whatever refers to what
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        IF name NOT IN ('schema_migration', 'identity') THEN EXECUTE 'DELETE FROM ' || name; END IF;
    END LOOP;
    PERFORM setval(oid, 1, false) FROM pg_class WHERE relkind = 'S' AND relname !~ '^(schema_migration|identity)_';
END $$"""

SETTINGS = ("fsync=off", "full_page_writes=off", "autovacuum=off")
"""Commits survive a killed process, and no test cuts the power. Tables that live for seconds need no cleaning."""


def find_program(name: str) -> str | None:
    """Finds one of PostgreSQL's programs: on the PATH, or the newest of Debian."""
    versions = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: float(path.split("/")[4]))
    return shutil.which(name) or next(reversed(versions), None)


class PostgreSQL:
    """`with PostgreSQL() as cluster:` starts a server in a temporary folder.

    It listens on a free port of 127.0.0.1, and asks for no password. Tests that stop a cluster have their own; the
    others share one, with a database each.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="chatter-postgresql-"))
        self._port = free_port(self)
        self._names = (f"chat{number}" for number in itertools.count(1))
        self._shape: list[tuple[Any, ...]] = []
        self._returned: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The id of its first process, whose children the others are."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Starts the server, and returns when it answers."""
        self._launch()
        wait_until(self._answers)

    def stop(self, mode: str = "fast") -> None:
        """Stops the server as `pg_ctl stop -m mode` does: "smart", "fast" or "immediate"."""
        assert self._process is not None
        self._process.send_signal(STOPS[mode])
        self._process.wait(PATIENCE)

    def kill(self) -> None:
        """Kills the server and its backends."""
        assert self._process is not None
        children = [pid for (pid,) in self.execute("SELECT pid FROM pg_stat_activity")]
        self._process.kill()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._process.wait(PATIENCE)

    def restart(self, mode: str = "fast") -> None:
        """Stops and starts the server, on the same port."""
        self.stop(mode)
        self.start()

    def terminate_backends(self) -> int:
        """Closes all client connections, and returns how many there were."""
        others = "backend_type = 'client backend' AND pid <> pg_backend_pid()"
        return len(self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))

    def create_database(self) -> str:
        """Makes a database with the tables and an identity of its own, and returns its URL."""
        if not self._shape:
            self.execute(f"CREATE DATABASE {TEMPLATE}")
            migrate_empty(self._url(TEMPLATE))
            self._shape = query(self._url(TEMPLATE), SHAPE)
        url = self._create(TEMPLATE)
        query(url, f"UPDATE identity SET value = '{new_identity()}'")
        return url

    @contextlib.contextmanager
    def lend_database(self) -> Iterator[str]:
        """Lends a database that is like a new one, which takes a tenth of the work of making it.

        Only tables that are as they were made are lent again. All programs that use them have ended.
        """
        url = self._returned.pop() if self._returned else self.create_database()
        yield url
        if self._forgets(url):
            self._returned.append(url)

    def _forgets(self, url: str) -> bool:
        """Deletes what is in a database. False if something stays, or may."""
        with psycopg.connect(url, autocommit=True, connect_timeout=int(PATIENCE)) as connection:
            wait_until(lambda: not connection.execute(END_OTHERS).fetchall())
            if connection.execute(SHAPE).fetchall() != self._shape or connection.execute(IS_LARGE).fetchall():
                return False
            connection.execute(EMPTY)
            connection.execute(f"UPDATE identity SET value = '{new_identity()}'".encode())
        return True

    def create_empty_database(self) -> str:
        """Makes a database without tables, and returns its URL."""
        return self._create("template1")

    def dump(self, url: str, to: Path) -> None:
        """Makes a dump of a database, also while it is used."""
        subprocess.run([_program("pg_dump"), "--format=custom", f"--file={to}", url], check=True)

    def replace(self, url: str, dump: Path) -> None:
        """Puts a database as it was in the place of one that is used: all connections to that one end."""
        restored, replaced, name = self.create_empty_database(), next(self._names), url.rpartition("/")[2]
        self.restore(restored, dump)
        with refusing(url):
            self.execute(f"ALTER DATABASE {name} RENAME TO {replaced}")
            self.execute(f"ALTER DATABASE {restored.rpartition('/')[2]} RENAME TO {name}")

    def restore(self, url: str, dump: Path) -> None:
        """Puts the tables of a dump in the place of those of a database, whose connections go on."""
        options = ["--clean", "--if-exists", "--no-owner", "--single-transaction"]
        subprocess.run([_program("pg_restore"), *options, f"--dbname={url}", str(dump)], check=True)

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Executes a statement as the owner of the cluster, and returns the rows."""
        return query(self._url("postgres"), statement)

    def _create(self, template: str) -> str:
        name = next(self._names)
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._url(name)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _url(self, database: str) -> str:
        return f"postgresql://{OWNER}@127.0.0.1:{self._port}/{database}"

    def _launch(self) -> None:
        arguments = ["-D", str(self._data), "-h", "127.0.0.1", "-p", str(self._port), "-k", str(self._folder)]
        arguments += [f"--{setting}" for setting in SETTINGS]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [_program("postgres"), *arguments], stdout=log, stderr=log, cwd=self._folder, **_unprivileged()
            )

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            log = self._log.read_text()
            # A backend that was being forked when the server was killed may end a moment later.
            assert "pre-existing shared memory block" in log[-500:], f"PostgreSQL does not start:\n{log}"
            self._launch()
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def __enter__(self) -> Self:
        options = _unprivileged()
        if options:
            shutil.chown(self._folder, options["user"], options["group"])
        arguments = ["-D", str(self._data), "-U", OWNER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run([_program("initdb"), *arguments], check=True, stdout=subprocess.DEVNULL, **options)
        self.start()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop("immediate")
        # Beside what follows: hundreds of databases have 300 files each, and removing them takes half a minute.
        subprocess.run(["sh", "-c", 'rm -rf "$1" >/dev/null 2>&1 &', "sh", self._folder], check=True)


def _program(name: str) -> str:
    path = find_program(name)
    assert path is not None, f"expected PostgreSQL's {name}, found none"
    return path


def _unprivileged() -> dict[str, Any]:
    """Returns options for the user `postgres`: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
