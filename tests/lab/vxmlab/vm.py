# SPDX-License-Identifier: BSD-3-Clause
"""One QEMU process: its command line, its monitor and the port on which the machine inside says that it is up."""

import contextlib
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from vxmlab.qmp import Qmp
from vxmlab.say import LabError

# How the machine inside says that it has booted; sent by image/root/etc/systemd/system/vxm-lab-ready.service.
_READY = b"ready\n"

# IPv4 address of the machine on QEMU's user network; see image/root/etc/systemd/network.
_ADDRESS = "10.0.2.15"

# The machine's own number, which its firmware tells.
UUID = "b5f28c6e-7a50-4b0e-9d43-0c6c1f6a9e21"

# no_timer_check: on a busy host the emulated timer's first ticks may come too late for the kernel, which then panics.
_KERNEL = "root=/dev/vda rw console=ttyS0 no_timer_check"


@dataclass
class Boot:
    """What a machine starts from."""

    kernel: Path
    initrd: Path
    disk: Path
    memory_file: Path
    memory_shared: bool = False
    incoming: bool = False
    arguments: str = ""


class Vm:
    """A running QEMU. It dies with this process, however this process ends."""

    def __init__(self, host, shape, boot, directory):
        self._log = directory / "qemu.log"
        self.console = directory / "console.log"
        monitor, monitor_qemu = socket.socketpair()
        self._signal, signal_qemu = socket.socketpair()
        argv = ["setpriv", "--pdeathsig", "KILL", *host.qemu.program("qemu-system-x86_64"),
                *_machine(host.accel, shape, boot), *_disk(shape, boot), *_network(),
                *_channels(self.console, monitor_qemu.fileno(), signal_qemu.fileno())]
        with open(self._log, "ab") as log, monitor_qemu, signal_qemu:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=host.qemu.environment(), start_new_session=True,
                                            pass_fds=(monitor_qemu.fileno(), signal_qemu.fileno()))
        self.qmp = Qmp(monitor)
        self._handshake()

    def _handshake(self):
        try:
            self.qmp.handshake()
        except LabError:
            self.fail("the lab's QEMU did not start")

    def wait_ready(self, timeout):
        """Waits until the machine inside says that it has booted, once more."""
        deadline = time.monotonic() + timeout
        seen = b""
        while _READY not in seen:
            self._signal.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                data = self._signal.recv(64)
            except TimeoutError:
                self.fail(f"the lab did not boot within {timeout} s")
            if not data:
                self.fail("the lab's QEMU ended during boot")
            seen += data

    def assert_alive(self):
        """Raises the error that tells why, when QEMU has ended on its own."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.fail(f"the lab's QEMU ended with status {self.process.wait(1)}")

    def fail(self, why):
        """Ends QEMU and raises an error that shows the last lines of the machine's console and of QEMU."""
        self.kill()
        text = "".join(file.read_text(errors="replace") for file in (self.console, self._log) if file.exists())
        raise LabError("\n".join([*text.splitlines()[-25:], why])) from None

    def ssh_port(self):
        """The port on the host's 127.0.0.1 that leads to the machine's SSH."""
        table = self.qmp.command("human-monitor-command", command_line="info usernet")
        for line in table.splitlines():
            words = line.split()
            if words[:1] == ["TCP[HOST_FORWARD]"]:
                return int(words[3])
        raise LabError(f"QEMU forwards no port to the lab:\n{table}")

    def wait_end(self, timeout):
        """Waits until the machine has switched itself off."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.fail(f"the lab did not switch itself off within {timeout} s")
        self.kill()

    def kill(self):
        """Ends QEMU as a power cut would: nothing is flushed."""
        self.process.kill()
        self.process.wait()
        self._signal.close()


def _machine(accel, shape, boot):
    share = "on" if boot.memory_shared else "off"
    argv = ["-nodefaults", "-no-user-config", "-display", "none", "-vga", "none", "-name", "vxm-lab", "-uuid", UUID,
            "-machine", f"q35,accel={accel},kernel-irqchip=split,memory-backend=ram",
            "-object", f"memory-backend-file,id=ram,size={shape.memory}M,mem-path={boot.memory_file},share={share}",
            "-cpu", "host" if accel == "kvm" else "max", "-smp", str(shape.cpus), "-m", f"{shape.memory}M",
            "-audiodev", "none,id=silence", "-kernel", boot.kernel, "-initrd", boot.initrd,
            "-append", f"{_KERNEL} {shape.kernel} {boot.arguments}"]
    for device in shape.devices:
        argv += ["-device", device]
    return [*argv, *(["-incoming", "defer"] if boot.incoming else [])]


def _disk(shape, boot):
    return ["-drive", f"if=none,id=disk,format=qcow2,file={boot.disk},discard=unmap",
            "-device", f"virtio-blk-pci,drive=disk,{shape.disk}"]


def _network():
    return ["-netdev", f"user,id=channel,restrict=on,hostfwd=tcp:127.0.0.1:0-{_ADDRESS}:22",
            "-device", "virtio-net-pci,netdev=channel,addr=0x2,romfile="]


def _channels(console, monitor, signal):
    return ["-chardev", f"file,id=console,path={console},append=on", "-serial", "chardev:console",
            "-chardev", f"socket,id=monitor,fd={monitor}", "-mon", "chardev=monitor,mode=control",
            "-device", "virtio-serial-pci,id=serial,addr=0x4",
            "-chardev", f"socket,id=signal,fd={signal}", "-device", "virtserialport,chardev=signal,name=vxm.lab"]
