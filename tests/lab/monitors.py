# SPDX-License-Identifier: BSD-3-Clause
"""Monitors of the lab's machine, at I2C buses of the host's GPU (inside/ddc_monitor.c). An ordinary one says the same of itself as the
connector of that GPU does."""

from pathlib import Path

import demo

MODULE = Path(__file__).resolve().parent / "inside" / "ddc_monitor.c"
CARD = "0000:00:10.0"
DP, HDMI, HDMI_2, USB_C = 0x0F, 0x11, 0x12, 0x1B

# Enough for any test: it does not answer any more.
FOR_EVER = 1000000

_BUILD = ("test -e monitor/ddc_monitor.ko || { mkdir -p monitor && cp ddc_monitor.c monitor/ && "
          "echo 'obj-m := ddc_monitor.o' >monitor/Makefile && make -s -C /lib/modules/$(uname -r)/build M=/root/monitor modules; }")


class Monitor:
    """One of the module's; its files are told there."""

    def __init__(self, lab, number):
        self._lab = lab
        self._path = lab.run(f"dirname $(grep -l '^lab monitor {number}$' /sys/bus/i2c/devices/i2c-*/name)").stdout.strip()

    def get(self, name):
        return int(self._lab.read(f"{self._path}/{name}"))

    def set(self, **values):
        for name, value in values.items():
            self._lab.run(f"echo '{value}' >{self._path}/{name}")

    @property
    def input(self):
        return self.get("input")


def plug(lab, *edids):
    """Plugs monitors into the host's GPU, all as new; edids: what they say of themselves, in hexadecimal digits, else the same as the
    connector."""
    lab.put(MODULE)
    lab.run(_BUILD)
    mine = lab.run(f"od -An -v -tx1 /sys/class/drm/{connector(lab)}/edid | tr -d ' \\n'").stdout.strip()
    assert mine.startswith("00ffffffffffff00"), f"the host's GPU has no monitor: {mine}"
    edids = edids or (mine,)
    lab.run(f"rmmod ddc_monitor 2>/dev/null; insmod monitor/ddc_monitor.ko device={','.join([CARD] * len(edids))} && udevadm settle")
    monitors = [Monitor(lab, number) for number in range(len(edids))]
    for monitor, edid in zip(monitors, edids):
        monitor.set(edid=edid)
    return monitors


def connector(lab):
    """What the connector of the host's GPU is called."""
    return lab.run(f"basename /sys/bus/pci/devices/{CARD}/drm/card*/card*-*").stdout.strip()


def fixed(lab, *sections):
    """A guest file without a GPU, for which both GPUs are the host's."""
    return demo.guest_file(*(section.replace("CONNECTOR", connector(lab)) for section in sections))
