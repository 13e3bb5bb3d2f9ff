"""Every endpoint, tried by everybody. An endpoint without a row fails."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.support.database import query
from tests.support.phoenix_client import LongPoll
from tests.support.server import Server, wait_until
from tests.web.accounts.conftest import PASSWORD, Answer, Browser, ask, bearer, command, dies, first_admin, numbers
from web.http.accounts.routes import ROUTES

PEOPLE = ["guest", "member", "token", "expired", "revoked", "suspended", "admin", "foreign page"]

Outcome = tuple[int, str | None]
SIGN_IN, UNAUTHORIZED, FORBIDDEN, ORIGIN = (401, "sign_in"), (401, "unauthorized"), (403, "forbidden"), (403, "origin")
DEAD = {"expired": UNAUTHORIZED, "revoked": UNAUTHORIZED, "suspended": UNAUTHORIZED}


class Row(NamedTuple):
    """One endpoint: what is sent, and what each is answered."""

    body: Any
    outcomes: Mapping[str, Outcome]
    path: str | None = None  # where it is not the route itself


def for_all(status: int, reason: str | None = None) -> dict[str, Outcome]:
    """Whoever asks is answered alike; a page of another origin may change nothing."""
    return {**dict.fromkeys(PEOPLE, (status, reason)), "foreign page": ORIGIN}


def of_owner(status: int, reason: str | None = None, *, changes: bool = True, **others: Outcome) -> dict[str, Outcome]:
    """An account's own: neither for guests nor for tokens."""
    own = (status, reason)
    foreign = ORIGIN if changes else SIGN_IN
    return {
        "guest": SIGN_IN, "member": own, "token": FORBIDDEN, **DEAD, "admin": own, "foreign page": foreign, **others
    }  # fmt: skip


def read(status: int = 200) -> dict[str, Outcome]:
    """Anybody may ask, but with a secret that proves nothing; a foreign page's cookie counts for nothing."""
    return {**dict.fromkeys(PEOPLE, (status, None)), **DEAD}


NOT_FOUND: Outcome = (404, "not_found")
TABLE: dict[tuple[str, str], Row] = {
    ("GET", "/api/rooms"): Row(None, read()),
    ("GET", "/api/me"): Row(None, read()),
    ("PUT", "/api/me"): Row({"name": "Somebody Else"}, of_owner(200)),
    ("DELETE", "/api/me"): Row({"password": PASSWORD}, of_owner(204)),
    ("GET", "/api/me/export"): Row(None, of_owner(200, changes=False)),
    ("POST", "/api/me/proof"): Row({"password": PASSWORD}, of_owner(204)),
    ("GET", "/api/me/providers"): Row(None, of_owner(200, changes=False)),
    ("DELETE", "/api/me/providers/([0-9a-f]{32})"): Row(None, of_owner(*NOT_FOUND), f"/api/me/providers/{'0' * 32}"),
    ("POST", "/api/accounts"): Row({"handle": "{new}", "password": PASSWORD}, for_all(201)),
    ("GET", "/api/sessions"): Row(None, of_owner(200, changes=False)),
    ("POST", "/api/sessions"): Row({"handle": "nobody", "password": "wrong"}, for_all(401, "wrong")),
    ("DELETE", "/api/sessions"): Row(None, of_owner(200)),
    ("DELETE", "/api/sessions/ended"): Row(None, for_all(200)),
    ("PUT", r"/api/sessions/(current|[1-9][0-9]{0,17})"): Row(
        {"label": "the phone"}, of_owner(204), "/api/sessions/current"
    ),
    ("DELETE", r"/api/sessions/(current|[1-9][0-9]{0,17})"): Row(None, of_owner(204), "/api/sessions/current"),
    ("GET", "/api/tokens"): Row(None, of_owner(200, changes=False)),
    ("POST", "/api/tokens"): Row({"label": "x", "scopes": ["read"]}, of_owner(201)),
    ("DELETE", "/api/tokens/([1-9][0-9]{0,17})"): Row(None, of_owner(*NOT_FOUND), "/api/tokens/999999"),
    ("GET", "/api/invites"): Row(None, of_owner(200, changes=False)),
    # A member of today may not invite yet.
    ("POST", "/api/invites"): Row({}, of_owner(201, member=FORBIDDEN)),
    ("DELETE", "/api/invites/([1-9][0-9]{0,17})"): Row(None, of_owner(*NOT_FOUND), "/api/invites/999999"),
    ("POST", "/api/links"): Row({"handle": "root", "kind": "sign_in"}, of_owner(201, member=FORBIDDEN)),
    ("POST", "/api/links/look"): Row({"link": "chl_nothing"}, for_all(410, "gone")),
    ("POST", "/api/links/use"): Row({"link": "chl_nothing"}, for_all(410, "gone")),
    ("GET", "/api/oidc"): Row(None, dict.fromkeys(PEOPLE, (200, None))),
    ("GET", "/api/oidc/([a-z0-9-]{1,32})/start"): Row(
        None, {**dict.fromkeys(PEOPLE, (404, None)), "foreign page": ORIGIN}, "/api/oidc/none/start"
    ),
    ("GET", "/api/oidc/([a-z0-9-]{1,32})/callback"): Row(
        None, dict.fromkeys(PEOPLE, (404, None)), "/api/oidc/none/callback"
    ),
    ("GET", "/api/passkeys"): Row(None, of_owner(200, changes=False)),
    ("POST", "/api/passkeys"): Row({"credential": {}}, of_owner(400, "invalid")),
    # An IP address has no passkeys.
    ("POST", "/api/passkeys/options"): Row({"for": "add"}, of_owner(409, "no_passkeys")),
    ("DELETE", "/api/passkeys/([1-9][0-9]{0,17})"): Row(None, of_owner(*NOT_FOUND), "/api/passkeys/999999"),
    ("POST", "/api/sessions/passkey"): Row({"credential": {}}, for_all(409, "no_passkeys")),
}


