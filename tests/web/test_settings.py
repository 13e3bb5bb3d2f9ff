"""Settings come from the command line, else the environment, else the default. Each error is one line."""

import argparse
import dataclasses
import operator
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import ROOT
from web.authorize import load_authorize, takes_principal
from web.oidc_clients import OidcClient, parse_clients, with_secrets
from web.settings import (
    BadSetting,
    Settings,
    add_options,
    read_settings,
    variable,
)

FIELDS = dataclasses.fields(Settings)
each_field = pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)

NUMBERS = {
    "port": (0, 65_535),
    "jwt_leeway": (0, 600),
    "password_min": (8, 64),
    "max_tokens": (0, 1_000),
    "display_name_changes": (0, 1_000),
    "max_name_length": (1, 1_000),
    "max_message_length": (1, 1_000_000),
    "max_id_length": (1, 1_000),
    "max_reason_length": (1, 1_000_000),
    "max_history_page": (1, 10_000),
    "max_page_bytes": (1_024, 1_000_000_000),
    "max_edits": (1, 1_000_000),
    "max_reactions": (1, 1_000),
    "max_listed_reactors": (1, 1_000),
    "max_pins": (1, 1_000),
    "max_room_members": (1, 100_000),
    "max_group_members": (2, 1_000),
    "max_replies": (1, 1_000_000),
    "max_channels": (1, 1_000_000),
    "max_join_bytes": (64, 100_000_000),
    "max_frame_bytes": (1_024, 100_000_000),
    "max_unsent_bytes": (1_024, 1_000_000_000),
    "send_buffer_bytes": (4_096, 1_000_000_000),
    "max_poll_body_bytes": (1_024, 1_000_000_000),
    "max_poll_bodies_bytes": (1_024, 100_000_000_000),
    "max_poll_messages": (1, 10_000),
    "max_connections_per_address": (1, 10_000_000),
    "max_ignored_refusals": (1, 1_000_000),
    "close_batch_size": (1, 1_000_000),
    "max_lag_bytes": (1_048_576, 100_000_000_000),
    "max_listed_connections": (1, 1_000_000),
    "ring_size": (1, 100_000),
    "greeting_size": (0, 1_000),
}
SECONDS = [
    "reaction_interval",
    "idle_timeout",
    "handshake_timeout",
    "body_timeout",
    "poll_window",
    "room_idle_timeout",
    "stop_timeout",
]
WIDE_LIMITS = {"ring_size": "100000", "greeting_size": "0"}  # keeps the two from limiting each other


def error_of(options: dict[str, str | None], environment: dict[str, str] | None = None) -> str:
    """Reads settings that are bad, and returns the text of the error."""
    with pytest.raises(BadSetting) as refused:
        read_settings(options, environment or {})
    assert "\n" not in str(refused.value)
    return str(refused.value)


def option(name: str) -> str:
    return "--" + name.replace("_", "-")


# ---------------------------------------------------------------- where a value comes from


def test_without_options_and_variables_the_defaults_apply() -> None:
    settings = read_settings({}, {})
    assert settings == Settings()
    assert (settings.host, settings.port, settings.database) == ("127.0.0.1", 8000, "sqlite:///var/chatter.db")
    assert settings.allowed_origins == frozenset()
    assert (settings.max_name_length, settings.max_message_length, settings.max_id_length) == (64, 4_000, 64)
    assert (settings.idle_timeout, settings.max_unsent_bytes, settings.greeting_size) == (60, 1_048_576, 10)


def test_an_option_overrides_the_environment() -> None:
    environment = {"CHATTER_PORT": "9000", "CHATTER_HOST": "::1"}
    assert read_settings({"port": None}, environment) == Settings(port=9000, host="::1")
    assert read_settings({"port": "9001"}, environment) == Settings(port=9001, host="::1")


def test_an_option_overrides_a_bad_value_in_the_environment() -> None:
    assert read_settings({"port": "9001"}, {"CHATTER_PORT": "nine"}).port == 9001


def test_variables_without_the_prefix_are_ignored() -> None:
    assert (
        read_settings({}, {"PORT": "1", "MY_CHATTER_PORT": "1", "CHATTERPORT": "1", "chatter_port": "1"}) == Settings()
    )


