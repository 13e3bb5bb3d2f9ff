"""Who may connect: pages of this server by its names, pages of allowed origins, and programs."""

from collections.abc import Mapping

import pytest

from tests.support.steps import Counter, Text
from web.channels.origins import OriginRules
from web.settings import read_settings

LAN = {"host": ["192.168.1.5:8000"]}


def admits(headers: Mapping[str, list[str]], *, allowed: str = "", public: str = "", is_local: bool = False) -> bool:
    settings = read_settings({"allowed_origins": allowed, "public_hosts": public}, {})
    return OriginRules(settings.allowed_origins, settings.public_hosts, is_local=is_local).admits(headers)


def page(origin: str, host: str | None = None, forwarded_proto: str | None = None) -> dict[str, list[str]]:
    """The headers of a page's request."""
    named = {"origin": origin, "host": host, "x-forwarded-proto": forwarded_proto}
    return {name: [value] for name, value in named.items() if value is not None}


# ---------------------------------------------------------------- no public hosts


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:8000", "localhost:8000"),
        ("http://LocalHost:8000", "localhost:8000"),
        ("http://localhost.:8000", "localhost:8000"),
        ("http://chat.localhost:8000", "chat.localhost:8000"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://127.1.2.3:8000", "127.1.2.3:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("http://[0:0::1]:8000", "[::1]:8000"),
        ("http://localhost", "localhost"),
        ("http://localhost", "localhost:80"),
        ("https://localhost", "localhost:443"),
    ],
)
def test_the_machine_itself_is_always_known(origin: str, host: str) -> None:
    assert admits(page(origin, host), is_local=True)
    assert admits(page(origin, host), is_local=False)
    assert admits(page(origin, host), public="chat.example.org")


@pytest.mark.parametrize(
    "name", ["evil.example", "localhost.evil.example", "192.168.1.5", "127.0.0.1.evil.example", "0"]
)
def test_a_server_for_its_own_machine_takes_no_other_name(name: str) -> None:
    assert not admits(page(f"http://{name}:8000", f"{name}:8000"), is_local=True)
    assert admits(page(f"http://{name}:8000", f"{name}:8000"), is_local=False)


@pytest.mark.parametrize(
    "origin",
    [
        *("null", "", "://", "http://", "http://evil.example:8000", "http://192.168.1.5", "https://192.168.1.5:8000"),
        *("http://192.168.1.5:8001", "ftp://192.168.1.5:8000", "file://", "http://192.168.1.5:8000/"),
        *("http://a@192.168.1.5:8000", "http://192.168.1.5:8000 ", "192.168.1.5:8000", "http://192.168.1.5:8000:8000"),
        *("http://192.168.1.5:99999", "http://192.168.1.5:8000, http://evil.example"),
    ],
)
def test_any_other_origin_is_foreign(origin: str) -> None:
    assert admits(page("http://192.168.1.5:8000", "192.168.1.5:8000"))
    for host in ("192.168.1.5:8000", None, "", "evil example"):
        assert not admits(page(origin, host))


@pytest.mark.parametrize("origin", ["null", "", "://"])
@pytest.mark.parametrize("host", ["", "null", "://", "http://evil.example"])
def test_an_origin_that_is_none_matches_no_host_that_is_none(origin: str, host: str) -> None:
    assert not admits(page(origin, host))


def test_several_lines_are_no_origin_and_no_host() -> None:
    own = "http://192.168.1.5:8000"
    assert not admits({"origin": [own, own], **LAN})
    assert not admits({"origin": [own], "host": [*LAN["host"], *LAN["host"]]})


@pytest.mark.parametrize(
    ("origin", "host", "forwarded_proto", "expected"),
    [
        ("https://chat.example.org", "chat.example.org", None, True),  # a proxy that does not say how it was asked
        ("http://chat.example.org", "chat.example.org", None, True),
        ("https://chat.example.org", "chat.example.org", "https", True),
        ("http://chat.example.org", "chat.example.org", "https", False),
        ("https://chat.example.org", "chat.example.org", "http", False),
        ("https://chat.example.org:8443", "chat.example.org:8443", "https", True),
        ("https://chat.example.org:8443", "chat.example.org:8443", "http, https", True),  # the nearest proxy counts
        ("https://chat.example.org:8443", "chat.example.org:8443", None, False),
        ("https://chat.example.org:8443", "chat.example.org", "https", False),
        ("http://chat.example.org", "chat.example.org", "gopher", True),
    ],
)
def test_a_scheme_counts(origin: str, host: str, forwarded_proto: str | None, expected: bool) -> None:
    assert admits(page(origin, host, forwarded_proto)) is expected


# ---------------------------------------------------------------- public hosts

PUBLIC = "chat.example.org Chat.Example.org:8443 https://secure.example.org http://[2001:DB8::1]:81"


@pytest.mark.parametrize("host", [None, "127.0.0.1:8000", "chat.example.org", "evil.example"])
@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://chat.example.org", True),
        ("http://chat.example.org", True),
        ("http://chat.example.org:80", True),
        ("https://chat.example.org:8443", True),
        ("https://chat.example.org:9443", False),
        ("https://secure.example.org", True),
        ("http://secure.example.org", False),
        ("https://secure.example.org:8443", False),
        ("http://[2001:db8:0::1]:81", True),
        ("http://evil.example", False),
        ("http://evil.chat.example.org", False),
        ("null", False),
    ],
)
def test_pages_of_public_hosts_connect_whatever_host_the_proxy_names(
    origin: str, expected: bool, host: str | None
) -> None:
    for is_local in (True, False):
        assert admits(page(origin, host), public=PUBLIC, is_local=is_local) is expected


