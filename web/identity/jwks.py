"""The JWKS: public keys that an embedding app or a provider publishes at a URL."""

import time
from collections.abc import Callable, Mapping, Sequence

from web.identity.claims import TokenRefused
from web.identity.document import Document
from web.identity.outgoing import Fetch, FetchFailed
from web.identity.signing_keys import Key, public_keys

PAUSE = 60.0
"""Least seconds between two requests, whatever tokens name: unknown kids cost the app nothing."""


class Jwks:
    """Finds the keys of one URL. Tokens of known keys never wait for a request."""

    def __init__(self, url: str, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` returns seconds that only grow."""
        self._document = Document(url, fetch, public_keys, pause=PAUSE, clock=clock)

    async def of(self, kid: str | None) -> Sequence[Key]:
        """Returns the key of a `kid`; without one, the only key there is. Raises `TokenRefused`."""
        try:
            key = _named(kid, await self._document.get()) or _named(kid, await self._document.get_anew())
        except FetchFailed as fault:
            raise TokenRefused("the keys of tokens could not be fetched", is_temporary=True) from fault
        if key is None:
            raise TokenRefused("its kid is none of a key in the JWKS")
        return (key,)


def _named(kid: str | None, keys: Mapping[str | None, Key]) -> Key | None:
    if kid is None and len(keys) == 1:
        return next(iter(keys.values()))
    return keys.get(kid) if kid is not None else None
