"""What a socket keeps of its client, and how it answers without a room."""

import weakref

import pytest

from chatter.messages import Join
from tests.support.stage import Stage
from tests.web.channels.conftest import SocketOnStage


class Params(dict[str, str]):
    """Parameters of a URL whose end can be noticed."""


def test_a_name_in_the_url_counts_for_joins_that_give_none(stage: Stage) -> None:
    client = SocketOnStage(stage, params={"name": "ann", "vsn": "2.0.0"})
    client.asks_to_join("lobby")
    client.asks_to_join("den", name="bo")
    assert [join.name for join in client.told if isinstance(join, Join)] == ["ann", "bo"]


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "a\x00"])
def test_a_name_in_the_url_that_is_none_refuses_these_joins(stage: Stage, name: str) -> None:
    client = SocketOnStage(stage, params={"name": name})
    client.asks_to_join("lobby")
    (answer,) = client.heard
    assert (answer[4]["status"], answer[4]["response"]["field"]) == ("error", "name")
    client.asks_to_join("lobby", name="ann")
    assert len(client.told) == 1


def test_no_other_parameter_of_the_url_is_kept(stage: Stage) -> None:
    params = Params(name="ann", junk="x" * 10_000)
    client, end = SocketOnStage(stage, params=params), weakref.ref(params)
    del params
    assert end() is None
    client.asks_to_join("lobby")
    assert client.joined == ["1"]
