# SPDX-License-Identifier: BSD-3-Clause
"""How long a guest takes to start, to give its GPU back, and what stays resident beside QEMU meanwhile: QEMU alone,
vxm and libvirt, in one machine, taking turns. inside/start.py says what exactly is done and timed."""

import json
from pathlib import Path

from vxmlab.bench import Bench

_SCRIPT = Path(__file__).resolve().parent / "inside" / "start.py"
_WAYS = {"raw": "QEMU alone", "vxm": "vxm", "libvirt": "libvirt"}

# Guest, what was measured, its unit, the row's name.
_ROWS = (
    ("plain", "start", "s", "start, no devices"),
    ("gpu", "start", "s", "start, GPU and sound"),
    ("gpu", "return", "s", "kill, GPU and sound given back"),
    ("gpu", "resident", "kB", "resident (PSS) besides QEMU"),
)

_RATIOS = {
    "start_vs_raw": ("start, no devices", "raw"),
    "start_vs_libvirt": ("start, no devices", "libvirt"),
    "start_gpu_vs_raw": ("start, GPU and sound", "raw"),
    "start_gpu_vs_libvirt": ("start, GPU and sound", "libvirt"),
    "return_gpu_vs_raw": ("kill, GPU and sound given back", "raw"),
    "return_gpu_vs_libvirt": ("kill, GPU and sound given back", "libvirt"),
    "resident_vs_libvirt": ("resident (PSS) besides QEMU", "libvirt"),
}


def bench(machine, rounds):
    machine.put(_SCRIPT)
    samples = json.loads(machine.run(f"python3 start.py {rounds}", timeout=60 * (rounds + 2)).stdout)
    result, medians = Bench(), {}
    for guest, what, unit, title in _ROWS:
        for way, label in _WAYS.items():
            values = [sample[what] for sample in samples if sample["way"] == way and sample["guest"] == guest]
            if not any(values):
                continue  # nothing is resident beside QEMU alone
            medians[title, way] = result.add(f"{title}: {label}", values, unit)
    result.ratios = {name: medians[title, "vxm"] / medians[title, theirs] for name, (title, theirs) in _RATIOS.items()}
    return result
