# SPDX-License-Identifier: BSD-3-Clause
"""What the lab runs on: which QEMU, and whether this machine's KVM can be used.

KVM makes the lab several times faster, but a /dev/kvm alone says little: KVM has to be nested for the guests inside, and
on machines that are virtual themselves it may hang where QEMU expects it to run. So it is tried, once per boot.
"""

import selectors
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from vxmlab import cache, qemu
from vxmlab.qemu import Qemu
from vxmlab.say import step

# The first words of the initrd's init: by then the kernel has run, and a program on top of it.
_SIGN_OF_LIFE = b"Loading, please wait"
_KVM_TIMEOUT = 25


@dataclass
class Host:
    """The means to start a machine. identity: what a snapshot made here depends on."""

    qemu: Qemu
    accel: str
    identity: str


def detect(base):
    """Chooses QEMU and its accelerator. Needs the cache's lock."""
    emulator = Qemu(qemu.ensure())
    identity = f"{emulator.directory.name} {base.name}"
    if not _nested_kvm():
        return Host(emulator, "tcg", identity)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    accel = _remembered(cache.root() / "kvm", f"{boot} {identity}", lambda: "kvm" if _kvm_boots(emulator, base) else "tcg")
    # With -cpu host, the processor is part of a snapshot, and so is the host's kernel.
    return Host(emulator, accel, f"{identity} {boot}" if accel == "kvm" else identity)


def _nested_kvm():
    """Whether there is a KVM that says it lets guests have guests."""
    try:
        with open("/dev/kvm", "r+b", buffering=0):
            pass
    except OSError:
        return False
    switches = Path("/sys/module").glob("kvm_*/parameters/nested")
    return any(switch.read_text().strip() in ("1", "Y") for switch in switches)


def _remembered(file, key, find):
    """What find() returned for this key the last time, kept in a file of one line: key and result."""
    known, _, result = file.read_text().rpartition(" ") if file.exists() else ("", "", "")
    if known != key:
        result = find()
        file.write_text(f"{key} {result}")
    return result


def _kvm_boots(emulator, base):
    step(f"trying whether this machine's KVM boots the lab's kernel, once, at most {_KVM_TIMEOUT} s ...")
    argv = ["setpriv", "--pdeathsig", "KILL", *emulator.program("qemu-system-x86_64"),
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio",
            "-machine", "q35,accel=kvm,kernel-irqchip=split", "-cpu", "host", "-smp", "2", "-m", "512M",
            "-kernel", base / "vmlinuz", "-initrd", base / "initrd.img", "-append", "console=ttyS0 panic=-1"]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=emulator.environment(), start_new_session=True) as process:
        try:
            return _hears(process.stdout.raw, _SIGN_OF_LIFE, _KVM_TIMEOUT)
        finally:
            process.kill()


def _hears(stream, words, timeout):
    """Whether words arrive on an unbuffered stream before it ends and before the time is over."""
    deadline = time.monotonic() + timeout
    heard = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while words not in heard:
            if not selector.select(deadline - time.monotonic()):
                return False
            data = stream.read(4096)
            if not data:
                return False
            heard += data
    return True
