"""Notes what the pages of a test do and should not."""

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, WebError, WebSocket

OUTAGE = (
    "net::ERR_",
    "Error during WebSocket handshake",
    "Failed to load resource: the server responded with a status of 503",
)
"""Parts of what a browser logs for a lost network, a refused websocket, and a server without its database."""

GIVEN_UP = "WebSocket is closed before the connection is established"
"""Part of what it logs where the page gave up an attempt: on a slow machine it polls after 2.5 s."""

REFUSAL = "Failed to load resource: the server responded with a status of 4"
"""What a browser logs for a request that the server refuses."""


class Watch:
    """Notes every request that leaves the server's origin, and every error that a page meets or logs.

    A browser logs a violation of the page's policy as an error, so those are among them. A connection that fails is
    logged too; a test that cuts the network, stops the server or locks its database sets `outage`, one that asks for
    what is refused sets `refusals`.
    """

    def __init__(self, origin: str) -> None:
        self.faults: list[str] = []
        self.outage = False
        self.refusals = False
        self._contexts: list[BrowserContext] = []
        self._urls: list[str] = []
        self._admitted: tuple[str, ...] = (f"{origin}/", f"{origin.replace('http', 'ws', 1)}/", "data:")

    def reached(self, start: str) -> bool:
        """Whether a page requested an address that starts with `start`."""
        return any(url.startswith(start) for url in self._urls)

    def admit(self, origin: str) -> None:
        """Lets pages go to another origin too."""
        self._admitted = (*self._admitted, f"{origin}/")

    def follow(self, context: BrowserContext) -> None:
        """Notes what the pages of `context` do from now on."""
        self._contexts.append(context)
        context.on("request", self._requested)
        context.on("console", self._logged)
        context.on("weberror", self._failed)
        context.on("page", self._opened)

    def unfollow(self) -> None:
        """Notes nothing of what later tests do in the same contexts."""
        for context in self._contexts:
            context.remove_listener("request", self._requested)
            context.remove_listener("console", self._logged)
            context.remove_listener("weberror", self._failed)
            context.remove_listener("page", self._opened)

    def _opened(self, page: Page) -> None:
        page.on("websocket", self._connected)

    def _requested(self, request: Request) -> None:
        self._note(request.url)

    def _connected(self, websocket: WebSocket) -> None:
        self._note(websocket.url)

    def _note(self, url: str) -> None:
        self._urls.append(url)
        if not url.startswith(self._admitted):
            self.faults.append(f"a request to {url}")

    def _logged(self, message: ConsoleMessage) -> None:
        expected = GIVEN_UP in message.text or (self.outage and any(words in message.text for words in OUTAGE))
        expected |= self.refusals and REFUSAL in message.text
        if message.type in {"error", "warning", "assert"} and not expected:
            self.faults.append(f"{message.type}: {message.text}")

    def _failed(self, error: WebError) -> None:
        self.faults.append(f"uncaught: {error.error}")
