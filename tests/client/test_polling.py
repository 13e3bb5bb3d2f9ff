"""Where no websocket gets through the page polls, and it goes back to a websocket when one does."""

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Request, Route, expect

from tests.client.conftest import Speaks, Visit
from tests.client.person import Person
from tests.support.server import Server, wait_until
from tests.support.talker import Talker

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("outage")]

REFUSED = """location.protocol === 'http:' && (() => {
  const Real = WebSocket;
  let refuses = Number(sessionStorage.refuses ?? %d);
  window.WebSocket = class extends Real {
    constructor(url, ...rest) {
      super(refuses > 0 ? `ws://${location.host}/no-websocket` : url, ...rest);
      this.polls = performance.getEntriesByType("resource").filter((each) => each.name.includes("longpoll")).length;
      refuses -= 1;
      sessionStorage.refuses = refuses;
      (window.sockets ??= []).push(this);
    }
  };
})()"""
"""Refuses the first so many websockets of a tab, as a proxy or a server that is starting does."""

NEVER = 1_000_000
OPEN_SOCKETS = "() => (window.sockets ?? []).filter((each) => each.readyState === WebSocket.OPEN).length"
CHECK_MS = 15_000
"""How often a page that polls compares its room with the server."""

TABS = 8
"""More than the six connections that a browser opens to one server."""

TURNS = 4
"""Polls that wait at once."""


def visit_refused(visit: Visit, name: str, times: int, room: str) -> Person:
    """Opens a page of which so many websockets are refused."""
    person = visit(name, "lobby")
    person.page.context.add_init_script(REFUSED % times)
    person.page.evaluate("() => sessionStorage.clear()")
    person.goes_to(room)
    return person


class WaitingPolls:
    """Counts the polls of all tabs that wait for an answer."""

    def __init__(self, context: BrowserContext) -> None:
        self._waiting: set[Request] = set()
        context.on("request", self._began)
        context.on("requestfinished", self._ended)
        context.on("requestfailed", self._ended)

    def _began(self, request: Request) -> None:
        if request.method == "GET" and "longpoll" in request.url and "token=null" not in request.url:
            self._waiting.add(request)

    def __len__(self) -> int:
        return len(self._waiting)

    def _ended(self, request: Request) -> None:
        self._waiting.discard(request)


def polls(person: Person) -> int:
    """How often the page has polled since it was loaded."""
    entries = "() => performance.getEntriesByType('resource').filter((each) => each.name.includes('longpoll')).length"
    return int(person.page.evaluate(entries))


def test_one_refused_websocket_does_not_make_a_tab_poll_for_ever(visit: Visit, speaks: Speaks, room: str) -> None:
    bo = speaks("bo")
    ann = visit_refused(visit, "ann", 1, room)
    assert polls(ann) > 0
    bo.says("while she polls")
    ann.expect_said("while she polls")
    wait_until(lambda: ann.page.evaluate(OPEN_SOCKETS))
    ann.expect_connected()
    bo.says("while she does not")
    ann.expect_said("while she polls", "while she does not")
    ann.says("so do I")
    bo.expect_said("while she polls", "while she does not", "so do I")


def test_a_tab_that_polled_tries_a_websocket_after_a_reload(visit: Visit, room: str) -> None:
    ann = visit_refused(visit, "ann", 1, room)
    assert polls(ann) > 0
    ann.reloads()
    ann.expect_connected()
    wait_until(lambda: ann.page.evaluate(OPEN_SOCKETS) == 1)  # on a slow machine the page polls meanwhile
    assert ann.page.evaluate("sockets[0].polls") == 0


def test_where_no_websocket_gets_through_the_page_goes_on_polling(visit: Visit, speaks: Speaks, room: str) -> None:
    bo = speaks("bo")
    ann = visit_refused(visit, "ann", NEVER, room)
    wait_until(lambda: ann.page.evaluate("() => window.sockets.length") > 1)  # it has looked for one
    bo.says("hello")
    ann.expect_said("hello")
    ann.says("hello bo")
    bo.expect_said("hello", "hello bo")


def test_many_tabs_that_poll_leave_each_other_room(visit: Visit, room: str) -> None:
    first = visit_refused(visit, "ann", NEVER, room)
    waiting = WaitingPolls(first.page.context)
    tabs = [first]
    for _ in range(TABS - 1):
        tabs.append(first.opens_another_page())
        tabs[-1].goes_to(room)
    first.says("is anybody there?")
    for tab in tabs:
        tab.expect_said("is anybody there?")
    tabs[-1].says("I am, too")
    for tab in tabs:
        tab.expect_said("is anybody there?", "I am, too")
    wait_until(lambda: first.page.title() and len(waiting) == TURNS)


def test_an_answer_that_was_lost_on_its_way_is_made_up_for(visit: Visit, server: Server, room: str) -> None:
    ann = visit_refused(visit, "ann", NEVER, room)
    ann.page.clock.install()
    ann.goes_to(room)
    asked: list[Route] = []
    lost: list[object] = []

    def lose(route: Route) -> None:
        """Asks the server, and gives the page an answer without the message."""
        if route.request.method != "GET" or lost:
            route.continue_()
            return
        asked.append(route)
        answer: dict[str, Any] = route.fetch().json()
        if "the last word" in str(answer["messages"]):
            lost.append(answer)
            answer = {**answer, "messages": [], "status": 204}
        route.fulfill(json=answer)

    ann.page.route("**/socket/longpoll*", lose)
    wait_until(lambda: ann.page.title() and asked)
    with Talker(server.port) as somebody:
        somebody.join(room)
        somebody.ask(room, "new_message", name="dora", message="the last word")
    wait_until(lambda: ann.page.title() and lost)
    expect(ann.texts).to_have_count(0)
    ann.waits(CHECK_MS)
    ann.expect_said("the last word")
