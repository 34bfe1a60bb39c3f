# SPDX-License-Identifier: BSD-3-Clause
"""Runs inside the lab, beside state.py and inject: kills and disturbs a helper at every system call that changes the
machine, and looks whether all is as before once its unit has done what it does afterwards. Prints what was tried, and every
point that failed, as JSON.

    python3 matrix.py [--helper HELPER] GUEST [AT_MOST]

HELPER is one that does something for GUEST, and undoes it with --release; vxm-bind if none is named. GUEST has a file, a user
and, for vxm-bind, devices with drivers. First an undisturbed run of each phase lists its points (inject.c); then each point is a
run of its own:

bind    HELPER GUEST is disturbed, then the unit's ExecStopPost= runs: HELPER --release GUEST. Whatever the helper has
        reported, nothing of it may be left. Of other helpers than vxm-bind the phase is called take.
cold    the same at the points up to the loading of the modules, which are unloaded before: only of vxm-bind.
undo    after an undisturbed bind, HELPER --release GUEST is disturbed, and runs once more, as ExecStopPost= has it twice.

AT_MOST limits the points of each phase and kind, for a quick look; they are spread evenly.
"""

import itertools
import json
import os
import re
import subprocess
import sys
import time
from errno import EBUSY, EIO, ENODEV, ENOSPC
from pathlib import Path

import state

HELPERS = "/usr/lib/vxm"
INJECT = "/root/inject"
LIST = "/root/points"
PATIENCE = 60

# What is done to the process that makes the call; see inject.c.
KILLS = {"killed before": "before", "killed after": "after", "all killed": "all"}
# Only of calls that children make: the parent is killed, and the undo has run when the child makes its call, if it still can.
ORPHAN = "orphaned"
ERRORS = {"EIO": EIO, "EBUSY": EBUSY, "ENODEV": ENODEV, "ENOSPC": ENOSPC}

# Calls that make processes: their failure is another kind of trouble, without these errors.
FORKS = ("fork", "vfork", "clone", "clone3")

# What is done in long rows, see without_repeats().
REPEATED = ("sched_setaffinity", "smp_affinity")

# strace does not tell the few of them that make a file from the many that only read.
OPENS = ("openat",)


def difference(before, after):
    """The lines that are gone, and those that are new."""
    return [f"- {line}" for line in before if line not in after] + [f"+ {line}" for line in after if line not in before]


def run(argv):
    """Runs to the end; returns the status and what was said. 124: it took too long, and was killed."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=PATIENCE, check=False)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as error:
        return 124, str(error)


class Point:
    """One line of inject's list."""

    def __init__(self, line):
        self.number, self.process, self.call, self.what = (line + "\t\t\t").split("\t")[:4]

    def __str__(self):
        return f"{self.number} ({self.call} {self.what}, process {self.process})"


