# SPDX-License-Identifier: BSD-3-Clause
"""The QEMU that runs the lab: Debian's, of the image's release, run where it was unpacked; the host needs none.

QEMU 7.2 aborts with guests inside the lab that use UEFI firmware. So do all up to 11.1 at times, which is why the image
holds image/modules/vxm_lab_cr8.c.
"""

import os
from pathlib import Path

from vxmlab import apt, cache
from vxmlab.process import call
from vxmlab.say import step

_SUITE = "trixie"
_PACKAGES = "qemu-system-x86,qemu-utils"
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_LOADER = "usr/lib64/ld-linux-x86-64.so.2"
_DATA = ("usr/share/qemu", "usr/share/seabios")


def ensure():
    """The directory of the unpacked QEMU, fetched when there is none. Needs the cache's lock."""
    path = cache.entry("qemu", cache.digest(_SUITE, _PACKAGES, Path(__file__)), _fetch)
    cache.prune("qemu", keep=1)
    return path


def _fetch(directory):
    step("fetching QEMU, once ...")
    argv = ["mmdebstrap", "--mode=root", "--variant=extract", f"--include={_PACKAGES}"]
    argv += [f"--aptopt={option}" for option in ["Apt::Install-Recommends false;", *apt.options()]]
    call([*argv, _SUITE, directory / "tree", *apt.sources(_SUITE)], "unpack QEMU")


class Qemu:
    """One unpacked QEMU."""

    def __init__(self, directory):
        self.directory = directory
        self._tree = directory / "tree"

    def program(self, name):
        """The start of a command line that runs one of its programs."""
        argv = [self._tree / _LOADER, "--library-path", self._tree / _LIBRARIES, self._tree / "usr/bin" / name]
        if name == "qemu-system-x86_64":
            for path in _DATA:
                argv += ["-L", self._tree / path]
        return [str(arg) for arg in argv]

    def environment(self):
        """The environment its programs need: they look for modules where they were installed otherwise."""
        return {**os.environ, "QEMU_MODULE_DIR": str(self._tree / _LIBRARIES / "qemu")}
