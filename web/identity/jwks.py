"""The JWKS: public keys that an embedding app publishes at a URL, fetched anew while they are in use.

Keys have an absolute life: use does not extend it, so a key that is withdrawn is refused within `LIFE`, also where the
URL does not answer any more. Fetches run one at a time in a thread; tokens of known keys never wait for one.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence

from web.identity.claims import TokenRefused
from web.identity.download import DownloadFailed, download
from web.identity.signing_keys import Key, KeysUnusable, public_keys

logger = logging.getLogger(__name__)

REFRESH = 600.0
"""Seconds after which the next token has the keys fetched anew."""
LIFE = 3_600.0
"""Seconds for which keys count, from when they were asked for."""
PAUSE = 60.0
"""Least seconds between two fetches, whatever tokens name: unknown kids cost the app nothing."""
TIMEOUT = 5.0
MAX_BYTES = 65_536
MAX_WAITING = 1_000
"""Most tokens that wait for a fetch. They are of people who connect; the others are refused and come back."""


class Jwks:
    """Owns the keys of one URL. Used on the loop."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` returns seconds that only grow."""
        self._url = url
        self._clock = clock
        self._keys: dict[str | None, Key] = {}
        self._asked_at: float | None = None  # when the keys that are held were asked for
        self._tried_at: float | None = None  # when the last fetch began
        self._fetch: asyncio.Future[None] | None = None
        self._waiting = 0

    async def of(self, kid: str | None) -> Sequence[Key]:
        """Returns the key of a `kid`; without one, the only key there is. Raises `TokenRefused`."""
        self._expire()
        key = self._known(kid)
        if self._age() >= REFRESH or key is None:
            self._begin_fetch()
        if key is None and self._fetch is not None:
            await self._wait(self._fetch)
            key = self._known(kid)
        if key is None:
            raise self._refusal()
        return (key,)

    def _expire(self) -> None:
        if self._keys and self._age() >= LIFE:
            logger.error("JWKS: the keys are %g s old and no longer count", LIFE)
            self._keys, self._asked_at = {}, None

    def _known(self, kid: str | None) -> Key | None:
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid) if kid is not None else None

    def _age(self) -> float:
        return float("inf") if self._asked_at is None else self._clock() - self._asked_at

    def _refusal(self) -> TokenRefused:
        if self._asked_at is None or self._fetch is not None:
            return TokenRefused("the keys of tokens could not be fetched", is_temporary=True)
        return TokenRefused("its kid is none of a key in the JWKS")

    def _begin_fetch(self) -> None:
        now = self._clock()
        if self._fetch is not None or (self._tried_at is not None and now - self._tried_at < PAUSE):
            return
        self._tried_at = now
        loop = asyncio.get_running_loop()
        # A daemon, since the look-up of a name cannot be cancelled and must not hold up the end of the process.
        threading.Thread(target=self._run_fetch, args=(loop, now), name="jwks", daemon=True).start()
        self._fetch = loop.create_future()

    def _run_fetch(self, loop: asyncio.AbstractEventLoop, asked_at: float) -> None:
        outcome: dict[str | None, Key] | Exception
        try:
            outcome = public_keys(download(self._url, TIMEOUT, MAX_BYTES))
        except Exception as error:  # whatever it is, those who wait are told
            outcome = error
        with contextlib.suppress(RuntimeError):  # the server has stopped meanwhile
            loop.call_soon_threadsafe(self._on_fetched, outcome, asked_at)

    def _on_fetched(self, outcome: dict[str | None, Key] | Exception, asked_at: float) -> None:
        fetch, self._fetch = self._fetch, None
        if not isinstance(outcome, Exception):
            self._keys, self._asked_at = outcome, asked_at
        elif isinstance(outcome, (DownloadFailed, KeysUnusable)):
            logger.warning("JWKS: %s cannot be used: %s", self._url, outcome)
        else:
            logger.error("JWKS: %s cannot be used", self._url, exc_info=outcome)
        if fetch is not None:
            fetch.set_result(None)

    async def _wait(self, fetch: "asyncio.Future[None]") -> None:
        if self._waiting >= MAX_WAITING:
            raise TokenRefused("too many tokens wait for their keys", is_temporary=True)
        self._waiting += 1
        try:
            await asyncio.wait([fetch], timeout=TIMEOUT)
        finally:
            self._waiting -= 1
