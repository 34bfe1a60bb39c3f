# SPDX-License-Identifier: BSD-3-Clause
"""How long vxm-generator holds up a boot or a daemon-reload with 100 guest files: on the lab's emulated processor, and
natively on this machine, in the same image. inside/generator.py says what exactly is timed."""

import json
from pathlib import Path

from vxmlab import image
from vxmlab.bench import Bench
from vxmlab.process import call

_SCRIPT = Path(__file__).resolve().parent / "inside" / "generator.py"
_GUESTS = 100


def bench(machine, rounds):
    machine.put(_SCRIPT)
    emulated = json.loads(machine.run(f"python3 generator.py {rounds} {_GUESTS}", timeout=300).stdout)
    with machine.installed() as tree:
        native = json.loads(_native(tree, rounds))
    result = Bench()
    for place, samples in (("lab", emulated), ("native", native)):
        result.add(f"vxm-generator, {_GUESTS} guests: {place}", samples["generator"], "ms")
        result.add(f"a process that does nothing: {place}", samples["true"], "ms")
    return result


def _native(tree, rounds):
    with image.chroot_ready(tree):
        call(["cp", _SCRIPT, tree / "tmp"], "copy the bench into the image")
        return call(["chroot", tree, "python3", "/tmp/generator.py", rounds, _GUESTS], "run vxm-generator natively")
