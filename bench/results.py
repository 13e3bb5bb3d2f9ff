"""Defines the results that are stored as JSON, and their median and range."""

import importlib.metadata
import math
import os
import platform
import re
import statistics
import subprocess
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from bench.servers import BUN, NODE, PEER_PYTHON, PEERS, Server
from chatter import __version__
from web import accelerator


class Results(TypedDict):
    """The results of a run, as bench/results/*.json stores them."""

    quick: bool
    commands: dict[str, str]  # by scenario letter
    machine: dict[str, str]
    versions: dict[str, str]  # by server
    held: dict[str, float]  # sustained rates, from which the next ramps start; by "scenario server"
    figures: dict[str, dict[str, dict[str, list[float]]]]  # by letter, server and figure: one value for each repeat


def empty_results(servers: Sequence[Server], *, quick: bool) -> Results:
    """Builds results with machine and versions, without figures."""
    return {
        "quick": quick,
        "commands": {},
        "machine": machine(),
        "versions": {server.name: _versions(server) for server in servers},
        "held": {},
        "figures": {},
    }


def merge_with_baseline(new: Results, baseline: Results | None) -> Results:
    """Adds the baseline's scenarios that `new` lacks, if both are of one machine."""
    if baseline is None or baseline["machine"] != new["machine"]:
        return new
    return {
        **new,
        "commands": {**baseline["commands"], **new["commands"]},
        "versions": {**baseline["versions"], **new["versions"]},
        "held": {**baseline["held"], **new["held"]},
        "figures": {**baseline["figures"], **new["figures"]},
    }


def machine() -> dict[str, str]:
    """Describes this machine: processor, memory, kernel and Python."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_version()} ({_build()})",
    }


def median_or_nan(values: Sequence[float]) -> float:
    """Returns the median of the finite values; NaN unless most are finite."""
    good = [value for value in values if math.isfinite(value)]
    return statistics.median(good) if 2 * len(good) > len(values) else math.nan


def half_range(values: Sequence[float]) -> float:
    """Returns half the distance of the extremes as a fraction of the median."""
    good = [value for value in values if math.isfinite(value)]
    median = median_or_nan(values)
    if len(good) < 2 or not median or math.isnan(median):
        return 0.0
    return (max(good) - min(good)) / 2 / median


def _build() -> str:
    """Says how the interpreter was built: one without these options costs some 14 %."""
    options = (sysconfig.get_config_var("CONFIG_ARGS") or "").replace("'", "").split()
    chosen = [option for option in options if option.startswith(("--enable-optimizations", "--with-lto"))]
    return " ".join(chosen) or "built without --enable-optimizations"


def _processor() -> str:
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return " ".join(found[1].split()) if found else platform.machine()


def _versions(server: Server) -> str:
    if server.is_chatter:
        is_accelerated = accelerator.C is not None and not server.environment
        parts = [f"Chatter {__version__} ({'accelerated' if is_accelerated else 'Python alone'})"]
        return ", ".join(parts + [f"{name} {importlib.metadata.version(name)}" for name in server.packages])
    if server.name == "ws_peer":
        node = _printed([NODE, "--version"])
        package = (PEERS / "node_modules/ws/package.json").read_text()
        found = re.search(r'"version": "([^"]+)"', package)
        return f"ws {found[1] if found else '?'}, Node.js {node.removeprefix('v')}"
    if server.name == "bun_peer":
        return f"Bun {_printed([BUN, '--version'])}"
    script = "import sys, importlib.metadata as m; print(', '.join(f'{n} {m.version(n)}' for n in sys.argv[1:]))"
    return _printed([PEER_PYTHON, "-c", script, *server.packages])


def _printed(command: Sequence[str | Path]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
