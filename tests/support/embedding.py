"""The example of docs/embedding.md, as somebody has it who copies it from there."""

import importlib.util
import re
import shutil
import socket
import sys
import threading
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Self

from werkzeug.serving import make_server

from tests.support.server import ROOT

PHOENIX = ROOT / "web/client/node_modules/phoenix/priv/static/phoenix.mjs"
NAME = "embedding_example"
DOCUMENT = (ROOT / "docs/embedding.md").read_text()


def example(folder: Path) -> ModuleType:
    """Writes the files of the example into `folder`, and imports its app."""
    for name, language in (("app.py", "python"), ("templates/chat.html", "html")):
        found = re.search(rf"`{re.escape(name)}`.*?\n```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
        assert found, name
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(found[1])
    (folder / "static").mkdir()
    shutil.copy(PHOENIX, folder / "static")
    spec = importlib.util.spec_from_file_location(NAME, folder / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module  # Flask finds its templates by it
    spec.loader.exec_module(module)
    return module


class RunningExample:
    """`with RunningExample() as site:` has an address at once; `serve` runs the app there."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def serve(self, module: ModuleType) -> None:
        """Serves the app in a thread until the end of the `with`."""
        self.module = module
        host, port = self._socket.getsockname()
        self._server = make_server(host, port, module.app, threaded=True, fd=self._socket.fileno())
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if hasattr(self, "_server"):
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
        self._socket.close()
