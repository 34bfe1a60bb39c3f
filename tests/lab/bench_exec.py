# SPDX-License-Identifier: BSD-3-Clause
"""How long a command in a guest takes: "vxm exec" against virsh asking the same agent, taking turns. inside/exec.py says what exactly
is done and timed."""

import json
from pathlib import Path

from vxmlab.bench import Bench

_SCRIPT = Path(__file__).resolve().parent / "inside" / "exec.py"


def bench(machine, rounds):
    machine.put(_SCRIPT)
    samples = json.loads(machine.run(f"python3 exec.py {10 * rounds}", timeout=600 + 60 * rounds).stdout)
    result = Bench()
    ours = result.add("a command in a guest: vxm exec", samples["vxm"], "ms")
    theirs = result.add("a command in a guest: virsh qemu-agent-command", samples["virsh"], "ms")
    result.ratios["exec_vs_virsh"] = ours / theirs
    return result
