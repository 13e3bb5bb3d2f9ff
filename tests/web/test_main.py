"""The `chatter` command as a process: its output, its errors, its stop."""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from chatter import __version__
from schema.database import MIGRATIONS
from tests.support.accelerated import is_wanted
from tests.support.database import query
from tests.support.phoenix_client import WebSocket, request
from tests.support.server import PATIENCE, ROOT, Server, run_to_its_end
from web import accelerator

TEXT, CLOSE = 1, 8


def error_line(*arguments: str, **environment: str) -> str:
    """Runs a command that must fail, and returns its only line of output."""
    ended = run_to_its_end(*arguments, **environment)
    assert (ended.exit_code, ended.stdout) == (2, ""), ended
    lines = ended.stderr.splitlines()
    assert len(lines) == 1, ended.stderr
    assert lines[0].startswith("chatter: ")
    return lines[0]


def serve_error_line(database: object, *arguments: str) -> str:
    """Does the same for a server with that database."""
    return error_line("serve", "--port=0", f"--database={database}", *arguments)


# ---------------------------------------------------------------- output


def test_the_version_is_printed() -> None:
    """Runs the command as a shell does.

    The other tests fork it from a process that has imported it, which saves 0.6 s each time.
    """
    build = "pure Python" if accelerator.C is None else "accelerated"
    assert version() == f"chatter {__version__} ({build})\n"
    assert version(CHATTER_ACCELERATOR="off") == f"chatter {__version__} (pure Python)\n"


def version(**environment: str) -> str:
    command = [sys.executable, "-m", "web.main", "--version"]
    ended = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--version"], 0),
        (["serve", "--help"], 0),
        (["migrate"], 0),
        (["account", "list"], 0),
        (["check"], 1),
    ],
)
def test_a_command_whose_output_nobody_reads_ends_as_if_somebody_did(
    database: Path, arguments: list[str], code: int
) -> None:
    if arguments[0] != "migrate":
        assert run_to_its_end("migrate", f"--database=sqlite:///{database}").exit_code == 0
        query(f"sqlite:///{database}", "DROP INDEX post_room_changed")
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as nobody:
        ended = written_to(nobody, *arguments, database=database)
    assert (ended.returncode, ended.stderr) == (code, "")


def test_output_that_cannot_be_written_is_an_error(database: Path) -> None:
    with open("/dev/full", "w") as full:
        ended = written_to(full, "migrate", database=database)
    said = "chatter: what there was to say could not be written: No space left on device\n"
    assert (ended.returncode, ended.stderr) == (1, said)


def written_to(file: IO[str], *arguments: str, database: Path) -> "subprocess.CompletedProcess[str]":
    command, environment = [sys.executable, "-m", "web.main", *arguments], {"CHATTER_DATABASE": f"sqlite:///{database}"}
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, stdout=file, stderr=subprocess.PIPE, text=True, check=False
    )


@pytest.mark.skipif(not is_wanted(), reason="of CI, unless it runs the tests on Python alone")
def test_ci_runs_the_accelerator() -> None:
    assert accelerator.C is not None, "expected web._accelerator, which needs a C compiler to be built"


@pytest.mark.parametrize(("verb", "words"), [((), ["serve", "migrate"]), (("serve",), ["--port", "CHATTER_PORT"])])
def test_help_lists_verbs_and_options(verb: tuple[str, ...], words: list[str]) -> None:
    ended = run_to_its_end(*verb, "--help")
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert all(word in ended.stdout for word in words)


def test_on_port_0_the_server_prints_its_port_and_stderr_is_empty(database: Path) -> None:
    with Server(database, port=0) as server:  # which reads the ready line
        assert server.port > 0
        assert request(server.port, "GET", "/healthz").status == 200
        assert server.stop() == 0
        assert server.log == ""


def test_migrate_prints_what_it_applied_and_applies_it_once(database: Path) -> None:
    first, second = (run_to_its_end("migrate", f"--database=sqlite:///{database}") for _ in range(2))
    names = sorted(path.stem for path in MIGRATIONS.glob("0*.py"))
    assert first == (0, "".join([f"{len(names)} migrations applied\n", *(f"  {name}\n" for name in names)]), "")
    assert second == (0, "0 migrations applied\n", "")
    assert query(f"sqlite:///{database}", "select count(*) from entry") == [(0,)]


