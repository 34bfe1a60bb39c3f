# SPDX-License-Identifier: BSD-3-Clause
"""The base image: Debian 13 with all that the lab and the product's build need, without the product.

An entry "base-<key>" of the cache holds base.ext4, the kernel and initrd that boot it, and the SSH key that opens it.
"""

import contextlib
import shlex
from pathlib import Path

from vxmlab import apt, cache
from vxmlab.process import call, own_mounts
from vxmlab.say import LabError, step

SUITE = "trixie"
_HERE = Path(__file__).resolve().parent
_RECIPE = _HERE.parent / "image"
_SIZE = "16G"


def ensure():
    """The base image's directory, built when its recipe changed. Needs the cache's lock."""
    key = cache.digest(SUITE, _SIZE, _RECIPE, *(_HERE / name for name in ("image.py", "apt.py")))
    path = cache.entry("base", key, _build)
    cache.prune("base", keep=1)
    return path


def packages():
    """The names in image/packages."""
    lines = (_RECIPE / "packages").read_text().splitlines()
    return [name for line in lines if not line.startswith("#") for name in line.split()]


@contextlib.contextmanager
def mounted(image, target, read_only=False):
    """Mounts an ext4 image file at target."""
    own_mounts()
    target.mkdir(exist_ok=True)
    options = "loop,noinit_itable," + ("ro,noload" if read_only else "noatime")
    call(["mount", "-o", options, image, target], f"mount {image}")
    try:
        yield target
    finally:
        call(["umount", "--recursive", target], f"unmount {target}")
        target.rmdir()


@contextlib.contextmanager
def chroot_ready(tree):
    """Mounts proc, sys, dev and a scratch /run and /tmp into a mounted image for programs run in it."""
    for kind, where in (("proc", "proc"), ("sysfs", "sys"), ("devtmpfs", "dev"), ("devpts", "dev/pts"), ("tmpfs", "run"), ("tmpfs", "tmp")):
        (tree / where).mkdir(exist_ok=True)
        call(["mount", "-t", kind, kind, tree / where], f"mount {kind} in the image")
    try:
        yield
    finally:
        for where in ("tmp", "run", "dev/pts", "dev", "sys", "proc"):
            call(["umount", tree / where], f"unmount {tree / where}")


def _build(directory):
    step("building the Debian 13 image, once (a minute or two) ...")
    image = directory / "base.ext4"
    call(["truncate", "-s", _SIZE, image], f"make {image}")
    call(["mkfs.ext4", "-q", "-F", "-L", "vxm-lab", "-E", "lazy_itable_init=1,nodiscard", image], f"format {image}")
    key = directory / "ssh_key"
    call(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "vxm-lab", "-f", key], "make the lab's SSH key")
    with mounted(image, directory / "root") as tree:
        _install_debian(tree)
        _customize(tree, key.with_suffix(".pub").read_text())
        _take_kernel(tree, directory)


def _install_debian(tree):
    argv = ["mmdebstrap", "--mode=root", "--variant=minbase", "--include=" + ",".join(packages()),
            f"--essential-hook=copy-in {shlex.quote(str(_RECIPE / 'root' / 'etc'))} /"]
    argv += [f"--aptopt={option}" for option in ["Apt::Install-Recommends false;", *apt.options()]]
    call([*argv, SUITE, tree, *apt.sources(SUITE)], "install Debian 13 into the image")


def _customize(tree, public_key):
    home = tree / "root" / ".ssh"
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "authorized_keys").write_text(public_key)
    with chroot_ready(tree):
        call(["cp", "-r", _RECIPE / "modules", tree / "tmp"], "copy the lab's modules into the image")
        script = (_RECIPE / "customize").read_text()
        call(["chroot", tree, "sh", "-c", script], "set up the image")


def _take_kernel(tree, directory):
    for name in ("vmlinuz", "initrd.img"):
        found = sorted((tree / "boot").glob(f"{name}-*"))
        if len(found) != 1:
            raise LabError(f"expected one /boot/{name}-* in the image, found {len(found)}; look at image/packages")
        call(["cp", found[0], directory / name], f"copy {found[0]}")
