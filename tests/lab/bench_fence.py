# SPDX-License-Identifier: BSD-3-Clause
"""What runs on the CPUs of a guest with Isolate=yes besides the guest, and what of vxm is resident while it runs. inside/fence.py
says what exactly is counted."""

import json
from pathlib import Path

import demo
from vxmlab.bench import Bench

MACHINE = "four-cpus"
_SCRIPT = Path(__file__).resolve().parent / "inside" / "fence.py"
_SECONDS = 30
_FILE = demo.guest_file("[Memory]\nSize=256M\nHugePages=2M", "[CPU]\nCount=2\nPin=2-3\nIsolate=yes", "[TPM]\nEnable=yes",
                        "[Share music]\nPath=/srv/music", "[Network out]\nSSH=2222")


def bench(machine, _):
    machine.run("mkdir -p /srv/music && systemd-sysusers --inline 'u vxm-demo -' && chown vxm-demo: /srv/music && "
                "ip route replace default via 10.0.2.2")
    demo.install(machine, text=_FILE)
    demo.start(machine)
    demo.report(machine)
    machine.put(_SCRIPT)
    found = json.loads(machine.run(f"python3 fence.py {demo.qemu_pid(machine)} {_SECONDS} 2 3", timeout=_SECONDS + 120).stdout)
    demo.stop(machine)
    result = Bench()
    for kind, title in (("guest", "the guest"), ("bound", "kernel threads bound there"), ("foreign", "anybody else")):
        result.add(f"switches on fenced CPUs, {_SECONDS} s: to {title}", [sum(found[kind].values())], "")
        for name, count in sorted(found[kind].items()):
            result.add(f"  {name}", [count], "")
    for name, size in sorted(found["resident"].items()):
        result.add(f"resident: {name}", [size], "kB")
    result.ratios["foreign_switches"] = sum(found["foreign"].values())
    return result
