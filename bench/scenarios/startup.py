"""Scenario (j) measures the time from process start to the ready line."""

import functools
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.scenario import Context, Figure, Figures, Scenario
from bench.servers import ROOT, RunningServer, Server


@functools.cache
def _database(messages: int) -> Path:
    """Creates the database once in a run."""
    file = Path(_folder().name) / "seeded.db"
    subprocess.run([sys.executable, "-m", "bench.seed_database", str(file), str(messages)], cwd=ROOT, check=True)
    return file


@functools.cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="chatter-bench-")


def _measure(server: Server, context: Context) -> Figures:
    figures = {}
    with RunningServer(server) as running:
        figures["empty"] = running.startup_seconds
    messages = 100_000 if context.quick else 1_000_000
    with RunningServer(server, _database(messages)) as running:
        figures["past"] = running.startup_seconds
    context.print_line(
        f"    {server.name} ready after {figures['empty']:.2f} s, with {messages:,} messages {figures['past']:.2f} s"
    )
    return figures


SCENARIO = Scenario(
    "j",
    "startup",
    "From process start to the ready line",
    {
        "empty": Figure("a new database", "s", digits=2),
        "past": Figure("1,000,000 messages in the database", "s", digits=2),
    },
    _measure,
    for_peers=False,
    in_quick=False,
)
