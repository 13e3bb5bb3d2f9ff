"""Who may connect, and that a connection which the server has ended is opened again."""

import asyncio
import logging
import ssl
from pathlib import Path

import pytest

from chatter.cluster import streams
from chatter.cluster.cluster import ClusterSettings
from chatter.cluster.errors import ClusterRefused
from tests.cluster.talk import LANES, TalkingNode
from tests.support.certificates import certificate
from tests.support.nats import NatsCluster, until
from tests.support.server import PATIENCE

pytestmark = pytest.mark.nats


def users(password: str) -> str:
    """Lets one user do what a node does, and nothing else."""
    allowed = '["chatter.>", "$JS.API.>", "_INBOX.>"]'
    permissions = f"{{ publish: {allowed}, subscribe: {allowed} }}"
    return f"authorization {{ users: [{{ user: node, password: {password}, permissions: {permissions} }}] }}"


def with_user(cluster: NatsCluster, password: str, **options: float) -> ClusterSettings:
    url = f"nats://node:{password}@127.0.0.1:{cluster.servers[0].port}"
    return ClusterSettings((url,), "ann", LANES, 1, cluster.monitors, **options)  # type: ignore[arg-type]


async def create(to: ClusterSettings) -> None:
    connection = to.connection()
    await connection.open()
    await streams.create(connection, lanes=LANES, replicas=1, max_bytes=1 << 24)
    await connection.close()


def test_a_node_needs_no_rights_but_those_of_its_subjects(tmp_path: Path) -> None:
    async def scenario() -> None:
        with NatsCluster(tmp_path, 1, extra=users("secret")) as cluster:
            await create(with_user(cluster, "secret"))
            ann = TalkingNode(with_user(cluster, "secret"))
            await ann.open()
            assert await ann.say(0, b"hello") == 1
            assert ann.log.connection.counts["errors"] == 0
            await ann.close()

    asyncio.run(scenario())


def test_a_wrong_password_is_refused_and_not_shown(tmp_path: Path) -> None:
    async def scenario() -> None:
        with NatsCluster(tmp_path, 1, extra=users("secret")) as cluster:
            with pytest.raises(ClusterRefused, match=r"(?i)authorization") as refused:
                await TalkingNode(with_user(cluster, "wrong", connect_timeout=3.0)).open()
            assert "wrong" not in str(refused.value)

    asyncio.run(scenario())


def test_a_connection_that_the_server_has_refused_is_opened_once_it_may_be(tmp_path: Path) -> None:
    async def scenario() -> None:
        with NatsCluster(tmp_path, 1, extra=users("secret")) as cluster:
            (server,) = cluster.servers
            await create(with_user(cluster, "secret"))
            ann = TalkingNode(with_user(cluster, "secret"))
            await ann.open()
            for password in ("other", "secret"):
                server.kill()
                server.extra = users(password)
                server.configure()
                errors = ann.log.connection.counts["errors"]
                cluster.start()
                if password == "other":
                    await until(lambda errors=errors: ann.log.connection.counts["errors"] > errors + 5)  # type: ignore[misc]
            await until(lambda: ann.log.is_healthy)
            assert await ann.say(0, b"hello") == 1
            await ann.close()

    asyncio.run(scenario())


def test_nodes_and_servers_speak_tls(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        cert, key = certificate(tmp_path)
        tls = f'tls {{ cert_file: "{cert}", key_file: "{key}", ca_file: "{cert}", verify: true }}'
        with NatsCluster(tmp_path, 1, extra=tls) as cluster:
            context = ssl.create_default_context(cafile=str(cert))
            context.load_cert_chain(cert, key)
            url = f"tls://127.0.0.1:{cluster.servers[0].port}"
            to = ClusterSettings((url,), "ann", LANES, 1, cluster.monitors, tls=context)
            await create(to)
            ann = TalkingNode(to)
            await ann.open()
            assert await ann.say(0, b"hello") == 1
            cluster.servers[0].kill()
            await until(lambda: not ann.log.connection.is_connected)
            cluster.start()
            await until(lambda: ann.log.connection.is_connected)
            await ann.close()
            assert "eof_received" not in caplog.text
            stranger = ClusterSettings((url,), "bo", LANES, 1, tls=ssl.create_default_context(), connect_timeout=2.0)
            with pytest.raises(ClusterRefused):
                await TalkingNode(stranger).open()
            opening = asyncio.create_task(stranger.connection().open(PATIENCE))
            await asyncio.sleep(0)
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
            assert not logging.getLogger("asyncio").filters  # which is of the whole process

    asyncio.run(scenario())
