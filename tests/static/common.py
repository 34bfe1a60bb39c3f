# SPDX-License-Identifier: BSD-3-Clause
"""What the static tests share: where source and build are, a staged installation, and the verdict.

A test looks at all it has to look at, and tells all that is wrong at the end. It needs no root and no running systemd.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]

_failures = []
_skipped = []
_checked = 0


def check(good, text):
    """Counts one check; text says what is wrong when it is not good."""
    global _checked
    _checked += 1
    if not good:
        _failures.append(text)
    return good


def skip(part, reason):
    """Leaves out one part of the test."""
    _skipped.append(f"{part}: {reason}")


def finish():
    """Prints the verdict and exits: 0, 1, or 77 when nothing at all could be checked."""
    for text in _skipped:
        print(f"skipped: {text}")
    for text in _failures:
        print(f"wrong: {text}")
    print(f"{_checked} checks, {len(_failures)} wrong")
    sys.exit(1 if _failures else 0 if _checked else 77)


def build():
    """The build directory: $VXM_BUILD, which meson test sets, or the newest in the checkout."""
    named = os.environ.get("VXM_BUILD")
    if named:
        return Path(named)
    found = sorted(SOURCE.glob("*/build.ninja"), key=lambda path: path.stat().st_mtime)
    if not found:
        sys.exit(f"there is no build directory in {SOURCE}: run meson setup build && ninja -C build, or set VXM_BUILD")
    return found[-1].parent


def run(*argv, **options):
    """Runs a program to its end; its words come back as text, in English."""
    env = {**os.environ, **options.pop("env", {}), "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "SYSTEMD_COLORS": "0",
           "SYSTEMD_PAGER": "cat"}
    return subprocess.run([str(arg) for arg in argv], capture_output=True, text=True, check=False, env=env, **options)


def words_of(done):
    """What a program said, for messages."""
    return (done.stdout + done.stderr).strip()


@contextlib.contextmanager
def staged():
    """The product as installed, in a temporary directory."""
    with tempfile.TemporaryDirectory(prefix="vxm-static-") as directory:
        done = run("meson", "install", "-C", build(), "--no-rebuild", "--quiet", env={"DESTDIR": directory})
        if done.returncode != 0:
            sys.exit(f"meson install failed:\n{words_of(done)}")
        yield Path(directory)


def installed(stage, name):
    """The one installed file of that name."""
    found = [path for path in stage.rglob(name) if path.is_file()]
    if len(found) != 1:
        sys.exit(f"{name} is installed {len(found)} times: {found}")
    return found[0]


def helpers(stage):
    """All installed programs; scripts for the initramfs are none."""
    return sorted(path for path in stage.rglob("vxm*")
                  if path.is_file() and os.access(path, os.X_OK) and path.read_bytes().startswith(b"\x7fELF"))
