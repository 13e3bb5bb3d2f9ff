"""A lane's stream on JetStream: appends with compare, reads in batches, and what the server's errors mean."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from nats.aio.msg import Msg

from chatter.cluster.connection import Connection, NotSent
from chatter.cluster.errors import NoAnswer
from chatter.cluster.stream import Behind, Bounds, Full, NotPlaced, Outcome, Placed, Unknown, Wrong

APPEND_TIMEOUT = 1.0
"""Seconds until an append without an answer is sent again, under the same head: one of the two is placed."""

READ_TIMEOUT = 0.5
"""Seconds between two messages of a read. One that goes to a replica that was cut off has no answer."""

QUORUM_HEARD = 3.0
"""Seconds within which a leader must have heard of most replicas, each second usually.

A leader that is cut off goes on answering for 11 to 20 s.
"""

BATCH, BATCH_BYTES = 256, 4 * 1024 * 1024
"""Turns and bytes of one read."""


def name_of(lane: int) -> str:
    """The name of a lane's stream."""
    return f"CHATTER_{lane}"


def log_subject(lane: int) -> str:
    """Where turns are appended. Only nodes may publish there."""
    return f"chatter.log.{lane}"


def said_subject(lane: int | str) -> str:
    """Where the server republishes what is placed."""
    return f"chatter.said.{lane}"


class ApiError(msgspec.Struct):
    """An error of JetStream."""

    code: int = 0
    err_code: int = 0
    description: str = ""


class _Acknowledgement(msgspec.Struct):
    seq: int = 0
    error: ApiError | None = None


class _State(msgspec.Struct):
    first_seq: int
    last_seq: int
    bytes: int = 0


class _Config(msgspec.Struct):
    max_bytes: int = 0


class Replica(msgspec.Struct):
    """What the leader of a stream knows of another server that keeps it."""

    name: str = ""
    current: bool = False
    active: int = 0  # nanoseconds since the leader has heard of it; 0 also where it never has

    @property
    def is_heard(self) -> bool:
        """Whether the leader has heard of it just now."""
        return (self.active > 0 or self.current) and self.active < QUORUM_HEARD * 1e9


class Group(msgspec.Struct):
    """The servers that keep a stream."""

    leader: str = ""
    replicas: list[Replica] = []


class _Info(msgspec.Struct):
    created: str = ""
    state: _State | None = None
    config: _Config = msgspec.field(default_factory=_Config)
    cluster: Group = msgspec.field(default_factory=Group)
    error: ApiError | None = None


_decode_acknowledgement = msgspec.json.Decoder(_Acknowledgement).decode
_decode_info = msgspec.json.Decoder(_Info).decode


def outcome_of(data: bytes) -> Outcome:
    """Reads the answer to an append. An error that is not known here may come after the turn was placed."""
    try:
        answer = _decode_acknowledgement(data)
    except msgspec.MsgspecError as error:
        return Unknown(f"an answer that is none: {error}")
    if answer.error is None:
        return Placed(answer.seq)
    text = answer.error.description
    match answer.error.err_code:
        case 10071:
            last = re.search(r"(\d+)$", text)
            return Behind(int(last[1]) if last else None)
        case 10164 | 10158:
            return Behind(None)
        case 10077 if text.startswith("maximum "):
            return Full()
        case 10047 | 10023:
            return Full()
        case 10060 | 10054:
            return Wrong(text)
    return Unknown(f"{answer.error.err_code} {text}")


class JetStreamLane:
    """The stream of one lane."""

    def __init__(self, connection: Connection, lane: int) -> None:
        self._connection = connection
        self._name = name_of(lane)
        self._subject = log_subject(lane)

    async def append(self, frame: bytes, head: int) -> Outcome:
        """Appends `frame` if the last sequence is `head`. There is no Nats-Msg-Id: it would be judged first."""
        headers = {"Nats-Expected-Last-Sequence": str(head), "Nats-Expected-Stream": self._name}
        try:
            answer = await self._connection.request(self._subject, frame, timeout=APPEND_TIMEOUT, headers=headers)
        except NotSent as error:
            return NotPlaced(str(error))
        except NoAnswer as error:
            return Unknown(str(error))
        outcome = outcome_of(answer.data)
        if isinstance(outcome, Placed):  # a leader that is cut off can refuse
            self._connection.answered(self._name)
        return outcome

    async def read(self, after: int) -> list[tuple[int, bytes]]:
        """Returns at most `BATCH` frames after the sequence `after`. Raises NoAnswer.

        It ends where one is missing: the log was trimmed while a replica sent them, or one was lost on its way.
        """
        messages = await self._get({"seq": after + 1, "batch": BATCH, "max_bytes": BATCH_BYTES})
        frames = [(_sequence(message), message.data) for message in messages]
        return [frame for nth, frame in enumerate(frames) if frame[0] == frames[0][0] + nth]

    async def first_since(self, age: float) -> int | None:
        """Returns the sequence of the first frame that is at most `age` seconds old, if any. Raises NoAnswer."""
        start = datetime.now(UTC) - timedelta(seconds=age)
        messages = await self._get({"start_time": start.isoformat(), "batch": 1})
        return _sequence(messages[0]) if messages else None

    async def _get(self, query: dict[str, Any]) -> Sequence[Msg]:
        """Reads from any replica. One that is behind has less than the leader."""
        subject = f"$JS.API.DIRECT.GET.{self._name}"
        whole = msgspec.json.encode({"next_by_subj": self._subject, **query})
        messages = await self._connection.stream(subject, whole, timeout=READ_TIMEOUT, is_last=_status)
        status = _status(messages[-1])
        if status not in ("204", "404"):
            raise NoAnswer(f"status {status} on {subject}")
        return messages[:-1]

    async def bounds(self) -> Bounds:
        """Asks the leader what there is. Raises NoAnswer, also where the leader has no quorum."""
        answer = await self._connection.request(f"$JS.API.STREAM.INFO.{self._name}", b"", timeout=APPEND_TIMEOUT)
        info = _decode_info(answer.data)
        if info.state is None:
            raise NoAnswer(f"{self._name}: {info.error.description if info.error else 'no state'}")
        replicas = info.cluster.replicas
        heard = sum(replica.is_heard for replica in replicas)
        if 2 * (heard + 1) <= len(replicas) + 1:
            raise NoAnswer(f"{self._name}: its leader hears of {heard} of {len(replicas)} replicas")
        self._connection.answered(self._name)
        fullness = info.state.bytes / max(info.config.max_bytes, 1)
        return Bounds(info.state.first_seq, info.state.last_seq, info.created, fullness)


def sequence_and_lane(message: Msg) -> tuple[int, int] | None:
    """Where a republished message is from: its sequence and lane. None where it is no such message."""
    lane = message.subject.rsplit(".", 1)[-1]
    sequence = (message.headers or {}).get("Nats-Sequence", "")
    return (int(sequence), int(lane)) if sequence.isdecimal() and lane.isdecimal() else None


def _status(message: Msg) -> str:
    """The status of the message that ends a batch, or "" for a frame."""
    return (message.headers or {}).get("Status", "")


def _sequence(message: Msg) -> int:
    return int((message.headers or {})["Nats-Sequence"])
