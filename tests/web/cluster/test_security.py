"""Nodes and nats-servers that show each other certificates, and nodes that show credentials."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.certificates import certificate
from tests.support.nats import NatsCluster
from tests.support.nats_credentials import Operator
from tests.support.postgresql import PostgreSQL
from tests.support.server import Ended, Server, run_to_its_end
from tests.support.talker import Talker

pytestmark = [pytest.mark.nats, pytest.mark.postgresql]


class Secured(NamedTuple):
    """What a node needs for such servers."""

    options: dict[str, str]
    folder: Path

    def run(self, *words: str, **other: str) -> Ended:
        """Runs a command with some options of its own."""
        options = {**self.options, **other}
        given = (f"--{name.replace('_', '-')}={value}" for name, value in options.items() if value)
        return run_to_its_end(*words, *given)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory, postgresql: PostgreSQL) -> Iterator[Secured]:
    """Starts a nats-server that asks for a certificate and for credentials, and makes the log."""
    folder, operator = tmp_path_factory.mktemp("secured"), Operator()
    cert, key = certificate(folder)
    tls = f'tls {{ cert_file: "{cert}", key_file: "{key}", ca_file: "{cert}", verify: true }}'
    with NatsCluster(folder, extra=f"{tls}\n{operator.configuration}") as nats:
        options = {
            "cluster": nats.urls[0].replace("nats:", "tls:"),
            "cluster_monitors": nats.monitors[0],
            "cluster_ca": str(cert),
            "cluster_cert": str(cert),
            "cluster_key": str(key),
            "cluster_credentials": str(operator.credentials(folder / "node.creds")),
            "database": postgresql.create_database(),
        }
        made = Secured(options, folder).run("cluster", "create", "--replicas=1", "--lane-bytes=16777216")
        assert made.exit_code == 0, made.stderr
        yield Secured(options, folder)


def test_nodes_serve_with_certificates_and_credentials(secured: Secured) -> None:
    options: dict[str, Any] = {name: value for name, value in secured.options.items() if name != "database"}
    url = secured.options["database"]
    with (
        Server(secured.folder / "east.db", database_url=url, node="east", **options) as east,
        Server(secured.folder / "west.db", database_url=url, node="west", **options) as west,
        Talker(east.port) as ann,
        Talker(west.port) as bo,
    ):
        for each in (ann, bo):
            each.join("lobby")
        assert ann.ask("lobby", "new_message", name="ann", message="hello")["status"] == "ok"
        assert bo.wait_for("new_message")["message"] == "hello"
        assert secured.run("cluster", "status").exit_code == 0


def other_certificate(secured: Secured) -> dict[str, str]:
    folder = secured.folder / "other"
    folder.mkdir()
    cert, _ = certificate(folder)
    return {"cluster_ca": str(cert)}


def other_credentials(secured: Secured) -> dict[str, str]:
    return {"cluster_credentials": str(Operator().credentials(secured.folder / "other.creds"))}


def broken_credentials(secured: Secured) -> dict[str, str]:
    return {"cluster_credentials": secured.options["cluster_cert"]}


def missing_credentials(_secured: Secured) -> dict[str, str]:
    return {"cluster_credentials": "/nowhere.creds"}


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (other_certificate, "no NATS server accepts this node at 127.0.0.1:"),
        (other_credentials, "no NATS server accepts this node at 127.0.0.1:"),
        (broken_credentials, "--cluster-credentials: expected a file of NATS credentials, got "),
        (missing_credentials, "--cluster-credentials: expected a file of NATS credentials, got "),
    ],
)
def test_who_is_not_trusted_is_told_in_one_line(
    secured: Secured, wrong: Callable[[Secured], dict[str, str]], expected: str
) -> None:
    ended = secured.run("serve", "--node=south", "--port=0", f"--spool-folder={secured.folder}", **wrong(secured))
    assert ended.exit_code == 2
    assert ended.stderr.startswith(f"chatter: {expected}")
    assert ended.stderr.count("\n") == 1
