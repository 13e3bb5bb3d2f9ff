"""(g) Very many rooms that are opened and left."""

import socket
import time
from collections.abc import Iterator

from bench import frames
from bench.scenario import Context, Figure, Figures, Scenario
from bench.servers import RunningServer, Server

AT_ONCE = 100
"""Rooms of one connection: as many as it may join."""


def _measure(server: Server, context: Context) -> Figures:
    rooms = 10_000 if context.quick else 100_000
    idle = 20 if context.quick else 120
    with RunningServer(server.with_options(f"--room-idle-timeout={idle}")) as running:
        _visit(running.port, "before")
        rss, began = running.rss(), time.monotonic()
        first, last = _open(running, "once", rooms)
        took = time.monotonic() - began
        opened = running.rss()
        if took > idle:
            context.note(f"    {server.name}: opening took {took:.0f} s, some rooms have retired meanwhile")
        used = running.cpu()
        time.sleep(idle + 5)  # nothing tells from outside that the last room has retired
        retired = running.cpu() - used
        _open(running, "again", rooms)
        again = running.rss() - opened
    figures = {
        "bytes": (opened - rss) / rooms,
        "again": again / rooms,
        "opened": rooms / took,
        "first": first,
        "last": last,
        "retire": 1e6 * retired / rooms,
    }
    said = ", ".join(f"{name} {value:.0f}" for name, value in figures.items())
    context.note(f"    {server.name} {rooms:,} rooms: {said}")
    return figures


def _open(running: RunningServer, place: str, rooms: int) -> tuple[float, float]:
    """Open and leave so many rooms; returns the server's CPU for each of the first and the last tenth, in µs."""
    visits = rooms // AT_ONCE
    part = visits // 10
    marks = [running.cpu()]
    for number in range(visits):
        _visit(running.port, f"{place}-{number}")
        if number + 1 in (part, visits - part, visits):
            marks.append(running.cpu())
    begin, after_first, before_last, end = marks
    return 1e6 * (after_first - begin) / (part * AT_ONCE), 1e6 * (end - before_last) / (part * AT_ONCE)


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
        "again": Figure(
            "further memory for each when, after they retired, as many others are opened", "B", digits=0, compared=False
        ),
        "opened": Figure("opened and left", "1/s", "higher", 0),
        "first": Figure("server CPU for each of the first tenth", "µs", digits=0),
        "last": Figure("server CPU for each of the last tenth", "µs", digits=0),
        "retire": Figure("server CPU to retire one, with what an idle server does meanwhile", "µs", digits=0),
    },
    _measure,
    for_peers=False,
    in_quick=False,
)
