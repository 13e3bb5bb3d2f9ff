"""Addresses: makes one address of a peer and what its proxies say, for every kind of connection alike.

The same client has one spelling, whichever way it comes: a dual-stack listener sees IPv4 as `::ffff:192.0.2.1`, proxies
add ports and brackets, and IPv6 can be written in many ways.
"""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from web.setting_forms import Network

Headers = Mapping[str, Sequence[str]]
"""The headers of a request: all values, by names in small letters."""

LONGEST = 64
"""Characters of an address with its zone, brackets and port. Anything longer is none."""


class ClientAddresses:
    """Knows which proxies are believed."""

    def __init__(self, trusted: frozenset[Network]) -> None:
        self._trusted = trusted

    def address_of(self, peer: str, headers: Headers) -> str:
        """Returns the address of the client behind `peer`.

        Each proxy adds the address of its own peer to the right of X-Forwarded-For, as a line or in the last line. So
        it is read from the right, and the first address that is no trusted proxy's is the client's: what stands to the
        left of that may be the client's own invention.
        """
        if not self._trusted and ":" not in peer:
            return peer  # as the kernel writes it, which is the usual case
        address = parse_address(peer)
        if address is None:
            return peer
        for hop in reversed(",".join(headers.get("x-forwarded-for", ())).split(",")):
            if not self._trusts(address):
                break
            if not hop.strip():
                continue
            nearer = parse_address(hop)
            if nearer is None:
                break  # a proxy that does not know: it stands for the client itself
            address = nearer
        return str(address)

    def is_proxy(self, peer: str) -> bool:
        """Returns whether `peer` is a proxy that is believed, as who connects to a Unix socket is."""
        address = parse_address(peer)
        return address is not None and (address.is_unspecified or self._trusts(address))

    def _trusts(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._trusted)


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Reads an address with or without a port, a zone or brackets. IPv4 within IPv6 is IPv4; None for anything else."""
    text = text.strip()[: LONGEST + 1]
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
