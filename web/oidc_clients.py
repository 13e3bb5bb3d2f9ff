"""OpenID clients as values: what this server is to each provider, and how the setting `oidc` writes it."""

import dataclasses
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

MAX_CLIENTS = 5

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")

FORM = "at most 5 providers as id,issuer,client id,label separated by ; with https issuers"


@dataclasses.dataclass(frozen=True, slots=True)
class OidcClient:
    """A provider, and what this server is to it."""

    id: str  # the provider's, in our addresses
    issuer: str
    client_id: str
    label: str  # of the button
    secret: str = dataclasses.field(default="", repr=False)  # "" for a public client


def parse_clients(text: str) -> list[OidcClient]:
    """Reads the setting. Raises `ValueError`."""
    clients = [_client(entry) for entry in text.split(";") if entry.strip()]
    if len(clients) > MAX_CLIENTS or len({client.id for client in clients}) < len(clients):
        raise ValueError(FORM)
    return clients


def secret_variable(id: str) -> str:
    """Returns the name of the environment variable with a client's secret. It is no option: others see those."""
    return f"CHATTER_OIDC_SECRET_{id.upper().replace('-', '_')}"


def with_secrets(clients: list[OidcClient], environment: Mapping[str, str]) -> list[OidcClient]:
    """Gives each client its secret, if it has one."""
    return [dataclasses.replace(each, secret=environment.get(secret_variable(each.id), "")) for each in clients]


def _client(entry: str) -> OidcClient:
    parts = [part.strip() for part in entry.split(",")]
    if len(parts) != 4 or not all(part and part.isprintable() and len(part) <= 500 for part in parts):
        raise ValueError(FORM)
    client = OidcClient(*parts)
    if not _ID.fullmatch(client.id) or len(client.label) > 40 or not _is_issuer(client.issuer):
        raise ValueError(FORM)
    return client


def _is_issuer(url: str) -> bool:
    """On this machine http is enough, as for the page."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_plain = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    return bool((parts.scheme == "https" or is_plain) and parts.hostname) and not (
        parts.query or parts.fragment or parts.username
    )
