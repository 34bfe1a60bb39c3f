# SPDX-License-Identifier: BSD-3-Clause
"""The QEMU that runs the lab: the image's own, unpacked, so that the host needs none of the right age.

QEMU below 10.0 aborts in its SVM emulation as soon as a guest inside the lab uses UEFI firmware.
"""

import os
import re
import shutil
from pathlib import Path

from vxmlab.process import call

_LOADER = "lib64/ld-linux-x86-64.so.2"
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_DATA = ("usr/share/qemu", "usr/share/seabios")


def unpack(tree, target):
    """Copies qemu-system-x86_64 and qemu-img with their libraries, modules and firmware from a Debian tree."""
    (target / "lib").mkdir(parents=True)
    programs = [tree / "usr/bin" / name for name in ("qemu-system-x86_64", "qemu-img")]
    modules = sorted((tree / _LIBRARIES / "qemu").glob("*.so"))
    for source in programs:
        shutil.copy(source.resolve(), target / source.name)
    shutil.copytree(tree / _LIBRARIES / "qemu", target / "modules")
    for path in _DATA:
        shutil.copytree(tree / path, target / Path(path).name, symlinks=False, ignore_dangling_symlinks=True)
    for library in _libraries(tree, programs + modules):
        shutil.copy((tree / library).resolve(), target / "lib" / Path(library).name)
    shutil.copy((tree / _LOADER).resolve(), target / "lib" / Path(_LOADER).name)


def _libraries(tree, files):
    """The shared libraries that files need, as paths below tree."""
    inside = ["/" + str(file.relative_to(tree)) for file in files]
    listing = call(["chroot", tree, "ldd", *inside], "list the libraries of QEMU")
    return sorted({path.lstrip("/") for path in re.findall(r"=> (/\S+)", listing)})


class Qemu:
    """One unpacked QEMU."""

    def __init__(self, directory):
        self._directory = directory

    def program(self, name):
        """The start of a command line that runs one of its programs."""
        library = self._directory / "lib"
        argv = [library / Path(_LOADER).name, "--library-path", library, self._directory / name]
        if name == "qemu-system-x86_64":
            argv += ["-L", self._directory / "qemu", "-L", self._directory / "seabios"]
        return [str(arg) for arg in argv]

    def environment(self):
        """The environment its programs need: they look for modules where they were installed otherwise."""
        return {**os.environ, "QEMU_MODULE_DIR": str(self._directory / "modules")}
