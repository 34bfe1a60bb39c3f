# SPDX-License-Identifier: BSD-3-Clause
"""Runs inside the lab: starts and ends guests in three ways, interleaved, and prints the seconds as JSON.

The ways: raw is QEMU executed by root after three sysfs writes a device, the floor that no manager can beat. vxm is
"systemctl start", which returns when the guest runs. libvirt is "virsh start --paused" of the domain that comes closest,
with libvirtd running; it returns when QEMU is ready to run the guest.

All three run Debian's QEMU with KVM, one CPU, 256 MiB of shared memfd memory, UEFI, the same kernel, and the same
devices. Once started a guest runs its firmware for a moment, then it is ended at once: raw by SIGKILL, vxm by
"systemctl kill --signal=KILL", libvirt by "virsh destroy", which does the same to QEMU.
"""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

FUNCTIONS = ("0000:01:00.0", "0000:01:00.1")
PCI = Path("/sys/bus/pci")
SCRATCH = Path("/run/vxm-bench")
MOMENT = 0.3
PATIENCE = 60

GUEST = "[Guest]\nPreset=demo\n"
GUEST_GPU = GUEST + "\n[GPU]\nDevice=01:00.0\n"

DOMAIN = """
<domain type='kvm'>
  <name>{name}</name>
  <memory unit='MiB'>256</memory>
  <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>
  <vcpu>1</vcpu>
  <os>
    <type machine='q35'>hvm</type>
    <loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>
    <nvram template='/usr/share/OVMF/OVMF_VARS_4M.fd'/>
    <kernel>/var/lib/vxm/images/demo/vmlinuz</kernel>
    <initrd>/var/lib/vxm/images/demo/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet</cmdline>
  </os>
  <features><acpi/><apic/></features>
  <cpu mode='host-passthrough'/>
  <devices>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    <serial type='unix'><source mode='bind' path='/run/vxm-bench/{name}.console'/></serial>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    {devices}
  </devices>
</domain>
"""
HOSTDEV = """
    <hostdev mode='subsystem' type='pci' managed='yes'>
      <source><address domain='0x0000' bus='0x01' slot='0x00' function='0x{function}'/></source>
    </hostdev>
"""


def run(*argv):
    """Runs a command to its end and returns its output, which becomes the error when it fails."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                          text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(argv)} ended with status {done.returncode}:\n{done.stdout}")
    return done.stdout


def driver(function):
    try:
        return os.path.basename(os.readlink(PCI / "devices" / function / "driver"))
    except FileNotFoundError:
        return None


DRIVERS = {function: driver(function) for function in FUNCTIONS}


def wait(condition, what):
    """Waits until condition() holds, looking every millisecond."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"{what}: not within {PATIENCE} s")
        time.sleep(0.001)


