"""The streams that keep the lanes: makes them, and says in one line why a node may not work with those there are.

A node never makes a stream that it misses: an empty one would begin a second history under the numbers of the first.
"""

import asyncio
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from chatter.cluster.connection import Connection, NotSent
from chatter.cluster.errors import ClusterRefused, NoAnswer
from chatter.cluster.jetstream import ApiError, Group, log_subject, name_of, said_subject
from chatter.cluster.monitors import OLDEST, check_all, too_old
from chatter.cluster.stream import LANES, MAX_BYTES, REPLICAS

MAX_MESSAGE = 512 * 1024
"""Bytes of one message with its headers; a turn is at most half of that."""

CREATE_TIMEOUT = 30.0
"""Seconds for which a stream is asked to be made, or to be deleted."""

CHANGE_TIMEOUT = 5.0
"""Seconds after which that is asked again: the answer is lost where the servers have just elected another leader."""

_TIMEOUT = 2.0
_HEARD_TIMEOUT = 5.0
_NO_JETSTREAM = (
    "no NATS server has JetStream for this account: give each `jetstream { store_dir: …, sync_interval: always }`, and"
    " the account `jetstream: enabled`"
)
_NOT_FOUND = 10059
_NO_PEERS = 10005
_ELSEWHERE = (
    ": if these are the right NATS servers, account and database, the log is lost, and `chatter cluster create"
    " --log-lost` begins another"
)
_CHECKED = ("subjects", "storage", "retention", "discard", "max_age", "allow_direct", "republish")


@dataclass(frozen=True)
class LaneStream:
    """What the leader says of a lane's stream. `created` is to be kept: another one means another log."""

    lane: int
    created: str
    first: int
    last: int
    replicas: int
    servers: tuple[str, ...]  # the names of those that keep it
    silent: tuple[str, ...]  # of these, those that the leader does not hear of


class _State(msgspec.Struct):
    first_seq: int = 0
    last_seq: int = 0


class _Info(msgspec.Struct):
    created: str = ""
    config: dict[str, Any] = {}
    state: _State = msgspec.field(default_factory=_State)
    cluster: Group = msgspec.field(default_factory=Group)
    error: ApiError | None = None


async def create(
    connection: Connection,
    *,
    lanes: int = LANES,
    replicas: int = REPLICAS,
    max_bytes: int = MAX_BYTES,
    first_seqs: Sequence[int] | None = None,
) -> list[LaneStream]:
    """Makes the streams of all lanes. Raises ClusterRefused, also where one of them is there already.

    `first_seqs` has for each lane the sequence that its first turn gets: the position in the database + 1.
    """
    _check_version(connection)
    made = []
    for lane in range(lanes):
        first = first_seqs[lane] if first_seqs is not None else 1
        config = _config(lane, lanes, replicas, max_bytes, first)
        if await _info(connection, lane) is not None:
            raise ClusterRefused(f"the stream {name_of(lane)} is there already: a log is made once")
        made.append(_lane_stream(lane, await _make(connection, lane, config)))
    return made


async def verify(
    connection: Connection,
    *,
    lanes: int = LANES,
    replicas: int = REPLICAS,
    created: Sequence[str] | None = None,
    positions: Sequence[int] | None = None,
    monitors: Sequence[str] = (),
) -> list[LaneStream]:
    """Returns the streams of all lanes, once they are what this node expects. Raises ClusterRefused.

    `created` and `positions` are what the database keeps of each lane. `monitors` are the monitoring addresses of all
    servers: only there do they show when they write to the disk.
    """
    _check_version(connection)
    streams = []
    for lane in range(lanes):
        info = await _info(connection, lane)
        if info is None:
            raise ClusterRefused(f"the stream {name_of(lane)} is missing{_ELSEWHERE}")
        stream = _lane_stream(lane, info)
        _check_lanes(info, lanes)
        _check_settings(info, lane)
        if stream.replicas < replicas:
            raise ClusterRefused(f"the stream {name_of(lane)} has {stream.replicas} replicas, expected {replicas}")
        if created is not None and stream.created != created[lane]:
            raise ClusterRefused(
                f"the stream {name_of(lane)} is another one: it was created at {stream.created}, "
                f"the database has the log of the one of {created[lane]}{_ELSEWHERE}"
            )
        if positions is not None and stream.last < positions[lane]:
            raise ClusterRefused(
                f"the log of {name_of(lane)} is lost from {stream.last + 1} on: "
                f"the database has it up to {positions[lane]}{_ELSEWHERE}"
            )
        streams.append(stream)
    keepers = {server for stream in streams for server in stream.servers}
    heard = {server for stream in streams for server in set(stream.servers) - set(stream.silent)}
    await check_all(monitors, keepers, heard)
    return streams


async def check_servers(connection: Connection, monitors: Sequence[str]) -> None:
    """Checks the servers before there are streams, as `verify` does. Raises ClusterRefused."""
    _check_version(connection)
    await check_all(monitors, set(), set())


async def delete(connection: Connection, lanes: int = LANES) -> None:
    """Deletes what there is of the streams of all lanes: for a log that is lost, and is made anew."""
    for lane in range(lanes):
        if await _info(connection, lane) is not None:
            await _ask(connection, f"$JS.API.STREAM.DELETE.{name_of(lane)}", None, CHANGE_TIMEOUT)


async def find(connection: Connection, lanes: int) -> list[LaneStream | None]:
    """Returns the streams of all lanes as they are; None for one that is missing. Raises ClusterRefused."""
    infos = [await _info(connection, lane) for lane in range(lanes)]
    return [None if info is None else _lane_stream(lane, info) for lane, info in enumerate(infos)]