def test_the_environment_names_the_database(database: Path) -> None:
    assert run_to_its_end("migrate", CHATTER_DATABASE=f"sqlite:///{database}").exit_code == 0
    assert database.exists()


# ---------------------------------------------------------------- errors


def test_a_missing_or_unknown_verb_is_an_error() -> None:
    assert "serve | migrate" in error_line()
    assert "dance" in error_line("dance")


@pytest.mark.parametrize("argument", ["--prot=1", "--por=1", "--verbose", "more", "-p"])
def test_an_unknown_option_is_named(argument: str) -> None:
    assert argument in error_line("serve", argument)


def test_migrate_does_not_take_options_of_serve() -> None:
    assert "--port" in error_line("migrate", "--port=1")


def test_an_option_without_a_value_is_named() -> None:
    assert "--port" in error_line("serve", "--port")


def test_a_bad_value_is_named_with_what_was_expected_and_what_it_got() -> None:
    assert error_line("serve", "--port=x") == "chatter: --port: expected a whole number from 0 to 65535, got 'x'"
    assert "CHATTER_PORT: expected a whole number" in error_line("serve", CHATTER_PORT="70000")
    assert "CHATTER_PROT: there is no such setting" in error_line("serve", CHATTER_PROT="1")


def test_a_hook_that_cannot_be_imported_is_named(database: Path) -> None:
    assert "'no_such:hook'" in serve_error_line(f"sqlite:///{database}", "--authorize=no_such:hook")


def test_a_shared_key_that_is_too_short_is_named_and_not_shown() -> None:
    assert error_line("serve", "--jwt-key=s3cret").endswith("of at least 32 bytes each, got another text")


