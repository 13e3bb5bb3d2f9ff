"""The server's requests to others, where names are looked up slowly."""

import subprocess
import sys

PROGRAM = """
import asyncio, contextlib, socket, threading
from web.http import outgoing
from web.identity.outgoing import FetchFailed

async def ask():
    with contextlib.closing(outgoing.Outgoing()) as fetch:
        try:
            await fetch("https://id.example.org/keys.json")
        except FetchFailed as fault:
            print(fault)

outgoing.TIMEOUT = 0.1
socket.getaddrinfo = lambda *_: threading.Event().wait()  # a look-up that never ends
asyncio.run(ask())
"""


def test_a_look_up_that_never_ends_fails_and_does_not_hold_up_the_end_of_the_process() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], check=False, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "no answer: HTTPTimeoutError\n", "")
