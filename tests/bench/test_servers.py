"""The servers of the benchmark that are Chatter: each answers as Chatter does."""

import pytest

from bench.servers import SERVERS, RunningServer
from tests.support.talker import Talker


@pytest.mark.parametrize("name", [name for name in SERVERS if name.startswith("chatter")])
def test_what_is_said_is_acknowledged(name: str) -> None:
    with RunningServer(SERVERS[name]) as running, Talker(running.port) as ann:
        ann.join("lobby")
        assert ann.ask("lobby", "new_message", name="ann", message="hello")["status"] == "ok"
