"""What rooms of one size do, few and large or many and small: latency at a moderate rate, and the highest rate held."""

from bench.plan import Group, Outcome, Step, Talk
from bench.ramp import climb
from bench.scenario import Context, Figures
from bench.servers import Server
from bench.venue import Venue


def step(group: Group, rate: float, *, quick: bool) -> Step:
    """Talk at `rate` messages a second in all."""
    return Step((Talk(group.name, rate),), warm_up=0.5 if quick else 1.0, seconds=1.5 if quick else 4.0)


def latency(server: Server, context: Context, group: Group, rate: float, busy_rate: float = 0) -> Figures:
    """p50 and p99 at `rate`, and the server's CPU for each delivery; if asked for, that also at `busy_rate`."""
    with Venue(server, group) as venue:
        outcome = _talk(venue, context, group, rate)
        figures = {"p50": outcome.latency(0.5), "p99": outcome.latency(0.99), "cpu": venue.cost(outcome)}
        if not outcome.is_clean:
            figures = dict.fromkeys(figures, float("nan"))
        if busy_rate:
            figures["busy"] = venue.cost(_talk(venue, context, group, busy_rate))
    return figures


def held(server: Server, context: Context, name: str, group: Group, *, limit: float, first: float) -> float:
    """The highest rate held with `limit` ms for 99 of 100 deliveries; 0 where none was."""
    begin = context.first_rate(name, server, first)
    with Venue(server, group) as venue:
        rate = climb(lambda rate: _talk(venue, context, group, rate), begin, limit).rate
    context.remember(name, server, rate)
    return rate


def _talk(venue: Venue, context: Context, group: Group, rate: float) -> Outcome:
    outcome = venue.run(step(group, rate, quick=context.quick))
    context.tell(venue.server, f"{rate:.0f} msg/s", outcome, venue.cpu)
    return outcome
