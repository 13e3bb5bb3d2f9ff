"""Draws the plots of a results file: `plots.py RESULTS FOLDER`.

Prints the file name and title of each plot. Runs in .venv-bench, where matplotlib is, so it imports no other module of
the benchmark.
"""

import json
import math
import statistics
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
mpl.rcParams["svg.hashsalt"] = "chatter"  # makes the SVG reproducible
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib import ticker  # noqa: E402

OURS, THEIRS = "#2563eb", "#94a3b8"

BARS = (
    ("a", "held", "Big room: sustained deliveries a second, p99 ≤ 100 ms", "bench-big-room.svg"),
    ("b", "held", "Small rooms: sustained messages a second, p99 ≤ 50 ms", "bench-small-rooms.svg"),
    ("e", "bytes", "Memory of an idle connection, kB", "bench-idle.svg"),
)


def main(file: str, folder: str) -> None:
    """Draws every plot that the results have figures for."""
    figures = json.loads(Path(file).read_text())["figures"]
    for letter, name, title, image in BARS:
        found = {
            server: _median_or_nan(series[name]) for server, series in figures.get(letter, {}).items() if name in series
        }
        found = {server: value for server, value in found.items() if not math.isnan(value)}
        if found:
            _draw_bars(found, title, Path(folder) / image)
            print(image, title)
    scaling = figures.get("i", {})
    if scaling:
        title = "Server CPU per delivery, µs, by size of a room and by number of rooms"
        _draw_scaling(scaling, title, Path(folder) / "bench-scaling.svg")
        print("bench-scaling.svg", title)


def _draw_bars(found: dict[str, float], title: str, image: Path) -> None:
    figure, axes = plt.subplots(figsize=(8, 0.5 * len(found) + 1))
    names = sorted(found, key=lambda name: found[name])
    colours = [OURS if name == "chatter" else THEIRS for name in names]
    bars = axes.barh([name.removesuffix("_peer") for name in names], [found[name] for name in names], color=colours)
    axes.bar_label(
        bars,
        labels=[f"{found[name]:,.4g}" if found[name] < 1e4 else f"{found[name]:,.0f}" for name in names],
        padding=3,
    )
    axes.set_title(title, loc="left")
    axes.margins(x=0.18)
    axes.xaxis.set_major_formatter(ticker.StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_major_locator(ticker.MaxNLocator(5))
    _save(figure, axes, image)


def _draw_scaling(scaling: dict[str, dict[str, list[float]]], title: str, image: Path) -> None:
    figure, both = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
    for axes, prefix, label in zip(both, ("size_", "rooms_"), ("people in one room", "rooms of 5"), strict=True):
        for server, series in scaling.items():
            points = sorted(
                (int(name.removeprefix(prefix)), _median_or_nan(row))
                for name, row in series.items()
                if name.startswith(prefix)
            )
            axes.plot(*zip(*points, strict=True), marker="o", label=server.removesuffix("_peer"))
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel(label)
    both[0].set_title(title, loc="left", fontsize=10)
    both[1].legend(fontsize=8)
    _save(figure, both[0], image)


def _save(figure: Any, axes: Any, image: Path) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(image, metadata={"Date": None})
    plt.close(figure)


def _median_or_nan(values: list[float]) -> float:
    good = [value for value in values if math.isfinite(value)]
    return statistics.median(good) if 2 * len(good) > len(values) else math.nan


if __name__ == "__main__":
    main(*sys.argv[1:])
