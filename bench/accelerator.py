"""Measures the accelerator: `python -m bench.accelerator [rounds]`.

One process has the server, its clients and each implementation in turn, so that all of them meet the same noise. The
clients write a burst; then the loop runs until everything has arrived; the figure is the CPU time of the loop's thread
for it, divided by the messages, or by the deliveries in the large room.
"""

import asyncio
import resource
import select
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import count

from bench import frames
from chatter.actors import TurnScheduler
from web import accelerator
from web.main import SWITCH_INTERVAL, _loop_factory
from web.server import Server
from web.settings import read_settings

ROOMS, PEOPLE = 64, 5
LARGE_ROOM = 200
STEP = 0.012
"""Seconds for which the loop runs before somebody looks what has arrived: more than a commit takes."""

WARM_UP = 5


class Clients:
    """The sockets of all clients, read when the loop does not run."""

    def __init__(self, loop: asyncio.AbstractEventLoop, port: int) -> None:
        self._loop = loop
        self._port = port
        self._sockets: dict[int, socket.socket] = {}
        self._epoll = select.epoll()
        self._numbers = count(1)
        self.small = [[self._join(f"small-{room}") for _ in range(PEOPLE)] for room in range(ROOMS)]
        self.large = [self._join("large") for _ in range(LARGE_ROOM)]

    def talk(self, messages: int) -> float:
        """Has somebody speak in each of so many small rooms; returns the CPU of a message in µs."""
        first = next(self._numbers)
        for room in range(first, first + messages):
            speaker = self.small[room % ROOMS][first % PEOPLE]
            speaker.send(self._message(f"small-{room % ROOMS}"))
        return self._run(messages * (PEOPLE + 1)) / messages

    def talk_in_large_room(self) -> float:
        """Has somebody speak in the large room; returns the CPU of a delivery in µs."""
        self.large[next(self._numbers) % LARGE_ROOM].send(self._message("large"))
        return self._run(LARGE_ROOM + 1) / LARGE_ROOM

    def _message(self, room: str) -> bytes:
        number = next(self._numbers)
        payload = {"name": "ann", "message": "hello everybody, how are you today?", "id": f"id-{number}"}
        return frames.push(str(number), f"chat_room:{room}", "new_message", payload)

    def _run(self, expected: int) -> float:
        received, cpu = 0, 0
        while received < expected:
            began = time.thread_time_ns()
            self._loop.run_until_complete(asyncio.sleep(STEP))
            cpu += time.thread_time_ns() - began
            received += sum(data.count(b'"new_message"') + data.count(b"phx_reply") for data in self._read())
        return cpu / 1_000

    def _read(self) -> Iterator[bytes]:
        while ready := self._epoll.poll(0):
            for number, _ in ready:
                yield self._sockets[number].recv(262_144)

    def _join(self, room: str) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self._port))
        client.setblocking(False)
        self._sockets[client.fileno()] = client
        self._epoll.register(client, select.EPOLLIN)
        for sent, answer in (
            (frames.handshake(self._port), b"\r\n\r\n"),
            (frames.join(f"chat_room:{room}", {}), b"ok"),
        ):
            client.send(sent)
            received = b""
            while answer not in received:
                self._loop.run_until_complete(asyncio.sleep(0.001))
                received += b"".join(self._read())
        return client


def implementations(scheduler: TurnScheduler) -> Mapping[str, Callable[[], object]]:
    """Returns the ways to send that there are here, and what puts each in use."""
    gathering, sending = scheduler.end_turns, TurnScheduler.end_each

    def use_python() -> None:
        scheduler.end_turns = sending

    def use_c(*, has_ring: bool) -> None:
        assert accelerator.C is not None
        scheduler.end_turns = gathering
        accelerator.C.open_ring() if has_ring else accelerator.C.close_ring()

    found: dict[str, Callable[[], object]] = {"Python": use_python}
    if accelerator.C is not None:
        found["C"] = lambda: use_c(has_ring=False)
        if accelerator.C.open_ring():
            found["C with io_uring"] = lambda: use_c(has_ring=True)
    return found


def measure(rounds: int) -> None:
    """Prints a line for each load and implementation: µs, and the ratio to Python, as the minimum and percentiles."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sys.setswitchinterval(SWITCH_INTERVAL)
    with (
        tempfile.TemporaryDirectory(prefix="chatter-bench-") as folder,
        asyncio.Runner(loop_factory=_loop_factory()) as runner,
    ):
        options = {"port": "0", "rate_limits": "off", "database": f"sqlite:///{folder}/bench.db"}
        server, port = runner.run(_start(options))
        clients = Clients(runner.get_loop(), port)
        loads: dict[str, Callable[[], float]] = {
            "a message in each of 64 rooms of 5": lambda: clients.talk(64),
            "a message in each of 8 rooms of 5": lambda: clients.talk(8),
            f"a delivery in a room of {LARGE_ROOM}": clients.talk_in_large_room,
        }
        ways = implementations(runner.run(_scheduler()))
        figures: dict[tuple[str, str], list[float]] = {(load, way): [] for load in loads for way in ways}
        for number in range(-WARM_UP, rounds):
            for way in sorted(ways, reverse=bool(number % 2)):
                ways[way]()
                for load, run in loads.items():
                    figure = run()
                    if number >= 0:
                        figures[load, way].append(figure)
        runner.run(server.stop())
    for load in loads:
        _print(load, {way: sorted(figures[load, way]) for way in ways})


async def _start(options: Mapping[str, str]) -> tuple[Server, int]:
    server = Server(read_settings(options, {}), lambda _room, _params: True)
    await server.open()
    return server, int(server.listen().rpartition(":")[2])


async def _scheduler() -> TurnScheduler:
    return TurnScheduler.of_running_loop()


def _print(load: str, figures: Mapping[str, list[float]]) -> None:
    print(load)
    for way, sorted_figures in figures.items():
        line = f"  {way:16}"
        for name, share in (("min", 0.0), ("p10", 0.1), ("p50", 0.5)):
            at = int(share * len(sorted_figures))
            ratio = sorted_figures[at] / figures["Python"][at]
            line += f"  {name} {sorted_figures[at]:6.2f} µs ×{ratio:.2f}"
        print(line)


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
