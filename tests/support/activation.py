"""Starts a server with a listening socket, as systemd does."""

import socket
import subprocess
import sys

from tests.support.server import ROOT

ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, "-m", "web.main", "serve", *sys.argv[2:]])
"""


def activated(listener: socket.socket, *arguments: str) -> subprocess.Popen[str]:
    """Starts a server with its listening socket as systemd passes it."""
    return subprocess.Popen(
        [sys.executable, "-c", ACTIVATE, str(listener.fileno()), *arguments],
        cwd=ROOT,
        pass_fds=[listener.fileno()],
        stdout=subprocess.PIPE,
        text=True,
    )
