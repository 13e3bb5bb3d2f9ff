"""The connection to NATS: what nats-py leaves to its user, and whether the cluster answers.

A nats-server that is cut off from the others keeps its clients connected. So a connection over which no leader has
answered for `SILENCE` seconds goes to the next server.
"""

import asyncio
import base64
import contextlib
import logging
import random
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import nats.errors
from nats.aio.client import Client, Server
from nats.aio.msg import Msg

from chatter.cluster.credentials import Credentials
from chatter.cluster.errors import ClusterRefused, NoAnswer

logger = logging.getLogger(__name__)
_asyncio = logging.getLogger("asyncio")

PING_INTERVAL, MISSED_PINGS = 2, 2
"""A connection that stalls is noticed after seconds, where nats-py's defaults take four to six minutes."""

RECONNECT_PAUSE = 0.2
"""Seconds between two tries to reach one server. They never end: nats-py's default closes for ever after 60."""

OUTGOING = 8 * 1024 * 1024
"""Bytes that wait to be sent."""

INCOMING = 64 * 1024 * 1024
"""Bytes of one subscription that wait to be handled; what comes then is lost, and read from the stream."""

SILENCE = 5.0
"""Seconds without an answer of any leader, after which the connection is given up; for one leader twice as long.

One leader alone may be silent for an election; that takes up to 7 s.
"""

WATCH_INTERVAL = 0.5

OnMessage = Callable[[Msg], None]


class NotSent(NoAnswer):
    """The request has reached nobody: there is no connection, or nobody who answers such requests."""