def test_a_public_host_without_a_scheme_has_that_of_the_proxy_and_one_with_a_scheme_has_its_own() -> None:
    assert not admits(page("http://chat.example.org", forwarded_proto="https"), public=PUBLIC)
    assert admits(page("https://chat.example.org", forwarded_proto="https"), public=PUBLIC)
    assert admits(page("https://secure.example.org", forwarded_proto="http"), public=PUBLIC)


def test_where_public_hosts_are_named_any_other_host_is_foreign() -> None:
    assert not admits(page("http://192.168.1.5:8000", "192.168.1.5:8000"), public=PUBLIC)


# ---------------------------------------------------------------- allowed origins, and none


@pytest.mark.parametrize("origin", ["https://ok.example", "HTTPS://OK.example:443", "capacitor://localhost"])
def test_allowed_origins_connect_from_anywhere(origin: str) -> None:
    assert admits(page(origin, "127.0.0.1:8000"), allowed="https://ok.example capacitor://localhost", is_local=True)
    assert not admits(page("null"), allowed="https://ok.example")
    assert admits(page("null"), allowed="*")


def test_programs_are_admitted_whatever_host_they_name() -> None:
    for host in ("127.0.0.1:8000", "chat.example.org", "evil.example", "", None):
        headers: dict[str, list[str]] = {} if host is None else {"host": [host]}
        assert admits(headers, is_local=True)
        assert admits(headers, public=PUBLIC)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost:8000", True),
        ("[::1]:8000", True),
        ("chat.example.org", True),
        ("OK.example.:8443", True),
        ("evil.example", False),
        ("", False),
        ("a" * 2_000, False),
    ],
)
def test_a_server_that_can_know_its_names_knows_no_other(host: str, expected: bool) -> None:
    settings = read_settings({"allowed_origins": "https://ok.example", "public_hosts": PUBLIC}, {})
    for is_local in (True, False):
        rules = OriginRules(settings.allowed_origins, settings.public_hosts, is_local=is_local)
        assert rules.knows_host({"host": [host]}) is expected
    assert not rules.knows_host({})
    assert OriginRules(frozenset(), frozenset(), is_local=False).knows_host({"host": [host]})
    assert OriginRules(frozenset("*"), settings.public_hosts, is_local=True).knows_host({"host": [host]})


@pytest.mark.parametrize(("site", "expected"), [("cross-site", False), ("same-site", False), ("none", True)])
def test_a_request_for_a_foreign_page_that_tells_no_origin_is_refused(site: str, expected: bool) -> None:
    assert admits({"sec-fetch-site": [site], **LAN}) is expected
    assert admits({"sec-fetch-site": [site], **LAN}, allowed="*")


@pytest.mark.parametrize("piece", ["a", "http://", ":", ".", "[", "a.", "1:", " ", "://a", ","])
def test_64_kilobytes_of_any_origin_and_host_are_read_in_as_many_steps(piece: str) -> None:
    text = Text(piece * (65_536 // len(piece)))
    rules = OriginRules(frozenset(), frozenset({"chat.example.org"}), is_local=False)
    headers = {"origin": [text], "host": [text], "x-forwarded-proto": [text]}
    assert Counter.of(lambda: rules.admits(headers)) < 10 * 3 * len(text)


# ---------------------------------------------------------------- the one origin of the page


@pytest.mark.parametrize(
    ("host", "forwarded", "origin"),
    [
        ("localhost:8000", None, "http://localhost:8000"),
        ("127.0.0.1", None, "http://127.0.0.1"),
        ("[::1]:8000", None, "http://[::1]:8000"),
        ("localhost", "https", "https://localhost"),
        ("chat.example.org", None, "https://chat.example.org"),
        ("Chat.Example.org:443", None, "https://chat.example.org"),
        ("chat.example.org", "http", "http://chat.example.org"),
        ("chat.example.org:80", "http", "http://chat.example.org"),
        ("fixed.example.org:8443", "http", "https://fixed.example.org:8443"),
        ("chat.example.org:8443", None, None),
        ("evil.example", "https", None),
        ("192.168.1.5:8000", None, None),
        ("https://chat.example.org", None, None),
        ("x" * 2_000, None, None),
        ("", None, None),
    ],
)
def test_the_origin_of_the_page_is_one_that_no_client_can_name(
    host: str, forwarded: str | None, origin: str | None
) -> None:
    rules = OriginRules(frozenset(), frozenset({"chat.example.org", "https://fixed.example.org:8443"}), is_local=False)
    found = rules.page_origin({"host": [host], "x-forwarded-proto": [forwarded] if forwarded else []})
    assert (None if found is None else str(found)) == origin


def test_without_public_hosts_no_name_is_known_but_loopback() -> None:
    rules = OriginRules(frozenset(), frozenset(), is_local=False)
    assert rules.page_origin({"host": ["chat.example.org"], "x-forwarded-proto": ["https"]}) is None
    assert rules.page_origin({}) is None


def test_the_public_url_is_a_public_host_and_the_only_origin_of_the_page() -> None:
    rules = OriginRules(frozenset(), frozenset({"other.example.org"}), "https://chat.example.org:8443", is_local=False)
    assert rules.admits(page("https://chat.example.org:8443", "chat.example.org:8443"))
    assert str(rules.page_origin({"host": ["chat.example.org:8443"]})) == "https://chat.example.org:8443"
    for host in ("other.example.org", "chat.example.org", "localhost:8000"):
        assert rules.page_origin({"host": [host]}) is None
