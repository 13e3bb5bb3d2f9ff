"""(a) 500 people in one room."""

from bench.plan import Group
from bench.scenario import Context, Figure, Figures, Scenario
from bench.scenarios import latency_and_rate
from bench.servers import Server

PEOPLE, LIMIT, MODERATE = 500, 100.0, 200.0

MODERATE_IN_QUICK, BUSY_IN_QUICK = 40.0, 2_000.0
"""So much the slowest peer can do too; and so much is work for Chatter, which stands there for the highest rate."""

GROUP = Group("big", rooms=1, people=PEOPLE, publishers=10)


def _measure(server: Server, context: Context) -> Figures:
    if context.quick:
        busy = BUSY_IN_QUICK if server.is_chatter else 0
        return latency_and_rate.latency(server, context, GROUP, MODERATE_IN_QUICK, busy)
    figures = latency_and_rate.latency(server, context, GROUP, MODERATE)
    rate = latency_and_rate.held(server, context, "a", GROUP, limit=LIMIT, first=100.0)
    return {"held": rate * PEOPLE, **figures}


SCENARIO = Scenario(
    "a",
    "big room",
    f"One room of {PEOPLE} people, every message saved",
    {
        "held": Figure(f"most deliveries with p99 ≤ {LIMIT:.0f} ms", "1/s", "higher", 0, floor=0.35),
        "p50": Figure(f"p50 at {MODERATE:.0f} msg/s (quick: {MODERATE_IN_QUICK:.0f})", "ms"),
        "p99": Figure(f"p99 at {MODERATE:.0f} msg/s (quick: {MODERATE_IN_QUICK:.0f})", "ms"),
        "cpu": Figure(f"server CPU per delivery at {MODERATE:.0f} msg/s", "µs", digits=2),
        "busy": Figure(f"the same at {BUSY_IN_QUICK:,.0f} msg/s", "µs", digits=2, related_to="cpu"),
    },
    _measure,
)
