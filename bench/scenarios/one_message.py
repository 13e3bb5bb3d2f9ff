"""Scenario (c) measures the delivery of one message to a very large room."""

import statistics

from bench.plan import Group, Step, Traffic
from bench.scenario import Context, Figure, Figures, Scenario
from bench.server_session import ServerSession
from bench.servers import Server


def _measure(server: Server, context: Context) -> Figures:
    people = 2_000 if context.quick else 10_000
    group = Group("all", rooms=1, people=people, publishers=1, sample=people, with_name=False)
    with ServerSession(server, group) as session:
        seconds = 2.5 if context.quick else 10.0
        outcome = session.run(Step((Traffic(group.name, 2.0),), warm_up=1.0, seconds=seconds))
        context.report_step(server, f"a message to {people:,}", outcome, session.server_cpu)
    if not outcome.is_clean:
        return {"p50": float("nan"), "last": float("nan")}
    return {"p50": outcome.latency(0.5), "last": statistics.median(outcome.last_receipts.values()) / 1000}


SCENARIO = Scenario(
    "c",
    "one message",
    "One message to 10,000 people in one room (2,000 in the quick run)",
    {"p50": Figure("p50", "ms"), "last": Figure("until the last person receives it", "ms")},
    _measure,
)
