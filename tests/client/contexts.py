"""Lends browser contexts to the people of the tests, and lends one again that has forgotten what it was used for."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Error, Page

from tests.support.server import PATIENCE, Server

MOST_KEPT = 6
"""Contexts that wait for their next test. Each has a process of some 80 MB."""

WITHOUT_SERVICE_WORKERS = "delete Navigator.prototype.serviceWorker;"
"""Saves a fifth of a visit's CPU: each context would keep the page anew. `test_offline.py` has its own contexts."""

WITHOUT_BLUR = """{
  const plain = new CSSStyleSheet();
  plain.replaceSync("::backdrop { backdrop-filter: none !important; }");
  document.adoptedStyleSheets.push(plain);
}"""
"""Without a graphics card each frame of a dialog blurs the whole page behind it, which takes as long as the dialog."""

HAS_REAL_CLOCK = "() => Function.prototype.toString.call(setTimeout).includes('[native code]')"

DESCRIPTION = """() => {
  const { state } = document.querySelector(".app")?.dataset ?? {};
  const focus = document.activeElement?.outerHTML.slice(0, 200);
  return `${location.href} is ${state}, ${document.visibilityState}, with the focus in ${focus}
${document.body.innerText.replaceAll(/\\s*\\n\\s*/g, " / ")}`;
}"""

OPEN = """memory => {
  localStorage.clear();
  for (const [key, value] of Object.entries(memory)) if (value) localStorage[key] = value;
  window.open("about:blank");
}"""


@contextmanager
def own_context(browser: Browser, script: str, **options: Any) -> Iterator[BrowserContext]:
    """Opens a context that no other test has had or will have, whose pages run a script first."""
    opened = browser.new_context(**options)
    opened.add_init_script(script)
    yield opened
    opened.close()


class LentContext:
    """A context that one test has at a time: a person's browser, for one server.

    It keeps a page of its own, which opens the page of each test: both run in one process, where the program is
    compiled already after the first. That saves two fifths of a visit's CPU. Further pages of a test have their own
    process.
    """

    def __init__(self, browser: Browser, options: dict[str, Any]) -> None:
        self.context: BrowserContext = browser.new_context(locale="en-GB", **options)
        self.context.set_default_timeout(PATIENCE * 1_000)
        self.context.add_init_script(WITHOUT_SERVICE_WORKERS)
        self.context.add_init_script(WITHOUT_BLUR)
        self.context.add_init_script = self._spoil  # type: ignore[assignment, method-assign]
        self._keeper: Page = self.context.new_page()
        self._devtools: CDPSession = self.context.new_cdp_session(self._keeper)
        self._origin = ""
        self._is_spoilt = False

    def moves_to(self, origin: str) -> None:
        """Forgets what it stored, and is at a server from now on.

        It forgets as late as this: an answer that is on its way as its page closes may bring a cookie.
        """
        self.context.clear_cookies()
        if self._origin:
            self._devtools.send("Storage.clearDataForOrigin", {"origin": self._origin, "storageTypes": "all"})
        if self._origin != origin:
            self._keeper.goto(f"{origin}/healthz")
            self._origin = origin

    def new_page(self, memory: dict[str, str]) -> Page:
        """Opens a page that has stored this at an earlier visit, where it is not empty."""
        with self._keeper.expect_popup() as opened:
            # A page of another process may have stored something as it ended.
            self._keeper.evaluate(OPEN, memory)
        return opened.value

    def rests(self) -> bool:
        """Closes the pages of the test. False if something of the test stays."""
        try:
            return not self._is_spoilt and self._close_pages()
        except Error:  # a page is gone
            return False

    def describe(self) -> str:
        """Says what the pages of the test show."""
        return "\n\n".join(str(page.evaluate(DESCRIPTION)) for page in self.context.pages if page is not self._keeper)

    def _spoil(self, *arguments: Any, **options: Any) -> None:
        """Adds a script of the test, which cannot be taken back."""
        self._is_spoilt = True
        type(self.context).add_init_script(self.context, *arguments, **options)

    def _close_pages(self) -> bool:
        for page in self.context.pages:
            if page is not self._keeper:
                page.close()
        self.context.set_offline(False)
        self.context.unroute_all()
        return bool(self._keeper.evaluate(HAS_REAL_CLOCK))


class ContextPool:
    """Keeps contexts that several tests have, each with the same options."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._kept: list[tuple[str, LentContext]] = []
        self._lent: list[tuple[str, LentContext]] = []

    def lend(self, server: Server, options: dict[str, Any]) -> LentContext:
        """Returns a context that is as good as new."""
        key = json.dumps(options, sort_keys=True)
        kept = next((each for each in reversed(self._kept) if each[0] == key), None)
        if kept:
            self._kept.remove(kept)
        lent = kept or (key, LentContext(self._browser, options))
        self._lent.append(lent)
        lent[1].moves_to(server.url)
        return lent[1]

    def describe(self) -> str:
        """Says what the pages of the test show, for who reads why it failed."""
        try:
            return "\n\n".join(context.describe() for _, context in self._lent)
        except Error as error:
            return f"A page does not tell: {error}"

    def take_back(self) -> None:
        """Takes all contexts back at the end of a test."""
        for lent in self._lent:
            if lent[1].rests():
                self._kept.append(lent)
            else:
                lent[1].context.close()
        self._lent.clear()
        while len(self._kept) > MOST_KEPT:
            self._kept.pop(0)[1].context.close()
