"""What NATS servers say of themselves: a node works only with servers that write to the disk before they answer.

A server says so on its monitoring address alone. /varz has these fields in all servers since 2.12.
"""

import asyncio
import http.client
import logging
import urllib.request
from collections.abc import Sequence

import msgspec

from chatter.cluster.errors import ClusterRefused

logger = logging.getLogger(__name__)

OLDEST = (2, 12, 0)
"""The oldest server: before 2.11 compare-and-append lets stale ones pass, 2.9 one in ten without any fault."""

_TIMEOUT = 2.0
_MAX_BYTES = 1024 * 1024


class _Settings(msgspec.Struct):
    sync_always: bool = False
    sync_interval: int = 0  # in ns


class _JetStream(msgspec.Struct):
    config: _Settings | None = None


class _Server(msgspec.Struct):
    server_name: str
    version: str
    jetstream: _JetStream = msgspec.field(default_factory=_JetStream)

    def check(self) -> None:
        """Raises ClusterRefused where it is too old, or where a power cut could lose what it acknowledges."""
        name = f"the NATS server {self.server_name}"
        if _numbers(self.version) < OLDEST:
            raise ClusterRefused(too_old(name, self.version))
        if self.jetstream.config is None:
            raise ClusterRefused(f"{name} has no JetStream: give it `jetstream {{ store_dir: … }}`")
        if not self.jetstream.config.sync_always:
            raise ClusterRefused(
                f"{name} writes to its disk every {self.jetstream.config.sync_interval / 1e9:g} s only: "
                "a power cut would lose messages that were acknowledged; set `jetstream { sync_interval: always }`"
            )


def too_old(server: str, version: str) -> str:
    """Returns the sentence that refuses a server of this version."""
    oldest = ".".join(map(str, OLDEST[:2]))
    return f"{server} is {version}, expected {oldest} or newer: older ones place turns that were decided too early"


async def check_all(monitors: Sequence[str], keepers: set[str], heard: set[str]) -> None:
    """Checks every server that keeps a stream. Raises ClusterRefused.

    `monitors` are the monitoring addresses of all servers. A minority of `keepers` that is not `heard` by a leader
    need not answer: a node starts also while a server is down.
    """
    seen, absent = set(), []
    for address in monitors:
        try:
            server = await asyncio.to_thread(_look, address)
        except ClusterRefused as error:
            absent.append(error)
        else:
            server.check()
            seen.add(server.server_name)
    unseen = keepers - seen
    names = ", ".join(sorted(unseen))
    if absent and (unseen & heard or len(absent) > len(unseen) or 2 * len(unseen) >= len(keepers)):
        raise absent[0]
    if len(unseen) > len(absent):
        raise ClusterRefused(
            f"it is not known whether the NATS servers {names} write to their disks before they answer, and a power "
            "cut could lose messages that were acknowledged: name the monitoring address of each server with "
            "--cluster-monitors"
        )
    if absent:
        logger.warning("%s; the log goes on without %s", absent[0], names)


async def find_danger(monitors: Sequence[str]) -> str | None:
    """Says why a power cut could lose what servers acknowledge that run now; None where none is known to be unsafe.

    One that does not answer acknowledges nothing, or is looked at the next time.
    """
    for address in monitors:
        try:
            server = await asyncio.to_thread(_look, address)
        except ClusterRefused:
            continue
        try:
            server.check()
        except ClusterRefused as error:
            return str(error)
    return None


def _look(address: str) -> _Server:
    """Reads /varz of a server's monitoring address, like http://127.0.0.1:8222."""
    try:
        with urllib.request.urlopen(f"{address.rstrip('/')}/varz", timeout=_TIMEOUT) as response:  # noqa: S310
            return msgspec.json.decode(response.read(_MAX_BYTES), type=_Server)
    except OSError as error:
        raise _refused(address, f"does not answer: {getattr(error, 'reason', error)}") from error
    except (ValueError, http.client.HTTPException) as error:
        raise _refused(address, "is another program's, or not the one for monitoring") from error


def _refused(address: str, why: str) -> ClusterRefused:
    return ClusterRefused(
        f"the monitoring address {address} {why}: start that NATS server with `http: HOST:PORT`, "
        "or name its address with --cluster-monitors"
    )


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version like 2.12.1-beta.2; none where it is not like that."""
    numbers = version.split("-", maxsplit=1)[0].split(".")
    return tuple(map(int, numbers)) if all(map(str.isdecimal, numbers)) else ()
