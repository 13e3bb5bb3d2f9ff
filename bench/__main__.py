"""`python -m bench`, which `make bench` calls: measure, say what came of it, compare with what is kept.

Exit code 1: something got slower than the kept figures, by more than the noise. 2: cannot be done as asked.
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
from bench.results import Results, about_this_run, with_kept
from bench.scenario import Context, Scenario
from bench.scenarios import SCENARIOS
from bench.servers import ROOT, SERVERS, Server, ServerUnavailable, why_not

Chosen = TypeVar("Chosen", Scenario, Server)

KEPT = ROOT / "bench/results"
QUICK_SERVERS = ("chatter", "plain_tornado")
"""A peer on the same stack says how fast the machine is today."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    options = _options(arguments)
    kind = "quick" if options.quick else "reference"
    scenarios = [_chosen(SCENARIOS, letter) for letter in options.scenarios.split()] or [
        scenario for scenario in SCENARIOS.values() if scenario.in_quick or not options.quick
    ]
    servers = [_chosen(SERVERS, name) for name in options.servers.split()] or _usual_servers(quick=options.quick)
    kept = _read(KEPT / f"{kind}.json")
    context = Context(options.quick, dict(kept["held"]) if kept else {})
    results = about_this_run(_those_there(servers), quick=options.quick)
    results["commands"] = {scenario.letter: options.command for scenario in scenarios}
    for repeat in range(1, (options.repeats or (2 if options.quick else 3)) + 1):
        _measure_all(repeat, scenarios, context, results)
        _write(KEPT / f"latest-{kind}.json", results)
    print(report.tables(results))
    if options.keep:
        results = with_kept(results, kept)
        _write(KEPT / f"{kind}.json", results)
        if not options.quick:
            report.write_document(results, KEPT / f"{kind}.json")
        return 0
    return _compare(results, kept)


def _measure_all(repeat: int, scenarios: Sequence[Scenario], context: Context, results: Results) -> None:
    """Every scenario once, the servers in turn."""
    for scenario in scenarios:
        for server in (SERVERS[name] for name in results["versions"]):
            if not scenario.for_peers and not server.is_chatter:
                continue
            at = f"[{time.strftime('%H:%M:%S')}] repeat {repeat}"
            print(f"{at} ({scenario.letter}) {scenario.name}: {server.what}", flush=True)
            series = results["figures"].setdefault(scenario.letter, {}).setdefault(server.name, {})
            for figure, value in _measure(scenario, server, context).items():
                series.setdefault(figure, []).append(value)
    results["held"] = context.held


def _measure(scenario: Scenario, server: Server, context: Context) -> dict[str, float]:
    try:
        return dict(scenario.measure(server, context))
    except (ServerUnavailable, JoinFailed) as error:
        print(f"    {server.name}: {error}")
        return {}


def _compare(results: Results, kept: Results | None) -> int:
    if kept is None:
        print("No figures are kept to compare with: KEEP=1 keeps these.")
        return 0
    verdict = compare.verdict(results, kept)
    print("\n".join(verdict.lines))
    return 1 if verdict.is_slower else 0


def _usual_servers(*, quick: bool) -> list[Server]:
    names = QUICK_SERVERS if quick else [name for name in SERVERS if name != "chatter_unsaved"]
    return [SERVERS[name] for name in names]


def _those_there(servers: Sequence[Server]) -> list[Server]:
    there = []
    for server in servers:
        if reason := why_not(server):
            print(f"{server.name} is left out: {reason}")
        else:
            there.append(server)
    return there


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
    parser = argparse.ArgumentParser(prog="bench", description="Chatter beside others, measured.")
    parser.add_argument("--quick", action="store_true", help="in three minutes, with fewer people and servers")
    parser.add_argument("--scenarios", default="", help=f"some of {' '.join(SCENARIOS)}")
    parser.add_argument("--servers", default="", help=f"some of {' '.join(SERVERS)}")
    parser.add_argument(
        "--repeats",
        type=int,
        default=0,
        help="how often everything is measured, without: twice if quick, else three times",
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep these figures to compare with, beside those of other scenarios"
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
