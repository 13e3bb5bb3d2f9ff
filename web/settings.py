"""Settings: one frozen object, read from the command line, else the environment, else the defaults.

A field `like_this` of `Settings` is the option `--like-this` of `chatter serve` and the variable `CHATTER_LIKE_THIS`;
`docs/configuration.md` has the same table.
"""

import argparse
import dataclasses
import importlib.util
import logging
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from chatter.accounts.rules import AccountRules
from chatter.room.context import RoomSettings
from web import accelerator
from web import setting_forms as forms
from web.limits import Limits, Rate
from web.oidc_clients import parse_clients, secret_variable

Environment: TypeAlias = Mapping[str, str]
Part = TypeVar("Part", Limits, RoomSettings, AccountRules)

MAX_SHARED_LENGTH = 30_000
"""Characters of the longest message that the log of a cluster takes, whatever it is made of."""


MAX_SHARED_FRAME = 524_288
"""Bytes of the largest frame that nodes of a cluster pass to each other: NATS takes 1 MB in a message."""


class BadSetting(Exception):
    """A setting that cannot be used. The message is one line: its name, what was expected, what came."""


_LEVELS = ("debug", "info", "warning", "error")


def _setting(default: Any, parse: Callable[[str], Any], what: str, *, is_secret: bool = False) -> Any:
    metadata = {"parse": parse, "what": what, "is_secret": is_secret}
    return dataclasses.field(default=default, repr=not is_secret, metadata=metadata)


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """How this server runs. Sizes are in bytes, times in seconds."""

    host: str = _setting("127.0.0.1", forms.words, "address to listen on; 0.0.0.0 listens on all")
    port: int = _setting(8000, forms.whole(0, 65_535), "port to listen on; 0 picks a free one")
    database: str = _setting(
        "sqlite:///var/chatter.db",
        forms.words,
        "database of the messages: sqlite:///path or postgresql://user@host/name",
    )
    sqlite_synchronous: str = _setting(
        "full",
        forms.one_of("full", "normal"),
        "full: acknowledged messages survive a power cut; normal: only the end of the program",
    )
    spool_folder: str = _setting(
        "",
        str,
        "folder of the spool, dead letters and presence snapshot; default: the SQLite file's, or var for PostgreSQL",
    )
    database_timeout: float = _setting(
        30.0, forms.seconds, "how long a database call may take; PostgreSQL also to connect and to acknowledge a packet"
    )
    log_level: str = _setting("warning", forms.one_of(*_LEVELS), f"lowest level that is logged: {', '.join(_LEVELS)}")
    bundle: str = _setting(
        "on",
        forms.one_of("on", "off"),
        "on or off; off serves the browser client's sources file by file, to debug them",
    )
    allowed_origins: frozenset[str] = _setting(
        frozenset(), forms.origins, "other origins whose pages may connect, separated by spaces; * allows any"
    )
    public_hosts: frozenset[str] = _setting(
        frozenset(), forms.hosts, "hosts of this server in the addresses that people open, separated by spaces"
    )
    trusted_proxies: frozenset[forms.Network] = _setting(
        frozenset(),
        forms.networks,
        "addresses or networks of proxies whose X-Forwarded-For is trusted, separated by spaces",
    )
    cluster: str = _setting(
        "",
        forms.servers,
        "NATS servers of the cluster of which this is a node, nats://host:port separated by commas; none: it is alone",
        is_secret=True,
    )
    node: str = _setting("", forms.node, "name of this node of the cluster; default: the machine's")
    processes: int = _setting(
        1,
        forms.whole(1, 64),
        "nodes of the cluster that run here and share the port, each called `node` with -1, -2, … behind",
    )
    cluster_monitors: str = _setting(
        "",
        forms.monitors,
        "monitoring addresses of all NATS servers, separated by commas; default: http on their hosts, port 8222",
    )
    cluster_ca: str = _setting("", str, "file with the certificates that the NATS servers' are signed by")
    cluster_cert: str = _setting("", str, "file with this node's certificate for the NATS servers")
    cluster_key: str = _setting("", str, "file with the key of that certificate, unless it is in the same file")
    cluster_credentials: str = _setting("", str, "file with this node's credentials for the NATS servers")
    log_hours: float = _setting(
        24.0,
        forms.amount("hours"),
        "how many hours the log of the cluster keeps what the database has, for one that is restored",
    )
    max_lag_bytes: int = _setting(
        134_217_728,
        forms.whole(1_048_576, 100_000_000_000),
        "most bytes of each lane of the cluster's log that the database may lack; beyond that posts are refused",
    )
    authorize: str = _setting(
        "",
        forms.hook,
        "function that decides who may join, package.module:function; it gets the room and the join's parameters",
    )

    public_url: str = _setting(
        "", forms.public_url, "address at which people open the page, for passkeys and OpenID; also a public host"
    )
    oidc: str = _setting("", forms.oidc, "OpenID providers to sign in with: id,issuer,client id,label separated by ;")
    passkeys: str = _setting("auto", forms.one_of("auto", "off"), "auto or off; auto takes passkeys where browsers do")
    authorize_timeout: float = _setting(
        5.0, forms.seconds, "how long an async `authorize` function may take for a join"
    )
    accounts: str = _setting(
        "guests",
        forms.one_of("off", "guests", "required"),
        "off: no accounts; guests: people with and without one; required: nobody without one",
    )
    sign_up: str = _setting(
        "invite",
        forms.one_of("open", "invite", "closed"),
        "who may make an account: anybody (open), who has an invite (invite), nobody but by command (closed)",
    )
    session_days: float = _setting(30.0, forms.some_days, "how many days a session lasts after its last use")
    leave_days: float = _setting(
        7.0, forms.days, "how many days an account that leaves can come back, before it is erased; 0 for none"
    )
    proof_minutes: float = _setting(
        10.0,
        forms.minutes,
        "how many minutes after signing in one may change ways to sign in, handle or tokens without a further proof",
    )
    password_min: int = _setting(10, forms.whole(8, 64), "shortest password, in characters")
    max_tokens: int = _setting(20, forms.whole(0, 1_000), "most access tokens of an account")
    display_name_changes: int = _setting(3, forms.whole(0, 1_000), "how often an account may change its name in a day")
    jwt_key: frozenset[str] = _setting(
        frozenset(),
        forms.shared_keys,
        "secret with which an app signs its users' tokens (HS256, HS384, HS512); or the new one and the old one",
        is_secret=True,
    )
    jwt_jwks: str = _setting(
        "", forms.keys_url, "address of the public keys with which an app signs its users' tokens (RS256, ES256, EdDSA)"
    )
    jwt_audience: str = _setting(
        "", forms.line, "what the `aud` of such a token has to name; without it a token has none"
    )
    jwt_issuer: str = _setting("", forms.line, "what the `iss` of such a token has to be; without it any")
    jwt_leeway: int = _setting(
        30, forms.whole(0, 600), "by how many seconds the clock that such a token was made by may differ"
    )
    max_name_length: int = _setting(64, forms.whole(1, 1_000), "longest name, in characters")
    max_message_length: int = _setting(4_000, forms.whole(1, 1_000_000), "longest message, in characters")
    max_id_length: int = _setting(64, forms.whole(1, 1_000), "longest message id that a client may give, in characters")
    max_history_page: int = _setting(
        100, forms.whole(1, 10_000), "most messages in an answer to `history`; with `after` see `max_recovery_page`"
    )
    max_recovery_page: int = _setting(
        500,
        forms.whole(1, 10_000),
        "most messages pushed after a join or `sync`, or in an answer to `history` with `after`",
    )
    max_page_bytes: int = _setting(
        262_144,
        forms.whole(1_024, 1_000_000_000),
        "about the most bytes of messages in an answer or catch-up; never more than half of `max_unsent_bytes`",
    )
    max_reason_length: int = _setting(500, forms.whole(1, 1_000_000), "longest reason of a deletion, in characters")
    edit_window: float = _setting(
        3_600.0, forms.seconds_or_none, "how long one may edit what one has said; 0 for not at all"
    )
    delete_window: float = _setting(
        3_600.0, forms.seconds_or_none, "how long one may delete what one has said; 0 for not at all"
    )
    max_edits: int = _setting(50, forms.whole(1, 1_000_000), "most edits of one message")
    max_reactions: int = _setting(20, forms.whole(1, 1_000), "most different reactions to one message")
    max_listed_reactors: int = _setting(
        500, forms.whole(1, 1_000), "most people who are named of those who have reacted to a message with one emoji"
    )
    max_pins: int = _setting(50, forms.whole(1, 1_000), "most pinned messages of one room")
    max_room_members: int = _setting(2_000, forms.whole(1, 100_000), "most members of a private room")
    max_group_members: int = _setting(20, forms.whole(2, 1_000), "most people of a group")
    max_replies: int = _setting(
        5_000, forms.whole(1, 1_000_000), "most replies in one thread; a reply to one of them then begins another"
    )
    reaction_interval: float = _setting(
        0.25, forms.seconds, "in a room of more than 100 clients the reactions to a message are counted once in so long"
    )
    removed_days: float = _setting(
        7.0, forms.days, "how many days the text of a deleted message is kept aside, for moderators; 0 for none"
    )
    max_recovery_gap: int = _setting(
        5_000, forms.whole(0, 1_000_000), "most missed entries that a client can recover; with more it starts over"
    )
    max_unsaved_messages: int = _setting(
        10_000, forms.whole(1, 10_000_000), "most messages that wait to be committed; beyond that posts are refused"
    )
    max_unsaved_bytes: int = _setting(
        33_554_432,
        forms.whole(1_024, 100_000_000_000),
        "most bytes of messages that wait to be committed; beyond that posts are refused",
    )
    max_waiting_reads: int = _setting(
        1_000,
        forms.whole(1, 1_000_000),
        "most database reads of all clients that wait, and as many for joins; beyond that they are refused with `busy`",
    )
    max_client_reads: int = _setting(
        8,
        forms.whole(1, 10_000),
        "most waiting database reads of one connection, joins included; beyond that they are refused with `busy`",
    )
    max_channels: int = _setting(100, forms.whole(1, 1_000_000), "most rooms that one connection may join")
    room_creation: str = _setting(
        "anyone",
        forms.one_of("anyone", "members", "admins"),
        "who may make a public room: anybody by joining it, who has an account (members), or moderators and admins",
    )
    max_rooms_per_account: int = _setting(500, forms.whole(1, 1_000_000), "most rooms that one account is a member of")
    max_title_length: int = _setting(80, forms.whole(1, 1_000), "longest title of a room, in characters")
    max_topic_length: int = _setting(250, forms.whole(1, 10_000), "longest topic of a room, in characters")
    max_join_bytes: int = _setting(8_192, forms.whole(64, 100_000_000), "largest payload of a join")
    max_frame_bytes: int = _setting(
        65_536, forms.whole(1_024, 100_000_000), "largest websocket message or long-poll frame that a client may send"
    )
    max_unsent_bytes: int = _setting(
        1_048_576,
        forms.whole(1_024, 1_000_000_000),
        "most data that waits in the server for a client that reads too slowly",
    )
    send_buffer_bytes: int = _setting(
        131_072,
        forms.whole(4_096, 1_000_000_000),
        "data that the kernel buffers for a connection before that; Linux uses twice the value",
    )
    max_poll_body_bytes: int = _setting(
        8_000_000, forms.whole(1_024, 1_000_000_000), "largest body of a long-poll POST"
    )
    max_poll_bodies_bytes: int = _setting(
        67_108_864,
        forms.whole(1_024, 100_000_000_000),
        "most bytes of all bodies that arrive at the same time and are larger than `max_frame_bytes`",
    )
    max_poll_messages: int = _setting(100, forms.whole(1, 10_000), "most frames taken from one long-poll POST")
    rate_limits: str = _setting(
        "on", forms.one_of("on", "off"), "on or off; off turns off the rates below and `max_connections_per_address`"
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
        forms.whole(1, 10_000_000),
        "most connections from one address at once, and twice as many without a websocket",
    )
    room_rate: Rate = _setting(
        Rate(1, 50), Rate.parse, "joins of rooms without messages and people from one address: per second/at once"
    )
    max_ignored_refusals: int = _setting(
        200,
        forms.whole(1, 1_000_000),
        "`rate_limited` answers in a row that a client ignores before its connection is closed",
    )
    idle_timeout: float = _setting(
        60.0, forms.seconds, "how long a client may send nothing before its websocket is closed"
    )
    handshake_timeout: float = _setting(
        10.0, forms.seconds, "time for the head of a request to arrive, also on a connection that is kept alive"
    )
    body_timeout: float = _setting(
        30.0, forms.seconds, "time for the body of a request to arrive, and for a client to take more of an answer"
    )
    poll_window: float = _setting(10.0, forms.seconds, "how long a long poll waits for a message")
    ring_size: int = _setting(200, forms.whole(1, 100_000), "recent messages of a room that are kept in memory")
    id_memory_size: int = _setting(
        1_000, forms.whole(0, 1_000_000), "recent messages of a room whose ids are compared to recognise a repeat"
    )
    greeting_size: int = _setting(
        10, forms.whole(0, 1_000), "recent messages pushed to a client that joins and recovers nothing"
    )
    presence_grace: float = _setting(
        10.0,
        forms.seconds,
        "how long people stay listed as present after a restart of the server, until they come back",
    )
    max_listed_people: int = _setting(
        100, forms.whole(0, 1_000_000), "most people of a room whose names clients get; the others are only counted"
    )
    max_listed_connections: int = _setting(
        10, forms.whole(1, 1_000_000), "most connections of a person that clients get; further ones are not listed"
    )
    presence_interval: float = _setting(
        2.0, forms.seconds, "longest pause between two presence broadcasts in a large room"
    )
    room_idle_timeout: float = _setting(60.0, forms.seconds, "how long an empty room stays in memory")
    drain_notice: float = _setting(
        0.0, forms.seconds_or_none, "how long a stopping server serves on while `/healthz` already answers 503"
    )
    close_batch_size: int = _setting(250, forms.whole(1, 1_000_000), "connections closed at once when the server stops")
    close_spread: float = _setting(
        2.0, forms.seconds_or_none, "time over which connections are closed if there is more than one batch"
    )
    stop_timeout: float = _setting(5.0, forms.seconds, "how long stopping waits for the database, and then for clients")

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

    def of_process(self, number: int) -> "Settings":
        """Returns the settings of one of several processes."""
        return dataclasses.replace(self, node=f"{self.node_name[:60]}-{number}")

    @property
    def node_name(self) -> str:
        """The name of this node: as it is set, else the machine's."""
        return self.node or re.sub("[^a-z0-9_-]", "-", socket.gethostname().lower()).lstrip("-_")[:64] or "node"

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
    known.add(accelerator.VARIABLE)
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
    _check_accelerator(environment)
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


