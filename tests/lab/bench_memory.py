# SPDX-License-Identifier: BSD-3-Clause
"""How long vxm-hugepages takes to add huge pages for a guest, and to take them away, against the bare writes of nr_hugepages
made by a program that does nothing else: what judging, recording and reading back cost. inside/memory.py says what exactly is
timed."""

import json
from pathlib import Path

import demo
from vxmlab.bench import Bench

_INSIDE = Path(__file__).resolve().parent / "inside"
_PAGES = 192  # 384 MiB


def bench(machine, rounds):
    demo.install(machine, text=f"[Memory]\nSize={2 * _PAGES}M\nHugePages=2M\n")
    for name in ("memory.py", "raw-pages.c"):
        machine.put(_INSIDE / name)
    machine.run("gcc -O2 -Wall -Wextra -Werror -o raw-pages raw-pages.c")
    done = machine.run(f"python3 memory.py {rounds} demo {_PAGES}", timeout=600 + 120 * rounds)
    samples = json.loads(done.stdout)
    result = Bench()
    ours = result.add(f"{_PAGES} huge pages: vxm-hugepages", samples["vxm add"], "ms")
    raw = result.add(f"{_PAGES} huge pages: bare write", samples["raw add"], "ms")
    result.add("undo of that: vxm-hugepages", samples["vxm undo"], "ms")
    result.add("undo of that: bare write", samples["raw undo"], "ms")
    result.add("a process that does nothing", samples["nothing"], "ms")
    result.ratios["hugepages_vs_raw"] = ours / raw
    return result