@pytest.mark.parametrize("name", ["CHATTER_PROT", "CHATTER_", "CHATTER_port"])
def test_an_unknown_variable_with_the_prefix_is_an_error(name: str) -> None:
    assert error_of({}, {name: "1"}).startswith(f"{name}: ")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc]


# ---------------------------------------------------------------- every setting


@each_field
def test_every_setting_has_a_description_and_a_parser(field: "dataclasses.Field[Any]") -> None:
    assert len(field.metadata["what"]) > 10
    assert callable(field.metadata["parse"])


@each_field
def test_every_default_can_be_given_as_text(field: "dataclasses.Field[Any]") -> None:
    words = " ".join(field.default) if isinstance(field.default, frozenset) else str(field.default)
    assert read_settings({field.name: words}, {}) == read_settings({}, {variable(field): words}) == Settings()


@each_field
def test_every_setting_is_an_option_whose_help_names_its_variable(field: "dataclasses.Field[Any]") -> None:
    parser = argparse.ArgumentParser()
    add_options(parser)
    assert vars(parser.parse_args([f"{option(field.name)}=x"]))[field.name] == "x"
    text = " ".join(parser.format_help().split())
    assert variable(field) in text
    assert field.metadata["what"].replace("%", "") in text.replace("%", "")


def test_only_the_options_that_are_named_are_added() -> None:
    parser = argparse.ArgumentParser()
    add_options(parser, "database")
    assert vars(parser.parse_args([])) == {"database": None}


@each_field
def test_every_setting_is_in_the_table_of_the_documentation(field: "dataclasses.Field[Any]") -> None:
    table = (ROOT / "docs" / "configuration.md").read_text()
    assert f"| `{option(field.name)}` | `{variable(field)}` |" in table


# ---------------------------------------------------------------- values


@pytest.mark.parametrize(("name", "least", "most"), [(name, *bounds) for name, bounds in NUMBERS.items()])
def test_a_number_beyond_its_bounds_is_an_error(name: str, least: int, most: int) -> None:
    for value in (least, most):
        assert getattr(read_settings({**WIDE_LIMITS, name: str(value)}, {}), name) == value
    for value in (least - 1, most + 1, 10**30):
        expected = f"{option(name)}: expected a whole number from {least} to {most}, got '{value}'"
        assert error_of({**WIDE_LIMITS, name: str(value)}) == expected


@pytest.mark.parametrize("text", ["", " ", "nine", "1.5", "1e3", "0x10", "+5", "1_000", " 5", "5 ", "5\n", "--5"])
def test_text_that_is_not_a_whole_number_is_an_error_that_names_the_setting(text: str) -> None:
    assert error_of({"port": text}).startswith("--port: expected a whole number from 0 to 65535, got ")
    assert error_of({}, {"CHATTER_PORT": text}).startswith(
        "CHATTER_PORT: expected a whole number from 0 to 65535, got "
    )


@pytest.mark.parametrize("name", SECONDS)
def test_seconds_are_above_zero_and_need_not_be_whole(name: str) -> None:
    assert getattr(read_settings({name: "0.25"}, {}), name) == 0.25
    for text in ("0", "-1", "nan", "inf", "1e400", "soon", ""):
        assert error_of({name: text}) == f"{option(name)}: expected a number of seconds above 0, got {text!r}"


@pytest.mark.parametrize("name", ["drain_notice", "close_spread", "edit_window", "delete_window"])
def test_some_times_may_be_zero(name: str) -> None:
    assert getattr(read_settings({name: "0"}, {}), name) == 0
    assert getattr(read_settings({name: "0.25"}, {}), name) == 0.25
    assert error_of({name: "-1"}) == f"{option(name)}: expected a number of seconds above 0, got '-1'"


def test_days_may_be_zero_and_need_not_be_whole() -> None:
    for text in ("0", "0.5", "7", "99999.999"):
        assert read_settings({"removed_days": text}, {}).removed_days == float(text)
    for text in ("-1", "nan", "inf", "1e3", "100000", "7 days", ""):
        assert error_of({"removed_days": text}) == f"--removed-days: expected a number of days from 0, got {text!r}"


