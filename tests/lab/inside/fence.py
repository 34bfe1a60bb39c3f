# SPDX-License-Identifier: BSD-3-Clause
"""Runs inside the lab: who is switched to on some CPUs for some seconds, as the kernel's scheduler traces it, and which processes
vxm's units have. Prints both as JSON.

    python3 fence.py QEMU-PID SECONDS CPU…

"guest" are QEMU's threads, "bound" the kernel's threads that may run on none but these CPUs, "foreign" all others; the idle thread is
none. "resident" is the memory (PSS, kB) of each process in vxm's units, by its name and user.
"""

import json
import os
import pwd
import re
import sys
import time
from collections import Counter
from pathlib import Path

TRACING = Path("/sys/kernel/tracing")
PF_KTHREAD = 0x00200000
SWITCH = re.compile(r"sched_switch: .* ==> next_comm=(.*) next_pid=(\d+) ")


def cpus(text):
    ranges = (part.partition("-")[::2] for part in text.strip().split(","))
    return {number for first, last in ranges for number in range(int(first), int(last or first) + 1)}


def trace(seconds, wanted):
    """The lines of the trace: all switches on these CPUs."""
    (TRACING / "tracing_on").write_text("0")
    (TRACING / "buffer_size_kb").write_text("16384")
    (TRACING / "tracing_cpumask").write_text(f"{sum(1 << number for number in wanted):x}")
    (TRACING / "events/sched/sched_switch/enable").write_text("1")
    (TRACING / "trace").write_text("")
    (TRACING / "tracing_on").write_text("1")
    time.sleep(seconds)
    (TRACING / "tracing_on").write_text("0")
    (TRACING / "events/sched/sched_switch/enable").write_text("0")
    for number in wanted:
        lost = re.search(r"^overrun: (\d+)", (TRACING / f"per_cpu/cpu{number}/stats").read_text(), re.M)
        if int(lost[1]):
            sys.exit(f"{lost[1]} events of CPU {number} have been lost")
    return (TRACING / "trace").read_text().splitlines()


def is_bound(pid, wanted):
    """Whether this is a thread of the kernel's that may run only there; one that is gone is not known to be."""
    try:
        flags = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[6])
        allowed = re.search(r"^Cpus_allowed_list:\s*(.*)$", Path(f"/proc/{pid}/status").read_text(), re.M)[1]
    except OSError:
        return False
    return bool(flags & PF_KTHREAD) and cpus(allowed) <= wanted


def resident():
    """Name and user of each process in a unit of vxm's: its memory."""
    found = Counter()
    for group in Path("/proc").glob("[0-9]*/cgroup"):
        try:
            text = group.read_text()
            if not re.search(r"/vxm-(?!lab)[a-z]+@", text):
                continue
            name = (group.parent / "comm").read_text().strip()
            user = pwd.getpwuid(group.parent.stat().st_uid).pw_name
            found[f"{name} ({user})"] += int(re.search(r"^Pss:\s+(\d+)", (group.parent / "smaps_rollup").read_text(), re.M)[1])
        except OSError:
            continue
    return found


def main(qemu, seconds, wanted):
    before = resident()
    lines = trace(seconds, wanted)
    threads = {int(name) for name in os.listdir(f"/proc/{qemu}/task")}
    counts = {"guest": Counter(), "bound": Counter(), "foreign": Counter()}
    for match in filter(None, map(SWITCH.search, lines)):
        name, pid = match[1], int(match[2])
        if pid:
            counts["guest" if pid in threads else "bound" if is_bound(pid, wanted) else "foreign"][name] += 1
    if not counts["guest"]:
        sys.exit("the guest has not run on its CPUs: nothing has been measured")
    json.dump({**counts, "resident": before}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), set(map(int, sys.argv[3:])))
