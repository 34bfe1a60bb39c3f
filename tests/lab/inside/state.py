# SPDX-License-Identifier: BSD-3-Clause
"""Runs inside the lab: everything that vxm may change on a machine, as text, one line a thing, sorted.

Of each PCI function: driver, override, reset methods, power policy and the sizes of its BARs. Consoles and who draws them,
framebuffers, cards; the inputs of the lab's monitors (ddc_monitor.c); network interfaces; the nodes of vfio, of block devices, of
input devices and of USB devices, these with their drivers; the pools of huge pages; vxm's own files in /run; which CPUs the host's slices, interrupts and the kernel's own
threads may use. What comes with a module that
stays loaded is left out.
"""

import os
import re
from pathlib import Path

PCI = Path("/sys/bus/pci/devices")
POLICY = ("reset_method", "d3cold_allowed", "power/control")
CLASSES = (("graphics", "fb[0-9]*"), ("drm", "card[0-9]*"), ("drm", "renderD*"), ("sound", "card[0-9]*"))
SLICES = ("init.scope", "system.slice", "user.slice", "machine.slice", "vxm.slice")
BEGAN = Path("/run/lab-state-began")
IRQ = Path("/proc/irq")
PF_KTHREAD, PF_NO_SETAFFINITY = 0x00200000, 0x04000000
TREES = (Path("/dev/vfio"), Path("/run/vxm"))


def _text(path):
    try:
        return path.read_text(errors="replace").strip() or "-"
    except OSError as error:
        return f"({error.strerror})" if path.exists() else "-"


def _target(link):
    return os.path.basename(os.readlink(link)) if link.is_symlink() else "none"


def _sizes(device):
    lines = (line.split() for line in _text(device / "resource").splitlines())
    return "/".join(f"{int(end, 16) - int(begin, 16) + 1:x}" for begin, end, _ in lines if int(end, 16)) or "-"


def _functions():
    for device in PCI.iterdir():
        yield f"{device.name} driver {_target(device / 'driver')} override {_text(device / 'driver_override')}"
        policy = " ".join(f"{name} {_text(device / name).replace(' ', ',')}" for name in POLICY)
        yield f"{device.name} policy {policy} sizes {_sizes(device)}"


def _screens():
    for console in Path("/sys/class/vtconsole").iterdir():
        yield f"{console.name} {_text(console / 'name')} bind {_text(console / 'bind')}"
    for kind, pattern in CLASSES:
        # The connectors of a card are called like it.
        nodes = sorted(node for node in Path("/sys/class", kind).glob(pattern) if "-" not in node.name)
        yield f"{kind} {pattern} {' '.join(node.name for node in nodes)}"
        # Without its number: the kernel gives the lowest that is free, so of several cards that were away the first to
        # come back gets the first.
        for node in nodes:
            yield f"{_target(node / 'device')} has {kind} {pattern}"


def _monitors():
    for bus in Path("/sys/bus/i2c/devices").glob("i2c-*"):
        if _text(bus / "name").startswith("lab monitor"):
            yield f"{_text(bus / 'name')} shows input {_text(bus / 'input')}"


def _pools():
    for pool in Path("/sys/devices/system/node").glob("node[0-9]*/hugepages/hugepages-*"):
        counts = " ".join(f"{name} {_text(pool / f'{name}_hugepages')}" for name in ("nr", "free", "surplus"))
        yield f"{pool.parent.parent.name} {pool.name} {counts}"


def _files():
    for tree in TREES:
        for path in tree.rglob("*"):
            if path != Path("/dev/vfio/vfio"):
                status = path.lstat()
                yield f"{path} {status.st_uid}:{status.st_gid} {status.st_mode:o}"


def _disks():
    for disk in Path("/sys/class/block").iterdir():
        node = Path("/dev", disk.name.replace("!", "/"))
        if node.exists():
            status = node.stat()
            yield f"{node} {status.st_uid}:{status.st_gid} {status.st_mode:o}"


