# SPDX-License-Identifier: BSD-3-Clause
"""Runs inside the lab: times "vxm-bind --list" and lspci on a tree of many PCI functions, taking turns. Prints milliseconds
as JSON.

    python3 list.py ROUNDS FUNCTIONS

The tree is made from this machine's own: its slots with all their functions are copied to bus after bus, each bus behind a
root port, each slot in an IOMMU group of its own, until there are as many functions as wanted. Each function has the
attributes that a real one has. Timed is all of a process, from fork to exit.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HELPER = "/usr/lib/vxm/vxm-bind"
PCI = Path("/sys/bus/pci/devices")

# The attributes a function is copied with; the binary ones but "config" are left out.
ATTRIBUTES = ("vendor", "device", "subsystem_vendor", "subsystem_device", "class", "revision", "irq", "resource", "modalias",
              "driver_override", "boot_vga", "reset_method", "d3cold_allowed", "enable", "numa_node", "config")


def milliseconds(argv, environment=None):
    started = time.monotonic()
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, check=False,
                          env=environment)
    took = 1000 * (time.monotonic() - started)
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv)} ended with status {done.returncode}: {done.stderr}")
    return took, done.stdout


def slots_here():
    """This machine's slots beyond the chipset's own: lists of functions, bridges left out."""
    slots = {}
    for device in sorted(PCI.iterdir()):
        if not (device / "class").read_text().startswith("0x06"):
            slots.setdefault(device.name[:-2], []).append(device)
    return list(slots.values())


class Tree:
    """A machine made up from copies of functions."""

    def __init__(self, root):
        self._root = root
        self._pci = root / "sys/bus/pci"
        self._host = root / "sys/devices/pci0000:00"
        self._groups = root / "sys/kernel/iommu_groups"
        self.functions = 0
        for path in (self._pci / "devices", self._pci / "drivers", self._pci / "slots", self._host, self._groups,
                     root / "proc", root / "dev"):
            path.mkdir(parents=True)
        for name in ("iomem", "cmdline", "mounts", "swaps"):
            (root / "proc" / name).write_text(Path("/proc", name).read_text())

    def add(self, source, parent, name, group):
        """A copy of the function at source."""
        here = parent / name
        here.mkdir(parents=True)
        for attribute in ATTRIBUTES:
            try:
                (here / attribute).write_bytes((source / attribute).read_bytes())
            except OSError:
                continue
        (here / "power").mkdir()
        (here / "power/control").write_text("on\n")
        self._link(here / "subsystem", self._pci)
        self._link(self._pci / "devices" / name, here)
        members = self._groups / str(group) / "devices"
        members.mkdir(parents=True, exist_ok=True)
        self._link(members / name, here)
        self._link(here / "iommu_group", members.parent)
        if (source / "driver").is_symlink():
            driver = self._pci / "drivers" / os.path.basename(os.readlink(source / "driver"))
            driver.mkdir(exist_ok=True)
            self._link(here / "driver", driver)
        self.functions += 1
        return here

    @staticmethod
    def _link(link, target):
        link.symlink_to(os.path.relpath(target, link.parent))


def furnish(root, count):
    """Makes the tree; returns how many GPUs are in it."""
    tree, slots = Tree(root), slots_here()
    bridge = next(device for device in PCI.iterdir() if (device / "class").read_text().startswith("0x0604"))
    gpus, bus = 0, 1
    while tree.functions < count:
        slot = slots[bus % len(slots)]
        port = tree.add(bridge, tree._host, f"0000:00:{bus // 8 + 1:02x}.{bus % 8}", 2 * bus)
        for number, source in enumerate(slot):
            if tree.functions < count:
                tree.add(source, port, f"0000:{bus:02x}:00.{number}", 2 * bus + 1)
                gpus += (source / "class").read_text().startswith("0x03")
        bus += 1
    return gpus


def main(rounds, count):
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch, "machine")
        gpus = furnish(root, count)
        ways = {
            "vxm": [HELPER, "--list", f"--root={root}"],
            "lspci": ["lspci", "-nnk", "-A", "linux-sysfs", "-O", f"sysfs.path={root}/sys/bus/pci"],
        }
        samples = {name: [] for name in ways}
        for _ in range(rounds + 1):  # the first round warms up and is not counted
            for name, argv in ways.items():
                took, printed = milliseconds(argv)
                samples[name].append(took)
                found = printed.count("[1234:1111]") if name == "lspci" else printed.count("1234:1111")
                if found < gpus:
                    sys.exit(f"{name} shows {found} of {gpus} GPUs:\n{printed}")
        json.dump({name: values[1:] for name, values in samples.items()}, sys.stdout)
        shutil.rmtree(root)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
