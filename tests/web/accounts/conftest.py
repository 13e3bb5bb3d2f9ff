"""A server with people of every kind: the first admin comes by the link that the server makes at its start."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import count

import pytest

from tests.support.phoenix_client import Request, Response, request
from tests.support.server import Server, run_to_its_end, wait_until

PASSWORD = "correct horse battery"
numbers = count(1)


class Answer(Response):
    """A response with all its cookies."""

    cookies: list[str]


class Browser:
    """A browser at the server's page: it keeps cookies, and says where its requests come from."""

    def __init__(self, server: Server, origin: str | None = None) -> None:
        """`origin` is that of the page, the server's own if it is None."""
        self.server = server
        self.origin = server.url if origin is None else origin
        self.cookies: dict[str, str] = {}

    @property
    def headers(self) -> dict[str, str]:
        """The headers of each of its requests."""
        cookies = "; ".join(f"{name}={text}" for name, text in self.cookies.items())
        return {"Origin": self.origin} | ({"Cookie": cookies} if cookies else {})

    def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Sends a request, and keeps the cookies of its answer."""
        data = b"" if body is None else json.dumps(body).encode()
        length = {"Content-Length": str(len(data))} if data else {}
        answer = ask(self.server, method, path, self.headers | length | dict(headers or {}), data)
        for cookie in answer.cookies:
            name, _, text = cookie.partition(";")[0].partition("=")
            if text:
                self.cookies[name] = text
            else:
                self.cookies.pop(name, None)
        return answer

    def signs_up(self, handle: str | None = None, **more: str) -> str:
        """Makes an account, and returns its handle."""
        handle = handle or f"person{next(numbers)}"
        answer = self.ask("POST", "/api/accounts", {"handle": handle, "password": PASSWORD, **more})
        assert answer.status == 201, answer
        return handle

    def signs_in(self, handle: str, password: str = PASSWORD) -> Answer:
        """Opens a session, if the server lets it."""
        return self.ask("POST", "/api/sessions", {"handle": handle, "password": password})

    def token(self, *scopes: str, expires_in: float | None = None) -> str:
        """Makes an access token, and returns it."""
        body = {"label": "a program", "scopes": list(scopes), "expires_in": expires_in}
        answer = self.ask("POST", "/api/tokens", body)
        assert answer.status == 201, answer
        token: str = answer.json["token"]
        return token


def ask(server: Server, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
    """Sends a request; the answer also has the values of all its `Set-Cookie`."""
    asked = Request(server.port, method, path, headers, body)
    try:
        head = asked.connection.read_until(b"\r\n\r\n").decode("latin-1")
        lines = [line.partition(": ") for line in head.split("\r\n")[1:-2]]
        values = {name.lower(): text for name, _, text in lines}
        size = int(values.get("content-length", "0"))
        answer = Answer(head.split("\r\n")[0], values, asked.connection.read(size))
        answer.cookies = [text for name, _, text in lines if name.lower() == "set-cookie"]
        return answer
    finally:
        asked.connection.close()


def bearer(token: str) -> dict[str, str]:
    """The header with which a program shows a secret."""
    return {"Authorization": f"Bearer {token}"}


def command(server: Server, *words: str) -> str:
    """Runs `chatter` beside the server, and returns what it prints."""
    options = [f"--database={server.database_url}", f"--spool-folder={server.database.parent}"]
    ended = run_to_its_end(*words, *options)
    assert ended.exit_code == 0, ended
    return ended.stdout


def first_admin(server: Server) -> Browser:
    """Becomes the admin by the link that the server has made."""
    address = (server.database.parent / "setup-link").read_text()
    link = re.search(r"#link=(\S+)", address)
    assert link is not None
    admin = Browser(server)
    answer = admin.ask("POST", "/api/links/use", {"link": link[1], "handle": "root", "password": PASSWORD})
    assert answer.status == 201, answer
    return admin


@pytest.fixture(scope="module")
def people_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server where anybody may make an account."""
    database = tmp_path_factory.mktemp("accounts") / "chatter.db"
    with Server(database, sign_up="open", poll_window=5, log_level="debug") as running:
        yield running


@pytest.fixture(scope="module")
def admin(people_server: Server) -> Browser:
    """The admin of that server."""
    return first_admin(people_server)


@pytest.fixture
def browser(people_server: Server) -> Browser:
    """A browser in which nobody has signed in."""
    return Browser(people_server)


def dies(server: Server, secret: str) -> None:
    """Waits until the server knows that a secret is nobody's any more."""
    wait_until(lambda: request(server.port, "GET", "/api/me", bearer(secret)).status == 401)
