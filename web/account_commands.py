"""The commands `account`, `invite`, `token` and `audit`. Each works beside a running server.

It learns of them in a second. What a program may want is alone on stdout: a token, or the address of a link. Each
returns the exit code.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

import msgspec
import peewee

from chatter.accounts import audit, invitations, keys, names, people
from chatter.accounts.passwords import Passwords
from chatter.accounts.principal import Role, Scope
from chatter.accounts.times import Moment
from chatter.accounts.values import AccountRefused, LinkKind
from chatter.charter import Author
from chatter.clock import wall_clock
from schema import Account, Database, open_database
from schema.base import writing_transaction
from schema.database import migrate, needs_migration
from schema.errors import in_one_line
from schema.ownership import open_owned
from schema.purge import DELETED_ACCOUNT
from web.channels.characters import normal_name
from web.page_address import page_address, page_link
from web.settings import Settings, add_options

T = TypeVar("T")

LOCK_PATIENCE = 10.0
"""Seconds for a running server to let another program write."""

OPTIONS = (
    *("host", "port", "public_url", "public_hosts"),
    *("database", "spool_folder", "log_level", "password_min", "max_tokens"),
)
"""The settings that these commands take too."""


class CommandRefused(Exception):
    """A command cannot be done. The message is one line."""


class CommandFailed(Exception):
    """The database has failed a command. The message is one line."""


def add_commands(verbs: Any) -> None:  # argparse gives what it returns no public name
    """Adds the commands to those of `chatter`."""
    account = verbs.add_parser("account", help="make, list and change accounts", allow_abbrev=False)
    deeds = account.add_subparsers(
        dest="deed", metavar="add | list | link | role | suspend | resume | erase", required=True
    )
    for deed, (does, has_handle) in _DEEDS.items():
        parser = deeds.add_parser(deed, help=does, allow_abbrev=False)
        add_options(parser, *OPTIONS)
        if has_handle:
            parser.add_argument("handle", metavar="HANDLE")
        if deed == "add":
            parser.add_argument(
                "--name", metavar="NAME", dest="display_name", help="what people are called, if not their handle"
            )
            parser.add_argument("--role", choices=people.ROLES, default="member")
            parser.add_argument("--bot", action="store_true", help="a program, which gets tokens and no password")
            parser.add_argument(
                "--password-stdin", action="store_true", help="read the password from stdin, else a link is printed"
            )
        if deed == "link":
            parser.add_argument(
                "--reset", action="store_true", help="for a new password (4 hours), not to sign in (15 minutes)"
            )
        if deed == "erase":
            parser.add_argument(
                "--messages",
                choices=("keep", "erase"),
                default="keep",
                help="keep what it has said, as a deleted account's, or erase the texts too (default: keep)",
            )
        if deed == "role":
            parser.add_argument("role", choices=people.ROLES)
    invite = verbs.add_parser("invite", help="print an invite", allow_abbrev=False)
    add_options(invite, *OPTIONS)
    invite.add_argument(
        "--uses", type=int, default=1, help="how many accounts it is for, 1 to 1,000; 0 for any number (default: 1)"
    )
    invite.add_argument("--days", type=float, default=7.0, help="how long it may be used (default: 7)")
    invite.add_argument("--room", metavar="SLUG", help="the room that it leads to")
    invite.add_argument("--role", choices=people.ROLES, help="the role that it gives, if not that of a member")
    token = verbs.add_parser("token", help="print an access token of an account", allow_abbrev=False)
    add_options(token, *OPTIONS)
    token.add_argument("handle", metavar="HANDLE")
    token.add_argument("--scopes", required=True, help="some of read,post,moderate,admin")
    token.add_argument("--label", default="made by command", help="what the account's list of tokens calls it")
    token.add_argument("--days", type=float, default=90.0, help="how long it works; 0 for ever (default: 90)")
    deeds = verbs.add_parser("audit", help="print who did what to whom, the latest first", allow_abbrev=False)
    add_options(deeds, *OPTIONS)
    deeds.add_argument("--limit", type=int, default=100, help="how many deeds (default: 100)")


_DEEDS = {
    "add": ("make an account", True),
    "list": ("list all accounts", False),
    "link": ("print a link with which somebody signs in or chooses a password", True),
    "role": ("give an account another role", True),
    "suspend": ("keep an account out, and sign it out everywhere", True),
    "resume": ("let a suspended account in again", True),
    "erase": ("erase an account for ever", True),
}
"""What each command does to accounts, and whether it names one."""


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Runs a command. Raises `CommandRefused`, `CommandFailed` and `DatabaseUnusable`."""
    commands: dict[str, Callable[[argparse.Namespace, Settings], None]] = {
        "invite": _invite,
        "token": _token,
        "audit": _audit,
        "account add": _add,
        "account list": _list,
        "account link": _link,
        "account role": _role,
        "account suspend": _suspend,
        "account resume": _resume,
        "account erase": _erase,
    }
    command = options.verb if options.verb != "account" else f"account {options.deed}"
    try:
        commands[command](options, settings)
    except AccountRefused as error:
        raise CommandRefused(error.message or error.reason) from error
    except peewee.PeeweeException as error:
        raise CommandFailed(f"the database has failed: {in_one_line(error)}") from error
    return 0


