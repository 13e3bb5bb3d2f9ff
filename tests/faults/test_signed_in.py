"""Who is signed in stays so over a restart and a crash of the server, and who was signed out stays out."""

import base64
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Server
from tests.support.talker import Talker
from tests.web.accounts.conftest import Browser, bearer


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Server]:
    with Server(tmp_path / "chatter.db", database_url=database_url, sign_up="open") as running:
        yield running


def auth_token(secret: str) -> dict[str, str]:
    """How phoenix.js shows its `authToken`."""
    shown = base64.b64encode(secret.encode()).decode().rstrip("=")
    return {"Sec-WebSocket-Protocol": f"phoenix, base64url.bearer.phx.{shown}"}


def says(server: Server, headers: dict[str, str], words: str) -> dict[str, object]:
    """Says something in the lobby, and returns what everybody hears of who has said it."""
    with Talker(server.port, headers=headers) as talker:
        talker.join("lobby")
        assert talker.ask("lobby", "new_message", name="somebody", message=words)["status"] == "ok"
        heard: dict[str, object] = talker.ask("lobby", "history")["response"]["messages"][-1]
    return {"author": heard.get("author"), "message": heard["message"]}


def restarts(server: Server, how: signal.Signals) -> None:
    if how is signal.SIGKILL:
        server.kill()
    else:
        server.stop(how)
    server.start()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_sessions_and_tokens_outlast_the_server(server: Server, how: signal.Signals) -> None:
    ann = Browser(server)
    handle = ann.signs_up()
    token, session = ann.token("read", "post"), ann.cookies["chatter"]
    author = {"id": ann.ask("GET", "/api/me").json["id"], "handle": handle}
    shown = [ann.headers, auth_token(session), auth_token(token), bearer(token)]
    with Talker(server.port, headers=auth_token(session)) as talker:
        talker.join("lobby")  # it is there while the server ends
        restarts(server, how)
    for number, headers in enumerate(shown):
        words = f"words {number}"
        assert says(server, headers, words) == {"author": author, "message": words}
    assert ann.ask("GET", "/api/me").json["handle"] == handle
    assert ann.ask("DELETE", "/api/sessions/current").status == 204
    assert Browser(server).ask("GET", "/api/me", headers=bearer(token)).json["handle"] == handle


def test_what_was_ended_before_the_server_stays_ended(server: Server) -> None:
    ann, phone = Browser(server), Browser(server)
    phone.signs_in(ann.signs_up())
    secrets = [ann.token("read", "post"), phone.cookies["chatter"]]
    assert ann.ask("DELETE", f"/api/tokens/{ann.ask('GET', '/api/tokens').json['tokens'][0]['id']}").status == 204
    assert ann.ask("DELETE", "/api/sessions").json == {"ended": 1}
    restarts(server, signal.SIGKILL)  # at once
    for secret in secrets:
        with Talker(server.port, headers=auth_token(secret)) as talker:
            answer = talker.ask("lobby", "phx_join")
            assert (answer["status"], answer["response"]["reason"]) == ("error", "unauthorized")
        assert Browser(server).ask("GET", "/api/me", headers=bearer(secret)).status == 401
    assert ann.ask("GET", "/api/me").json["kind"] == "person"


def test_a_new_password_stays_the_only_one(server: Server) -> None:
    ann, elsewhere = Browser(server), Browser(server)
    handle = ann.signs_up()
    elsewhere.signs_in(handle)
    changed = {"old_password": "correct horse battery", "password": "another good phrase"}
    assert ann.ask("PUT", "/api/me", changed).status == 200
    restarts(server, signal.SIGKILL)
    assert elsewhere.ask("GET", "/api/me").status == 401
    assert Browser(server).signs_in(handle).status == 401
    assert Browser(server).signs_in(handle, "another good phrase").status == 201
    assert ann.ask("GET", "/api/me").json["handle"] == handle
