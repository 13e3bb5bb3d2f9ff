"""The cookie of the session: while it is replaced no page asks with the former one, and a dead one makes a guest."""

import re
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, WebSocket, expect

from tests.client.accounts.actions import dialog, expect_account, expect_guest, fills, opens_account
from tests.client.conftest import Visit
from tests.client.person import Person
from tests.client.sessions import PASSWORD, Session, new_account, sign_in
from tests.support.server import Server, run_to_its_end, wait_until

pytestmark = pytest.mark.browser


@pytest.fixture
def session(server: Server) -> Session:
    return sign_in(server, new_account(server))


@pytest.fixture
def ann(visit: Visit, session: Session) -> Person:
    return visit(session=session)


class HeldAnswers:
    """Answers of one endpoint: the server has given them, and the browser gets them when the test says so."""

    def __init__(self, page: Page, method: str, path: str) -> None:
        self._page, self._method = page, method
        self._held: list[Callable[[], None]] = []
        page.route(f"**{path}", self._take)

    def comes(self) -> None:
        """Waits until the server has given one."""
        wait_until(lambda: self._page.evaluate("true") and self._held)

    def let_go(self) -> None:
        """Gives the browser what was held. Later answers are not held."""
        self._method = ""
        for give in self._held:
            give()

    def _take(self, route: Route) -> None:
        if route.request.method != self._method:
            route.fallback()
            return
        answer = self._ask(route.request)
        cookies = "\n".join(answer.headers.get_all("Set-Cookie", []))
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store", "Set-Cookie": cookies}
        status, body = answer.status, answer.read()
        self._held.append(lambda: route.fulfill(status=status, headers=headers, body=body))

    def _ask(self, asked: Request) -> Any:
        """Sends the request past the browser, which would take the cookies of the answer at once."""
        cookies = "; ".join(f"{each['name']}={each['value']}" for each in self._page.context.cookies())
        headers = {"Cookie": cookies, "Origin": re.sub(r"(?<=\d)/.*", "", asked.url), "Sec-Fetch-Site": "same-origin"}
        sent = urllib.request.Request(asked.url, asked.post_data_buffer, headers, method=asked.method)
        try:
            return urllib.request.urlopen(sent)
        except urllib.error.HTTPError as refused:
            return refused


class Asked:
    """What a page asks of accounts."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._requests: list[str] = []
        page.on("request", self._note)

    def until_now(self) -> list[str]:
        """Returns what was asked before this call, as far as the page has heard of a reason."""
        self._page.evaluate("fetch('/healthz').then(() => fetch('/healthz')).then(() => true)")
        return self._requests

    def _note(self, request: Request) -> None:
        if re.search(r"/api/(me|sessions|links/use)\b", request.url):
            self._requests.append(f"{request.method} {re.sub(r'.*(?=/api/)', '', request.url)}")


def websocket_of(person: Person) -> WebSocket:
    """Loads the page again, and returns its websocket."""
    with person.page.expect_websocket() as opened:
        person.reloads()
    person.expect_connected()
    return opened.value


def chooses_by_link(person: Person, handle: str) -> None:
    """Opens a link to reset the password, and sends another one."""
    printed = run_to_its_end("account", "link", handle, "--reset", f"--database={person.server.database_url}")
    (link,) = re.findall(r"chl_\w+", printed.stdout)
    person.page.goto(f"{person.page.url}#link={link}")
    fills(dialog(person, "Choose a new password"), password="eight green bottles")


def cookie_of(person: Person) -> str | None:
    """Returns the cookie of the session, if the browser has one."""
    return {each["name"]: each["value"] for each in person.page.context.cookies()}.get("chatter")


def expect_to_stay(person: Person, session: Session) -> None:
    """Waits for the page of the account, and finds it there the next time, by another cookie."""
    expect_account(person, session.handle)
    person.reloads()
    expect_account(person, session.handle)
    assert cookie_of(person) not in (None, session.cookie.partition("=")[2])


# ---- While the cookie is replaced


def test_a_page_that_is_signed_out_by_a_reset_asks_nothing_before_the_answer(ann: Person, session: Session) -> None:
    websocket = websocket_of(ann)
    reset, asked = HeldAnswers(ann.page, "POST", "/api/links/use"), Asked(ann.page)
    with websocket.expect_event("close"):
        chooses_by_link(ann, session.handle)
        reset.comes()
    assert asked.until_now() == ["POST /api/links/use"]
    with ann.page.expect_event("load"):
        reset.let_go()
    expect(ann.notices).to_be_empty()
    expect_to_stay(ann, session)


def test_another_tab_stays_signed_in_with_what_was_written(ann: Person, session: Session, room: str) -> None:
    other = ann.opens_another_page()
    other.goes_to(room)
    websocket = websocket_of(other)
    other.composer.fill("not finished")
    reset, asked = HeldAnswers(ann.page, "POST", "/api/links/use"), Asked(other.page)
    with websocket.expect_event("close"):
        chooses_by_link(ann, session.handle)
        reset.comes()
    assert asked.until_now() == []
    with other.page.expect_event("load"):
        reset.let_go()
    for page in (other, ann):
        expect_to_stay(page, session)
    expect(other.composer).to_have_value("not finished")


def test_a_room_that_is_entered_before_a_new_password_is_answered_signs_nobody_out(
    ann: Person, session: Session
) -> None:
    websocket = websocket_of(ann)
    changed, asked = HeldAnswers(ann.page, "PUT", "/api/me"), Asked(ann.page)
    with websocket.expect_event("framereceived", lambda frame: "token_expired" in str(frame)):
        fills(opens_account(ann, "Profile"), old_password=PASSWORD, password="eight green bottles")
        changed.comes()
    ann.page.keyboard.press("Escape")
    with websocket.expect_event("framereceived", lambda frame: "unauthorized" in str(frame)):
        ann.room("lobby").click()
    assert asked.until_now() == ["PUT /api/me"]
    with ann.page.expect_websocket():
        changed.let_go()
    ann.expect_connected()
    expect(ann.banner).to_have_count(0)
    expect_to_stay(ann, session)


def test_the_cookie_is_not_replaced_while_an_answer_that_renews_it_is_under_way(ann: Person, session: Session) -> None:
    me, asked = HeldAnswers(ann.page, "GET", "/api/me"), Asked(ann.page)
    opened = opens_account(ann, "Profile")
    opened.get_by_role("button", name="Save names").click()
    me.comes()
    fills(opened, old_password=PASSWORD, password="eight green bottles")
    assert asked.until_now() == ["GET /api/me"]
    me.let_go()
    expect(opened.locator(".toast")).to_contain_text("Your password is changed")
    expect_to_stay(ann, session)


# ---- A dead cookie


@pytest.mark.usefixtures("refusals")
def test_a_guest_with_a_dead_cookie_loses_it_and_is_let_in(visit: Visit, session: Session, room: str) -> None:
    session.send("DELETE", "/api/sessions/current").close()
    guest = visit("guest")
    guest.takes_cookie_of(session)
    guest.goes_to(room)
    expect_guest(guest)
    guest.says("hello")
    guest.expect_said("hello")
    assert cookie_of(guest) is None


@pytest.mark.usefixtures("refusals")
def test_a_page_whose_session_ended_while_it_was_closed_is_a_guests(ann: Person, session: Session) -> None:
    address = ann.page.url
    ann.page.goto("about:blank")
    session.send("DELETE", "/api/sessions/current").close()
    ann.page.goto(address)
    expect_guest(ann)
    expect(ann.notices).to_contain_text("Your session here has ended")
    ann.expect_connected()
    assert cookie_of(ann) is None
