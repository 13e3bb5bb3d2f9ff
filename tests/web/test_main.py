"""The `chatter` command, as a process: what it says, how it fails, and what is left when it is told to stop."""

import contextlib
import json
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatter import __version__
from tests.support.database import query
from tests.support.phoenix_client import WebSocket, request
from tests.support.server import PATIENCE, ROOT, Server

TEXT, CLOSE = 1, 8


def chatter(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end, with nothing of ours in the environment but `environment`."""
    return subprocess.run(
        [sys.executable, "-m", "web.main", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def complaint(*arguments: str, **environment: str) -> str:
    """The one line with which the command refuses to run."""
    ended = chatter(*arguments, **environment)
    assert (ended.returncode, ended.stdout) == (2, ""), ended
    lines = ended.stderr.splitlines()
    assert len(lines) == 1, ended.stderr
    assert lines[0].startswith("chatter: ")
    return lines[0]


def serve_complaint(database: object, *arguments: str) -> str:
    """The same for a server with that database."""
    return complaint("serve", "--port=0", f"--database={database}", *arguments)


# ---------------------------------------------------------------- what it says


def test_it_says_its_version() -> None:
    ended = chatter("--version")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"chatter {__version__}\n", "")


@pytest.mark.parametrize(("verb", "words"), [((), ["serve", "migrate"]), (("serve",), ["--port", "CHATTER_PORT"])])
def test_it_helps(verb: tuple[str, ...], words: list[str]) -> None:
    ended = chatter(*verb, "--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert all(word in ended.stdout for word in words)


def test_on_port_0_it_says_which_port_it_took_and_nothing_on_stderr(database: Path) -> None:
    with Server(database) as server:  # reads the line, and starts it with --port=0
        assert server.port > 0
        assert request(server.port, "GET", "/healthz").status == 200
        assert server.stop() == 0
        assert server.log == ""


def test_migrate_says_what_it_did_and_does_it_once(database: Path) -> None:
    first, second = (chatter("migrate", f"--database=sqlite:///{database}") for _ in range(2))
    assert (first.returncode, first.stdout, first.stderr) == (0, "1 migrations applied\n  0001_messages\n", "")
    assert (second.returncode, second.stdout, second.stderr) == (0, "0 migrations applied\n", "")
    assert query(f"sqlite:///{database}", "select count(*) from message") == [(0,)]


def test_the_environment_names_the_database(database: Path) -> None:
    assert chatter("migrate", CHATTER_DATABASE=f"sqlite:///{database}").returncode == 0
    assert database.exists()


# ---------------------------------------------------------------- what it refuses


def test_it_wants_a_verb_that_it_knows() -> None:
    assert "serve | migrate" in complaint()
    assert "dance" in complaint("dance")


@pytest.mark.parametrize("argument", ["--prot=1", "--por=1", "--verbose", "more", "-p"])
def test_an_option_that_does_not_exist_is_named(argument: str) -> None:
    assert argument in complaint("serve", argument)


def test_an_option_of_serve_is_none_of_migrate() -> None:
    assert "--port" in complaint("migrate", "--port=1")


def test_an_option_without_its_value_is_named() -> None:
    assert "--port" in complaint("serve", "--port")


def test_a_bad_value_is_named_with_what_was_expected_and_what_came() -> None:
    assert complaint("serve", "--port=x") == "chatter: --port: expected a whole number from 0 to 65535, got 'x'"
    assert "CHATTER_PORT: expected a whole number" in complaint("serve", CHATTER_PORT="70000")
    assert "CHATTER_PROT: there is no such setting" in complaint("serve", CHATTER_PROT="1")


def test_a_hook_that_cannot_be_imported_is_named(database: Path) -> None:
    assert "'no_such:hook'" in serve_complaint(f"sqlite:///{database}", "--authorize=no_such:hook")


def test_a_port_in_use_is_said_and_the_database_is_not_touched(database: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = complaint("serve", f"--port={port}", f"--database=sqlite:///{database}")
    assert "in use" in line
    assert str(port) in line
    assert not database.exists()


def test_an_address_that_is_not_ours_is_said(database: Path) -> None:
    assert "192.0.2.1" in serve_complaint(f"sqlite:///{database}", "--host=192.0.2.1")


@pytest.fixture
def unusable(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a database that cannot be opened."""
    (tmp_path / "file").write_text("This is not a database, though it is long enough to have been one. " * 20)
    (tmp_path / "folder").mkdir()
    return f"sqlite:///{tmp_path / request.param}" if request.param[0] != "/" else f"sqlite:///{request.param}"


@pytest.mark.parametrize("unusable", ["file", "folder", "file/chatter.db", "/proc/chatter.db"], indirect=True)
def test_a_database_that_cannot_be_opened_is_named(unusable: str) -> None:
    assert unusable.removeprefix("sqlite:///") in serve_complaint(unusable)
    assert unusable.removeprefix("sqlite:///") in complaint("migrate", f"--database={unusable}")


@pytest.mark.parametrize(
    "url",
    [
        "chatter.db",
        "mysql://127.0.0.1/chat",
        "sqlite:",
        "sqlite://",
        "sqlite:///",
        "sqlite://chatter.db",
        "sqlite:///:memory:",
        "postgresql://127.0.0.1:1/chat",
        "postgresql://127.0.0.1:port/chat",
        "postgresql://[::1/chat",
        "://",
    ],
)
def test_a_database_of_another_kind_is_refused(url: str) -> None:
    assert url in serve_complaint(url)


def test_a_password_is_not_repeated_in_a_complaint() -> None:
    assert "s3cret" not in serve_complaint("postgresql://ann:s3cret@127.0.0.1:1/chat")


def test_a_database_that_a_newer_chatter_has_migrated_is_refused_and_left_alone(database: Path) -> None:
    chatter("migrate", f"--database=sqlite:///{database}")
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("insert into schema_migration (name, applied) values ('9999_flying', '2099-01-01')")
    for line in (serve_complaint(f"sqlite:///{database}"), complaint("migrate", f"--database=sqlite:///{database}")):
        assert "newer" in line
        assert "9999_flying" in line


# ---------------------------------------------------------------- how it stops


@contextlib.contextmanager
def talking(server: Server) -> Iterator[WebSocket]:
    """A client in the lobby."""
    ann = WebSocket(server.port)
    ann.send(TEXT, b'["1","1","chat_room:lobby","phx_join",{}]')
    hears(ann, "phx_reply")
    try:
        yield ann
    finally:
        ann.connection.close()


def say(ann: WebSocket, number: int) -> None:
    ann.send(TEXT, json.dumps(["1", str(number), "chat_room:lobby", "new_message", post(number)]).encode())


def post(number: int) -> dict[str, str]:
    return {"id": f"ann-{number}", "name": "ann", "message": f"message {number}"}


def hears(ann: WebSocket, event: str, **payload: object) -> dict[str, object]:
    """The payload of the next such event."""
    while True:
        _join_ref, _ref, _topic, heard, fields = json.loads(ann.receive().data)
        if heard == event and payload.items() <= fields.items():
            found: dict[str, object] = fields
            return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_a_signal_with_exit_code_0_and_what_was_said_is_saved(
    database: Path, database_url: str, number: signal.Signals
) -> None:
    with Server(database, database_url=database_url) as server, talking(server) as ann:
        for count in range(1, 201):
            say(ann, count)
        hears(ann, "new_message", id="ann-200")  # heard, but not acknowledged yet
        assert server.stop(number) == 0
        assert server.log == ""
    said = [(count, f"ann-{count}", "ann", f"message {count}") for count in range(1, 201)]
    assert query(database_url, "select seq, id, name, message from message where room = 'lobby' order by seq") == said


def test_everyone_who_was_heard_is_answered_before_the_end(database: Path) -> None:
    with Server(database) as server, talking(server) as ann:
        for count in range(1, 51):
            say(ann, count)
        hears(ann, "new_message", id="ann-50")
        assert server.stop() == 0
        answers, code = read_to_the_end(ann)
    assert answers[-1] == {"id": "ann-50", "seq": 50, "inserted_at": answers[-1]["inserted_at"]}
    assert code == 1012


def test_what_was_said_is_there_for_those_who_come_after_the_next_start(database: Path, database_url: str) -> None:
    with Server(database, database_url=database_url) as server:
        with talking(server) as ann:
            say(ann, 1)
            hears(ann, "new_message")
        server.stop()
        server.start()
        with talking(server) as bo:
            assert hears(bo, "new_message")["message"] == "message 1"


def test_what_the_database_refuses_to_the_end_is_saved_by_the_next_start(database: Path) -> None:
    with Server(database, stop_timeout=0.5) as server:
        with talking(server) as ann, contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            say(ann, 1)
            hears(ann, "new_message")
            assert server.stop() == 0
        unsaved = database.with_name("chatter.db.unsaved.jsonl")
        assert json.loads(unsaved.read_text())["message"] == "message 1"
        server.start()
        assert not unsaved.exists()
    assert query(f"sqlite:///{database}", "select seq, epoch, id from message") == [(1, 1, "ann-1")]


def modes(folder: Path) -> dict[str, int]:
    """What may be done with each file and folder below, and by whom."""
    return {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in folder.rglob("*")}


def test_what_migrate_makes_is_for_its_owner_alone(tmp_path: Path) -> None:
    assert chatter("migrate", f"--database=sqlite:///{tmp_path}/var/chatter.db").returncode == 0
    assert modes(tmp_path)["var/chatter.db"] == 0o600
    assert {path: mode for path, mode in modes(tmp_path).items() if mode & 0o077} == {}


def test_what_serve_makes_is_for_its_owner_alone(tmp_path: Path, database: Path) -> None:
    own = tmp_path / "own" / "chatter.db"
    with (
        Server(database, database_url=f"sqlite:///{own}", spool_folder=own.parent, stop_timeout=0.5) as server,
        talking(server) as ann,
        contextlib.closing(sqlite3.connect(own, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        say(ann, 1)
        hears(ann, "new_message")
        while_running = modes(own.parent)
        assert server.stop() == 0
    assert any(name.endswith(".unsaved.jsonl") for name in modes(own.parent))
    assert {path: mode for path, mode in (while_running | modes(own.parent)).items() if mode & 0o077} == {}
    assert own.parent.stat().st_mode & 0o077 == 0


def test_a_database_has_one_server(database: Path, server: Server) -> None:
    taken = "chatter: another Chatter is running on this database"
    assert serve_complaint(f"sqlite:///{database}") == taken
    assert complaint("migrate", f"--database=sqlite:///{database}") == taken
    server.kill()
    server.start()  # nobody has to clean up after one that was killed


def read_to_the_end(ann: WebSocket) -> tuple[list[dict[str, object]], int]:
    """The answers still to come, and the close code."""
    answers = []
    while (frame := ann.receive()).opcode != CLOSE:
        _join_ref, _ref, _topic, event, payload = json.loads(frame.data)
        if event == "phx_reply":
            answers.append(payload["response"])
    return answers, int.from_bytes(frame.data)