def test_a_proof_counts_for_a_minute_to_a_day() -> None:
    for text in ("1", "2.5", "1440"):
        assert read_settings({"proof_minutes": text}, {}).proof_minutes == float(text)
    for text in ("0", "0.5", "1441", "1e1", "-1", ""):
        expected = f"--proof-minutes: expected a number of minutes from 1 to 1,440, got {text!r}"
        assert error_of({"proof_minutes": text}) == expected


@pytest.mark.parametrize("name", ["host", "database"])
def test_host_and_database_are_not_blank(name: str) -> None:
    for text in ("", "  "):
        assert error_of({name: text}) == f"{option(name)}: expected some text, got {text!r}"


def test_log_levels_are_known_in_any_case() -> None:
    assert read_settings({"log_level": "DEBUG"}, {}).log_level == "debug"
    assert error_of({"log_level": "loud"}) == "--log-level: expected one of debug, info, warning, error, got 'loud'"


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("", set()),
        ("*", {"*"}),
        ("https://example.org", {"https://example.org"}),
        (" http://127.0.0.1:9000   https://a.example ", {"http://127.0.0.1:9000", "https://a.example"}),
        ("capacitor://localhost", {"capacitor://localhost"}),
    ],
)
def test_origins_are_separated_by_blanks(text: str, origins: set[str]) -> None:
    assert read_settings({"allowed_origins": text}, {}).allowed_origins == origins


@pytest.mark.parametrize(
    "text",
    [
        "example.org",
        "https://",
        "https://a.example/",
        "https://a.example/chat",
        "https://a.example,https://b.example",
        "**",
    ],
)
def test_text_that_is_not_an_origin_is_an_error(text: str) -> None:
    assert error_of({"allowed_origins": text}).startswith(
        "--allowed-origins: expected origins like https://example.org"
    )


def test_proxies_are_addresses_and_networks_separated_by_blanks() -> None:
    trusted = read_settings({"trusted_proxies": "127.0.0.1  ::1 10.0.0.0/8 ::ffff:192.0.2.1"}, {}).trusted_proxies
    assert {str(network) for network in trusted} == {"127.0.0.1/32", "::1/128", "10.0.0.0/8", "192.0.2.1/32"}
    expected = (
        "--trusted-proxies: expected IP addresses or networks like 10.0.0.0/8 separated by blanks, got 'localhost'"
    )
    assert error_of({"trusted_proxies": "localhost"}) == expected
    assert error_of({"trusted_proxies": "10.0.0.1/8"}).startswith("--trusted-proxies: expected")


def test_public_hosts_are_names_with_or_without_scheme_and_port() -> None:
    hosts = "chat.example.org https://Chat.example.org:8443 [::1]:81 192.0.2.1"
    expected = {"chat.example.org", "https://chat.example.org:8443", "[::1]:81", "192.0.2.1"}
    assert read_settings({"public_hosts": hosts}, {}).public_hosts == expected


@pytest.mark.parametrize("host", ["*", "ftp://a", "a/b", "https://a/", "a:b", "a:100000", "ü.example", "::1", "a@b"])
def test_what_is_no_public_host_is_a_error_of(host: str) -> None:
    assert error_of({"public_hosts": f"chat.example.org {host}"}).startswith("--public-hosts: expected hosts like ")


def test_a_rate_is_how_many_per_second_and_how_many_at_once() -> None:
    assert read_settings({"message_rate": "0.5/10"}, {}).message_rate == (0.5, 10)
    for text in ("", "20", "20/", "/100", "0/5", "5/0", "-1/5", "1/5/5", "many/5", "nan/5", "1/1.5"):
        expected = f"expected how many per second and how many at once, like 20/100, got {text!r}"
        assert error_of({"message_rate": text}) == f"--message-rate: {expected}"


def test_a_greeting_larger_than_the_ring_is_an_error() -> None:
    assert read_settings({"ring_size": "5", "greeting_size": "5"}, {}).greeting_size == 5
    assert error_of({"ring_size": "5"}) == "--greeting-size: expected at most --ring-size (5)"


