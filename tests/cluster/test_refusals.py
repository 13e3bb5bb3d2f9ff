"""A node starts only with the log that it expects, and says in one line what is wrong."""

import asyncio
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chatter.cluster import streams
from chatter.cluster.cluster import ClusterLog, ClusterSettings, Position
from chatter.cluster.errors import ClusterRefused, LaneStopped
from chatter.cluster.frames import GENESIS
from tests.cluster.talk import LANES, TalkingNode, create_log, settings
from tests.support.nats import NatsCluster, until
from tests.support.ports import free_port
from tests.support.server import PATIENCE

pytestmark = pytest.mark.nats


async def refusal(to: ClusterSettings, positions: list[Position] | None = None) -> str:
    """What a node says that may not start."""
    log = ClusterLog(to, on_turn=lambda _turn: None)
    with pytest.raises((ClusterRefused, LaneStopped)) as refused:
        await log.open(positions or [Position(0, GENESIS)] * to.lanes)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_log_is_made_once_and_by_its_command_only(one: NatsCluster) -> None:
    async def scenario() -> None:
        missing = await refusal(settings(one, "ann"))
        assert missing.startswith("the stream CHATTER_0 is missing: ")
        assert missing.endswith("`chatter cluster create --log-lost` begins another")
        await create_log(one)
        with pytest.raises(ClusterRefused, match="the stream CHATTER_0 is there already: a log is made once"):
            await create_log(one)

    asyncio.run(scenario())


def test_another_log_than_that_of_the_database_is_refused(one: NatsCluster) -> None:
    async def scenario() -> None:
        await create_log(one)
        node = TalkingNode(settings(one, "ann"))
        made = await node.open()
        await node.say(0, b"hello")
        await node.close()
        known = [Position(0, GENESIS, stream.created) for stream in made]

        ahead = [Position(2, GENESIS, made[0].created), known[1]]
        lost = await refusal(settings(one, "ann"), ahead)
        assert lost.startswith("the log of CHATTER_0 is lost from 2 on: the database has it up to 2: ")
        connection = settings(one, "operator").connection()
        await connection.open()
        for lane in range(LANES):
            await connection.request(f"$JS.API.STREAM.DELETE.CHATTER_{lane}", b"", timeout=PATIENCE)
        await connection.close()
        await create_log(one)
        text = await refusal(settings(one, "ann"), known)
        assert text.startswith("the stream CHATTER_0 is another one: it was created at 20")
        assert f"the database has the log of the one of {made[0].created}: " in text

    asyncio.run(scenario())


def fewer_lanes(cluster: NatsCluster) -> ClusterSettings:
    return ClusterSettings(cluster.urls, "ann", lanes=1, replicas=1, monitors=cluster.monitors)


def more_replicas(cluster: NatsCluster) -> ClusterSettings:
    return ClusterSettings(cluster.urls, "ann", lanes=LANES, replicas=3, monitors=cluster.monitors)


def no_monitor(cluster: NatsCluster) -> ClusterSettings:
    return ClusterSettings(cluster.urls, "ann", lanes=LANES, replicas=1)


def silent_monitor(cluster: NatsCluster) -> ClusterSettings:
    return ClusterSettings(cluster.urls, "ann", lanes=LANES, replicas=1, monitors=("http://127.0.0.1:1",))


def silent_server(cluster: NatsCluster) -> ClusterSettings:
    return ClusterSettings(("nats://somebody:secret@127.0.0.1:1",), "ann", LANES, connect_timeout=2.0)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (fewer_lanes, "the log has 2 lanes, expected 1"),
        (more_replicas, "the stream CHATTER_0 has 1 replicas, expected 3"),
        (
            no_monitor,
            "it is not known whether the NATS servers n0 write to their disks before they answer, and a power cut",
        ),
        (silent_monitor, "the monitoring address http://127.0.0.1:1 does not answer: "),
        (silent_server, "no NATS server accepts this node at 127.0.0.1:1: "),
    ],
)
def test_a_cluster_that_is_not_as_configured_is_refused(
    one: NatsCluster, wrong: Callable[[NatsCluster], ClusterSettings], text: str
) -> None:
    async def scenario() -> None:
        await create_log(one)
        assert (await refusal(wrong(one))).startswith(text)

    asyncio.run(scenario())


