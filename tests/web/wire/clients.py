"""The clients of one server in one test."""

from collections.abc import Iterator

import pytest

from tests.support.phoenix_client import LongPoll, WebSocket
from tests.support.server import Server
from tests.web.wire.placeholders import Placeholders
from tests.web.wire.transcript import Poller, Speaker

HASTE = 1.0
"""Seconds of silence that the hasty server bears, and for which its polls wait."""


class Clients:
    """Connects clients to a server. They share the values of their placeholders."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._placeholders = Placeholders()
        self._speakers: list[Speaker] = []
        self._pollers: list[Poller] = []

    def connect(self, name: str, query: str = "vsn=2.0.0") -> Speaker:
        """Somebody on a websocket."""
        speaker = Speaker(name, WebSocket(self.port, query), self._placeholders)
        self._speakers.append(speaker)
        return speaker

    def poll(self, name: str, query: str = "vsn=2.0.0") -> Poller:
        """Somebody who polls."""
        poller = Poller(name, LongPoll(self.port, query), self._placeholders)
        self._pollers.append(poller)
        return poller

    def hears_no_more(self) -> None:
        """Everybody has heard everything that they were told."""
        for speaker in self._speakers:
            speaker.hears_no_more()

    def ends(self) -> None:
        """Everybody hangs up."""
        for speaker in self._speakers:
            speaker.hangs_up()
        for poller in self._pollers:
            poller.hangs_up()


def clients_of(server: Server, request: pytest.FixtureRequest) -> Iterator[Clients]:
    """The clients of one test. At its end each has heard everything, unless it failed already."""
    failures = request.session.testsfailed
    clients = Clients(server.port)
    try:
        yield clients
        if request.session.testsfailed == failures:
            clients.hears_no_more()
    finally:
        clients.ends()
