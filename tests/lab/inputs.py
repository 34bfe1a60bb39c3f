# SPDX-License-Identifier: BSD-3-Clause
"""The USB keyboard and mouse of the lab's machine, pulled out and plugged in from outside."""

import contextlib

from vxmlab.say import LabError

KEYBOARD, MOUSE = "QEMU QEMU USB Keyboard", "QEMU QEMU USB Mouse"  # the machine has others besides, at its PS/2 ports

# Name outside: QEMU's driver, port, what the kernel calls it.
_DEVICES = {"keyboard": ("usb-kbd", "1", KEYBOARD), "mouse": ("usb-mouse", "2", MOUSE)}


def unplug(lab, name="keyboard"):
    with contextlib.suppress(LabError):  # a test may have ended without it
        lab.qmp("device_del", id=name)
    lab.wait(f"! grep -qsx '{_DEVICES[name][2]}' /sys/class/input/event*/device/name")


def plug(lab, name="keyboard"):
    driver, port, text = _DEVICES[name]
    lab.qmp("device_add", driver=driver, id=name, bus="usb.0", port=port)
    lab.wait(f"grep -qsx '{text}' /sys/class/input/event*/device/name")


def plug_anew(lab):
    """A machine that comes from a snapshot has USB devices that have forgotten their configuration."""
    for name in _DEVICES:
        unplug(lab, name)
        plug(lab, name)
    lab.run("udevadm settle")
