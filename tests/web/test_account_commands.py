"""The commands of accounts, each beside a running server, and the link for the first admin."""

import contextlib
import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.database import locked, query
from tests.support.server import Ended, Server, run_to_its_end, wait_until


@pytest.fixture
def server(database: Path, database_url: str) -> Iterator[Server]:
    with Server(database, database_url=database_url) as started:
        yield started


def chatter(server: Server, *arguments: str) -> Ended:
    """Runs a command on the server's database."""
    return run_to_its_end(*arguments, f"--database={server.database_url}", f"--port={server.port}")


def done(server: Server, *arguments: str) -> str:
    """Returns what a command prints that succeeds."""
    ended = chatter(server, *arguments)
    assert (ended.exit_code, ended.stderr) == (0, "")
    return ended.stdout


def test_the_first_admin_gets_a_link_in_a_file_for_its_owner_until_there_is_one(server: Server) -> None:
    file = server.database.parent / "setup-link"
    assert re.fullmatch(rf"{server.url}/#link=chl_[A-Za-z0-9]{{43}}\n", file.read_text())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    first = file.read_text()
    server.stop()
    server.start()
    assert file.read_text() != first
    done(server, "account", "add", "root", "--role=admin")
    wait_until(lambda: not file.exists())
    server.stop()
    server.start()
    assert not file.exists()


def test_the_ready_line_is_followed_by_the_link(tmp_path: Path) -> None:
    options = (f"--database=sqlite:///{tmp_path}/chatter.db", "--port=0", "--public-hosts=chat.example.org")
    lines: list[str] = []
    reading, writing = os.pipe()
    pid = os.posix_spawn(
        ".venv/bin/chatter" if Path(".venv/bin/chatter").exists() else "chatter",
        ["chatter", "serve", *options],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, writing, 1)],
    )
    os.close(writing)
    with open(reading) as output:
        lines = [output.readline(), output.readline()]
    os.kill(pid, 15)
    os.waitpid(pid, 0)
    assert lines[0].startswith("Chatter is ready at http://127.0.0.1:")
    assert re.fullmatch(r"Become its admin at https://chat\.example\.org/#link=chl_[A-Za-z0-9]{43}\n", lines[1])


def test_without_accounts_there_is_no_link(database: Path) -> None:
    with Server(database, accounts="off"):
        assert not (database.parent / "setup-link").exists()


def test_accounts_and_pages_of_any_origin_are_refused_together(database: Path) -> None:
    places = (f"--database=sqlite:///{database}", "--port=0")
    ended = run_to_its_end("serve", *places, "--allowed-origins=*")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr == (
        "chatter: --allowed-origins: expected the exact origins, or --accounts off, got '*' with accounts\n"
    )
    with Server(database, accounts="off", allowed_origins="*"):
        pass


def test_tokens_of_an_app_need_accounts(database: Path) -> None:
    places = (f"--database=sqlite:///{database}", "--port=0")
    ended = run_to_its_end("serve", *places, "--accounts=off", "--jwt-jwks=https://app.example.org/jwks.json")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.startswith("chatter: --jwt-jwks: expected --accounts guests or required")


def test_providers_need_accounts(database: Path) -> None:
    places = (f"--database=sqlite:///{database}", "--port=0")
    ended = run_to_its_end("serve", *places, "--accounts=off", "--oidc=work,https://id.example.org,chatter,Work")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.startswith("chatter: --oidc: expected --accounts guests or required")


def test_an_account_is_made_listed_and_changed(server: Server) -> None:
    assert re.fullmatch(
        rf"{server.url}/#link=chl_[A-Za-z0-9]{{43}}\n", done(server, "account", "add", "ann", "--name=Ann B")
    )
    assert done(server, "account", "add", "helper", "--bot", "--role=moderator") == "@helper is made\n"
    listed = [line.split("\t") for line in done(server, "account", "list").splitlines()]
    assert [row[:4] + row[5:] for row in listed] == [
        ["@ann", "member", "active", "person", "Ann B"],
        ["@helper", "moderator", "active", "bot", "helper"],
    ]
    assert done(server, "account", "role", "@ann", "admin") == "@ann is admin\n"
    assert done(server, "account", "suspend", "ann") == "@ann is suspended\n"
    assert "\tadmin\tsuspended\t" in done(server, "account", "list")
    assert done(server, "account", "resume", "ann") == "@ann may sign in again\n"
    assert done(server, "account", "erase", "ann") == "@ann is erased\n"
    assert "@ann" not in done(server, "account", "list")


