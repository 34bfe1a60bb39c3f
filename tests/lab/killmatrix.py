# SPDX-License-Identifier: BSD-3-Clause
"""The kill matrix of a helper, see inside/matrix.py: run in a lab, and judged.

A few of each phase and kind are tried, spread evenly; VXM_LAB_MATRIX=all tries all points.
"""

import json
import os
import sys
from pathlib import Path

import demo

_INSIDE = Path(__file__).resolve().parent / "inside"
_FEW = 3


def is_whole():
    """Whether every point is to be tried."""
    return os.environ.get("VXM_LAB_MATRIX") == "all"


def run(lab, text, helper):
    """Runs the matrix of a helper for a guest file, in a lab; returns what it found."""
    demo.install(lab, text=text)
    for name in ("inject.c", "matrix.py", "state.py"):
        lab.put(_INSIDE / name)
    lab.run("gcc -std=gnu11 -O2 -Wall -Wextra -Werror -o inject inject.c")
    lab.run("systemd-sysusers --inline 'u vxm-demo -'")
    at_most = "" if is_whole() else str(_FEW)
    done = lab.run(f"python3 matrix.py --helper {helper} demo {at_most}", check=False, timeout=3600)
    print(done.stderr, file=sys.stderr)
    assert done.stdout.startswith("{"), f"{done.stdout[-4000:]}\n{done.stderr}"
    return json.loads(done.stdout) | {"helper": helper, "whole": is_whole()}


def assert_complete(found, tell, at_least):
    """Every point came out as before, and there were enough of them: of each phase and kind at least so many, if all were
    tried. Tells the figures in any case."""
    counts, total, whole = found["counts"], sum(found["counts"].values()), found["whole"]
    tell(f"{found['helper']}: {'all' if whole else 'a sample of'} {total} points in {found['seconds']:.0f} s, "
         f"{len(found['failures'])} failures\n" +
         "\n".join(f"{key:24} {count:4} points, {found['dented'].get(key, 0):4} with something left to undo"
                   for key, count in counts.items()))
    told = "\n\n".join(json.dumps(failure, indent=1, ensure_ascii=False) for failure in found["failures"][:5])
    assert not found["failures"], f"not as before after {len(found['failures'])} of {total} points; the first:\n{told}"
    assert not found["missed"], f"points that were not reached: {found['missed']}"
    if not whole:
        assert set(at_least) <= set(counts) and sum(found["dented"].values()) > 0, counts
        return
    telling = {key for key in at_least if not key.startswith("cold") and key.endswith(("all killed", "EIO", "strace"))}
    assert all(found["dented"].get(key) for key in telling), \
        f"too little was disturbed for the undo to be needed: {found['dented']}"
    short = [f"{key}: {counts.get(key, 0)} of {least}" for key, least in at_least.items() if counts.get(key, 0) < least]
    assert not short, f"fewer points than there have to be: {'; '.join(short)}"
