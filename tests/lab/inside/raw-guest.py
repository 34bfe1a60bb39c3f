# SPDX-License-Identifier: BSD-3-Clause
"""Runs inside the lab: a guest as vxm would run it, but by QEMU alone, as root, and with further options; until it is ended.

    python3 raw-guest.py GUEST OPTION…

What other programs look for in /run/vxm/sockets/GUEST is there.
"""

import signal
import sys
from pathlib import Path

import start

name, *options = sys.argv[1:]
start.SCRATCH.mkdir(exist_ok=True)
sockets = Path("/run/vxm/sockets") / name
sockets.unlink(missing_ok=True)
sockets.symlink_to(start.SCRATCH)
start.Raw().start(name, *options)
print("runs", flush=True)
signal.pause()
