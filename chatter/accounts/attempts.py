"""Attempts: how many wrong passwords may be tried, by whom. Nobody is ever locked out by what others try elsewhere.

Each attempt is counted before the password is checked, and given back where it was right; so attempts at the same time
are counted too. Handles that nobody has are counted like others.
"""

import time
from collections.abc import Callable
from typing import NamedTuple


class Allowance(NamedTuple):
    """`burst` at once, then one each `pause` seconds."""

    burst: int
    pause: float


OF_NETWORK = Allowance(30, 20.0)
"""Wrong passwords from one network, for whatever account: 30 in ten minutes."""

OF_ACCOUNT_AND_NETWORK = Allowance(5, 60.0)

OF_ACCOUNT = Allowance(20, 180.0)
"""Wrong passwords for one account from devices that were never signed in there: 20 an hour, from all networks."""


OF_CODES = Allowance(20, 30.0)
"""Wrong codes of invites from one network: 20 in ten minutes."""


class Budget:
    """The attempts that are left, by a key."""

    SWEPT_AT = 1_024
    """Keys before the first sweep. Each later sweep comes at twice the number that the one before has left."""

    def __init__(self, allowance: Allowance, clock: Callable[[], float] = time.monotonic) -> None:
        self._allowance = allowance
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}  # attempts, and when that was
        self._sweep_at = self.SWEPT_AT

    def take(self, key: str) -> float:
        """Takes an attempt and returns 0.0, or the seconds until there is one."""
        if wait := self.wait(key):
            return wait
        if len(self._left) >= self._sweep_at:
            self._sweep()
        self._left[key] = self._left_now(key) - 1.0, self._clock()
        return 0.0

    def wait(self, key: str) -> float:
        """Returns the seconds until there is an attempt, and takes none."""
        left = self._left_now(key)
        return 0.0 if left >= 1.0 else (1.0 - left) * self._allowance.pause

    def give_back(self, key: str) -> None:
        """Gives an attempt back."""
        self._left[key] = min(self._left_now(key) + 1.0, float(self._allowance.burst)), self._clock()

    def __len__(self) -> int:
        return len(self._left)

    def _left_now(self, key: str) -> float:
        left, since = self._left.get(key, (float(self._allowance.burst), 0.0))
        return min(left + (self._clock() - since) / self._allowance.pause, float(self._allowance.burst))

    def _sweep(self) -> None:
        full = float(self._allowance.burst)
        self._left = {key: left for key, left in self._left.items() if self._left_now(key) < full}
        self._sweep_at = max(self.SWEPT_AT, 2 * len(self._left))


class Attempt:
    """What one attempt has taken."""

    def __init__(self) -> None:
        self._taken: list[tuple[Budget, str]] = []

    def take(self, budget: Budget, key: str) -> float:
        """Takes from a budget; where it is empty, gives back all that was taken and returns the seconds to wait."""
        wait = budget.take(key)
        if wait:
            self.give_back()
        else:
            self._taken.append((budget, key))
        return wait

    def give_back(self) -> None:
        """Gives back all that was taken: it was right, or nothing was checked."""
        for budget, key in self._taken:
            budget.give_back(key)
        self._taken.clear()


class Attempts:
    """The budgets of a server. They are in memory: a restart forgets them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._networks = Budget(OF_NETWORK, clock)
        self._pairs = Budget(OF_ACCOUNT_AND_NETWORK, clock)
        self._accounts = Budget(OF_ACCOUNT, clock)
        self._codes = Budget(OF_CODES, clock)

    def wait_of(self, network: str) -> float:
        """Returns the seconds until something may be tried from a network."""
        return self._networks.wait(network)

    def begin(self, network: str, account: str) -> tuple[Attempt, float]:
        """Counts an attempt from a network for an account. Returns the seconds to wait too."""
        attempt = Attempt()
        wait = attempt.take(self._networks, network) or attempt.take(self._pairs, f"{account} {network}")
        return attempt, wait

    def begin_code(self, network: str) -> tuple[Attempt, float]:
        """Counts an attempt from a network to show the code of an invite. Returns the seconds to wait too."""
        attempt = Attempt()
        return attempt, attempt.take(self._codes, network)

    def count_for_account(self, attempt: Attempt, account: str) -> float:
        """Counts an attempt from a device that the account does not know, and returns the seconds to wait."""
        return attempt.take(self._accounts, account)
