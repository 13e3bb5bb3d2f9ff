"""Where these tests play: a server, and everybody who talks to it in one test."""

from collections.abc import Iterator

import pytest

from tests.support.phoenix_client import LongPoll, WebSocket
from tests.support.server import Server
from tests.web.wire.blanks import Blanks
from tests.web.wire.transcript import Poller, Speaker

HASTE = 1.0
"""Seconds of silence that the hasty server bears, and for which its polls wait."""


class Stage:
    """A server with the people who talk to it in one test."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._blanks = Blanks()
        self._speakers: list[Speaker] = []
        self._pollers: list[Poller] = []

    def connect(self, name: str, query: str = "vsn=2.0.0") -> Speaker:
        """Somebody on a websocket."""
        speaker = Speaker(name, WebSocket(self.port, query), self._blanks)
        self._speakers.append(speaker)
        return speaker

    def poll(self, name: str, query: str = "vsn=2.0.0") -> Poller:
        """Somebody who polls."""
        poller = Poller(name, LongPoll(self.port, query), self._blanks)
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


def played_at(server: Server, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A stage for one test, at whose end everybody has heard everything, unless it failed already."""
    failures = request.session.testsfailed
    stage = Stage(server.port)
    try:
        yield stage
        if request.session.testsfailed == failures:
            stage.hears_no_more()
    finally:
        stage.ends()
