# SPDX-License-Identifier: BSD-3-Clause
"""The demo guest: kernel and initramfs of a guest that shows on its GPU's screen and its console what it sees.

Made from packages of the base image and the sources in demo-guest/; an entry "demo-<key>" of the cache.
"""

from pathlib import Path

from vxmlab import cache, image
from vxmlab.process import call
from vxmlab.say import step

# A kernel, what is enough for most guests, and that with more drivers, or with JACK.
FILES = ("vmlinuz", "initrd.img", "devices.img", "jack.img")

_SOURCES = Path(__file__).resolve().parent.parent / "demo-guest"


def ensure(base):
    """The directory with FILES, built when demo-guest/ changed. Needs the cache's lock."""
    key = cache.digest(base.name, Path(__file__), _SOURCES)
    path = cache.entry("demo", key, lambda directory: _build(base, directory))
    cache.prune("demo", keep=2)
    return path


def _build(base, directory):
    step("building the demo guest ...")
    with image.mounted(base / "base.ext4", directory / "root", read_only=True) as tree, image.chroot_ready(tree):
        work = tree / "tmp" / "demo-guest"
        call(["cp", "-r", _SOURCES, work], "copy the demo guest's sources into the image")
        call(["chroot", tree, "sh", "/tmp/demo-guest/build", "/tmp/demo-guest/out"], "build the demo guest")
        call(["cp", *(work / "out" / name for name in FILES), directory], "take the demo guest out of the image")
