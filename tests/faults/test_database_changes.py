"""A database goes back in time, moves, hangs, or is taken over by another server."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.support.database import forbid, forbid_by_trigger, query, refusing
from tests.support.member import Member
from tests.support.phoenix_client import request
from tests.support.postgresql import PostgreSQL
from tests.support.server import Server, wait_until
from tests.support.stalling_proxy import StallingProxy
from tests.support.talker import Talker


@pytest.fixture
def server(database: Path) -> Iterator[Server]:
    """Starts a server on SQLite."""
    with Server(database) as started:
        yield started


def texts(url: str, room: str = "lobby") -> list[str]:
    """Returns the messages of a room in the database, in order."""
    rows = query(url, f"SELECT message FROM entry JOIN room ON room.id = room WHERE slug = '{room}' ORDER BY seq")
    return [message for (message,) in rows]


def copy(source: Path, to: Path) -> None:
    """Copies a SQLite database, even one that is in use."""
    with contextlib.closing(sqlite3.connect(source)) as old, contextlib.closing(sqlite3.connect(to)) as new:
        old.backup(new)


def exit_code(server: Server) -> int:
    """Returns the exit code of a server that ends by itself."""
    process = server._process
    assert process is not None
    process.join(60)
    assert process.exitcode is not None, server.log
    return process.exitcode


# ---------------------------------------------------------------- back in time


def test_a_client_of_an_epoch_that_the_restored_copy_lacks_starts_over(server: Server, database: Path) -> None:
    with Member(server.port, "lobby") as ann:
        kept_epoch = ann.join_response["epoch"]
        ann.post_and_wait("kept")
    copy(database, database.with_name("backup.db"))
    server.stop()
    server.start()
    with Member(server.port, "lobby") as ann:
        lost_epoch = ann.join_response["epoch"]
        for text in ("lost 1", "lost 2"):
            ann.post_and_wait(text)
    server.stop()
    for suffix in ("", "-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    shutil.copy(database.with_name("backup.db"), database)
    server.start()
    with Member(server.port, "lobby", "bo") as bo:
        assert bo.join_response["epoch"] > lost_epoch
        for text in ("other 1", "other 2", "other 3"):
            bo.post_and_wait(text)
    with Member(server.port, "lobby", since=3, epoch=lost_epoch) as ann:
        assert ann.join_response["recovered"] is False
        assert ann.wait_for_posts(4) == [(1, "kept"), (2, "other 1"), (3, "other 2"), (4, "other 3")]
    with Member(server.port, "lobby", since=1, epoch=kept_epoch) as ann:
        assert (ann.join_response["base"], ann.join_response["recovered"]) == (1, True)
        assert ann.wait_for_posts(3) == [(2, "other 1"), (3, "other 2"), (4, "other 3")]


def test_a_database_that_goes_back_in_time_gets_again_what_rooms_remember(server: Server, database: Path) -> None:
    backup = database.with_name("backup.db")
    with Member(server.port, "lobby") as ann, Member(server.port, "den", "bo") as bo:
        epoch = ann.join_response["epoch"]
        ann.post_and_wait("one")
        copy(database, backup)
        for text in ("two", "three"):
            ann.post_and_wait(text)
        bo.post_and_wait("in the den")
        copy(backup, database)  # as `sqlite3 chatter.db ".restore backup.db"` does
        ann.post("four")
        assert exit_code(server) == 1
    assert "chatter: stopped: the database has gone back in time" in server.log
    server.start()
    assert texts(server.database_url) == ["one", "two", "three", "four"]
    assert texts(server.database_url, "den") == ["in the den"]
    with Member(server.port, "lobby", since=4, epoch=epoch) as ann:
        assert ann.join_response["epoch"] > epoch
        assert (ann.join_response["base"], ann.join_response["missed"]) == (4, 0)


@pytest.fixture
def quiet_server(database: Path, database_url: str) -> Iterator[Server]:
    """Starts a server on SQLite or PostgreSQL; one message is said, the next two are lost, and nothing is said then."""
    with Server(database, database_url=database_url) as server, Member(server.port, "lobby") as ann:
        for text in ("one", "two", "three"):
            ann.post_and_wait(text)
        query(database_url, "DELETE FROM entry WHERE message <> 'one'")
        query(database_url, "UPDATE epoch SET commits = 1")
        yield server
    with server:
        assert texts(database_url) == ["one", "two", "three"]


def test_a_health_check_notices_that_a_quiet_database_has_gone_back_in_time(quiet_server: Server) -> None:
    assert request(quiet_server.port, "GET", "/healthz").status == 503
    assert exit_code(quiet_server) == 1
    assert "gone back in time" in quiet_server.log


def test_a_stop_notices_that_a_quiet_database_has_gone_back_in_time(quiet_server: Server) -> None:
    assert quiet_server.stop() == 1
    assert "chatter: stopped: the database has gone back in time" in quiet_server.log


@pytest.mark.postgresql
def test_a_stop_waits_for_a_slow_database_to_say_that_it_has_gone_back_in_time(
    postgresql: PostgreSQL, database: Path
) -> None:
    url = postgresql.create_database()
    waits = "wait_event_type = 'Lock' AND now() - query_start > '1.5 s' AND datname = current_database()"
    with Server(database, database_url=url, stop_timeout=60) as server, Member(server.port, "lobby") as ann:
        ann.post_and_wait("one")
        query(url, "DELETE FROM entry")
        query(url, "UPDATE epoch SET commits = 0")
        with psycopg.connect(url) as slow:
            slow.execute("LOCK TABLE epoch")
            os.kill(server.pid, signal.SIGTERM)
            wait_until(lambda: query(url, f"SELECT pid FROM pg_stat_activity WHERE {waits}"))
        assert exit_code(server) == 1
    assert "chatter: stopped: the database has gone back in time" in server.log
    with server:
        assert texts(url) == ["one"]


def test_no_room_begins_in_a_database_that_has_gone_back_in_time(server: Server, database: Path) -> None:
    backup = database.with_name("backup.db")
    copy(database, backup)
    with Member(server.port, "den", "bo") as bo, Talker(server.port) as ann:
        bo.post_and_wait("in the den")
        copy(backup, database)
        ann.push("lobby", "phx_join")
        assert exit_code(server) == 1
    assert "chatter: stopped: the database has gone back in time" in server.log
    server.start()
    assert texts(server.database_url, "den") == ["in the den"]


def test_places_that_the_table_lacks_are_void_for_a_client_that_reconnects(server: Server, database: Path) -> None:
    with Member(server.port, "lobby") as ann:
        epoch = ann.join_response["epoch"]
        for number in range(1, 9):
            ann.post_and_wait(f"number {number}")
    server.stop()
    query(server.database_url, "DELETE FROM entry WHERE seq IN (3, 4, 5)")
    server.start()
    with Member(server.port, "lobby", since=1, epoch=epoch, resync=True) as ann:
        assert (ann.join_response["seq"], ann.join_response["more"]) == (8, False)
        heard = [ann.wait_for("new_message") for _ in range(7)]
        assert [message["seq"] for message in heard] == list(range(2, 9))
        assert [message["seq"] for message in heard if message.get("void")] == [3, 4, 5]
        page = ann.ask("history", before=7, limit=5)["response"]["messages"]
        assert [message["seq"] for message in page] == [2, 3, 4, 5, 6]


# ---------------------------------------------------------------- another server


@pytest.mark.postgresql
def test_a_server_that_lost_its_lock_ends_when_another_takes_over(postgresql: PostgreSQL, tmp_path: Path) -> None:
    url = postgresql.create_database()
    with Server(tmp_path / "first.db", database_url=url) as first, Member(first.port, "lobby") as ann:
        ann.post_and_wait("of the first")
        of_this = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        query(url, f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND {of_this}")
        (tmp_path / "other").mkdir()
        with Server(tmp_path / "other/second.db", database_url=url) as second, Member(second.port, "lobby") as bo:
            ann.post("too late")
            assert exit_code(first) == 1
            assert "chatter: stopped: another Chatter has taken over the database" in first.log
            assert bo.post_and_wait("of the second")["response"]["seq"] == 2
        assert texts(url) == ["of the first", "of the second"]


@pytest.mark.postgresql
def test_a_health_check_takes_a_lost_lock_again(postgresql: PostgreSQL, database: Path) -> None:
    url = postgresql.create_database()
    of_this = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    locks = f"FROM pg_locks WHERE locktype = 'advisory' AND {of_this}"
    with Server(database, database_url=url) as server:
        query(url, f"SELECT pg_terminate_backend(pid, 5000) {locks}")
        assert query(url, f"SELECT count(*) {locks}") == [(0,)]
        assert request(server.port, "GET", "/healthz").status == 200
        assert query(url, f"SELECT count(*) {locks}") == [(1,)]


@pytest.mark.postgresql
@pytest.mark.parametrize("is_killed", [False, True], ids=["spooled", "killed"])
def test_what_a_server_said_is_no_answer_to_clients_of_the_one_that_took_over(
    postgresql: PostgreSQL, tmp_path: Path, is_killed: bool
) -> None:
    url = postgresql.create_database()
    second = Server(tmp_path / "second.db", database_url=url, stop_timeout=1)  # with the same spool
    with Server(tmp_path / "first.db", database_url=url) as first, Member(first.port, "lobby") as ann:
        ann.post_and_wait("of the first")
        of_this = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        query(url, f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND {of_this}")
        with second, Member(second.port, "lobby") as bo:
            epoch = bo.join_response["epoch"]
            ann.post("of the first, too late")
            assert exit_code(first) == 1
            with refusing(url):
                bo.post("of the second")
                assert bo.wait_for_posts(2)[-1] == (2, "of the second")
                if is_killed:
                    second.kill()
                else:
                    assert second.stop() == 0
    with second, Member(second.port, "lobby", since=2, epoch=epoch) as bo:
        assert bo.join_response["recovered"] is True
        if is_killed:
            assert bo.join_response["base"] == 1
            assert bo.wait_for_posts(1) == [(2, "of the first, too late")]
        else:
            assert (bo.join_response["base"], bo.join_response["missed"]) == (2, 0)
            assert texts(url) == ["of the first", "of the second"]


def test_a_second_server_is_refused_even_if_the_lock_file_is_deleted(
    server: Server, database: Path, tmp_path: Path
) -> None:
    for lock in database.parent.glob("*.lock"):
        lock.unlink()
    (tmp_path / "link.db").symlink_to(database)
    for path in (database, tmp_path / "link.db"):
        other = Server(tmp_path / "other.db", database_url=f"sqlite:///{path}")
        with pytest.raises(AssertionError, match="another Chatter is running on this database"):
            other.start()


# ---------------------------------------------------------------- a file that moves


def test_nothing_is_acknowledged_while_the_database_file_is_renamed(server: Server, database: Path) -> None:
    with Member(server.port, "lobby") as ann:
        ann.post_and_wait("one")
        away = database.with_name("away.db")
        database.rename(away)
        sent = ann.post("two")
        wait_until(lambda: "is gone" in server.log)
        health = request(server.port, "GET", "/healthz")
        assert health.status == 503
        assert health.json["reason"] == "the database does not answer, as the log says"
        assert not database.exists()
        away.rename(database)
        assert ann.wait_for_answer(sent)["status"] == "ok"
        wait_until(lambda: request(server.port, "GET", "/healthz").status == 200)
    assert texts(server.database_url) == ["one", "two"]


def test_a_file_that_takes_the_place_of_the_database_is_not_opened_with_its_log(database: Path) -> None:
    with Server(database, stop_timeout=1) as server, Member(server.port, "lobby") as ann:
        ann.post_and_wait("one")
        away, other = database.with_name("away.db"), database.with_name("other.db")
        copy(database, other)
        ann.post_and_wait("two")
        database.rename(away)
        shutil.copy(other, database)
        ann.post("three")
        wait_until(lambda: "another file has taken the place of" in server.log)
        assert request(server.port, "GET", "/healthz").status == 503
        before = [path.read_bytes() for path in (away, database)]
        with Talker(server.port) as bo:
            assert bo.ask("another", "phx_join")["response"] == {"reason": "unavailable"}
        assert server.stop() == 0
        assert [path.read_bytes() for path in (away, database)] == before
        away.replace(database)
        server.start()
        assert texts(server.database_url) == ["one", "two", "three"]


# ---------------------------------------------------------------- hanging, restarting, refusing


@pytest.fixture
def proxy(postgresql: PostgreSQL) -> Iterator[tuple[StallingProxy, str]]:
    """Starts a proxy before PostgreSQL; yields it, and a database's URL through it."""
    url = urlsplit(postgresql.create_database())
    with StallingProxy(url.port or 0) as proxy:
        yield proxy, url._replace(netloc=f"{url.username}@127.0.0.1:{proxy.port}").geturl()