async def purge(connection: Connection, lane: int, before: int) -> None:
    """Drops the turns below the sequence `before`. The last sequence stays as it is. Raises NoAnswer."""
    if before <= 1:  # there are none, and the server takes 1 to mean everything
        return
    body = json.dumps({"seq": before}).encode()
    answer = await connection.request(f"$JS.API.STREAM.PURGE.{name_of(lane)}", body, timeout=_TIMEOUT)
    error = json.loads(answer.data).get("error")
    if error:
        raise NoAnswer(f"{name_of(lane)} is not purged: {error['description']}")


async def _make(connection: Connection, lane: int, config: dict[str, Any]) -> _Info:
    """Makes one stream. Servers that have just started count each other as offline for some seconds."""
    loop = asyncio.get_running_loop()
    until = loop.time() + CREATE_TIMEOUT
    while True:
        info = await _ask(connection, f"$JS.API.STREAM.CREATE.{name_of(lane)}", config, CHANGE_TIMEOUT)
        if info.error is None:
            return info
        made = await _info(connection, lane)
        if made is not None and _has(made.config, config):
            return made  # by a request whose answer was lost: a server alone may have no space for another
        if "offline" not in info.error.description or loop.time() > until:
            raise ClusterRefused(_not_made(lane, info.error, config))
        await asyncio.sleep(0.2)


def _has(config: dict[str, Any], asked: dict[str, Any]) -> bool:
    """Whether a stream is what was asked for. The server adds metadata of its own."""
    there = config.get("metadata", {}).items() >= asked["metadata"].items()
    return there and all(config.get(key) == value for key, value in asked.items() if key != "metadata")


def _not_made(lane: int, error: ApiError, config: dict[str, Any]) -> str:
    why = f"the stream {name_of(lane)} cannot be made: {error.description}"
    if error.err_code != _NO_PEERS:
        return why
    return f"{why}: it needs {config['num_replicas']} NATS servers with {config['max_bytes']} bytes free on each"


def _config(lane: int, lanes: int, replicas: int, max_bytes: int, first_seq: int) -> dict[str, Any]:
    return {
        "name": name_of(lane),
        "subjects": [log_subject(lane)],
        "storage": "file",
        "retention": "limits",
        "discard": "new",  # a full stream refuses: it never drops what the database may not have
        "max_bytes": max_bytes,
        "max_age": 0,
        "max_msg_size": MAX_MESSAGE,
        "num_replicas": replicas,
        "duplicate_window": 100_000_000,  # ns, the smallest there is: the compare does what it is for
        "allow_direct": True,
        "deny_delete": True,
        "first_seq": first_seq,
        "republish": {"src": log_subject(lane), "dest": said_subject(lane)},
        "metadata": {"chatter.lanes": str(lanes)},
    }


def _check_version(connection: Connection) -> None:
    if connection.version < OLDEST:
        raise ClusterRefused(too_old("the NATS server", ".".join(map(str, connection.version))))


def _check_lanes(info: _Info, lanes: int) -> None:
    there = info.config.get("metadata", {}).get("chatter.lanes")
    if there != str(lanes):
        raise ClusterRefused(f"the log has {there or 'an unknown number of'} lanes, expected {lanes}")


def _check_settings(info: _Info, lane: int) -> None:
    """Refuses a stream that was changed by hand so that it drops turns, or says them to nobody."""
    for key, value in _config(lane, 0, 0, 0, 0).items():
        if key in _CHECKED and info.config.get(key) != value:
            raise ClusterRefused(f"the stream {name_of(lane)} has {key} {info.config.get(key)}, expected {value}")


async def _info(connection: Connection, lane: int) -> _Info | None:
    """What the leader says of a stream; None where there is no such stream."""
    info = await _ask(connection, f"$JS.API.STREAM.INFO.{name_of(lane)}", None, _TIMEOUT)
    if info.error is not None and info.error.err_code == _NOT_FOUND:
        return None
    if info.error is not None:
        raise ClusterRefused(f"the stream {name_of(lane)} does not answer: {info.error.description}")
    return info


async def _ask(connection: Connection, subject: str, body: dict[str, Any] | None, timeout: float) -> _Info:
    """Asks until a leader answers: right after a start there may be none for seconds."""
    payload = b"" if body is None else json.dumps(body).encode()
    loop = asyncio.get_running_loop()
    until, until_heard = loop.time() + CREATE_TIMEOUT, loop.time() + _HEARD_TIMEOUT
    while True:
        try:
            answer = await connection.request(subject, payload, timeout=timeout)
        except NoAnswer as error:
            if not isinstance(error, NotSent) or not connection.is_connected:
                until_heard = math.inf  # somebody is there who may answer later
            if loop.time() > until_heard:
                raise ClusterRefused(_NO_JETSTREAM) from error
            if loop.time() > until:
                raise ClusterRefused(f"JetStream does not answer, there may be no quorum: {error}") from error
            await asyncio.sleep(0.2)
        else:
            return msgspec.json.decode(answer.data, type=_Info)


def _lane_stream(lane: int, info: _Info) -> LaneStream:
    group = info.cluster
    return LaneStream(
        lane=lane,
        created=info.created,
        first=info.state.first_seq,
        last=info.state.last_seq,
        replicas=info.config.get("num_replicas", 1),
        servers=tuple(sorted({group.leader, *(replica.name for replica in group.replicas)} - {""})),
        silent=tuple(sorted(replica.name for replica in group.replicas if not replica.is_heard)),
    )
