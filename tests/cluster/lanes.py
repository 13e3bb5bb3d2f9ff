"""A node's lane over a `LogModel`, which remembers what it was handed."""

import hashlib

from chatter.cluster.frames import GENESIS, Author, Frame, PlacedTurn, encode
from chatter.cluster.lane import LaneLog
from tests.support.log_model import LogModel


class HeardLane:
    """A lane with all its turns in `turns`."""

    def __init__(self, model: LogModel, name: str, boot: int = 1) -> None:
        self.turns: list[PlacedTurn] = []
        self.alarms: list[str] = []
        self.log = LaneLog(
            0, model, author=Author(name, boot), on_turn=self.turns.append, on_stopped=self.alarms.append
        )
        model.republish_to(self.log.hear)

    @property
    def bodies(self) -> list[bytes]:
        return [turn.body for turn in self.turns if not turn.is_void]

    async def say(self, body: bytes, patience: float = 10.0) -> int:
        return await self.log.append(body, self.log.head, patience=patience)


async def opened(model: LogModel, *names: str) -> list[HeardLane]:
    lanes = [HeardLane(model, name) for name in names]
    for lane in lanes:
        await lane.log.open(0, GENESIS)
    return lanes


def frame(prev: int, body: bytes, chain: bytes = GENESIS, *, lane: int = 0) -> bytes:
    return encode(Frame(lane, prev, chain, "by hand", 1, 1, "turn", body))


def chain_after(*frames: bytes) -> bytes:
    chain = GENESIS
    for each in frames:
        chain = hashlib.blake2b(chain + each, digest_size=16).digest()
    return chain
