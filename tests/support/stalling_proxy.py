"""A TCP proxy that can stop forwarding, as a network does that drops every packet."""

import contextlib
import selectors
import socket
import threading
from types import TracebackType
from typing import Self


class StallingProxy:
    """Forwards connections on a free port of 127.0.0.1 to `target`, until it is stalled."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._stalled = threading.Event()
        self._stopped = threading.Event()
        self._sockets = [self._listening]
        self._thread = threading.Thread(target=self._run)

    def stall(self) -> None:
        """Forwards nothing more, and closes nothing."""
        self._stalled.set()

    def resume(self) -> None:
        """Forwards what has arrived meanwhile, and what comes."""
        self._stalled.clear()

    def _run(self) -> None:
        self._selector.register(self._listening, selectors.EVENT_READ)
        while not self._stopped.is_set():
            for key, _ in self._selector.select(0.02):
                if self._stalled.is_set():
                    self._stopped.wait(0.02)
                elif key.fileobj is self._listening:
                    self._accept()
                else:
                    self._forward(key)

    def _accept(self) -> None:
        near, _ = self._listening.accept()
        try:
            far = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            near.close()
            return
        for one, other in ((near, far), (far, near)):
            self._selector.register(one, selectors.EVENT_READ, other)
            self._sockets.append(one)

    def _forward(self, key: selectors.SelectorKey) -> None:
        source, to = key.fileobj, key.data
        assert isinstance(source, socket.socket)
        try:
            data = source.recv(65_536)
            if data:
                to.sendall(data)
                return
        except OSError:
            pass
        for each in (source, to):
            with contextlib.suppress(KeyError, ValueError):  # closed already, with its other side
                self._selector.unregister(each)
            each.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()
        self._selector.close()
        for each in self._sockets:
            each.close()
