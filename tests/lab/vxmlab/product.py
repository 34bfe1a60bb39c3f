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

# What is built for a machine, and what for check().
_INSTALL = ["-Dtests=false"]
_CHECK = ["-Dtests=true", "-Dwerror=true", "-Dman=true"]

# The file of an entry.
DISK = "product.ext4"

# Where the checkout and its build directory are mounted inside the image, while it is built there.
_SOURCE_INSIDE = "usr/src/vxm"
_BUILD_INSIDE = "var/tmp/vxm-build"

# Where the package is built there, of a copy, by a user without rights, as Debian's own builders do it.
_PACKAGE_INSIDE = "var/tmp/vxm-package"
_NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]

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
    with image.mounted(disk, directory / "root") as tree, image.chroot_ready(tree), _build_mounts(base, tree, _INSTALL):
        _meson(tree)
        where = tree / _DEMO_INSIDE
        call(["install", "-D", "-m", "644", "-t", where, *(demo / name for name in demoguest.FILES)], "install the demo guest")


def check():
    """Builds the checkout with all its tests inside Debian 13, warnings being errors, and runs those that need no machine.

    Returns what they print. The static suite stays outside: it looks at the checkout, not at the build.
    """
    with _scratch_tree("check") as (base, tree), _build_mounts(base, tree, _CHECK):
        return _meson_test(tree)


def package(directory):
    """Builds the Debian package inside Debian 13, its unit tests included, and copies it into a directory.

    Returns the package's path, and what lintian says of it.
    """
    with _scratch_tree("package") as (_, tree):
        source = tree / _PACKAGE_INSIDE / "vxm"
        source.mkdir(parents=True)
        call(["cp", "--parents", "--no-dereference", "--target-directory", source, "--", *_names()], "copy the checkout", cwd=_SOURCE)
        call(["chroot", tree, "chown", "-R", "nobody:nogroup", f"/{_PACKAGE_INSIDE}"], "give the copy away")
        where = f"/{_PACKAGE_INSIDE}"
        run = ["chroot", tree, *_NOBODY, "env", f"--chdir={where}/vxm", f"HOME={where}", "PATH=/usr/sbin:/usr/bin",
               f"DEB_BUILD_OPTIONS=parallel={os.cpu_count()}"]
        call([*run, "dpkg-buildpackage", "-b", "-us", "-uc"], "build the package")
        said = call([*run, "sh", "-c", f"lintian --fail-on none {where}/vxm_*.changes"], "have lintian judge the package")
        built = [path for path in (tree / _PACKAGE_INSIDE).glob("vxm_*.deb")]
        if len(built) != 1:
            raise LabError(f"expected one package, found {built}")
        call(["cp", built[0], directory], "copy the package")
        return Path(directory) / built[0].name, said


@contextlib.contextmanager
def _scratch_tree(kind):
    """A copy of the base image, mounted and ready for programs to run in; nothing is left of it."""
    with cache.locked():
        base = image.ensure()
        directory, hold = cache.scratch(kind)
        try:
            disk = directory / DISK
            call(["cp", "--sparse=always", "--reflink=auto", base / "base.ext4", disk], f"make {disk}")
            with image.mounted(disk, directory / "root") as tree, image.chroot_ready(tree):
                yield base, tree
        finally:
            os.close(hold)
            cache.remove(directory)


@contextlib.contextmanager
def _build_mounts(base, tree, options):
    build = cache.root() / f"build-{cache.digest(base.name, str(_SOURCE), *_SETUP, *options)}"
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
    run = _configure(tree, _INSTALL)
    call([*run, "meson", "compile", "-C", f"/{_BUILD_INSIDE}"], "build the product")
    call([*run, "meson", "install", "-C", f"/{_BUILD_INSIDE}", "--no-rebuild"], "install the product")


def _meson_test(tree):
    run = _configure(tree, _CHECK)
    call([*run, "meson", "compile", "-C", f"/{_BUILD_INSIDE}"], "build the product's tests")
    suites = [argument for suite in ("unit", "golden", "fuzz") for argument in ("--suite", suite)]
    return call([*run, "meson", "test", "-C", f"/{_BUILD_INSIDE}", "--print-errorlogs", *suites], "pass the product's tests")


def _configure(tree, options):
    """Sets the build directory up when it is new; returns the start of a command line in the image."""
    run = ["chroot", tree, "env", "LC_ALL=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1"]
    if not (tree / _BUILD_INSIDE / "build.ninja").exists():
        call([*run, "meson", "setup", *_SETUP, *options, f"/{_BUILD_INSIDE}", f"/{_SOURCE_INSIDE}"], "configure the product")
    return run
