"""What is remembered of accounts, so that the database is not asked again, until a change names them."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """Values by keys, each of an account; of the least used are forgotten first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Hashable, tuple[int, T]] = OrderedDict()
        self._keys: dict[int, set[Hashable]] = {}  # by account

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable) -> T | None:
        """Returns what was put under a key."""
        found = self._values.get(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        return found[1]

    def put(self, key: Hashable, account: int, value: T) -> None:
        """Remembers a value of an account."""
        self.forget(key)
        if len(self._values) >= self._most:
            self.forget(next(iter(self._values)))
        self._values[key] = account, value
        self._keys.setdefault(account, set()).add(key)

    def forget(self, key: Hashable) -> None:
        """Forgets what was put under a key."""
        found = self._values.pop(key, None)
        if found is not None:
            keys = self._keys[found[0]]
            keys.discard(key)
            if not keys:
                del self._keys[found[0]]

    def forget_account(self, account: int) -> None:
        """Forgets all of an account."""
        for key in self._keys.pop(account, set()):
            del self._values[key]
