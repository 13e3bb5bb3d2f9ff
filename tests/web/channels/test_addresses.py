"""The address of a client: of the peer and of what trusted proxies say, in one spelling."""

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.steps import Counter, Text
from web.channels.addresses import ClientAddresses, parse_address
from web.settings import read_settings


def address(peer: str, *lines: str, trusted: str = "127.0.0.1 ::1 10.0.0.0/8 2001:db8:aaaa::/48") -> str:
    """The address of a client behind `peer`, whose request has these lines of X-Forwarded-For."""
    networks = read_settings({"trusted_proxies": trusted}, {}).trusted_proxies
    return ClientAddresses(networks).address_of(peer, {"x-forwarded-for": lines} if lines else {})


@pytest.mark.parametrize(
    ("peer", "lines", "expected"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["203.0.113.1"], "192.0.2.1"),  # not a proxy that is trusted
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.1"], "203.0.113.1"),
        ("127.0.0.1", ["6.6.6.6, 203.0.113.1"], "203.0.113.1"),
        ("127.0.0.1", ["6.6.6.6", "203.0.113.1"], "203.0.113.1"),  # a line of the client's own, and the proxy's
        ("127.0.0.1", ["6.6.6.6, 7.7.7.7", "203.0.113.1, 10.1.2.3"], "203.0.113.1"),
        ("127.0.0.1", ["203.0.113.1", "10.1.2.3", "10.1.2.4"], "203.0.113.1"),
        ("127.0.0.1", ["10.1.2.3"], "10.1.2.3"),  # a client among the proxies
        ("127.0.0.1", ["127.0.0.1", "127.0.0.1"], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.1,", ", ,"], "203.0.113.1"),
        ("127.0.0.1", ["203.0.113.1, unknown"], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.1, _hidden, 10.1.2.3"], "10.1.2.3"),
        ("127.0.0.1", ["", " "], "127.0.0.1"),
        ("::ffff:127.0.0.1", ["203.0.113.1"], "203.0.113.1"),
        ("::ffff:192.0.2.1", ["203.0.113.1"], "192.0.2.1"),
        ("::1", ["203.0.113.1:5000"], "203.0.113.1"),
        ("::1", ["[2001:db8::1]:5000"], "2001:db8::1"),
        ("::1", ["[2001:db8::1]"], "2001:db8::1"),
        ("::1", ["2001:0DB8:0:0::0001"], "2001:db8::1"),
        ("::1", ["::ffff:203.0.113.1"], "203.0.113.1"),
        ("::1", ["203.0.113.1, 2001:db8:aaaa::7"], "203.0.113.1"),
        ("fe80::1%eth0", ["203.0.113.1"], "fe80::1"),
        ("0.0.0.0", ["203.0.113.1"], "0.0.0.0"),  # the peer of a Unix socket
    ],
)
def test_the_nearest_that_is_no_trusted_proxy_counts(peer: str, lines: list[str], expected: str) -> None:
    assert address(peer, *lines) == expected


def test_without_proxies_the_peer_counts_and_a_dual_stack_socket_makes_no_difference() -> None:
    assert address("192.0.2.1", "203.0.113.1", trusted="") == "192.0.2.1"
    assert address("::ffff:192.0.2.1", "203.0.113.1", trusted="") == "192.0.2.1"


@pytest.mark.parametrize("trusted", ["127.0.0.0/8", "::ffff:127.0.0.1", "::ffff:127.0.0.0/104", "0.0.0.0/0"])
def test_networks_are_trusted_however_they_are_written(trusted: str) -> None:
    assert address("::ffff:127.0.0.1", "203.0.113.1", trusted=trusted) == "203.0.113.1"


@given(st.ip_addresses(), st.integers(0, 65_535))
def test_every_spelling_of_an_address_is_that_address(known: Any, port: int) -> None:
    expected = getattr(known, "ipv4_mapped", None) or known
    if isinstance(known, ipaddress.IPv6Address):
        spellings = [
            str(known),
            known.exploded,
            known.exploded.upper(),
            f"[{known}]",
            f"[{known}]:{port}",
            f"{known}%a",
        ]
    else:
        spellings = [str(known), f"{known}:{port}", f"::ffff:{known}", f"[::ffff:{known}]:{port}"]
    assert {parse_address(f" {spelling}\t") for spelling in spellings} == {expected}


@given(st.text())
def test_any_text_is_an_address_or_none(text: str) -> None:
    parse_address(text)


@pytest.mark.parametrize("piece", ["127.0.0.1,", ",", " ", "1", ":", "[", "]", "%", "::1,", "::ffff:10.0.0.1,", "x,"])
def test_64_kilobytes_of_any_list_are_read_in_as_many_steps(piece: str) -> None:
    line = Text(piece * (65_536 // len(piece)))
    addresses = ClientAddresses(read_settings({"trusted_proxies": "127.0.0.1 ::1 10.0.0.0/8"}, {}).trusted_proxies)
    steps = Counter.of(lambda: addresses.address_of("127.0.0.1", {"x-forwarded-for": [line, line]}))
    assert steps < 10 * 2 * len(line)
