"""The addresses of the endpoints of accounts."""

from typing import Any

from web.channels.endpoint import Endpoint
from web.http.accounts.handler import AccountsHandler, Limiters, Ways
from web.http.accounts.invites import InviteHandler, InvitesHandler
from web.http.accounts.links import LinkHandler, LinksHandler, LinkUseHandler
from web.http.accounts.me import ExportHandler, MeHandler
from web.http.accounts.openid import CallbackHandler, ProvidersHandler, StartHandler
from web.http.accounts.passkeys import PasskeyHandler, PasskeyOptionsHandler, PasskeySessionHandler, PasskeysHandler
from web.http.accounts.proof import ProofHandler
from web.http.accounts.providers import LinkedProviderHandler, LinkedProvidersHandler
from web.http.accounts.sessions import EndedSessionHandler, SessionHandler, SessionsHandler
from web.http.accounts.sign_up import SignUpHandler
from web.http.accounts.tokens import TokenHandler, TokensHandler

_ID = "([1-9][0-9]{0,17})"
_PROVIDER = "([a-z0-9-]{1,32})"
_LINK = "([0-9a-f]{32})"

ROUTES: list[tuple[str, type[AccountsHandler]]] = [
    (r"/api/me", MeHandler),
    (r"/api/me/export", ExportHandler),
    (r"/api/me/proof", ProofHandler),
    (r"/api/me/providers", LinkedProvidersHandler),
    (rf"/api/me/providers/{_LINK}", LinkedProviderHandler),
    (r"/api/accounts", SignUpHandler),
    (r"/api/sessions", SessionsHandler),
    (r"/api/sessions/ended", EndedSessionHandler),
    (rf"/api/sessions/(current|{_ID[1:-1]})", SessionHandler),
    (r"/api/tokens", TokensHandler),
    (rf"/api/tokens/{_ID}", TokenHandler),
    (r"/api/invites", InvitesHandler),
    (rf"/api/invites/{_ID}", InviteHandler),
    (r"/api/links", LinksHandler),
    (r"/api/links/look", LinkHandler),
    (r"/api/links/use", LinkUseHandler),
    (r"/api/oidc", ProvidersHandler),
    (rf"/api/oidc/{_PROVIDER}/start", StartHandler),
    (rf"/api/oidc/{_PROVIDER}/callback", CallbackHandler),
    (r"/api/passkeys", PasskeysHandler),
    (r"/api/passkeys/options", PasskeyOptionsHandler),
    (rf"/api/passkeys/{_ID}", PasskeyHandler),
    (r"/api/sessions/passkey", PasskeySessionHandler),
]


def account_routes(
    endpoint: Endpoint, limiters: Limiters, ways: Ways
) -> list[tuple[str, type[AccountsHandler], dict[str, Any]]]:
    """Returns the handlers of these addresses, for the Tornado application."""
    shared = {"endpoint": endpoint, "limiters": limiters, "ways": ways}
    return [(path, handler, shared) for path, handler in ROUTES]
