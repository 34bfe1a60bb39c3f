# SPDX-License-Identifier: BSD-3-Clause
"""The frame of the benches: each is a file bench_<name>.py with a function bench(machine, rounds) that returns a Bench. MACHINE in
it asks for another shape than two-gpu."""

import importlib
import json
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path

from vxmlab.machine import Machine
from vxmlab.say import LabError, step

_LAB = Path(__file__).resolve().parent.parent
_NAME = 50  # columns of a row's name


@dataclass
class Row:
    """One thing that was measured n times."""

    name: str
    median: float
    unit: str
    n: int


@dataclass
class Bench:
    """What a bench found. A ratio is ours over theirs: below 1 we take less."""

    rows: list = field(default_factory=list)
    ratios: dict = field(default_factory=dict)

    def add(self, name, samples, unit):
        """Adds a row and returns its median."""
        row = Row(name, statistics.median(samples), unit, len(samples))
        self.rows.append(row)
        return row.median

    def join(self, other):
        """Takes over what another bench has found."""
        self.rows += other.rows
        self.ratios |= other.ratios


def names():
    """All benches there are."""
    return sorted(path.stem.removeprefix("bench_") for path in _LAB.glob("bench_*.py"))


def run(wanted, rounds, file):
    """Runs benches by name, all when none is named, each on a fresh machine; prints a table and may write JSON."""
    total = Bench()
    for name in wanted or names():
        if name not in names():
            raise LabError(f"no bench is called {name}; there are: {', '.join(names())}")
        module = importlib.import_module(f"bench_{name}")
        with Machine(getattr(module, "MACHINE", "two-gpu")) as machine:
            step(f"bench {name}, {rounds} rounds ...")
            total.join(module.bench(machine, rounds))
    _print(total)
    if file:
        file.write_text(json.dumps(asdict(total), indent=2) + "\n")


def _print(total):
    print(f"{'':{_NAME}} {'median':>11} {'unit':4} {'n':>4}")
    for row in total.rows:
        print(f"{row.name:{_NAME}} {row.median:11.3f} {row.unit:4} {row.n:4}")
    for name, ratio in total.ratios.items():
        print(f"{name:{_NAME}} {ratio:11.3f} ×")