def test_a_server_that_acknowledges_before_it_writes_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        with NatsCluster(tmp_path, 1, sync='"2m"') as cluster:
            await create_log(cluster)
            assert await refusal(settings(cluster, "ann")) == (
                "the NATS server n0 writes to its disk every 120 s only: a power cut would lose messages that were "
                "acknowledged; set `jetstream { sync_interval: always }`"
            )

    asyncio.run(scenario())


def test_a_server_that_comes_back_so_is_noticed_by_a_node_that_runs(one: NatsCluster) -> None:
    async def scenario() -> None:
        await create_log(one)
        node = TalkingNode(settings(one, "ann"))
        await node.open()
        (server,) = one.servers
        for sync, danger in (('"2m"', "the NATS server n0 writes to its disk every 120 s only: "), ("always", "None")):
            server.kill()
            server.sync = sync
            server.configure()
            server.start()
            await until(lambda danger=danger: str(node.log.danger).startswith(danger))  # type: ignore[misc]
        await node.say(0, b"hello")
        await node.close()

    asyncio.run(scenario())


class Monitor(http.server.ThreadingHTTPServer):
    """Monitor answers each request with what a test has it say."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _MonitorHandler)
        self.body = b""
        self.asked = threading.Semaphore(0)
        self.address = f"http://127.0.0.1:{self.server_port}"

    def say(self, about: object) -> None:
        self.body = json.dumps(about).encode()


class _MonitorHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Monitor)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.body)
        self.server.asked.release()

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def monitor() -> Iterator[Monitor]:
    with Monitor() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def about(**config: object) -> dict[str, object]:
    """What a server says of itself."""
    return {"server_name": "n0", "version": "2.12.1", "jetstream": {"config": config}}


@pytest.mark.parametrize("said", [{}, [], None, "n0", {"server_name": 1}, {**about(), "jetstream": 7}])
def test_another_programs_address_is_refused(one: NatsCluster, monitor: Monitor, said: object) -> None:
    async def scenario() -> None:
        await create_log(one)
        monitor.say(said)
        text = await refusal(replace(settings(one, "ann"), monitors=(monitor.address,)))
        assert text.startswith(f"the monitoring address {monitor.address} is another program's, or not the one for ")

    asyncio.run(scenario())


def test_the_address_for_clients_is_refused_as_one_for_monitoring(one: NatsCluster) -> None:
    async def scenario() -> None:
        await create_log(one)
        address = one.urls[0].replace("nats://", "http://")
        text = await refusal(replace(settings(one, "ann"), monitors=(address,)))
        assert text.startswith(f"the monitoring address {address} is another program's, or not the one for monitoring")

    asyncio.run(scenario())


@pytest.mark.parametrize("version", ["", "dev", "2.12.x"])
def test_a_version_that_cannot_be_read_is_refused(one: NatsCluster, monitor: Monitor, version: str) -> None:
    async def scenario() -> None:
        await create_log(one)
        monitor.say({**about(sync_always=True), "version": version})
        text = await refusal(replace(settings(one, "ann"), monitors=(monitor.address,)))
        assert text.startswith(f"the NATS server n0 is {version}, expected 2.12 or newer: ")

    asyncio.run(scenario())


def test_a_node_that_runs_goes_on_looking_where_another_program_has_answered(
    one: NatsCluster, monitor: Monitor
) -> None:
    async def scenario() -> None:
        await create_log(one)
        monitor.say(about(sync_always=True))
        node = TalkingNode(replace(settings(one, "ann"), monitors=(monitor.address,)))
        await node.open()
        monitor.say([])
        assert monitor.asked.acquire(timeout=0)
        assert await asyncio.to_thread(monitor.asked.acquire, timeout=PATIENCE)
        monitor.say(about(sync_interval=2 * 10**9))
        await until(lambda: str(node.log.danger).startswith("the NATS server n0 writes to its disk every 2 s only: "))
        await node.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("is_monitored", [True, False])
def test_a_server_without_jetstream_is_refused_within_seconds(one: NatsCluster, *, is_monitored: bool) -> None:
    async def scenario() -> None:
        (server,) = one.servers
        server.kill()
        server.has_jetstream = False
        server.configure()
        server.start()
        await until(lambda: server.is_ready)
        began = asyncio.get_running_loop().time()
        monitors = one.monitors if is_monitored else ()
        text = await refusal(ClusterSettings(one.urls, "ann", lanes=LANES, replicas=1, monitors=monitors))
        assert text.startswith("no NATS server has JetStream for this account: give each `jetstream { store_dir: ")
        assert asyncio.get_running_loop().time() - began < streams.CREATE_TIMEOUT / 2

    asyncio.run(scenario())


def test_an_old_server_is_refused() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        about = {"server_id": "A", "server_name": "old", "version": "2.9.10", "headers": True, "max_payload": 1048576}
        writer.write(b"INFO " + json.dumps(about).encode() + b"\r\n")
        while line := await reader.readline():
            if line.startswith(b"PING"):
                writer.write(b"PONG\r\n")
        writer.close()

    async def scenario() -> None:
        port = free_port()
        async with await asyncio.start_server(speak, "127.0.0.1", port):
            assert await refusal(ClusterSettings((f"nats://127.0.0.1:{port}",), "ann")) == (
                "the NATS server is 2.9.10, expected 2.12 or newer: older ones place turns that were decided too early"
            )

    asyncio.run(scenario())


def test_a_name_that_a_living_node_has_is_refused_and_free_once_it_has_left(one: NatsCluster) -> None:
    async def scenario() -> None:
        await create_log(one)
        first = TalkingNode(settings(one, "ann"))
        await first.open()
        text = await refusal(settings(one, "ann"))
        assert text.startswith("the node name ann is taken: a node that started at ")
        await first.close()
        second = TalkingNode(settings(one, "ann"))
        await second.open()
        await second.close()

    asyncio.run(scenario())


def test_of_two_that_start_at_once_with_one_name_the_younger_gives_up(one: NatsCluster) -> None:
    async def scenario() -> None:
        await create_log(one)
        elder, younger = TalkingNode(settings(one, "ann")), TalkingNode(settings(one, "ann"))
        outcomes = await asyncio.gather(elder.open(), younger.open(), return_exceptions=True)
        if not any(isinstance(outcome, ClusterRefused) for outcome in outcomes):
            await until(lambda: not younger.log.is_healthy)
            assert younger.alarms == ["another node has the name ann and started before this one"]
            assert elder.log.is_healthy
        for node in (elder, younger):
            await node.log.close()

    asyncio.run(scenario())


def test_streams_need_room_for_their_bytes(one: NatsCluster) -> None:
    async def scenario() -> None:
        connection = settings(one, "operator").connection()
        await connection.open()
        with pytest.raises(ClusterRefused, match="CHATTER_0 cannot be made: insufficient storage"):
            await streams.create(connection, lanes=1, replicas=1, max_bytes=1 << 40)
        await connection.close()

    asyncio.run(scenario())


def test_a_name_that_is_no_part_of_a_subject_is_refused(one: NatsCluster) -> None:
    with pytest.raises(ValueError, match=r"expected a node name of 1 to 64 of a-z, 0-9, - and _, got 'a.b'"):
        settings(one, "a.b")


def test_a_stream_that_was_changed_by_hand_is_refused(one: NatsCluster) -> None:
    async def scenario() -> None:
        await create_log(one)
        connection = settings(one, "operator").connection()
        await connection.open()
        info = (await connection.request("$JS.API.STREAM.INFO.CHATTER_1", b"", timeout=PATIENCE)).data.decode()
        config = {**json.loads(info)["config"], "discard": "old"}
        await connection.request("$JS.API.STREAM.UPDATE.CHATTER_1", json.dumps(config).encode(), timeout=PATIENCE)
        await connection.close()
        with pytest.raises(ClusterRefused, match="the stream CHATTER_1 has discard old, expected new"):
            await TalkingNode(settings(one, "ann")).open()

    asyncio.run(scenario())
