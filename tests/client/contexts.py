"""Lends browser contexts to the people of the tests, and lends one again that has forgotten what it was used for."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, Page

from tests.support.server import PATIENCE, Server

MOST_KEPT = 6
"""Contexts that wait for their next test. Each has a process of some 80 MB."""

WITHOUT_SERVICE_WORKERS = "delete Navigator.prototype.serviceWorker;"
"""Saves a fifth of a visit's CPU: each context would keep the page anew. `test_offline.py` has its own contexts."""

HAS_REAL_CLOCK = "() => Function.prototype.toString.call(setTimeout).includes('[native code]')"


@contextmanager
def own_context(browser: Browser, script: str, **options: Any) -> Iterator[BrowserContext]:
    """Opens a context that no other test has had or will have, whose pages run a script first."""
    opened = browser.new_context(**options)
    opened.add_init_script(script)
    yield opened
    opened.close()


class LentContext:
    """A context that one test has at a time: a person's browser, for one server.

    One that is kept has a page of its own, which opens the page of the next test: both run in one process, where the
    program is compiled already. That saves two fifths of a visit's CPU. Further pages of a test have their own process.
    """

    def __init__(self, browser: Browser, server: Server, script: str, options: dict[str, Any]) -> None:
        self.context: BrowserContext = browser.new_context(locale="en-GB", **options)
        self.context.set_default_timeout(PATIENCE * 1_000)
        self.context.add_init_script(WITHOUT_SERVICE_WORKERS + script)
        self.context.add_init_script = self._spoil  # type: ignore[assignment, method-assign]
        self._server = server
        self._keeper: Page | None = None
        self._is_spoilt = False

    def new_page(self) -> Page:
        """Opens a page, in the process of the page that is kept if there is one."""
        if self._keeper is None:
            return self.context.new_page()
        with self._keeper.expect_popup() as opened:
            # A page of another process may have stored something as it ended.
            self._keeper.evaluate("() => { localStorage.clear(); window.open('about:blank'); }")
        return opened.value

    def forgets(self) -> bool:
        """Closes the pages of the test and clears what they stored. False if something of the test stays, or may.

        An answer that is on its way as its page closes may bring a cookie back after all are cleared.
        """
        try:
            return not (self._is_spoilt or self.context.cookies()) and self._clear(self._keeper or self._open_keeper())
        except Error:  # the server is gone, or a page is
            return False

    def _spoil(self, *arguments: Any, **options: Any) -> None:
        """Adds a script of the test, which cannot be taken back."""
        self._is_spoilt = True
        type(self.context).add_init_script(self.context, *arguments, **options)

    def _open_keeper(self) -> Page:
        self._keeper = self.context.new_page()
        self._keeper.goto(f"{self._server.url}/healthz")
        return self._keeper

    def _clear(self, keeper: Page) -> bool:
        for page in self.context.pages:
            if page is not keeper:
                page.close()
        self.context.set_offline(False)
        self.context.unroute_all()
        keeper.evaluate("localStorage.clear()")
        session = self.context.new_cdp_session(keeper)
        session.send("Storage.clearDataForOrigin", {"origin": self._server.url, "storageTypes": "all"})
        session.detach()
        return bool(keeper.evaluate(HAS_REAL_CLOCK))


class ContextPool:
    """Keeps the contexts of a server that several tests have, each for the same person with the same options."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._kept: list[tuple[str, LentContext]] = []
        self._lent: list[tuple[str, LentContext]] = []
        self._servers: set[str] = set()

    def lend(self, server: Server, script: str, options: dict[str, Any]) -> LentContext:
        """Returns a context that is as good as new, with this script in each of its pages."""
        key = json.dumps([server.url, script, options], sort_keys=True)
        kept = next((each for each in self._kept if each[0] == key), None)
        if kept:
            self._kept.remove(kept)
        lent = kept or (key, LentContext(self._browser, server, script, options))
        self._lent.append(lent)
        return lent[1]

    def take_back(self, server: Server) -> None:
        """Takes all contexts back at the end of a test. Those of a server that only this test has had so far end."""
        for lent in self._lent:
            if server.url in self._servers and lent[1].forgets():
                self._kept.append(lent)
            else:
                lent[1].context.close()
        self._lent.clear()
        self._servers.add(server.url)
        while len(self._kept) > MOST_KEPT:
            self._kept.pop(0)[1].context.close()
