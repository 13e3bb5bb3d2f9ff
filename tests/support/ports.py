"""Ports for programs that cannot have the kernel choose one."""

import contextlib
import random
import socket


def free_port() -> int:
    """Returns a free port below 32,768.

    The kernel gives such a port to nobody else, also before the program listens, and while it is stopped.
    """
    while True:
        port = random.randrange(16_384, 32_768)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
