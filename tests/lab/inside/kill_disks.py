# SPDX-License-Identifier: BSD-3-Clause
"""Runs inside the lab, beside state.py and inject: kills vxm-disks before and after each system call that changes something,
first while it gives disks and makes images, then while it takes back. What the unit's ExecStopPost= runs then must leave all as
before, and in the directory of the images whole ones or none.

Usage: kill_disks.py GUEST DIRECTORY. Prints {"points": N, "wrong": […]} as JSON.
"""

import json
import subprocess
import sys
from pathlib import Path

import state

HELPER = "/usr/lib/vxm/vxm-disks"
LIST = Path("/root/points")


def run(*argv):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def must(*argv):
    done = run(*argv)
    if done.returncode != 0:
        sys.exit(f"{argv}: {done.stderr}")


def points(*command):
    """The number of calls that change something, in a run that nobody disturbs."""
    must("/root/inject", LIST, "0", "none", *command)
    return len(LIST.read_bytes().splitlines())


def remove_images(directory):
    """What is wrong with the images; they are gone afterwards."""
    wrong = []
    for path in directory.iterdir():
        whole = path.name in ("a.qcow2", "b.raw") and path.owner() == "vxm-demo"
        if path.suffix == ".raw":
            whole = whole and path.stat().st_size == 1 << 20
        else:
            whole = whole and run("qemu-img", "check", "-q", str(path)).returncode == 0
        if not whole:
            wrong.append(f"{path.name} {path.owner()} {path.stat().st_size}")
        path.unlink()
    return wrong


def what_is_wrong(guest, directory, before):
    done = run(HELPER, "--release", guest)
    after = state.lines()
    wrong = [line for line in after if line not in before] + [f"gone: {line}" for line in before if line not in after]
    wrong += remove_images(directory)
    if done.returncode != 0:
        wrong.append(f"status {done.returncode}: {done.stderr}")
    return wrong


def main(guest, directory):
    directory, wrong, n = Path(directory), [], 0
    give, release = (HELPER, guest), (HELPER, "--release", guest)
    before = state.lines()
    giving = points(*give)
    releasing = points(*release)
    found = what_is_wrong(guest, directory, before)
    if found:
        sys.exit(f"not as before after a run that nobody killed: {found}")
    for phase, count, command in (("giving", giving, give), ("releasing", releasing, release)):
        for number in range(1, count + 1):
            for action in ("before", "after"):
                if phase == "releasing":
                    must(*give)
                run("/root/inject", LIST, str(number), action, *command)
                n += 1
                found = what_is_wrong(guest, directory, before)
                wrong += [f"{phase}, {action} {number}: {text}" for text in found]
    json.dump({"points": n, "wrong": wrong}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
