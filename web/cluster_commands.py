"""The commands `cluster create`, `cluster status` and `cluster dissolve`. Each returns the exit code."""

import argparse
import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from chatter.cluster.stream import LANES, MAX_BYTES, REPLICAS
from chatter.storage.storage import NO_CLUSTER, DatabaseShared, Storage
from schema import Database, Epoch, Lane, LaneRow, open_database
from schema.base import writing_transaction
from schema.database import DatabaseUnusable, is_new, needs_migration
from schema.ownership import Ownership, open_owned
from web.log import cluster_settings
from web.settings import BadSetting, Settings, add_options

if TYPE_CHECKING:
    from chatter.cluster.connection import Connection
    from chatter.cluster.nodes import Node
    from chatter.cluster.streams import LaneStream

MOST_LANES = 64
MIN_BYTES = 16 * 1024 * 1024

OPTIONS = (
    *("cluster", "database", "spool_folder", "log_level", "cluster_monitors"),
    *("cluster_ca", "cluster_cert", "cluster_key", "cluster_credentials"),
)
"""The settings that these commands take too."""


def add_commands(verbs: Any) -> None:  # argparse gives what it returns no public name
    """Adds the commands to those of `chatter`."""
    cluster = verbs.add_parser("cluster", help="make a cluster of several nodes, and look at it", allow_abbrev=False)
    deeds = cluster.add_subparsers(dest="deed", metavar="create | status | dissolve", required=True)
    create = deeds.add_parser("create", help="make the log, and the database that of a cluster", allow_abbrev=False)
    add_options(create, *OPTIONS)
    create.add_argument("--lanes", type=_number(1, MOST_LANES), help=f"default: {LANES}")
    create.add_argument("--replicas", type=_number(1, 5), default=REPLICAS, help=f"of the log; default: {REPLICAS}")
    create.add_argument(
        "--lane-bytes",
        type=_number(MIN_BYTES, 2**50),
        default=MAX_BYTES,
        help=f"most bytes of the log of one lane, which the NATS servers reserve; default: {MAX_BYTES}",
    )
    create.add_argument(
        "--log-lost",
        action="store_true",
        help="the log cannot be had again: begin another one behind what the database has, in a new epoch",
    )
    status = deeds.add_parser("status", help="say which nodes there are, and how far they are", allow_abbrev=False)
    add_options(status, *OPTIONS)
    status.add_argument("--json", action="store_true", help="as JSON")
    dissolve = deeds.add_parser("dissolve", help="make the database that of one server again", allow_abbrev=False)
    add_options(dissolve, *OPTIONS)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Runs a command. Raises `BadSetting`, `DatabaseUnusable` and `ClusterRefused`."""
    if not settings.cluster:
        raise BadSetting("--cluster: expected addresses like nats://host:4222 separated by commas")
    if options.deed == "create":
        shape = _Shape(options.lanes, options.replicas, options.lane_bytes)
        return _create(settings, shape, is_lost=options.log_lost)
    if options.deed == "dissolve":
        return _dissolve(settings)
    return _status(settings, as_json=options.json)


def _number(least: int, most: int) -> Any:
    def parse(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"expected a whole number from {least} to {most}, got {text!r}")
        return int(text)

    return parse


# ---------------------------------------------------------------- create


class _Shape(NamedTuple):
    """How a log is made."""

    lanes: int | None  # None where nobody has said how many
    replicas: int
    lane_bytes: int


def _create(settings: Settings, shape: _Shape, *, is_lost: bool) -> int:
    database, ownership, heads = _open(settings, shape, is_lost=is_lost)
    try:
        made = asyncio.run(_make_log(settings, shape, heads, is_lost=is_lost))
        with writing_transaction():
            Lane.found(made)
        epoch = Epoch.begin() if is_lost else Epoch.newest()
    finally:
        database.close()
        ownership.release()
    print(f"the log is made: {len(heads)} lanes, {shape.replicas} replicas, epoch {epoch}")
    return 0


def _open(settings: Settings, shape: _Shape, *, is_lost: bool) -> tuple[Database, Ownership, list[int]]:
    """Opens the database while nobody else has it, and returns how far it has each lane."""
    if not is_lost:
        try:
            storage = Storage.open(settings.database, spool_folder=settings.spool_folder)
        except DatabaseShared as error:
            raise DatabaseUnusable(_made_already(error.lanes, shape)) from None
        return storage.database, storage.ownership, [0] * (shape.lanes or LANES)
    database, ownership = open_owned(settings.database)
    heads = [row.head for row in Lane.rows()]
    if not heads:
        raise DatabaseUnusable("the database belongs to no cluster: create one without --log-lost")
    if shape.lanes not in (None, len(heads)):
        raise BadSetting(f"--lanes: the log that is lost had {len(heads)}, and the next one has as many")
    return database, ownership, heads


def _made_already(rows: Sequence[LaneRow], shape: _Shape) -> str:
    there, asked = (len(rows), rows[0].replicas), (shape.lanes or LANES, shape.replicas)
    instead = "" if asked == there else f", and not {asked[0]} and {asked[1]}"
    return (
        f"the log is made already, with {there[0]} lanes and {there[1]} replicas{instead}: `chatter cluster status` "
        "shows it, and `chatter cluster dissolve` comes before another one"
    )


async def _make_log(settings: Settings, shape: _Shape, heads: list[int], *, is_lost: bool) -> list[LaneRow]:
    from chatter.cluster import streams
    from chatter.cluster.frames import GENESIS

    lanes, replicas = len(heads), shape.replicas
    node = cluster_settings(settings, lanes=lanes, replicas=replicas)
    connection = node.connection()
    await connection.open()
    try:
        await streams.check_servers(connection, node.monitors)
        if is_lost:
            await streams.delete(connection, lanes)
        firsts = [head + 1 for head in heads]
        await streams.create(connection, lanes=lanes, replicas=replicas, max_bytes=shape.lane_bytes, first_seqs=firsts)
        made = await streams.verify(connection, lanes=lanes, replicas=replicas, monitors=node.monitors)
    finally:
        await connection.close()
    return [
        LaneRow(stream.lane, stream.created, replicas, head, GENESIS.hex())
        for stream, head in zip(made, heads, strict=True)
    ]


# ---------------------------------------------------------------- dissolve


def _dissolve(settings: Settings) -> int:
    database, ownership = open_owned(settings.database)
    try:
        rows = _rows(database)
        logs = asyncio.run(_find_logs(settings, rows))
        for row, log in zip(rows, logs, strict=True):
            if (why := _fault(row, log)) is not None:
                raise DatabaseUnusable(f"lane {row.number}: {why}")
            if log is not None and log.last > row.head:
                raise DatabaseUnusable(
                    f"the database lacks {log.last - row.head} turns of lane {row.number}: start a node, and wait until"
                    " `chatter cluster status` shows no lag"
                )
        with writing_transaction():
            Lane.found([])
        asyncio.run(_delete_logs(settings, rows))
    finally:
        database.close()
        ownership.release()
    print("the cluster is dissolved: the database belongs to one server again")
    return 0


async def _find_logs(settings: Settings, rows: list[LaneRow]) -> "list[LaneStream | None]":
    from chatter.cluster import streams

    async with _connected(settings, rows) as connection:
        return await streams.find(connection, len(rows))


async def _delete_logs(settings: Settings, rows: list[LaneRow]) -> None:
    from chatter.cluster import streams

    async with _connected(settings, rows) as connection:
        await streams.delete(connection, len(rows))


# ---------------------------------------------------------------- status


def _status(settings: Settings, *, as_json: bool) -> int:
    database = open_database(settings.database, create=False, read_only=True)
    try:
        found = asyncio.run(_look(settings, _rows(database)))
    finally:
        database.close()
    print(json.dumps(found, indent=2) if as_json else _in_words(found))
    return 0 if found["healthy"] else 1


async def _look(settings: Settings, rows: list[LaneRow]) -> dict[str, Any]:
    from chatter.cluster import streams
    from chatter.cluster.nodes import listen

    async with _connected(settings, rows) as connection:
        logs = await streams.find(connection, len(rows))
        if any(map(_fault, rows, logs)):  # the lanes were written on, and the log trimmed, between the two looks?
            rows = Lane.rows() or rows
            logs = await streams.find(connection, len(rows))
        nodes = await listen(connection)
    lanes = [_lane(row, log, nodes) for row, log in zip(rows, logs, strict=True)]
    told = [_node(each) for each in nodes]
    healthy = bool(told) and not any(each["fault"] for each in [*told, *lanes])
    return {"healthy": healthy, "nodes": told, "lanes": lanes}


def _node(node: "Node") -> dict[str, Any]:
    from chatter.lanes.lanes import report_of

    report = report_of(node.extra)
    return {
        "name": node.name,
        "version": node.version,
        "conflicts": report.conflicts,
        "gaps_repaired": report.repaired,
        "fault": report.fault,
    }


def _lane(row: LaneRow, log: "LaneStream | None", nodes: list["Node"]) -> dict[str, Any]:
    from chatter.cluster.nodes import rendezvous
    from chatter.lanes.lanes import work_of

    return {
        "lane": row.number,
        "owner": rendezvous(work_of(row.number), [node.name for node in nodes]),
        "first": None if log is None else log.first,
        "last": None if log is None else log.last,
        "saved": row.head,
        "lag": None if log is None else max(0, log.last - row.head),
        "replicas": row.replicas,
        "fault": _fault(row, log) or _absence(log),
    }


def _fault(row: LaneRow, log: "LaneStream | None") -> str | None:
    if log is None:
        return "its stream is missing"
    if log.created != row.created:
        return "its stream is another one"
    if log.last < row.head:
        return f"the log ends at {log.last}, before the database"
    if log.first > row.head + 1:
        return f"the log begins at {log.first}: the turns from {row.head + 1} on are not in it any more"
    return None


def _absence(log: "LaneStream | None") -> str | None:
    """Says which servers that keep a lane are away."""
    if log is None or not log.silent:
        return None
    names = ", ".join(log.silent)
    return f"no quorum, without {names}" if 2 * len(log.silent) >= len(log.servers) else f"without {names}"


def _rows(database: Database) -> list[LaneRow]:
    if is_new(database):
        raise DatabaseUnusable(NO_CLUSTER)
    if needs_migration(database):
        raise DatabaseUnusable("the database is of an older Chatter: stop all nodes, and run `chatter migrate`")
    if rows := Lane.rows():
        return rows
    raise DatabaseUnusable(NO_CLUSTER)


@contextlib.asynccontextmanager
async def _connected(settings: Settings, rows: list[LaneRow]) -> "AsyncIterator[Connection]":
    connection = cluster_settings(settings, lanes=len(rows), replicas=rows[0].replicas).connection()
    await connection.open()
    try:
        yield connection
    finally:
        await connection.close()


def _in_words(found: dict[str, Any]) -> str:
    nodes = [
        f"{each['name']:17} {each['version']:9} {each['conflicts']:9}  {each['gaps_repaired']:13}"
        f"  {each['fault'] or '-'}"
        for each in found["nodes"]
    ]
    lines = [
        "NODE              VERSION   CONFLICTS  GAPS REPAIRED  FAULT",
        *(nodes or ["none lives"]),
        "",
        "LANE  WRITTEN BY            LAST       SAVED     LAG  FAULT",
    ]
    for each in found["lanes"]:
        last, lag = ("-" if each[name] is None else each[name] for name in ("last", "lag"))
        owner = each["owner"] or "-"
        lines.append(f"{each['lane']:4}  {owner:15} {last:>10}  {each['saved']:10}  {lag:>6}  {each['fault'] or '-'}")
    return "\n".join(lines)
