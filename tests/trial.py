"""A cluster to try on one machine: three nats-servers, PostgreSQL, three nodes, and nginx before them.

`make cluster` starts it, prints what to open, and ends it with Ctrl-C. Nothing of it is kept.
"""

import contextlib
import signal
import sys
import tempfile
from pathlib import Path

from tests.support.cluster import Cluster
from tests.support.ports import free_port
from tests.support.postgresql import PostgreSQL
from tests.support.proxies import nginx

NODES = ("east", "north", "west")


def main() -> int:
    """Runs the cluster until it is interrupted."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        database = stack.enter_context(PostgreSQL()).create_database()
        cluster = stack.enter_context(Cluster(folder, database, names=NODES, nats_servers=3, accounts="off"))
        port = free_port()
        stack.enter_context(nginx(folder, port, *(node.port for node in cluster.nodes.values())))
        print(f"all nodes, through nginx   http://127.0.0.1:{port}")
        for node, server in cluster.nodes.items():
            print(f"node {node:21} {server.url}   process {server.pid}")
        for nats in cluster.nats.servers:
            print(f"nats-server {nats.name:14} {nats.url}   process {nats.pid}")
        print(f"database                   {database}\n")
        print("Open the nodes side by side, and kill what you like. In another shell:")
        print(f"chatter cluster status {cluster.arguments}\n", flush=True)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
    return 0


if __name__ == "__main__":
    sys.exit(main())
