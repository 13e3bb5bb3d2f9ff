"""Rooms that are somebody's, over sockets and HTTP: a server, people with accounts, and what each says and hears."""

import time
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.support.database import query
from tests.support.server import Server
from tests.support.talker import PhoenixFrame, Talker
from tests.web.accounts.conftest import Answer, Browser, bearer, first_admin
from tests.web.identity.tokens import SECRET, signed

EMBEDDED = {"CHATTER_JWT_KEY": SECRET, "CHATTER_JWT_ISSUER": "my-app"}
"""The settings of a server that an app embeds, for its environment."""

subjects = count(1)


class AppUser:
    """Somebody whom an app signs in with tokens. Each names the rooms that they shall have."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.sub = f"user{next(subjects)}"

    def token(self, rooms: Mapping[str, str] | None, **claims: object) -> str:
        made = {
            "iss": "my-app",
            "sub": self.sub,
            "exp": time.time() + 600,
            **({} if rooms is None else {"rooms": rooms}),
        }
        return signed(made | claims)

    def device(self, rooms: Mapping[str, str] | None, **claims: object) -> Talker:
        """Connects with a token for these rooms."""
        return Talker(self.server.port, headers=bearer(self.token(rooms, **claims)))

    def asks(
        self, rooms: Mapping[str, str] | None, method: str, path: str, body: object = None, **claims: object
    ) -> Answer:
        """Sends a request with a token for these rooms."""
        return TokenBrowser(self.server, self.token(rooms, **claims)).ask(method, path, body)


class TokenBrowser(Browser):
    """A program that shows one token of an app."""

    def __init__(self, server: Server, token: str) -> None:
        super().__init__(server)
        self._token = token

    @property
    def headers(self) -> dict[str, str]:
        return bearer(self._token)


class Person:
    """Somebody with an account: a browser, and a websocket that is connected when it is needed first."""

    def __init__(self, server: Server, browser: Browser | None = None) -> None:
        """Makes an account, unless a `browser` has one."""
        self.server = server
        self.browser = browser or Browser(server)
        self.handle = "root" if browser else self.browser.signs_up()
        self.id: int = self.browser.ask("GET", "/api/me").json["id"]
        self._talker: Talker | None = None

    @property
    def talker(self) -> Talker:
        """The person's websocket."""
        if self._talker is None:
            self._talker = Talker(self.server.port, headers=self.browser.headers)
        return self._talker

    def asks(self, method: str, path: str, body: object = None) -> Answer:
        return self.browser.ask(method, path, body)

    def makes_room(self, title: str = "A room", kind: str = "private", **more: object) -> str:
        """Makes a room over HTTP, and returns its name."""
        answer = self.asks("POST", "/api/rooms", {"kind": kind, "title": title, **more})
        assert answer.status == 201, answer
        slug: str = answer.json["slug"]
        return slug

    def says(self, room: str, event: str, **payload: object) -> Any:
        """Pushes an event, and returns the response to it."""
        return self.talker.ask(room, event, **payload)["response"]

    def tries(self, room: str, event: str, **payload: object) -> str:
        """Returns the reason for which an event is refused, or ok."""
        answer = self.talker.ask(room, event, **payload)
        return str(answer["response"].get("reason", "ok"))

    def joins(self, room: str, **params: object) -> Any:
        """Joins a room as one who knows the log, and returns the response."""
        answer = self.talker.ask(room, "phx_join", log=2, **params)
        assert answer["status"] == "ok", answer
        return answer["response"]

    def tries_to_join(self, room: str) -> str:
        return self.tries(room, "phx_join", log=2)

    def hears(self, event: str, **payload: object) -> Any:
        """Waits for an event with these fields in its payload, and returns the payload."""

        def is_it(frame: PhoenixFrame) -> bool:
            return frame.event == event and payload.items() <= frame.payload.items()

        return self.talker.receive_until(is_it)[-1].payload

    def hangs_up(self) -> None:
        if self._talker is not None:
            self._talker.websocket.connection.close()
            self._talker = None


class People:
    """Makes people, and hangs up for all of them."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._made: list[Person] = []

    def __call__(self, *, old: bool = True) -> Person:
        """Makes somebody; an `old` account may make links."""
        person = Person(self.server)
        self._made.append(person)
        if old:
            ages(self.server, person)
        return person

    def hang_up(self) -> None:
        for person in self._made:
            person.hangs_up()


def ages(server: Server, person: Person) -> None:
    """Makes an account older than it is."""
    query(server.database_url, f"UPDATE account SET created_at = '2020-01-01T00:00:00.000000Z' WHERE id = {person.id}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server where anybody may make an account, and which an app embeds."""
    with rooms_server(tmp_path_factory.mktemp("rooms")) as running:
        yield running


def rooms_server(folder: Path, database_url: str | None = None, **more: Any) -> Server:
    """Makes such a server, whose database is a SQLite file where none is named."""
    options: dict[str, Any] = {"sign_up": "open", "poll_window": 5, "log_level": "info", **more}
    return Server(folder / "chatter.db", EMBEDDED, database_url=database_url, **options)


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[Person]:
    """The admin of that server."""
    person = Person(server, first_admin(server))
    yield person
    person.hangs_up()


@pytest.fixture
def people(server: Server) -> Iterator[People]:
    """Makes people with accounts."""
    people = People(server)
    yield people
    people.hang_up()


@pytest.fixture
def ann(people: People) -> Person:
    return people()


@pytest.fixture
def bo(people: People) -> Person:
    return people()