def _check_accelerator(environment: Environment) -> None:
    """Checks the one variable that is no setting of the server: it was read when the program was imported."""
    wanted = environment.get(accelerator.VARIABLE, "auto")
    if wanted not in accelerator.VALUES:
        raise BadSetting(f"{accelerator.VARIABLE}: expected {' or '.join(accelerator.VALUES)}, got {wanted!r}")


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
        if settings.processes > 1:
            raise BadSetting("--processes: expected 1 without --cluster, since several processes share a log")
        return
    if settings.processes > 1 and not settings.port:
        raise BadSetting("--port: expected the port that --processes share, got 0")
    if not settings.database.startswith(("postgresql:", "postgres:")):
        raise BadSetting("--database: expected postgresql://…, which the nodes of a cluster share")
    if importlib.util.find_spec("nats") is None:
        raise BadSetting("--cluster: NATS needs the package nats-py: pip install 'chatter[cluster]'")
    if settings.max_message_length > MAX_SHARED_LENGTH:
        raise BadSetting(f"--max-message-length: expected at most {MAX_SHARED_LENGTH} in a cluster")
    if settings.max_frame_bytes > MAX_SHARED_FRAME:
        raise BadSetting(f"--max-frame-bytes: expected at most {MAX_SHARED_FRAME} in a cluster")


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


def set_up_logging(level: str) -> None:
    """Sets up logging to stderr, without what others know of people: at debug, too.

    Tornado only warns: its info repeats requests that are none, with tokens in them. So does Pykka, whose info is the
    traceback of each refusal. Peewee does not repeat its statements: hashes and texts are in them.
    """
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name in ("tornado", "pykka"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    logging.getLogger("peewee").setLevel(max(logging.INFO, logging.getLogger().level))
