"""Migrations: what has landed stays as it is, and brings old databases up to date."""

import hashlib
import re
from pathlib import Path

import pytest
from playhouse.migrations import Runner

from schema import Entry, EntryRow, Epoch, Identity, ListedRow, Room, open_database, void_row
from schema.database import MIGRATIONS, migrate
from tests.support.database import query

LANDED = {
    "0001_messages.py": "3b56b62540117ad10c445916581f2b88c90ea3d6c8ee002442b9a6ba06cdd370",
    "0002_epochs_and_identity.py": "b0b98d2e50d819e8a7627a535f80e26399ad8a891f0f99fc9ab679e140ac6b30",
    "0003_log.py": "115af7718b0d02c7136d47a784f3325c4107e36c97b173e520320506d6b67e6c",
    "0004_accounts.py": "d9393f374d31c43c97a3f28ab283c4760f090d4ec5d90dfd4548367f21cd1c79",
    "0005_authors.py": "9b184035dd1ad58fd98c33392f2759738b7d5725ed8c707f138bf764cc563456",
    "0006_passkeys.py": "57825d944c0ec5fbe33ad351a25b5e4054779bab175e09afd8753480063ef828",
    "0007_makers_and_skeletons.py": "bda9af1a10b5e3ccac957077e9852e4ce0f32c3ef1c0e708598fcce88d983835",
    "0008_departures.py": "297c66010191f7297cb51f62208df9c51c3f6b0defb1d7229fafec50927348b3",
    "0009_rooms.py": "2bca7a205a8f3dc721e13fef9a24fb1d8dedee99a18661edfa981ec1dbcbbfe4",
    "0010_links_of_rooms.py": "898b73e085b3d8ba4741003e83f63153268afc516937dcb12e5421321d325907",
    "0011_lanes.py": "05df9c496b826316ec89ea39ccfc73c84fc548f941ce2692919a00b04b04fad8",
}
"""SHA-256 by file. A database that has seen a migration never sees it again, so a change needs a new one."""


def test_a_migration_that_has_landed_is_never_changed() -> None:
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in MIGRATIONS.glob("0*.py")}
    assert files == LANDED


def begin(url: str, *statements: str) -> None:
    """Makes what the first version has made, and fills it."""
    database = open_database(url)
    Runner(database, str(MIGRATIONS)).up("0001_messages")
    database.close()
    for statement in statements:
        query(url, statement)


def test_a_database_of_the_first_version_is_brought_up_to_date(empty_database_url: str) -> None:
    begin(
        empty_database_url,
        "INSERT INTO epoch (number) VALUES (7)",
        "INSERT INTO room (slug) VALUES ('lobby'), ('silent')",
        "INSERT INTO message VALUES ('lobby', 1, 7, '1', 'ann', 'hi', '2026-05-04')",
        "INSERT INTO message VALUES ('lobby', 2, 7, 'void-2', '', '', '2026-05-04')",
        "INSERT INTO message VALUES ('lobby', 3, 7, '3', 'ann', 'hi', '2026-05-05')",
    )
    database = open_database(empty_database_url)
    assert migrate(database) == [
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
    assert Room.recently_active(10) == [
        ListedRow("lobby", 3, 2, "2026-05-05", "", ""),
        ListedRow("silent", 0, 0, "", "", ""),
    ]
    assert Epoch.begin() > 7
    assert len(Identity.read()) == 32
    assert Entry.latest("lobby", 10) == [
        EntryRow(1, "1", "ann", "hi", "2026-05-04", nth=1),
        void_row(2, "2026-05-04", nth=1),
        EntryRow(3, "3", "ann", "hi", "2026-05-05", nth=2),
    ]
    assert Entry.epoch_ends("lobby", 0) == [(7, 3)]
    database.close()


def test_the_operator_sees_how_far_a_long_migration_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path}/chatter.db"
    message = "'hi-' || n, CASE WHEN n % 10 = 0 THEN '' ELSE 'ann' END, 'hi', '2026-05-04' FROM numbers"
    begin(
        url,
        *(
            "INSERT INTO message WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers"
            f" WHERE n < {size}) SELECT '{room}', n, 7, {message}"
            for room, size in (("den", 30_000), ("lobby", 75_000))
        ),
    )
    database = open_database(url)
    migrate(database)
    database.close()
    assert query(url, "SELECT COUNT(*) FROM entry WHERE nth <> seq - seq / 10") == [(0,)]
    ends = query(url, "SELECT slug, last_seq, last_nth FROM room ORDER BY slug")
    assert ends == [("den", 30_000, 27_000), ("lobby", 75_000, 67_500)]
    lines = [line.removeprefix("bringing the database up to date: ") for line in capsys.readouterr().err.splitlines()]
    log = lines.index("0003_log begins, with 105,000 rows")
    assert lines[log + 1 : log + 4] == [
        "50,000 of 105,000 messages",
        "100,000 of 105,000 messages",
        "105,000 of 105,000 messages",
    ]
    begun = [line.partition(" begins")[0] for line in lines if line.endswith(" begins, with 105,000 rows")]
    ended = [line.partition(" took")[0] for line in lines if re.search(r" took \d+\.\d s$", line)]
    assert begun == ended == [path.stem for path in sorted(MIGRATIONS.glob("0*.py"))[1:]]