def without_repeats(points):
    """Of many calls in a row that are one for each of the kernel's threads, or of its interrupts, the first two, the middle one and the
    last two: what has been done before such a call, and what is noted of it, is of one kind for all of them."""
    kept = []
    for _, row in itertools.groupby(points, lambda point: next((kind for kind in REPEATED if kind in f"{point.call} {point.what}"), point)):
        row = list(row)
        kept += [*row[:2], row[len(row) // 2], *row[-2:]] if len(row) > 5 else row
    return kept


class Matrix:
    """The phases; counts of points by phase and kind, and the failures."""

    def __init__(self, helper, guest, at_most):
        self._binds = helper == "vxm-bind"
        self._taking = "bind" if self._binds else "take"  # what the phase is called
        self._take = [f"{HELPERS}/{helper}", guest]
        self._release = [f"{HELPERS}/{helper}", "--release", guest]
        self._record = Path("/run/vxm", helper.removeprefix("vxm-"), guest)
        self._at_most = at_most
        os.environ["INJECT_THEN"] = " ".join(self._release)
        self._before = None
        self._started = time.monotonic()
        self.counts = {}
        self.missed = {}
        self.dented = {}  # points after which a record was left, and so something for the undo
        self.failures = []
        self.listed = {}

    def run(self):
        self._before = state.lines()
        self._must(self._take)
        self._must(self._release)
        self._must_be_as_before(f"an undisturbed {self._taking} and undo")

        if self._binds:
            self._all_points("cold", self._list("cold", self._take, self._cool), self._cool, self._take)
            self._must(["modprobe", "vfio-pci"])
        self._all_points(self._taking, self._list(self._taking, self._take, self._nothing), self._nothing, self._take)
        self._all_points("undo", self._list("undo", self._release, self._bind), self._bind, self._release)
        self._with_strace(self._taking, self._nothing, self._take)
        self._with_strace("undo", self._bind, self._release)

    # What comes before the disturbed run

    def _nothing(self):
        pass

    def _cool(self):
        # Also the first of them alone, as a kill between the two leaves it.
        for module in ("vfio-pci", "vfio-pci-core"):
            run(["modprobe", "-r", module])

    def _bind(self):
        self._must(self._take)

    def _must(self, argv):
        status, said = run(argv)
        if status != 0:
            sys.exit(f"{' '.join(argv)} ended with status {status}, undisturbed:\n{said}")

    def _must_be_as_before(self, what):
        left = difference(self._before, state.lines())
        if left:
            sys.exit(f"not as before after {what}:\n" + "\n".join(left))

    # Which points there are

    def _list(self, phase, command, prepare):
        prepare()
        self._must([INJECT, LIST, "0", "none", *command])
        points = [Point(line) for line in Path(LIST).read_text().splitlines()]
        if command == self._take:
            self._must(self._release)
        self._must_be_as_before(f"listing {phase}")
        if phase == "cold":
            loads = [at for at, point in enumerate(points) if point.call in ("finit_module", "init_module")]
            points = points[:loads[-1] + 2] if loads else []
        points = without_repeats(points)
        self.listed[phase] = [str(point) for point in points]
        return points

    # One point after another

    def _all_points(self, phase, points, prepare, command):
        for kind, action in KILLS.items():
            self._some(phase, kind, action, points, prepare, command)
        self._some(phase, ORPHAN, "orphan", [point for point in points if point.process != "0"], prepare, command)
        calls = [point for point in points if point.call not in FORKS]
        for kind, number in ERRORS.items():
            self._some(phase, kind, str(number), calls, prepare, command)

    def _some(self, phase, kind, action, points, prepare, command):
        step = max(len(points) / self._at_most, 1) if self._at_most else 1
        chosen = [points[int(step * i)] for i in range(int(len(points) / step))]
        for point in chosen:
            prepare()
            status, said = run([INJECT, LIST, point.number, action, *command])
            reached = len(Path(LIST).read_text().splitlines()) >= int(point.number)
            self._judge(phase, kind, str(point), status, said, reached)
        print(f"{phase}, {kind}: {len(chosen)} points, {len(self.failures)} failures so far", file=sys.stderr, flush=True)

    def _with_strace(self, phase, prepare, command):
        """strace counts the calls of each process for itself: its Nth write is that of the first process to make so many.
        Those points are among ours; that another program finds the same is what makes this worth the time."""
        names = sorted({re.search(r"\((\S+)", text)[1] for text in self.listed[phase]} - set(OPENS))
        for name in names:
            for number in range(1, 1 + sum(f"({name} " in text for text in self.listed[phase])):
                prepare()
                status, said = run(["strace", "-f", "-q", "-o", LIST, "-e", f"trace={name}",
                                    "-e", f"inject={name}:signal=SIGKILL:when={number}", *command])
                hit = "killed by SIGKILL" in Path(LIST).read_text(errors="replace")
                if hit:
                    self._judge(phase, "strace", f"{name} {number}", status, said, True)
                else:
                    run(self._release)
                    break
                if self._at_most:
                    break
        count = self.counts.get(f"{phase}, strace", 0)
        print(f"{phase}, strace: {count} points, {len(self.failures)} failures so far", file=sys.stderr, flush=True)

    def _judge(self, phase, kind, point, status, said, reached):
        """Does what the unit does afterwards, and looks. Not reached: the way there was another one this time."""
        key = f"{phase}, {kind}"
        self.counts[key] = self.counts.get(key, 0) + 1
        if not reached:
            self.missed[key] = self.missed.get(key, 0) + 1
        if self._record.exists():
            self.dented[key] = self.dented.get(key, 0) + 1
        undone, words = run(self._release)
        left = difference(self._before, state.lines())
        if undone == 0 and not left:
            return
        self.failures.append({"phase": phase, "kind": kind, "point": point, "status": status, "said": said,
                              "release status": undone, "release said": words, "left": left})
        self._repair()

    def _repair(self):
        """So that the next points start from where the first one did."""
        for _ in range(3):
            run(self._release)
        if self._binds and difference(self._before, state.lines()):
            self._probe_displays()
        if difference(self._before, state.lines()):
            self.report()
            sys.exit("and that could not be repaired")

    @staticmethod
    def _probe_displays():
        """A driver that starts anew takes the console, too, where nothing else brings it back."""
        for device in state.PCI.iterdir():
            if (device / "class").read_text().startswith("0x03") and (device / "driver").exists():
                (device / "driver/unbind").write_text(device.name)
                (state.PCI.parent / "drivers_probe").write_text(device.name)

    def report(self):
        json.dump({"counts": self.counts, "missed": self.missed, "dented": self.dented, "failures": self.failures,
                   "points": self.listed, "seconds": time.monotonic() - self._started}, sys.stdout, indent=1)


def main(arguments):
    helper = "vxm-bind"
    if arguments[0] == "--helper":
        _, helper, *arguments = arguments
    guest, at_most = arguments[0], int(arguments[1]) if len(arguments) > 1 else 0
    matrix = Matrix(helper, guest, at_most)
    matrix.run()
    matrix.report()


if __name__ == "__main__":
    main(sys.argv[1:])