@pytest.mark.postgresql
def test_a_stop_spools_unsaved_messages_while_a_database_call_hangs(
    proxy: tuple[StallingProxy, str], database: Path
) -> None:
    stalling_proxy, url = proxy
    with Server(database, database_url=url, stop_timeout=1) as server, Member(server.port, "lobby") as ann:
        ann.post_and_wait("committed")
        stalling_proxy.stall()
        ann.post("heard")
        ann.wait_for_posts(2)
        assert server.stop() == 0
        (spool,) = database.parent.glob("*.unsaved.jsonl")
        assert [json.loads(line)["message"] for line in spool.read_text().splitlines()] == ["heard"]
        stalling_proxy.resume()
        server.start()
        assert texts(url) == ["committed", "heard"]


@pytest.mark.postgresql
def test_a_commit_that_hangs_is_aborted_and_retried(proxy: tuple[StallingProxy, str], database: Path) -> None:
    stalling_proxy, url = proxy
    with Server(database, database_url=url, database_timeout=1) as server, Member(server.port, "lobby") as ann:
        ann.post_and_wait("one")
        stalling_proxy.stall()
        sent = ann.post("two")
        wait_until(lambda: "will be tried again" in server.log)
        stalling_proxy.resume()
        assert ann.wait_for_answer(sent)["status"] == "ok"
    assert texts(url) == ["one", "two"]


