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
# Debian 12, unpacked without being installed, has libraries at two places, and its link to the loader leads out of the tree.
_LIBRARIES = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")
_LOADER = "ld-linux-x86-64.so.2"
_DATA = ("usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu")


def ensure():
    """The directory of the unpacked QEMU, fetched when there is none. Needs the cache's lock."""
    return unpacked("qemu", _SUITE, _PACKAGES)


def unpacked(kind, suite, packages):
    """The same for any packages of any of Debian's releases, kept as an entry of that kind."""
    path = cache.entry(kind, cache.digest(suite, packages, Path(__file__)), lambda directory: _fetch(suite, packages, directory))
    cache.prune(kind, keep=1)
    return path


def _fetch(suite, packages, directory):
    step(f"fetching the QEMU of {suite}, once ...")
    argv = ["mmdebstrap", "--mode=root", "--variant=extract", f"--include={packages}"]
    argv += [f"--aptopt={option}" for option in ["Apt::Install-Recommends false;", *apt.options()]]
    call([*argv, suite, directory / "tree", *apt.sources(suite)], "unpack QEMU")


class Qemu:
    """One unpacked QEMU."""

    def __init__(self, directory):
        self.directory = directory
        self.tree = directory / "tree"

    def program(self, name):
        """The start of a command line that runs one of its programs."""
        libraries = [self.tree / path for path in _LIBRARIES]
        loader = next(path / _LOADER for path in libraries if (path / _LOADER).exists())
        argv = [loader, "--library-path", ":".join(map(str, libraries)), self._find(name)]
        if name == "qemu-system-x86_64":
            for path in _DATA:
                argv += ["-L", self.tree / path]
        return [str(arg) for arg in argv]

    def environment(self):
        """The environment its programs need: they look for modules where they were installed otherwise."""
        return {**os.environ, "QEMU_MODULE_DIR": str(self.tree / _LIBRARIES[0] / "qemu")}

    def _find(self, name):
        return next(path for path in (self.tree / "usr/bin" / name, self.tree / "usr/libexec" / name) if path.exists())
