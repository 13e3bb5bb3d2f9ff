"""Origins: decides from which pages a browser may connect. Programs send no `Origin`, and are admitted.

A browser tells the origin of a page, and cannot be made to tell another. Its own origin is what this server lets in:
scheme, name and port, compared with the names that it is known by (`--public-hosts`), else with the `Host` of the
request. `Host` alone proves nothing, since anybody can have a name of their own point here (DNS rebinding). So a server
that listens only for its own machine takes only the names of that.
"""

import functools
import re
from collections.abc import Iterable
from ipaddress import IPv6Address
from typing import NamedTuple

from web.channels.addresses import Headers, parse_address

_SITE = re.compile(r"(?:(https?)://)?([a-z0-9._-]++|\[[0-9a-f:.]++\])(?::([0-9]{1,5}))?")

LONGEST = 1_000
"""Characters of an origin, a host and what proxies say of the scheme. A host has at most 253."""

DEFAULT_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Where a page comes from."""

    scheme: str
    name: str
    port: int

    def __str__(self) -> str:
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.name}{port}"


class Site(NamedTuple):
    """A host as `Host` or a setting writes it: None is what it does not say."""

    scheme: str | None
    name: str
    port: int | None

    def origins(self, schemes: Iterable[str]) -> set[Origin]:
        """Returns the origins of its pages, in its own scheme, else in each of `schemes`."""
        return {
            Origin(scheme, self.name, self.port or DEFAULT_PORTS[scheme])
            for scheme in ([self.scheme] if self.scheme else schemes)
        }


class OriginRules:
    """Knows who may connect."""

    def __init__(
        self, allowed: frozenset[str], public_hosts: frozenset[str], public_url: str = "", *, is_local: bool
    ) -> None:
        """`is_local` says that the server listens for its own machine alone. `public_url` is a public host too."""
        self._public_url = _normal(public_url) if public_url else None
        public_hosts |= {public_url} - {""}
        self._admits_all = "*" in allowed
        self._allowed = {_normal(origin) for origin in allowed}
        self._public = [site for site in map(_site, public_hosts) if site is not None]
        self._is_local = is_local
        named = [*self._public, *filter(None, map(_site, allowed))]
        self._names = frozenset(site.name for site in named)
        self._judge = functools.lru_cache(maxsize=256)(self._admits_origin)  # takes 0.1 µs, not 9

    def admits(self, headers: Headers) -> bool:
        """Returns whether the page that sends a request with these headers, if it is one, may connect."""
        if self._admits_all:
            return True
        if "origin" not in headers:  # a program, unless a browser says of an image or so that it is for a foreign page
            return not {"cross-site", "same-site"} & set(headers.get("sec-fetch-site", ()))
        return self._knows_origin(headers)

    def vouches(self, headers: Headers, *, reads: bool) -> bool:
        """Returns whether a cookie counts: only what pages of this origin, or of a listed one, ask for.

        `*` lists none. A browser sends no origin where a page reads from its own: `reads` says that nothing is changed.
        """
        sites = set(headers.get("sec-fetch-site", ()))
        if "origin" not in headers:
            return sites <= {"same-origin", "none"} if reads else sites == {"same-origin"}
        return self._knows_origin(headers)

    def is_plain(self, headers: Headers) -> bool:
        """Returns whether a request has come over plain http within the machine itself."""
        hosts, schemes = headers.get("host", ()), ",".join(headers.get("x-forwarded-proto", ()))
        host = _site(hosts[0]) if len(hosts) == 1 and len(hosts[0]) <= LONGEST else None
        return host is not None and is_loopback(host.name) and _forwarded_scheme(schemes) != "https"

    def knows_host(self, headers: Headers) -> bool:
        """Returns whether a request names a host of this server.

        A page of a name that somebody points here names its own, and no origin where it only reads.
        """
        if self._admits_all or not (self._public or self._is_local):
            return True
        hosts = headers.get("host", ())
        host = _site(hosts[0]) if len(hosts) == 1 and len(hosts[0]) <= LONGEST else None
        return host is not None and (is_loopback(host.name) or host.name in self._names)

    def page_origin(self, headers: Headers) -> Origin | None:
        """Returns the one origin of the page that a request is sent to; None where it may be of anybody's naming.

        What is bound to an origin for good, as passkeys are, must not depend on what a client says of it.
        """
        hosts, schemes = headers.get("host", ()), ",".join(headers.get("x-forwarded-proto", ()))
        host = _site(hosts[0]) if len(hosts) == 1 and len(hosts[0]) <= LONGEST else None
        if host is None or host.scheme is not None:
            return None
        scheme = _forwarded_scheme(schemes)
        likely = scheme or ("http" if is_loopback(host.name) else "https")
        origins = (site.origins([likely]) for site in [*self._public, *([host] if is_loopback(host.name) else [])])
        known = [origin for (origin,) in origins if _is_at(origin, host)]
        if self._public_url is not None:
            known = [origin for origin in known if origin == self._public_url]
        return known[0] if known else None

    def _knows_origin(self, headers: Headers) -> bool:
        origins, hosts = headers.get("origin", ()), headers.get("host", ())
        schemes, host = ",".join(headers.get("x-forwarded-proto", ())), hosts[0] if len(hosts) == 1 else ""
        if len(origins) != 1 or len(origins[0]) + len(host) + len(schemes) > LONGEST:
            return False
        return self._judge(origins[0], host, schemes)

    def _admits_origin(self, origin_text: str, host: str, schemes: str) -> bool:
        origin = _normal(origin_text)
        return origin in self._allowed or origin in self._own(_site(host), _forwarded_scheme(schemes))

    def _own(self, host: Site | None, scheme: str | None) -> set[Origin]:
        known = [scheme] if scheme else DEFAULT_PORTS
        public = {origin for site in self._public for origin in site.origins(known)}
        if host is None or host.scheme or ((self._public or self._is_local) and not is_loopback(host.name)):
            return public
        return public | host.origins([scheme] if scheme else _likely_schemes(host.port))


def is_loopback(name: str) -> bool:
    """Returns whether a host name or an address always means the machine itself."""
    address = parse_address(name)
    return address.is_loopback if address is not None else name == "localhost" or name.endswith(".localhost")


def _is_at(origin: Origin, host: Site) -> bool:
    return (origin.name, origin.port) == (host.name, host.port or DEFAULT_PORTS[origin.scheme])


def _likely_schemes(port: int | None) -> list[str]:
    """Without a port the proxy that speaks TLS may have left it out; Chatter itself speaks none."""
    if port is None:
        return list(DEFAULT_PORTS)
    return ["https"] if port == DEFAULT_PORTS["https"] else ["http"]


def _forwarded_scheme(schemes: str) -> str | None:
    """What the nearest proxy says. No page can send this header, and for programs it decides nothing."""
    said = schemes.rpartition(",")[2].strip().lower()
    return said if said in DEFAULT_PORTS else None


def _normal(origin: str) -> "Origin | str":
    """Returns an origin in one spelling. Those of apps have schemes of their own, and stay text; so does `null`."""
    site = _site(origin)
    if site is None or site.scheme is None:
        return origin.lower()
    (normal,) = site.origins(())
    return normal


def _site(text: str) -> Site | None:
    match = _SITE.fullmatch(text.lower())
    if match is None:
        return None
    scheme, name, port = match.groups()
    address = parse_address(name)
    if address is not None:
        name = f"[{address}]" if isinstance(address, IPv6Address) else str(address)
    return Site(scheme, name.removesuffix("."), int(port) if port else None)
