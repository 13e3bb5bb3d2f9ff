"""Identity: finds out who a connection or a request is. One for all doors: websocket, long poll and HTTP."""

import logging
from collections.abc import Callable
from typing import Protocol

from chatter.accounts.accounts import Accounts
from chatter.accounts.principal import GUEST, NOBODY, Principal
from chatter.accounts.values import AccountRefused, Change
from chatter.charter import Author
from schema.purge import DELETED_ACCOUNT
from web.identity.claims import Claims, TokenRefused
from web.identity.credentials import Credentials
from web.identity.live import Live

logger = logging.getLogger(__name__)

_TEMPORARY = frozenset({"busy", "unavailable"})
"""Reasons that say nothing about a secret: it may be asked about again."""


class Verifier(Protocol):
    """Verifies the tokens of an embedding app."""

    def recognises(self, text: str) -> bool:
        """Returns whether a secret looks like such a token."""

    async def verify(self, text: str) -> Claims:
        """Returns what a token claims. Raises `TokenRefused`."""


class Identity:
    """Owns who is here. One for a server that has accounts."""

    def __init__(self, accounts: Accounts, verifier: Verifier | None = None) -> None:
        """`verifier` is None where no app embeds this server."""
        self.accounts = accounts
        self.live = Live()
        self.on_names_changed: Callable[[Author, str], None] = lambda _account, _name: None
        """Called for an account that is new or has another name, or none any more."""
        self._verifier = verifier
        accounts.on_change = self._on_change

    def known(self, credentials: Credentials | None) -> Principal | None:
        """Returns who shows these, as far as that is known at once. None says nothing about them."""
        if credentials is None:
            return GUEST
        return None if self._is_outside(credentials.text) else self.accounts.identities.known(credentials.text)

    async def identify(self, credentials: Credentials | None) -> Principal:
        """Returns who shows these; `NOBODY` for a secret that proves nothing.

        What it returns is true when it returns: no change of the account is missed meanwhile. Raises `AccountRefused`
        where that cannot be found out now.
        """
        if credentials is None:
            return GUEST
        while True:
            with self.live.watch() as changed:
                principal = await self._principal_of(credentials.text)
            if principal.author is None or principal.author.id not in changed:
                return principal

    async def _principal_of(self, text: str) -> Principal:
        try:
            if self._is_outside(text):
                return await self._principal_outside(text)
            return await self.accounts.identities.identify(text) or NOBODY
        except TokenRefused as refused:
            if refused.is_temporary:
                raise AccountRefused("unavailable") from refused
            return NOBODY
        except AccountRefused as error:
            if error.reason in _TEMPORARY:
                raise
            return NOBODY
        except Exception as error:
            logger.exception("somebody could not be identified")
            raise AccountRefused("unavailable") from error

    async def _principal_outside(self, text: str) -> Principal:
        assert self._verifier is not None
        claims = await self._verifier.verify(text)
        return await self.accounts.identities.principal_of_outside(
            claims.issuer,
            claims.subject,
            name=claims.name,
            made_at=claims.made_at,
            role=claims.role,
            expires_at=claims.expires_at,
            rooms=claims.rooms,
        )

    def _is_outside(self, text: str) -> bool:
        return self._verifier is not None and self._verifier.recognises(text)

    def _on_change(self, change: Change) -> None:
        self.live.on_change(change)
        if change.what in ("created", "renamed"):
            self.on_names_changed(change.author, change.name)
        elif change.what == "erased":
            self.on_names_changed(Author(change.account, ""), DELETED_ACCOUNT)
