"""People of an embedding app, through the whole server: sockets, polls, HTTP, and the app of docs/embedding.md."""

import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.clients.phoenix_js import NodeProcess
from tests.support.chromium import chromium
from tests.support.embedding import RunningExample, example
from tests.support.keys import EC_KEY
from tests.support.phoenix_client import request
from tests.support.server import PATIENCE, Server
from tests.web.identity.jwks_server import JwksServer
from tests.web.identity.tokens import OTHER_SECRET, SECRET, jwk

LOBBY = "chat_room:lobby"
TRANSPORTS = ["websocket", "longpoll"]
node = pytest.mark.node

PARTIES = {"CHATTER_JWT_ISSUER": "my-app", "CHATTER_JWT_AUDIENCE": "chat"}
SHARED = PARTIES | {"CHATTER_JWT_KEY": SECRET}
numbers = itertools.count(100)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Starts one server that shares a key with an app, for all tests that do not stop it."""
    folder = tmp_path_factory.mktemp("server")
    with Server(folder / "chatter.db", SHARED, log_level="debug") as running:
        yield running


@pytest.fixture(scope="module")
def clients() -> Iterator[NodeProcess]:
    with NodeProcess() as running:
        yield running


def person() -> str:
    """Returns the `sub` of somebody who was never here."""
    return str(next(numbers))


def token(sub: str, key: Any = SECRET, algorithm: str = "HS256", kid: str | None = None, **claims: Any) -> str:
    """Makes a token as the app does."""
    made = {"iss": "my-app", "aud": "chat", "sub": sub, "name": f"Name {sub}", "exp": time.time() + 600} | claims
    return jwt.encode(made, key, algorithm, headers=None if kid is None else {"kid": kid})


def me(server: Server, bearer: str) -> tuple[int, Any]:
    """Asks who a bearer is."""
    answer = request(server.port, "GET", "/api/me", {"Authorization": f"Bearer {bearer}"})
    return answer.status, json.loads(answer.body)


BAD_TOKENS = {
    "expired": token("1", exp=time.time() - 60),
    "another key": token("1", OTHER_SECRET),
    "another audience": token("1", aud="mail"),
    "another issuer": token("1", iss="other-app"),
    "none": jwt.encode({"sub": "1", "exp": time.time() + 600, "iss": "my-app", "aud": "chat"}, "", "none"),
    "no token": "a.b.c",
}


# ---------------------------------------------------------------- HTTP


def test_a_bearer_is_the_person_of_the_token(server: Server) -> None:
    sub = person()
    status, answer = me(server, token(sub, name="Ann Lee", role="moderator"))
    assert (status, answer["kind"], answer["name"], answer["role"]) == (200, "person", "Ann Lee", "moderator")
    assert me(server, token(sub))[1]["id"] == answer["id"]
    assert me(server, token(person()))[1]["id"] != answer["id"]


@pytest.mark.parametrize("bad", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_a_bad_bearer_is_nobody(server: Server, bad: str) -> None:
    status, answer = me(server, bad)
    assert (status, answer["reason"]) == (401, "unauthorized")


# ---------------------------------------------------------------- sockets


@node
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_socket_speaks_as_the_person_of_its_token(server: Server, clients: NodeProcess, transport: str) -> None:
    sub, room = person(), f"chat_room:speaks-{transport}"
    account = me(server, token(sub))[1]
    client = clients.connect(server.url, transport=transport, token=token(sub))
    assert client.join(room)["status"] == "ok"
    assert client.push(room, "new_message", name="Somebody Else", message="hello")["status"] == "ok"
    heard = client.wait_for_message()
    assert (heard["name"], heard["author"]) == (f"Name {sub}", {"id": account["id"], "handle": account["handle"]})
    client.disconnect()


@node
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("bad", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_a_bad_token_joins_no_room(server: Server, clients: NodeProcess, transport: str, bad: str) -> None:
    client = clients.connect(server.url, transport=transport, token=bad)
    assert client.join(LOBBY) == {"status": "error", "response": {"reason": "unauthorized"}}
    client.disconnect()


@node
def test_a_socket_takes_the_next_token_of_the_same_person(server: Server, clients: NodeProcess) -> None:
    sub, end = person(), int(time.time()) + 1_200
    client = clients.connect(server.url, token=token(sub))
    assert client.join(LOBBY)["status"] == "ok"
    answer = client.push(LOBBY, "access_token", access_token=token(sub, exp=end))
    assert answer == {"status": "ok", "response": {"expires_at": end}}
    client.disconnect()


@node
def test_a_socket_never_becomes_somebody_else(server: Server, clients: NodeProcess) -> None:
    sub, room = person(), "chat_room:other-person"
    client = clients.connect(server.url, token=token(sub))
    assert client.join(room)["status"] == "ok"
    answer = client.push(room, "access_token", access_token=token(person()))
    assert answer == {"status": "error", "response": {"reason": "other_person"}}
    client.post(room, "", "still me")
    assert client.wait_for_message()["name"] == f"Name {sub}"
    client.disconnect()


@node
def test_a_person_is_the_same_after_a_restart(database: Path, clients: NodeProcess) -> None:
    with Server(database, SHARED) as server:
        before = me(server, token("7"))[1]
        server.stop()
        server.start()
        client = clients.connect(server.url, token=token("7"))
        assert client.join(LOBBY)["status"] == "ok"
        client.post(LOBBY, "", "again")
        assert client.wait_for_message()["author"] == {"id": before["id"], "handle": before["handle"]}
        client.disconnect()


@node
def test_public_keys_sign_people_in(database: Path, clients: NodeProcess) -> None:
    signed = token("7", EC_KEY, "ES256", kid="a")
    with JwksServer(jwk(EC_KEY, "a")) as app, Server(database, PARTIES, jwt_jwks=app.url) as server:
        client = clients.connect(server.url, token=signed)
        assert client.join(LOBBY)["status"] == "ok"
        assert me(server, signed)[1]["name"] == "Name 7"
        assert app.fetches == 1
        client.disconnect()


def test_no_token_is_in_the_log(server: Server) -> None:
    for each in [token(person()), *BAD_TOKENS.values()]:
        me(server, each)
    assert "a token is refused" in server.log
    parts = {part for each in BAD_TOKENS.values() for part in each.split(".") if len(part) > 8}
    assert not [part for part in [*parts, SECRET] if part in server.log]


# ---------------------------------------------------------------- the example


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE * 1_000)
    with chromium() as launched:
        yield launched


@pytest.fixture
def site(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningExample]:
    """Runs the app of the document beside a server with the settings of the document."""
    with (
        RunningExample() as site,
        Server(database, SHARED, allowed_origins=site.origin) as server,
    ):
        environment = {"APP_KEY": OTHER_SECRET, "CHAT_KEY": SECRET, "CHAT_URL": f"ws://127.0.0.1:{server.port}"}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        site.serve(example(tmp_path / "app"))
        yield site


def signed_in(browser: Browser, site: RunningExample, user: str) -> Page:
    page = browser.new_context().new_page()
    page.goto(f"{site.origin}/sign-in/{user}")
    return page


def say(page: Page, message: str) -> None:
    page.fill("#text", message)
    page.press("#text", "Enter")


@pytest.mark.browser
def test_people_of_the_app_talk_under_their_names(browser: Browser, site: RunningExample) -> None:
    ann, bo = signed_in(browser, site, "7"), signed_in(browser, site, "8")
    say(ann, "hello")
    for page in (ann, bo):
        expect(page.locator("#messages li")).to_have_text(["Ann Lee: hello"])
    say(bo, "hi Ann")
    for page in (ann, bo):
        expect(page.locator("#messages li")).to_have_text(["Ann Lee: hello", "Bo: hi Ann"])


@pytest.mark.browser
def test_a_page_whose_token_has_ended_gets_another(
    browser: Browser, site: RunningExample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first token is as old as one is after a night's sleep of the computer."""
    ages = itertools.chain([3_600], itertools.repeat(0))
    monkeypatch.setattr(site.module, "time", SimpleNamespace(time=lambda: time.time() - next(ages)))
    ann = signed_in(browser, site, "7")
    say(ann, "good morning")
    expect(ann.locator("#messages li")).to_have_text(["Ann Lee: good morning"])


@pytest.mark.browser
def test_who_is_not_signed_in_to_the_app_hears_nothing(browser: Browser, site: RunningExample) -> None:
    ann, nobody = signed_in(browser, site, "7"), browser.new_context().new_page()
    with nobody.expect_websocket() as opening:
        nobody.goto(site.origin)
    with opening.value.expect_event("framereceived", lambda frame: "unauthorized" in str(frame)):
        pass
    say(ann, "hello")
    expect(ann.locator("#messages li")).to_have_text(["Ann Lee: hello"])
    expect(nobody.locator("#messages li")).to_have_count(0)
