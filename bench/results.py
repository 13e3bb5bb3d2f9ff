"""Figures as they are kept: JSON with the machine, the versions and the command; and how they are summed up."""

import importlib.metadata
import math
import os
import platform
import re
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from bench.servers import NODE, PEER_PYTHON, PEERS, Server
from chatter import __version__


class Results(TypedDict):
    """What a run leaves."""

    quick: bool
    commands: dict[str, str]  # by scenario
    machine: dict[str, str]
    versions: dict[str, str]  # by server
    held: dict[str, float]  # where the next ramps begin
    figures: dict[str, dict[str, dict[str, list[float]]]]  # by scenario, server and figure: one for each repeat


def about_this_run(servers: Sequence[Server], *, quick: bool) -> Results:
    """Results without any figures."""
    return {
        "quick": quick,
        "commands": {},
        "machine": machine(),
        "versions": {server.name: _versions(server) for server in servers},
        "held": {},
        "figures": {},
    }


def with_kept(new: Results, kept: Results | None) -> Results:
    """`new`, with the scenarios of `kept` that were not measured anew, if they were on this machine."""
    if kept is None or kept["machine"] != new["machine"]:
        return new
    return {
        **new,
        "commands": {**kept["commands"], **new["commands"]},
        "versions": {**kept["versions"], **new["versions"]},
        "held": {**kept["held"], **new["held"]},
        "figures": {**kept["figures"], **new["figures"]},
    }


def machine() -> dict[str, str]:
    """What it ran on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def middle(values: Sequence[float]) -> float:
    """The median of those that are numbers; NaN where half of the tries or more came to nothing."""
    good = [value for value in values if math.isfinite(value)]
    return statistics.median(good) if 2 * len(good) > len(values) else math.nan


def spread(values: Sequence[float]) -> float:
    """Half the distance of the extremes, as a part of the median: ± so much."""
    good = [value for value in values if math.isfinite(value)]
    centre = middle(values)
    if len(good) < 2 or not centre or math.isnan(centre):
        return 0.0
    return (max(good) - min(good)) / 2 / centre


def _processor() -> str:
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return " ".join(found[1].split()) if found else platform.machine()


def _versions(server: Server) -> str:
    if server.is_chatter:
        parts = [f"Chatter {__version__}"]
        return ", ".join(parts + [f"{name} {importlib.metadata.version(name)}" for name in server.packages])
    if server.name == "ws_peer":
        node = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        package = (PEERS / "node_modules/ws/package.json").read_text()
        found = re.search(r'"version": "([^"]+)"', package)
        return f"ws {found[1] if found else '?'}, Node.js {node.removeprefix('v')}"
    ask = "import sys, importlib.metadata as m; print(', '.join(f'{n} {m.version(n)}' for n in sys.argv[1:]))"
    asked = subprocess.run([PEER_PYTHON, "-c", ask, *server.packages], capture_output=True, text=True, check=True)
    return asked.stdout.strip()
