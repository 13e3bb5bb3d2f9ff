"""Scenario (l) measures what it costs to tell people of rooms that they have not joined, beside joining all of them."""

import asyncio
import math
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.frames import HEADER_END, handshake, join, push
from bench.scenario import Context, Figure, Figures, Scenario
from bench.seed_people import ROOMS_EACH, seed
from bench.servers import RunningServer, Server

RATES, RATE_IN_QUICK = (200.0, 800.0), 800.0
"""Messages a second, over all rooms."""

ROUNDS, ROUNDS_IN_QUICK = 3, 1
"""How often each is measured, in turn: activity costs less than one round differs from the next."""

_OK = b'"status":"ok"'


class _Device:
    """One websocket of somebody. It counts the answers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self.answers = 0
        self._task = asyncio.ensure_future(self._read())

    @classmethod
    async def connect(cls, port: int, token: str, topics: Sequence[str]) -> "_Device":
        """Connects somebody, and joins these topics."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        head = handshake(port)
        writer.write(head[:-2] + f"Authorization: Bearer {token}\r\n\r\n".encode())
        await reader.readuntil(HEADER_END)
        device = cls(reader, writer)
        for topic in topics:
            writer.write(join(topic, {"log": 2, "resync": True} if topic != "me" else {}))
        await device.wait_for(len(topics))
        return device

    async def wait_for(self, answers: int) -> None:
        """Waits until so many answers have come in all."""
        until = time.monotonic() + 60
        while self.answers < answers:
            if time.monotonic() > until:
                raise TimeoutError(f"expected {answers} answers, got {self.answers}")
            await asyncio.sleep(0.005)

    def close(self) -> None:
        """Ends the connection."""
        self._task.cancel()
        self.writer.close()

    async def _read(self) -> None:
        rest = b""
        while data := await self._reader.read(1 << 18):
            data = rest + data
            self.answers += data.count(_OK)
            rest = data[-len(_OK) + 1 :].rpartition(b"}")[2]


async def _say(speakers: Sequence[_Device], topics: Sequence[Sequence[str]], rate: float, seconds: float) -> None:
    """Has one speaker of each circle say something in its rooms in turn, at a rate over all of them."""
    before = [speaker.answers for speaker in speakers]
    sent = [0] * len(speakers)
    began = time.monotonic()
    for number in range(round(rate * seconds)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        who, turn = number % len(speakers), number // len(speakers)
        topic = topics[who][turn % ROOMS_EACH]
        speakers[who].writer.write(push(str(number + 10), topic, "new_message", {"message": f"message {number}"}))
        sent[who] += 1
    for speaker, answered, count in zip(speakers, before, sent, strict=True):
        await speaker.wait_for(answered + count)


async def _run(
    running: RunningServer, people: list[list[str]], rooms: list[list[str]], rate: float, rounds: int
) -> dict[str, float]:
    """Returns the CPU seconds of a second of talk by what everybody has joined: nothing, `me`, or all rooms.

    They are the medians of all rounds.
    """
    port = running.port
    topics = [[f"chat_room:{slug}" for slug in of_circle] for of_circle in rooms]
    speakers = [
        await _Device.connect(port, circle[0], of_circle) for circle, of_circle in zip(people, topics, strict=True)
    ]
    seconds = 20.0  # in which everybody is told twice
    used: dict[str, list[float]] = {"nothing": [], "me": [], "rooms": []}
    for joined in list(used) * rounds:
        devices: list[_Device] = []
        for circle, of_circle in zip(people, topics, strict=True):
            wanted = {"nothing": [], "me": ["me"], "rooms": of_circle}[joined]
            devices += [await _Device.connect(port, token, wanted) for token in circle[1:]]
        await asyncio.sleep(1)
        before = running.cpu()
        await _say(speakers, topics, rate, seconds)
        await asyncio.sleep(0.6)  # the last news
        used[joined].append((running.cpu() - before) / seconds)
        for device in devices:
            device.close()
        await asyncio.sleep(0.5)
    return {joined: statistics.median(each) for joined, each in used.items()}


def _measure(server: Server, context: Context) -> Figures:
    circles, people = (8, 50) if context.quick else (20, 50)
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="chatter-bench-") as folder:
        database = Path(folder) / "bench.db"
        tokens, rooms = seed(database, circles, people)
        rates, rounds = ((RATE_IN_QUICK,), ROUNDS_IN_QUICK) if context.quick else (RATES, ROUNDS)
        for rate in rates:
            with RunningServer(server, database) as running:
                used = asyncio.run(_run(running, tokens, rooms, rate, rounds))
            activity, messages = used["me"] - used["nothing"], used["rooms"] - used["nothing"]
            context.print_line(
                f"    {rate:.0f} msg/s: CPU of a second {used['nothing']:.3f} s alone, {used['me']:.3f} s with"
                f" activity, {used['rooms']:.3f} s with all rooms joined: {activity / messages:.3f} of the messages'"
            )
            figures["busy" if rate == RATES[-1] or context.quick else "calm"] = activity / messages
    return {"calm": math.nan, **figures}


SCENARIO = Scenario(
    "l",
    "my rooms",
    "1,000 signed-in people in 20 private rooms each (quick: 400): activity on `me` beside all rooms joined",
    {
        "calm": Figure(f"CPU of activity beside that of messages, at {RATES[0]:.0f} msg/s", "×", digits=3),
        "busy": Figure(f"the same at {RATES[1]:.0f} msg/s", "×", digits=3),
    },
    _measure,
    for_peers=False,
    in_quick=False,
)
