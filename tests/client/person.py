"""The people of these tests, each with their own browser."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Error, Locator, Page, expect

from tests.client.sessions import Session
from tests.support.server import Server, wait_until

DOUBT_MS = 4_000
"""Longer than an offline page needs to find out that its server does not answer: it may be on this machine."""

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
"""Options of a context: a phone's size and touch screen."""

SIMULATED_VISIBILITY = """state => {
  Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""

HAS_POLLED = "performance.getEntriesByType('resource').some(({ name }) => name.includes('/socket/longpoll'))"


class Person:
    """Person is a user of a page: the parts they see and the actions they take."""

    def __init__(self, page: Page, server: Server) -> None:
        self.server = server
        self._looks_at(page)

    def _looks_at(self, page: Page) -> None:
        self.page = page
        self.composer = page.get_by_role("textbox", name=re.compile("^Message "))
        self.conversation = page.get_by_role("region", name="Conversation")
        self.log = page.get_by_role("log")
        self.texts = page.locator(".message .text")
        self.unacknowledged = page.locator(".message:not([data-state=said])")
        self.groups = page.locator(".message.first")
        self.status = page.get_by_role("status").and_(page.locator(".status"))
        self.banner = page.locator(".banner")
        self.notices = page.locator(".notices")
        self.pill = page.locator(".pill")
        self.typing = page.locator(".typing")
        self.not_sent = page.get_by_role("alert").filter(has_text="not sent")
        self.people_button = page.locator(".people-button")
        self.pins_button = page.locator(".pins-button")
        self.strip = page.locator(".strip")
        self.announcer = page.locator(".announcer").first
        self.palette = page.get_by_role("dialog", name="Find or create a room")
        self.toast = page.locator(".app > .toast")
        self.toolbar = page.get_by_role("toolbar")
        self.people = page.get_by_role("region", name="Here now")
        self.people_dialog = page.get_by_role("dialog", name="Here now")
        self.rooms = page.get_by_role("navigation", name="Rooms")
        self.name_dialog = page.get_by_role("dialog").filter(has_text="What should the others call you?")
        self._app = page.locator(".app")

    def goes_to(self, room: str) -> None:
        """Opens a room by its address and waits for the join."""
        self._loads(lambda: self.page.goto(self.address_of(room)))
        self.expect_connected()

    def reloads(self) -> None:
        """Loads the page anew."""
        self._loads(self.page.reload)

    def takes_cookie_of(self, session: Session) -> None:
        """Leaves the page and has the cookie of a session from now on.

        A page that saw it come would load itself anew, perhaps in place of what the test opens.
        """
        self.page.goto("about:blank")
        self.page.context.add_cookies([session.browser_cookie])

    def _loads(self, load: Callable[[], object]) -> None:
        """Loads a page, again where the browser was still on its way back from a dialog that was closed."""
        try:
            load()
        except Error as error:
            if "ERR_ABORTED" not in error.message:
                raise
            load()

    def expect_websocket(self) -> None:
        """Loads the page again until its websocket opens in time.

        On a slow machine it may come too late: the page polls then, and soon leaves that connection for another, with
        which a guest's right to change what was said ends.
        """

        def has_websocket() -> bool:
            if not self.page.evaluate(HAS_POLLED):
                return True
            self.reloads()
            self.expect_connected()
            return False

        wait_until(has_websocket)

    def address_of(self, room: str) -> str:
        """Returns where a room is shown."""
        return self.server.url if room == "lobby" else f"{self.server.url}/rooms/{room}"

    def opens_page(self) -> None:
        """Goes on in a new page of the same browser."""
        self._looks_at(self._new_page())

    def opens_another_page(self) -> "Person":
        """Returns the same person at a second page of the same browser."""
        return Person(self._new_page(), self.server)

    def _new_page(self) -> Page:
        """Opens a page in the process of the browser's first one, which has compiled the program: half of a visit."""
        first = self.page.context.pages[0]
        with first.expect_popup() as opened:
            first.evaluate("() => void window.open('about:blank')")
        return opened.value

    def button(self, name: str) -> Locator:
        """Finds the button with exactly this name."""
        return self.page.get_by_role("button", name=name, exact=True)

    def room(self, slug: str) -> Locator:
        """Finds a room's entry in the list at the side."""
        return self.rooms.locator(".room").filter(has=self.page.locator(".name").get_by_text(slug, exact=True))

    def message(self, text: str) -> Locator:
        """Finds the messages with exactly this text."""
        return self.page.locator(".message").filter(has=self.page.locator(".text").get_by_text(text, exact=True))

    def searches(self, text: str) -> None:
        """Opens the dialog that finds rooms and people by its button, and writes into it."""
        self.button("Find or create a room").click()
        self.palette.get_by_role("combobox").fill(text)

    def creates_room(self, name: str) -> None:
        """Creates a room and shows it."""
        self.searches(name)
        self.palette.get_by_role("option", name="Create #").click()

    def takes_name(self, name: str) -> None:
        """Answers the dialog that asks for a name."""
        self.name_dialog.get_by_role("textbox").fill(name)
        self.name_dialog.get_by_role("textbox").press("Enter")

    def says(self, *texts: str) -> None:
        """Writes and sends messages, one after the other."""
        # A dialog that is being closed is still modal: what is filled in under it is written, and keys go astray.
        expect(self.page.locator("dialog:modal")).to_have_count(0)
        for text in texts:
            self.composer.fill(text)
            self.composer.press("Control+Enter")  # which sends from a touch screen too

    def expect_state(self, state: str) -> None:
        """Waits until the page is in this state."""
        expect(self._app).to_have_attribute("data-state", state)

    def expect_connected(self) -> None:
        """Waits until they are in the room."""
        self.expect_state("connected")

    def expect_said(self, *texts: str) -> None:
        """Waits until the conversation is exactly this, all of it acknowledged."""
        expect(self.texts).to_have_text(list(texts))
        expect(self.unacknowledged).to_have_count(0)

    def expect_acknowledged(self) -> None:
        """Waits until all that they have said is acknowledged.

        A post is drawn below the log, and anew in the log once it is heard: what was found before is gone then.
        """
        self.sees_a_frame()  # which draws what was just said
        expect(self.unacknowledged).to_have_count(0)

    def loses_network(self) -> None:
        """Goes offline and waits until the page shows it. From now on `waits` moves the page's clock."""
        self.page.clock.install()
        self.page.context.set_offline(True)
        self.expect_offline()

    def expect_offline(self) -> None:
        """Waits until the page shows that it is offline. Tells it again, as its first question may get through."""

        def is_offline() -> bool:
            self.page.evaluate("dispatchEvent(new Event('offline'))")
            self.page.clock.run_for(DOUBT_MS)
            return self._app.get_attribute("data-state") == "offline"

        wait_until(is_offline)

    def finds_network(self) -> None:
        """Goes online and waits until the page is connected."""
        self.page.context.set_offline(False)
        self.expect_connected()

    def waits(self, milliseconds: int) -> None:
        """Moves the page's clock forward."""
        self.page.clock.fast_forward(milliseconds)

    def sees_a_frame(self) -> None:
        """Waits until what the page has been told is drawn, for a test that nothing changes by it."""
        self.page.evaluate("() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))")

    def looks_away(self) -> None:
        """Tells the page that it is hidden. A headless browser shows all its pages at once."""
        self.page.evaluate(SIMULATED_VISIBILITY, "hidden")

    def looks_back(self) -> None:
        """Tells the page that it is visible again."""
        self.page.evaluate(SIMULATED_VISIBILITY, "visible")

    def draws_no_more(self) -> None:
        """Gives the page no frames any more: what it shows at once it has drawn itself."""
        self.page.evaluate("window.requestAnimationFrame = () => 0")