class Connection:
    """One node's connection. What it subscribes to lasts over reconnects."""

    def __init__(
        self,
        servers: Sequence[str],
        *,
        name: str,
        tls: ssl.SSLContext | None = None,
        user: str | None = None,
        password: str | None = None,
        credentials: Credentials | None = None,
        silence: float = SILENCE,
    ) -> None:
        """`servers` are URLs, which may have user and password."""
        self.servers = tuple(servers)
        self.counts: Counter[str] = Counter()  # reconnects, errors, slow_consumers, forced
        self.on_reconnected: Callable[[], None] = lambda: None
        self.probe: Callable[[str], Awaitable[None]] | None = None  # asks a leader something; called where it is quiet
        self._name = name
        self._tls = tls
        self._user, self._password, self._credentials = user, password, credentials
        self._silence = silence
        self._client = Client()
        self._subscriptions: list[tuple[str, OnMessage]] = []
        self._connected_at = time.monotonic()
        self._answered_at: dict[str, float] = {}  # by leader
        self._left = ""  # the server that was left for its silence
        self._is_closing = False
        self._watcher: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_connected(self) -> bool:
        """Whether there is a server."""
        return self._client.is_connected

    @property
    def is_answering(self) -> bool:
        """Whether the leaders have answered lately, so that this node may call itself healthy."""
        return self.is_connected and not self._is_silent(since=0.0)

    @property
    def version(self) -> tuple[int, int, int]:
        """The version of the server to which it is connected."""
        version = self._client.connected_server_version
        return version.major, version.minor, version.patch

    def answered(self, leader: str) -> None:
        """Notes that this leader has answered, and has a quorum. Those that have done so once are watched."""
        self._answered_at[leader] = time.monotonic()

    async def open(self, timeout: float = 10.0) -> None:
        """Connects to one of the servers. Raises ClusterRefused where none accepts within `timeout` seconds."""
        if self._tls is not None:  # its logger has no other place to be told, and belongs to the process
            _asyncio.addFilter(self._says_something)
        try:
            await self._connect_within(timeout)
            self._watcher = asyncio.create_task(self._watch())
        except (TimeoutError, nats.errors.Error, OSError, ValueError) as error:
            why = self._client.last_error or error
            raise ClusterRefused(f"no NATS server accepts this node at {self._addresses()}: {why}") from error
        finally:
            if self._watcher is None:
                await self._client.close()
                _asyncio.removeFilter(self._says_something)

    async def close(self) -> None:
        """Sends what waits, and disconnects."""
        self._is_closing = True
        for task in (self._watcher, *self._tasks):
            if task is not None:
                task.cancel()
        with contextlib.suppress(nats.errors.Error, TimeoutError, OSError):
            if self._client.is_connected:
                await self._client.flush(timeout=1)
        await self._client.close()
        _asyncio.removeFilter(self._says_something)

    async def request(
        self, subject: str, payload: bytes, *, timeout: float, headers: Mapping[str, str] | None = None
    ) -> Msg:
        """Returns the answer. Raises NotSent where the request has surely reached nobody, else NoAnswer."""
        if not self._client.is_connected:
            raise NotSent("not connected")
        try:
            with _cancellable():
                return await self._client.request(subject, payload, timeout, headers=dict(headers) if headers else None)
        except nats.errors.NoRespondersError as error:
            raise NotSent(f"nobody answers on {subject}") from error
        except (nats.errors.Error, OSError) as error:
            raise NoAnswer(f"no answer on {subject}: {error!r}") from error

    async def stream(
        self, subject: str, payload: bytes, *, timeout: float, is_last: Callable[[Msg], object]
    ) -> list[Msg]:
        """Sends a request that several messages answer, and returns them, the last one too. Raises NoAnswer."""
        client = self._client
        messages: list[Msg] = []
        if not client.is_connected:
            raise NotSent("not connected")
        try:
            subscription = await client.subscribe(client.new_inbox())
            try:
                await client.publish(subject, payload, reply=subscription.subject)
                while not messages or not is_last(messages[-1]):
                    with _cancellable():
                        messages.append(await subscription.next_msg(timeout))
            finally:
                await subscription.unsubscribe()
        except (nats.errors.Error, OSError) as error:
            raise NoAnswer(f"no answer on {subject}: {error!r}") from error
        return messages

    async def publish(self, subject: str, payload: bytes) -> None:
        """Sends what may be lost. Never use it for the log, which needs the compare."""
        if self._client.is_connected:
            with contextlib.suppress(nats.errors.Error, OSError):
                await self._client.publish(subject, payload)

    async def subscribe(self, subject: str, on_message: OnMessage) -> None:
        """Has `on_message` called for each message, in the order of each sender."""
        self._subscriptions.append((subject, on_message))
        await self._subscribe(subject, on_message)

    async def flush(self) -> None:
        """Waits until the server has handled what was sent before. Raises NoAnswer."""
        try:
            await self._client.flush(timeout=2)
        except (nats.errors.Error, OSError) as error:
            raise NoAnswer(f"no answer to a ping: {error!r}") from error

    async def force_reconnect(self) -> None:
        """Goes to the next server. What waits to be sent to a server that does not read is dropped."""
        self.counts["forced"] += 1
        at = self._client.connected_url
        self._left = at.netloc if at is not None else ""
        self._abort()
        await self._client.force_reconnect()

    async def _connect_within(self, timeout: float) -> None:
        """Connects, or raises TimeoutError. Cancels until it ends: nats-py may swallow that, and try for ever."""
        connecting = asyncio.ensure_future(self._connect())
        try:
            await asyncio.wait({connecting}, timeout=timeout)
        finally:
            while not connecting.done():
                connecting.cancel()
                await asyncio.wait({connecting}, timeout=0.1)
        if connecting.cancelled():
            raise TimeoutError
        await connecting

    async def _connect(self) -> None:
        await self._client.connect(
            list(self.servers),
            error_cb=self._on_error,
            closed_cb=self._on_closed,
            reconnected_cb=self._on_reconnected,
            reconnect_to_server_handler=self._next_server,
            ping_interval=PING_INTERVAL,
            max_outstanding_pings=MISSED_PINGS,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_PAUSE,  # type: ignore[arg-type]  # nats-py says int, and sleeps so long
            connect_timeout=2,
            pending_size=OUTGOING,
            name=self._name,
            tls=self._tls,
            user=self._user,
            password=self._password,
            **_shown(self._credentials),
        )
        self._connected_at = time.monotonic()

    def _next_server(self, servers: list[Server], _info: dict[str, Any]) -> tuple[Server, float]:
        """Chooses where to connect, and after which pause: those first that were tried least, without the one left."""
        best = min(servers, key=lambda each: (each.reconnects + (each.uri.netloc == self._left), random.random()))
        return best, RECONNECT_PAUSE if best.reconnects > 0 else 0.0

    async def _subscribe(self, subject: str, on_message: OnMessage) -> None:
        async def take(message: Msg) -> None:
            on_message(message)

        await self._client.subscribe(subject, cb=take, pending_bytes_limit=INCOMING)

    async def _watch(self) -> None:
        """Probes where it is quiet, and gives a connection up over which no leader answers."""
        while True:
            await asyncio.sleep(WATCH_INTERVAL)
            if not self._client.is_connected:
                if time.monotonic() - self._connected_at > 2 * self._silence:
                    self._abort()  # nats-py waits for the old socket to be written out, which a stalled one never is
                    self._connected_at = time.monotonic()
            elif self._is_silent(since=self._connected_at):
                logger.warning("no leader answers, or one does not: going to another NATS server")
                self._connected_at = time.monotonic()
                await self.force_reconnect()
            elif self.probe is not None and not self._tasks:
                quiet = time.monotonic() - self._silence / 3
                for leader in [leader for leader, at in self._answered_at.items() if at < quiet]:
                    self._spawn(self.probe(leader))

    def _is_silent(self, since: float) -> bool:
        """Whether no leader has answered for `silence` seconds after the moment `since`, or one for twice as long."""
        now, moments = time.monotonic(), self._answered_at.values()
        if not moments:
            return False
        return now - max(since, *moments) > self._silence or now - max(since, min(moments)) > 2 * self._silence

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _abort(self) -> None:
        """Drops the socket with what waits in it. nats-py has no call for that."""
        writer = getattr(getattr(self._client, "_transport", None), "_io_writer", None)
        if writer is not None:
            writer.transport.abort()

    async def _on_error(self, error: Exception) -> None:
        slow = isinstance(error, nats.errors.SlowConsumerError)
        self.counts["slow_consumers" if slow else "errors"] += 1
        logger.log(logging.WARNING if slow else logging.INFO, "NATS: %r", error)
        if not self._client.is_connected:
            self._abort()  # nats-py leaves the socket of a try that failed open

    async def _on_reconnected(self) -> None:
        self.counts["reconnects"] += 1
        self._connected_at = time.monotonic()
        self.on_reconnected()

    async def _on_closed(self) -> None:
        """Opens anew what the server has closed for good, as nats-py does after an error like missing rights."""
        if self._is_closing or self._watcher is None:
            return
        logger.error("the NATS server has closed the connection: %s", self._client.last_error)
        self._spawn(self._reopen())

    async def _reopen(self) -> None:
        while not self._is_closing:
            await asyncio.sleep(RECONNECT_PAUSE)
            self._client = Client()
            try:
                await self._connect_within(10)
                for subject, on_message in self._subscriptions:
                    await self._subscribe(subject, on_message)
            except (nats.errors.Error, OSError, TimeoutError) as error:
                logger.warning("NATS: %r", error)
                await self._client.close()
            else:
                await self._on_reconnected()
                return

    def _says_something(self, record: logging.LogRecord) -> bool:
        """Whether a warning of asyncio is about more than how nats-py begins TLS, of which it warns at each end."""
        return "eof_received() has no effect" not in str(record.msg)

    def _addresses(self) -> str:
        """The servers without what is secret in their URLs."""
        parts = [urlsplit(server) for server in self.servers]
        return ", ".join(f"{part.hostname}:{part.port or 4222}" for part in parts)


def _shown(credentials: Credentials | None) -> dict[str, Any]:
    """How nats-py shows who this is, and signs what the server asks it to."""
    if credentials is None:
        return {}
    token, sign = credentials
    return {
        "user_jwt_cb": lambda: bytearray(token),
        "signature_cb": lambda nonce: base64.b64encode(sign(nonce.encode())),
    }


@contextlib.contextmanager
def _cancellable() -> Iterator[None]:
    """Has a task end that is cancelled here: nats-py swallows that where the answer comes in the same turn."""
    task = asyncio.current_task()
    before = 0 if task is None else task.cancelling()
    try:
        yield
    finally:
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError
