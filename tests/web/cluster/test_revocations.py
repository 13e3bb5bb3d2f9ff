"""Who is signed out on one node is out on all, also on one that hears nothing of the others."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.cluster import Cluster
from tests.support.server import Server
from tests.support.stalling_proxy import StallingProxy
from tests.support.talker import Closed, Talker
from tests.web.accounts.conftest import Browser, bearer

pytestmark = [pytest.mark.nats, pytest.mark.postgresql]

SIGNED_OUT = 4003

SOON = 30.0
"""Seconds: many times the second within which a node looks, and more than a slow machine needs."""


class Connected:
    """A connection of somebody who is in the lobby."""

    def __init__(self, port: int, headers: Mapping[str, str]) -> None:
        self._talker = Talker(port, headers=headers)
        self._talker.join("lobby")

    def wait_for_end(self) -> None:
        """Waits until its person is told to be signed out, and the connection is closed."""
        since = time.monotonic()
        assert self._talker.wait_for("signed_out") == {"reason": "revoked"}
        with pytest.raises(Closed) as closed:
            self._talker.wait_for("nothing more")
        assert closed.value.code == SIGNED_OUT
        assert time.monotonic() - since < SOON
        self._talker.websocket.connection.close()


@contextmanager
def node_behind(
    cluster: Cluster, folder: Path, *, nats: StallingProxy | None = None, database: StallingProxy | None = None
) -> Iterator[Server]:
    """Starts a node that is connected through proxies."""
    url = cluster.database_url
    if database is not None:
        url = url.replace(f":{urlsplit(url).port}/", f":{database.port}/")
    with Server(
        folder / "cut.db",
        database_url=url,
        node="cut",
        cluster=cluster.nats.urls[0] if nats is None else f"nats://127.0.0.1:{nats.port}",
        cluster_monitors=cluster.nats.monitors[0],
        database_timeout=2,
        stop_timeout=2,
    ) as node:
        yield node


def end_tokens(person: Browser) -> None:
    """Ends all tokens of somebody."""
    for each in person.ask("GET", "/api/tokens").json["tokens"]:
        assert person.ask("DELETE", f"/api/tokens/{each['id']}").status == 204


def test_a_session_that_is_ended_on_one_node_ends_its_connections_on_another(cluster: Cluster) -> None:
    ann, phone = Browser(cluster.nodes["east"]), Browser(cluster.nodes["west"])
    assert phone.signs_in(ann.signs_up()).status == 201
    on_phone, by_program = (
        Connected(cluster.port("west"), headers) for headers in (phone.headers, bearer(ann.token("read", "post")))
    )
    assert ann.ask("DELETE", "/api/sessions").json == {"ended": 1}
    on_phone.wait_for_end()
    end_tokens(ann)
    by_program.wait_for_end()


def test_a_node_that_is_cut_off_from_the_log_hears_of_it_from_the_database(cluster: Cluster, tmp_path: Path) -> None:
    ann = Browser(cluster.nodes["east"])
    ann.signs_up()
    with (
        StallingProxy(urlsplit(cluster.nats.urls[0]).port or 0) as nats,
        node_behind(cluster, tmp_path, nats=nats) as node,
    ):
        there = Connected(node.port, bearer(ann.token("read", "post")))
        nats.stall()
        end_tokens(ann)
        there.wait_for_end()
        nats.resume()


def test_a_node_that_is_cut_off_from_the_database_knows_no_new_token_and_ends_old_ones_later(
    cluster: Cluster, tmp_path: Path
) -> None:
    ann = Browser(cluster.nodes["east"])
    ann.signs_up()
    with (
        StallingProxy(urlsplit(cluster.database_url).port or 0) as database,
        node_behind(cluster, tmp_path, database=database) as node,
    ):
        there = Connected(node.port, bearer(ann.token("read", "post")))
        database.stall()
        new = bearer(ann.token("read", "post"))
        with Talker(node.port, headers=new) as stranger:
            assert stranger.ask("lobby", "phx_join")["response"]["reason"] == "unavailable"
        end_tokens(ann)
        database.resume()
        there.wait_for_end()
        with Talker(node.port, headers=new) as stranger:
            assert stranger.ask("lobby", "phx_join")["response"]["reason"] == "unauthorized"
