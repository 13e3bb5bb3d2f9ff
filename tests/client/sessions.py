"""Accounts and their sessions, made over HTTP: a page that is visited with one needs no dialog, and loads once."""

import itertools
import json
import urllib.request
from typing import Any, NamedTuple

from tests.support.server import Server

numbers = itertools.count(1)
"""One for each name that no other test shall have."""

PASSWORD = "seven green bottles"

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
"""What a session is called after."""


class Session(NamedTuple):
    """Session is a person with an account who is signed in."""

    server: Server
    handle: str
    cookie: str

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Sends a request as this person."""
        return send(self.server, method, path, body, self.cookie)

    def asks(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Sends a request as this person, and returns the answer."""
        with self.send(method, path, body) as answer:
            return json.loads(answer.read() or "null")

    @property
    def browser_cookie(self) -> Any:
        """The session as a browser takes it."""
        name, _, value = self.cookie.partition("=")
        return {"name": name, "value": value, "url": self.server.url, "httpOnly": True}

    @property
    def memory(self) -> dict[str, str]:
        """What a browser keeps of the account from an earlier visit."""
        me = self.asks("GET", "/api/me")
        return {"chatter:account": json.dumps({key: me[key] for key in ("id", "handle", "name")})}


def new_account(server: Server, name: str = "ann") -> str:
    """Creates an account where nobody is signed in, and returns its handle, which begins with the name."""
    session = sign_up(server, name)
    session.send("DELETE", "/api/sessions/current").close()
    return session.handle


def sign_up(server: Server, name: str) -> Session:
    """Creates an account, whose handle begins with the name."""
    return _begin(server, "/api/accounts", f"{name}{next(numbers)}")


def sign_in(server: Server, handle: str) -> Session:
    """Begins a further session of an account."""
    return _begin(server, "/api/sessions", handle)


def send(server: Server, method: str, path: str, body: dict[str, Any] | None, cookie: str = "") -> Any:
    headers = {"Content-Type": "application/json", "Origin": server.url, "Cookie": cookie, "User-Agent": BROWSER}
    content = None if body is None else json.dumps(body).encode()
    return urllib.request.urlopen(urllib.request.Request(server.url + path, content, headers, method=method))


def _begin(server: Server, path: str, handle: str) -> Session:
    with send(server, "POST", path, {"handle": handle, "password": PASSWORD}) as answer:
        cookies = [cookie.partition(";")[0] for cookie in answer.headers.get_all("set-cookie")]
    return Session(server, handle, next(cookie for cookie in cookies if cookie.startswith("chatter=")))
