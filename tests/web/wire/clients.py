"""Connects the clients of one server in one test."""

from collections.abc import Iterator

import pytest

from tests.support.phoenix_client import LongPoll, WebSocket
from tests.support.server import Server
from tests.web.wire.placeholders import Placeholders
from tests.web.wire.transcript import LongPollClient, WebSocketClient

SHORT_TIMEOUT = 3.0
"""Seconds: `idle_timeout` and `poll_window` of the server with short time-outs."""


class Clients:
    """Clients connects clients to a server. They share the values of placeholders."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._placeholders = Placeholders()
        self._websocket_clients: list[WebSocketClient] = []
        self._longpoll_clients: list[LongPollClient] = []

    def connect(self, name: str, query: str = "vsn=2.0.0") -> WebSocketClient:
        """Connects a client on a websocket."""
        client = WebSocketClient(name, WebSocket(self.port, query), self._placeholders)
        self._websocket_clients.append(client)
        return client

    def poll(self, name: str, query: str = "vsn=2.0.0") -> LongPollClient:
        """Starts a poll session."""
        client = LongPollClient(name, LongPoll(self.port, query), self._placeholders)
        self._longpoll_clients.append(client)
        return client

    def hear_no_more(self) -> None:
        """Checks that no client was sent a frame that the test did not expect."""
        for client in self._websocket_clients:
            client.hears_no_more()

    def hang_up(self) -> None:
        """Closes all connections."""
        for client in self._websocket_clients:
            client.hangs_up()
        for longpoll_client in self._longpoll_clients:
            longpoll_client.hangs_up()


def clients_of(server: Server, request: pytest.FixtureRequest) -> Iterator[Clients]:
    """Yields the clients of a test; checks at its end that no frame is left unheard."""
    failures = request.session.testsfailed
    clients = Clients(server.port)
    try:
        yield clients
        if request.session.testsfailed == failures:
            clients.hear_no_more()
    finally:
        clients.hang_up()
