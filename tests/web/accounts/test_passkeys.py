"""Adding passkeys and signing in with them: over HTTP on both databases, and in Chromium with an authenticator."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.authenticator import Authenticator
from tests.support.chromium import add_authenticator, chromium
from tests.support.http_browser import Answered, HttpBrowser
from tests.support.oidc_provider import SECRET, OidcProvider
from tests.support.server import Server, run_to_its_end


def serve(path: Path, url: str | None = None, environment: dict[str, str] | None = None, **options: Any) -> Server:
    """A server on which anybody may make an account."""
    given = {"sign_up": "open", "log_level": "info", **options}
    return Server(path / "chatter.db", environment, database_url=url, **given)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serve(tmp_path) as started:
        yield started


@pytest.fixture
def ann(server: Server) -> HttpBrowser:
    """Ann, who is signed in with a password."""
    browser = HttpBrowser(server.url)
    browser.sign_up("ann")
    return browser


def authenticator(browser: HttpBrowser) -> Authenticator:
    return Authenticator(browser.origin, "localhost")


def options(browser: HttpBrowser, purpose: str) -> dict[str, Any]:
    answered = browser.post("/api/passkeys/options", {"for": purpose})
    assert answered.status == 200, answered
    return dict(answered.body["publicKey"])


def add(browser: HttpBrowser, key: Authenticator, **more: Any) -> Answered:
    return browser.post("/api/passkeys", {"credential": key.make(options(browser, "add")), **more})


def sign_in(browser: HttpBrowser, key: Authenticator) -> Answered:
    return browser.post("/api/sessions/passkey", {"credential": key.show(options(browser, "sign_in"))})


def listed(browser: HttpBrowser) -> list[dict[str, Any]]:
    answered = browser.get("/api/passkeys")
    assert answered.status == 200, answered
    return list(answered.body["passkeys"])


def test_a_passkey_is_added_signs_in_and_is_deleted(tmp_path: Path, database_url: str) -> None:
    with serve(tmp_path, database_url) as server:
        ann, elsewhere = HttpBrowser(server.url), HttpBrowser(server.url)
        number = ann.sign_up("ann")
        key = authenticator(ann)
        added = add(ann, key, label="Phone")
        assert (added.status, [*added.body]) == (201, ["id"])
        (shown,) = listed(ann)
        assert (shown["id"], shown["label"], shown["used_at"]) == (added.body["id"], "Phone", None)
        answered = sign_in(elsewhere, key)
        assert (answered.status, answered.body["account"]["id"]) == (201, number)
        assert elsewhere.me()["handle"] == "ann"
        assert listed(ann)[0]["used_at"] is not None
        assert ann.delete(f"/api/passkeys/{added.body['id']}").status == 204
        assert listed(ann) == []
        refused = sign_in(HttpBrowser(server.url), key)
        assert (refused.status, refused.body["reason"]) == (401, "wrong")


def test_a_copied_key_is_found_out_by_its_count(server: Server, ann: HttpBrowser) -> None:
    key = authenticator(ann)
    add(ann, key)
    for count, status in ((5, 201), (6, 201), (6, 401), (3, 401), (0, 401), (7, 201)):
        key.sign_count = count
        assert sign_in(HttpBrowser(server.url), key).status == status, count


def test_a_second_passkey_is_asked_not_to_be_the_first(ann: HttpBrowser) -> None:
    key = authenticator(ann)
    add(ann, key)
    asked = options(ann, "add")
    assert [each["transports"] for each in asked["excludeCredentials"]] == [["internal"]]
    assert asked["user"]["id"] == key.user_handle
    again = add(ann, key)
    assert (again.status, again.body["field"]) == (400, "credential")


def test_what_was_made_for_somebody_else_is_not_added(server: Server, ann: HttpBrowser) -> None:
    eve = HttpBrowser(server.url)
    eve.sign_up("eve")
    made = authenticator(ann).make(options(ann, "add"))
    answered = eve.post("/api/passkeys", {"credential": made})
    assert (answered.status, answered.body["reason"], answered.body["field"]) == (400, "invalid", "credential")
    assert listed(eve) == []


def test_an_answer_counts_once(server: Server, ann: HttpBrowser) -> None:
    key = authenticator(ann)
    add(ann, key)
    sent = key.show(options(ann, "sign_in"))
    statuses = [HttpBrowser(server.url).post("/api/sessions/passkey", {"credential": sent}).status for _ in range(2)]
    assert statuses == [201, 401]


def test_only_so_many_passkeys_are_an_accounts(ann: HttpBrowser) -> None:
    for _ in range(20):
        assert add(ann, authenticator(ann)).status == 201
    answered = add(ann, authenticator(ann))
    assert (answered.status, answered.body["reason"]) == (409, "full")


def test_a_suspended_person_stays_out(server: Server, ann: HttpBrowser) -> None:
    key = authenticator(ann)
    add(ann, key)
    ended = run_to_its_end("account", "suspend", "ann", f"--database={server.database_url}")
    assert ended.exit_code == 0, ended
    answered = sign_in(HttpBrowser(server.url), key)
    assert (answered.status, answered.body["reason"]) == (403, "suspended")


def test_the_passkeys_of_an_erased_account_are_gone(server: Server, ann: HttpBrowser) -> None:
    key = authenticator(ann)
    add(ann, key)
    erased = run_to_its_end("account", "erase", "ann", f"--database={server.database_url}")
    assert erased.exit_code == 0, erased
    assert sign_in(HttpBrowser(server.url), key).status == 401


def test_the_passkeys_are_in_the_export(ann: HttpBrowser) -> None:
    add(ann, authenticator(ann), label="Phone")
    exported = ann.get("/api/me/export").text
    assert '"label":"Phone"' in exported
    assert "public_key" not in exported


def test_the_last_way_to_sign_in_stays(tmp_path: Path, database_url: str) -> None:
    with OidcProvider() as provider:
        secret = {"CHATTER_OIDC_SECRET_TEST": SECRET}
        with serve(tmp_path, database_url, secret, oidc=provider.setting()) as server:
            browser = HttpBrowser(server.url)
            browser.come_back(provider.sign_in(browser.get("/api/oidc/test/start").location))
            for _ in range(2):
                assert add(browser, authenticator(browser)).status == 201
            first = listed(browser)[0]["id"]
            assert browser.delete(f"/api/passkeys/{first}").status == 204
        with serve(tmp_path, database_url) as server:  # without the provider
            browser = _same(browser, server)
            (last,) = listed(browser)
            answered = browser.delete(f"/api/passkeys/{last['id']}")
            assert (answered.status, answered.body["reason"]) == (409, "last_way")
            assert listed(browser) == [last]
        with serve(tmp_path, database_url, secret, oidc=provider.setting()) as server:
            assert _same(browser, server).delete(f"/api/passkeys/{last['id']}").status == 204


def _same(browser: HttpBrowser, server: Server) -> HttpBrowser:
    """The browser with its cookies, at a server that was started again."""
    same = HttpBrowser(server.url)
    same.cookies = browser.cookies
    return same


# ---------------------------------------------------------------- who may ask


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/passkeys", None),
        ("POST", "/api/passkeys", {"credential": {}}),
        ("POST", "/api/passkeys/options", {"for": "add"}),
        ("DELETE", "/api/passkeys/1", None),
    ],
)
def test_a_guest_has_no_passkeys(server: Server, method: str, path: str, body: Any) -> None:
    browser = HttpBrowser(server.url)
    answered = browser.ask(method, path, body, {"Origin": browser.origin})
    assert (answered.status, answered.body["reason"]) == (401, "sign_in")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/passkeys", {"credential": {}}),
        ("POST", "/api/passkeys/options", {"for": "sign_in"}),
        ("POST", "/api/sessions/passkey", {"credential": {}}),
        ("DELETE", "/api/passkeys/1", None),
    ],
)
def test_a_foreign_page_changes_nothing(ann: HttpBrowser, method: str, path: str, body: Any) -> None:
    answered = ann.ask(method, path, body, {"Origin": "https://evil.example"})
    assert (answered.status, answered.body["reason"]) == (403, "origin")


def test_a_passkey_of_somebody_else_is_not_found(server: Server, ann: HttpBrowser) -> None:
    add(ann, authenticator(ann))
    eve = HttpBrowser(server.url)
    eve.sign_up("eve")
    number = listed(ann)[0]["id"]
    assert eve.delete(f"/api/passkeys/{number}").status == 404
    assert len(listed(ann)) == 1


def test_an_access_token_adds_no_way_in(server: Server, ann: HttpBrowser) -> None:
    token = ann.post("/api/tokens", {"label": "bot", "scopes": ["read", "post"]}).body["token"]
    program = HttpBrowser(server.url)
    answered = program.post("/api/passkeys/options", {"for": "add"}, Authorization=f"Bearer {token}")
    assert (answered.status, answered.body["reason"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/passkeys/options", {"for": "anything"}, "for"),
        ("/api/passkeys/options", {}, "for"),
        ("/api/passkeys", {"credential": "x"}, "credential"),
        ("/api/passkeys", {"credential": {}}, "credential"),
        ("/api/passkeys", {"credential": {"id": "x", "response": {}}, "label": "x" * 65}, "label"),
        ("/api/passkeys", {"credential": {"id": "x", "response": {}}, "label": "a\nb"}, "label"),
        ("/api/passkeys", {"credential": {}, "more": 1}, "more"),
        ("/api/sessions/passkey", {}, "credential"),
    ],
)
def test_a_field_that_is_wrong_is_named(ann: HttpBrowser, path: str, body: Any, field: str) -> None:
    answered = ann.post(path, body)
    assert (answered.status, answered.body["reason"], answered.body["field"]) == (400, "invalid", field)


# ---------------------------------------------------------------- where there are none


@pytest.mark.parametrize(
    ("settings", "origin", "words"),
    [
        ({}, "http://127.0.0.1:8000", "a host name"),
        ({}, "http://[::1]:8000", "a host name"),
        ({"public_hosts": "http://chat.example.org"}, "http://chat.example.org", "https"),
        ({"public_hosts": "192.168.1.5"}, "http://192.168.1.5", "https"),
        ({"public_hosts": "192.168.1.5"}, "https://192.168.1.5", "a host name"),
        ({"public_url": "https://chat.example.org"}, "http://localhost:8000", "public address"),
    ],
)
def test_where_browsers_have_no_passkeys_the_reason_is_said(
    tmp_path: Path, settings: dict[str, Any], origin: str, words: str
) -> None:
    scheme, _, host = origin.partition("://")
    headers = {"Host": host, "Origin": origin, "X-Forwarded-Proto": scheme}
    with serve(tmp_path, **settings) as server:
        answered = HttpBrowser(server.url).post("/api/passkeys/options", {"for": "sign_in"}, **headers)
        assert (answered.status, answered.body["reason"]) == (409, "no_passkeys")
        assert words in answered.body["message"]


def test_behind_https_they_belong_to_the_public_host(tmp_path: Path) -> None:
    with serve(tmp_path, public_url="https://chat.example.org:8443") as server:
        browser = HttpBrowser(server.url)
        browser.origin = "https://chat.example.org:8443"
        browser.sign_up("ann")
        key = Authenticator("https://chat.example.org:8443", "chat.example.org")
        assert add(browser, key).status == 201
        assert sign_in(browser, key).status == 201
        for wrong in (Authenticator("https://chat.example.org", key.rp_id), Authenticator(key.origin, "example.org")):
            assert add(browser, wrong).status == 400


def test_the_page_learns_at_once_whether_it_has_passkeys(server: Server) -> None:
    for host, fault in (("localhost", None), ("127.0.0.1", "address")):
        assert HttpBrowser(server.url, host).me()["server"]["no_passkeys"] == fault


def test_passkeys_may_be_turned_off(tmp_path: Path) -> None:
    with serve(tmp_path, passkeys="off") as server:
        answered = HttpBrowser(server.url).post("/api/passkeys/options", {"for": "sign_in"})
        assert (answered.status, answered.body["reason"]) == (409, "no_passkeys")
        assert "turned off" in answered.body["message"]


# ---------------------------------------------------------------- in a browser


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of Chromium with an authenticator of its own, which verifies its person without asking."""
    with chromium() as browser:
        opened = browser.new_context().new_page()
        add_authenticator(opened)
        yield opened


