"""Measures rooms of one size: latency, CPU and highest sustained rate."""

from bench.plan import Group, Outcome, Step, Traffic
from bench.ramp import find_highest_rate
from bench.scenario import Context, Figures
from bench.server_session import ServerSession
from bench.servers import Server


def step(group: Group, rate: float, *, quick: bool) -> Step:
    """Builds a step with `rate` messages a second over all rooms."""
    return Step((Traffic(group.name, rate),), warm_up=0.5 if quick else 1.0, seconds=1.5 if quick else 4.0)


def latency_and_cpu(server: Server, context: Context, group: Group, rate: float, busy_rate: float = 0) -> Figures:
    """Measures p50, p99 and server CPU per delivery at `rate`.

    Unless `busy_rate` is 0, measures the CPU per delivery at that rate too.
    """
    with ServerSession(server, group) as session:
        outcome = _run_step(session, context, group, rate)
        figures = {"p50": outcome.latency(0.5), "p99": outcome.latency(0.99), "cpu": session.cpu_per_delivery(outcome)}
        if not outcome.is_clean:
            figures = dict.fromkeys(figures, float("nan"))
        if busy_rate:
            figures["busy"] = session.cpu_per_delivery(_run_step(session, context, group, busy_rate))
    return figures


def highest_rate(server: Server, context: Context, name: str, group: Group, *, limit: float, first: float) -> float:
    """Finds the highest rate with a p99 of at most `limit` ms; 0 if there is none."""
    begin = context.starting_rate(name, server, first)
    with ServerSession(server, group) as session:
        rate = find_highest_rate(lambda rate: _run_step(session, context, group, rate), begin, limit).rate
    context.remember_rate(name, server, rate)
    return rate


def _run_step(session: ServerSession, context: Context, group: Group, rate: float) -> Outcome:
    outcome = session.run(step(group, rate, quick=context.quick))
    context.report_step(session.server, f"{rate:.0f} msg/s", outcome, session.server_cpu)
    return outcome
