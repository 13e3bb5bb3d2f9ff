"""What an operator is told while servers are down, and what each refusal says to do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cluster import Cluster
from tests.support.nats import NatsCluster, NatsServer
from tests.support.postgresql import PostgreSQL
from tests.support.server import run_to_its_end, wait_until
from tests.support.talker import Talker


@pytest.fixture
def three(tmp_path: Path, postgresql: PostgreSQL) -> Iterator[Cluster]:
    """Starts three nats-servers, and one node."""
    with Cluster(tmp_path, postgresql.create_database(), names=("only",), nats_servers=3) as started:
        yield started


def test_while_a_nats_server_is_down_the_status_says_so_and_nodes_start(three: Cluster) -> None:
    wait_until(lambda: three.command("status").exit_code == 0)
    three.nats.servers[0].kill()
    wait_until(lambda: faults(three) == {"without n0"})
    node = three.nodes["only"]
    node.stop()
    node.start()
    with Talker(node.port) as ann:
        ann.join("lobby")
        assert ann.ask("lobby", "new_message", name="ann", message="said without n0")["status"] == "ok"
    three.nats.start()
    wait_until(lambda: three.command("status").exit_code == 0)


def test_a_server_that_comes_back_and_writes_late_is_trouble_on_nodes_that_run(three: Cluster) -> None:
    server = three.nats.servers[0]
    server.kill()
    server.sync = '"2m"'
    three.nats.configure()
    three.nats.start()
    wait_until(lambda: three.health("only") == "degraded")
    (node,) = three.status()["nodes"]
    assert node["fault"].startswith("the NATS server n0 writes to its disk every 120 s only: a power cut would lose ")
    assert three.command("status").exit_code == 1
    with Talker(three.port("only")) as ann:
        ann.join("lobby")
        assert ann.ask("lobby", "new_message", name="ann", message="said all the same")["status"] == "ok"


def test_a_server_that_the_log_hears_of_needs_its_monitoring_address(three: Cluster, tmp_path: Path) -> None:
    wait_until(lambda: three.command("status").exit_code == 0)
    monitors = [*three.nats.monitors[:2], "http://127.0.0.1:1"]
    refused = three.run_node(cluster_monitors=",".join(monitors), spool_folder=str(tmp_path))
    assert refused.exit_code == 2
    assert refused.stderr.startswith("chatter: the monitoring address http://127.0.0.1:1 does not answer: ")
    assert refused.stderr.endswith("or name its address with --cluster-monitors\n")


def test_a_log_without_what_the_database_lacks_is_a_fault_also_while_no_node_runs(three: Cluster) -> None:
    node = three.nodes["only"]
    with Talker(node.port) as ann:
        ann.join("lobby")
        assert ann.ask("lobby", "new_message", name="ann", message="kept")["status"] == "ok"
        three.wait_until_saved()
    node.stop()
    three.purge()
    lane, head = max(three.query("SELECT number, head FROM lane"), key=lambda row: row[1])
    three.query(f"UPDATE lane SET head = 0 WHERE number = {lane}")
    hole = f"the log begins at {head + 1}: the turns from 1 on are not in it any more"
    assert three.status()["lanes"][lane]["fault"] == hole
    refused = three.command("dissolve")
    assert (refused.exit_code, refused.stderr) == (2, f"chatter: lane {lane}: {hole}\n")


def test_an_empty_database_belongs_to_no_cluster(cluster: Cluster, postgresql: PostgreSQL, tmp_path: Path) -> None:
    url = postgresql.create_empty_database()
    expected = "chatter: the database belongs to no cluster: `chatter cluster create` makes one\n"
    assert cluster.run_node(database=url, spool_folder=str(tmp_path)).stderr == expected
    addresses = cluster.arguments.split()[:2]
    assert run_to_its_end("cluster", "status", *addresses, f"--database={url}").stderr == expected


def test_more_replicas_than_servers_are_refused(tmp_path: Path, postgresql: PostgreSQL) -> None:
    with NatsCluster(tmp_path, 3) as servers:
        refused = create(servers.servers[0], postgresql, tmp_path, "--replicas=5")
    assert refused.startswith("chatter: the stream CHATTER_0 cannot be made: ")
    assert refused.endswith(": it needs 5 NATS servers with 4294967296 bytes free on each\n")


def test_a_nats_server_without_jetstream_is_refused(tmp_path: Path, postgresql: PostgreSQL) -> None:
    server = NatsServer("plain", tmp_path)
    server.configure()
    conf = tmp_path / "plain" / "conf"
    conf.write_text("\n".join(line for line in conf.read_text().splitlines() if "jetstream" not in line))
    server.start()
    wait_until(lambda: server.ask("/varz") is not None)
    try:
        refused = create(server, postgresql, tmp_path)
    finally:
        server.kill()
    assert refused == "chatter: the NATS server plain has no JetStream: give it `jetstream { store_dir: … }`\n"


def faults(cluster: Cluster) -> set[str | None]:
    """What is wrong with lanes."""
    return {lane["fault"] for lane in cluster.status()["lanes"]}


def create(server: NatsServer, postgresql: PostgreSQL, folder: Path, *options: str) -> str:
    """Has a log be made, and returns what is wrong."""
    where = (f"--cluster={server.url}", f"--cluster-monitors={server.monitor}", f"--spool-folder={folder}")
    database = f"--database={postgresql.create_empty_database()}"
    return run_to_its_end("cluster", "create", *options, *where, database).stderr
