"""PostgreSQL fails, or is one of before, while people talk through whole nodes. The log has what it lacks."""

import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.faults.cluster.conftest import OPTIONS, gather, measured, rooms
from tests.faults.cluster.verdict import KEPT, judge
from tests.support.cluster import Cluster
from tests.support.postgresql import PostgreSQL
from tests.support.server import run_to_its_end, wait_until

PATH = os.environ["PATH"]  # where PostgreSQL's client programs are

pytestmark = [pytest.mark.nats, pytest.mark.postgresql]


def test_people_talk_while_the_database_is_down_and_it_gets_all_of_it(
    cluster: Cluster, database_server: PostgreSQL, tmp_path: Path
) -> None:
    before = {name: len(node.log) for name, node in cluster.nodes.items()}
    with gather(cluster) as crowd:
        crowd.wait_for_more(100)
        with measured(crowd, "database killed"):
            database_server.kill()
            crowd.wait_until(lambda: all(cluster.health(name) == "degraded" for name in cluster.nodes))
            fresh = cluster.run_node(spool_folder=str(tmp_path))
            assert (fresh.exit_code, fresh.stderr.count("\n")) == (2, 1), fresh.stderr
            assert fresh.stderr.startswith("chatter: cannot open the database")
            crowd.wait_for_more(2_000)
            database_server.start()
            cluster.wait_until_healthy()
        assert judge(crowd, cluster) == KEPT
    for name, node in cluster.nodes.items():
        told = Counter(re.findall(r"(\S+ (?:is|are|cannot) .*), which will be tried again", node.log[before[name] :]))
        assert told
        assert set(told.values()) == {1}
        assert "Traceback" not in node.log[before[name] :]


@pytest.mark.chaos
def test_a_database_that_is_killed_repeatedly_loses_nothing(cluster: Cluster, database_server: PostgreSQL) -> None:
    with gather(cluster) as crowd:
        for _ in range(4):
            crowd.wait_for_more(100)
            database_server.kill()
            database_server.start()
        cluster.wait_until_healthy()
        assert judge(crowd, cluster) == KEPT


def test_a_backup_that_is_restored_gets_the_rest_from_the_log(cluster: Cluster, tmp_path: Path) -> None:
    files = [f"--database={cluster.database_url}", f"--spool-folder={tmp_path}"]
    early, late = rooms(), rooms("late")
    with gather(cluster, of=early) as crowd:
        crowd.wait_for_more(100)
        backup = run_to_its_end("backup", str(tmp_path / "backup"), *files, PATH=PATH)
        assert backup.exit_code == 0, backup.stderr
        with gather(cluster, of=late) as others:
            others.wait_for_more(100)
            for node in cluster.nodes.values():
                assert node.stop() == 0
            restored = run_to_its_end("restore", str(tmp_path / "backup"), *files, PATH=PATH)
            assert restored.exit_code == 0, restored.stderr
            cluster.start()
            others.wait_for_more(100)
            crowd.finish_posting()
            assert judge(others, cluster) == KEPT
        assert judge(crowd, cluster) == KEPT


@pytest.mark.chaos
def test_a_database_that_is_replaced_by_an_older_one_beside_nodes_gets_the_rest_from_the_log(
    cluster: Cluster, database_server: PostgreSQL, tmp_path: Path
) -> None:
    with gather(cluster) as crowd:
        cluster.wait_until_more_is_saved()
        database_server.dump(cluster.database_url, tmp_path / "dump")
        with gather(cluster, of=rooms("late")) as others:  # whose numbers in the tables others may get
            others.wait_for_more(100)
            cluster.wait_until_more_is_saved()
            with measured(crowd, "database replaced"):
                database_server.replace(cluster.database_url, tmp_path / "dump")
                cluster.wait_until_healthy()
                crowd.wait_for_more_everywhere()
            with gather(cluster, of=rooms("later")) as last:
                last.wait_for_more(100)
                for each in (crowd, others):
                    each.finish_posting()
                assert judge(last, cluster) == KEPT
            assert judge(others, cluster) == KEPT
        assert judge(crowd, cluster) == KEPT


def test_tables_that_are_restored_while_nobody_speaks_get_the_rest_from_the_log(
    cluster: Cluster, database_server: PostgreSQL, tmp_path: Path
) -> None:
    with gather(cluster) as crowd:
        cluster.wait_until_more_is_saved()
        database_server.dump(cluster.database_url, tmp_path / "dump")
        with gather(cluster, of=rooms("late")) as others:
            others.wait_for_more(100)
            for each in (crowd, others):
                each.finish_posting()
            cluster.wait_until_saved()
            database_server.restore(cluster.database_url, tmp_path / "dump")
            cluster.wait_until_healthy()
            with gather(cluster, of=rooms("later")) as last:
                last.wait_for_more(100)
                assert judge(last, cluster) == KEPT
            assert judge(others, cluster) == KEPT
        assert judge(crowd, cluster) == KEPT
    assert not any("duplicate key" in node.log for node in cluster.nodes.values())  # rooms have other numbers now


def test_a_log_that_has_only_what_the_database_lacks_goes_on_in_its_numbers(cluster: Cluster) -> None:
    with gather(cluster) as crowd:
        for _ in range(2):
            crowd.wait_for_more(100)
            for node in cluster.nodes.values():
                node.kill()
            cluster.purge()
            cluster.start()
        crowd.wait_for_more(100)
        assert judge(crowd, cluster) == KEPT


def test_a_hole_between_an_older_database_and_the_log_is_told(tmp_path: Path, database_server: PostgreSQL) -> None:
    options: dict[str, Any] = {**OPTIONS, "names": ("east", "west")}
    with Cluster(tmp_path, database_server.create_database(), **options) as cluster:
        dump = tmp_path / "dump"
        with gather(cluster) as crowd:
            cluster.wait_until_more_is_saved()
            database_server.dump(cluster.database_url, dump)
            cluster.wait_until_more_is_saved()
            crowd.finish_posting()
            cluster.wait_until_saved()
        cluster.purge()
        database_server.replace(cluster.database_url, dump)
        wait_until(lambda: all(cluster.health(name) == "degraded" for name in cluster.nodes))
        wait_until(lambda: any("the log begins at" in (node["fault"] or "") for node in cluster.status()["nodes"]))
        assert cluster.command("status").exit_code == 1
        for node in cluster.nodes.values():
            node.stop()
        refused = cluster.run_node(spool_folder=str(tmp_path))
        assert refused.exit_code == 2
        last = refused.stderr.splitlines()[-1]
        assert re.fullmatch(
            r"chatter: the log of lane \d begins at \d+: the turns from \d+ on are not in it any more: restore .*", last
        )
