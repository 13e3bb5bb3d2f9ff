"""Rate limits: token buckets for each kind of request of a client, and for what an address does.

A request takes a token from its bucket. An empty bucket refuses, and says when it has a token again. Knows no socket,
and no clock but the one it is given.
"""

import ipaddress
import time
from collections.abc import Callable, Mapping

from web.limits import Rate

MonotonicClock = Callable[[], float]

MAX_ADDRESS_LENGTH = 64
"""Characters kept of what a proxy calls an address."""

_NEVER = -float("inf")


class TokenBucket:
    """The tokens for one kind of request.

    It is refilled only when it is empty, so a request that is granted costs a comparison and a subtraction, 0.03 µs,
    less than reading the clock. In return a client that was quiet may use the burst twice in a row.
    """

    __slots__ = ("_clock", "_consecutive_ignored", "_pause_ends", "_refilled_at", "_tokens", "_wait", "rate")

    def __init__(self, rate: Rate, clock: MonotonicClock = time.monotonic) -> None:
        self.rate = rate
        self._clock = clock
        self._tokens = float(rate.burst)
        self._refilled_at = clock()
        self._pause_ends = _NEVER  # if the client heeds the latest refusal
        self._wait = 0.0  # what the first refusal of the current run asked for
        self._consecutive_ignored = 0

    def take(self) -> float:
        """Takes a token and returns 0.0; returns the seconds until there is one where the bucket is empty."""
        if self._tokens < 1.0 and not self._refill():
            return self._refuse((1.0 - self._tokens) / self.rate.per_second)
        self._tokens -= 1.0
        return 0.0

    @property
    def consecutive_ignored(self) -> int:
        """How many refusals in a row were followed by another one without the pause that they asked for."""
        return self._consecutive_ignored

    def is_full(self) -> bool:
        """Returns whether a new bucket would hold the same."""
        return self._tokens + (self._clock() - self._refilled_at) * self.rate.per_second >= self.rate.burst

    def _refill(self) -> bool:
        now = self._clock()
        earned = (now - self._refilled_at) * self.rate.per_second
        self._tokens = min(self._tokens + earned, float(self.rate.burst))
        self._refilled_at = now
        return self._tokens >= 1.0

    def _refuse(self, wait: float) -> float:
        now = self._clock()
        if now >= self._pause_ends:
            self._consecutive_ignored = 0
            self._wait = wait
        else:
            self._consecutive_ignored += 1
        self._pause_ends = now + self._wait
        return wait


class ClientLimiter:
    """The buckets of one client. A bucket is made when it is needed first: most never are."""

    __slots__ = ("_buckets", "_rates", "consecutive_ignored")

    def __init__(self, rates: Mapping[str, tuple[str, Rate]]) -> None:
        """`rates` gives for each event the name of its bucket and the bucket's rate."""
        self._rates = rates
        self._buckets: list[tuple[str, TokenBucket]] | None = None  # one or two: smaller than a dict
        self.consecutive_ignored = 0  # the bucket's, as of the latest refusal

    def take(self, event: object) -> float:
        """Takes a token for `event`, as `TokenBucket.take`. An event without a rate is not limited."""
        if not self._rates or not isinstance(event, str) or event not in self._rates:
            return 0.0
        bucket = self._bucket(*self._rates[event])
        wait = bucket.take()
        if wait:
            self.consecutive_ignored = bucket.consecutive_ignored
        return wait

    def _bucket(self, name: str, rate: Rate) -> TokenBucket:
        if self._buckets is None:
            self._buckets = []
        for known, bucket in self._buckets:
            if known == name:
                return bucket
        self._buckets.append((name, TokenBucket(rate)))
        return self._buckets[-1][1]


class AccountLimiter(ClientLimiter):
    """The buckets that all clients of one account share. It lasts as long as one of them holds it."""

    __slots__ = ("__weakref__",)


class JointLimiter:
    """The limiter of one client, and that of its account.

    Only the client's own refusals count as ignored: the shared tokens may have been taken by another connection.
    """

    __slots__ = ("_own", "_shared")

    def __init__(self, own: ClientLimiter, shared: AccountLimiter) -> None:
        self._own = own
        self._shared = shared

    @property
    def consecutive_ignored(self) -> int:
        """As `TokenBucket.consecutive_ignored`, of the client alone."""
        return self._own.consecutive_ignored

    def take(self, event: object) -> float:
        """Takes a token of each, as `TokenBucket.take`."""
        return self._own.take(event) or self._shared.take(event)


def network_of(address: str) -> str:
    """Returns what counts as one client: an IPv4 address or the /64 of an IPv6 address, all of which one may have."""
    if ":" not in address:
        return address[:MAX_ADDRESS_LENGTH]
    try:
        ip = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address[:MAX_ADDRESS_LENGTH]
    return str(ip.ipv4_mapped or f"{ipaddress.IPv6Address(int(ip) >> 64 << 64)}/64")


class AddressLimiter:
    """A bucket for each address. Drops those that have had time to fill up again."""

    SWEPT_AT = 1_024
    """Addresses before the first sweep. Each later sweep comes at twice the number that the one before has left."""

    def __init__(self, rate: Rate, clock: MonotonicClock = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: dict[str, TokenBucket] = {}
        self._sweep_at = self.SWEPT_AT

    def take(self, address: str) -> float:
        """Takes a token for `address`, as `TokenBucket.take`."""
        bucket = self._buckets.get(address)
        if bucket is None:
            if len(self._buckets) >= self._sweep_at:
                self._sweep()
            bucket = self._buckets[address] = TokenBucket(self._rate, self._clock)
        return bucket.take()

    def __len__(self) -> int:
        return len(self._buckets)

    def _sweep(self) -> None:
        self._buckets = {address: bucket for address, bucket in self._buckets.items() if not bucket.is_full()}
        self._sweep_at = max(self.SWEPT_AT, 2 * len(self._buckets))
