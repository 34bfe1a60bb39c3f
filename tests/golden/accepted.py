#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Does this machine's QEMU take the command lines that the presets make?

Each golden case preset-NAME has one. QEMU starts paused, as it does for vxm, and is asked by QMP whether it is; then it is told
to quit. What needs privileges or hardware is left out or replaced, and said: passed-through devices, KVM, a tap, huge
pages, locked memory. Images, firmware and sockets are empty ones in a directory that goes again.

The output is TAP, a line a preset; all is skipped where there is no QEMU. Usage: accepted.py
"""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
QEMU = "/usr/bin/qemu-system-x86_64"
QMP_FD = 3
ROM_SIZE = 4 << 20

_HUGE = re.compile(r",hugetlb=on,hugetlbsize=\w+")
_HYPERV = re.compile(r",hv-[^,]*")  # KVM's own
# The emulated processor has less than a real one, and QEMU says so.
_EXPECTED = re.compile(r"^\S+: warning: TCG doesn't support requested feature: .*\n", re.M)


def command_of(case):
    """The arguments in a case's outcome."""
    text = case.read_text().partition("\n==== stdout\n")[2].partition("\n==== ")[0]
    return text.replace("\\\n", " ").split()[1:]


def adapt(words, scratch):
    """The same for this machine, and what was left out."""
    kept, without = [], set()
    pairs = iter(words)
    for option in pairs:
        value = next(pairs) if option not in ("-nodefaults", "-no-user-config", "-S") else None
        if value and value.startswith(("vfio-pci,", "pcie-root-port,id=slot")):
            without.add("devices of the host")
            continue
        if option == "-netdev" and value.startswith("tap,"):
            without.add("tap")
            value = re.sub(r"tap,(id=[^,]*),fd=(\d+).*", r"stream,\1,server=off,addr.type=fd,addr.str=\2", value)
        if value and _HUGE.search(value):
            without.add("huge pages")
            value = _HUGE.sub("", value)
        if option == "-overcommit":
            without.add("memory that is locked")
            value = value.replace("mem-lock=on", "mem-lock=off")
        if option in ("-machine", "-cpu"):
            without.add("KVM")
            value = re.sub("^host", "max,vendor=GenuineIntel", value.replace("accel=kvm", "accel=tcg"))
            value = _HYPERV.sub("", value)
        kept += [option] if value is None else [option, in_scratch(value, scratch)]
    return kept, without


def in_scratch(value, scratch):
    """Makes what a path stands for, and names that instead."""
    for path in re.findall(r"(?:path|filename|addr)=(/[^,]*)", value):
        ours = scratch / path.lstrip("/")
        ours.parent.mkdir(parents=True, exist_ok=True)
        if path.endswith(".fd"):
            ours.write_bytes(b"\0" * ROM_SIZE)
        elif path.endswith(".qcow2"):
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", ours, "64M"], check=True)
        value = value.replace(path, str(ours))
    return value


def ask(argv, fds):
    """Starts QEMU with its descriptors at the numbers that its command line has for them; returns its status by QMP."""
    ours, theirs = socket.socketpair()
    ends = [ours]

    def place():
        os.dup2(theirs.fileno(), QMP_FD)
        for number in fds:
            os.dup2(pairs[number].fileno(), number)

    pairs = {}
    for number in fds:
        here, there = socket.socketpair()
        high = socket.socket(fileno=os.dup(there.fileno()))
        ends += [here, there]
        pairs[number] = high
    with subprocess.Popen([QEMU, *argv], preexec_fn=place, close_fds=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as qemu:
        theirs.close()
        ours.settimeout(60)
        status = talk(ours)
        if status is None:
            qemu.kill()
        return status, qemu.communicate(timeout=60)[0]


def talk(monitor):
    """query-status, then quit; None if QEMU is gone before."""
    try:
        lines = monitor.makefile("rw")
        status = None
        for command in ("qmp_capabilities", "query-status", "quit"):
            lines.write(json.dumps({"execute": command}) + "\n")
            lines.flush()
            while True:
                line = lines.readline()
                if not line:
                    return status
                answer = json.loads(line)
                if "return" in answer:
                    break
            status = answer["return"].get("status", status)
        return status
    except (OSError, ValueError):
        return None


def accepted(case):
    with tempfile.TemporaryDirectory(prefix="vxm-qemu-") as name:
        scratch = pathlib.Path(name)
        argv, without = adapt(command_of(case), scratch)
        tpm = next((word.partition("path=")[2] for word in argv if word.startswith("socket,id=tpm,")), None)
        swtpm = None
        if tpm:
            if not shutil.which("swtpm"):
                return None, "there is no swtpm"
            (scratch / "tpm-state").mkdir()
            swtpm = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={scratch}/tpm-state", "--ctrl",
                                      f"type=unixio,path={tpm}"])
            subprocess.run(["sh", "-c", f"for i in $(seq 100); do [ -S '{tpm}' ] && exit; sleep 0.1; done"], check=True)
        fds = sorted({int(n) for word in argv for n in re.findall(r"(?:addr\.str|vhostfd)=(\d+)", word)})
        try:
            status, said = ask(argv, fds)
        finally:
            if swtpm:
                swtpm.kill()
                swtpm.wait()
        said = _EXPECTED.sub("", said)
        return (status in ("prelaunch", "paused") and not said.strip(), f"{status} {said.strip()} (without {', '.join(sorted(without))})")


def main():
    cases = sorted(HERE.glob("preset-*.case"))
    if not os.path.exists(QEMU) or not shutil.which("qemu-img"):
        print("1..0 # SKIP there is no QEMU")
        return 0
    print(f"1..{len(cases)}")
    good = True
    for number, case in enumerate(cases, 1):
        fine, said = accepted(case)
        print(f"{'not ' if fine is False else ''}ok {number} - {case.stem}{' # SKIP' if fine is None else ''}")
        print(f"# {said}", flush=True)
        good = good and fine is not False
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
