"""Reverse proxies as the documents set them up: nginx and HAProxy on a port of 127.0.0.1, run by the current user."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support.server import PATIENCE, ROOT, wait_until

OPERATIONS = ROOT / "docs" / "operations.md"


def find_proxy(name: str) -> str | None:
    """The path of nginx or HAProxy: Debian keeps them where only root looks."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def recipes(language: str) -> list[str]:
    """The blocks of that language in the document for operators."""
    return re.findall(rf"```{language}\n(.*?)```", OPERATIONS.read_text(), re.DOTALL)


@contextlib.contextmanager
def nginx(folder: Path, port: int, *upstreams: int) -> Iterator[None]:
    """An nginx with the documented location listens on `port`, in front of servers on these ports."""
    (location,) = recipes("nginx")
    servers = "".join(f"server 127.0.0.1:{upstream};" for upstream in upstreams)
    config = folder / "nginx.conf"
    folders = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config.write_text(
        f"daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; events {{}}\n"
        f"http {{ access_log off; {folders}\n"
        f"upstream chatter {{ {servers} }}\n"
        f"server {{ listen 127.0.0.1:{port};\n{_replaced(location, '127.0.0.1:8000', 'chatter')}}} }}\n"
    )
    with _running(["nginx", "-p", str(folder), "-e", f"{folder}/nginx.log", "-c", str(config)], port):
        yield


@contextlib.contextmanager
def haproxy(folder: Path, port: int, upstream: int) -> Iterator[None]:
    """An HAProxy with the documented configuration listens on `port`, in front of `upstream`."""
    (recipe,) = recipes("haproxy")
    config = folder / "haproxy.cfg"
    config.write_text(_replaced(_towards(upstream, recipe), "bind :80\n", f"bind 127.0.0.1:{port}\n"))
    with _running(["haproxy", "-db", "-f", str(config)], port):
        yield


PROXIES: dict[str, Callable[[Path, int, int], contextlib.AbstractContextManager[None]]] = {
    "nginx": nginx,
    "haproxy": haproxy,
}


def _towards(upstream: int, recipe: str) -> str:
    return _replaced(recipe, "127.0.0.1:8000", f"127.0.0.1:{upstream}")


def _replaced(text: str, old: str, new: str) -> str:
    assert old in text, f"expected {old!r} in the recipe"
    return text.replace(old, new)


@contextlib.contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    program = find_proxy(command[0])
    assert program is not None
    process = subprocess.Popen([program, *command[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        wait_until(lambda: process.poll() is not None or _listens(port))
        assert process.poll() is None, process.communicate()[0]
        yield
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionError:
        return False
    return True
