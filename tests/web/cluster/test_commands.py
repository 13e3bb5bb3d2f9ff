"""What is refused with one line, and how a log that is lost begins anew."""

from pathlib import Path

import pytest

from tests.support.cluster import Cluster
from tests.support.postgresql import PostgreSQL
from tests.support.server import Server
from tests.support.talker import Talker


def test_a_server_that_is_alone_refuses_the_database_of_a_cluster_while_and_after_nodes_run(
    cluster: Cluster, tmp_path: Path
) -> None:
    alone = {"cluster": "", "cluster_monitors": "", "node": "", "spool_folder": str(tmp_path)}
    taken = cluster.run_node(**alone)
    assert (taken.exit_code, taken.stderr) == (2, "chatter: another Chatter is running on this database\n")
    for node in cluster.nodes.values():
        node.stop()
    refused = cluster.run_node(**alone)
    assert refused.exit_code == 2
    assert refused.stderr == "chatter: the database belongs to a cluster: start the server with --cluster\n"
    cluster.start()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"database": "sqlite:///x.db"}, "--database: expected postgresql://"),
        ({"node": "east"}, "the node name east is taken"),
        ({"cluster_monitors": "http://127.0.0.1:1"}, "the monitoring address http://127.0.0.1:1 does not answer"),
        ({"cluster": "nats://127.0.0.1:1"}, "no NATS server accepts this node at"),
        ({"cluster_ca": "/nowhere.pem"}, "--cluster-ca, --cluster-cert, --cluster-key: expected files of TLS"),
        ({"max_message_length": "30001"}, "--max-message-length: expected at most 30000 in a cluster"),
        ({"max_frame_bytes": "524289"}, "--max-frame-bytes: expected at most 524288 in a cluster"),
        ({"node": "East!"}, "--node: expected 1 to 64 of a-z, 0-9, - and _"),
        ({"cluster": "http://x"}, "--cluster: expected addresses like nats://"),
    ],
)
def test_a_node_that_cannot_work_says_so_in_one_line(
    cluster: Cluster, tmp_path: Path, options: dict[str, str], expected: str
) -> None:
    ended = cluster.run_node(spool_folder=str(tmp_path), **options)
    assert ended.exit_code == 2
    assert ended.stderr.startswith(f"chatter: {expected}")
    assert ended.stderr.count("\n") == 1


def test_a_log_is_made_once_and_without_nodes_the_status_is_a_fault(cluster: Cluster) -> None:
    for node in cluster.nodes.values():
        node.stop()
    alone = cluster.command("status")
    assert (alone.exit_code, "none lives" in alone.stdout) == (1, True)
    then = ": `chatter cluster status` shows it, and `chatter cluster dissolve` comes before another one\n"
    again = cluster.create()
    assert (again.exit_code, again.stderr) == (
        2,
        "chatter: the log is made already, with 4 lanes and 1 replicas" + then,
    )
    other = cluster.create("--lanes=8", "--replicas=3")
    assert (other.exit_code, other.stderr) == (
        2,
        "chatter: the log is made already, with 4 lanes and 1 replicas, and not 8 and 3" + then,
    )
    cluster.start()


def test_a_database_without_a_cluster_is_refused(cluster: Cluster, postgresql: PostgreSQL, tmp_path: Path) -> None:
    url = postgresql.create_database()
    refused = cluster.run_node(database=url, spool_folder=str(tmp_path))
    assert refused.exit_code == 2
    assert refused.stderr == "chatter: the database belongs to no cluster: `chatter cluster create` makes one\n"


def test_a_log_that_is_lost_begins_anew_behind_what_the_database_has(tmp_path: Path, postgresql: PostgreSQL) -> None:
    with Cluster(tmp_path, postgresql.create_database(), names=("only",)) as cluster:
        node = cluster.nodes["only"]
        with Talker(node.port) as ann:
            before = ann.ask("lobby", "phx_join")["response"]["epoch"]
            assert ann.ask("lobby", "new_message", name="ann", message="kept")["status"] == "ok"
            cluster.wait_until_saved()
        node.stop()
        cluster.nats.servers[0].lose()
        refused = cluster.run_node(spool_folder=str(tmp_path))
        assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1), refused.stderr
        assert "is missing" in refused.stderr
        other = cluster.create("--log-lost", "--lanes=8")
        then = "the log that is lost had 4, and the next one has as many\n"
        assert (other.exit_code, other.stderr) == (2, f"chatter: --lanes: {then}")
        made = cluster.create("--log-lost")
        assert (made.exit_code, made.stderr) == (0, "")
        node.start()
        with Talker(node.port) as ann:
            assert ann.ask("lobby", "phx_join")["response"]["epoch"] > before
            assert ann.wait_for("new_message")["message"] == "kept"
            assert ann.ask("lobby", "new_message", name="ann", message="new")["response"]["seq"] == 2


def test_a_cluster_is_dissolved_once_the_database_has_everything(tmp_path: Path, postgresql: PostgreSQL) -> None:
    with Cluster(tmp_path, postgresql.create_database(), names=("only",)) as cluster:
        node = cluster.nodes["only"]
        with Talker(node.port) as ann:
            ann.join("lobby")
            assert ann.ask("lobby", "new_message", name="ann", message="kept")["status"] == "ok"
            running = cluster.command("dissolve")
            assert running.stderr == "chatter: another Chatter is running on this database\n"
            cluster.wait_until_saved()
        node.stop()
        lane = max(cluster.query("SELECT number, head FROM lane"), key=lambda row: row[1])
        cluster.query(f"UPDATE lane SET head = 0 WHERE number = {lane[0]}")
        early = cluster.command("dissolve")
        assert (early.exit_code, early.stderr.count("\n")) == (2, 1)
        assert f"the database lacks {lane[1]} turns of lane {lane[0]}" in early.stderr
        cluster.query(f"UPDATE lane SET head = {lane[1]} WHERE number = {lane[0]}")
        ended = cluster.command("dissolve")
        assert (ended.exit_code, ended.stderr) == (0, "")
        with Server(tmp_path / "no.db", database_url=cluster.database_url) as alone, Talker(alone.port) as ann:
            ann.join("lobby")
            assert ann.wait_for("new_message")["message"] == "kept"
            assert ann.ask("lobby", "new_message", name="ann", message="alone")["response"]["seq"] == 2
        again = cluster.create()
        assert (again.exit_code, again.stderr) == (0, "")
        node.start()
        with Talker(node.port) as ann:
            ann.join("lobby")
            assert ann.ask("lobby", "new_message", name="ann", message="shared")["response"]["seq"] == 3
