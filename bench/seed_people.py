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
            tokens.append(
                [
                    keys.make_token(each.id, "bench", ["read", "post"], days=1, most=20, now=now).text
                    for each in accounts
                ]
            )
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
