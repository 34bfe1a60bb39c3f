# SPDX-License-Identifier: BSD-3-Clause
"""How long a key takes from the host's USB controller to a program in the guest that reads it: as vxm gives a keyboard to a guest (evdev),
beside the same keyboard passed through as a USB device ([USB], which is QEMU's usb-host), and as a virtio-input-host device, with QEMU
alone and the same command line otherwise.

Both ends are times of one clock, the processor's time-stamp counter: the guest's differs by an offset that KVM tells. The host's end is
when its USB controller was done with the keyboard's report (inside/usb-presses.c), the guest's when the program has read the event
(demo-guest/key-times.c)."""

import statistics
import time
from pathlib import Path

import demo
import inputs
from vxmlab.bench import Bench

_INSIDE = Path(__file__).resolve().parent / "inside"
_BOOT = f"[Boot]\n{demo.DEVICES}\nCommandLine=console=ttyS0 quiet input"
_GUEST = demo.guest_file(_BOOT)
_PRESSES = 20  # a round
_PAUSE = 0.3  # between presses; QEMU holds a key for a tenth of a second


def bench(machine, rounds):
    for name in ("start.py", "raw-guest.py", "usb-presses.c"):
        machine.put(_INSIDE / name)
    machine.run("gcc -O2 -Wall -Wextra -Werror -o usb-presses usb-presses.c && modprobe usbmon")
    inputs.plug_anew(machine)
    keyboard = _Keyboard(machine)
    demo.install(machine, "evdev", _GUEST + f"\n[Input]\nDevices={inputs.KEYBOARD}\n")
    demo.install(machine, "usb", _GUEST + f"\n[USB]\nDevice={keyboard.port}\n")
    demo.install(machine, "raw", _GUEST)
    ways = (("evdev, by vxm", "evdev", None),
            ("virtio-input-host", "raw", f"virtio-input-host-pci,evdev={keyboard.node}"),
            # The last, as the keyboard is another node after that.
            ("USB passed through", "usb", None))
    result, medians = Bench(), {}
    for title, guest, device in ways:
        delays = sorted(_measure(machine, keyboard, title, guest, device, rounds * _PRESSES))
        medians[title] = result.add(f"key to guest, p50: {title}", delays, "ms")
        result.add(f"key to guest, p99: {title}", [statistics.quantiles(delays, n=100)[98]], "ms")
        result.add(f"keys that got lost: {title}", [rounds * _PRESSES - len(delays)], "")
    ours, virtio, usb = medians.values()
    result.ratios |= {"input_vs_usb": ours / usb, "input_vs_virtio": ours / virtio}
    return result


class _Keyboard:
    """Where the machine's USB keyboard is on the host."""

    def __init__(self, machine):
        event = machine.run(f"dirname $(dirname $(grep -lx '{inputs.KEYBOARD}' /sys/class/input/event*/device/name))").stdout.strip()
        self.node = "/dev/input/" + event.rpartition("/")[2]
        usb = machine.run(f"p=$(readlink -f {event}); until [ -e $p/busnum ]; do p=$(dirname $p); done; basename $p; "
                          "cat $p/busnum $p/devnum").stdout.split()
        self.port, self.bus, self.device = usb[0], int(usb[1]), int(usb[2])


def _measure(machine, keyboard, title, guest, device, presses):
    """Delays in milliseconds, of a guest that is started and ended for this."""
    if device:
        _service(machine, "raw-guest", f"python3 raw-guest.py raw -device {device}", "runs")
    else:
        demo.start(machine, guest)
    demo.report(machine, guest)
    demo.sh(machine, f"key-times {presses} >/run/times 2>/run/keyboards & until [ -s /run/keyboards ]; do usleep 100000; done", guest)
    _service(machine, "usb-presses", f"./usb-presses {keyboard.bus} {keyboard.device} {presses}", "listening")
    for _ in range(presses):
        machine.sendkeys("a")
        time.sleep(_PAUSE)
    machine.wait("! systemctl is-active -q usb-presses", seconds=90)
    arrived = [int(line) for line in demo.sh(machine, "while pidof key-times >/dev/null; do usleep 100000; done; cat /run/times", guest).split()]
    rate, *left = (float(line) for line in machine.read("/run/usb-presses").splitlines()[1:])
    assert len(left) == presses, f"{len(left)} presses on the host"
    offset = _offset(machine)
    machine.run("systemctl stop raw-guest; systemctl reset-failed" if device else f"systemctl stop vxm-guest@{guest}")
    demo.wait_undone(machine, guest)
    delays = _match(left, [there - offset for there in arrived], rate)
    least = 0.1 if device else 0.95  # virtio-input-host loses many
    assert len(delays) >= least * presses, f"{title}: {presses} presses on the host, {len(arrived)} in the guest: {delays}"
    return delays


def _match(left, arrived, rate):
    """Milliseconds from each press on the host to the first in the guest before the next one. One that gets lost has none."""
    ends = [*left[1:], left[-1] + rate]
    found = (next((there for there in arrived if here < there < end), None) for here, end in zip(left, ends))
    return [1000 * (there - here) / rate for here, there in zip(left, found) if there is not None]


def _service(machine, name, command, word):
    """Starts a program that says a word as its first line, in /run/NAME, and waits for that."""
    output = f"/run/{name}"
    machine.run(f"rm -f {output}; systemd-run -q --unit={name} -p WorkingDirectory=/root -p StandardOutput=file:{output} {command}")
    machine.wait(f"grep -qsx {word} {output}", seconds=60, show=f"journalctl -q -u {name} | tail")


def _offset(machine):
    """What the guest's counter is ahead of the host's."""
    where = "/sys/kernel/debug/kvm/*/vcpu0"
    scaled = machine.run(f"cd {where} && [ ! -e tsc-scaling-ratio ] || cat tsc-scaling-ratio tsc-scaling-ratio-frac-bits").stdout.split()
    assert not scaled or int(scaled[0]) == 1 << int(scaled[1]), f"the guest's counter has another rate: {scaled}"
    return int(machine.run(f"cat {where}/tsc-offset").stdout)
