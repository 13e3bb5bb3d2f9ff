"""Scenario (g) measures memory and CPU of opening, leaving and retiring rooms."""

import socket
import time
from collections.abc import Iterator

from bench import frames
from bench.scenario import Context, Figure, Figures, Scenario
from bench.servers import RunningServer, Server

ROOMS_PER_CONNECTION = 100
"""Rooms that one connection opens: the most it may join."""


def _measure(server: Server, context: Context) -> Figures:
    rooms = 10_000 if context.quick else 100_000
    idle = 20 if context.quick else 120
    with RunningServer(server.with_options(f"--room-idle-timeout={idle}")) as running:
        _visit(running.port, "before")
        rss, began = running.rss(), time.monotonic()
        first, last = _visit_all(running, "once", rooms)
        took = time.monotonic() - began
        opened = running.rss()
        if took > idle:
            context.print_line(f"    {server.name}: opening took {took:.0f} s, some rooms retired meanwhile")
        used = running.cpu()
        time.sleep(idle + 5)  # a client cannot see when the last room has retired
        retired = running.cpu() - used
        _visit_all(running, "again", rooms)
        again = running.rss() - opened
    figures = {
        "bytes": (opened - rss) / rooms,
        "again": again / rooms,
        "opened": rooms / took,
        "first": first,
        "last": last,
        "retire": 1e6 * retired / rooms,
    }
    text = ", ".join(f"{name} {value:.0f}" for name, value in figures.items())
    context.print_line(f"    {server.name} {rooms:,} rooms: {text}")
    return figures


def _visit_all(running: RunningServer, prefix: str, rooms: int) -> tuple[float, float]:
    """Opens and leaves rooms; returns µs of CPU per room, first and last tenth."""
    visits = rooms // ROOMS_PER_CONNECTION
    part = visits // 10
    marks = [running.cpu()]
    for number in range(visits):
        _visit(running.port, f"{prefix}-{number}")
        if number + 1 in (part, visits - part, visits):
            marks.append(running.cpu())
    begin, after_first, before_last, end = marks
    tenth = part * ROOMS_PER_CONNECTION
    return 1e6 * (after_first - begin) / tenth, 1e6 * (end - before_last) / tenth


def _visit(port: int, prefix: str) -> None:
    """Opens `ROOMS_PER_CONNECTION` rooms on one connection and leaves them all."""
    topics = [f"chat_room:{prefix}-{number}" for number in range(ROOMS_PER_CONNECTION)]
    with socket.create_connection(("127.0.0.1", port), 20) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(frames.handshake(port))
        received = _receive(sock)
        _wait_for(received, frames.HEADER_END, 1)
        sock.sendall(b"".join(frames.join(topic, {}) for topic in topics))
        _wait_for(received, b"phx_reply", ROOMS_PER_CONNECTION)
        sock.sendall(b"".join(frames.push("2", topic, "phx_leave", {}) for topic in topics))
        _wait_for(received, b"phx_close", ROOMS_PER_CONNECTION)


def _receive(sock: socket.socket) -> Iterator[bytes]:
    while piece := sock.recv(65536):
        yield piece


def _wait_for(received: Iterator[bytes], word: bytes, times: int) -> None:
    stream = b""
    while stream.count(word) < times:
        stream += next(received)


SCENARIO = Scenario(
    "g",
    "room churn",
    "100,000 rooms opened, left and retired",
    {
        "bytes": Figure("resident memory per empty room", "B", digits=0),
        "again": Figure(
            "additional memory per room when as many others are opened after they retired",
            "B",
            digits=0,
            is_compared=False,
        ),
        "opened": Figure("rooms opened and left", "1/s", "higher", 0),
        "first": Figure("server CPU per room, first tenth", "µs", digits=0),
        "last": Figure("server CPU per room, last tenth", "µs", digits=0),
        "retire": Figure("server CPU to retire a room, including what an idle server uses meanwhile", "µs", digits=0),
    },
    _measure,
    for_peers=False,
    in_quick=False,
)
