"""One browser for all tests of the page, and people who use it."""

import json
import os
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeAlias

import pytest
from playwright.sync_api import Browser, expect

from tests.client.contexts import ContextPool
from tests.client.person import Person
from tests.client.sessions import Session, numbers
from tests.client.speaker import Speaker
from tests.client.watch import Watch
from tests.support.chromium import chromium
from tests.support.server import Server

Visit: TypeAlias = Callable[..., Person]
Speaks: TypeAlias = Callable[..., Speaker]
Freeze: TypeAlias = Callable[[], AbstractContextManager[None]]
SayInVain: TypeAlias = Callable[[Person, str], AbstractContextManager[None]]

UNANSWERED_MS = 10_000
"""How long a page waits for an answer before it marks a post as not sent."""

SAVING_MS = 5_000
"""How long a page waits for messages to be saved before it says that saving is behind."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds what its pages show to the report of a test that failed."""
    report = yield
    contexts = getattr(item, "funcargs", {}).get("contexts")
    if call.when == "call" and report.failed and contexts:
        report.sections.append(("What the pages show", contexts.describe()))
    return report


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Starts one browser for this folder, and ends it."""
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="package")
def contexts(browser: Browser) -> ContextPool:
    return ContextPool(browser)


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Starts one server for all tests that do not stop it. Each test has its own room."""
    with Server(tmp_path_factory.mktemp("server") / "chatter.db") as running:
        yield running


@pytest.fixture(scope="package")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Starts one server on which anybody may create an account. Its guests are marked as such, other than above."""
    with Server(tmp_path_factory.mktemp("server") / "chatter.db", sign_up="open") as running:
        yield running


@pytest.fixture
def room() -> str:
    return f"room-{next(numbers)}"


@pytest.fixture
def watch(server: Server) -> Iterator[Watch]:
    """Fails the test if a page sent a request to another origin or logged an error."""
    watching = Watch(server.url)
    yield watching
    assert watching.faults == []


@pytest.fixture
def outage(watch: Watch) -> None:
    """Lets connections fail in this test, and the server be without its database."""
    watch.outage = True


@pytest.fixture
def refusals(watch: Watch) -> None:
    """Lets the server refuse requests in this test."""
    watch.refusals = True


@pytest.fixture
def visit(contexts: ContextPool, server: Server, watch: Watch, room: str) -> Iterator[Visit]:
    """Opens a page in a browser of its own: `visit("ann")` in the test's room, `visit("ann", "lobby")` in another.

    A person without a name visits for the first time, unless they are signed in with a session. Either way the browser
    knows them, as from an earlier visit. Options are those of the context.
    """

    def visit(name: str = "", to: str = room, *, session: Session | None = None, **options: Any) -> Person:
        viewport = None if "is_mobile" in options else options.pop("viewport", None)
        lent = contexts.lend(server, options)
        watch.follow(lent.context)
        if session:
            lent.context.add_cookies([session.browser_cookie])
        person = Person(lent.new_page(session.memory if session else {"chatter:name": name}), server)
        if viewport:  # of the page: the context is anybody's
            person.page.set_viewport_size(viewport)
        person.page.goto(person.address_of(to))
        if name or session:
            person.expect_connected()
            person.expect_websocket()
        return person

    yield visit
    contexts.take_back()
    watch.unfollow()


@pytest.fixture
def speaks(server: Server, room: str) -> Iterator[Speaks]:
    """`speaks("bo")` has somebody in the test's room who has no page, `speaks("bo", "lobby")` in another.

    It is a guest, or who has the session.
    """
    speakers: list[Speaker] = []

    def speak(name: str, to: str = room, *, session: Session | None = None) -> Speaker:
        speakers.append(Speaker(server, name, to, session))
        return speakers[-1]

    yield speak
    for speaker in speakers:
        speaker.leaves()


@pytest.fixture
def ann(visit: Visit) -> Person:
    return visit("ann")


@pytest.fixture
def bo(visit: Visit) -> Person:
    return visit("bo")


@pytest.fixture
def frozen(server: Server) -> Freeze:
    """`with frozen():` stops the server's process: connections stay open, and nothing is answered."""

    @contextmanager
    def freeze() -> Iterator[None]:
        os.kill(server.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(server.pid, signal.SIGCONT)

    return freeze


@pytest.fixture
def says_in_vain(frozen: Freeze) -> SayInVain:
    """`with says_in_vain(ann, "hello"):` has the message on her page, marked as not sent for want of an answer."""

    @contextmanager
    def say(person: Person, text: str) -> Iterator[None]:
        person.page.clock.install()
        with frozen():
            person.says(text)
            expect(person.message(text)).to_have_attribute("data-state", "pending")
            person.waits(UNANSWERED_MS)
            expect(person.not_sent).to_be_visible()
            yield

    return say


def memory_of(name: str) -> str:
    """Returns a script that gives the browser this name, as an earlier visit would. The page may change it."""
    return (
        f"if (location.protocol === 'http:' && {json.dumps(name)}) localStorage['chatter:name'] ??= {json.dumps(name)};"
    )
