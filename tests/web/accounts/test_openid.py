"""Signing in with an OpenID provider, through the redirects of a browser, on both databases."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.http_browser import Answered, HttpBrowser
from tests.support.oidc_provider import SECRET, Answer, OidcProvider
from tests.support.server import Server, run_to_its_end

FAILED = "/#sign-in=failed"
FAILED_THERE = "/rooms/x#sign-in=failed"
"""Where those end who have begun in a room, once it is known that it was them."""


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    with OidcProvider() as started:
        yield started


def serve(path: Path, provider: OidcProvider, url: str | None = None, **options: Any) -> Server:
    """A server for this provider, on which anybody may make an account."""
    given = {"oidc": provider.setting(), "sign_up": "open", "log_level": "info", **options}
    return Server(path / "chatter.db", {"CHATTER_OIDC_SECRET_TEST": SECRET}, database_url=url, **given)


@pytest.fixture
def server(tmp_path: Path, provider: OidcProvider) -> Iterator[Server]:
    with serve(tmp_path, provider) as started:
        yield started


def start(browser: HttpBrowser, page: str = "/rooms/x", id: str = "test") -> Answered:
    return browser.get(f"/api/oidc/{id}/start?next={page}")


def sign_in(browser: HttpBrowser, provider: OidcProvider) -> str:
    """Signs in, and returns where the browser ends."""
    answered = browser.come_back(provider.sign_in(start(browser).location))
    assert answered.status == 302
    assert answered.headers["Cache-Control"] == "no-store"
    return answered.location


def test_a_new_person_gets_an_account_and_comes_back_as_the_same(
    tmp_path: Path, provider: OidcProvider, database_url: str
) -> None:
    provider.person |= {"preferred_username": "ann@example.org"}
    with serve(tmp_path, provider, database_url) as server:
        browser = HttpBrowser(server.url)
        assert sign_in(browser, provider) == "/rooms/x"
        me = browser.me()
        assert (me["kind"], me["handle"], me["name"], me["role"]) == ("person", "ann", "Ann Example", "member")
        other = HttpBrowser(server.url)
        provider.person["name"] = "Somebody Else"  # the name here is the person's own by now
        assert sign_in(other, provider) == "/rooms/x"
        assert other.me() == me
        assert "openid" not in {*browser.cookies} - {"chatter-openid"}


def test_the_page_learns_which_providers_there_are(server: Server) -> None:
    answered = HttpBrowser(server.url).get("/api/oidc")
    assert answered.body == {"providers": [{"id": "test", "label": "Test ID"}]}


def test_without_accounts_there_are_no_providers(tmp_path: Path) -> None:
    with Server(tmp_path / "chatter.db", accounts="off") as server:
        for path in ("/api/oidc", "/api/oidc/test/start", "/api/oidc/test/callback?code=x&state=y"):
            assert HttpBrowser(server.url).get(path).status == 404


def test_an_unknown_provider_is_not_found(server: Server) -> None:
    browser = HttpBrowser(server.url)
    assert start(browser, id="other").status == 404
    assert browser.get("/api/oidc/other/callback?code=x&state=y").status == 404


@pytest.mark.parametrize("mode", ["invite", "closed"])
def test_where_not_everybody_may_sign_up_only_who_is_linked_gets_in(
    tmp_path: Path, provider: OidcProvider, mode: str
) -> None:
    with serve(tmp_path, provider) as server:
        browser = HttpBrowser(server.url)
        number = browser.sign_up("bo")
        assert sign_in(browser, provider) == "/rooms/x"
        assert browser.me()["id"] == number
    with serve(tmp_path, provider, sign_up=mode) as server:
        linked = HttpBrowser(server.url)
        assert sign_in(linked, provider) == "/rooms/x"
        assert linked.me()["id"] == number
        provider.person = {"sub": "another", "name": "Eve"}
        stranger = HttpBrowser(server.url)
        assert sign_in(stranger, provider) == f"{FAILED_THERE}&reason=sign_up_closed"
        assert stranger.me()["kind"] == "guest"


def test_who_is_signed_in_links_and_stays_who_they_are(
    tmp_path: Path, provider: OidcProvider, database_url: str
) -> None:
    with serve(tmp_path, provider, database_url) as server:
        bo, eve = HttpBrowser(server.url), HttpBrowser(server.url)
        number = bo.sign_up("bo")
        session = bo.cookies["chatter"]
        assert [sign_in(bo, provider) for _ in range(2)] == ["/rooms/x", "/rooms/x"]
        assert bo.cookies["chatter"] == session
        eve.sign_up("eve")
        assert sign_in(eve, provider) == f"{FAILED_THERE}&reason=forbidden"
        assert eve.me()["handle"] == "eve"
        elsewhere = HttpBrowser(server.url)
        sign_in(elsewhere, provider)
        assert elsewhere.me()["id"] == number


def test_a_link_is_not_made_once_the_session_that_has_begun_it_is_over(server: Server, provider: OidcProvider) -> None:
    bo = HttpBrowser(server.url)
    bo.sign_up("bo")
    callback = provider.sign_in(start(bo).location)
    assert bo.delete("/api/sessions/current").status == 204
    assert bo.come_back(callback).location == f"{FAILED_THERE}&reason=gone"
    stranger = HttpBrowser(server.url)
    sign_in(stranger, provider)
    assert stranger.me()["handle"] != "bo"


def test_an_unverified_mail_address_links_nobody(server: Server, provider: OidcProvider) -> None:
    ann = HttpBrowser(server.url)
    number = ann.sign_up("ann")
    provider.person = {"sub": "other", "email": "ann@example.org", "preferred_username": "ann", "name": "ann"}
    eve = HttpBrowser(server.url)
    sign_in(eve, provider)
    assert eve.me()["id"] != number
    assert eve.me()["handle"] != "ann"


def test_a_suspended_person_stays_out(server: Server, provider: OidcProvider) -> None:
    provider.person["preferred_username"] = "ann"
    browser = HttpBrowser(server.url)
    sign_in(browser, provider)
    ended = run_to_its_end("account", "suspend", "ann", f"--database={server.database_url}")
    assert ended.exit_code == 0, ended
    assert sign_in(HttpBrowser(server.url), provider) == f"{FAILED_THERE}&reason=suspended"


def test_signing_in_ends_the_session_that_the_browser_had(server: Server, provider: OidcProvider) -> None:
    browser = HttpBrowser(server.url)
    sign_in(browser, provider)
    first = browser.cookies["chatter"]
    # The start is a guest's: a start with the session would link.
    kept = browser.cookies.pop("chatter")
    begun = start(browser).location
    browser.cookies["chatter"] = kept
    assert browser.come_back(provider.sign_in(begun)).location == "/rooms/x"
    assert browser.cookies["chatter"] != first
    former = HttpBrowser(server.url)
    former.cookies["chatter"] = first
    assert former.get("/api/me").status == 401


# ---------------------------------------------------------------- what others may try


def test_the_cookie_of_the_browser_is_short_and_its_own(server: Server) -> None:
    answered = start(HttpBrowser(server.url))
    (cookie,) = [line for line in answered.headers.get_all("Set-Cookie", []) if "openid" in line]
    name, _, rest = cookie.partition("=")
    assert name == "chatter-openid"
    assert rest.split("; ")[1:] == ["Path=/", "Max-Age=600", "HttpOnly", "SameSite=Lax"]


def test_behind_https_the_cookie_is_bound_to_the_host(tmp_path: Path, provider: OidcProvider) -> None:
    with serve(tmp_path, provider, public_url="https://chat.example.org") as server:
        browser = HttpBrowser(server.url)
        answered = browser.get("/api/oidc/test/start", Host="chat.example.org")
        (cookie,) = [line for line in answered.headers.get_all("Set-Cookie", []) if "openid" in line]
        assert cookie.startswith("__Host-chatter-openid=")
        assert cookie.endswith("; Secure")
        asked = parse_qs(urlsplit(answered.location).query)
        assert asked["redirect_uri"] == ["https://chat.example.org/api/oidc/test/callback"]
        for host in ("evil.example", "other.example.org", f"localhost:{server.port}"):
            answered = browser.get("/api/oidc/test/start", Host=host)
            assert answered.status == 403 or answered.location == f"{FAILED}&reason=address"


Attempt = Callable[[Server, OidcProvider], Answered]


def the_state_of_another_browser(server: Server, provider: OidcProvider) -> Answered:
    """Somebody has a person finish what they have begun themselves, so that it is their account."""
    mallory, ann = HttpBrowser(server.url), HttpBrowser(server.url)
    start(ann)
    return ann.come_back(provider.sign_in(start(mallory).location))


def a_browser_without_a_cookie(server: Server, provider: OidcProvider) -> Answered:
    browser = HttpBrowser(server.url)
    callback = provider.sign_in(start(browser).location)
    browser.cookies.clear()
    return browser.come_back(callback)


def a_replayed_callback(server: Server, provider: OidcProvider) -> Answered:
    browser = HttpBrowser(server.url)
    callback = provider.sign_in(start(browser).location)
    assert browser.come_back(callback).location == "/rooms/x"
    browser.cookies.pop("chatter")
    return browser.come_back(callback)


def no_answer(server: Server, provider: OidcProvider) -> Answered:
    browser = HttpBrowser(server.url)
    start(browser)
    return browser.get("/api/oidc/test/callback")


def an_answer_that_is_no_text(server: Server, provider: OidcProvider) -> Answered:
    browser = HttpBrowser(server.url)
    start(browser)
    return browser.get("/api/oidc/test/callback?state=%ff&code=%ff")


def an_answer_of_many_fields(server: Server, provider: OidcProvider) -> Answered:
    browser = HttpBrowser(server.url)
    start(browser)
    return browser.get(f"/api/oidc/test/callback?{'a&' * 60}")


def a_token_for_another(server: Server, provider: OidcProvider) -> Answered:
    provider.claims = {"aud": "other"}
    browser = HttpBrowser(server.url)
    return browser.come_back(provider.sign_in(start(browser).location))


def a_broken_token_endpoint(server: Server, provider: OidcProvider) -> Answered:
    provider.answers["/token"] = Answer(500)
    browser = HttpBrowser(server.url)
    return browser.come_back(provider.sign_in(start(browser).location))


@pytest.mark.parametrize(
    ("attempt", "end"),
    [
        (the_state_of_another_browser, FAILED),
        (a_browser_without_a_cookie, FAILED),
        (a_replayed_callback, FAILED),
        (no_answer, FAILED),
        (an_answer_that_is_no_text, FAILED),
        (an_answer_of_many_fields, FAILED),
        (a_token_for_another, FAILED_THERE),
        (a_broken_token_endpoint, FAILED_THERE),
    ],
)
def test_nobody_is_signed_in_by(server: Server, provider: OidcProvider, attempt: Attempt, end: str) -> None:
    answered = attempt(server, provider)
    assert (answered.status, answered.location) == (302, end)
    assert not any(line.startswith("chatter=") for line in answered.headers.get_all("Set-Cookie", []))
    assert "nobody is signed in" in server.log
    assert "Traceback" not in server.log


def test_a_provider_that_is_away_is_said_to_be(server: Server, provider: OidcProvider) -> None:
    provider.answers["/.well-known/openid-configuration"] = Answer(503)
    assert start(HttpBrowser(server.url)).location == f"{FAILED_THERE}&reason=unavailable"


def test_somebody_who_says_no_there_is_told_so(server: Server, provider: OidcProvider) -> None:
    provider.callback = {"error": "access_denied"}
    assert sign_in(HttpBrowser(server.url), provider) == f"{FAILED_THERE}&reason=cancelled"


def test_what_became_of_it_takes_the_place_of_the_fragment_at_which_somebody_began(
    server: Server, provider: OidcProvider
) -> None:
    browser = HttpBrowser(server.url)
    provider.callback = {"error": "access_denied"}
    begun = start(browser, "/rooms/x%3Fa=1%23there")
    came_back = browser.come_back(provider.sign_in(begun.location))
    assert came_back.location == "/rooms/x?a=1#sign-in=failed&reason=cancelled"


@pytest.mark.parametrize(
    "page", ["//evil.example", "https://evil.example", "/%5Cevil.example", "/api/me", "%0A/rooms/x"]
)
def test_a_foreign_page_is_no_place_to_go_on(server: Server, page: str) -> None:
    answered = start(HttpBrowser(server.url), page)
    assert answered.status == 400
    assert answered.body["field"] == "next"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_foreign_page_has_nobody_begin(server: Server, provider: OidcProvider, site: str) -> None:
    answered = HttpBrowser(server.url).get("/api/oidc/test/start", **{"Sec-Fetch-Site": site})
    assert (answered.status, answered.body["reason"]) == (403, "origin")
    assert provider.asked == []


def test_no_secret_is_in_the_log(tmp_path: Path, provider: OidcProvider) -> None:
    with serve(tmp_path, provider, log_level="debug") as server:
        browser = HttpBrowser(server.url)
        callback = provider.sign_in(start(browser).location)
        browser.come_back(callback)
        browser.come_back(callback)
        provider.claims = {"nonce": "other"}
        sign_in(HttpBrowser(server.url), provider)
        query = parse_qs(urlsplit(callback).query)
        for secret in (SECRET, query["code"][0], query["state"][0], *browser.cookies.values()):
            assert secret not in server.log
