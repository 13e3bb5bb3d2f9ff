"""Starts Chatter as a user does, by a command in a folder, and reads its output."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.request import urlopen

from tests.support.server import ROOT

TIMEOUT = 30.0

DEVELOPMENT_PACKAGES = ("typescript", "@typescript", "prettier", "axe-core")
"""The large packages of npm that no server and no bundle needs."""


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
        """Returns the body of the server's response as text."""
        return self.read(path).decode()

    def read(self, path: str) -> bytes:
        """Returns the body of the server's response."""
        with urlopen(self.url + path, timeout=TIMEOUT) as response:
            return bytes(response.read())

    def terminate(self) -> None:
        """Sends SIGTERM, and waits until the process has ended."""
        self._process.terminate()
        try:
            self._process.wait(TIMEOUT)
        finally:
            self._process.kill()
            assert self._process.stdout is not None
            self._process.stdout.close()


def copy_program(folder: Path) -> Path:
    """Copies the program without its bundle into `folder`, to be edited, and returns that."""
    leave_out = shutil.ignore_patterns("bundle", "__pycache__", *DEVELOPMENT_PACKAGES)
    for package in ("chatter", "schema", "web"):
        shutil.copytree(ROOT / package, folder / package, ignore=leave_out)
    return folder


def serve_copy(folder: Path, database_url: str, port: int = 0) -> Program:
    """Starts a server from a copy of the program."""
    command = [sys.executable, "-m", "web.main", "serve", f"--port={port}", f"--database={database_url}"]
    return Program(command, folder, {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder)})