def _add(options: argparse.Namespace, settings: Settings) -> None:
    handle = options.handle.removeprefix("@")
    if not names.is_handle(handle):
        raise CommandRefused(f"expected a handle of 2 to 32 of a-z, 0-9 and . _ -, got {handle!r}")
    name = normal_name(options.display_name or handle)
    if not names.is_name(name, settings.max_name_length):
        raise CommandRefused(
            f"expected a name of 1 to {settings.max_name_length} characters, got {options.display_name!r}"
        )
    password = _password(settings, handle, name) if options.password_stdin else None
    kind = "bot" if options.bot else "person"
    new = people.NewAccount(handle, name, password, cast(Role, options.role), kind)

    def work(now: Moment) -> str | None:
        people.add(new, now)
        return None if password or options.bot else invitations.make_link(handle, "reset", now)

    link = _write(settings, work)
    print(f"@{handle} is made" if link is None else _link_to(settings, "link", link))


def _list(_options: argparse.Namespace, settings: Settings) -> None:
    for row in _read(settings, Account.listed):
        print(f"@{row.handle}\t{row.role}\t{row.state}\t{row.kind}\t{row.seen_at[:10]}\t{row.name}")


def _link(options: argparse.Namespace, settings: Settings) -> None:
    handle = options.handle.removeprefix("@")
    kind: LinkKind = "reset" if options.reset else "link"
    print(_link_to(settings, "link", _write(settings, lambda now: invitations.make_link(handle, kind, now))))


def _role(options: argparse.Namespace, settings: Settings) -> None:
    handle = options.handle.removeprefix("@")
    _write(settings, lambda now: people.set_role(handle, options.role, now))
    print(f"@{handle} is {options.role}")


def _suspend(options: argparse.Namespace, settings: Settings) -> None:
    handle = options.handle.removeprefix("@")
    _write(settings, lambda now: people.suspend(handle, now))
    print(f"@{handle} is suspended")


def _resume(options: argparse.Namespace, settings: Settings) -> None:
    handle = options.handle.removeprefix("@")
    _write(settings, lambda now: people.resume(handle, now))
    print(f"@{handle} may sign in again")


def _erase(options: argparse.Namespace, settings: Settings) -> None:
    handle = options.handle.removeprefix("@")
    erases = options.messages == "erase"
    _write(settings, lambda now: people.erase_at_once(people.by_handle(handle).id, erases=erases, now=now))
    print(f"@{handle} is erased")


def _invite(options: argparse.Namespace, settings: Settings) -> None:
    uses = options.uses or None
    made = _write(
        settings,
        lambda now: invitations.make_invite(
            None, now, room=options.room, uses=uses, days=options.days, role=options.role
        ),
    )
    print(_link_to(settings, "invite", made.text))


def _token(options: argparse.Namespace, settings: Settings) -> None:
    handle, scopes = options.handle.removeprefix("@"), cast(list[Scope], options.scopes.replace(",", " ").split())
    made = _write(
        settings,
        lambda now: keys.make_token(
            people.by_handle(handle).id,
            options.label,
            scopes,
            days=options.days or None,
            most=settings.max_tokens,
            now=now,
        ),
    )
    print(made.text)


def _audit(options: argparse.Namespace, settings: Settings) -> None:
    if options.limit < 1:
        raise CommandRefused(f"expected --limit to be 1 or more, got {options.limit}")
    for deed in _write(settings, lambda _now: audit.deeds(None, options.limit)):
        change = {"before": deed.before, "after": deed.after}
        told = msgspec.json.encode({name: value for name, value in change.items() if value is not None}).decode()
        words = [deed.at, _called(deed.actor), deed.action, _called(deed.target), deed.room, deed.reason, told]
        print("\t".join(" ".join((word or "-").split()) for word in words))


def _called(author: Author | None) -> str | None:
    return None if author is None else f"@{author.handle}" if author.handle else DELETED_ACCOUNT


def _password(settings: Settings, *its_names: str) -> str:
    """Returns the hash of the password on stdin."""
    text = sys.stdin.readline().rstrip("\r\n")
    passwords = Passwords(settings.password_min)
    try:
        passwords.check_choice(text, *its_names)
        return asyncio.run(passwords.hash(text))
    finally:
        passwords.close()


def _link_to(settings: Settings, kind: str, secret: str) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = page_address(settings.public_url, settings.public_hosts, f"http://{host}:{settings.port}")
    return page_link(address, kind, secret)


def _read(settings: Settings, work: Callable[[], T]) -> T:
    """Returns what `work` returns in a transaction that only reads, beside whoever writes."""
    database = _open(settings)
    try:
        with database.atomic():
            return work()
    finally:
        database.close()


def _write(settings: Settings, work: Callable[[Moment], T]) -> T:
    """Returns what `work` returns in a transaction. Waits for a server that writes."""
    database = _open(settings)
    deadline = time.monotonic() + LOCK_PATIENCE
    try:
        while True:
            try:
                with writing_transaction():
                    return work(Moment(wall_clock()))
            except peewee.OperationalError as error:
                if time.monotonic() > deadline or "locked" not in in_one_line(error):
                    raise CommandFailed(f"the database cannot be written to: {in_one_line(error)}") from error
    finally:
        database.close()


def _open(settings: Settings) -> Database:
    """Opens the database beside a server, or brings it up to date where none runs. Raises `DatabaseUnusable`."""
    database = open_database(settings.database, timeout=settings.database_timeout)
    if needs_migration(database):
        database.close()
        database, ownership = open_owned(settings.database, timeout=settings.database_timeout)
        migrate(database)
        with writing_transaction():
            people.renew_skeletons()
        database.close()
        ownership.release()
        database = open_database(settings.database, timeout=settings.database_timeout)
    return database
