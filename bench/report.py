"""Renders results as Markdown, and as the figures of docs/benchmarks.md."""

import math
import subprocess
from pathlib import Path

from bench.results import Results, half_range, median_or_nan
from bench.scenario import Figure, Scenario
from bench.scenarios import SCENARIOS
from bench.servers import PEER_PYTHON, ROOT, SERVERS

DOCUMENT = ROOT / "docs/benchmarks.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def tables(results: Results) -> str:
    """Renders a table for each scenario, with medians, spreads and ratios to Chatter."""
    parts = [_environment(results)]
    parts += [_table(scenario, results) for letter, scenario in SCENARIOS.items() if letter in results["figures"]]
    return "\n\n".join(parts)


def write_document(results: Results, file: Path) -> None:
    """Replaces tables and plots in docs/benchmarks.md, between the markers. `file` contains `results`."""
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    plots = _plots(file)
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{tables(results)}\n\n{plots}{END}{after}")


def cell(values: list[float], chatter_values: list[float], figure: Figure, *, is_chatter: bool) -> str:
    """Renders `1,234 ±5% (×0.5)`: the median, `half_range` and the ratio to Chatter."""
    value = median_or_nan(values) if values else math.nan
    if math.isnan(value):
        return "fails" if values else ""
    text = f"{value:,.{figure.digits}f}"
    if len(values) > 1:
        text += f" ±{half_range(values):.0%}"
    ours = median_or_nan(chatter_values) if chatter_values else math.nan
    if not is_chatter and ours and not math.isnan(ours):
        text += f" (×{value / ours:.2g})"
    return text


def _environment(results: Results) -> str:
    machine = results["machine"]
    described = f"{machine['processor']}, {machine['memory']}, {machine['system']}, Python {machine['python']}"
    commands = ", ".join(f"`{command}`" for command in dict.fromkeys(results["commands"].values()))
    heading = f"{commands} on {described}. Generator and server share the machine."
    lines = [heading, "", "| server | versions |", "|---|---|"]
    versions = results["versions"]
    lines += [f"| {server.title} | {versions[name]} |" for name, server in SERVERS.items() if name in versions]
    return "\n".join(lines)


def _table(scenario: Scenario, results: Results) -> str:
    by_server = results["figures"][scenario.letter]
    names = [name for name in SERVERS if name in by_server]
    lines = [
        f"### ({scenario.letter}) {scenario.title}",
        "",
        "| | " + " | ".join(SERVERS[name].title for name in names) + " |",
        "|---|" + "---|" * len(names),
    ]
    for name, figure in scenario.figures.items():
        rows = [by_server[server].get(name, []) for server in names]
        if any(rows):
            ours = by_server.get("chatter", {}).get(name, [])
            cells = [
                cell(row, ours, figure, is_chatter=server == "chatter") for server, row in zip(names, rows, strict=True)
            ]
            lines.append(f"| {figure.title}, {figure.unit} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _plots(file: Path) -> str:
    """Draws the plots and returns their Markdown. The peers' Python has matplotlib."""
    drawn = subprocess.run(
        [PEER_PYTHON, ROOT / "bench/plots.py", file, ROOT / "docs/images"], capture_output=True, text=True, check=False
    )
    if drawn.returncode:
        print(f"no plots: {drawn.stderr.strip().splitlines()[-1]}")
        return ""
    return "".join(
        f"![{line.partition(' ')[2]}](images/{line.partition(' ')[0]})\n\n" for line in drawn.stdout.splitlines()
    )
