"""Ports for programs that cannot have the kernel choose one."""

import os
import socket
import sys
import weakref


def free_port(owner: object = None) -> int:
    """Returns a free port of 127.0.0.1, which nobody else gets as long as the owner lives, or this process.

    A socket that never listens is bound to it, beside that of the program: also before the program listens, and while
    it is stopped. Only Linux lets two have a port so.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as programs that listen do
    holder.bind(("127.0.0.1", 0))
    port: int = holder.getsockname()[1]
    if sys.platform != "linux":
        holder.close()
    elif owner is None:
        holder.detach()
    else:
        weakref.finalize(owner, os.close, holder.detach())
    return port
