"""The names that guests may not have, in memory: a look-up for each thing that a guest says."""

from collections import Counter
from collections.abc import Iterable

from chatter.accounts.names import AT_SIGNS, GUEST_SUFFIX, skeleton


class ReservedNames:
    """The skeletons of all accounts."""

    def __init__(self, rows: Iterable[tuple[int, str]]) -> None:
        """`rows` are accounts with one skeleton each."""
        self._counts: Counter[str] = Counter()
        self._of_account: dict[int, tuple[str, ...]] = {}
        for account, reserved in rows:
            self._counts[reserved] += 1
            self._of_account[account] = (*self._of_account.get(account, ()), reserved)

    def __bool__(self) -> bool:
        return bool(self._counts)

    def __contains__(self, name: str) -> bool:
        """Returns whether a guest may not have this name. All that begin with @ are written like accounts."""
        if name.startswith(AT_SIGNS):
            return True
        return bool(self._counts) and not name.endswith(GUEST_SUFFIX) and skeleton(name) in self._counts

    def update(self, account: int, skeletons: Iterable[str]) -> None:
        """Replaces the skeletons of an account."""
        for old in self._of_account.pop(account, ()):
            self._counts[old] -= 1
            if not self._counts[old]:
                del self._counts[old]
        if new := tuple(skeletons):
            self._of_account[account] = new
            self._counts.update(new)
