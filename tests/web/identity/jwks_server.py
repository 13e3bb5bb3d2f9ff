"""An app's server that publishes its keys, and counts who asks for them."""

import json
import ssl
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tests.support.serving import serving

Answer = Callable[[BaseHTTPRequestHandler], None]


class JwksServer:
    """`with JwksServer(keys…) as server:` serves them at `url`. `publish` changes them.

    With a `certificate`, a file that has its key too, it speaks TLS.
    """

    def __init__(self, *keys: dict[str, Any], certificate: Path | None = None) -> None:
        self.fetches = 0
        self.is_asked = threading.Event()  # set by each request; the test clears it
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.publish(*keys)
        server = self

        class Handler(BaseHTTPRequestHandler):
            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:
                    pass  # a client that does not trust the certificate hangs up

            def do_GET(self) -> None:
                server.fetches += 1
                server.is_asked.set()
                server.may_answer.wait()
                server.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._scheme = "http"
        if certificate is not None:
            self._scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            # The handshake is made by the thread of the connection: one that fails must not end the server.
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
        self._serving = serving(self._http)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._http.server_port}/keys.json"

    def publish(self, *keys: dict[str, Any]) -> None:
        """Answers with these keys from now on."""
        self.answer: Answer = answer(json.dumps({"keys": keys}).encode())

    def __enter__(self) -> Self:
        self._serving.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.may_answer.set()
        self._serving.__exit__(*error)


def answer(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Makes an answer of a body, a status and headers."""

    def respond(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            request.send_header(name, value)
        request.end_headers()
        try:
            request.wfile.write(body)
        except OSError:
            pass  # the client reads no more than it may

    return respond
