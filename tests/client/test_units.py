"""Runs the tests for Node in `units/`, which test the client's modules without a page."""

import re
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
    # Without --test, which would start a second process for the file.
    command = [node, "--test-reporter=tap", str(unit)]
    run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=280)
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"^# pass [1-9]", run.stdout, re.MULTILINE), run.stdout
