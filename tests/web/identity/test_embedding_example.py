"""The tokens that the app of docs/embedding.md makes are what its `chatter serve` expects."""

import asyncio
import itertools
import re
import shlex
import time
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.embedding import DOCUMENT, example
from tests.web.identity.tokens import nobody
from web.identity.claims import Claims, TokenRefused
from web.identity.jwt import token_verifier
from web.settings import Settings, read_settings

KEY = "a key that both servers have, as long as it has to be".replace(" ", "-")


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The app, with the environment that the document gives it."""
    for name, value in {"APP_KEY": "x" * 32, "CHAT_KEY": KEY, "CHAT_URL": "ws://127.0.0.1:8000"}.items():
        monkeypatch.setenv(name, value)
    return example(tmp_path)


def settings() -> Settings:
    """The settings of the document's `chatter serve`."""
    line = next(line for line in DOCUMENT.splitlines() if "chatter serve" in line and "--jwt-issuer" in line)
    words = shlex.split(line)
    options = {option[2:].replace("-", "_"): value for option, value in itertools.pairwise(words) if option[:2] == "--"}
    return read_settings(options, {"CHATTER_JWT_KEY": KEY})


def verified(token: str) -> Claims:
    verifier = token_verifier(settings(), nobody)
    assert verifier is not None
    return asyncio.run(verifier.verify(token))


def test_who_is_signed_in_to_the_app_gets_a_token(app: ModuleType) -> None:
    client = app.app.test_client()
    assert client.get("/sign-in/7").status_code == 302
    answer = client.get("/chat-token")
    assert answer.headers["Cache-Control"] == "no-store"
    claims = verified(answer.text)
    assert (claims.issuer, claims.subject, claims.name) == ("my-app", "7", "Ann Lee")
    assert claims.role is None
    assert claims.expires_at > time.time()


def test_who_is_not_signed_in_gets_none(app: ModuleType) -> None:
    answer = app.app.test_client().get("/chat-token")
    assert answer.status_code == 401
    with pytest.raises(TokenRefused):
        verified(answer.text)


def test_the_page_has_the_address_of_the_chat_and_no_token(app: ModuleType) -> None:
    client = app.app.test_client()
    client.get("/sign-in/7")
    page = client.get("/").text
    assert '"ws://127.0.0.1:8000/socket"' in page
    assert not re.search(r"eyJ|" + KEY, page)
    with client.get("/static/phoenix.mjs") as script:
        assert script.content_type.startswith("text/javascript")
