# SPDX-License-Identifier: BSD-3-Clause
"""The product, built and installed into a copy of the base image the way a user does it from a checkout.

An entry "product-<key>" of the cache holds product.ext4; the snapshots of machines booted from it lie beside it.
The build directory outlives the entries, so a rebuild compiles only what changed.
"""

import contextlib
import os
import subprocess
from pathlib import Path

from vxmlab import cache, demoguest, image
from vxmlab.process import call
from vxmlab.say import LabError, step

_SOURCE = Path(__file__).resolve().parents[3]
_SETUP = ["--prefix=/usr", "--sysconfdir=/etc", "--localstatedir=/var"]

# The file of an entry.
DISK = "product.ext4"

# Where the checkout and its build directory are mounted inside the image, while it is built there.
_SOURCE_INSIDE = "usr/src/vxm"
_BUILD_INSIDE = "var/tmp/vxm-build"

# Where the product's preset "demo" looks for its kernel and initrd.
_DEMO_INSIDE = "var/lib/vxm/images/demo"


def ensure(base):
    """The directory of the product's image, built when the checkout changed. Needs the cache's lock."""
    demo = demoguest.ensure(base)
    key = cache.digest(base.name, demo.name, Path(__file__), *_files())
    path = cache.entry("product", key, lambda directory: _build(base, demo, directory))
    cache.prune("product", keep=2)
    return path


def _files():
    """Every file of the checkout outside tests/: its name, then itself."""
    for name in sorted(_names()):
        path = _SOURCE / name
        if not name.startswith("tests/") and os.path.lexists(path):
            yield name
            yield path


def _names():
    argv = ["git", "-C", _SOURCE, "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if (_SOURCE / ".git").exists():
        with contextlib.suppress(FileNotFoundError):
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return [name for name in done.stdout.split("\0") if name]
    return [str(path.relative_to(_SOURCE)) for path in _SOURCE.rglob("*") if path.is_symlink() or path.is_file()]


def _build(base, demo, directory):
    step("building and installing the product ...")
    if not (_SOURCE / "meson.build").exists():
        raise LabError(f"no meson.build in {_SOURCE}: the lab has to lie in tests/lab of a vxm checkout")
    disk = directory / DISK
    call(["cp", "--sparse=always", "--reflink=auto", base / "base.ext4", disk], f"make {disk}")
    with image.mounted(disk, directory / "root") as tree, image.chroot_ready(tree), _build_mounts(base, tree):
        _meson(tree)
        where = tree / _DEMO_INSIDE
        call(["install", "-D", "-m", "644", "-t", where, demo / "vmlinuz", demo / "initrd.img"], "install the demo guest")


@contextlib.contextmanager
def _build_mounts(base, tree):
    build = cache.root() / f"build-{cache.digest(base.name, str(_SOURCE), *_SETUP, *_options())}"
    build.mkdir(exist_ok=True)
    os.utime(build)
    cache.prune("build", keep=2)
    pairs = ((_SOURCE, tree / _SOURCE_INSIDE, "ro"), (build, tree / _BUILD_INSIDE, "rw"))
    for source, target, mode in pairs:
        target.mkdir(parents=True, exist_ok=True)
        call(["mount", "-o", f"bind,{mode}", source, target], f"mount {source} into the image")
    try:
        yield
    finally:
        for _, target, _ in pairs:
            call(["umount", target], f"unmount {target}")
            target.rmdir()


def _meson(tree):
    source, build = f"/{_SOURCE_INSIDE}", f"/{_BUILD_INSIDE}"
    run = ["chroot", tree, "env", "LC_ALL=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1"]
    if not (tree / _BUILD_INSIDE / "build.ninja").exists():
        call([*run, "meson", "setup", *_SETUP, *_options(), build, source], "configure the product")
    call([*run, "meson", "compile", "-C", build], "build the product")
    call([*run, "meson", "install", "-C", build, "--no-rebuild"], "install the product")


def _options():
    """The lab wants no test programs built, where the product's build can be told so."""
    for name in ("meson.options", "meson_options.txt"):
        path = _SOURCE / name
        if path.exists() and "'tests'" in path.read_text():
            return ["-Dtests=false"]
    return []
