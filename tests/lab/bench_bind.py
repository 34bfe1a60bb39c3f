# SPDX-License-Identifier: BSD-3-Clause
"""How long vxm-bind takes to move a GPU and its sound to vfio-pci, and back, against the bare writes to sysfs made by a
program that does nothing else: what judging, recording and reading back cost. inside/bind.py says what exactly is timed."""

import json
from pathlib import Path

import demo
from vxmlab.bench import Bench

_INSIDE = Path(__file__).resolve().parent / "inside"


def bench(machine, rounds):
    demo.install(machine)
    for name in ("bind.py", "raw-bind.c"):
        machine.put(_INSIDE / name)
    machine.run("gcc -O2 -Wall -Wextra -Werror -o raw-bind raw-bind.c && systemd-sysusers --inline 'u vxm-demo -'")
    samples = json.loads(machine.run(f"python3 bind.py {rounds} demo {demo.GPU} {demo.SOUND}", timeout=60 + 10 * rounds).stdout)
    result = Bench()
    ours = result.add("bind of GPU and sound: vxm-bind", samples["vxm bind"], "ms")
    raw = result.add("bind of GPU and sound: bare writes", samples["raw bind"], "ms")
    result.add("undo of that: vxm-bind", samples["vxm undo"], "ms")
    result.add("undo of that: bare writes", samples["raw undo"], "ms")
    result.add("a process that does nothing", samples["nothing"], "ms")
    result.ratios["bind_vs_raw"] = ours / raw
    return result