@pytest.mark.postgresql
def test_the_first_join_after_a_restart_of_postgresql_is_granted(database: Path) -> None:
    with PostgreSQL() as cluster, Server(database, database_url=cluster.create_empty_database()) as server:
        with Member(server.port, "lobby"):
            pass
        cluster.restart()
        with Member(server.port, "another") as ann:
            assert ann.join_response["seq"] == 0
        assert request(server.port, "GET", "/healthz").status == 200


def test_a_refused_message_is_logged_when_the_dead_letters_cannot_be_written(server: Server, database: Path) -> None:
    forbid(server.database_url, "never this")
    database.with_name(f"{database.name}.dead-letters.jsonl").mkdir()
    with Member(server.port, "lobby") as ann:
        assert ann.post_and_wait("never this")["response"]["reason"] == "not_saved"
        assert ann.post_and_wait("and on")["status"] == "ok"
    assert "never this" in server.log
    assert "cannot be written" in server.log


@pytest.mark.postgresql
@pytest.mark.parametrize("is_spooled", [False, True])
def test_a_message_that_fails_at_the_commit_holds_up_neither_others_nor_a_start(
    postgresql: PostgreSQL, database: Path, is_spooled: bool
) -> None:
    url = postgresql.create_database()
    with Server(database, database_url=url, stop_timeout=0.1) as server:
        with Member(server.port, "lobby") as ann, Member(server.port, "den", "bo") as bo:
            ann.post_and_wait("one")
            forbid_by_trigger(url, "never this", "RAISE 'no' USING ERRCODE = 'CH001'", deferred=True)
            if is_spooled:
                with refusing(url):
                    for text in ("never this", "three"):
                        ann.post(text)
                    ann.wait_for_posts(3)
                    assert server.stop() == 0
                server.start()
            else:
                sent = ann.post("never this")
                assert bo.post_and_wait("in the den")["status"] == "ok"
                assert ann.wait_for_answer(sent)["response"]["reason"] == "not_saved"
                assert ann.post_and_wait("three")["status"] == "ok"
        assert texts(url) == ["one", "", "three"]
        (file,) = database.parent.glob("*.dead-letters.jsonl")
        assert [json.loads(line)["message"] for line in file.read_text().splitlines()] == ["never this"]
