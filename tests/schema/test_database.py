from pathlib import Path

import pytest

from schema import Database, DatabaseUnusable, Entry, EntryRow, open_database
from schema.database import migrate


def test_a_new_database_is_created_with_its_folder_and_tables(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/some/where/chatter.db")
    assert migrate(database) == [
        "0001_messages",
        "0002_epochs_and_identity",
        "0003_log",
        "0004_accounts",
        "0005_authors",
        "0006_passkeys",
        "0007_makers_and_skeletons",
        "0008_departures",
        "0009_rooms",
        "0010_links_of_rooms",
        "0011_lanes",
    ]
    Entry.save_all([("lobby", 1, [EntryRow(1, "a", "ann", "hello", "2026-05-04T12:00:00.000000Z")])])
    database.close()
    assert (tmp_path / "some/where/chatter.db").exists()


def test_migrating_an_up_to_date_database_changes_nothing(database: Database) -> None:
    Entry.save_all([("lobby", 1, [EntryRow(1, "a", "ann", "hello", "2026-05-04T12:00:00.000000Z")])])
    assert migrate(database) == []
    assert len(Entry.latest("lobby", 10)) == 1


def test_a_database_with_unknown_migrations_is_refused(database: Database) -> None:
    database.execute_sql("INSERT INTO schema_migration (name, applied) VALUES ('9999_flying_cars', '2099-01-01')")
    with pytest.raises(DatabaseUnusable, match="newer than this program: it has 9999_flying_cars"):
        migrate(database)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://root@localhost/chat", "expected sqlite:///… or postgresql://…, got mysql://"),
        ("chat.db", "expected sqlite:///… or postgresql://…"),
        ("sqlite://chat.db", "expected sqlite:///relative/path or sqlite:////absolute/path"),
        ("sqlite:///", "expected sqlite:///relative/path"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite:////proc/nowhere/chat.db", "No such file or directory"),
        ("postgresql://nobody@127.0.0.1:1/chat", "cannot open the database"),
    ],
)
def test_the_error_for_an_unusable_database_gives_the_reason_in_one_line(url: str, why: str) -> None:
    with pytest.raises(DatabaseUnusable) as raised:
        open_database(url)
    assert why in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_a_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("this is not a database, but it is long enough to be taken for one")
    with pytest.raises(DatabaseUnusable, match="not a database"):
        open_database(f"sqlite:///{tmp_path}/notes.txt")


def test_an_error_does_not_show_the_password() -> None:
    with pytest.raises(DatabaseUnusable) as raised:
        open_database("postgresql://ann:secret@127.0.0.1:1/chat")
    assert "secret" not in str(raised.value)


def test_a_commit_to_sqlite_survives_power_loss(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/chatter.db")
    mode, synchronous = (
        database.execute_sql(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
    )
    database.close()
    assert (mode, synchronous) == ("wal", 2)  # 2 is FULL
