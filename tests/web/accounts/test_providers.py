"""The providers that are linked to an account: which they are, and which of them may go."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.support.authenticator import Authenticator
from tests.support.http_browser import Answered, HttpBrowser
from tests.support.oidc_provider import SECRET, OidcProvider
from tests.support.server import Server, run_to_its_end
from tests.web.identity.tokens import SECRET as APP_SECRET


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    with OidcProvider() as started:
        yield started


def serve(path: Path, url: str | None, *providers: str, environment: dict[str, str] | None = None) -> Server:
    """A server for these entries of the setting `oidc`, on which anybody may make an account."""
    secrets = {"CHATTER_OIDC_SECRET_TEST": SECRET} if providers else {}
    given: dict[str, Any] = {"oidc": ";".join(providers)} if providers else {}
    return Server(path / "chatter.db", secrets | (environment or {}), database_url=url, sign_up="open", **given)


def goes_through(browser: HttpBrowser, provider: OidcProvider) -> None:
    """Signs in with a provider, or links it where somebody is signed in."""
    answered = browser.come_back(provider.sign_in(browser.get("/api/oidc/test/start").location))
    assert answered.location == "/"


def listed(browser: HttpBrowser) -> list[dict[str, Any]]:
    answered = browser.get("/api/me/providers")
    assert answered.status == 200, answered
    return list(answered.body["providers"])


def unlinks(browser: HttpBrowser, linked: dict[str, Any]) -> Answered:
    return browser.delete(f"/api/me/providers/{linked['id']}")


def again_at(server: Server, browser: HttpBrowser) -> HttpBrowser:
    """The browser with its cookies, at a server that was started again."""
    same = HttpBrowser(server.url)
    same.cookies = browser.cookies
    return same


def expect_last_way(answered: Answered) -> None:
    assert (answered.status, answered.body["reason"]) == (409, "last_way")


def test_a_provider_is_listed_by_its_label_until_it_is_unlinked(
    tmp_path: Path, provider: OidcProvider, database_url: str
) -> None:
    with serve(tmp_path, database_url, provider.setting()) as server:
        ann = HttpBrowser(server.url)
        number = ann.sign_up("ann")
        assert listed(ann) == []
        goes_through(ann, provider)
        (linked,) = listed(ann)
        assert linked == {"id": linked["id"], "name": "Test ID"}
        assert unlinks(ann, linked).status == 204
        assert listed(ann) == []
        assert unlinks(ann, linked).status == 404
        assert ann.me()["id"] == number
        stranger = HttpBrowser(server.url)
        goes_through(stranger, provider)
        assert stranger.me()["id"] != number


def test_two_people_of_a_provider_are_two_links(tmp_path: Path, provider: OidcProvider) -> None:
    with serve(tmp_path, None, provider.setting()) as server:
        ann = HttpBrowser(server.url)
        ann.sign_up("ann")
        for sub in ("at work", "at home"):
            provider.person["sub"] = sub
            goes_through(ann, provider)
        first, second = listed(ann)
        assert first["name"] == second["name"]
        assert unlinks(ann, first).status == 204
        assert listed(ann) == [second]


def test_the_link_of_somebody_else_is_not_found(tmp_path: Path, provider: OidcProvider) -> None:
    with serve(tmp_path, None, provider.setting()) as server:
        ann, eve = HttpBrowser(server.url), HttpBrowser(server.url)
        ann.sign_up("ann")
        eve.sign_up("eve")
        goes_through(ann, provider)
        (linked,) = listed(ann)
        assert unlinks(eve, linked).status == 404
        assert listed(ann) == [linked]


def test_the_last_way_to_sign_in_stays(tmp_path: Path, provider: OidcProvider, database_url: str) -> None:
    with serve(tmp_path, database_url, provider.setting()) as server:
        ann = HttpBrowser(server.url)
        goes_through(ann, provider)
        (linked,) = listed(ann)
        expect_last_way(unlinks(ann, linked))
        assert listed(ann) == [linked]
        _add_passkey(ann)
        assert unlinks(ann, linked).status == 204


def test_another_provider_is_a_way_to_sign_in_while_the_server_has_it(tmp_path: Path, provider: OidcProvider) -> None:
    with OidcProvider() as former:
        with serve(tmp_path, None, former.setting()) as server:
            ann = HttpBrowser(server.url)
            goes_through(ann, former)
        with serve(tmp_path, None, provider.setting()) as server:
            ann = again_at(server, ann)
            goes_through(ann, provider)
            by_name = {each["name"]: each for each in listed(ann)}
            assert set(by_name) == {"Test ID", former.issuer}
            expect_last_way(unlinks(ann, by_name["Test ID"]))
            assert unlinks(ann, by_name[former.issuer]).status == 204
            assert listed(ann) == [by_name["Test ID"]]


def test_an_embedding_app_is_no_provider_that_one_unlinks(tmp_path: Path) -> None:
    """It keeps the accounts of its people itself."""
    environment = {"CHATTER_JWT_ISSUER": "my-app", "CHATTER_JWT_AUDIENCE": "chat", "CHATTER_JWT_KEY": APP_SECRET}
    claims = {"iss": "my-app", "aud": "chat", "sub": "7", "name": "Ann", "exp": time.time() + 600}
    token = jwt.encode(claims, APP_SECRET)
    with serve(tmp_path, None, environment=environment) as server:
        handle = HttpBrowser(server.url).get("/api/me", Authorization=f"Bearer {token}").body["handle"]
        ann = HttpBrowser(server.url)
        assert ann.post("/api/links/use", {"link": _link(server, handle)}).status == 201
        assert ann.me()["handle"] == handle
        assert listed(ann) == []
    with serve(tmp_path, None) as server:  # without the app
        (linked,) = listed(again_at(server, ann))
        assert linked["name"] == "my-app"


@pytest.mark.parametrize(("chosen", "left"), [({}, 1), ({"other_ways": "end"}, 0)])
def test_a_reset_says_what_else_signs_in_and_ends_it_where_that_is_wanted(
    tmp_path: Path, provider: OidcProvider, database_url: str, chosen: dict[str, str], left: int
) -> None:
    with serve(tmp_path, database_url, provider.setting()) as server:
        browser, stranger = HttpBrowser(server.url), HttpBrowser(server.url)
        browser.sign_up("ann")
        goes_through(browser, provider)
        _add_passkey(browser)
        link = _link(server, "ann", "--reset")
        looked = stranger.post("/api/links/look", {"link": link}).body
        assert looked == {"kind": "reset", "handle": "ann", "other_ways": {"passkeys": 1, "providers": ["Test ID"]}}
        wrong = stranger.post("/api/links/use", {"link": link, "password": "eight green bottles", "other_ways": "all"})
        assert (wrong.status, wrong.body["field"]) == (400, "other_ways")
        ann = HttpBrowser(server.url)
        assert ann.post("/api/links/use", {"link": link, "password": "eight green bottles", **chosen}).status == 201
        assert (len(listed(ann)), len(ann.get("/api/passkeys").body["passkeys"])) == (left, left)
        sign_in = _link(server, "ann")
        assert stranger.post("/api/links/look", {"link": sign_in}).body == {"kind": "sign_in", "handle": "ann"}
        refused = stranger.post("/api/links/use", {"link": sign_in, "other_ways": "end"})
        assert (refused.status, refused.body["field"]) == (400, "other_ways")


def _link(server: Server, handle: str, *options: str) -> str:
    printed = run_to_its_end("account", "link", handle, *options, f"--database={server.database_url}")
    (link,) = re.findall(r"chl_\w+", printed.stdout)
    return str(link)


def _add_passkey(browser: HttpBrowser) -> None:
    options = browser.post("/api/passkeys/options", {"for": "add"}).body["publicKey"]
    made = Authenticator(browser.origin, "localhost").make(options)
    assert browser.post("/api/passkeys", {"credential": made}).status == 201