@pytest.fixture(scope="module")
def dead(people_server: Server, admin: Browser) -> dict[str, str]:
    """Secrets that were somebody's."""
    expired, revoked, suspended = Browser(people_server), Browser(people_server), Browser(people_server)
    for each in (expired, revoked):
        each.signs_up()
    handle = suspended.signs_up()
    secrets = {
        "expired": expired.token("read", "post", expires_in=1),
        "revoked": revoked.cookies["chatter"],
        "suspended": suspended.cookies["chatter"],
    }
    assert revoked.ask("DELETE", "/api/sessions/current").status == 204
    command(people_server, "account", "suspend", handle)
    for secret in secrets.values():
        dies(people_server, secret)
    return secrets


def asked_by(person: str, server: Server, dead: Mapping[str, str], method: str, path: str, body: Any) -> Answer:
    """What somebody is answered. Members and admins are new: they may leave."""
    browser = Browser(server)
    if person == "guest":
        return browser.ask(method, path, body)
    if person in dead:
        browser.cookies["chatter"] = dead[person]
        return browser.ask(method, path, body)
    handle = browser.signs_up()
    if person == "admin":
        command(server, "account", "role", handle, "admin")
        wait_until(lambda: browser.ask("GET", "/api/me").json["role"] == "admin")
    if person == "token":
        token = browser.token("read", "post")
        return Browser(server).ask(method, path, body, bearer(token))
    if person == "foreign page":
        browser.origin = "https://evil.example"
    return browser.ask(method, path, body)


def cases() -> Iterator[Any]:
    for (method, path), row in TABLE.items():
        for person in PEOPLE:
            yield pytest.param(method, row.path or path, row, person, id=f"{method} {path} by {person}")


@pytest.mark.usefixtures("admin")
@pytest.mark.parametrize(("method", "path", "row", "person"), list(cases()))
def test_everybody_is_answered_what_the_table_says(
    people_server: Server, dead: dict[str, str], method: str, path: str, row: Row, person: str
) -> None:
    body = row.body
    if isinstance(body, dict):
        body = {key: f"new{next(numbers)}" if value == "{new}" else value for key, value in body.items()}
    answer = asked_by(person, people_server, dead, method, path, body)
    reason = answer.json.get("reason") if answer.status >= 400 else None
    assert (answer.status, reason) == row.outcomes[person]
    assert answer.headers["cache-control"] == "no-store"
    if person in dead and row.outcomes[person] == UNAUTHORIZED:
        assert answer.cookies == []  # a newer one may be on its way


def test_every_endpoint_has_a_row_and_every_row_everybody() -> None:
    endpoints = {
        (method.upper(), path)
        for path, handler in ROUTES
        for method in ("get", "head", "post", "put", "patch", "delete")
        if method in vars(handler)
    }
    assert endpoints | {("GET", "/api/rooms")} == set(TABLE)
    assert all(set(row.outcomes) == set(PEOPLE) for row in TABLE.values())


