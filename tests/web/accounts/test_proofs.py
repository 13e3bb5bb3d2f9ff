"""What a stolen session cannot do: change how somebody signs in, without a proof that is fresh."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.authenticator import Authenticator
from tests.support.database import query
from tests.support.http_browser import Answered, HttpBrowser
from tests.support.oidc_provider import SECRET, OidcProvider
from tests.support.server import Server
from tests.web.accounts.conftest import PASSWORD, Browser, first_admin

NEEDING: list[tuple[str, str, Any]] = [
    ("PUT", "/api/me", {"handle": "other-handle"}),
    ("POST", "/api/tokens", {"label": "x", "scopes": ["read"]}),
    ("POST", "/api/links", {"handle": "root", "kind": "reset"}),
    ("POST", "/api/passkeys/options", {"for": "add"}),
    ("POST", "/api/passkeys", {"credential": {}}),
    ("DELETE", "/api/passkeys/999999", None),
    ("DELETE", f"/api/me/providers/{'0' * 32}", None),
    ("POST", "/api/me/proof", {}),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("proofs") / "chatter.db", sign_up="open") as running:
        first_admin(running)
        yield running


@pytest.fixture
def root(server: Server) -> Browser:
    """The admin, whose session is old."""
    browser = Browser(server)
    assert browser.signs_in("root").status == 201
    ages_sessions(server)
    return browser


def ages_sessions(server: Server) -> None:
    query(server.database_url, "UPDATE secret SET created_at = '2020-01-01T00:00:00.000000Z' WHERE kind = 'session'")


@pytest.mark.parametrize(("method", "path", "body"), NEEDING)
def test_an_old_session_shows_a_proof_first(root: Browser, method: str, path: str, body: Any) -> None:
    refused = root.ask(method, path, body)
    assert (refused.status, refused.json["reason"]) == (403, "proof")
    wrong = root.ask("POST", "/api/me/proof", {"password": "guessed wrong"})
    assert (wrong.status, wrong.json["reason"]) == (401, "wrong")
    assert root.ask(method, path, body).json["reason"] == "proof"
    assert root.ask("POST", "/api/me/proof", {"password": PASSWORD}).status == 204
    assert root.ask("POST", "/api/me/proof", {}).status == 204
    if path != "/api/me":
        assert b"proof" not in root.ask(method, path, body).body


def test_a_proof_counts_for_its_session_alone(server: Server, root: Browser) -> None:
    thief = Browser(server)
    thief.signs_in("root")
    ages_sessions(server)
    assert root.ask("POST", "/api/me/proof", {"password": PASSWORD}).status == 204
    assert thief.ask("POST", "/api/tokens", {"label": "x", "scopes": ["read"]}).json["reason"] == "proof"


def test_who_has_just_signed_in_needs_none(server: Server) -> None:
    browser = Browser(server)
    browser.signs_up()
    assert browser.ask("POST", "/api/me/proof", {}).status == 204


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    with OidcProvider() as started:
        yield started


@pytest.fixture
def linking(tmp_path: Path, provider: OidcProvider, database_url: str) -> Iterator[Server]:
    """A server that knows the provider."""
    secrets = {"CHATTER_OIDC_SECRET_TEST": SECRET}
    options = {"oidc": provider.setting(), "database_url": database_url, "sign_up": "open"}
    with Server(tmp_path / "chatter.db", secrets, **options) as running:
        yield running


def goes_through(browser: HttpBrowser, provider: OidcProvider) -> Answered:
    return browser.come_back(provider.sign_in(browser.get("/api/oidc/test/start").location))


def links_of(browser: HttpBrowser) -> list[Any]:
    return list(browser.get("/api/me/providers").body["providers"])


def test_an_old_session_links_no_provider(linking: Server, provider: OidcProvider) -> None:
    ann = HttpBrowser(linking.url)
    ann.sign_up("ann")
    ages_sessions(linking)
    assert goes_through(ann, provider).location == "/#sign-in=failed&reason=proof"
    assert links_of(ann) == []
    assert ann.post("/api/me/proof", {"password": PASSWORD}).status == 204
    assert goes_through(ann, provider).location == "/"
    assert len(links_of(ann)) == 1


def test_a_linked_provider_is_a_proof_and_another_persons_is_none(linking: Server, provider: OidcProvider) -> None:
    ann = HttpBrowser(linking.url)
    goes_through(ann, provider)
    (linked,) = links_of(ann)
    ages_sessions(linking)
    assert ann.post("/api/me/proof", {}).body["reason"] == "proof"
    assert ann.ask("PUT", "/api/me", {"password": "another good phrase"}, {"Origin": ann.origin}).status == 403
    assert ann.ask("DELETE", "/api/me", {}, {"Origin": ann.origin}).body["reason"] == "proof"
    assert goes_through(ann, provider).location == "/"
    assert ann.post("/api/me/proof", {}).status == 204
    assert ann.ask("PUT", "/api/me", {"password": PASSWORD}, {"Origin": ann.origin}).status == 200
    assert ann.delete(f"/api/me/providers/{linked['id']}").status == 204


def test_a_passkey_of_the_account_is_a_proof_and_another_accounts_is_none(tmp_path: Path, database_url: str) -> None:
    with Server(tmp_path / "chatter.db", database_url=database_url, sign_up="open") as server:
        ann, thief = HttpBrowser(server.url), HttpBrowser(server.url)
        keys = []
        for browser, handle in ((ann, "ann"), (thief, "thief")):
            browser.sign_up(handle)
            key = Authenticator(browser.origin, "localhost")
            options = browser.post("/api/passkeys/options", {"for": "add"}).body["publicKey"]
            assert browser.post("/api/passkeys", {"credential": key.make(options)}).status == 201
            keys.append(key)
        ages_sessions(server)
        stolen = HttpBrowser(server.url)
        stolen.cookies = dict(ann.cookies)

        def shows(key: Authenticator, purpose: str) -> Answered:
            options = stolen.post("/api/passkeys/options", {"for": purpose}).body["publicKey"]
            return stolen.post("/api/me/proof", {"credential": key.show(options)})

        assert shows(keys[1], "prove").body["reason"] == "wrong"
        assert shows(keys[0], "sign_in").body["reason"] == "wrong"
        assert stolen.post("/api/me/proof", {}).body["reason"] == "proof"
        assert shows(keys[0], "prove").status == 204
        assert stolen.post("/api/me/proof", {}).status == 204
        assert query(server.database_url, "SELECT COUNT(*) FROM secret WHERE kind = 'session'") == [(2,)]
