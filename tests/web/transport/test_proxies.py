"""Behind proxies: every way to connect counts the same client, whatever it says of itself."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.activation import activated
from tests.support.phoenix_client import TIMEOUT, UPGRADE, Connection
from tests.support.server import Server

SETTINGS: dict[str, Any] = {"rate_limits": "on", "connect_rate": "0.001/2", "trusted_proxies": "127.0.0.1"}


def ask(port: int, target: str, lines: list[str], headers: dict[str, str], *, in_pieces: bool = False) -> int:
    """The status of the answer to a request with these lines of X-Forwarded-For."""
    named = [("Host", "127.0.0.1"), *headers.items(), *(("X-Forwarded-For", line) for line in lines)]
    head = f"GET {target}?vsn=2.0.0 HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in named) + "\r\n"
    with contextlib.closing(Connection(port)) as asked:
        if in_pieces:
            asked.send(head[:10].encode())
            ask(port, "/healthz", [], {})
            head = head[10:]
        asked.send(head.encode())
        return int(asked.read_until(b"\r\n").split()[1])


def websocket(port: int, lines: list[str]) -> int:
    return ask(port, "/socket/websocket", lines, UPGRADE)


def websocket_in_pieces(port: int, lines: list[str]) -> int:
    return ask(port, "/socket/websocket", lines, UPGRADE, in_pieces=True)


def poll_session(port: int, lines: list[str]) -> int:
    return {200: 101, 429: 429}[ask(port, "/socket/longpoll", lines, {})]


DOORS = [websocket, websocket_in_pieces, poll_session]


@pytest.fixture
def server(database: Path) -> Iterator[Server]:
    with Server(database, **SETTINGS) as started:
        yield started


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "lines_of",
    [
        lambda number: ["203.0.113.1"],
        lambda number: [f"6.6.6.{number}", "203.0.113.1"],
        lambda number: [f"6.6.6.{number}, 203.0.113.1"],
        lambda number: [f"203.0.113.1:{5_000 + number}"],
        lambda number: ["2001:db8::1", "2001:DB8:0:0::1", "[2001:db8::0.0.0.1]", "[2001:db8::1]:5000"][
            number : number + 1
        ],
        lambda number: ["::ffff:203.0.113.1" if number % 2 else "203.0.113.1"],
        lambda number: [f"203.0.113.{number}, unknown"],
    ],
    ids=[
        "honest",
        "a line of its own",
        "a list of its own",
        "ports",
        "IPv6",
        "IPv4 in IPv6",
        "a proxy that does not know",
    ],
)
def test_one_client_is_one_however_it_comes_and_is_named(
    server: Server, door: Callable[[int, list[str]], int], lines_of: Callable[[int], list[str]]
) -> None:
    assert [door(server.port, lines_of(number)) for number in range(4)] == [101, 101, 429, 429]


def test_all_doors_count_together(server: Server) -> None:
    assert [door(server.port, ["203.0.113.1"]) for door in DOORS] == [101, 101, 429]


@pytest.mark.parametrize("door", DOORS)
def test_clients_of_one_proxy_are_several(server: Server, door: Callable[[int, list[str]], int]) -> None:
    assert {door(server.port, [f"203.0.113.{number}"]) for number in range(5)} == {101}


def test_a_handshake_that_is_refused_for_another_reason_does_not_count(server: Server) -> None:
    headers = UPGRADE | {"Origin": "http://evil.example"}
    for in_pieces in (False, True):
        for _ in range(5):
            assert ask(server.port, "/socket/websocket", ["203.0.113.1"], headers, in_pieces=in_pieces) == 403
    assert websocket(server.port, ["203.0.113.1"]) == 101


# ---------------------------------------------------------------- sockets that systemd passes


@pytest.fixture
def dual_stack(database: Path) -> Iterator[int]:
    """The port of a server whose socket takes IPv4 as IPv6, as that of a `ListenStream=8000` does."""
    options = [f"--{name.replace('_', '-')}={value}" for name, value in SETTINGS.items()]
    with socket.socket(socket.AF_INET6) as listener:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(("::ffff:127.0.0.1", 0))
        listener.listen()
        with activated(listener, f"--database=sqlite:///{database}", *options) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("Chatter is ready at ")
            yield listener.getsockname()[1]
            process.terminate()
            assert process.wait(TIMEOUT) == 0


@pytest.mark.parametrize("door", DOORS)
def test_a_trusted_proxy_is_trusted_on_a_dual_stack_socket_too(
    dual_stack: int, door: Callable[[int, list[str]], int]
) -> None:
    assert {door(dual_stack, [f"203.0.113.{number}"]) for number in range(5)} == {101}
    assert [door(dual_stack, ["203.0.113.9"]) for _ in range(3)] == [101, 101, 429]
