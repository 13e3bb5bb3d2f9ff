"""The drill of `docs/operations.md`: back up, lose, restore and check a database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.database import query
from tests.support.member import Member
from tests.support.server import Ended, Server, run_to_its_end


@pytest.fixture
def server(database: Path, database_url: str) -> Iterator[Server]:
    with Server(database, database_url=database_url) as started:
        yield started


def chatter(verb: str, server: Server, *arguments: object) -> Ended:
    """Runs `chatter verb` on the server's database."""
    options = (f"--database={server.database_url}", f"--spool-folder={server.database.parent}")
    return run_to_its_end(verb, *options, *map(str, arguments))


def texts(server: Server) -> list[str]:
    return [message for (message,) in query(server.database_url, "SELECT message FROM entry ORDER BY seq")]


def test_a_restored_backup_is_the_base_for_clients_that_heard_lost_messages(server: Server, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    with Member(server.port, "lobby") as ann:
        ann.post_and_wait("one")
        backed_up = chatter("backup", server, backup)
        assert (backed_up.exit_code, backed_up.stderr) == (0, "")
        ann.post_and_wait("two")
        epoch = ann.join_response["epoch"]
        refused = chatter("restore", server, backup)
        assert (refused.exit_code, "another Chatter is running on this database" in refused.stderr) == (2, True)
    server.stop()
    restored = chatter("restore", server, backup)
    assert (restored.exit_code, restored.stderr) == (0, "")
    checked = chatter("check", server)
    assert (checked.exit_code, checked.stdout) == (0, "no faults\n")
    server.start()
    assert texts(server) == ["one"]
    with Member(server.port, "lobby", since=2, epoch=epoch) as ann:
        assert (ann.join_response["seq"], ann.join_response["base"]) == (1, 1)
        assert ann.post_and_wait("another two")["response"]["seq"] == 2


def test_a_newer_backup_that_is_restored_after_an_older_one_leaves_no_client_with_other_messages(
    server: Server, tmp_path: Path
) -> None:
    monday, tuesday = tmp_path / "monday", tmp_path / "tuesday"
    with Member(server.port, "lobby") as ann:
        for text, backup in (("m1", monday), ("m2", tuesday)):
            ann.post_and_wait(text)
            assert chatter("backup", server, backup).exit_code == 0
        first_epoch = ann.join_response["epoch"]
    server.stop()
    assert chatter("restore", server, monday).exit_code == 0
    server.start()
    with Member(server.port, "lobby") as ann:
        ann.post_and_wait("another m2")
        other_epoch = ann.join_response["epoch"]
    server.stop()
    assert chatter("restore", server, tuesday).exit_code == 0
    server.start()
    with Member(server.port, "lobby", since=2, epoch=other_epoch) as ann:
        assert ann.join_response["recovered"] is False
        assert ann.wait_for_posts(2) == [(1, "m1"), (2, "m2")]
        synced = ann.ask("sync", since=2, epoch=other_epoch)["response"]
        assert synced["recovered"] is False
    with Member(server.port, "lobby", since=2, epoch=first_epoch) as ann:
        assert (ann.join_response["base"], ann.join_response["recovered"]) == (2, True)


def test_a_restore_sets_aside_the_spool_and_the_presence_snapshot(server: Server, tmp_path: Path) -> None:
    backup, folder = tmp_path / "backup", server.database.parent
    with Member(server.port, "lobby") as ann:
        ann.post_and_wait("one")
    server.stop()
    assert chatter("backup", server, backup).exit_code == 0
    (identity,) = query(server.database_url, "SELECT value FROM identity")[0]
    name = next(folder.glob(f"*.{identity[:8]}.present.json")).name.removesuffix(".present.json")
    spool = folder / f"{name}.unsaved.jsonl"
    spool.write_text('{"version": 2}\n')
    assert chatter("restore", server, backup).exit_code == 0
    assert not spool.exists()
    assert len(list(folder.glob(f"{spool.name}.before-restore-*"))) == 1
    assert not list(folder.glob("*.present.json"))


def test_a_check_lists_each_fault(server: Server) -> None:
    with Member(server.port, "lobby") as ann:
        for number in range(1, 6):
            ann.post_and_wait(f"number {number}")
        epoch = ann.join_response["epoch"]
    server.stop()
    query(server.database_url, "DELETE FROM entry WHERE seq = 3")
    query(server.database_url, f"UPDATE entry SET epoch = {epoch - 5} WHERE seq = 5")
    query(server.database_url, f"UPDATE entry SET epoch = {10 * epoch} WHERE seq = 1")
    (identity,) = query(server.database_url, "SELECT value FROM identity")[0]
    name = next(server.database.parent.glob("*.present.json"), None)
    base = server.database.name if name is None else name.name.split(f".{identity[:8]}")[0]
    (server.database.parent / f"{base}.{identity[:8]}.unsaved.jsonl").write_text("torn\n")
    (server.database.parent / f"{base}.0123abcd.unsaved.jsonl").touch()
    (server.database.parent / f"{base}.dead-letters.jsonl").write_text('{"error": "never this"}\n')
    checked = chatter("check", server)
    assert checked.exit_code == 1
    for fault in (
        "room lobby lacks 1 of the places from 1 to 5",
        "room lobby: the epoch falls at 2",
        "room lobby: the epoch falls at 5",
        f"room lobby has messages of epoch {10 * epoch}, which has not begun",
        "0123abcd.unsaved.jsonl belongs to another database",
        "unsaved.jsonl, line 1: ",
        "line 1 is a dead letter: never this",
    ):
        assert fault in checked.stdout


def test_a_backup_needs_a_new_folder_and_a_restore_a_folder_with_a_backup(server: Server, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for verb, folder in (("backup", tmp_path / "empty"), ("restore", tmp_path / "empty")):
        failed = chatter(verb, server, folder)
        assert failed.exit_code == 2
        assert "expected a folder that" in failed.stderr
        assert len(failed.stderr.splitlines()) == 1


@pytest.mark.parametrize("target", ["/proc/nope", "file/backup"])
def test_a_backup_says_in_one_line_where_it_cannot_be_made(server: Server, tmp_path: Path, target: str) -> None:
    (tmp_path / "file").touch()
    failed = chatter("backup", server, tmp_path / target)
    assert failed.exit_code == 2
    assert "cannot make the backup" in failed.stderr
    assert len(failed.stderr.splitlines()) == 1
