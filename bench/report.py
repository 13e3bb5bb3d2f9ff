"""Results for people: Markdown tables, and the generated part of docs/benchmarks.md."""

import math
import subprocess
from pathlib import Path

from bench.results import Results, middle, spread
from bench.scenario import Figure, Scenario
from bench.scenarios import SCENARIOS
from bench.servers import PEER_PYTHON, ROOT, SERVERS

DOCUMENT = ROOT / "docs/benchmarks.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def tables(results: Results) -> str:
    """A table for each scenario, with the medians, the spread and the ratio to Chatter."""
    parts = [_circumstances(results)]
    parts += [_table(scenario, results) for letter, scenario in SCENARIOS.items() if letter in results["figures"]]
    return "\n\n".join(parts)


def write_document(results: Results, file: Path) -> None:
    """Put tables and plots of `results`, which are in `file`, into docs/benchmarks.md, between the markers."""
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    plots = _plots(file)
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{tables(results)}\n\n{plots}{END}{after}")


def cell(values: list[float], chatters: list[float], figure: Figure, *, is_chatter: bool) -> str:
    """`1,234 ±5 % (×0.5)`: the median, half the distance of the extremes, and what part of Chatter's it is."""
    value = middle(values) if values else math.nan
    if math.isnan(value):
        return "fails" if values else ""
    said = f"{value:,.{figure.digits}f}"
    if len(values) > 1:
        said += f" ±{spread(values):.0%}"
    ours = middle(chatters) if chatters else math.nan
    if not is_chatter and ours and not math.isnan(ours):
        said += f" (×{value / ours:.2g})"
    return said


def _circumstances(results: Results) -> str:
    machine = results["machine"]
    where = f"{machine['processor']}, {machine['memory']}, {machine['system']}, Python {machine['python']}"
    commands = ", ".join(f"`{command}`" for command in dict.fromkeys(results["commands"].values()))
    what = f"{commands} on {where}. Generator and server share the machine."
    lines = [what, "", "| server | versions |", "|---|---|"]
    versions = results["versions"]
    lines += [f"| {server.what} | {versions[name]} |" for name, server in SERVERS.items() if name in versions]
    return "\n".join(lines)


def _table(scenario: Scenario, results: Results) -> str:
    found = results["figures"][scenario.letter]
    names = [name for name in SERVERS if name in found]
    lines = [
        f"### ({scenario.letter}) {scenario.title}",
        "",
        "| | " + " | ".join(SERVERS[name].what for name in names) + " |",
        "|---|" + "---|" * len(names),
    ]
    for name, figure in scenario.figures.items():
        rows = [found[server].get(name, []) for server in names]
        if any(rows):
            ours = found.get("chatter", {}).get(name, [])
            cells = [
                cell(row, ours, figure, is_chatter=server == "chatter") for server, row in zip(names, rows, strict=True)
            ]
            lines.append(f"| {figure.title}, {figure.unit} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _plots(file: Path) -> str:
    """Drawn by the Python of the peers, which has matplotlib."""
    drawn = subprocess.run(
        [PEER_PYTHON, ROOT / "bench/plots.py", file, ROOT / "docs/images"], capture_output=True, text=True, check=False
    )
    if drawn.returncode:
        print(f"no plots: {drawn.stderr.strip().splitlines()[-1]}")
        return ""
    return "".join(
        f"![{line.partition(' ')[2]}](images/{line.partition(' ')[0]})\n\n" for line in drawn.stdout.splitlines()
    )
