# SPDX-License-Identifier: BSD-3-Clause
"""The kill matrix: vxm-bind is killed, and its calls are made to fail, at every system call that changes the machine; once
its unit has done what it does afterwards, all has to be as before, at every single point. inside/matrix.py does the work;
docs/reliability.md has the figures.

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


def matrix(lab, text):
    """Runs the matrix for a guest file inside; returns what it found."""
    demo.install(lab, text=text)
    for name in ("inject.c", "matrix.py", "state.py"):
        lab.put(_INSIDE / name)
    lab.run("gcc -std=gnu11 -O2 -Wall -Wextra -Werror -o inject inject.c")
    lab.run("systemd-sysusers --inline 'u vxm-demo -'")
    at_most = "" if _ALL else str(_SAMPLE)
    done = lab.run(f"python3 matrix.py demo {at_most}", check=False, timeout=3600)
    print(done.stderr, file=sys.stderr)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr}"
    return json.loads(done.stdout)


def assert_complete(found, tell):
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
    assert all(found["dented"].get(f"{phase}, {kind}") for phase in ("bind", "undo") for kind in ("all killed", "EIO", "strace")), \
        f"too little was disturbed for the undo to be needed: {found['dented']}"
    short = [f"{key}: {counts.get(key, 0)} of {least}" for key, least in _AT_LEAST.items() if counts.get(key, 0) < least]
    assert not short, f"fewer points than there have to be: {'; '.join(short)}"


def test_kill_matrix(lab, tell):
    assert_complete(matrix(lab, demo.GUEST_FILE + _POLICY), tell)


@pytest.mark.machine("single-0380")
def test_kill_matrix_single_gpu(lab, tell):
    """With consoles and framebuffers to let go of, too; the desktop is stopped by a unit, and here for all of the time."""
    lab.run("systemctl stop display-manager")
    assert_complete(matrix(lab, _SINGLE), tell)
