"""What `chatter cluster status` makes of a log and a database that move while it looks, without servers."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from chatter.cluster import nodes, streams
from chatter.cluster.connection import Connection
from chatter.cluster.frames import GENESIS
from chatter.cluster.streams import LaneStream
from schema import Lane, LaneRow, open_database
from schema.database import migrate
from web import cluster_commands
from web.settings import Settings

CREATED = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("moved_to", [5, 6, 7], ids=["nothing", "too little", "all"])
def test_a_log_that_is_trimmed_while_it_is_looked_at_has_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], moved_to: int
) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    database = open_database(url)
    migrate(database)
    Lane.found([LaneRow(0, CREATED, 1, 5, GENESIS.hex())])

    async def nothing(*_asked: Any, **_options: Any) -> None:
        pass

    async def listen(*_asked: Any, **_options: Any) -> list[nodes.Node]:
        return []

    async def find(*_asked: Any) -> list[LaneStream]:
        database.execute_sql("UPDATE lane SET head = ?", (moved_to,))  # by another node, which then trims the log
        return [LaneStream(0, CREATED, 8, 9, 1, ("n1",), ())]

    monkeypatch.setattr(Connection, "open", nothing)
    monkeypatch.setattr(Connection, "close", nothing)
    monkeypatch.setattr(nodes, "listen", listen)
    monkeypatch.setattr(streams, "find", find)
    options = argparse.Namespace(deed="status", json=True)
    cluster_commands.run(options, Settings(database=url, cluster="nats://127.0.0.1:1"))
    database.close()
    (lane,) = json.loads(capsys.readouterr().out)["lanes"]
    gone = f"the log begins at 8: the turns from {moved_to + 1} on are not in it any more"
    assert lane["fault"] == (None if moved_to == 7 else gone)
