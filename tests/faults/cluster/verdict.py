"""What a cluster has made of what a crowd said: one function that finds all that it may not do."""

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from chatter.messages import Entry, Posted
from tests.faults.crowd import Crowd, Editor, Writer
from tests.support.cluster import Cluster
from tests.support.log_client import row_of
from tests.support.log_truth import Rows, folded, read_log, reading, states
from tests.support.server import run_to_its_end, wait_until
from tests.support.talker import Talker

HISTORY_PAGE = 100


class Verdict(NamedTuple):
    """What a cluster has done wrong. Each part names what shows it, and is empty where the promise is kept."""

    lost: tuple[str, ...] = ()  # what was acknowledged, and is not in that place
    doubled: tuple[str, ...] = ()  # what is in a room's log more than once
    missing: tuple[str, ...] = ()  # numbers between others that no entry has
    void: tuple[str, ...] = ()  # places of messages that nobody can read
    refused: tuple[str, ...] = ()  # posts whose answer no repeat mends
    unheard: tuple[str, ...] = ()  # clients that wait for what was said
    differing: tuple[str, ...] = ()  # clients and nodes that have it otherwise than the database
    faults: tuple[str, ...] = ()  # what `chatter check` and `chatter cluster status` find


KEPT = Verdict()
"""All promises are kept."""


def judge(crowd: Crowd, cluster: Cluster) -> Verdict:
    """Ends what the crowd does, and compares all that was acknowledged, heard, and may be read with the database."""
    crowd.finish_posting()
    cluster.wait_until_saved()
    found: dict[str, list[str]] = {part: [] for part in Verdict._fields}
    with reading(cluster.database_url):
        logs = {room: read_log(room) for room in crowd.rooms}
        found["differing"] += [f"the states of {room}" for room in crowd.rooms if states(room) != folded(logs[room])]
    with contextlib.suppress(AssertionError):  # who waits in vain is found below
        crowd.wait_until(lambda: not _waiting(crowd, logs))
    found["unheard"] += _waiting(crowd, logs)
    for room, log in logs.items():
        _judge_log(room, log, found)
        rows = folded(log)
        found["differing"] += [*_judge_listeners(crowd, room, log, rows), *_judge_nodes(cluster, room, rows)]
    for writer in crowd.writers:
        _judge_writer(writer, logs[writer.room], found)
    found["faults"] += _faults(cluster)
    return Verdict(**{part: tuple(of) for part, of in found.items()})


def _judge_log(room: str, log: list[Entry], found: dict[str, list[str]]) -> None:
    there = {entry.seq for entry in log}
    found["missing"] += [f"{room} {seq}" for seq in range(1, max(there, default=0) + 1) if seq not in there]
    found["void"] += [f"{room} {entry.seq}" for entry in log if isinstance(entry, Posted) and entry.void]
    said = Counter((entry.name, entry.id) for entry in log if entry.id is not None)
    found["doubled"] += [f"{room} {name} {id}" for (name, id), times in said.items() if times > 1]


def _judge_writer(writer: Writer, log: list[Entry], found: dict[str, list[str]]) -> None:
    where = {(entry.seq, entry.id) for entry in log}
    found["lost"] += [f"{writer.room} {seq} {id}" for id, seq in writer.acknowledged.items() if (seq, id) not in where]
    operations: dict[str, Any] = {}
    if isinstance(writer, Editor):
        operations = writer.operations
        done = [answer for answer in writer.done.values() if "id" in answer]  # else it was so already
        found["lost"] += [f"{writer.room} {each}" for each in done if (each["seq"], each["id"]) not in where]
    posts = writer.refused.keys() - operations.keys()  # to do something to a message may be forbidden
    found["refused"] += [f"{writer.room} {id}: {writer.refused[id]}" for id in sorted(posts)]


def _waiting(crowd: Crowd, logs: dict[str, list[Entry]]) -> list[str]:
    """The readers that do not hold everything yet."""
    newest = {room: log[-1].seq if log else 0 for room, log in logs.items()}
    live = [
        f"reader {number} of {each.room} at {each.history.since}"
        for number, each in enumerate(crowd.readers)
        if (each.history.since or 0) < newest[each.room]
    ]
    of_log = [
        f"log reader {number} of {each.room} at {each.client.position}"
        for number, each in enumerate(crowd.log_readers)
        if each.client.position != newest[each.room] or each.client.next_request() is not None
    ]
    return live + of_log


def _judge_listeners(crowd: Crowd, room: str, log: list[Entry], rows: Rows) -> Iterator[str]:
    """Compares what the clients of all nodes hold, who have heard it live or caught up with it."""
    said = {entry.seq: entry.id if isinstance(entry, Posted) else None for entry in log}
    deleted = dict.fromkeys(seq for seq, row in rows.items() if "deleted_at" in row)  # void where it is read later
    for number, reader in enumerate(each for each in crowd.readers if each.room == room):
        history = reader.history
        is_as_said = history.messages | deleted == said | deleted and history.contiguous[-1:] == [*said.items()][-1:]
        if history.contradictions.keys() - deleted or history.times_started_over or not is_as_said:
            yield f"reader {number} of {room}: {_first_difference(history.messages, said)}, {history.contradictions}"
    for number, each in enumerate(crowd.log_readers):
        expected = {seq: row for seq, row in rows.items() if seq > each.client.complete_after}
        if each.room == room and (each.client.rows != expected or each.client.times_started_over):
            yield f"log reader {number} of {room}: {_first_difference(each.client.rows, expected)}"


def _judge_nodes(cluster: Cluster, room: str, rows: Rows) -> Iterator[str]:
    """Compares what each node tells somebody who comes now and reads everything."""
    for name in cluster.nodes:
        with Talker(cluster.port(name)) as talker:
            talker.join(room, log=2)
            read: Rows = {}
            before: dict[str, object] = {}
            while True:
                page = talker.ask(room, "history", limit=HISTORY_PAGE, **before)["response"]
                read |= {each["seq"]: row_of(each) for each in page["messages"] if not each.get("void")}
                if not page["more"]:
                    break
                before = {"before": page["messages"][0]["seq"]}
        if read != rows:
            yield f"history of {room} at {name}: {_first_difference(read, rows)}"


def _first_difference(got: dict[int, Any], expected: dict[int, Any]) -> str:
    for seq in sorted(got.keys() | expected.keys()):
        if got.get(seq) != expected.get(seq):
            return f"{seq} is {got.get(seq)}, expected {expected.get(seq)}"
    return "started over, or heard two messages with one number"


def _faults(cluster: Cluster) -> list[str]:
    with contextlib.suppress(AssertionError):  # what failed is mended, and a heartbeat may be of before
        wait_until(lambda: cluster.status()["healthy"])
    status = cluster.status()
    node = next(iter(cluster.nodes.values()))
    checked = run_to_its_end("check", f"--database={cluster.database_url}", f"--spool-folder={node.database.parent}")
    told = [each["fault"] for each in (*status["nodes"], *status["lanes"]) if each["fault"]]
    return told + ([] if checked.stdout == "no faults\n" else [f"{checked.stdout}{checked.stderr}"])
