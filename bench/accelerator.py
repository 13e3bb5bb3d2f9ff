"""Measures the accelerator: `python -m bench.accelerator [rounds]`.

One process has the server, its clients and each implementation in turn, so that all of them meet the same noise. The
clients write a burst; then the loop runs until everything has arrived; the figure is the CPU time of the loop's thread
for it, divided by the messages.
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
from typing import NamedTuple

from bench import frames
from web import accelerator
from web.io import rfc6455
from web.io.send_batch import SendBatch
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

    def talk_in_large_room(self, messages: int) -> float:
        """Has so many people speak in the large room; returns the CPU of a message in µs."""
        first = next(self._numbers)
        for speaker in range(first, first + messages):
            self.large[speaker % LARGE_ROOM].send(self._message("large"))
        return self._run(messages * (LARGE_ROOM + 1)) / messages

    def live(self, people: int) -> float:
        """Has so many people of the large room send a heartbeat; returns the CPU of one in µs."""
        for client in self.large[:people]:
            client.send(frames.heartbeat())
        return self._run(people) / people

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


class Parts(NamedTuple):
    """The parts of the accelerator that are in use."""

    reads: bool = False
    sends: bool = False
    ring: bool = False

    def use(self, batch: SendBatch) -> None:
        """Has the server use these; its writes go into `batch`."""
        assert accelerator.C is not None
        rfc6455.messages = accelerator.C.messages if self.reads else accelerator.PYTHON["messages"]
        batch._gathers = self.sends
        accelerator.C.open_ring() if self.ring else accelerator.C.close_ring()


PYTHON = "Python"
WAYS = {
    PYTHON: Parts(),
    "C reads": Parts(reads=True),
    "C sends": Parts(sends=True),
    "C sends, io_uring": Parts(sends=True, ring=True),
    "C, all of it": Parts(reads=True, sends=True, ring=True),
}


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
            f"a message in a room of {LARGE_ROOM}, 64 at once": lambda: clients.talk_in_large_room(64),
            f"a message in a room of {LARGE_ROOM}, alone": lambda: clients.talk_in_large_room(1),
            "a heartbeat, 64 at once": lambda: clients.live(64),
        }
        figures: dict[tuple[str, str], list[float]] = {(load, way): [] for load in loads for way in WAYS}
        for number in range(-WARM_UP, rounds):
            for way in sorted(WAYS, reverse=bool(number % 2)):
                WAYS[way].use(server._endpoint.send_batch)
                for load, run in loads.items():
                    figure = run()
                    if number >= 0:
                        figures[load, way].append(figure)
        runner.run(server.stop())
    for load in loads:
        _print(load, {way: sorted(figures[load, way]) for way in WAYS})


async def _start(options: Mapping[str, str]) -> tuple[Server, int]:
    server = Server(read_settings(options, {}), lambda _room, _params: True)
    await server.open()
    return server, int(server.listen().rpartition(":")[2])


def _print(load: str, figures: Mapping[str, list[float]]) -> None:
    print(load)
    for way, sorted_figures in figures.items():
        line = f"  {way:18}"
        for name, share in (("min", 0.0), ("p10", 0.1), ("p50", 0.5)):
            at = int(share * len(sorted_figures))
            ratio = sorted_figures[at] / figures[PYTHON][at]
            line += f"  {name} {sorted_figures[at]:6.2f} µs ×{ratio:.2f}"
        print(line)


if __name__ == "__main__":
    if accelerator.C is None:
        sys.exit("expected the accelerator, which needs a C compiler to be built")
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
