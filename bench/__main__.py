"""Runs the benchmark: measures, prints tables, compares with the baseline.

Exit code 1: a figure got slower than the baseline by more than the noise. 2: an argument is invalid.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

from bench import compare, report
from bench.load_generator import JoinFailed
from bench.results import Results, empty_results, merge_with_baseline
from bench.scenario import Context, Scenario
from bench.scenarios import SCENARIOS
from bench.servers import ROOT, SERVERS, Server, ServerUnavailable, unavailable_reason

Chosen = TypeVar("Chosen", Scenario, Server)

RESULTS = ROOT / "bench/results"
QUICK_SERVERS = ("chatter", "chatter_python", "plain_tornado")
"""Tornado runs on the same stack as Chatter, so it shows how fast the machine is."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark and returns the exit code."""
    options = _options(arguments)
    kind = "quick" if options.quick else "reference"
    scenarios = [_chosen(SCENARIOS, letter) for letter in options.scenarios.split()] or [
        scenario for scenario in SCENARIOS.values() if scenario.in_quick or not options.quick
    ]
    servers = [_chosen(SERVERS, name) for name in options.servers.split()] or _default_servers(quick=options.quick)
    baseline = _read(RESULTS / f"{kind}.json")
    context = Context(options.quick, dict(baseline["held"]) if baseline else {})
    results = empty_results(_available(servers), quick=options.quick)
    results["commands"] = {scenario.letter: options.command for scenario in scenarios}
    for repeat in range(1, (options.repeats or (2 if options.quick else 3)) + 1):
        _measure_all(repeat, scenarios, context, results)
        _write(RESULTS / f"latest-{kind}.json", results)
    print(report.tables(results))
    if options.keep:
        results = merge_with_baseline(results, baseline)
        _write(RESULTS / f"{kind}.json", results)
        if not options.quick:
            report.write_document(results, RESULTS / f"{kind}.json")
        return 0
    return _compare(results, baseline)


def _measure_all(repeat: int, scenarios: Sequence[Scenario], context: Context, results: Results) -> None:
    """Measures every scenario once, the servers in turn; adds to `results`."""
    for scenario in scenarios:
        for server in (SERVERS[name] for name in results["versions"]):
            if not scenario.for_peers and not server.is_chatter:
                continue
            at = f"[{time.strftime('%H:%M:%S')}] repeat {repeat}"
            print(f"{at} ({scenario.letter}) {scenario.name}: {server.title}", flush=True)
            series = results["figures"].setdefault(scenario.letter, {}).setdefault(server.name, {})
            for figure, value in _measure(scenario, server, context).items():
                series.setdefault(figure, []).append(value)
    results["held"] = context.sustained_rates


def _measure(scenario: Scenario, server: Server, context: Context) -> dict[str, float]:
    try:
        return dict(scenario.measure(server, context))
    except (ServerUnavailable, JoinFailed) as error:
        print(f"    {server.name}: {error}")
        return {}


def _compare(results: Results, baseline: Results | None) -> int:
    if baseline is None:
        print("There is no baseline to compare with: KEEP=1 stores these figures as one.")
        return 0
    comparison = compare.compare(results, baseline)
    print("\n".join(comparison.lines))
    return 1 if comparison.is_slower else 0


def _default_servers(*, quick: bool) -> list[Server]:
    names = QUICK_SERVERS if quick else [name for name in SERVERS if name != "chatter_unsaved"]
    return [SERVERS[name] for name in names]


def _available(servers: Sequence[Server]) -> list[Server]:
    available = []
    for server in servers:
        if reason := unavailable_reason(server):
            print(f"{server.name} is left out: {reason}")
        else:
            available.append(server)
    return available


def _chosen(among: Mapping[str, Chosen], name: str) -> Chosen:
    if name not in among:
        _fail(f"expected one of {', '.join(among)}, got {name}")
    return among[name]


def _fail(message: str) -> NoReturn:
    print(f"bench: {message}", file=sys.stderr)
    sys.exit(2)


def _read(file: Path) -> Results | None:
    if not file.exists():
        return None
    results: Results = json.loads(file.read_text())
    return results


def _write(file: Path, results: Results) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="Measures Chatter beside other servers.")
    parser.add_argument("--quick", action="store_true", help="four minutes, with fewer people and servers")
    parser.add_argument("--scenarios", default="", help=f"some of {' '.join(SCENARIOS)}")
    parser.add_argument("--servers", default="", help=f"some of {' '.join(SERVERS)}")
    parser.add_argument(
        "--repeats",
        type=int,
        default=0,
        help="number of measurements of everything; default 2 if quick, else 3",
    )
    parser.add_argument(
        "--keep", action="store_true", help="store these figures as the baseline; scenarios not measured keep theirs"
    )
    options = parser.parse_args(arguments)
    words = ["QUICK=1" if options.quick else ""]
    words += [
        f'{name.upper()}="{getattr(options, name)}"' for name in ("scenarios", "servers") if getattr(options, name)
    ]
    words += [f"REPEATS={options.repeats}" if options.repeats else ""]
    options.command = " ".join(["make bench", *filter(None, words)])
    return options


if __name__ == "__main__":
    sys.exit(main())
