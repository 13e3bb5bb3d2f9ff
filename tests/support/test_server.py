"""The server of the tests fails at once, and says why, if it does not start."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.phoenix_client import request
from tests.support.server import PATIENCE, ROOT, Server

SCRIPT_WITHOUT_A_MAIN_GUARD = """
import pathlib
from tests.support.server import Server

with Server(pathlib.Path(__file__).with_name("chatter.db")):
    print("never reached")
"""
"""The server's process imports the script, which would start another server, so multiprocessing ends it."""


def test_a_server_that_refuses_its_settings_fails_with_its_exit_code_and_log(database: Path) -> None:
    with pytest.raises(AssertionError, match=r"got '' and exit code 2; stderr:\nchatter: --ring-size: expected"):
        Server(database, ring_size="many").start()


def test_a_server_whose_process_ends_before_it_serves_fails_with_its_exit_code(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT_WITHOUT_A_MAIN_GUARD)
    run = subprocess.run(
        [sys.executable, script],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert "expected the ready line, got '' and exit code 1" in run.stderr


def test_a_server_that_failed_to_start_can_be_started_when_the_reason_is_gone(server: Server, database: Path) -> None:
    second = Server(database)
    with pytest.raises(AssertionError, match="another Chatter is running on this database"):
        second.start()
    server.stop()
    with second:
        assert request(second.port, "GET", "/healthz").status == 200
