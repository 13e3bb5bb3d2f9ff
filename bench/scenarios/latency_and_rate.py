"""What rooms of one size do, few and large or many and small: latency at a moderate rate, and the highest rate held."""

from bench.plan import Group, Outcome, Step, Talk
from bench.ramp import find_highest_rate
from bench.scenario import Context, Figures
from bench.server_session import ServerSession
from bench.servers import Server


def step(group: Group, rate: float, *, quick: bool) -> Step:
    """Talk at `rate` messages a second in all."""
    return Step((Talk(group.name, rate),), warm_up=0.5 if quick else 1.0, seconds=1.5 if quick else 4.0)


def latency(server: Server, context: Context, group: Group, rate: float, busy_rate: float = 0) -> Figures:
    """p50 and p99 at `rate`, and the server's CPU for each delivery; if asked for, that also at `busy_rate`."""
    with ServerSession(server, group) as session:
        outcome = _talk(session, context, group, rate)
        figures = {"p50": outcome.latency(0.5), "p99": outcome.latency(0.99), "cpu": session.cost(outcome)}
        if not outcome.is_clean:
            figures = dict.fromkeys(figures, float("nan"))
        if busy_rate:
            figures["busy"] = session.cost(_talk(session, context, group, busy_rate))
    return figures


def held(server: Server, context: Context, name: str, group: Group, *, limit: float, first: float) -> float:
    """The highest rate held with `limit` ms for 99 of 100 deliveries; 0 where none was."""
    begin = context.first_rate(name, server, first)
    with ServerSession(server, group) as session:
        rate = find_highest_rate(lambda rate: _talk(session, context, group, rate), begin, limit).rate
    context.remember(name, server, rate)
    return rate


def _talk(session: ServerSession, context: Context, group: Group, rate: float) -> Outcome:
    outcome = session.run(step(group, rate, quick=context.quick))
    context.tell(session.server, f"{rate:.0f} msg/s", outcome, session.cpu)
    return outcome
