"""Password checks: whether a password is right, where each attempt is counted before it is checked."""

from chatter.accounts.attempts import Attempts
from chatter.accounts.passwords import Passwords
from chatter.accounts.values import AccountRefused, Device
from schema import AccountRow


class PasswordChecks:
    """Lives on the loop; hashes are made in threads."""

    def __init__(self, passwords: Passwords, attempts: Attempts) -> None:
        self._passwords = passwords
        self._attempts = attempts

    def check_network(self, network: str) -> None:
        """Raises `wrong` where so many passwords were tried from there that none is checked now.

        While one network tries 100 a second, the p99 of messages is 9 ms, as without it, in place of 33 (scenario (m)).
        """
        _refuse_for(self._attempts.wait_of(network))

    async def check_of_device(
        self, row: AccountRow | None, handle: str, password: str, device: Device, *, is_known: bool
    ) -> AccountRow:
        """Returns the account of somebody who signs in on a device; `wrong`, also where there is no such account."""
        # A device that is known has a budget of its own, which nobody else of its network can use up.
        attempt, wait = self._attempts.begin(f"device {device.known}" if is_known else device.network, handle)
        _refuse_for(wait)
        try:
            if not is_known:
                _refuse_for(self._attempts.count_for_account(attempt, handle))
            is_right = await self._passwords.verify(row and row.password, password)
        except AccountRefused:
            attempt.give_back()  # nothing was found out
            raise
        if row is None or not is_right:
            raise wrong()
        attempt.give_back()
        return row

    async def check_of_session(self, row: AccountRow, password: str | None, session: int | None) -> None:
        """Raises `wrong`. Whoever has got hold of a session cannot try more passwords than others."""
        if row.password is None:
            return
        attempt, wait = self._attempts.begin(f"session {session}", row.handle)
        _refuse_for(wait)
        try:
            is_right = await self._passwords.verify(row.password, password or "")
        except AccountRefused:
            attempt.give_back()
            raise
        if not is_right:
            raise wrong()
        attempt.give_back()


def wrong() -> AccountRefused:
    """Makes the one answer for everything that is wrong with a handle and a password."""
    return AccountRefused("wrong", message="the handle or the password is wrong")


def _refuse_for(wait: float) -> None:
    if wait:
        message = "the handle or the password is wrong"
        raise AccountRefused("wrong", retry_after_ms=max(1, round(1_000 * wait)), message=message)
