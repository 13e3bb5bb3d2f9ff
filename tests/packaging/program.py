"""Chatter as somebody else starts it: a command in a folder, and what it says."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.request import urlopen

PATIENCE = 30.0


class Program:
    """A started command that ends up as a server. `said` is its output up to the ready line."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.said: list[str] = []
        self.url = ""

    def wait_until_ready(self) -> None:
        """Read up to the ready line."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line.rstrip("\n"))
            ready = re.fullmatch(r"Chatter is ready at (http://\S+)\n", line)
            if ready is not None:
                self.url = ready[1]
                return
        raise AssertionError("it ended without being ready; it said:\n" + "\n".join(self.said))

    def get(self, path: str) -> str:
        """What the server answers."""
        with urlopen(self.url + path, timeout=PATIENCE) as response:
            return str(response.read().decode())

    def terminate(self) -> None:
        """Send SIGTERM and wait until it has ended."""
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            assert self._process.stdout is not None
            self._process.stdout.close()
