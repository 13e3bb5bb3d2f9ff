"""Devices of people with accounts, which follow their lists of rooms."""

import json
from collections.abc import Mapping
from itertools import count
from typing import Any

from tests.support.phoenix_client import Opcode
from tests.support.rooms import PRIVATE
from tests.support.server import Server
from tests.support.talker import Talker


class Device(Talker):
    """One connection of somebody."""

    def __init__(self, server: Server, headers: Mapping[str, str], **options: Any) -> None:
        super().__init__(server.port, headers=headers, **options)
        self._numbers = count(1)

    def asks(self, event: str, topic: str = "me", **payload: object) -> Any:
        """Asks something, and returns the answer with its status as `ok`; drops what was pushed before."""
        ref = f"ask{next(self._numbers)}"
        self.websocket.send(Opcode.TEXT, json.dumps([None, ref, topic, event, payload]).encode())
        answer = self.wait_for("phx_reply", ref)
        return {"ok": answer["status"] == "ok", **answer["response"]}

    def enters(self) -> dict[str, Any]:
        """Joins `me`, and returns the rooms by slug."""
        answer = self.asks("phx_join")
        assert answer["ok"], answer
        return {room["slug"]: room for room in answer["rooms"]}

    def reads_all(self) -> None:
        """Says that nothing is unread: who has something unread hears what follows up to ten seconds later."""
        assert self.asks("mark_all_read")["ok"]

    def joins(self, slug: str = PRIVATE) -> Any:
        """Joins a room."""
        return self.asks("phx_join", f"chat_room:{slug}", log=2, resync=True)

    def says(self, text: str, slug: str = PRIVATE) -> int:
        """Says something in a room that it has joined; returns its place."""
        answer = self.asks("new_message", f"chat_room:{slug}", message=text)
        assert answer["ok"], answer
        seq: int = answer["seq"]
        return seq
