"""Settings: one frozen object, read from the command line, else the environment, else the defaults.

A field `like_this` of `Settings` is the option `--like-this` of `chatter serve` and the variable `CHATTER_LIKE_THIS`;
`docs/configuration.md` has the same table.
"""

import argparse
import dataclasses
import importlib
import importlib.util
import inspect
import ipaddress
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar, cast

from chatter.accounts.rules import AccountRules
from chatter.room.context import RoomSettings
from web.limits import Limits, Rate
from web.oidc_clients import parse_clients, secret_variable

Environment: TypeAlias = Mapping[str, str]
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Part = TypeVar("Part", Limits, RoomSettings, AccountRules)

Authorize: TypeAlias = Callable[..., bool | Awaitable[bool]]
"""Returns whether a client may join the room of this slug with these parameters; a third one is its principal."""


MAX_SHARED_LENGTH = 30_000
"""Characters of the longest message that the log of a cluster takes, whatever it is made of."""


class BadSetting(Exception):
    """A setting that cannot be used. The message is one line: its name, what was expected, what came."""


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"-?\d{1,18}", text) or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return parse


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= 1e6:
        raise ValueError("a number of seconds above 0")
    return seconds


def _seconds_or_none(text: str) -> float:
    return 0.0 if text in ("0", "0.0") else _seconds(text)


def _amount(unit: str) -> Callable[[str], float]:
    def parse(text: str) -> float:
        if not re.fullmatch(r"\d{1,5}(\.\d{1,3})?", text):
            raise ValueError(f"a number of {unit} from 0")
        return float(text)

    return parse


_days = _amount("days")


def _some_days(text: str) -> float:
    days = _days(text)
    if not days:
        raise ValueError("a number of days above 0")
    return days


def _minutes(text: str) -> float:
    minutes = 0.0 if not re.fullmatch(r"\d{1,5}(\.\d{1,3})?", text) else float(text)
    if not 1 <= minutes <= 1_440:
        raise ValueError("a number of minutes from 1 to 1,440")
    return minutes


def _servers(text: str) -> str:
    for server in text.split(",") if text else ():
        if not re.fullmatch(r"(nats|tls)://([^\s/@,]+@)?([a-zA-Z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?", server):
            raise ValueError("addresses like nats://user:password@host:4222 separated by commas")
    return text


def _monitors(text: str) -> str:
    for address in text.split(",") if text else ():
        if not re.fullmatch(r"https?://([a-zA-Z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?/?", address):
            raise ValueError("addresses like http://host:8222 separated by commas")
    return text


def _node(text: str) -> str:
    if text and not re.fullmatch("[a-z0-9][a-z0-9_-]{0,63}", text):
        raise ValueError("1 to 64 of a-z, 0-9, - and _")
    return text


def _words(text: str) -> str:
    if not text.strip():
        raise ValueError("some text")
    return text


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return text.lower()

    return parse


def _origins(text: str) -> frozenset[str]:
    origins = frozenset(text.split())
    for origin in origins - {"*"}:
        if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/\s]+", origin):
            raise ValueError("origins like https://example.org separated by blanks, or *")
    return origins


def _hosts(text: str) -> frozenset[str]:
    hosts = frozenset(text.lower().split())
    for host in hosts:
        if not re.fullmatch(r"(https?://)?([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", host):
            raise ValueError("hosts like chat.example.org or https://chat.example.org:8443 separated by blanks")
    return hosts


def _public_url(text: str) -> str:
    text = text.lower().removesuffix("/")
    loopback = r"http://(localhost|127\.0\.0\.1)"
    if text and not re.fullmatch(rf"(https://[a-z0-9._-]+|{loopback})(:[0-9]{{1,5}})?", text):
        raise ValueError("an address like https://chat.example.org, without a path")
    return text


def _oidc(text: str) -> str:
    parse_clients(text)
    return text


def _networks(text: str) -> frozenset[Network]:
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


def _hook(text: str) -> str:
    if text and not re.fullmatch(r"[\w.]+:\w+", text):
        raise ValueError("package.module:function")
    return text


def _shared_keys(text: str) -> frozenset[str]:
    keys = frozenset(text.split())
    if any(word.startswith(("-----BEGIN", "ssh-", "ecdsa-")) or '"kty"' in word for word in keys):
        raise ValueError("a secret that only the app and this server know, not a public key; for those is --jwt-jwks")
    if text and (not 1 <= len(keys) <= 2 or any(len(key.encode()) < 32 for key in keys)):
        raise ValueError("one key or two separated by a blank, of at least 32 bytes each")
    return keys


