"""Disks that lose power: file systems of their own, in files. Needs root, and loop devices."""

import fcntl
import os
import shutil
import struct
import subprocess
from pathlib import Path

SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN, from fs/ext4/ext4.h of Linux: a file system writes nothing more."""

WITHOUT_LOG_FLUSH = 2
"""Not even its journal: what was not synced is gone, as in a power cut."""

SIZE = 512 * 1024 * 1024


def find_mount(program: str) -> str | None:
    """Finds the program, where this process may mount file systems."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    return found if os.geteuid() == 0 and os.path.exists("/dev/loop-control") else None


class Disk:
    """An ext4 of its own, mounted at a folder."""

    def __init__(self, image: Path, folder: Path) -> None:
        self._image = image
        self._folder = folder
        folder.mkdir(parents=True)
        with image.open("wb") as file:
            file.truncate(SIZE)
        _run("mkfs.ext4", "-q", str(image))
        self.mount()

    def mount(self) -> None:
        """Mounts it, as a machine does that has power again: its journal is replayed."""
        _run("mount", "-o", "loop", str(self._image), str(self._folder))

    def cut(self) -> None:
        """Cuts the power: from now on it takes nothing, and what was not synced is gone."""
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", WITHOUT_LOG_FLUSH))
        finally:
            os.close(folder)

    def unmount(self) -> None:
        """Takes it away, once no process uses it."""
        _run("umount", str(self._folder))


def _run(program: str, *arguments: str) -> None:
    path = find_mount(program)
    assert path is not None, f"expected root, loop devices and {program}"
    subprocess.run([path, *arguments], check=True)