CALLS = """
async (calls) => {
  const ask = async (path, body, method = "POST") => {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
    return { status: answer.status, body: answer.status === 204 ? null : await answer.json() };
  };
  const options = async (purpose) => (await ask("/api/passkeys/options", { for: purpose })).body.publicKey;
  const add = async () => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(await options("add"));
    const credential = await navigator.credentials.create({ publicKey });
    return ask("/api/passkeys", { credential: credential.toJSON(), label: "Laptop" });
  };
  const signIn = async () => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await options("sign_in"));
    const credential = await navigator.credentials.get({ publicKey });
    return ask("/api/sessions/passkey", { credential: credential.toJSON() });
  };
  return await eval(calls);
}
"""


@pytest.mark.browser
def test_a_browser_makes_a_passkey_and_signs_in_with_it(server: Server, page: Page) -> None:
    page.goto(f"http://localhost:{server.port}/")
    person = {"handle": "ann", "password": "correct horse battery"}
    assert page.evaluate(CALLS, f'ask("/api/accounts", {person!r})')["status"] == 201
    added = page.evaluate(CALLS, "add()")
    assert added["status"] == 201, added
    assert page.evaluate(CALLS, 'ask("/api/sessions/current", undefined, "DELETE")')["status"] == 204
    for _ in range(2):  # its count grows
        signed_in = page.evaluate(CALLS, "signIn()")
        assert (signed_in["status"], signed_in["body"]["account"]["handle"]) == (201, "ann")
    assert page.evaluate(CALLS, f'ask("/api/passkeys/{added["body"]["id"]}", undefined, "DELETE")')["status"] == 204
    assert page.evaluate(CALLS, "signIn()")["status"] == 401
