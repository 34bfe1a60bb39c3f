# SPDX-License-Identifier: BSD-3-Clause
"""How long "vxm-bind --list" takes on a machine of 200 PCI functions, against lspci on the same tree. inside/list.py says
what that tree is, and what exactly is timed."""

import json
from pathlib import Path

from vxmlab.bench import Bench

_SCRIPT = Path(__file__).resolve().parent / "inside" / "list.py"
_FUNCTIONS = 200


def bench(machine, rounds):
    machine.put(_SCRIPT)
    samples = json.loads(machine.run(f"python3 list.py {rounds} {_FUNCTIONS}", timeout=120 + 10 * rounds).stdout)
    result = Bench()
    ours = result.add(f"list, {_FUNCTIONS} functions: vxm-bind --list", samples["vxm"], "ms")
    theirs = result.add(f"list, {_FUNCTIONS} functions: lspci -nnk", samples["lspci"], "ms")
    result.ratios["list_vs_lspci"] = ours / theirs
    return result
