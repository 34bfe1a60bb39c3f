# SPDX-License-Identifier: BSD-3-Clause
"""Runs inside the lab: times moving PCI functions to vfio-pci and back, by vxm-bind and by bare writes to sysfs, taking
turns. Prints milliseconds as JSON.

    python3 bind.py ROUNDS GUEST ADDRESS…

Timed is all of a process, from fork to exit, so that both ways contain one process start. raw-bind makes three writes a
function and nothing else; vxm-bind reads the guest's file, judges the machine, looks who holds the devices, notes how they
are, makes the same writes, and reads back what came of them. Both ways go back undone before the other's turn.
"""

import json
import os
import subprocess
import sys
import time

HELPER = "/usr/lib/vxm/vxm-bind"
RAW = "/root/raw-bind"


def milliseconds(*argv):
    started = time.monotonic()
    done = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
    took = 1000 * (time.monotonic() - started)
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv)} ended with status {done.returncode}: {done.stderr.decode()}")
    return took


def drivers(functions):
    return [os.path.basename(os.readlink(f"/sys/bus/pci/devices/{function}/driver")) for function in functions]


def turn(samples, name, take, undo, functions):
    """One bind and its undo, each seen to have happened."""
    before = drivers(functions)
    took = milliseconds(*take)
    if set(drivers(functions)) != {"vfio-pci"}:
        sys.exit(f"{name} has not bound the functions")
    back = milliseconds(*undo)
    if drivers(functions) != before:
        sys.exit(f"{name} has not given the functions back")
    samples.setdefault(f"{name} bind", []).append(took)
    samples.setdefault(f"{name} undo", []).append(back)


def main(rounds, guest, functions):
    subprocess.run(["modprobe", "vfio-pci"], check=True)
    samples = {}
    for _ in range(rounds + 1):  # the first round warms up and is not counted
        turn(samples, "vxm", [HELPER, guest], [HELPER, "--release", guest], functions)
        turn(samples, "raw", [RAW, "vfio-pci", *functions], [RAW, "-", *reversed(functions)], functions)
        samples.setdefault("nothing", []).append(milliseconds("/bin/true"))
    json.dump({name: values[1:] for name, values in samples.items()}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
