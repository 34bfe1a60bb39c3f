# SPDX-License-Identifier: BSD-3-Clause
"""The QEMUs that vxm is made for, unpacked from Debian's packages by this machine's own apt, in the lab's cache."""

from dataclasses import dataclass

from vxmlab import cache
from vxmlab.qemu import Qemu, unpacked

_COMMON = "qemu-system-x86,qemu-utils,ovmf"
# The oldest first. What listens at a TPM's and a share's socket comes from the newest one for all. Last, the modules that it has in
# qemu-system-gui, which would need a whole desktop: only whether they exist matters here.
_RELEASES = (("oldqemu", "bookworm", "7.2", _COMMON, ("audio-jack.so", "audio-pa.so", "audio-sdl.so", "ui-gtk.so", "ui-sdl.so")),
             ("newqemu", "trixie", "10.0", f"{_COMMON},qemu-system-modules-spice,swtpm,virtiofsd",
              ("audio-jack.so", "audio-pa.so", "audio-pipewire.so", "audio-sdl.so", "ui-gtk.so", "ui-sdl.so")))


@dataclass
class Release:
    """One of Debian's releases, with its QEMU. modules: those that it has elsewhere."""

    suite: str
    version: str
    qemu: Qemu
    modules: tuple

    def has_module(self, name):
        return name in self.modules or (self.qemu.tree / "usr/lib/x86_64-linux-gnu/qemu" / name).exists()


def ensure():
    """All of them, fetched when they are not there."""
    found = []
    with cache.locked():
        for kind, suite, version, packages, modules in _RELEASES:
            path = unpacked(kind, suite, packages)
            cache.hold(path)
            found.append(Release(suite, version, Qemu(path), modules))
    return found