def pss(pids):
    """kB that these processes account for, shared pages divided among their users."""
    lines = (line for pid in pids for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


class Raw:
    """QEMU executed directly, with the command line that vxm would use; devices bound by writes to sysfs."""

    def __init__(self):
        self._qemu = None

    def start(self, name, *more):
        """more: further options for QEMU."""
        # The command line is asked for beforehand: making it is part of vxm's work, not of QEMU's.
        printed = run("/usr/lib/vxm/vxm-qemu", "--dry-run", name).replace("\\\n", "")
        ours, theirs = socket.socketpair()
        printed = printed.replace(f"/run/vxm/sockets/{name}", str(SCRATCH)).replace("qmp,fd=3", f"qmp,fd={theirs.fileno()}")
        argv = [*shlex.split(printed), *more]
        started = time.monotonic()
        if "gpu" in name:
            self._bind("vfio-pci")
        self._qemu = subprocess.Popen(argv, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        ours.settimeout(PATIENCE)
        answers = ours.makefile("r")
        answers.readline()
        ours.sendall(b'{"execute": "qmp_capabilities"}\n')
        if "return" not in answers.readline():
            sys.exit("QEMU does not answer on its monitor")
        seconds = time.monotonic() - started
        ours.sendall(b'{"execute": "cont"}\n')
        return seconds

    def end(self, name):
        started = time.monotonic()
        self._qemu.send_signal(signal.SIGKILL)
        self._qemu.wait()
        if "gpu" in name:
            self._bind("\n")
        return started

    def tidy(self, name):
        pass

    def residents(self, name):
        return []

    @staticmethod
    def _bind(override):
        for function in FUNCTIONS:
            (PCI / "devices" / function / "driver_override").write_text(override)
            (PCI / "devices" / function / "driver/unbind").write_text(function)
            (PCI / "drivers_probe").write_text(function)


class Vxm:
    """The product as installed."""

    def __init__(self):
        for name, text in (("plain", GUEST), ("gpu", GUEST_GPU)):
            Path(f"/etc/vxm/guests/{name}.guest").write_text(text)
        run("systemctl", "daemon-reload")

    def start(self, name):
        started = time.monotonic()
        run("systemctl", "start", f"vxm-guest@{name}")
        return time.monotonic() - started

    def end(self, name):
        started = time.monotonic()
        run("systemctl", "kill", "--signal=KILL", f"vxm-guest@{name}")
        return started

    def tidy(self, name):
        """Not timed: waits for the last unit, and forgets that the guest has failed."""
        busy = ("systemctl", "list-units", "--legend=no", "--state=active,activating,deactivating", f"vxm-*@{name}.service")
        wait(lambda: not run(*busy), f"units of {name} are still active")
        run("systemctl", "reset-failed", f"vxm-guest@{name}")

    def residents(self, name):
        group = run("systemctl", "show", "-P", "ControlGroup", f"vxm-guest@{name}").strip()
        pids = Path(f"/sys/fs/cgroup{group}/cgroup.procs").read_text().split()
        return [pid for pid in pids if not Path(f"/proc/{pid}/comm").read_text().startswith("qemu-system")]


class Libvirt:
    """libvirtd with its log daemon, started before anything is measured, and kept from ending when idle."""

    def __init__(self):
        run("systemctl", "start", "virtlogd.service", "libvirtd.service")
        hostdevs = "".join(HOSTDEV.format(function=function[-1]) for function in FUNCTIONS)
        for name, devices in (("plain", ""), ("gpu", hostdevs)):
            file = SCRATCH / f"{name}.xml"
            file.write_text(DOMAIN.format(name=name, devices=devices))
            run("virsh", "define", str(file))

    def start(self, name):
        started = time.monotonic()
        run("virsh", "start", "--paused", name)
        seconds = time.monotonic() - started
        run("virsh", "resume", name)
        return seconds

    def end(self, name):
        started = time.monotonic()
        run("virsh", "destroy", name)
        return started

    def tidy(self, name):
        pass

    def residents(self, name):
        return run("pgrep", "-x", "libvirtd|virtlogd").split()


def measure(way, name):
    """One guest's start, what is resident beside it, and its end until the host's drivers have all devices (back)."""
    start = way.start(name)
    time.sleep(MOMENT)
    resident = pss(way.residents(name))
    ended = way.end(name)
    wait(lambda: all(driver(function) == was for function, was in DRIVERS.items()), "the host's drivers are not back")
    back = time.monotonic() - ended
    way.tidy(name)
    return {"start": start, "resident": resident, "return": back}


def main(rounds):
    SCRATCH.mkdir(exist_ok=True)
    run("modprobe", "vfio-pci")
    # Round 0 warms up and is not counted. vxm's start comes first, as it makes the NVRAM that raw uses too.
    ways = {"vxm": Vxm(), "raw": Raw(), "libvirt": Libvirt()}
    samples = []
    for number in range(rounds + 1):
        print(f"round {number} of {rounds}", file=sys.stderr, flush=True)
        for name in ("plain", "gpu"):
            for label, way in ways.items():
                sample = {"way": label, "guest": name, **measure(way, name)}
                if number > 0:
                    samples.append(sample)
    json.dump(samples, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]))
