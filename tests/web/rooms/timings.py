"""Prints how long a stranger waits for an answer about a private room, and about one that is not there.

`python -m tests.web.rooms.timings` starts a server of its own. Each figure is the mean of 200 questions, asked in
turn. The two of a line should be alike: whoever can tell them apart knows which rooms there are. A busy machine makes
them noisy.
"""

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean, stdev

from chatter.charter import new_slug
from tests.support.phoenix_client import Opcode, WebSocket, request
from tests.support.server import Server
from tests.web.accounts.conftest import Browser

QUESTIONS = 200


def main() -> None:
    """Runs the program."""
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder) / "chatter.db", sign_up="open") as server:
        owner, outsider = Browser(server), Browser(server)
        for browser in (owner, outsider):
            browser.signs_up()
        answer = owner.ask("POST", "/api/rooms", {"kind": "private", "title": "A room"})
        rooms = {"private": answer.json["slug"], "missing": new_slug("private")}
        for asker, headers in (("guest", Browser(server).headers), ("account outside", outsider.headers)):
            socket = WebSocket(server.port, "vsn=2.0.0", headers)
            for what, ask in _questions(server, socket, headers).items():
                _print(f"{asker}, {what}", _times(ask, rooms))
            socket.connection.close()


def _questions(server: Server, socket: WebSocket, headers: dict[str, str]) -> dict[str, Callable[[str], object]]:
    def join(slug: str) -> None:
        socket.send(Opcode.TEXT, json.dumps(["1", "1", f"chat_room:{slug}", "phx_join", {"log": 2}]).encode())
        socket.receive()

    def describe(slug: str) -> None:
        request(server.port, "GET", f"/api/rooms/{slug}", headers)

    return {"join": join, "GET /api/rooms/<slug>": describe}


def _times(ask: Callable[[str], object], rooms: dict[str, str]) -> dict[str, list[float]]:
    """Returns the times of questions about each room, one after the other."""
    times: dict[str, list[float]] = {kind: [] for kind in rooms}
    for _ in range(QUESTIONS):
        for kind, slug in rooms.items():
            begun = time.perf_counter()
            ask(slug)
            times[kind].append(time.perf_counter() - begun)
    return times


def _print(what: str, times: dict[str, list[float]]) -> None:
    shown = "   ".join(f"{kind} {1e6 * mean(each):6.0f} ± {1e6 * stdev(each):5.0f} µs" for kind, each in times.items())
    print(f"{what:40} {shown}")


if __name__ == "__main__":
    main()