def _keys_url(text: str) -> str:
    loopback = r"http://(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])"
    anywhere = r"https://([a-zA-Z0-9._-]+|\[[0-9a-f:.]+\])"
    if text and not re.fullmatch(rf"({anywhere}|{loopback})(:\d{{1,5}})?(/[!$-\[\]-~]*)?", text):
        raise ValueError("an address like https://app.example.org/jwks.json; http only for 127.0.0.1 and localhost")
    return text


def _line(text: str) -> str:
    if text and (text != text.strip() or not text.isprintable()):
        raise ValueError("one line of text without blanks around it")
    return text


_LEVELS = ("debug", "info", "warning", "error")


def _setting(default: Any, parse: Callable[[str], Any], what: str, *, is_secret: bool = False) -> Any:
    metadata = {"parse": parse, "what": what, "is_secret": is_secret}
    return dataclasses.field(default=default, repr=not is_secret, metadata=metadata)


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """How this server runs. Sizes are in bytes, times in seconds."""

    host: str = _setting("127.0.0.1", _words, "address to listen on; 0.0.0.0 listens on all")
    port: int = _setting(8000, _whole(0, 65_535), "port to listen on; 0 picks a free one")
    database: str = _setting(
        "sqlite:///var/chatter.db", _words, "database of the messages: sqlite:///path or postgresql://user@host/name"
    )
    sqlite_synchronous: str = _setting(
        "full",
        _one_of("full", "normal"),
        "full: acknowledged messages survive a power cut; normal: only the end of the program",
    )
    spool_folder: str = _setting(
        "",
        str,
        "folder of the spool, dead letters and presence snapshot; default: the SQLite file's, or var for PostgreSQL",
    )
    database_timeout: float = _setting(
        30.0, _seconds, "how long a database call may take; PostgreSQL also to connect and to acknowledge a packet"
    )
    log_level: str = _setting("warning", _one_of(*_LEVELS), f"lowest level that is logged: {', '.join(_LEVELS)}")
    bundle: str = _setting(
        "on",
        _one_of("on", "off"),
        "on or off; off serves the browser client's sources file by file, to debug them",
    )
    allowed_origins: frozenset[str] = _setting(
        frozenset(), _origins, "other origins whose pages may connect, separated by spaces; * allows any"
    )
    public_hosts: frozenset[str] = _setting(
        frozenset(), _hosts, "hosts of this server in the addresses that people open, separated by spaces"
    )
    trusted_proxies: frozenset[Network] = _setting(
        frozenset(), _networks, "addresses or networks of proxies whose X-Forwarded-For is trusted, separated by spaces"
    )
    cluster: str = _setting(
        "",
        _servers,
        "NATS servers of the cluster of which this is a node, nats://host:port separated by commas; none: it is alone",
        is_secret=True,
    )
    node: str = _setting("", _node, "name of this node of the cluster; default: the machine's")
    cluster_monitors: str = _setting(
        "", _monitors, "addresses where the NATS servers tell of themselves; default: http on their hosts, port 8222"
    )
    cluster_ca: str = _setting("", str, "file with the certificates that the NATS servers' are signed by")
    cluster_cert: str = _setting("", str, "file with this node's certificate for the NATS servers")
    cluster_key: str = _setting("", str, "file with the key of that certificate, unless it is in the same file")
    cluster_credentials: str = _setting("", str, "file with this node's credentials for the NATS servers")
    log_hours: float = _setting(
        24.0,
        _amount("hours"),
        "how many hours the log of the cluster keeps what the database has, for one that is restored",
    )
    authorize: str = _setting(
        "",
        _hook,
        "function that decides who may join, package.module:function; it gets the room and the join's parameters",
    )

    public_url: str = _setting(
        "", _public_url, "address at which people open the page, for passkeys and OpenID; also a public host"
    )
    oidc: str = _setting("", _oidc, "OpenID providers to sign in with: id,issuer,client id,label separated by ;")
    passkeys: str = _setting("auto", _one_of("auto", "off"), "auto or off; auto takes passkeys where browsers do")
    authorize_timeout: float = _setting(5.0, _seconds, "how long an async `authorize` function may take for a join")
    accounts: str = _setting(
        "guests",
        _one_of("off", "guests", "required"),
        "off: no accounts; guests: people with and without one; required: nobody without one",
    )
    sign_up: str = _setting(
        "invite",
        _one_of("open", "invite", "closed"),
        "who may make an account: anybody (open), who has an invite (invite), nobody but by command (closed)",
    )
    session_days: float = _setting(30.0, _some_days, "how many days a session lasts after its last use")
    leave_days: float = _setting(
        7.0, _days, "how many days an account that leaves can come back, before it is erased; 0 for none"
    )
    proof_minutes: float = _setting(
        10.0,
        _minutes,
        "how many minutes after signing in one may change ways to sign in, handle or tokens without a further proof",
    )
    password_min: int = _setting(10, _whole(8, 64), "shortest password, in characters")
    max_tokens: int = _setting(20, _whole(0, 1_000), "most access tokens of an account")
    display_name_changes: int = _setting(3, _whole(0, 1_000), "how often an account may change its name in a day")
    jwt_key: frozenset[str] = _setting(
        frozenset(),
        _shared_keys,
        "secret with which an app signs its users' tokens (HS256, HS384, HS512); or the new one and the old one",
        is_secret=True,
    )
    jwt_jwks: str = _setting(
        "", _keys_url, "address of the public keys with which an app signs its users' tokens (RS256, ES256, EdDSA)"
    )
    jwt_audience: str = _setting("", _line, "what the `aud` of such a token has to name; without it a token has none")
    jwt_issuer: str = _setting("", _line, "what the `iss` of such a token has to be; without it any")
    jwt_leeway: int = _setting(
        30, _whole(0, 600), "by how many seconds the clock that such a token was made by may differ"
    )
    max_name_length: int = _setting(64, _whole(1, 1_000), "longest name, in characters")
    max_message_length: int = _setting(4_000, _whole(1, 1_000_000), "longest message, in characters")
    max_id_length: int = _setting(64, _whole(1, 1_000), "longest message id that a client may give, in characters")
    max_history_page: int = _setting(
        100, _whole(1, 10_000), "most messages in an answer to `history`; with `after` see `max_recovery_page`"
    )
    max_recovery_page: int = _setting(
        500, _whole(1, 10_000), "most messages pushed after a join or `sync`, or in an answer to `history` with `after`"
    )
    max_page_bytes: int = _setting(
        262_144,
        _whole(1_024, 1_000_000_000),
        "about the most bytes of messages in an answer or catch-up; never more than half of `max_unsent_bytes`",
    )
    max_reason_length: int = _setting(500, _whole(1, 1_000_000), "longest reason of a deletion, in characters")
    edit_window: float = _setting(
        3_600.0, _seconds_or_none, "how long one may edit what one has said; 0 for not at all"
    )
    delete_window: float = _setting(
        3_600.0, _seconds_or_none, "how long one may delete what one has said; 0 for not at all"
    )
    max_edits: int = _setting(50, _whole(1, 1_000_000), "most edits of one message")
    max_reactions: int = _setting(20, _whole(1, 1_000), "most different reactions to one message")
    max_pins: int = _setting(50, _whole(1, 1_000), "most pinned messages of one room")
    max_room_members: int = _setting(2_000, _whole(1, 100_000), "most members of a private room")
    max_group_members: int = _setting(20, _whole(2, 1_000), "most people of a group")
    max_replies: int = _setting(
        5_000, _whole(1, 1_000_000), "most replies in one thread; a reply to one of them then begins another"
    )
    reaction_interval: float = _setting(
        0.25, _seconds, "in a room of more than 100 clients the reactions to a message are counted once in so long"
    )
    removed_days: float = _setting(
        7.0, _days, "how many days the text of a deleted message is kept aside, for moderators; 0 for none"
    )
    max_recovery_gap: int = _setting(
        5_000, _whole(0, 1_000_000), "most missed entries that a client can recover; with more it starts over"
    )
    max_unsaved_messages: int = _setting(
        10_000, _whole(1, 10_000_000), "most messages that wait to be committed; beyond that posts are refused"
    )
    max_unsaved_bytes: int = _setting(
        33_554_432,
        _whole(1_024, 100_000_000_000),
        "most bytes of messages that wait to be committed; beyond that posts are refused",
    )
    max_waiting_reads: int = _setting(
        1_000,
        _whole(1, 1_000_000),
        "most database reads of all clients that wait, and as many for joins; beyond that they are refused with `busy`",
    )
    max_client_reads: int = _setting(
        8,
        _whole(1, 10_000),
        "most waiting database reads of one connection, joins included; beyond that they are refused with `busy`",
    )
    max_channels: int = _setting(100, _whole(1, 1_000_000), "most rooms that one connection may join")
    room_creation: str = _setting(
        "anyone",
        _one_of("anyone", "members", "admins"),
        "who may make a public room: anybody by joining it, who has an account (members), or moderators and admins",
    )
    max_rooms_per_account: int = _setting(500, _whole(1, 1_000_000), "most rooms that one account is a member of")
    max_title_length: int = _setting(80, _whole(1, 1_000), "longest title of a room, in characters")
    max_topic_length: int = _setting(250, _whole(1, 10_000), "longest topic of a room, in characters")
    max_join_bytes: int = _setting(8_192, _whole(64, 100_000_000), "largest payload of a join")
    max_frame_bytes: int = _setting(
        65_536, _whole(1_024, 100_000_000), "largest websocket message or long-poll frame that a client may send"
    )
    max_unsent_bytes: int = _setting(
        1_048_576, _whole(1_024, 1_000_000_000), "most data that waits in the server for a client that reads too slowly"
    )
    send_buffer_bytes: int = _setting(
        131_072,
        _whole(4_096, 1_000_000_000),
        "data that the kernel buffers for a connection before that; Linux uses twice the value",
    )
    max_poll_body_bytes: int = _setting(8_000_000, _whole(1_024, 1_000_000_000), "largest body of a long-poll POST")
    max_poll_bodies_bytes: int = _setting(
        67_108_864,
        _whole(1_024, 100_000_000_000),
        "most bytes of all bodies that arrive at the same time and are larger than `max_frame_bytes`",
    )
    max_poll_messages: int = _setting(100, _whole(1, 10_000), "most frames taken from one long-poll POST")
    rate_limits: str = _setting(
        "on", _one_of("on", "off"), "on or off; off turns off the rates below and `max_connections_per_address`"
    )
    message_rate: Rate = _setting(
        Rate(20, 100), Rate.parse, "messages from one connection: per second in the long run/at once"
    )
    join_rate: Rate = _setting(Rate(20, 200), Rate.parse, "joins from one connection: per second/at once")
    operation_rate: Rate = _setting(
        Rate(10, 50),
        Rate.parse,
        "edits, deletions, reactions, pins, and what is done to rooms, from one connection: per second/at once",
    )
    founding_rate: Rate = _setting(
        Rate(0.1, 20), Rate.parse, "rooms that one account makes over HTTP, direct ones too: per second/at once"
    )
    list_rate: Rate = _setting(
        Rate(2, 20), Rate.parse, "joins of `me` by one account, each told of all its rooms: per second/at once"
    )
    code_rate: Rate = _setting(Rate(0.2, 20), Rate.parse, "joins by a link from one account: per second/at once")
    typing_rate: Rate = _setting(Rate(5, 20), Rate.parse, "`typing` from one connection: per second/at once")
    history_rate: Rate = _setting(
        Rate(20, 100), Rate.parse, "`history` and `sync` from one connection: per second/at once"
    )
    connect_rate: Rate = _setting(Rate(50, 1_000), Rate.parse, "connections from one address: per second/at once")
    max_connections_per_address: int = _setting(
        1_000,
        _whole(1, 10_000_000),
        "most connections from one address at once, and twice as many without a websocket",
    )
    room_rate: Rate = _setting(
        Rate(1, 50), Rate.parse, "joins of rooms without messages and people from one address: per second/at once"
    )
    max_ignored_refusals: int = _setting(
        200,
        _whole(1, 1_000_000),
        "`rate_limited` answers in a row that a client ignores before its connection is closed",
    )
    idle_timeout: float = _setting(60.0, _seconds, "how long a client may send nothing before its websocket is closed")
    handshake_timeout: float = _setting(
        10.0, _seconds, "time for the head of a request to arrive, also on a connection that is kept alive"
    )
    body_timeout: float = _setting(
        30.0, _seconds, "time for the body of a request to arrive, and for a client to take more of an answer"
    )
    poll_window: float = _setting(10.0, _seconds, "how long a long poll waits for a message")
    ring_size: int = _setting(200, _whole(1, 100_000), "recent messages of a room that are kept in memory")
    id_memory_size: int = _setting(
        1_000, _whole(0, 1_000_000), "recent messages of a room whose ids are compared to recognise a repeat"
    )
    greeting_size: int = _setting(
        10, _whole(0, 1_000), "recent messages pushed to a client that joins and recovers nothing"
    )
    presence_grace: float = _setting(
        10.0, _seconds, "how long people stay listed as present after a restart of the server, until they come back"
    )
    max_listed_people: int = _setting(
        100, _whole(0, 1_000_000), "most people of a room whose names clients get; the others are only counted"
    )
    max_listed_connections: int = _setting(
        10, _whole(1, 1_000_000), "most connections of a person that clients get; further ones are not listed"
    )
    presence_interval: float = _setting(2.0, _seconds, "longest pause between two presence broadcasts in a large room")
    room_idle_timeout: float = _setting(60.0, _seconds, "how long an empty room stays in memory")
    drain_notice: float = _setting(
        0.0, _seconds_or_none, "how long a stopping server serves on while `/healthz` already answers 503"
    )
    close_batch_size: int = _setting(250, _whole(1, 1_000_000), "connections closed at once when the server stops")
    close_spread: float = _setting(
        2.0, _seconds_or_none, "time over which connections are closed if there is more than one batch"
    )
    stop_timeout: float = _setting(5.0, _seconds, "how long stopping waits for the database, and then for clients")

    @property
    def limits(self) -> Limits:
        """How much a client may say."""
        return self._slice(Limits)

    @property
    def rooms(self) -> RoomSettings:
        """The settings of rooms."""
        # A larger page would overflow a client that reads too slowly, which would then ask for the same page again.
        return dataclasses.replace(
            self._slice(RoomSettings), max_page_bytes=min(self.max_page_bytes, self.max_unsent_bytes // 2)
        )

    @property
    def account_rules(self) -> AccountRules:
        """How accounts are run."""
        return self._slice(AccountRules)

    def may_be_apps(self, issuer: str) -> bool:
        """Returns whether the tokens of an embedding app may name this issuer."""
        return bool(self.jwt_key or self.jwt_jwks) and self.jwt_issuer in ("", issuer)

    def _slice(self, kind: type[Part]) -> Part:
        """Copies by name, so that no two settings can be swapped."""
        return kind(**{field.name: getattr(self, field.name) for field in dataclasses.fields(kind)})


def _option(field: "dataclasses.Field[Any]") -> str:
    return "--" + field.name.replace("_", "-")


def variable(field: "dataclasses.Field[Any]") -> str:
    """Returns the name of a setting's environment variable."""
    return "CHATTER_" + field.name.upper()


def add_options(parser: argparse.ArgumentParser, *names: str) -> None:
    """Adds an option to `parser` for each setting, or only for those named."""
    for field in dataclasses.fields(Settings):
        if not names or field.name in names:
            default = " ".join(sorted(field.default)) if isinstance(field.default, frozenset) else field.default
            text = f"{field.metadata['what']} (default: {default or 'none'}; {variable(field)})"
            parser.add_argument(_option(field), dest=field.name, metavar="VALUE", help=text.replace("%", "%%"))


def read_settings(options: Mapping[str, str | None], environment: Environment) -> Settings:
    """Reads the settings from the command line and the environment. Raises `BadSetting`."""
    known = {variable(field) for field in dataclasses.fields(Settings)}
    unknown = [name for name in environment if name.startswith("CHATTER_") and name not in known]
    values: dict[str, Any] = {}
    for field in dataclasses.fields(Settings):
        option = options.get(field.name)
        if option is not None:
            values[field.name] = _parsed(field, _option(field), option)
        elif variable(field) in environment:
            values[field.name] = _parsed(field, variable(field), environment[variable(field)])
    settings = Settings(**values)
    _check_oidc(settings, unknown)
    if settings.greeting_size > settings.ring_size:
        raise BadSetting(f"--greeting-size: expected at most --ring-size ({settings.ring_size})")
    _check_tokens(settings)
    _check_cluster(settings)
    return settings


def _check_oidc(settings: Settings, unknown: Sequence[str]) -> None:
    """Checks that each variable without a setting has the secret of a provider, and that its tokens can be read."""
    clients = parse_clients(settings.oidc)
    secrets = {secret_variable(client.id) for client in clients}
    for name in unknown:
        if name not in secrets:
            raise BadSetting(f"{name}: there is no such setting")
    if clients and not all(map(importlib.util.find_spec, ("jwt", "cryptography"))):
        raise BadSetting("--oidc: tokens need the package PyJWT: pip install 'chatter[oidc]'")
    if clients and (settings.jwt_key or settings.jwt_jwks) and not settings.jwt_issuer:
        raise BadSetting("--jwt-issuer: expected the app's, since without it the app's tokens may name one of --oidc")


def _check_tokens(settings: Settings) -> None:
    """Checks that one kind of key verifies tokens: with two, a token could choose its own."""
    if settings.jwt_key and settings.jwt_jwks:
        raise BadSetting("--jwt-jwks: expected either this or --jwt-key, got both")
    if (settings.jwt_key or settings.jwt_jwks) and not all(map(importlib.util.find_spec, ("jwt", "cryptography"))):
        name = "--jwt-key" if settings.jwt_key else "--jwt-jwks"
        raise BadSetting(f"{name}: tokens need the package PyJWT: pip install 'chatter[jwt]'")


def _check_cluster(settings: Settings) -> None:
    """Checks that a node can work with what it shares with the others."""
    if not settings.cluster:
        return
    if not settings.database.startswith(("postgresql:", "postgres:")):
        raise BadSetting("--database: expected postgresql://…, which the nodes of a cluster share")
    if importlib.util.find_spec("nats") is None:
        raise BadSetting("--cluster: NATS needs the package nats-py: pip install 'chatter[cluster]'")
    if settings.max_message_length > MAX_SHARED_LENGTH:
        raise BadSetting(f"--max-message-length: expected at most {MAX_SHARED_LENGTH} in a cluster")


def check_accounts(settings: Settings) -> None:
    """Raises `BadSetting` where any page could act as whoever is signed in, or where a setting counts for nothing.

    Browsers send cookies from all pages.
    """
    if settings.accounts != "off" and "*" in settings.allowed_origins:
        raise BadSetting("--allowed-origins: expected the exact origins, or --accounts off, got '*' with accounts")
    if settings.accounts == "off" and (settings.jwt_key or settings.jwt_jwks):
        name = "--jwt-key" if settings.jwt_key else "--jwt-jwks"
        raise BadSetting(f"{name}: expected --accounts guests or required, since without accounts no token is read")
    if settings.accounts == "off" and settings.oidc:
        raise BadSetting("--oidc: expected --accounts guests or required, since without accounts nobody signs in")


def _parsed(field: "dataclasses.Field[Any]", source: str, text: str) -> Any:
    try:
        return field.metadata["parse"](text)
    except ValueError as error:
        got = "another text" if field.metadata["is_secret"] else repr(text)
        raise BadSetting(f"{source}: expected {error}, got {got}") from error


def load_authorize(path: str) -> Authorize:
    """Imports the function that `authorize` names; without a name all may join. Raises `BadSetting`."""
    if not path:
        return lambda _slug, _params: True
    module, _, name = path.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except Exception as error:  # a module may raise anything while it is imported
        raise BadSetting(f"--authorize: expected a function that can be imported, got {path!r}: {error}") from error
    fault = _hook_fault(function)
    if fault:
        raise BadSetting(f"--authorize: expected a function of a room and a join's parameters, got {fault}: {path!r}")
    return cast(Authorize, function)


def takes_principal(function: Any) -> bool:
    """Returns whether a hook wants to know who joins: it needs a third parameter, or has one of that name."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:
        return False  # nothing is known about some functions that are written in C
    positional = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    return len(positional) > 2 and (positional[2].default is positional[2].empty or positional[2].name == "principal")


def _hook_fault(function: Any) -> str | None:
    """Returns why a hook can never answer True or False, as far as that can be seen."""
    if not callable(function):
        return "something that cannot be called"
    if inspect.isclass(function):
        return "a class"
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return "a generator"
    try:
        inspect.signature(function).bind(*("lobby", {}, None)[: 3 if takes_principal(function) else 2])
    except TypeError as error:
        return f"one of which that is not true ({error})"
    except ValueError:
        pass  # nothing is known about some functions that are written in C
    return None


def set_up_logging(level: str) -> None:
    """Sets up logging to stderr, without what others know of people: at debug, too.

    Tornado only warns: its info repeats requests that are none, with tokens in them. So does Pykka, whose info is the
    traceback of each refusal. Peewee does not repeat its statements: hashes and texts are in them.
    """
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name in ("tornado", "pykka"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    logging.getLogger("peewee").setLevel(max(logging.INFO, logging.getLogger().level))
