"""A browser without a page: keeps cookies, follows no redirect, and says of each request where it comes from."""

import http.client
import json
from http.cookies import SimpleCookie
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Answered(NamedTuple):
    """What a server has answered."""

    status: int
    headers: http.client.HTTPMessage
    body: Any  # JSON, None where there is none
    text: str

    @property
    def location(self) -> str:
        """Where the browser is sent."""
        return str(self.headers["Location"])


class HttpBrowser:
    """One person's browser at one server. Each request has a connection of its own."""

    def __init__(self, url: str, host: str = "localhost") -> None:
        """`host` is the name under which the server is opened."""
        self.port = urlsplit(url).port
        self.origin = f"http://{host}:{self.port}"
        self.cookies: dict[str, str] = {}

    def get(self, path: str, **headers: str) -> Answered:
        """Opens an address of the server, as its own page does; `headers` are over the browser's own."""
        return self.ask("GET", path, None, {"Sec-Fetch-Site": "same-origin", **headers})

    def come_back(self, address: str) -> Answered:
        """Goes where a foreign server has sent the browser."""
        assert address.startswith(f"{self.origin}/"), address
        return self.get(address.removeprefix(self.origin), **{"Sec-Fetch-Site": "cross-site"})

    def post(self, path: str, body: Any, **headers: str) -> Answered:
        return self.ask("POST", path, body, {"Origin": self.origin, **headers})

    def delete(self, path: str, **headers: str) -> Answered:
        return self.ask("DELETE", path, None, {"Origin": self.origin, **headers})

    def ask(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answered:
        """Makes a request with the cookies, and keeps those of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port or 80, timeout=60)
        sent = {"Host": urlsplit(self.origin).netloc, **headers}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={text}" for name, text in self.cookies.items())
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        answer = connection.getresponse()
        read = answer.read()
        connection.close()
        for line in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return Answered(answer.status, answer.headers, json.loads(read) if is_json and read else None, read.decode())

    def sign_up(self, handle: str, password: str = "correct horse battery") -> int:
        """Makes an account and is signed in; returns its number."""
        answered = self.post("/api/accounts", {"handle": handle, "password": password})
        assert answered.status == 201, answered
        return int(answered.body["account"]["id"])

    def me(self) -> dict[str, Any]:
        """Returns who the server takes this browser for."""
        answered = self.get("/api/me")
        assert answered.status == 200, answered
        return dict(answered.body)
