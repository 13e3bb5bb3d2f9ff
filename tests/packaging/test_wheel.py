"""A wheel of the project runs on a machine without Node."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.packaging.program import Program
from tests.support.server import ROOT

EXCLUDED = shutil.ignore_patterns(
    *(".git", ".venv*", ".hypothesis", "var", "*.egg-info", "__pycache__", ".*_cache", "build", "*.so"),
    *("typescript", "@typescript", "prettier"),
)
"""What a wheel does not take, and what other tests write into meanwhile."""

LATER = (
    "components/composer/emoji-picker.js",
    "node_modules/gemoji/index.js",
    "node_modules/gemoji/license",
    "node_modules/@speed-highlight/core/dist/tokenize.js",
    "node_modules/@speed-highlight/core/dist/languages/js.js",
    "text/highlight-worker.js",
)
"""Files that the page loads when they are needed."""


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    return build_wheel(tmp_path)


def build_wheel(folder: Path, **environment: str) -> Path:
    source = folder / "source"
    shutil.copytree(ROOT, source, ignore=EXCLUDED)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder / "dist", source],
        env=os.environ | environment,
        check=True,
    )
    return next((folder / "dist").glob("chatter-*.whl"))


@pytest.mark.node
@pytest.mark.timeout(300)
def test_a_wheel_runs_in_a_new_environment_without_node(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(home / "bin/python")]  # its own pip would take 3 s
    subprocess.run([*pip, "install", "--quiet", "-c", ROOT / "constraints.txt", wheel], check=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    command = [str(home / "bin/chatter"), "--version"]
    version = subprocess.run(command, env={"PATH": "/nowhere"}, capture_output=True, text=True, check=True).stdout
    assert version.endswith("(pure Python)\n" if shutil.which("cc") is None else "(accelerated)\n")
    program = Program(
        [str(home / "bin/chatter"), "serve", "--port=0"], elsewhere, {"PATH": "/nowhere", "HOME": os.environ["HOME"]}
    )
    try:
        program.wait_until_ready()
        page = program.get("/")
        scripts = set(re.findall(r'"(/assets/[^"]+)"', page))
        assert scripts, "expected the page of the bundle, which names no sources"
        sources = set(re.findall(r'"(/client/[^"]+)"', (ROOT / "web/client/index.html").read_text()))
        for file in [*scripts, *sources, *(f"/client/{file}" for file in LATER), "/sw.js"]:
            assert program.read(file), file
        for package in ("phoenix", "preact", "htm", "@preact/signals", "@preact/signals-core", "@speed-highlight/core"):
            assert list((home / "lib").glob(f"*/site-packages/web/client/node_modules/{package}/LICENSE*")), package
    finally:
        program.terminate()
    assert (elsewhere / "var/chatter.db").exists()


@pytest.mark.timeout(300)
def test_without_a_compiler_the_wheel_is_of_python_alone(tmp_path: Path) -> None:
    names = zipfile.ZipFile(build_wheel(tmp_path, CC="/bin/false")).namelist()
    assert "web/accelerator.py" in names
    assert [name for name in names if name.endswith(".so")] == []
