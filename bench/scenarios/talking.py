"""What rooms of one size do, few and large or many and small: latency at a moderate rate, and the highest rate held."""

from bench.plan import Group, Outcome, Step, Talk
from bench.ramp import climb
from bench.scenario import Context, Figures
from bench.servers import Server
from bench.venue import Venue


def step(group: Group, rate: float, *, quick: bool) -> Step:
    """Talk at `rate` messages a second in all."""
    return Step((Talk(group.name, rate),), warm_up=0.5 if quick else 1.0, seconds=1.5 if quick else 4.0)


def latency(server: Server, context: Context, group: Group, rate: float) -> Figures:
    """p50 and p99 at `rate`, and the server's CPU for each delivery."""
    with Venue(server, group) as venue:
        outcome = venue.run(step(group, rate, quick=context.quick))
        context.tell(server, f"{rate:.0f} msg/s", outcome, venue.cpu)
    failed = float("nan")
    return {
        "p50": outcome.latency(0.5) if outcome.is_clean else failed,
        "p99": outcome.latency(0.99) if outcome.is_clean else failed,
        "cpu": 1e6 * venue.cpu / outcome.expected if outcome.is_clean else failed,
    }


def held(server: Server, context: Context, name: str, group: Group, *, limit: float, first: float) -> float:
    """The highest rate held with `limit` ms for 99 of 100 deliveries; 0 where none was."""
    with Venue(server, group) as venue:

        def attempt(rate: float) -> Outcome:
            outcome = venue.run(step(group, rate, quick=context.quick))
            context.tell(server, f"{rate:.0f} msg/s", outcome, venue.cpu)
            return outcome

        begin = context.first_rate(name, server, first)
        if context.quick:
            is_near = begin != first
            rate = climb(
                attempt, begin, limit, factor=1.6 if is_near else 4.0, halvings=1 if is_near else 3, seconds=25.0
            ).rate
        else:
            rate = climb(attempt, begin, limit).rate
    context.remember(name, server, rate)
    return rate
