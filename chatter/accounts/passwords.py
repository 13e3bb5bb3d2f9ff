"""Passwords: which may be chosen, and their hashes, which threads compute beside the loop.

argon2 takes 35 ms of a core and lets go of the interpreter meanwhile.
"""

import asyncio
import base64
import contextlib
import os
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TypeVar

import argon2

from chatter.accounts.names import bare
from chatter.accounts.values import AccountRefused

T = TypeVar("T")

THREADS = 2
MOST_WAITING = 50
"""Passwords that wait for a thread, about one second; beyond that they are refused as `busy`."""

LONGEST = 256
"""Characters of a password."""

MEMORY, TIME, LANES, SALT, TAG = 19_456, 2, 1, 16, 32
"""The cost: KiB, passes and lanes, as OWASP recommends; bytes of the salt and of the result."""

_COMMON = Path(__file__).parent / "common_passwords.txt"


class Passwords:
    """Hashes and verifies passwords. Lives on the loop; owns the threads."""

    def __init__(self, least: int, *, memory: int = MEMORY) -> None:
        """A password has at least `least` characters. `memory` is the cost in KiB."""
        self._least = least
        self._hasher = argon2.PasswordHasher(TIME, memory, LANES, TAG, SALT)
        self._threads = ThreadPoolExecutor(THREADS, "passwords", _let_the_loop_go_first)
        self._waiting = 0
        encoded = [base64.b64encode(os.urandom(size)).decode().rstrip("=") for size in (SALT, TAG)]
        self._nobodys = f"$argon2id$v=19$m={memory},t={TIME},p={LANES}${'$'.join(encoded)}"

    def check_choice(self, password: str, *names: str) -> None:
        """Raises `invalid` where a password may not be chosen by somebody with these names."""
        if not self._least <= len(password) <= LONGEST:
            raise _invalid(f"a password has {self._least} to {LONGEST} characters")
        plain = password.casefold()
        if f"\n{plain}\n" in _common_passwords():
            raise _invalid("this is one of the passwords that many people have")
        if bare(password) in {bare(name) for name in names}:
            raise _invalid("a password must not be the name")

    async def hash(self, password: str) -> str:
        """Returns the hash to store; `busy`."""
        return await self._run(lambda: self._hasher.hash(_normal(password)))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Returns whether a password is the one whose hash is stored. Without one as much is computed; `busy`."""
        if len(password) > LONGEST:
            password = ""
        is_right = await self._run(lambda: self._verify(stored or self._nobodys, _normal(password)))
        return is_right and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Returns whether a password should be hashed again, since the cost was changed."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        """Ends the threads once each has done what it is at; what waits is cancelled."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= MOST_WAITING + THREADS:
            raise AccountRefused("busy", retry_after_ms=1_000)
        self._waiting += 1
        try:
            return await asyncio.wrap_future(self._threads.submit(work))
        finally:
            self._waiting -= 1

    def _verify(self, stored: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHash):
            return False


def _let_the_loop_go_first() -> None:
    """Has this thread get what the loop leaves of the cores.

    While 250 networks guess, the p99 of messages was 18 ms on two cores, in place of 50 (`make bench`, scenario (m)).
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


def _invalid(message: str) -> AccountRefused:
    return AccountRefused("invalid", field="password", message=message)


def _normal(password: str) -> bytes:
    """Returns the same bytes whatever keyboard a password is typed on."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@cache
def _common_passwords() -> str:
    """Returns the 10,000 passwords of 8 characters or more that leaks have most often: 94 kB, searched in 20 µs."""
    return "\n" + _COMMON.read_text()
