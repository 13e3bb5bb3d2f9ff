"""Requests that this server makes: what they may go to, and what they are bounded by. Who makes them is elsewhere."""

import ipaddress
import re
from collections.abc import Mapping
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

TIMEOUT = 5.0
"""Seconds for a whole request, with looking up the name."""

MAX_BYTES = 65_536
"""Largest answer."""


class FetchFailed(Exception):
    """There is no answer that can be used. The message has no secrets in it."""


class Answer(NamedTuple):
    """What a server answered, whatever the status."""

    status: int
    body: bytes


class Fetch(Protocol):
    """Makes one request and follows no redirect: it posts `form` where there is one, and gets otherwise."""

    async def __call__(
        self, url: str, *, form: Mapping[str, str] | None = None, authorization: str | None = None
    ) -> Answer:
        """Returns the answer. Raises `FetchFailed`, also for a URL that `fault_of` has something against."""
        ...


def fault_of(url: str) -> str | None:
    """Returns what a URL lacks to be asked for: https, or http on this machine, and nothing hidden in it."""
    if not re.fullmatch(r"[!-\[\]-~]{1,2000}", url):
        return "it has characters that no address has, or is too long"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "it is no address"
    if not host or parts.username is not None or parts.password is not None or parts.fragment:
        return "it has no host, or more than an address has"
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_this_machine(host)):
        return "it is not https"
    return None


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
