"""Scenario (a) measures latency and highest rate of one room of 500 people."""

from bench.plan import Group
from bench.scenario import Context, Figure, Figures, Scenario
from bench.scenarios import latency_and_rate
from bench.servers import Server

PEOPLE, LIMIT, MODERATE_RATE = 500, 100.0, 200.0

MODERATE_RATE_IN_QUICK, BUSY_RATE_IN_QUICK = 40.0, 2_000.0
"""Messages a second of the quick run. The slowest peer sustains the first.

The second replaces the ramp for Chatter: a high rate at which its CPU per delivery is measured.
"""

GROUP = Group("big", rooms=1, people=PEOPLE, publishers=10)


def _measure(server: Server, context: Context) -> Figures:
    if context.quick:
        busy = BUSY_RATE_IN_QUICK if server.is_chatter else 0
        return latency_and_rate.latency_and_cpu(server, context, GROUP, MODERATE_RATE_IN_QUICK, busy)
    figures = latency_and_rate.latency_and_cpu(server, context, GROUP, MODERATE_RATE)
    rate = latency_and_rate.highest_rate(server, context, "a", GROUP, limit=LIMIT, first=100.0)
    return {"held": rate * PEOPLE, **figures}


SCENARIO = Scenario(
    "a",
    "big room",
    f"One room of {PEOPLE} people, every message saved",
    {
        "held": Figure(f"highest delivery rate with p99 ≤ {LIMIT:.0f} ms", "1/s", "higher", 0, noise_floor=0.35),
        "p50": Figure(f"p50 at {MODERATE_RATE:.0f} msg/s (quick: {MODERATE_RATE_IN_QUICK:.0f})", "ms"),
        "p99": Figure(f"p99 at {MODERATE_RATE:.0f} msg/s (quick: {MODERATE_RATE_IN_QUICK:.0f})", "ms"),
        "cpu": Figure(f"server CPU per delivery at {MODERATE_RATE:.0f} msg/s", "µs", digits=2),
        "busy": Figure(
            f"server CPU per delivery at {BUSY_RATE_IN_QUICK:,.0f} msg/s", "µs", digits=2, peer_figure="cpu"
        ),
    },
    _measure,
)
