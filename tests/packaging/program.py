"""Starts Chatter as a user does, by a command in a folder, and reads its output."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.request import urlopen

TIMEOUT = 30.0


class Program:
    """Program is a running command that becomes a server. `output` has its lines up to the ready line."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.output: list[str] = []
        self.url = ""

    def wait_until_ready(self) -> None:
        """Reads the output up to the ready line."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.output.append(line.rstrip("\n"))
            ready = re.fullmatch(r"Chatter is ready at (http://\S+)\n", line)
            if ready is not None:
                self.url = ready[1]
                return
        raise AssertionError("expected the ready line, the process ended; its output:\n" + "\n".join(self.output))

    def get(self, path: str) -> str:
        """Returns the body of the server's response."""
        with urlopen(self.url + path, timeout=TIMEOUT) as response:
            return str(response.read().decode())

    def terminate(self) -> None:
        """Sends SIGTERM, and waits until the process has ended."""
        self._process.terminate()
        try:
            self._process.wait(TIMEOUT)
        finally:
            self._process.kill()
            assert self._process.stdout is not None
            self._process.stdout.close()
