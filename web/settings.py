"""Settings: one frozen object, read from the command line, else the environment, else the defaults.

A field `like_this` of `Settings` is the option `--like-this` of `chatter serve` and the variable `CHATTER_LIKE_THIS`;
`docs/configuration.md` has the same table.
"""

import argparse
import dataclasses
import importlib
import inspect
import ipaddress
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias, TypeVar, cast

from chatter.room.context import RoomSettings
from web.limits import Limits, Rate

Environment: TypeAlias = Mapping[str, str]
Slice = TypeVar("Slice", Limits, RoomSettings)

Authorize: TypeAlias = Callable[[str, Mapping[str, Any]], bool | Awaitable[bool]]
"""Returns whether a client may join the room of this slug with these parameters."""


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


def _addresses(text: str) -> frozenset[str]:
    try:
        return frozenset(str(ipaddress.ip_address(address)) for address in text.split())
    except ValueError as error:
        raise ValueError("IP addresses separated by blanks") from error


def _hook(text: str) -> str:
    if text and not re.fullmatch(r"[\w.]+:\w+", text):
        raise ValueError("package.module:function")
    return text


_LEVELS = ("debug", "info", "warning", "error")


def _setting(default: Any, parse: Callable[[str], Any], what: str) -> Any:
    return dataclasses.field(default=default, metadata={"parse": parse, "what": what})


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """How this server runs. Sizes are in bytes, times in seconds."""

    host: str = _setting("127.0.0.1", _words, "address to listen on; 0.0.0.0 for all")
    port: int = _setting(8000, _whole(0, 65_535), "port to listen on; 0 picks a free one")
    database: str = _setting(
        "sqlite:///var/chatter.db", _words, "where messages are kept: sqlite:///path or postgresql://user@host/name"
    )
    sqlite_synchronous: str = _setting(
        "full", _one_of("full", "normal"), "full: what is acknowledged survives power loss; normal: only a crash"
    )
    spool_folder: str = _setting(
        "", str, "where messages are kept that could not be saved; the SQLite file's folder, or var for PostgreSQL"
    )
    log_level: str = _setting(
        "warning", _one_of(*_LEVELS), f"the least important messages that are logged: {', '.join(_LEVELS)}"
    )
    allowed_origins: frozenset[str] = _setting(
        frozenset(), _origins, "other origins whose pages may connect, separated by blanks; * for any"
    )
    trusted_proxies: frozenset[str] = _setting(
        frozenset(), _addresses, "addresses of proxies whose X-Forwarded-For is believed, separated by blanks"
    )
    authorize: str = _setting(
        "", _hook, "who may join: package.module:function, called with the room and the join's parameters"
    )

    authorize_timeout: float = _setting(5.0, _seconds, "how long an async `authorize` may take to decide a join")
    max_name_length: int = _setting(64, _whole(1, 1_000), "longest name, in characters")
    max_message_length: int = _setting(4_000, _whole(1, 1_000_000), "longest message, in characters")
    max_id_length: int = _setting(64, _whole(1, 1_000), "longest id that a client may give a message, in characters")
    max_history_page: int = _setting(100, _whole(1, 10_000), "most messages in one answer to `history`")
    max_recovery_page: int = _setting(
        500, _whole(1, 10_000), "most messages sent at once to a client that comes back, or in a page after a seq"
    )
    max_page_bytes: int = _setting(
        262_144,
        _whole(1_024, 1_000_000_000),
        "about how large the messages sent for one such request may be; at most half of max_unsent_bytes counts",
    )
    max_recovery_gap: int = _setting(
        5_000, _whole(0, 1_000_000), "most messages that a client may have missed and still get all of them"
    )
    max_unsaved_messages: int = _setting(
        10_000, _whole(1, 10_000_000), "most messages that wait to be committed before further ones are refused"
    )
    max_unsaved_bytes: int = _setting(
        33_554_432, _whole(1_024, 100_000_000_000), "how large they may be before further ones are refused"
    )
    max_channels: int = _setting(100, _whole(1, 1_000_000), "most rooms that one connection may join")
    max_join_bytes: int = _setting(8_192, _whole(64, 100_000_000), "largest parameters of a join, as JSON")
    max_frame_bytes: int = _setting(65_536, _whole(1_024, 100_000_000), "largest message that a client may send")
    max_unsent_bytes: int = _setting(
        1_048_576, _whole(1_024, 1_000_000_000), "most that is kept for a client that does not read"
    )
    send_buffer_bytes: int = _setting(
        131_072, _whole(4_096, 1_000_000_000), "what the kernel keeps besides for a connection; Linux takes twice that"
    )
    max_poll_body_bytes: int = _setting(8_000_000, _whole(1_024, 1_000_000_000), "largest body of a long-poll POST")
    max_poll_bodies_bytes: int = _setting(
        67_108_864, _whole(1_024, 100_000_000_000), "largest that all of these together may be that exceed a message"
    )
    max_poll_messages: int = _setting(100, _whole(1, 10_000), "most messages taken from one long-poll POST")
    rate_limits: str = _setting("on", _one_of("on", "off"), "off: nobody is refused for asking too often")
    message_rate: Rate = _setting(
        Rate(20, 100), Rate.parse, "messages from one connection: how many per second in the long run/at once"
    )
    join_rate: Rate = _setting(Rate(20, 200), Rate.parse, "joins from one connection: per second/at once")
    typing_rate: Rate = _setting(Rate(5, 20), Rate.parse, "`typing` from one connection: per second/at once")
    history_rate: Rate = _setting(
        Rate(20, 100), Rate.parse, "`history` and `sync` from one connection: per second/at once"
    )
    connect_rate: Rate = _setting(Rate(50, 1_000), Rate.parse, "connections from one address: per second/at once")
    max_connections_per_address: int = _setting(
        1_000, _whole(1, 10_000_000), "most connections that one address, or network of IPv6, has at the same time"
    )
    room_rate: Rate = _setting(
        Rate(1, 50), Rate.parse, "rooms in which nothing was said yet, opened from one address: per second/at once"
    )
    max_ignored_refusals: int = _setting(
        200, _whole(1, 1_000_000), "refusals in a row, none heeded, after which a connection is closed"
    )
    idle_timeout: float = _setting(60.0, _seconds, "silence of a client after which its websocket is closed")
    handshake_timeout: float = _setting(
        10.0, _seconds, "how long the head of a request may take to arrive, also on a connection that is kept"
    )
    body_timeout: float = _setting(30.0, _seconds, "how long the body of a request may take to arrive")
    poll_window: float = _setting(10.0, _seconds, "how long a long poll waits for something to say")
    ring_size: int = _setting(200, _whole(1, 100_000), "recent messages that a room keeps in memory")
    id_memory_size: int = _setting(
        1_000, _whole(0, 1_000_000), "recent messages of a room whose ids are compared before a message is said"
    )
    greeting_size: int = _setting(10, _whole(0, 1_000), "recent messages pushed to one who joins")
    presence_grace: float = _setting(
        10.0, _seconds, "how long people are shown as here after a restart of the server, until they come back"
    )
    max_listed_people: int = _setting(
        100, _whole(0, 1_000_000), "most people in a room that clients are told the names of; of more only how many"
    )
    max_listed_connections: int = _setting(
        10, _whole(1, 1_000_000), "most connections of each of them that clients are told of"
    )
    presence_interval: float = _setting(
        2.0, _seconds, "longest pause between two news of who came and went, which large rooms make"
    )
    room_idle_timeout: float = _setting(60.0, _seconds, "how long an empty room stays in memory")
    drain_notice: float = _setting(
        0.0, _seconds_or_none, "how long a server that is told to stop serves on, while `/healthz` says that it stops"
    )
    close_batch_size: int = _setting(
        250, _whole(1, 1_000_000), "how many connections are closed at once when the server stops"
    )
    close_spread: float = _setting(
        2.0, _seconds_or_none, "the time over which they are closed, where there is more than one batch"
    )
    stop_timeout: float = _setting(5.0, _seconds, "how long stopping waits for the database and for clients")

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

    def _slice(self, kind: type[Slice]) -> Slice:
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
    for name in environment:
        if name.startswith("CHATTER_") and name not in known:
            raise BadSetting(f"{name}: there is no such setting")
    values: dict[str, Any] = {}
    for field in dataclasses.fields(Settings):
        option = options.get(field.name)
        if option is not None:
            values[field.name] = _parsed(field, _option(field), option)
        elif variable(field) in environment:
            values[field.name] = _parsed(field, variable(field), environment[variable(field)])
    settings = Settings(**values)
    if settings.greeting_size > settings.ring_size:
        raise BadSetting(f"--greeting-size: expected at most --ring-size ({settings.ring_size})")
    return settings


def _parsed(field: "dataclasses.Field[Any]", source: str, text: str) -> Any:
    try:
        return field.metadata["parse"](text)
    except ValueError as error:
        raise BadSetting(f"{source}: expected {error}, got {text!r}") from error


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


def _hook_fault(function: Any) -> str | None:
    """Returns why a hook can never answer True or False, as far as that can be seen."""
    if not callable(function):
        return "something that cannot be called"
    if inspect.isclass(function):
        return "a class"
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return "a generator"
    try:
        inspect.signature(function).bind("lobby", {})
    except TypeError as error:
        return f"one of which that is not true ({error})"
    except ValueError:
        pass  # nothing is known about some functions that are written in C
    return None


def set_up_logging(level: str) -> None:
    """Sets up logging to stderr."""
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