def test_each_part_of_the_server_gets_its_own_slice() -> None:
    settings = Settings(max_name_length=3, max_history_page=7, ring_size=20, greeting_size=2)
    assert (settings.limits.max_name_length, settings.limits.max_history_page) == (3, 7)
    assert (settings.rooms.ring_size, settings.rooms.greeting_size) == (20, 2)


def test_a_page_is_at_most_half_of_what_waits_for_a_slow_reader() -> None:
    assert Settings().rooms.max_page_bytes == Settings().max_page_bytes
    assert Settings(max_unsent_bytes=10_000).rooms.max_page_bytes == 5_000


# ---------------------------------------------------------------- tokens of an embedding app

KEY, OLD_KEY = "new" * 11, "old" * 11


def test_an_app_shares_one_key_or_two_while_it_changes_them() -> None:
    assert read_settings({"jwt_key": KEY}, {}).jwt_key == {KEY}
    assert read_settings({"jwt_key": f" {KEY}  {OLD_KEY} "}, {}).jwt_key == {KEY, OLD_KEY}


@pytest.mark.parametrize("text", [" ", "x" * 31, f"{KEY} {'x' * 31}", f"{KEY} {OLD_KEY} {'x' * 32}", "ü" * 15])
def test_a_shared_key_is_long_and_there_are_at_most_two(text: str) -> None:
    expected = "--jwt-key: expected one key or two separated by a blank, of at least 32 bytes each, got another text"
    assert error_of({"jwt_key": text}) == expected


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA\n-----END PUBLIC KEY-----\n",
        "-----BEGIN CERTIFICATE-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA\n",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 ann@example.org",
        '{"kty":"RSA","e":"AQAB","n":"AAAAB3NzaC1yc2EAAAADAQABAAABAQC7"}',
        f'{KEY} {{"kty":"oct","k":"AAAAB3NzaC1yc2EAAAADAQABAAABAQC7"}}',
    ],
)
def test_a_public_key_is_no_shared_key(text: str) -> None:
    assert error_of({"jwt_key": text}).startswith("--jwt-key: expected a secret that only the app and this server know")


def test_a_shared_key_is_never_shown() -> None:
    assert KEY not in repr(read_settings({"jwt_key": KEY}, {}))
    assert "short" not in error_of({}, {"CHATTER_JWT_KEY": "short"})


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example.org",
        "https://app.example.org:8443/keys.json?version=2",
        "http://127.0.0.1:8080/keys",
        "http://localhost/keys",
        "http://[::1]:81/keys",
    ],
)
def test_public_keys_are_fetched_with_tls_or_from_this_machine(url: str) -> None:
    assert read_settings({"jwt_jwks": url}, {}).jwt_jwks == url


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example.org/keys",
        "http://127.0.0.1.example.org/keys",
        "http://localhost.example.org/keys",
        "http://localhost@example.org/keys",
        "https://ann:secret@app.example.org/keys",
        "ftp://app.example.org",
        "file:///etc/keys.json",
        "https:///keys",
        "https://app.example.org/ keys",
        "https://app.example.org/keys#now",
        "https://app.example.org/\\keys",
        "app.example.org",
    ],
)
def test_public_keys_come_from_nowhere_else(url: str) -> None:
    assert error_of({"jwt_jwks": url}).startswith("--jwt-jwks: expected an address like https://")


def test_tokens_have_one_kind_of_key() -> None:
    both: dict[str, str | None] = {"jwt_key": KEY, "jwt_jwks": "https://app.example.org"}
    assert error_of(both) == "--jwt-jwks: expected either this or --jwt-key, got both"


@pytest.mark.parametrize("name", ["jwt_audience", "jwt_issuer"])
def test_audience_and_issuer_are_a_line(name: str) -> None:
    assert getattr(read_settings({name: "https://chat.example.org"}, {}), name) == "https://chat.example.org"
    for text in (" ", "chat ", "a\nb"):
        assert (
            error_of({name: text})
            == f"{option(name)}: expected one line of text without blanks around it, got {text!r}"
        )


