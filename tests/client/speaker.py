"""Somebody in a room without a page, which would take a hundred times the work."""

from typing import Any

from tests.client.sessions import Session
from tests.support.server import Server
from tests.support.talker import PhoenixFrame, Talker


class Speaker:
    """Speaker is a guest, or who has a session, who speaks and listens over a websocket."""

    def __init__(self, server: Server, name: str, room: str, session: Session | None = None) -> None:
        headers = {"Cookie": session.cookie, "Origin": server.url} if session else None
        self._talker = Talker(server.port, headers=headers)
        self._name, self._room = name, room
        self._heard: list[dict[str, Any]] = []
        self._asks("phx_join")

    def says(self, *texts: str) -> None:
        """Says something, and waits until it is acknowledged."""
        for text in texts:
            self._asks("new_message", message=text)

    def replies(self, to: str, text: str) -> None:
        """Says something as a reply to the message with this text."""
        self._asks("new_message", message=text, reply_to=self._find(to)["seq"])

    def reacts(self, to: str, *keys: str) -> None:
        for key in keys:
            self._asks("react", seq=self._find(to)["seq"], key=key)

    def pins(self, *texts: str) -> None:
        for text in texts:
            self._asks("pin", seq=self._find(text)["seq"])

    def deletes(self, text: str) -> None:
        self._asks("delete_message", seq=self._find(text)["seq"])

    def types(self) -> None:
        """Lets the others see that something is being written."""
        self._asks("typing")

    def author_of(self, text: str) -> str:
        """Returns the name under which the message with this text was said."""
        return str(self._find(text)["name"])

    def expect_said(self, *texts: str) -> None:
        """Waits until as much was said, and nothing else."""
        while len(self._heard) < len(texts):
            self._hear(next(self._talker.frames()))
        assert [heard["message"] for heard in self._heard] == list(texts)

    def leaves(self) -> None:
        self._talker.websocket.connection.close()

    def _find(self, text: str) -> dict[str, Any]:
        """Waits for the message with this text."""
        while True:
            for heard in self._heard:
                if heard["message"] == text:
                    return heard
            self._hear(next(self._talker.frames()))

    def _asks(self, event: str, **payload: Any) -> None:
        ref = self._talker.push(self._room, event, name=self._name, **payload)
        frames = self._talker.receive_until(lambda frame: (frame.event, frame.ref) == ("phx_reply", ref))
        for frame in frames:
            self._hear(frame)
        assert frames[-1].payload["status"] == "ok", frames[-1]

    def _hear(self, frame: PhoenixFrame) -> None:
        if frame.event == "new_message":
            self._heard.append(frame.payload)