# ---------------------------------------------------------------- what is answered


def test_me_is_whoever_the_cookie_or_the_bearer_says(browser: Browser) -> None:
    server = {"accounts": "guests", "sign_up": "open", "has_accounts": True, "no_passkeys": "address"}
    server |= {"password_min": 10, "leave_days": 7}
    Browser(browser.server).signs_up()
    assert browser.ask("GET", "/api/me").json == {"kind": "guest", "role": "guest", "server": server}
    handle = browser.signs_up(name="Ann Bo")
    me = browser.ask("GET", "/api/me").json
    assert me == {
        "kind": "person",
        "id": me["id"],
        "handle": handle,
        "name": "Ann Bo",
        "role": "member",
        "has_password": True,
        "server": server,
    }
    del me["has_password"]  # which only a session is told
    assert Browser(browser.server).ask("GET", "/api/me", headers=bearer(browser.token("read"))).json == me


def test_the_cookie_of_a_session_lasts_from_the_last_visit_on(browser: Browser) -> None:
    browser.signs_up()
    session = browser.cookies["chatter"]
    renewed = browser.ask("GET", "/api/me").cookies
    assert renewed == [f"chatter={session}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"]
    bearer = {"Authorization": f"Bearer {session}"}
    assert Browser(browser.server).ask("GET", "/api/me", headers=bearer).cookies == []
    assert Browser(browser.server).ask("GET", "/api/me").cookies == []


def test_a_session_and_its_cookie_last_as_long_as_the_setting_says(tmp_path: Path) -> None:
    with Server(tmp_path / "chatter.db", sign_up="open", session_days=0.25) as server:
        browser = Browser(server)
        signed_up = browser.ask("POST", "/api/accounts", {"handle": "ann", "password": PASSWORD})
        visited = browser.ask("GET", "/api/me")
        for cookies in (signed_up.cookies, visited.cookies):
            assert "Max-Age=21600" in next(each for each in cookies if each.startswith("chatter=")).split("; ")
        ((began, ends),) = query(
            server.database_url, "SELECT created_at, expires_at FROM secret WHERE kind = 'session'"
        )
    assert datetime.fromisoformat(ends) - datetime.fromisoformat(began) == timedelta(hours=6)