@pytest.mark.parametrize("package", ["jwt", "cryptography"])
@pytest.mark.parametrize("setting", ["jwt_key", "jwt_jwks"])
def test_tokens_need_a_package(monkeypatch: pytest.MonkeyPatch, package: str, setting: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    value = {"jwt_key": KEY, "jwt_jwks": "https://app.example.org"}[setting]
    expected = f"{option(setting)}: tokens need the package PyJWT: pip install 'chatter[jwt]'"
    assert error_of({setting: value}) == expected
    assert read_settings({"jwt_audience": "chat"}, {}).jwt_audience == "chat"


# ---------------------------------------------------------------- who may join


def test_without_a_hook_everybody_may_join() -> None:
    assert load_authorize("")("lobby", {}) is True


def test_a_hook_is_the_named_function() -> None:
    assert load_authorize("operator:contains") is operator.contains


@pytest.mark.parametrize("text", ["os", "os:", ":f", "os:path:join", "os.path.join", "os: getcwd", "os-path:x"])
def test_text_that_does_not_name_a_function_is_an_error(text: str) -> None:
    assert error_of({"authorize": text}) == f"--authorize: expected package.module:function, got {text!r}"


@pytest.mark.parametrize(
    "path", ["no_such_module:f", "os:no_such_function", "os:environ", ".:f", "..os:getcwd", "os..path:join"]
)
def test_a_hook_that_cannot_be_imported_is_an_error(path: str) -> None:
    with pytest.raises(BadSetting) as refused:
        load_authorize(path)
    assert str(refused.value).startswith("--authorize: expected a function")
    assert repr(path) in str(refused.value)


@pytest.mark.parametrize("source", ["def f(:", "raise RuntimeError('no key')", "import no_such_module"])
def test_a_hook_whose_module_raises_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    (tmp_path / "failing_hook.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BadSetting) as refused:
        load_authorize("failing_hook:f")
    assert str(refused.value).startswith("--authorize: expected a function")


HOOKS = """
import functools
def none(): ...
def one(room): ...
def four(room, params, principal, more): ...
def of_keyword(room, params, *, principal): ...
def three(room, params, more): ...
def named(*, room, params): ...
def generates(room, params): yield True
async def generates_async(room, params): yield True
class Checker:
    def __init__(self, room, params): ...
    def method(self, room, params): return True
word = "no function"
def plain(room, params): return True
async def waits(room, params): return True
def optional(room, params, more=None): return True
def any_number(*args): return True
def who(room, params, principal=None): return True
bound = Checker("", {}).method
partial = functools.partial(three, more=1)
"""


@pytest.fixture
def hooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of hooks."""
    (tmp_path / "some_hooks.py").write_text(HOOKS)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("hooks")
@pytest.mark.parametrize(
    "name", ["none", "one", "four", "of_keyword", "named", "generates", "generates_async", "Checker", "word"]
)
def test_a_hook_that_can_never_answer_is_a_mistake(name: str) -> None:
    with pytest.raises(BadSetting) as refused:
        load_authorize(f"some_hooks:{name}")
    assert str(refused.value).startswith("--authorize: expected a function")
    assert "\n" not in str(refused.value)


@pytest.mark.usefixtures("hooks")
@pytest.mark.parametrize("name", ["plain", "waits", "three", "optional", "any_number", "bound", "partial"])
def test_a_hook_may_be_anything_that_takes_a_room_and_parameters(name: str) -> None:
    assert callable(load_authorize(f"some_hooks:{name}"))


@pytest.mark.usefixtures("hooks")
@pytest.mark.parametrize(
    ("name", "wants"), [("plain", False), ("optional", False), ("any_number", False), ("three", True), ("who", True)]
)
def test_a_hook_is_told_who_joins_where_it_asks_for_that(name: str, wants: bool) -> None:
    assert takes_principal(load_authorize(f"some_hooks:{name}")) is wants


def test_a_hook_whose_parameters_cannot_be_inspected_is_taken_as_it_is() -> None:
    hook: object = load_authorize("builtins:getattr")
    assert hook is getattr


# ---------------------------------------------------------------- signing in elsewhere

GOOGLE = "google,https://accounts.google.com,1234.apps.example,Google"
LOCAL = "local-id,http://127.0.0.1:9000/realm,chat,Our own"


def test_a_provider_has_an_id_an_issuer_a_client_and_a_label() -> None:
    text = read_settings({"oidc": f"{GOOGLE}; {LOCAL};"}, {}).oidc
    assert parse_clients(text) == [
        OidcClient("google", "https://accounts.google.com", "1234.apps.example", "Google"),
        OidcClient("local-id", "http://127.0.0.1:9000/realm", "chat", "Our own"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "https://accounts.google.com",
        "google,https://accounts.google.com,1234",
        f"{GOOGLE},secret",
        "google,http://accounts.google.com,1234,Google",
        "google,https://,1234,Google",
        "google,https://me@accounts.google.com,1234,Google",
        "google,https://accounts.google.com?a=b,1234,Google",
        "google,https://[,1234,Google",
        "google,https://accounts.google.com,,Google",
        "Google,https://accounts.google.com,1234,Google",
        "../x,https://accounts.google.com,1234,Google",
        f"google,https://accounts.google.com,1234,{'x' * 41}",
        f"{GOOGLE};{GOOGLE}",
        ";".join(GOOGLE.replace("google", f"id{number}", 1) for number in range(6)),
    ],
)
def test_what_is_no_provider_is_an_error(text: str) -> None:
    assert error_of({"oidc": text}).startswith("--oidc: expected at most 5 providers as id,issuer,client id,label")


def test_the_secret_of_a_provider_is_a_variable_that_nothing_repeats() -> None:
    environment = {"CHATTER_OIDC": f"{GOOGLE};{LOCAL}", "CHATTER_OIDC_SECRET_LOCAL_ID": "sesame"}
    settings = read_settings({}, environment)
    clients = with_secrets(parse_clients(settings.oidc), environment)
    assert [client.secret for client in clients] == ["", "sesame"]
    assert "sesame" not in repr(settings) + repr(clients)
    assert "sesame" not in error_of({"oidc": GOOGLE}, environment)


def test_the_accelerator_is_left_alone_or_turned_off() -> None:
    assert read_settings({}, {"CHATTER_ACCELERATOR": "off"}) == read_settings({}, {"CHATTER_ACCELERATOR": "auto"})
    assert error_of({}, {"CHATTER_ACCELERATOR": "on"}) == "CHATTER_ACCELERATOR: expected auto or off, got 'on'"


def test_a_secret_without_its_provider_is_an_error() -> None:
    error = error_of({}, {"CHATTER_OIDC_SECRET_GOOGLE": "sesame"})
    assert error == "CHATTER_OIDC_SECRET_GOOGLE: there is no such setting"


def test_providers_need_the_package_that_reads_their_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert error_of({"oidc": GOOGLE}) == "--oidc: tokens need the package PyJWT: pip install 'chatter[oidc]'"


@pytest.mark.parametrize("key", [{"jwt_key": "k" * 32}, {"jwt_jwks": "https://app.example.org/jwks.json"}])
def test_an_app_that_may_name_any_issuer_cannot_stand_beside_providers(key: dict[str, str | None]) -> None:
    assert error_of({"oidc": GOOGLE, **key}).startswith("--jwt-issuer: expected the app's")
    assert read_settings({"oidc": GOOGLE, "jwt_issuer": "app", **key}, {}).oidc == GOOGLE


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", ""),
        ("https://Chat.example.org/", "https://chat.example.org"),
        ("https://chat.example.org:8443", "https://chat.example.org:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
    ],
)
def test_a_public_url_is_an_origin(text: str, url: str) -> None:
    assert read_settings({"public_url": text}, {}).public_url == url


@pytest.mark.parametrize(
    "text", ["chat.example.org", "http://chat.example.org", "https://chat.example.org/chat", "https://a@b", "https://"]
)
def test_what_is_no_public_url_is_an_error(text: str) -> None:
    assert error_of({"public_url": text}).startswith("--public-url: expected an address like https://chat.example.org")
