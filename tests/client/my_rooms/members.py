"""People with accounts in rooms of their own: what tests of these have in common."""

from typing import Any

from tests.client.conftest import Visit
from tests.client.person import Person
from tests.client.sessions import numbers, sign_up
from tests.support.phoenix_client import Opcode
from tests.support.server import Server, wait_until
from tests.support.talker import Talker

HAS_LIST = "Object.keys(localStorage).some(key => key.endsWith(':memberships'))"


class Member:
    """Member is an account: it makes rooms over HTTP, talks over a websocket, and signs pages in."""

    def __init__(self, server: Server, name: str) -> None:
        """Creates the account; its handle begins with the name."""
        self.server = server
        self.session = sign_up(server, name)
        self.handle = self.session.handle
        self._talkers: dict[str, Talker] = {}

    def asks(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Sends a request as this account, and returns the answer."""
        return self.session.asks(method, path, body)

    def makes_room(self, title: str, *members: "Member", kind: str = "private") -> str:
        """Makes a room with others in it, and returns its slug."""
        handles = [member.handle for member in members]
        slug: str = self.asks("POST", "/api/rooms", {"kind": kind, "title": title, "members": handles})["slug"]
        return slug

    def opens_direct(self, other: "Member") -> str:
        """Opens the direct room with somebody, and returns its slug."""
        slug: str = self.asks("POST", "/api/direct", {"handle": other.handle})["slug"]
        return slug

    def closes(self) -> None:
        """Ends the websockets."""
        for talker in self._talkers.values():
            talker.websocket.connection.close()

    def pushes(self, room: str, event: str, **payload: object) -> Any:
        """Pushes an event in a room, which is joined for it, and returns the answer that grants it."""
        if room not in self._talkers:
            self._talkers[room] = Talker(self.server.port, headers=self._headers)
            self._talkers[room].join(room, log=2)
        answer = self._talkers[room].ask(room, event, **payload)
        assert answer["status"] == "ok", answer
        return answer["response"]

    def says(self, room: str, *texts: str) -> int:
        """Says something in a room, and returns the `seq` of the last."""
        answers = [self.pushes(room, "new_message", message=text, id=f"said-{next(numbers)}") for text in texts]
        return int(answers[-1]["seq"])

    def expect_unread(self, slug: str, number: int) -> None:
        """Waits until so many messages of a room are unread, as another device of theirs hears."""
        wait_until(lambda: self._unread(slug) == number)

    def _unread(self, slug: str) -> int:
        with Talker(self.server.port, headers=self._headers) as device:
            device.websocket.send(Opcode.TEXT, b'[null,"join","me","phx_join",{}]')
            rooms = device.wait_for("phx_reply", "join")["response"]["rooms"]
        return next(int(room["unread"]) for room in rooms if room["slug"] == slug)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Cookie": self.session.cookie, "Origin": self.server.url}

    def comes(self, visit: Visit, to: str = "lobby", **options: Any) -> Person:
        """Opens a room in a new browser that is signed in with this account."""
        return visit("", to, session=self.session, **options)


def expect_list(person: Person) -> None:
    """Waits until the page has heard the list of rooms, which it keeps: without it, it knows nothing that it loses."""
    wait_until(lambda: person.page.evaluate(HAS_LIST))