def test_what_a_program_wants_is_alone_on_stdout(server: Server) -> None:
    done(server, "account", "add", "ann")
    assert re.fullmatch(r"cha_[A-Za-z0-9]{43}\n", done(server, "token", "ann", "--scopes=read,post"))
    assert re.fullmatch(rf"{server.url}/#invite=[a-z2-7]{{10}}\n", done(server, "invite", "--uses=0", "--days=1.5"))
    assert re.fullmatch(rf"{server.url}/#link=chl_[A-Za-z0-9]{{43}}\n", done(server, "account", "link", "ann"))
    assert re.fullmatch(
        rf"{server.url}/#link=chl_[A-Za-z0-9]{{43}}\n", done(server, "account", "link", "ann", "--reset")
    )
    kinds = query(server.database_url, "SELECT kind FROM secret WHERE revoked_at IS NULL ORDER BY id")
    assert [kind for (kind,) in kinds] == ["setup", "access", "invite", "link", "reset"]


def test_links_have_the_public_address(database: Path) -> None:
    places = ("--public-hosts=a.example.org", "--public-url=https://chat.example.org")
    made = run_to_its_end("invite", f"--database=sqlite:///{database}", *places)
    assert made.stdout.startswith("https://chat.example.org/#invite=")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["account", "add", "ANN"], "expected a handle of 2 to 32 of a-z, 0-9 and . _ -, got 'ANN'"),
        (["account", "add", "b0b"], "somebody has the handle b0b, or one that looks like it"),
        (["account", "add", "cyd", "--name=..."], "expected a name of 1 to 64 characters, got '...'"),
        (["account", "link", "nobody"], "there is no account @nobody"),
        (["account", "suspend", "nobody"], "there is no account @nobody"),
        (["token", "bob", "--scopes=admin"], "a member has not all of these scopes"),
        (["token", "bob", "--scopes=fly"], "scopes are some of admin, moderate, post, read"),
        (["token", "bob", "--scopes=read", "--days=-1"], "a token is for up to 3,650 days"),
        (["token", "bob", "--scopes=read", "--days=inf"], "a token is for up to 3,650 days"),
        (["invite", "--uses=1001"], "an invite has 1 to 1,000 uses"),
        (["invite", "--days=0"], "an invite is for up to 365 days"),
        (["invite", "--room=No Room"], "this is no room's name"),
    ],
)
def test_what_cannot_be_done_is_one_line(database: Path, arguments: list[str], error: str) -> None:
    option = f"--database=sqlite:///{database}"
    assert run_to_its_end("account", "add", "bob", option).exit_code == 0  # without a server, in a new database
    assert run_to_its_end(*arguments, option) == (2, "", f"chatter: {error}\n")


def test_a_database_that_cannot_be_had_is_one_line(database: Path) -> None:
    ended = run_to_its_end("account", "list", "--database=postgresql://nobody@127.0.0.1:1/none")
    assert (ended.exit_code, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)


@pytest.mark.timeout(120)
def test_a_server_that_was_killed_knows_its_sessions_and_accounts_again(server: Server) -> None:
    done(server, "account", "add", "ann")
    server.kill()
    server.start()
    assert "@ann" in done(server, "account", "list")
    assert "Traceback" not in server.log


def test_accounts_that_cannot_be_written_are_told_so(database: Path) -> None:
    option = f"--database=sqlite:///{database}"
    run_to_its_end("account", "add", "bob", option)
    with locked(f"sqlite:///{database}"):
        ended = run_to_its_end("account", "add", "cyd", option)
    assert (ended.exit_code, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert "database is locked" in ended.stderr


def test_accounts_are_listed_while_somebody_writes(database: Path) -> None:
    option = f"--database=sqlite:///{database}"
    run_to_its_end("account", "add", "bob", option)
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        ended = run_to_its_end("account", "list", option)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ended.stdout.startswith("@bob\t")


@pytest.mark.parametrize("command", [["account", "list"], ["account", "add", "cyd"], ["invite"]])
def test_a_fault_of_the_database_is_one_line(database: Path, command: list[str]) -> None:
    option = f"--database=sqlite:///{database}"
    run_to_its_end("account", "add", "bob", option)
    for table in ("account", "secret"):
        query(f"sqlite:///{database}", f"DROP TABLE {table}")
    ended = run_to_its_end(*command, option)
    assert (ended.exit_code, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert re.fullmatch(r"chatter: the database .+: no such table: (account|secret)\n", ended.stderr)
