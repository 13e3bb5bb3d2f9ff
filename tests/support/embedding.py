"""The example of docs/embedding.md, as somebody has it who copies it from there."""

import contextlib
import importlib.util
import re
import shutil
import socket
import sys
from pathlib import Path
from types import ModuleType
from typing import Self

from werkzeug.serving import make_server

from tests.support.server import ROOT
from tests.support.serving import serving

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
        self._serving = contextlib.ExitStack()
        self.origin = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def serve(self, module: ModuleType) -> None:
        """Serves the app in a thread until the end of the `with`."""
        self.module = module
        host, port = self._socket.getsockname()
        app = make_server(host, port, module.app, threaded=True, fd=self._socket.fileno())
        self._serving.enter_context(serving(app))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._serving.close()
        self._socket.close()
