"""(g) Very many rooms that are opened and left."""

import socket
import time
from collections.abc import Iterator

from bench import frames
from bench.scenario import Context, Figure, Figures, Scenario
from bench.servers import Running, Server

AT_ONCE = 100
"""Rooms of one connection: as many as it may join."""


def _measure(server: Server, context: Context) -> Figures:
    rooms = 10_000 if context.quick else 100_000
    idle = 15 if context.quick else 120
    part = rooms // 10 // AT_ONCE
    visits = rooms // AT_ONCE
    with Running(server.with_options(f"--room-idle-timeout={idle}")) as running:
        _visit(running.port, "before")
        rss, cpu, began = running.rss(), running.cpu(), time.monotonic()
        marks = [cpu]
        for number in range(visits):
            _visit(running.port, f"r{number}")
            if number + 1 in (part, visits - part, visits):
                marks.append(running.cpu())
        took = time.monotonic() - began
        opened = running.rss() - rss
        if took > idle:
            context.note(f"    {server.name}: opening took {took:.0f} s, rooms have retired meanwhile")
        used = running.cpu()
        time.sleep(max(0.0, began + took + idle + 5 - time.monotonic()))
        retired, left = running.cpu() - used, running.rss() - rss
    figures = {
        "bytes": opened / rooms,
        "left": left / rooms,
        "first": 1e6 * (marks[1] - marks[0]) / (part * AT_ONCE),
        "last": 1e6 * (marks[3] - marks[2]) / (part * AT_ONCE),
        "retire": 1e6 * retired / rooms,
        "opened": rooms / took,
    }
    context.note(
        f"    {server.name} {rooms:,} rooms: " + ", ".join(f"{name} {value:.0f}" for name, value in figures.items())
    )
    return figures


def _visit(port: int, place: str) -> None:
    """One connection opens many rooms, and leaves them all."""
    topics = [f"chat_room:{place}-{number}" for number in range(AT_ONCE)]
    with socket.create_connection(("127.0.0.1", port), 20) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(frames.handshake(port))
        heard = _hear(sock)
        _await(heard, frames.HEAD_END, 1)
        sock.sendall(b"".join(frames.join(topic, {}) for topic in topics))
        _await(heard, b"phx_reply", AT_ONCE)
        sock.sendall(b"".join(frames.push("2", topic, "phx_leave", {}) for topic in topics))
        _await(heard, b"phx_close", AT_ONCE)


def _hear(sock: socket.socket) -> Iterator[bytes]:
    while piece := sock.recv(65536):
        yield piece


def _await(heard: Iterator[bytes], word: bytes, times: int) -> None:
    stream = b""
    while stream.count(word) < times:
        stream += next(heard)


SCENARIO = Scenario(
    "g",
    "rooms",
    "100,000 rooms opened, left and retired",
    {
        "bytes": Figure("resident memory of a room that nobody is in", "B", digits=0),
        "left": Figure("the same after it has retired", "B", digits=0, compared=False),
        "opened": Figure("opened and left", "1/s", "higher", 0),
        "first": Figure("server CPU for each of the first tenth", "µs", digits=0),
        "last": Figure("server CPU for each of the last tenth", "µs", digits=0),
        "retire": Figure("server CPU to retire one, with what an idle server does meanwhile", "µs", digits=0),
    },
    _measure,
    for_peers=False,
    in_quick=False,
)
