# SPDX-License-Identifier: BSD-3-Clause
"""The kill matrix: a helper, vxm-bind and vxm-hugepages, is killed, and its calls are made to fail, at every system call that
changes the machine; once its unit has done what it does afterwards, all has to be as before, at every single point.
inside/matrix.py does the work; docs/reliability.md has the figures.

All points take five minutes a machine where everything is emulated. With VXM_LAB_MATRIX=sample a few points of each phase and
kind are tried, spread evenly, and the outcome says how many.
"""

import json
import os
import sys
from pathlib import Path

import pytest

import demo

pytestmark = pytest.mark.slow

_INSIDE = Path(__file__).resolve().parent / "inside"

# All that a guest can ask of its GPU that makes for more writes.
_POLICY = "PowerControl=auto\nD3Cold=yes\nResetMethod=bus\n"
_SINGLE = "[Guest]\nPreset=demo\n\n[GPU]\nDevice=01:00.0\nSingleGpu=yes\n"

_ALL = os.environ.get("VXM_LAB_MATRIX") != "sample"
_SAMPLE = 3

# No fewer points than these may be tried, or the matrix has gone blind: phase and kind, at least.
_AT_LEAST = {
    "cold, killed before": 6, "cold, killed after": 6, "cold, all killed": 6, "cold, EIO": 6,
    "bind, killed before": 11, "bind, killed after": 11, "bind, all killed": 11, "bind, strace": 7,
    "undo, killed before": 9, "undo, killed after": 9, "undo, all killed": 9, "undo, strace": 7,
    **{f"bind, {error}": 11 for error in ("EIO", "EBUSY", "ENODEV", "ENOSPC")},
    **{f"undo, {error}": 9 for error in ("EIO", "EBUSY", "ENODEV", "ENOSPC")},
}
# Of vxm-hugepages: the write, a record before and after it, and another one or none in the end.
_AT_LEAST_PAGES = {
    f"{phase}, {kind}": least for phase, least in (("take", 13), ("undo", 11))
    for kind in ("killed before", "killed after", "all killed", "EIO", "EBUSY", "ENODEV", "ENOSPC")
} | {"take, strace": 11, "undo, strace": 10}

_PAGES = "[Guest]\nPreset=demo\n\n[Memory]\nSize=128M\nHugePages=2M\n"


def matrix(lab, text, helper="vxm-bind"):
    """Runs the matrix of a helper for a guest file inside; returns what it found."""
    demo.install(lab, text=text)
    for name in ("inject.c", "matrix.py", "state.py"):
        lab.put(_INSIDE / name)
    lab.run("gcc -std=gnu11 -O2 -Wall -Wextra -Werror -o inject inject.c")
    lab.run("systemd-sysusers --inline 'u vxm-demo -'")
    at_most = "" if _ALL else str(_SAMPLE)
    done = lab.run(f"python3 matrix.py --helper {helper} demo {at_most}", check=False, timeout=3600)
    print(done.stderr, file=sys.stderr)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr}"
    return json.loads(done.stdout)


def assert_complete(found, tell, at_least=_AT_LEAST):
    """Every point came out as before, and there were enough of them. Tells the figures in any case."""
    counts, total = found["counts"], sum(found["counts"].values())
    tell(f"{'all' if _ALL else 'a sample of'} {total} points in {found['seconds']:.0f} s, {len(found['failures'])} failures\n" +
         "\n".join(f"{key:24} {count:4} points, {found['dented'].get(key, 0):4} with something left to undo"
                   for key, count in counts.items()))
    told = "\n\n".join(json.dumps(failure, indent=1, ensure_ascii=False) for failure in found["failures"][:5])
    assert not found["failures"], f"not as before after {len(found['failures'])} of {total} points; the first:\n{told}"
    assert not found["missed"], f"points that were not reached: {found['missed']}"
    if not _ALL:
        return
    phases = {key.split(",")[0] for key in at_least} - {"cold"}
    assert all(found["dented"].get(f"{phase}, {kind}") for phase in phases for kind in ("all killed", "EIO", "strace")), \
        f"too little was disturbed for the undo to be needed: {found['dented']}"
    short = [f"{key}: {counts.get(key, 0)} of {least}" for key, least in at_least.items() if counts.get(key, 0) < least]
    assert not short, f"fewer points than there have to be: {'; '.join(short)}"


def test_kill_matrix(lab, tell):
    assert_complete(matrix(lab, demo.GUEST_FILE + _POLICY), tell)


@pytest.mark.machine("single-0380")
def test_kill_matrix_single_gpu(lab, tell):
    """With consoles and framebuffers to let go of, too; the desktop is stopped by a unit, and here for all of the time."""
    lab.run("systemctl stop display-manager")
    assert_complete(matrix(lab, _SINGLE), tell)


def test_kill_matrix_huge_pages(lab, tell):
    """Some pages are there already, and stay; another guest has its own, and keeps them."""
    lab.run("echo 8 >/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages")
    demo.install(lab, "other", _PAGES)
    lab.run("/usr/lib/vxm/vxm-hugepages other")
    assert_complete(matrix(lab, _PAGES, "vxm-hugepages"), tell, _AT_LEAST_PAGES)
    lab.run("/usr/lib/vxm/vxm-hugepages --release other")
    assert lab.read("/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages") == "8\n"