def test_a_server_says_whether_it_has_accounts_yet(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Server(tmp_path_factory.mktemp("new") / "chatter.db") as server:
        assert Browser(server).ask("GET", "/api/me").json["server"]["has_accounts"] is False
        first_admin(server)
        assert Browser(server).ask("GET", "/api/me").json["server"]["has_accounts"] is True


def test_a_bearer_counts_before_a_cookie(browser: Browser) -> None:
    browser.signs_up()
    assert browser.ask("GET", "/api/me", headers=bearer("chs_stolen")).json == {"reason": "unauthorized"}


def test_signing_in_answers_alike_for_a_wrong_password_and_an_unknown_handle(browser: Browser) -> None:
    handle = browser.signs_up()
    other = Browser(browser.server)
    wrong, unknown = other.signs_in(handle, "x" * 12), other.signs_in("nobody-at-all", "x" * 12)
    assert wrong.status == unknown.status == 401
    assert wrong.json["reason"] == unknown.json["reason"] == "wrong"
    assert set(wrong.json) == set(unknown.json)
    assert other.cookies == {}


def test_a_session_is_a_cookie_that_no_script_and_no_other_site_gets(browser: Browser) -> None:
    handle = browser.signs_up()
    session = next(each for each in browser.signs_in(handle).cookies if each.startswith("chatter="))
    assert session.startswith("chatter=chs_")
    assert {"Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=2592000"} == set(session.split("; ")[1:])


def test_behind_tls_the_cookie_belongs_to_this_host_alone(tmp_path_factory: pytest.TempPathFactory) -> None:
    database = tmp_path_factory.mktemp("tls") / "chatter.db"
    with Server(database, sign_up="open", public_hosts="https://chat.example") as server:
        body = b'{"handle":"ann","password":"correct horse battery"}'
        headers = {"Host": "chat.example", "Origin": "https://chat.example", "Content-Length": str(len(body))}
        answer = ask(server, "POST", "/api/accounts", headers, body)
        session = next(each for each in answer.cookies if each.startswith("__Host-chatter="))
        assert "; Secure" in session
        me = {"Host": "chat.example", "Cookie": session.partition(";")[0]}
        assert ask(server, "GET", "/api/me", me).json["handle"] == "ann"
        plain = {"Host": "chat.example", "Cookie": session.partition(";")[0].replace("__Host-chatter", "chatter")}
        assert ask(server, "GET", "/api/me", plain).json["kind"] == "guest"


@pytest.mark.parametrize(("url", "hosts"), [("https://chat.example", ""), ("", "chat.example")])
def test_a_page_that_people_open_by_https_has_no_plain_cookie(
    tmp_path_factory: pytest.TempPathFactory, url: str, hosts: str
) -> None:
    """The proxy tells neither the host nor the scheme."""
    database = tmp_path_factory.mktemp("proxy") / "chatter.db"
    with Server(database, sign_up="open", public_url=url, public_hosts=hosts) as server:
        answer = Browser(server, "https://chat.example").ask(
            "POST", "/api/accounts", {"handle": "ann", "password": "correct horse battery"}
        )
        assert answer.status == 201
        assert all(cookie.startswith("__Host-") and "; Secure" in cookie for cookie in answer.cookies)


def test_signing_in_ends_the_session_that_the_browser_had(browser: Browser) -> None:
    handle = browser.signs_up()
    former = browser.cookies["chatter"]
    assert browser.signs_in(handle).status == 201
    assert browser.ask("GET", "/api/me", headers=bearer(former)).status == 401
    assert len(browser.ask("GET", "/api/sessions").json["sessions"]) == 1


NEW_PASSWORD = {"password": "another horse battery", "old_password": PASSWORD}


@pytest.mark.parametrize("way", ["PUT /api/me", "DELETE /api/sessions", "POST /api/links/use"])
def test_a_late_answer_to_the_former_cookie_leaves_the_newer_one(
    browser: Browser, people_server: Server, way: str
) -> None:
    handle = browser.signs_up()
    body: dict[str, str] | None = NEW_PASSWORD if way == "PUT /api/me" else None
    if way == "POST /api/links/use":
        (link,) = re.findall(r"chl_\w+", command(people_server, "account", "link", handle, "--reset"))
        body = {"link": link, "password": "another horse battery"}
    former = Browser(people_server)
    former.cookies |= browser.cookies
    method, path = way.split()
    assert browser.ask(method, path, body).status in (200, 201)
    late = former.ask("GET", "/api/me")
    assert (late.status, late.cookies) == (401, [])
    assert browser.ask("GET", "/api/me").json["handle"] == handle


def test_a_dead_cookie_goes_where_that_is_asked_for(browser: Browser, dead: dict[str, str]) -> None:
    browser.cookies["chatter"] = dead["revoked"]
    assert browser.ask("DELETE", "/api/sessions/ended").json == {"kind": "guest", "role": "guest"}
    assert "chatter" not in browser.cookies
    assert browser.ask("GET", "/api/me").json["kind"] == "guest"


def test_a_living_session_is_not_taken_for_one_that_has_ended(browser: Browser, dead: dict[str, str]) -> None:
    handle = browser.signs_up()
    answer = browser.ask("DELETE", "/api/sessions/ended")
    assert (answer.status, answer.json["handle"], answer.cookies) == (200, handle, [])
    assert browser.ask("DELETE", "/api/sessions/ended", headers=bearer(dead["revoked"])).cookies == []
    assert browser.ask("GET", "/api/me").json["handle"] == handle


def test_sessions_are_listed_named_and_ended(browser: Browser) -> None:
    handle = browser.signs_up()
    other = Browser(browser.server)
    other.signs_in(handle)
    assert browser.ask("PUT", "/api/sessions/current", {"label": "laptop"}).status == 204
    sessions = {each["current"]: each for each in browser.ask("GET", "/api/sessions").json["sessions"]}
    assert sessions[True]["label"] == "laptop"
    for label in ("x" * 65, "two\nlines"):
        refused = browser.ask("PUT", "/api/sessions/current", {"label": label})
        assert (refused.status, refused.json["reason"], refused.json["field"]) == (400, "invalid", "label")
    assert browser.ask("DELETE", f"/api/sessions/{sessions[False]['id']}").status == 204
    assert other.ask("GET", "/api/me").status == 401
    assert browser.ask("GET", "/api/me").status == 200


@pytest.mark.parametrize("asked", [("PUT", "/api/me", NEW_PASSWORD), ("DELETE", "/api/sessions")])
def test_who_signs_all_others_out_signs_copies_of_the_own_session_out(browser: Browser, asked: Any) -> None:
    handle = browser.signs_up()
    other, copy = Browser(browser.server), Browser(browser.server)
    other.signs_in(handle)
    copy.cookies |= browser.cookies
    assert browser.ask("PUT", "/api/me", NEW_PASSWORD | {"old_password": "x" * 12}).status == 401
    assert copy.ask("GET", "/api/me").status == 200
    assert browser.ask(*asked).status == 200
    for former in (other, copy):
        assert former.ask("GET", "/api/me").status == 401
    assert browser.ask("GET", "/api/me").status == 200
    (session,) = browser.ask("GET", "/api/sessions").json["sessions"]
    assert session["current"]


def test_an_invite_leads_to_a_room(people_server: Server, admin: Browser) -> None:
    made = admin.ask("POST", "/api/invites", {"room": "garden"}).json
    assert made["url"] == f"{people_server.url}/#invite={made['code']}"
    body = {"handle": f"new{next(numbers)}", "password": PASSWORD, "invite": made["code"]}
    answer = Browser(people_server).ask("POST", "/api/accounts", body)
    assert (answer.status, answer.json["room"]) == (201, "garden")
    assert Browser(people_server).ask("POST", "/api/accounts", body | {"handle": "again"}).json["reason"] == "invite"


PUBLIC = {"public_url": "https://chat.example.org"}
HOSTS = {"public_hosts": "chat.example.org talk.example.org"}


@pytest.mark.parametrize(
    ("settings", "opened_at", "address"),
    [
        ({}, "http://localhost:8000", "http://localhost:8000"),
        (PUBLIC, "http://localhost:8000", "https://chat.example.org"),
        (PUBLIC, "https://chat.example.org", "https://chat.example.org"),
        (HOSTS, "http://localhost:8000", "https://chat.example.org"),
        (HOSTS, "https://talk.example.org", "https://talk.example.org"),
    ],
)
def test_links_lead_to_a_public_address_or_to_where_the_page_is_open(
    tmp_path: Path, settings: dict[str, Any], opened_at: str, address: str
) -> None:
    with Server(tmp_path / "chatter.db", **settings) as server:
        admin = first_admin(server)
        admin.cookies.setdefault("__Host-chatter", admin.cookies.get("chatter", ""))
        admin.origin = opened_at
        made = admin.ask("POST", "/api/invites", {}, {"Host": urlsplit(opened_at).netloc}).json
    assert made["url"] == f"{address}/#invite={made['code']}"


def test_a_link_signs_in_once(people_server: Server, admin: Browser) -> None:
    handle = Browser(people_server).signs_up()
    link = admin.ask("POST", "/api/links", {"handle": handle, "kind": "sign_in"}).json["link"]
    browser = Browser(people_server)
    assert browser.ask("POST", "/api/links/look", {"link": link}).json == {"kind": "sign_in", "handle": handle}
    assert browser.ask("POST", "/api/links/use", {"link": link}).json["account"]["handle"] == handle
    assert Browser(people_server).ask("POST", "/api/links/use", {"link": link}).json["reason"] == "gone"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/accounts", [], "body"),
        ("/api/accounts", {"handle": "ann"}, "password"),
        ("/api/accounts", {"handle": 7, "password": PASSWORD}, "handle"),
        ("/api/accounts", {"handle": "A B", "password": PASSWORD}, "handle"),
        ("/api/accounts", {"handle": "short-password", "password": "x"}, "password"),
        ("/api/accounts", {"handle": "ann", "password": PASSWORD, "role": "admin"}, "role"),
        ("/api/accounts", {"handle": "x" * 1_025, "password": PASSWORD}, "handle"),
        ("/api/sessions", {"handle": "ann", "password": "\ud800"}, "body"),
        ("/api/sessions", {"handle": "ann\0", "password": PASSWORD}, "handle"),
    ],
)
def test_what_is_wrong_with_a_body_is_said_by_its_field(browser: Browser, path: str, body: Any, field: str) -> None:
    answer = browser.ask("POST", path, body)
    assert (answer.status, answer.json["reason"], answer.json["field"]) == (400, "invalid", field)


