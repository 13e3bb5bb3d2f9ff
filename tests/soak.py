"""`make soak`: joins, posts and leaves for minutes; fails if the server grows.

First it kills and stops the server a few times under load, and lets its rings, ids and caches fill. Then it reads
memory, threads and file descriptors at the start, in the middle and at the end, while two rooms talk, connections are
cut and visitors join new rooms. The exit code is 1 when one of the three has grown.
"""

import itertools
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.faults.consistency import check_consistency
from tests.faults.crowd import Crowd
from tests.support.server import Server

WARM_UP = 0.25
"""The first part of the time, which is not measured."""

MAX_GROWTH = 1.1
"""Growth up to this counts as flat: Python and SQLite give memory back late and in pieces."""

SAMPLES = 5
"""Readings whose median makes one figure: during some of them visitors are connected."""


class Sample(NamedTuple):
    """Sample is what the server's process uses."""

    megabytes: float
    threads: float
    files: float


def main(minutes: float) -> int:
    """Runs the soak test, and returns the exit code."""
    with (
        tempfile.TemporaryDirectory(prefix="chatter-soak-") as folder,
        Server(Path(folder) / "chatter.db", room_idle_timeout=1, max_recovery_page=30) as server,
    ):
        return _soak(server, 60 * minutes)


def _soak(server: Server, seconds: float) -> int:
    began = time.monotonic()
    samples: list[Sample] = []
    with Crowd(server.port, ["lobby", "garden"], writers=2, readers=4, interval=0.02) as crowd:
        for end in (server.kill, server.stop, server.kill, server.stop):
            crowd.wait_for_more(100)
            end()
            server.start()
        for number in itertools.count(1):
            _visit(server.port, number)
            if number % 10 == 0:
                crowd.cut()
            passed = time.monotonic() - began
            if passed > seconds:
                break
            if passed > WARM_UP * seconds:
                samples.append(_sample(server.pid))
        check_consistency(crowd, server.database_url)
        print(f"{crowd.acknowledged} messages in two rooms, {3 * number} rooms visited, every message in its place")
    return _report(samples)


def _visit(port: int, number: int) -> None:
    rooms = [f"visit-{number}-{each}" for each in range(3)]
    with Crowd(port, rooms, writers=1, readers=3) as visitors:
        visitors.wait_for_more(30)


def _sample(pid: int) -> Sample:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    return Sample(int(status["VmRSS"].split()[0]) / 1024, int(status["Threads"]), files)


def _report(samples: list[Sample]) -> int:
    if len(samples) < 3 * SAMPLES:
        print(f"too short: expected at least {3 * SAMPLES} readings, got {len(samples)}")
        return 1
    middle = len(samples) // 2
    parts = {"start": samples[:SAMPLES], "middle": samples[middle : middle + SAMPLES], "end": samples[-SAMPLES:]}
    figures = {name: Sample(*map(statistics.median, zip(*part, strict=True))) for name, part in parts.items()}
    for name, figure in figures.items():
        print(f"{name:<8} {figure.megabytes:6.1f} MB {figure.threads:4.0f} threads {figure.files:5.0f} files")
    first, last = figures["start"], figures["end"]
    is_flat = all(after <= MAX_GROWTH * before for before, after in zip(first, last, strict=True))
    print("flat" if is_flat else f"NOT flat: something grew by more than {MAX_GROWTH - 1:.0%}")
    return 0 if is_flat else 1


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 10))
