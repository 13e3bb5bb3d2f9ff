"""(b) 1,000 rooms of 5; for Chatter also what saving costs there."""

from bench.plan import Group
from bench.scenario import Context, Figure, Figures, Scenario
from bench.scenarios import latency_and_rate
from bench.servers import SERVERS, Server

ROOMS, PEOPLE, LIMIT, MODERATE = 1_000, 5, 50.0, 3_000.0

ROOMS_IN_QUICK, MODERATE_IN_QUICK, BUSY_IN_QUICK = 200, 500.0, 2_000.0
"""Few rooms, since to fill them takes most of the time; `BUSY_IN_QUICK` stands there for the highest rate."""


def _measure(server: Server, context: Context) -> Figures:
    if context.quick:
        group = Group("small", rooms=ROOMS_IN_QUICK, people=PEOPLE, publishers=ROOMS_IN_QUICK)
        busy = BUSY_IN_QUICK if server.is_chatter else 0
        return latency_and_rate.latency(server, context, group, MODERATE_IN_QUICK, busy)
    group = Group("small", rooms=ROOMS, people=PEOPLE, publishers=ROOMS)
    figures = dict(latency_and_rate.latency(server, context, group, MODERATE))
    if server.name == "chatter":
        unsaved = latency_and_rate.latency(SERVERS["chatter_unsaved"], context, group, MODERATE)
        figures["saving"] = figures["p99"] / unsaved["p99"]
    return {"held": latency_and_rate.held(server, context, "b", group, limit=LIMIT, first=1_000.0), **figures}


SCENARIO = Scenario(
    "b",
    "small rooms",
    f"{ROOMS:,} rooms of {PEOPLE} people, every message saved (quick: {ROOMS_IN_QUICK})",
    {
        "held": Figure(f"most messages with p99 ≤ {LIMIT:.0f} ms", "1/s", "higher", 0, floor=0.35),
        "p50": Figure(f"p50 at {MODERATE:,.0f} msg/s (quick: {MODERATE_IN_QUICK:.0f})", "ms", digits=2),
        "p99": Figure(f"p99 at {MODERATE:,.0f} msg/s (quick: {MODERATE_IN_QUICK:.0f})", "ms"),
        "cpu": Figure(f"server CPU per delivery at {MODERATE:,.0f} msg/s", "µs", digits=2),
        "busy": Figure(f"the same at {BUSY_IN_QUICK:,.0f} msg/s", "µs", digits=2, related_to="cpu"),
        "saving": Figure("p99 with saving, as a multiple of p99 without", "×", digits=2, compared=False),
    },
    _measure,
)
