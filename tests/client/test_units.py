"""Runs the tests for Node in `units/`, which test the client's modules without a page."""

import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.node

UNITS = sorted(Path(__file__).parent.glob("units/*.test.mjs"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_parts_of_the_client_do_what_their_tests_say(unit: Path) -> None:
    node = shutil.which("node")
    assert node is not None
    run = subprocess.run([node, "--test", unit], check=False, capture_output=True, text=True, timeout=280)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "\n# pass 0\n" not in run.stdout
