"""Scenario (k) measures what is done to messages: ten thousand reactions to one, and many edits."""

import asyncio
import time
from collections.abc import Sequence

from bench.frames import HEADER_END, handshake, join, push
from bench.plan import quantile
from bench.scenario import Context, Figure, Figures, Scenario
from bench.servers import RunningServer, Server

KEYS = "👍🎉🔥😂🚀👏🙏💯👀🤔"
EDITS_A_MESSAGE = 50
"""As many as `max_edits` allows."""

READERS = 10
"""People who hear the edits."""

_OK = b'"status":"ok"'


class _Person:
    """One websocket that counts the answers it gets."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.answered_at: list[float] = []
        self._awaited = 0
        self._done = asyncio.Event()
        self._task = asyncio.ensure_future(self._read())

    @classmethod
    async def join(cls, port: int, topic: str) -> "_Person":
        """Connects and joins as a client that knows the log."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        writer.write(handshake(port))
        await reader.readuntil(HEADER_END)
        person = cls(reader, writer)
        writer.write(join(topic, {"log": 2}))
        await person.wait_for(1)
        return person

    def push(self, topic: str, event: str, **payload: object) -> None:
        """Sends a push and does not wait."""
        self._writer.write(push("2", topic, event, payload))

    async def wait_for(self, answers: int) -> None:
        """Waits until so many answers have come in all."""
        self._awaited = answers
        self._done.clear()
        if len(self.answered_at) < answers:
            await asyncio.wait_for(self._done.wait(), 120)

    def close(self) -> None:
        """Ends the connection."""
        self._task.cancel()
        self._writer.close()

    async def _read(self) -> None:
        rest = b""
        while data := await self._reader.read(1 << 18):
            data = rest + data
            self.answered_at += [time.monotonic()] * data.count(_OK)
            rest = data[-len(_OK) + 1 :].rpartition(b"}")[2]
            if len(self.answered_at) >= self._awaited:
                self._done.set()


async def _react(people: Sequence[_Person], topic: str) -> float:
    """Has everybody react to the first message with each key; returns the seconds until all are answered."""
    people[0].push(topic, "new_message", name="ann", message="hello")
    await people[0].wait_for(2)
    began = time.monotonic()
    for key in KEYS:
        for number, person in enumerate(people):
            person.push(topic, "react", name=f"person {number}", seq=1, key=key)
        await asyncio.sleep(0)
    for person in people:
        await person.wait_for(len(KEYS) + (2 if person is people[0] else 1))
    return time.monotonic() - began


async def _edit(author: _Person, topic: str, rate: float, seconds: float) -> list[int]:
    """Edits messages at a rate; returns the microseconds until each edit was answered."""
    edits = round(rate * seconds)
    messages = -(-edits // EDITS_A_MESSAGE)
    for number in range(messages):
        author.push(topic, "new_message", name="ann", message=f"message {number}")
    await author.wait_for(1 + messages)
    sent: list[float] = []
    began = time.monotonic()
    for number in range(edits):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        sent.append(time.monotonic())
        author.push(topic, "edit_message", seq=1 + number % messages, message=f"edit {number}")
    await author.wait_for(1 + messages + edits)
    return [round(1e6 * (answered - at)) for answered, at in zip(author.answered_at[1 + messages :], sent, strict=True)]


async def _run(port: int, context: Context, running: RunningServer) -> dict[str, float]:
    people = [await _Person.join(port, "chat_room:reactions") for _ in range(200 if context.quick else 1_000)]
    before = running.cpu()
    seconds = await _react(people, "chat_room:reactions")
    reactions = len(people) * len(KEYS)
    reaction_cpu = running.cpu() - before
    for person in people:
        person.close()
    readers = [await _Person.join(port, "chat_room:edits") for _ in range(READERS)]
    before = running.cpu()
    latencies = await _edit(readers[0], "chat_room:edits", 500.0, 2.0 if context.quick else 10.0)
    edit_cpu = running.cpu() - before
    for person in readers:
        person.close()
    context.print_line(
        f"    {reactions:,} reactions in {seconds:.2f} s, CPU {reaction_cpu:.2f} s; {len(latencies):,} edits,"
        f" p50 {quantile(latencies, 0.5):.2f} p99 {quantile(latencies, 0.99):.2f} ms, CPU {edit_cpu:.2f} s"
    )
    return {
        "reactions": reactions / seconds,
        "reaction_cpu": 1e6 * reaction_cpu / reactions,
        "p50": quantile(latencies, 0.5),
        "p99": quantile(latencies, 0.99),
        "edit_cpu": 1e6 * edit_cpu / len(latencies),
    }


def _measure(server: Server, context: Context) -> Figures:
    with RunningServer(server) as running:
        return asyncio.run(_run(running.port, context, running))


SCENARIO = Scenario(
    "k",
    "operations",
    "10,000 reactions to one message in a room of 1,000 (quick: 2,000 of 200), then 500 edits a second in a room of 10",
    {
        "reactions": Figure("reactions answered", "1/s", better="higher", digits=0),
        "reaction_cpu": Figure("server CPU of a reaction", "µs"),
        "p50": Figure("p50 of an edit, until it is committed", "ms", digits=2),
        "p99": Figure("p99 of an edit, until it is committed", "ms", digits=2),
        "edit_cpu": Figure("server CPU of an edit", "µs"),
    },
    _measure,
    for_peers=False,
)
