"""The recipes of `docs/operations.md`, run as they stand there: proxies in front of the server, the unit of systemd."""

import json
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.phoenix_client import NDJSON, TIMEOUT, UPGRADE, Opcode, Request, Response, frame, request
from tests.support.ports import free_port
from tests.support.proxies import PROXIES, find_proxy, recipes
from tests.support.server import ROOT, Server

NAME = "chat.example.org"


class Proxy(NamedTuple):
    """A proxy in front of a server that listens for its own machine alone."""

    port: int

    @property
    def host(self) -> str:
        """As a browser writes it: the port is no default."""
        return f"{NAME}:{self.port}"

    @property
    def origin(self) -> str:
        return f"http://{self.host}"

    def ask(self, target: str, headers: dict[str, str], *, client: str) -> Request:
        """A request of the client at that address."""
        return Request(self.port, "GET", target, {"Host": self.host} | headers, client=client)

    def status(self, target: str, headers: dict[str, str], *, client: str = "127.0.0.1") -> int:
        asked = self.ask(target, headers, client=client)
        try:
            return asked.response().status
        finally:
            asked.abandon()

    def poll(self, method: str, token: str, body: bytes = b"", *, origin: str | None = None) -> Response:
        headers = {"Host": self.host, "Content-Type": NDJSON, "Origin": origin or self.origin}
        return request(self.port, method, f"{LONG_POLL}{token}", headers, body)


WEBSOCKET, LONG_POLL = "/socket/websocket?vsn=2.0.0", "/socket/longpoll?vsn=2.0.0"


@pytest.fixture(params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in PROXIES])
def proxy(request: pytest.FixtureRequest, database: Path, tmp_path: Path) -> Iterator[Proxy]:
    """Each of the proxies."""
    proxy = Proxy(free_port())
    settings: dict[str, Any] = {"rate_limits": "on", "connect_rate": "0.001/3", "public_hosts": proxy.host}
    with (
        Server(database, trusted_proxies="127.0.0.1", **settings) as server,
        PROXIES[request.param](tmp_path, proxy.port, server.port),
    ):
        yield proxy


def test_the_page_and_its_files_come_through(proxy: Proxy) -> None:
    for target in ("/", "/rooms/lobby", "/client/main.js", "/healthz", "/api/rooms"):
        assert proxy.status(target, {}) == 200
    assert proxy.status("/nothing", {}) == 404


def test_a_page_talks_over_a_websocket(proxy: Proxy) -> None:
    asked = proxy.ask(WEBSOCKET, UPGRADE | {"Origin": proxy.origin}, client="127.0.0.1")
    assert asked.response().status == 101
    join, post = '["1","1","chat_room:lobby","phx_join",{}]', '{"name":"ann","message":"hello"}'
    asked.connection.send(frame(Opcode.TEXT, join.encode()))
    assert b'"status":"ok"' in asked.connection.read_until(b'"status":"ok"')
    asked.connection.send(frame(Opcode.TEXT, f'["1","2","chat_room:lobby","new_message",{post}]'.encode()))
    assert b'"inserted_at"' in asked.connection.read_until(b'"inserted_at"')
    asked.abandon()


def test_a_page_talks_by_long_polling(proxy: Proxy) -> None:
    opened = proxy.poll("GET", "").json
    assert opened["status"] == 410
    token = f"&token={opened['token']}"
    assert proxy.poll("POST", token, b'["1","1","chat_room:lobby","phx_join",{}]').json == {"status": 200}
    assert [json.loads(message)[3] for message in proxy.poll("GET", token).json["messages"]] == ["phx_reply"]


def test_a_page_of_another_host_is_refused(proxy: Proxy) -> None:
    for origin in ("http://evil.example", f"http://{NAME}", f"https://{proxy.host}", "null"):
        assert proxy.status(WEBSOCKET, UPGRADE | {"Origin": origin}) == 403
        assert proxy.poll("GET", "", origin=origin).json["status"] == 403
    assert proxy.status(WEBSOCKET, UPGRADE | {"Origin": "http://evil.example", "Host": "evil.example"}) == 403


@pytest.mark.parametrize("target", [WEBSOCKET, LONG_POLL])
def test_each_client_counts_for_itself_whatever_it_says_of_itself(proxy: Proxy, target: str) -> None:
    headers = UPGRADE if target == WEBSOCKET else {}
    for client in ("127.0.0.5", "127.0.0.6"):
        statuses = [
            proxy.status(target, headers | {"X-Forwarded-For": f"203.0.113.{number}"}, client=client)
            for number in range(5)
        ]
        assert [status == 429 for status in statuses] == [False, False, False, True, True]


# ---------------------------------------------------------------- systemd


def unit(name: str) -> dict[str, list[str]]:
    """The settings in the documented unit of that name."""
    (text,) = (text for text in recipes("ini") if name in text.splitlines()[0])
    settings: dict[str, list[str]] = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE):
        settings.setdefault(key, []).append(value)
    return settings


PASS_ON = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.umask(int(sys.argv[2], 8))
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, "-m", "web.main", *sys.argv[3:]])
"""


def test_the_units_start_a_server_on_their_socket(tmp_path: Path) -> None:
    service = unit("chatter.service")
    program, *arguments = shlex.split(service["ExecStart"][0])
    assert program.endswith("/.venv/bin/chatter")
    with socket.socket(socket.AF_INET6) as listener:  # as ListenStream=8000 makes it, but for this machine alone
        assert unit("chatter.socket")["ListenStream"][0].isdigit()
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(("::ffff:127.0.0.1", 0))
        listener.listen(int(unit("chatter.socket")["Backlog"][0]))
        passed = [str(listener.fileno()), service["UMask"][0], *arguments]
        with subprocess.Popen(
            [sys.executable, "-c", PASS_ON, *passed],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
            pass_fds=[listener.fileno()],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("Chatter is ready at ")
            port = listener.getsockname()[1]
            assert request(port, "GET", "/healthz").status == 200
            process.terminate()
            assert process.wait(TIMEOUT) == 0
    written = {path.relative_to(tmp_path).parts[0] for path in tmp_path.iterdir()}
    assert written == {Path(service["ReadWritePaths"][0]).relative_to(service["WorkingDirectory"][0]).parts[0]}


def test_the_unit_waits_for_a_stop_and_bounds_what_it_takes() -> None:
    service = unit("chatter.service")
    assert int(service["TimeoutStopSec"][0]) > 15
    assert int(service["LimitNOFILE"][0]) >= 65_536
    assert "MemoryMax" in service


@pytest.mark.systemd
def test_the_unit_can_do_little_else(tmp_path: Path) -> None:
    (text,) = (text for text in recipes("ini") if "chatter.service" in text.splitlines()[0])
    path = tmp_path / "chatter.service"
    path.write_text(text)
    program = find_proxy("systemd-analyze")
    assert program is not None
    judged = subprocess.run(
        [program, "security", "--offline=true", "--threshold=20", "--no-pager", str(path)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert "Overall exposure level" in judged.stdout
