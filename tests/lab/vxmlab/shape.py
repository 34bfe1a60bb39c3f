# SPDX-License-Identifier: BSD-3-Clause
"""Machine shapes: the files in machines/ that say which hardware the lab emulates.

  [Machine]
  Memory=   MiB
  CPUs=     count
  Kernel=   arguments added to the kernel's command line
  Disk=     where the lab's disk goes, as -device properties; addr=0x3 when not given
  Device=   in [Devices], one QEMU -device argument each, in order

The lab adds its own network, disk and signal port, at 00:02.0 to 00:04.0; a shape keeps clear of those. A sound codec is to
have audiodev=silence.
"""

from dataclasses import dataclass, field
from pathlib import Path

from vxmlab.say import LabError

_MACHINES = Path(__file__).resolve().parent.parent / "machines"


@dataclass
class Shape:
    """One parsed file."""

    name: str
    memory: int = 0
    cpus: int = 0
    kernel: str = ""
    disk: str = "addr=0x3"
    devices: list = field(default_factory=list)


def names():
    """All shapes there are."""
    return sorted(path.stem for path in _MACHINES.glob("*.conf"))


def load(name):
    """Reads machines/<name>.conf."""
    path = _MACHINES / f"{name}.conf"
    if not path.exists():
        raise LabError(f"no machine shape is called {name}; there are: {', '.join(names())}")
    shape = Shape(name)
    section = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.strip()
        if line.startswith("["):
            section = line
        elif line and not line.startswith("#") and not _assign(shape, section, line):
            raise LabError(f"{path}:{number}: cannot make sense of '{line}'; vxmlab/shape.py lists what a shape may say")
    return shape


def _assign(shape, section, line):
    key, equals, value = (word.strip() for word in line.partition("="))
    match (section, key, equals):
        case ("[Machine]", "Memory", "=") if value.isdigit():
            shape.memory = int(value)
        case ("[Machine]", "CPUs", "=") if value.isdigit():
            shape.cpus = int(value)
        case ("[Machine]", "Kernel", "="):
            shape.kernel = value
        case ("[Machine]", "Disk", "=") if value:
            shape.disk = value
        case ("[Devices]", "Device", "=") if value:
            shape.devices.append(value)
        case _:
            return False
    return True
