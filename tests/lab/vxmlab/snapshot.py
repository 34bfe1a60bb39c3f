# SPDX-License-Identifier: BSD-3-Clause
"""Machines that have booted already: one is booted for every image and shape, then stopped and kept.

A snapshot is three files. ram is the machine's memory: QEMU maps it privately, so restoring reads nothing up front and
any number of machines share it. state is everything else that QEMU holds. disk.qcow2 is what boot wrote to the disk.
"""

from pathlib import Path

from vxmlab import cache
from vxmlab.product import DISK
from vxmlab.process import call
from vxmlab.say import LabError, step
from vxmlab.ssh import Ssh
from vxmlab.vm import Boot, Vm

_HERE = Path(__file__).resolve().parent
BOOT_TIMEOUT = 240

# What the first commands of a test touch anyway: warm before the memory is kept.
_WARM_UP = """
systemctl is-system-running --wait
systemctl daemon-reload
systemctl status >/dev/null
journalctl -n 1 >/dev/null
qemu-system-x86_64 --version >/dev/null
sync
"""


def ensure(host, base, product, shape):
    """The directory of the snapshot, made when there is none. Needs the cache's lock."""
    sources = [_HERE / name for name in ("snapshot.py", "vm.py", "shape.py")]
    key = f"{shape.name}-{cache.digest(repr(shape), host.accel, host.identity, *sources)}"
    return cache.entry("snapshot", key, lambda directory: _make(host, base, product, shape, directory), parent=product)


def overlay(host, backing, kind, disk):
    """Makes a qcow2 disk on top of another, which is not written to any more."""
    argv = [*host.qemu.program("qemu-img"), "create", "-q", "-f", "qcow2", "-F", kind, "-b", backing, disk]
    call(argv, f"make {disk}", env=host.qemu.environment())


def restore(host, base, snapshot, shape, directory):
    """A new running machine that goes on where the snapshot stopped; its disk is directory/disk.qcow2."""
    disk = directory / "disk.qcow2"
    overlay(host, snapshot / "disk.qcow2", "qcow2", disk)
    boot = Boot(base / "vmlinuz", base / "initrd.img", disk, snapshot / "ram", incoming=True)
    vm = Vm(host, shape, boot, directory)
    _migrate(vm, "migrate-incoming", snapshot / "state")
    vm.qmp.command("cont")
    return vm


def _make(host, base, product, shape, directory):
    """Emulating several processors on fewer, QEMU loses a timer now and then, and the machine hangs: then it is booted once more."""
    step(f"booting the {shape.name} machine, once for this product ...")
    for left in (2, 1, 0):
        try:
            return _boot(host, base, product, shape, directory)
        except LabError as error:
            if not left:
                raise
            step(f"{str(error).splitlines()[-1]}; once more ...")
            for file in directory.iterdir():
                file.unlink()


def _boot(host, base, product, shape, directory):
    disk = directory / "disk.qcow2"
    overlay(host, product / DISK, "raw", disk)
    boot = Boot(base / "vmlinuz", base / "initrd.img", disk, directory / "ram", memory_shared=True)
    vm = Vm(host, shape, boot, directory)
    try:
        vm.wait_ready(BOOT_TIMEOUT)
        ssh = Ssh(vm.ssh_port(), base / "ssh_key")
        ssh.run(_WARM_UP, check=False)
        ssh.close()
        vm.qmp.command("stop")
        _migrate(vm, "migrate", directory / "state")
        vm.qmp.command("quit")
        vm.process.wait()
    finally:
        vm.kill()


def _migrate(vm, command, file):
    """Saves to or loads from a file everything but the memory, which has its own."""
    capabilities = [{"capability": name, "state": True} for name in ("events", "x-ignore-shared")]
    vm.qmp.command("migrate-set-capabilities", capabilities=capabilities)
    vm.qmp.command(command, uri=f"file:{file}")
    done = vm.qmp.wait_event("MIGRATION", accept=lambda data: data["status"] in ("completed", "failed"))
    if done["status"] == "failed":
        reason = vm.qmp.command("query-migrate").get("error-desc", "QEMU does not say why")
        vm.fail(f"QEMU cannot {command} {file}: {reason}")
