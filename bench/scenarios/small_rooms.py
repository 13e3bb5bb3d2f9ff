"""Scenario (b) measures latency and highest rate of 1,000 rooms of 5 people.

For Chatter it also measures what saving adds to the latency.
"""

from bench.plan import Group
from bench.scenario import Context, Figure, Figures, Scenario
from bench.scenarios import latency_and_rate
from bench.servers import SERVERS, Server

ROOMS, PEOPLE, LIMIT, MODERATE_RATE = 1_000, 5, 50.0, 3_000.0

ROOMS_IN_QUICK, MODERATE_RATE_IN_QUICK, BUSY_RATE_IN_QUICK = 200, 500.0, 2_000.0
"""The quick run has fewer rooms, since joining them takes most of the time.

`BUSY_RATE_IN_QUICK` replaces the ramp for Chatter: a high rate at which its CPU per delivery is measured.
"""


def _measure(server: Server, context: Context) -> Figures:
    if context.quick:
        group = Group("small", rooms=ROOMS_IN_QUICK, people=PEOPLE, publishers=ROOMS_IN_QUICK)
        busy = BUSY_RATE_IN_QUICK if server.is_chatter else 0
        return latency_and_rate.latency_and_cpu(server, context, group, MODERATE_RATE_IN_QUICK, busy)
    group = Group("small", rooms=ROOMS, people=PEOPLE, publishers=ROOMS)
    figures = dict(latency_and_rate.latency_and_cpu(server, context, group, MODERATE_RATE))
    if server.name == "chatter":
        unsaved = latency_and_rate.latency_and_cpu(SERVERS["chatter_unsaved"], context, group, MODERATE_RATE)
        figures["saving"] = figures["p99"] / unsaved["p99"]
    return {"held": latency_and_rate.highest_rate(server, context, "b", group, limit=LIMIT, first=1_000.0), **figures}


SCENARIO = Scenario(
    "b",
    "small rooms",
    f"{ROOMS:,} rooms of {PEOPLE} people, every message saved (quick: {ROOMS_IN_QUICK})",
    {
        "held": Figure(f"highest message rate with p99 ≤ {LIMIT:.0f} ms", "1/s", "higher", 0, noise_floor=0.35),
        "p50": Figure(f"p50 at {MODERATE_RATE:,.0f} msg/s (quick: {MODERATE_RATE_IN_QUICK:.0f})", "ms", digits=2),
        "p99": Figure(f"p99 at {MODERATE_RATE:,.0f} msg/s (quick: {MODERATE_RATE_IN_QUICK:.0f})", "ms"),
        "cpu": Figure(f"server CPU per delivery at {MODERATE_RATE:,.0f} msg/s", "µs", digits=2),
        "busy": Figure(
            f"server CPU per delivery at {BUSY_RATE_IN_QUICK:,.0f} msg/s", "µs", digits=2, peer_figure="cpu"
        ),
        "saving": Figure("p99 with saving, as a multiple of p99 without", "×", digits=2, is_compared=False),
    },
    _measure,
)
