"""The `chatter` command. Exit code 2: it cannot run as asked (setting, port, database); 1: it failed later."""

import argparse
import asyncio
import contextlib
import io
import os
import resource
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import schema
from chatter import __version__
from chatter.cluster.errors import ClusterRefused, LaneStopped
from chatter.storage.backup import BackupFailed
from chatter.storage.local_log import NotEverythingSaved
from web import accelerator, account_commands, cluster_commands, maintenance
from web.authorize import Authorize, load_authorize
from web.oidc_clients import parse_clients, with_secrets
from web.processes import Parent, Processes
from web.server import Server
from web.settings import (
    BadSetting,
    Settings,
    add_options,
    check_accounts,
    read_settings,
    set_up_logging,
)
from web.transport.listener import AddressUnusable

SWITCH_INTERVAL = 0.0005
"""Seconds after which a busy thread lets others run. With Python's 5 ms each commit held up the loop that long."""

HOOKS_TIMEOUT = 1.0
"""Seconds for `authorize` hooks to end once the server has stopped, when everything is saved and answered."""

PRIVATE = 0o077
"""The files that are made (database, spool, lock, dead letters) are for their owner alone: people's messages."""


class _Parser(argparse.ArgumentParser):
    """Answers a mistake with one line, not with a page of usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"chatter: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns the exit code."""
    try:
        with _said_at_the_end():
            options = _parser().parse_args(arguments)
        os.umask(PRIVATE)
        settings = read_settings(vars(options), os.environ)
        set_up_logging(settings.log_level)
        if options.verb == "serve":
            return _serve(settings)
        with _said_at_the_end():
            return _run_command(options, settings)
    except _CANNOT_RUN as error:
        return _fail(2, error)
    except (account_commands.CommandFailed, _NotSaid) as error:
        return _fail(1, error)


def _run_command(options: argparse.Namespace, settings: Settings) -> int:
    match options.verb:
        case "migrate":
            return maintenance.migrate(settings)
        case "backup":
            return maintenance.backup(settings, options.folder)
        case "restore":
            return maintenance.restore(settings, options.folder)
        case "check":
            return maintenance.check(settings)
        case "cluster":
            return cluster_commands.run(options, settings)
        case _:
            return account_commands.run(options, settings)


_CANNOT_RUN = (
    account_commands.CommandRefused,
    BadSetting,
    AddressUnusable,
    BackupFailed,
    ClusterRefused,
    LaneStopped,
    schema.DatabaseUnusable,
)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="chatter", description="A chat server that speaks Phoenix Channels.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"chatter {__version__} ({_build()})")
    verbs = parser.add_subparsers(
        dest="verb", metavar=" | ".join(["serve", *_MAINTENANCE, "cluster", *_PEOPLE]), required=True
    )
    add_options(verbs.add_parser("serve", help="run the server", allow_abbrev=False))
    for verb, (does, folder) in _MAINTENANCE.items():
        of_verb = verbs.add_parser(verb, help=does, allow_abbrev=False)
        add_options(of_verb, "database", "spool_folder", "log_level")
        if folder:
            of_verb.add_argument("folder", metavar=folder, type=Path)
    cluster_commands.add_commands(verbs)
    account_commands.add_commands(verbs)
    return parser


def _build() -> str:
    return "pure Python" if accelerator.C is None else "accelerated"


_MAINTENANCE = {
    "migrate": ("bring the database up to date, which serve also does", None),
    "backup": ("copy the database and the files beside it, also while the server runs", "TO"),
    "restore": ("put a backup in the place of the database, while no server runs", "FROM"),
    "check": ("say what is wrong with the database and the files beside it", None),
}
"""What each command does, and the folder that it takes."""

_PEOPLE = ("account", "invite", "token", "audit")


def _serve(settings: Settings) -> int:
    check_accounts(settings)
    authorize = load_authorize(settings.authorize)
    sys.setswitchinterval(SWITCH_INTERVAL)
    _allow_many_connections()
    if settings.processes == 1:
        return _serve_here(settings, authorize)

    def serve(number: int, parent: Parent) -> int:
        return _serve_here(settings.of_process(number), authorize, parent)

    return Processes(settings.processes, serve).run(lambda ready: _say(ready + "\n"))


def _serve_here(settings: Settings, authorize: Authorize, parent: Parent | None = None) -> int:
    runner = asyncio.Runner(loop_factory=_loop_factory())
    code = 0
    try:
        runner.run(_run(settings, authorize, parent))
    except _CANNOT_RUN as error:
        code = _fail(2, error)
    except schema.DatabaseLost as error:
        code = _fail(1, f"stopped: {error}")
    except NotEverythingSaved:
        code = _fail(1, "stopped, but neither the database nor a file took everything that was said")
    finally:
        _close_in_time(runner, code)
    return code


def _close_in_time(runner: asyncio.Runner, code: int) -> None:
    """Closes the loop. It waits for `authorize` hooks and their threads, which may take as long as they like."""
    end = threading.Timer(HOOKS_TIMEOUT, os._exit, [code])
    end.daemon = True
    end.start()
    runner.close()
    end.cancel()


def _allow_many_connections() -> None:
    """Raises the limit of open files to what is allowed: the usual 1,024 suit programs that use select()."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except (OSError, ValueError):
        pass  # macOS says that there is no limit, and has one


async def _run(settings: Settings, authorize: Authorize, parent: Parent | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if parent is not None:
        asyncio.get_running_loop().add_reader(parent.lifeline, stop.set)
    server = Server(settings, authorize, with_secrets(parse_clients(settings.oidc), os.environ))
    await server.open()
    ready = f"Chatter is ready at {server.listen()}"
    if server.setup_address is not None:
        ready += f"\nBecome its admin at {server.setup_address}"
    if parent is None:
        _say(ready + "\n")
    else:
        os.write(parent.ready, ready.encode())
    server.database_lost.add_done_callback(lambda _lost: stop.set())
    await stop.wait()
    await server.stop()
    if server.database_lost.done():
        raise server.database_lost.result()


class _NotSaid(Exception):
    """Stdout does not take what was to be said. The message is one line for a person."""


@contextlib.contextmanager
def _said_at_the_end() -> Iterator[None]:
    """Says what a command prints once its work is done: who reads it may go before, as `head` does."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            yield
    finally:
        _say(said.getvalue())


def _say(text: str) -> None:
    """Says something at once: who waits for the first line may read no further. Where nobody reads it, that is all."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python tries it again at its end
        if not isinstance(error, BrokenPipeError):
            raise _NotSaid(f"what there was to say could not be written: {error.strerror}") from error


def _loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    try:
        import uvloop
    except ImportError:
        return None  # asyncio's own
    return uvloop.Loop


def _fail(code: int, error: object) -> int:
    print(f"chatter: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
