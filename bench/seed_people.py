"""Makes a database with accounts, their access tokens, and private rooms that they share."""

import secrets
from pathlib import Path

import schema
from chatter.accounts import keys, people
from chatter.accounts.times import Moment
from chatter.charter import Author, new_slug
from chatter.clock import wall_clock
from chatter.messages import MemberAs, MembersChanged, RoomChanged
from chatter.storage.records import row_of
from schema.base import writing_transaction
from schema.database import migrate

ROOMS_EACH = 20


def seed_accounts(file: Path, count: int) -> tuple[str, ...]:
    """Makes a database with so many accounts. Returns an access token of each."""
    database = schema.open_database(f"sqlite:///{file}", "normal")
    migrate(database)
    now = Moment(wall_clock())
    with writing_transaction():
        accounts = [people.add(people.NewAccount(f"person{number}", "Somebody"), now) for number in range(count)]
        tokens = tuple(_token(each.id, now) for each in accounts)
    database.close()
    return tokens


def _token(account: int, now: Moment) -> str:
    return keys.make_token(account, "bench", ["read", "post"], days=1, most=20, now=now).text


def seed(file: Path, circles: int, size: int) -> tuple[list[list[str]], list[list[str]]]:
    """Makes circles of people who share `ROOMS_EACH` rooms. Returns the tokens and the rooms of each circle."""
    database = schema.open_database(f"sqlite:///{file}", "normal")
    migrate(database)
    epoch = schema.Epoch.begin()
    tokens, rooms = [], []
    for circle in range(circles):
        now = Moment(wall_clock())
        with writing_transaction():
            made = [people.NewAccount(f"person{circle}x{number}", "Somebody") for number in range(size)]
            accounts = [people.add(each, now) for each in made]
            tokens.append([_token(each.id, now) for each in accounts])
        who = [MemberAs(Author(each.id, each.handle), each.name) for each in accounts]
        rooms.append([new_slug("private") for _ in range(ROOMS_EACH)])
        for slug in rooms[-1]:
            founded: list[RoomChanged | MembersChanged] = [
                RoomChanged(1, secrets.token_hex(8), "Somebody", now.iso, 0, kind="private", author=who[0].who),
                *(
                    MembersChanged(
                        2 + first // 20,
                        secrets.token_hex(8),
                        "Somebody",
                        now.iso,
                        0,
                        "added",
                        tuple(who[first : first + 20]),
                        "member",
                        author=who[0].who,
                    )
                    for first in range(0, size, 20)
                ),
            ]
            schema.Entry.save_all([(slug, epoch, [row_of(entry) for entry in founded])])
    database.close()
    return tokens, rooms