@pytest.mark.parametrize(
    "body",
    [
        {"label": "x" * 65, "scopes": ["read"]},
        {"label": "x", "scopes": []},
        {"label": "x", "scopes": ["everything"]},
        {"label": "x", "scopes": "read"},
        {"label": "x", "scopes": ["read"], "expires_in": True},
        {"label": "x", "scopes": ["read"], "expires_in": 0},
    ],
)
def test_a_token_says_what_it_is_for(browser: Browser, body: Any) -> None:
    browser.signs_up()
    assert browser.ask("POST", "/api/tokens", body).json["reason"] == "invalid"


def test_a_body_may_not_be_large(browser: Browser) -> None:
    answer = browser.ask("POST", "/api/sessions", {"handle": "x" * 16_384})
    assert answer.status in (400, 413)


def test_without_accounts_there_are_no_such_addresses(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Server(tmp_path_factory.mktemp("off") / "chatter.db", accounts="off") as server:
        for (method, path), row in TABLE.items():
            if path != "/api/rooms":
                assert Browser(server).ask(method, row.path or path, {}).status == 404


def test_who_has_no_invite_takes_no_sign_up_from_who_has(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Server(tmp_path_factory.mktemp("junk") / "chatter.db", rate_limits="on", sign_up="invite") as server:
        code = command(server, "invite").partition("#invite=")[2].strip()
        browser = Browser(server)
        account = {"handle": "ann", "password": "correct horse battery"}
        for number in range(40):
            invite = {"invite": f"guess{number}"} if number < 10 else {}
            answer = browser.ask("POST", "/api/accounts", {**account, **invite})
            assert (answer.status, answer.json["reason"]) == (403, "invite")
        assert browser.ask("POST", "/api/accounts", {**account, "invite": code}).status == 201


def test_secrets_that_prove_nothing_are_counted_by_network(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Server(tmp_path_factory.mktemp("secrets") / "chatter.db", rate_limits="on", sign_up="open") as server:
        browser = Browser(server)
        browser.signs_up()
        right, wrong = bearer(browser.token("read")), bearer("cha_guessed")
        poll = LongPoll(server.port, headers=bearer(browser.cookies["chatter"]))
        poll.open()
        stolen = LongPoll(server.port, headers=wrong)
        stolen.token = poll.token
        assert {ask(server, "GET", "/api/rooms", right).status for _ in range(150)} == {200}
        beat = '[null,"2","phoenix","heartbeat",{}]'
        assert any(stolen.post(beat).get("reason") == "rate_limited" for _ in range(1_000))
        answers = (ask(server, "GET", "/api/rooms", wrong) for _ in range(1_000))
        refused = next(answer for answer in answers if answer.status == 429)
        assert refused.json["reason"] == "rate_limited"
        assert int(refused.headers["retry-after"]) >= 1
        assert ask(server, "GET", "/api/rooms", {}).status == 200


def test_networks_have_a_budget(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Server(tmp_path_factory.mktemp("rates") / "chatter.db", rate_limits="on") as server:
        browser = Browser(server)
        answers = (browser.ask("POST", "/api/links/look", {"link": "chl_x"}) for _ in range(1_000))
        refused = next(answer for answer in answers if answer.status == 429)
        assert refused.json["reason"] == "rate_limited"
        assert int(refused.headers["retry-after"]) >= 1


def test_who_is_refused_leaves_no_traceback(people_server: Server, browser: Browser) -> None:
    before = len(people_server.log)
    assert browser.ask("POST", "/api/links/look", {"link": "chl_" + "x" * 43}).status == 410
    assert "Traceback" not in people_server.log[before:]


def test_secrets_stand_in_no_log_and_no_database_in_clear(people_server: Server, browser: Browser) -> None:
    browser.signs_up()
    token = browser.token("read")
    browser.ask("GET", "/api/me", headers=bearer("cha_" + "x" * 43))
    secrets = [token, browser.cookies["chatter"], browser.cookies["chatter-device"], PASSWORD, "cha_" + "x" * 43]
    stored = b"".join(path.read_bytes() for path in people_server.database.parent.glob("chatter.db*"))
    assert "argon2id" not in people_server.log
    for secret in secrets:
        assert secret not in people_server.log
        assert secret.encode() not in stored
