"""npm's `phoenix`, polling a cluster through a load balancer that sends each request to the next node."""

import contextlib
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.clients.phoenix_js import Client, NodeProcess
from tests.support.cluster import Cluster
from tests.support.ports import free_port
from tests.support.postgresql import PostgreSQL
from tests.support.proxies import nginx
from tests.support.talker import Talker

pytestmark = [pytest.mark.node, pytest.mark.nginx]

rooms = count(1)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, postgresql: PostgreSQL) -> Iterator[Cluster]:
    """Starts two nodes. A test that stops one of them starts it again."""
    options: dict[str, Any] = {"poll_window": 5, "trusted_proxies": "127.0.0.1"}
    with Cluster(tmp_path_factory.mktemp("cluster"), postgresql.create_database(), **options) as started:
        yield started


@pytest.fixture(scope="module")
def balancer(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of nginx, which knows nothing of sessions."""
    port = free_port()
    with nginx(tmp_path_factory.mktemp("nginx"), port, *map(cluster.port, cluster.nodes)):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def node() -> Iterator[NodeProcess]:
    with NodeProcess() as running:
        yield running
        running.disconnect_all()


@pytest.fixture
def slug() -> str:
    return f"roaming-{next(rooms)}"


@pytest.mark.parametrize("vsn", ["1.0.0", "2.0.0"])
def test_a_client_that_polls_says_and_hears_everything_in_order(
    cluster: Cluster, node: NodeProcess, balancer: str, slug: str, vsn: str
) -> None:
    room = f"chat_room:{slug}"
    lee = node.connect(balancer, transport="longpoll", vsn=vsn)
    assert lee.join(room, name="lee")["status"] == "ok"
    with contextlib.ExitStack() as stack:
        talkers = [stack.enter_context(Talker(cluster.port(name))) for name in cluster.nodes]
        for talker in talkers:
            talker.join(slug)
        for number in range(100):
            payload = {"name": "lee", "message": str(number)}
            lee.send_command("push", topic=room, event="new_message", payload=payload)
        for talker in talkers:
            assert [talker.wait_for("new_message")["message"] for _ in range(100)] == list(map(str, range(100)))
        assert [lee.wait_for_answer(room)["response"]["seq"] for _ in range(100)] == list(range(1, 101))
        assert [lee.wait_for_message()["message"] for _ in range(100)] == list(map(str, range(100)))
        for number in range(100):
            talkers[number % 2].ask(slug, "new_message", name="ann", message=f"number {number}")
            assert lee.wait_for_message()["message"] == f"number {number}"
    assert lee.command("leave", topic=room)["status"] == "ok"
    assert lee.wait_for("channel close") == {"topic": room}


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_client_that_polls_goes_on_after_each_node_has_ended(
    cluster: Cluster, node: NodeProcess, balancer: str, slug: str, end: str
) -> None:
    room = f"chat_room:{slug}"
    lee = node.connect(balancer, transport="longpoll")
    assert lee.join(room)["status"] == "ok"
    for server in cluster.nodes.values():
        getattr(server, end)()
        cluster.start()
    lee.wait_for("channel error")  # one of them had its session
    while not is_said(lee, room):
        pass
    assert lee.wait_for_message()["message"] == "again"


def is_said(client: Client, room: str) -> bool:
    """Says something, as often as it takes, and returns whether that is acknowledged. Answers to joins come between."""
    payload = {"name": "lee", "message": "again", "id": "one", "repeat": True}
    client.send_command("push", topic=room, event="new_message", payload=payload)
    while (answer := client.wait_for_answer(room))["status"] == "ok":
        if answer["response"].get("id") == "one":
            return True
    return False
