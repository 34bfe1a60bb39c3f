# SPDX-License-Identifier: BSD-3-Clause
"""Runs inside the lab, and natively in its image: times vxm-generator over a number of guest files, prints JSON.

The files lie below a scratch root with the installed presets; every other guest wants a GPU, so that it gets two
drop-ins. Timed is all of the process, from fork to exit, by the same code also for a program that does nothing.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GENERATOR = "/usr/lib/systemd/system-generators/vxm-generator"
PRESETS = Path("/usr/lib/vxm/presets")
GUEST = "[Guest]\nPreset=demo\n\n[Memory]\nSize=16G\n\n[CPU]\nCount=8\n"
GPU = "\n[GPU]\nDevice={bus:02x}:00.0\n"


def furnish(root, count):
    """Makes the scratch root with its guest files."""
    shutil.copytree(PRESETS, root / PRESETS.relative_to("/"))
    guests = root / "etc/vxm/guests"
    guests.mkdir(parents=True)
    for number in range(count):
        (guests / f"guest{number}.guest").write_text(GUEST + (GPU.format(bus=number + 1) if number % 2 else ""))


def milliseconds(*argv):
    started = time.monotonic()
    subprocess.run(argv, check=True)
    return 1000 * (time.monotonic() - started)


def generate(root):
    """Into a fresh directory each time, as systemd does; makes sure that all has been generated."""
    with tempfile.TemporaryDirectory() as out:
        took = milliseconds(GENERATOR, f"--root={root}", out, out, out)
        made = len(list(Path(out).glob("vxm-guest@*.d/*.conf")))
    return took, made


def main(rounds, count):
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        furnish(root, count)
        samples, nothing = [], []
        for _ in range(rounds + 1):
            took, made = generate(root)
            if made != count:
                sys.exit(f"vxm-generator made drop-ins for {made} guests of {count}")
            samples.append(took)
            nothing.append(milliseconds("/bin/true"))
    json.dump({"generator": samples[1:], "true": nothing[1:]}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