def _usb():
    """Owner, access list, configuration and drivers of USB devices, by their ports: each coming has another number."""
    for device in Path("/sys/bus/usb/devices").glob("*-*"):
        if ":" in device.name:
            yield f"usb {device.name} driver {_target(device / 'driver')}"
            continue
        node = Path("/dev/bus/usb", _text(device / "busnum").zfill(3), _text(device / "devnum").zfill(3))
        if node.exists():
            status = node.stat()
            rights = os.getxattr(node, "system.posix_acl_access").hex() if "system.posix_acl_access" in os.listxattr(node) else "-"
            yield (f"usb {device.name} {_text(device / 'idVendor')}:{_text(device / 'idProduct')} {status.st_uid}:{status.st_gid} "
                   f"{status.st_mode:o} {rights} configuration {_text(device / 'bConfigurationValue')}")


def _inputs():
    """Nodes of input devices, by their names."""
    for device in Path("/sys/class/input").glob("event*"):
        status = Path("/dev/input", device.name).stat()
        lists = os.listxattr(f"/dev/input/{device.name}")
        rights = os.getxattr(f"/dev/input/{device.name}", lists[0]).hex() if lists else "-"
        yield f"input {_text(device / 'device/name')} {status.st_uid}:{status.st_gid} {status.st_mode:o} {rights}"


def _interfaces():
    for interface in Path("/sys/class/net").iterdir():
        yield (f"interface {interface.name} in {_target(interface / 'master')} flags {_text(interface / 'flags')} "
               f"mtu {_text(interface / 'mtu')} owner {_text(interface / 'owner')}")


def _cpus():
    """A slice that may have all CPUs has no limit, whether the controller is there or not."""
    there = _text(Path("/sys/fs/cgroup/cpuset.cpus.effective"))
    for name in SLICES:
        cpus = _text(Path("/sys/fs/cgroup", name, "cpuset.cpus.effective"))
        yield f"{name} cpus {'-' if cpus == there else cpus}"
        partition = _text(Path("/sys/fs/cgroup", name, "cpuset.cpus.partition"))
        yield f"{name} partition {'member' if partition == '-' else partition}"
    yield f"the first process runs on {','.join(map(str, sorted(os.sched_getaffinity(1))))}"
    # Of an interrupt that comes and goes with a driver only the mask counts that new ones get.
    yield f"default interrupt mask {_text(IRQ / 'default_smp_affinity')}"
    for mask in IRQ.glob("*/smp_affinity_list"):
        if any(mask.parent.glob("*/")):
            yield f"interrupt {' '.join(sorted(action.name for action in mask.parent.glob('*/')))} on {_text(mask)}"


def kernel_threads():
    """PID and start, name and CPUs of each thread of the kernel's that could be moved."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text(errors="replace")
            status = (stat.parent / "status").read_text(errors="replace")
        except OSError:
            continue  # it has ended
        head, _, fields = text.rpartition(") ")
        fields = fields.split()
        if int(fields[6]) & (PF_KTHREAD | PF_NO_SETAFFINITY) == PF_KTHREAD:
            pid, _, name = head.partition(" (")
            yield f"{pid}:{fields[19]}", name, re.search(r"^Cpus_allowed_list:\s*(.*)$", status, re.M)[1]


def _began():
    """When this machine was looked at first, in clock ticks since boot."""
    if not BEGAN.exists():
        BEGAN.write_text(str(int(float(Path("/proc/uptime").read_text().split()[0]) * os.sysconf("SC_CLK_TCK"))))
    return int(BEGAN.read_text())


def _threads():
    """Those with all CPUs tell nothing, nor do those that have begun since: they were not as they are now. Those of interrupts follow
    these, the next time that one comes."""
    began = _began()
    everywhere = {_text(Path("/sys/devices/system/cpu", which)) for which in ("online", "present", "possible")}
    for name, cpus in {(name, cpus) for thread, name, cpus in kernel_threads() if int(thread.partition(":")[2]) < began}:
        if cpus not in everywhere and not name.startswith("irq/"):
            yield f"kernel thread {name} on {cpus}"
    yield f"unbound workqueues on {_text(Path('/sys/devices/virtual/workqueue/cpumask'))}"


def lines():
    """All of it, as a list of lines."""
    return sorted((*_functions(), *_screens(), *_monitors(), *_disks(), *_usb(), *_inputs(), *_interfaces(), *_pools(), *_files(), *_cpus(), *_threads()))


if __name__ == "__main__":
    print("\n".join(lines()))
