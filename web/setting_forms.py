"""The forms of settings: each function reads one text, or raises `ValueError` with what was expected."""

import ipaddress
import re
from collections.abc import Callable
from typing import TypeAlias

from web.oidc_clients import parse_clients

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


def whole(least: int, most: int) -> Callable[[str], int]:
    """Makes a form for whole numbers from `least` to `most`."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"-?\d{1,18}", text) or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return parse


def seconds(text: str) -> float:
    """Reads a time above 0, in seconds."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number <= 1e6:
        raise ValueError("a number of seconds above 0")
    return number


def seconds_or_none(text: str) -> float:
    """Reads a time in seconds; 0 is none."""
    return 0.0 if text in ("0", "0.0") else seconds(text)


def amount(unit: str) -> Callable[[str], float]:
    """Makes a form for an amount from 0 of some unit, whose name is in the error."""

    def parse(text: str) -> float:
        if not re.fullmatch(r"\d{1,5}(\.\d{1,3})?", text):
            raise ValueError(f"a number of {unit} from 0")
        return float(text)

    return parse


days = amount("days")


def some_days(text: str) -> float:
    """Reads a number of days above 0."""
    number = days(text)
    if not number:
        raise ValueError("a number of days above 0")
    return number


def minutes(text: str) -> float:
    """Reads a number of minutes, of up to a day."""
    number = 0.0 if not re.fullmatch(r"\d{1,5}(\.\d{1,3})?", text) else float(text)
    if not 1 <= number <= 1_440:
        raise ValueError("a number of minutes from 1 to 1,440")
    return number


def servers(text: str) -> str:
    """Reads addresses of NATS servers, or none."""
    for server in text.split(",") if text else ():
        if not re.fullmatch(r"(nats|tls)://([^\s/@,]+@)?([a-zA-Z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?", server):
            raise ValueError("addresses like nats://user:password@host:4222 separated by commas")
    return text


def monitors(text: str) -> str:
    """Reads addresses where NATS servers tell of themselves, or none."""
    for address in text.split(",") if text else ():
        if not re.fullmatch(r"https?://([a-zA-Z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?/?", address):
            raise ValueError("addresses like http://host:8222 separated by commas")
    return text


def node(text: str) -> str:
    """Reads the name of a node, which is a part of subjects, or none."""
    if text and not re.fullmatch("[a-z0-9][a-z0-9_-]{0,63}", text):
        raise ValueError("1 to 64 of a-z, 0-9, - and _")
    return text


def words(text: str) -> str:
    """Reads a text that is not blank."""
    if not text.strip():
        raise ValueError("some text")
    return text


def one_of(*words: str) -> Callable[[str], str]:
    """Makes a form for one of these words."""

    def parse(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return text.lower()

    return parse


def origins(text: str) -> frozenset[str]:
    """Reads the origins of pages."""
    found = frozenset(text.split())
    for origin in found - {"*"}:
        if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/\s]+", origin):
            raise ValueError("origins like https://example.org separated by blanks, or *")
    return found


def hosts(text: str) -> frozenset[str]:
    """Reads hosts, each with its scheme or without."""
    found = frozenset(text.lower().split())
    for host in found:
        if not re.fullmatch(r"(https?://)?([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", host):
            raise ValueError("hosts like chat.example.org or https://chat.example.org:8443 separated by blanks")
    return found


def public_url(text: str) -> str:
    """Reads the address of the page, or none."""
    text = text.lower().removesuffix("/")
    loopback = r"http://(localhost|127\.0\.0\.1)"
    if text and not re.fullmatch(rf"(https://[a-z0-9._-]+|{loopback})(:[0-9]{{1,5}})?", text):
        raise ValueError("an address like https://chat.example.org, without a path")
    return text


def oidc(text: str) -> str:
    """Reads OpenID providers as they are written."""
    parse_clients(text)
    return text


def networks(text: str) -> frozenset[Network]:
    """Reads networks and single addresses."""
    try:
        return frozenset(_network(word) for word in text.split())
    except ValueError as error:
        raise ValueError("IP addresses or networks like 10.0.0.0/8 separated by blanks") from error


def _network(text: str) -> Network:
    network = ipaddress.ip_network(text)
    mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    if mapped is None or network.prefixlen < 96:
        return network
    return ipaddress.ip_network(f"{mapped}/{network.prefixlen - 96}")


def hook(text: str) -> str:
    """Reads the name of a function, or none."""
    if text and not re.fullmatch(r"[\w.]+:\w+", text):
        raise ValueError("package.module:function")
    return text


def shared_keys(text: str) -> frozenset[str]:
    """Reads one secret key or two, or none."""
    keys = frozenset(text.split())
    if any(word.startswith(("-----BEGIN", "ssh-", "ecdsa-")) or '"kty"' in word for word in keys):
        raise ValueError("a secret that only the app and this server know, not a public key; for those is --jwt-jwks")
    if text and (not 1 <= len(keys) <= 2 or any(len(key.encode()) < 32 for key in keys)):
        raise ValueError("one key or two separated by a blank, of at least 32 bytes each")
    return keys


def keys_url(text: str) -> str:
    """Reads the address of public keys, or none."""
    loopback = r"http://(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])"
    anywhere = r"https://([a-zA-Z0-9._-]+|\[[0-9a-f:.]+\])"
    if text and not re.fullmatch(rf"({anywhere}|{loopback})(:\d{{1,5}})?(/[!$-\[\]-~]*)?", text):
        raise ValueError("an address like https://app.example.org/jwks.json; http only for 127.0.0.1 and localhost")
    return text


def line(text: str) -> str:
    """Reads one line of text, or none."""
    if text and (text != text.strip() or not text.isprintable()):
        raise ValueError("one line of text without blanks around it")
    return text
