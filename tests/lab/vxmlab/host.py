# SPDX-License-Identifier: BSD-3-Clause
"""What the lab runs on: which QEMU, and whether this machine's KVM can be used."""

from dataclasses import dataclass
from pathlib import Path

from vxmlab import qemu
from vxmlab.qemu import Qemu


@dataclass
class Host:
    """The means to start a machine. identity: what a snapshot made here depends on."""

    qemu: Qemu
    accel: str
    identity: str


def detect(base):
    """Chooses QEMU and its accelerator. Needs the cache's lock."""
    emulator = qemu.ensure()
    return Host(Qemu(emulator), "tcg", f"{emulator.name} {base.name}")
