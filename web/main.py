"""The `chatter` command. Exit code 2: it cannot run as asked (setting, port, database); 1: it failed later."""

import argparse
import asyncio
import os
import resource
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

import schema
from chatter import __version__
from schema.database import migrate
from schema.ownership import Ownership
from web.server import NotEverythingSaved, Server
from web.settings import Authorize, BadSetting, Settings, add_options, load_authorize, read_settings, set_up_logging
from web.transport.listener import AddressUnusable

SWITCH_INTERVAL = 0.0005
"""Seconds after which a busy thread lets others run. With Python's 5 ms each commit held up the loop that long."""


class _Parser(argparse.ArgumentParser):
    """Answers a mistake with one line, not with a page of usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"chatter: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        settings = read_settings(vars(options), os.environ)
        set_up_logging(settings.log_level)
        return _migrate(settings) if options.verb == "migrate" else _serve(settings)
    except (BadSetting, AddressUnusable, schema.DatabaseUnusable) as error:
        return _fail(2, error)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="chatter", description="A chat server that speaks Phoenix Channels.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"chatter {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="serve | migrate", required=True)
    add_options(verbs.add_parser("serve", help="run the server", allow_abbrev=False))
    add_options(
        verbs.add_parser("migrate", help="bring the database up to date, which serve also does", allow_abbrev=False),
        "database",
        "log_level",
    )
    return parser


def _migrate(settings: Settings) -> int:
    database = schema.open_database(settings.database)
    ownership = Ownership(settings.database)
    applied = migrate(database)
    database.close()
    ownership.release()
    print(f"{len(applied)} migrations applied" + "".join(f"\n  {name}" for name in applied))
    return 0


def _serve(settings: Settings) -> int:
    authorize = load_authorize(settings.authorize)
    sys.setswitchinterval(SWITCH_INTERVAL)
    _allow_many_connections()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            runner.run(_run(settings, authorize))
        except NotEverythingSaved:
            return _fail(1, "stopped, but neither the database nor a file took everything that was said")
    return 0


def _allow_many_connections() -> None:
    """Raises the limit of open files to what is allowed: the usual 1,024 suit programs that use select()."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except (OSError, ValueError):
        pass  # macOS says that there is no limit, and has one


async def _run(settings: Settings, authorize: Authorize) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = Server(settings, authorize)
    print(f"Chatter is ready at {server.start()}", flush=True)
    await stop.wait()
    await server.stop()


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
