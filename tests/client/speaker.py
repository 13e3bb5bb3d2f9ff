"""Somebody in a room without a page, which would take a hundred times the work."""

from typing import Any

from tests.support.server import Server
from tests.support.talker import PhoenixFrame, Talker


class Speaker:
    """Speaker is a guest who only speaks and listens, over a websocket."""

    def __init__(self, server: Server, name: str, room: str) -> None:
        self._talker = Talker(server.port)
        self._name, self._room = name, room
        self._heard: list[str] = []
        self._asks("phx_join", name=name)

    def says(self, *texts: str) -> None:
        """Says something, and waits until it is acknowledged."""
        for text in texts:
            self._asks("new_message", name=self._name, message=text)

    def expect_said(self, *texts: str) -> None:
        """Waits until as much was said, and nothing else."""
        frames = self._talker.frames()
        while len(self._heard) < len(texts):
            self._hear(next(frames))
        assert self._heard == list(texts)

    def leaves(self) -> None:
        self._talker.websocket.connection.close()

    def _asks(self, event: str, **payload: Any) -> None:
        ref = self._talker.push(self._room, event, **payload)
        frames = self._talker.receive_until(lambda frame: (frame.event, frame.ref) == ("phx_reply", ref))
        for frame in frames:
            self._hear(frame)
        assert frames[-1].payload["status"] == "ok", frames[-1]

    def _hear(self, frame: PhoenixFrame) -> None:
        if frame.event == "new_message":
            self._heard.append(frame.payload["message"])
