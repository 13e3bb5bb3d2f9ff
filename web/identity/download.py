"""Downloads a small file over HTTP, within a time, and follows no redirect. Blocks: for a thread of its own."""

import contextlib
import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit


class DownloadFailed(Exception):
    """The file did not come. The message says why in one line."""


def download(url: str, timeout: float, max_bytes: int) -> bytes:
    """Gets the file of an http or https URL. Raises `DownloadFailed`.

    `timeout` in seconds is for each address to connect to and for the TLS handshake, and then for all of the answer.
    """
    parts = urlsplit(url)
    try:
        with contextlib.closing(_connection(parts, timeout)) as connection:
            connection.connect()
            with _cut_after(connection.sock, timeout) as deadline:
                body = _get(connection, parts, max_bytes)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DownloadFailed(" ".join(repr(error).split())) from error
    if time.monotonic() >= deadline:  # what a cut connection has delivered may be a part
        raise DownloadFailed(f"it took longer than {timeout:g} s")
    if len(body) > max_bytes:
        raise DownloadFailed(f"it has more than {max_bytes} bytes")
    return body


def _connection(parts: SplitResult, timeout: float) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        return http.client.HTTPSConnection(host, parts.port, timeout=timeout, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, parts.port, timeout=timeout)


def _get(connection: http.client.HTTPConnection, parts: SplitResult, max_bytes: int) -> bytes:
    path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    connection.request("GET", path, headers={"Accept": "application/json", "User-Agent": "chatter"})
    with connection.getresponse() as response:
        if response.status != http.HTTPStatus.OK:
            raise ValueError(f"expected status 200, got {response.status}")
        return response.read(max_bytes + 1)


@contextlib.contextmanager
def _cut_after(sock: socket.socket, timeout: float) -> Iterator[float]:
    """Cuts a connection at the deadline, which is yielded: the socket's own timeout begins anew with each byte.

    The cut is made on a copy of the file. `SSLSocket.shutdown` would forget TLS, and what is in the kernel's buffer
    would then be read as if it had been verified.
    """
    deadline = time.monotonic() + timeout
    with socket.socket(fileno=os.dup(sock.fileno())) as line:
        timer = threading.Timer(timeout, _cut, [line])
        timer.daemon = True
        timer.start()
        try:
            yield deadline
        finally:
            timer.cancel()
            timer.join()


def _cut(line: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side may have closed it
        line.shutdown(socket.SHUT_RDWR)
