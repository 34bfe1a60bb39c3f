# SPDX-License-Identifier: BSD-3-Clause
"""Runs inside the lab: kills vxm-units before each system call that changes something, or talks to systemd, first while it
stops units, then while it starts them again. What the unit's ExecStopPost= runs then must leave all as before.

Usage: kill_units.py AT_MOST GUEST UNIT… AT_MOST: so many calls of each kind, spread evenly; 0 for all. The units are those that
run before. Prints {"points": N, "wrong": […]} as JSON.
"""

import collections
import json
import os
import re
import subprocess
import sys
import time

HELPER = "/usr/lib/vxm/vxm-units"
CALLS = ("flock", "openat", "openat2", "write", "renameat", "unlinkat", "close", "sendmsg")
PATIENCE = 20


def helper(*arguments, trace=()):
    argv = [*trace, HELPER, *arguments]
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def points(at_most, *arguments):
    """(call, number) of each call of one run, or of some, among them the first and the last of each kind."""
    trace = "/tmp/vxm-units.trace"
    done = helper(*arguments, trace=("strace", "-o", trace, "-e", "trace=" + ",".join(CALLS)))
    if done.returncode != 0:
        sys.exit(f"{arguments}: {done.stderr}")
    with open(trace, encoding="utf-8") as lines:
        counts = collections.Counter(name for line in lines for name in re.findall(r"^(\w+)\(", line))
    return [(name, when) for name in CALLS for when in spread(counts[name], at_most)]


def spread(count, at_most):
    """Numbers from 1 to count: all, or at_most of them, evenly."""
    if not at_most or count <= at_most:
        return range(1, count + 1)
    return sorted({1 + index * (count - 1) // (at_most - 1) for index in range(at_most)})


def run(units):
    """Which of the units do not run, some time after they were asked to."""
    deadline = time.monotonic() + PATIENCE
    while True:
        states = subprocess.run(["systemctl", "is-active", *units], capture_output=True, text=True, check=False).stdout.split()
        missing = [unit for unit, state in zip(units, states) if state != "active"]
        if not missing or time.monotonic() > deadline:
            return missing
        time.sleep(0.02)


def killed(name, when, *arguments):
    """Runs the helper until it is killed there."""
    inject = f"inject={name}:signal=KILL:when={when}"
    helper(*arguments, trace=("strace", "-o", "/dev/null", "-e", f"trace={name}", "-e", inject))


def what_is_wrong(guest, units):
    done = helper("--release", guest)
    missing = run(units)
    left = os.listdir("/run/vxm/units")
    if done.returncode == 0 and not missing and not left:
        return None
    return f"status {done.returncode}, not running: {missing}, left: {left}, said: {done.stderr}"


def main(at_most, guest, *units):
    wrong = []
    stopping = points(int(at_most), guest)
    starting = points(int(at_most), "--release", guest)
    if run(units):
        sys.exit("the units do not run again after a run that nobody killed")
    for name, when in stopping:
        killed(name, when, guest)
        wrong.append((f"stopping, {name} {when}", what_is_wrong(guest, units)))
    for name, when in starting:
        helper(guest)
        killed(name, when, "--release", guest)
        wrong.append((f"starting, {name} {when}", what_is_wrong(guest, units)))
    json.dump({"points": len(wrong), "wrong": [point for point in wrong if point[1]]}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
