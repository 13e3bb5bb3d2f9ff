"""(b) 1,000 rooms of 5; for Chatter also what saving costs there."""

from bench.plan import Group
from bench.scenario import Context, Figure, Figures, Scenario
from bench.scenarios import talking
from bench.servers import SERVERS, Server

ROOMS, PEOPLE, LIMIT, MODERATE = 1_000, 5, 50.0, 3_000.0

ROOMS_IN_QUICK, MODERATE_IN_QUICK = 200, 500.0
"""People come anew after each step that failed, and that takes most of the time."""


def _measure(server: Server, context: Context) -> Figures:
    rooms, rate = (ROOMS_IN_QUICK, MODERATE_IN_QUICK) if context.quick else (ROOMS, MODERATE)
    group = Group("small", rooms=rooms, people=PEOPLE, publishers=rooms)
    figures = dict(talking.latency(server, context, group, rate))
    if server.name == "chatter" and not context.quick:
        unsaved = talking.latency(SERVERS["chatter_unsaved"], context, group, rate)
        figures["saving"] = figures["p99"] / unsaved["p99"]
    return {"held": talking.held(server, context, "b", group, limit=LIMIT, first=1_000.0), **figures}


SCENARIO = Scenario(
    "b",
    "small rooms",
    f"{ROOMS:,} rooms of {PEOPLE} people, every message saved (quick: {ROOMS_IN_QUICK})",
    {
        "held": Figure(f"most messages with p99 ≤ {LIMIT:.0f} ms", "1/s", "higher", 0, floor=0.35),
        "p50": Figure(f"p50 at {MODERATE:,.0f} msg/s (quick: {MODERATE_IN_QUICK:.0f})", "ms", digits=2),
        "p99": Figure(f"p99 at {MODERATE:,.0f} msg/s (quick: {MODERATE_IN_QUICK:.0f})", "ms"),
        "cpu": Figure(f"server CPU per delivery at {MODERATE:,.0f} msg/s", "µs", digits=2),
        "saving": Figure("p99 with saving, as a multiple of p99 without", "×", digits=2, compared=False),
    },
    _measure,
)
