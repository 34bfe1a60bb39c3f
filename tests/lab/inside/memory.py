# SPDX-License-Identifier: BSD-3-Clause
"""Runs inside the lab: times adding huge pages to the pool and taking them away, by vxm-hugepages and by a bare write, taking
turns. Prints milliseconds as JSON.

    python3 memory.py ROUNDS GUEST PAGES

Timed is all of a process, from fork to exit, so that both ways contain one process start. Most of the work is the kernel's, as
it is on a workstation that has been used: memory is full of what has been read from files before each turn, so room has to be
made, and pages of 2 MiB of it. (The kernel clears them when they are used, not here.) Both ways go back undone before the
other's turn, and which is first alternates.

To fill all of the machine's memory from files takes an emulated processor half a minute, so that most of it is held by this
process from beginning to end, and only the rest is filled each time.
"""

import json
import mmap
import os
import re
import subprocess
import sys
import time
from pathlib import Path

HELPER = "/usr/lib/vxm/vxm-hugepages"
RAW = "/root/raw-pages"
POOL = Path("/sys/devices/system/node/node0/hugepages/hugepages-2048kB")


CACHED = Path("/var/tmp/cached")
CHUNK = 1 << 20
PAGE = 2 << 20
MADV_POPULATE_WRITE = 23  # since Linux 5.14; Python does not name it


def meminfo(name):
    return int(re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.M)[1]) << 10


def hold_memory(left):
    """Takes all memory but so much, in large pages, and keeps it as long as what is returned."""
    held = mmap.mmap(-1, (meminfo("MemAvailable") - left) // PAGE * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    held.madvise(mmap.MADV_HUGEPAGE)
    held.madvise(MADV_POPULATE_WRITE)
    return held


def fill_memory(more):
    """Reads a file of holes, larger by so much than what memory is free: takes memory as any file does, and no time for a disk. What
    is left of the one before would be read without taking any."""
    CACHED.unlink(missing_ok=True)
    CACHED.touch()
    os.truncate(CACHED, meminfo("MemFree") + more)
    buffer = bytearray(CHUNK)
    with CACHED.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def milliseconds(*argv):
    started = time.monotonic()
    done = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
    took = 1000 * (time.monotonic() - started)
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv)} ended with status {done.returncode}: {done.stderr.decode()}")
    return took


def turn(samples, name, add, undo, pages):
    """Pages come and go, each seen to have happened. What they are made of would be free only in part."""
    fill_memory(pages * PAGE // 2)
    if meminfo("MemFree") > pages * PAGE * 3 // 4:
        sys.exit(f"memory is not full: {meminfo('MemFree') >> 20} MiB are free")
    took = milliseconds(*add)
    if int((POOL / "free_hugepages").read_text()) != pages:
        sys.exit(f"{name} has not added {pages} pages")
    back = milliseconds(*undo)
    if int((POOL / "nr_hugepages").read_text()) != 0:
        sys.exit(f"{name} has not taken the pages away")
    samples.setdefault(f"{name} add", []).append(took)
    samples.setdefault(f"{name} undo", []).append(back)


def main(rounds, guest, pages):
    samples = {}
    held = hold_memory(3 * pages * PAGE)
    ways = [("vxm", [HELPER, guest], [HELPER, "--release", guest]), ("raw", [RAW, str(pages)], [RAW, "0"])]
    for _ in range(rounds + 1):  # the first round warms up and is not counted
        for name, add, undo in ways:
            turn(samples, name, add, undo, pages)
        ways.reverse()
        samples.setdefault("nothing", []).append(milliseconds("/bin/true"))
    held.close()
    json.dump({name: values[1:] for name, values in samples.items()}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