def test_a_port_in_use_is_named_and_no_database_is_created(database: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = error_line("serve", f"--port={port}", f"--database=sqlite:///{database}")
    assert "in use" in line
    assert str(port) in line
    assert not database.exists()


def test_an_address_of_another_machine_is_named(database: Path) -> None:
    assert "192.0.2.1" in serve_error_line(f"sqlite:///{database}", "--host=192.0.2.1")


@pytest.fixture
def unusable(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Returns the URL of a database that cannot be opened."""
    (tmp_path / "file").write_text("This is not a database, though it is long enough to have been one. " * 20)
    (tmp_path / "folder").mkdir()
    return f"sqlite:///{tmp_path / request.param}" if request.param[0] != "/" else f"sqlite:///{request.param}"


@pytest.mark.parametrize("unusable", ["file", "folder", "file/chatter.db", "/proc/chatter.db"], indirect=True)
def test_a_database_that_cannot_be_opened_is_named(unusable: str) -> None:
    assert unusable.removeprefix("sqlite:///") in serve_error_line(unusable)
    assert unusable.removeprefix("sqlite:///") in error_line("migrate", f"--database={unusable}")


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
    assert url in serve_error_line(url)


def test_an_error_does_not_show_the_password() -> None:
    assert "s3cret" not in serve_error_line("postgresql://ann:s3cret@127.0.0.1:1/chat")


def test_a_database_with_migrations_of_a_newer_release_is_refused(database: Path) -> None:
    run_to_its_end("migrate", f"--database=sqlite:///{database}")
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("insert into schema_migration (name, applied) values ('9999_flying', '2099-01-01')")
    for line in (serve_error_line(f"sqlite:///{database}"), error_line("migrate", f"--database=sqlite:///{database}")):
        assert "newer" in line
        assert "9999_flying" in line


# ---------------------------------------------------------------- stopping


@contextlib.contextmanager
def joined(server: Server) -> Iterator[WebSocket]:
    """Connects a client, and joins the lobby."""
    ann = WebSocket(server.port)
    ann.send(TEXT, b'["1","1","chat_room:lobby","phx_join",{}]')
    wait_for(ann, "phx_reply")
    try:
        yield ann
    finally:
        ann.connection.close()


def post(ann: WebSocket, number: int) -> None:
    payload = {"id": f"ann-{number}", "name": "ann", "message": f"message {number}"}
    ann.send(TEXT, json.dumps(["1", str(number), "chat_room:lobby", "new_message", payload]).encode())


def wait_for(ann: WebSocket, event: str, **payload: object) -> dict[str, object]:
    """Returns the payload of the next event of that name with these fields."""
    while True:
        _join_ref, _ref, _topic, heard, fields = json.loads(ann.receive().data)
        if heard == event and payload.items() <= fields.items():
            found: dict[str, object] = fields
            return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_server_with_exit_code_0_and_all_posts_are_saved(
    database: Path, database_url: str, number: signal.Signals
) -> None:
    with Server(database, database_url=database_url) as server, joined(server) as ann:
        for count in range(1, 201):
            post(ann, count)
        wait_for(ann, "new_message", id="ann-200")  # heard, but not acknowledged yet
        assert server.stop(number) == 0
        assert server.log == ""
    said = [(count, f"ann-{count}", "ann", f"message {count}") for count in range(1, 201)]
    lobby = "(select id from room where slug = 'lobby')"
    saved = query(database_url, f"select seq, id, name, message from entry where room = {lobby} order by seq")
    assert saved == said


def test_every_post_that_was_heard_is_answered_before_the_stop(database: Path) -> None:
    with Server(database) as server, joined(server) as ann:
        for count in range(1, 51):
            post(ann, count)
        wait_for(ann, "new_message", id="ann-50")
        assert server.stop() == 0
        answers, code = receive_until_closed(ann)
    assert answers[-1] == {"id": "ann-50", "seq": 50, "inserted_at": answers[-1]["inserted_at"]}
    assert code == 1012


def test_messages_are_there_after_a_restart(database: Path, database_url: str) -> None:
    with Server(database, database_url=database_url) as server:
        with joined(server) as ann:
            post(ann, 1)
            wait_for(ann, "new_message")
        server.stop()
        server.start()
        with joined(server) as bo:
            assert wait_for(bo, "new_message")["message"] == "message 1"


def test_messages_that_a_stop_could_not_save_are_saved_by_the_next_start(database: Path) -> None:
    with Server(database, stop_timeout=0.5) as server:
        with joined(server) as ann, contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            post(ann, 1)
            wait_for(ann, "new_message")
            assert server.stop() == 0
        (unsaved,) = database.parent.glob("chatter.db.*.unsaved.jsonl")
        left = json.loads(unsaved.read_text())
        assert left["message"] == "message 1"
        server.start()
        assert not unsaved.exists()
    assert query(f"sqlite:///{database}", "select seq, epoch, id from entry") == [(1, left["epoch"], "ann-1")]


def modes(folder: Path) -> dict[str, int]:
    """Returns the permissions of each file and folder below."""
    return {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in folder.rglob("*")}


def test_what_migrate_makes_is_only_for_its_owner(tmp_path: Path) -> None:
    assert run_to_its_end("migrate", f"--database=sqlite:///{tmp_path}/var/chatter.db").exit_code == 0
    assert modes(tmp_path)["var/chatter.db"] == 0o600
    assert {path: mode for path, mode in modes(tmp_path).items() if mode & 0o077} == {}


def test_what_serve_makes_is_only_for_its_owner(tmp_path: Path, database: Path) -> None:
    own = tmp_path / "own" / "chatter.db"
    with (
        Server(database, database_url=f"sqlite:///{own}", spool_folder=own.parent, stop_timeout=0.5) as server,
        joined(server) as ann,
        contextlib.closing(sqlite3.connect(own, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        post(ann, 1)
        wait_for(ann, "new_message")
        while_running = modes(own.parent)
        assert server.stop() == 0
    assert any(name.endswith(".unsaved.jsonl") for name in modes(own.parent))
    assert {path: mode for path, mode in (while_running | modes(own.parent)).items() if mode & 0o077} == {}
    assert own.parent.stat().st_mode & 0o077 == 0


def test_a_database_has_only_one_server(database: Path, server: Server) -> None:
    taken = "chatter: another Chatter is running on this database"
    assert serve_error_line(f"sqlite:///{database}") == taken
    assert error_line("migrate", f"--database=sqlite:///{database}") == taken
    server.kill()
    server.start()  # a killed server leaves no lock behind


def receive_until_closed(ann: WebSocket) -> tuple[list[dict[str, object]], int]:
    """Returns the answers still to come, and the close code."""
    answers = []
    while (frame := ann.receive()).opcode != CLOSE:
        _join_ref, _ref, _topic, event, payload = json.loads(frame.data)
        if event == "phx_reply":
            answers.append(payload["response"])
    return answers, int.from_bytes(frame.data)
