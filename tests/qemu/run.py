#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Does real QEMU take the command lines that vxm makes, the oldest and the newest that vxm is made for?

Each golden case whose outcome is a command line of QEMU's is started, paused, by each of the QEMUs in releases.py, and asked by
QMP whether all is there that the command line names. What this machine lacks is replaced by the rules in stand_ins.py, and each
replacement is told. A case that is about a newer QEMU is passed over, and that is told, too: its machine has a module that this
one has not, or its first lines say “QEMU 8.2 or newer”.

The output is TAP, a line a QEMU and case. Root is needed to unpack QEMU. Usage: run.py [CASE…]
"""

import concurrent.futures
import contextlib
import ctypes
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE.parent / "lab")]

import inspection  # noqa: E402
import peers  # noqa: E402
import releases  # noqa: E402
import stand_ins  # noqa: E402
import words  # noqa: E402
from vxmlab.qmp import Qmp  # noqa: E402
from vxmlab.say import LabError  # noqa: E402

GOLDEN = HERE.parent / "golden"
_QMP_FD = 3
_FIRST_FREE = 100  # a descriptor that no command line names
_DEADLINE = 60
_CLONE_NEWNET = 0x40000000
_MODULES = "usr/lib/x86_64-linux-gnu/qemu/"


def own_network():
    """Taps are made in a network of their own, which goes with this process; without root there are none."""
    ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET)


def newer(release, text):
    """Why a case is about a newer QEMU than this one; None if it is not."""
    named = [line.split()[0].removeprefix(_MODULES) for line in text.splitlines() if line.startswith(_MODULES)]
    lacking = [name for name in named if not release.has_module(name)]
    said = re.search(r"\bQEMU (\d+)\.(\d+) or newer", " ".join(line.lstrip("# ") for line in text.splitlines() if line.startswith("#")))
    if said and tuple(map(int, release.version.split("."))) < tuple(map(int, said.groups())):
        return said[0]
    return f"a QEMU with {', '.join(lacking)}" if lacking else None


class Run:
    """One QEMU and one case's command line: what that needs around it, the process, what it says."""

    def __init__(self, release, helpers, adapted, scratch):
        self._release, self._helpers, self._adapted = release, helpers, adapted
        self._stack = contextlib.ExitStack()
        self._log = self._stack.enter_context(open(scratch / "log", "w+b"))
        self._descriptors, self._pid, self._killer = {}, None, None
        self.monitor = None

    def __enter__(self):
        for path, kind, size in self._adapted.images:
            argv = [*self._release.qemu.program("qemu-img"), "create", "-q", "-f", kind, path, str(size)]
            subprocess.run(argv, check=True, stdout=self._log, stderr=self._log)
        for kind, path in self._adapted.peers:
            self._stack.enter_context(peers.listening(kind, path, self._helpers.qemu, self._log))
        for number, kind in self._adapted.descriptors.items():
            self._descriptors[number] = self._open(number, kind)
        self._start()
        return self

    def __exit__(self, *_):
        self._killer.cancel()
        self._stack.close()

    def _open(self, number, kind):
        """One that QEMU gets under that number; here it has one that none is asked for under."""
        if kind == "stream":
            ours, fd = socket.socketpair()
            self._stack.enter_context(ours)
            if number == _QMP_FD:
                self.monitor = Qmp(ours)
            fd = fd.detach()
        else:
            fd = peers.tap() if kind == "tap" else peers.vhost_net()
        high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE)
        os.close(fd)
        return high

    def _start(self):
        argv = [*self._release.qemu.program("qemu-system-x86_64"), *words.joined(self._adapted.pairs)]
        actions = [(os.POSIX_SPAWN_DUP2, self._log.fileno(), number) for number in (1, 2)]
        actions += [(os.POSIX_SPAWN_DUP2, high, number) for number, high in self._descriptors.items()]
        self._pid = os.posix_spawn("/usr/bin/setpriv", ["setpriv", "--pdeathsig", "KILL", *argv], self._release.qemu.environment(),
                                   file_actions=actions)
        self._killer = threading.Timer(_DEADLINE, os.kill, (self._pid, signal.SIGKILL))
        self._killer.start()
        for high in self._descriptors.values():
            os.close(high)  # so that QEMU's end is seen

    def kill(self):
        """Ends QEMU when it is past being asked; not before it could say why it ends by itself."""
        with contextlib.suppress(ChildProcessError):
            if os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                os.kill(self._pid, signal.SIGKILL)

    def status(self):
        """QEMU's exit status; waits for it."""
        status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        self._killer.cancel()
        return status

    def said(self):
        """What QEMU, and what it is connected to, wrote."""
        self._log.seek(0)
        return [line for line in self._log.read().decode(errors="replace").splitlines() if line.strip()]


def look(release, helpers, adapted, scratch, pairs=None):
    """Starts QEMU, has it looked at, and quit. pairs: what to look for, if not what it is started with. Returns what is wrong and
    what was said, as lines."""
    wrong = []
    with Run(release, helpers, adapted, scratch) as run:
        try:
            run.monitor.handshake(_DEADLINE)
            wrong += inspection.inspect(run.monitor, adapted, pairs or adapted.pairs)
            run.monitor.command("quit")
        except LabError as error:
            wrong.append(str(error))
            run.kill()
        status = run.status()
        if status != 0:
            wrong.append(f"QEMU ended with status {status}")
        said = run.said()
    # What is on its way out is not for a new product.
    wrong += [f"QEMU says: {line}" for line in said if "deprecated" in line]
    return wrong, said


def check(release, helpers, means, path):
    """One case with one QEMU. Returns the lines of TAP's, the first one without its number."""
    text = path.read_text()
    title = f"QEMU {release.version}: {path.stem}"
    why = newer(release, text)
    if why:
        return True, f"{title} # SKIP it is about {why}", []
    with tempfile.TemporaryDirectory(prefix="vxm-q") as scratch:
        adapted = stand_ins.adapt(words.options(words.of_case(text)[1:]), Path(scratch), means)
        wrong, said = look(release, helpers, adapted, Path(scratch))
        wrong += [line for sound in adapted.sound for line in takes_sound(release, sound)]
        told = [line.replace(scratch, "") for line in adapted.told]
        details = [f"instead: {line}" for line in told]
        if wrong:
            details += [f"wrong: {line}" for line in wrong] + [f"said: {line}" for line in said]
    return not wrong, title, details


def takes_sound(release, text):
    """Whether QEMU takes this -audiodev, up to where it would look for the sound server. Returns what is wrong, as lines."""
    argv = [*release.qemu.program("qemu-system-x86_64"), "-nodefaults", "-display", "none", "-machine", "none", "-audiodev", text,
            "-monitor", "stdio"]
    try:
        done = subprocess.run(argv, env=release.qemu.environment(), input=b"quit\n", capture_output=True, timeout=_DEADLINE, check=False)
    except subprocess.TimeoutExpired:
        return [f"-audiodev {text}: QEMU did not end within {_DEADLINE} seconds"]
    said = done.stderr.decode(errors="replace").splitlines()
    return [f"-audiodev {text}: {line}" for line in said if "arameter" in line or "expects" in line]


def sound_counter_proof(release):
    """A property that no sound server has must be refused, or nothing would be proven by one that is taken."""
    wrong = takes_sound(release, "none,id=audio,no-such-property=1")
    return bool(wrong), f"QEMU {release.version}: an -audiodev with an unknown property is found to be wrong", [f"found: {line}" for line in wrong]


def counter_proof(release, helpers, means, path, added, started):
    """A device too many has to be found: one that QEMU refuses, and one that it has never been told of."""
    with tempfile.TemporaryDirectory(prefix="vxm-q") as scratch:
        adapted = stand_ins.adapt(words.options(words.of_case(path.read_text())[1:]), Path(scratch), means)
        asked = [*adapted.pairs, ("-device", added)]
        adapted.pairs, inspected = (asked, asked) if started else (adapted.pairs, asked)
        wrong, _ = look(release, helpers, adapted, Path(scratch), inspected)
    return bool(wrong), f"QEMU {release.version}: {path.stem} with {added} is found to be wrong", [f"found: {line}" for line in wrong]


def kvm_works(release):
    """Whether this QEMU can use this machine's KVM, with what the Hyper-V interface needs of it; not whether a guest would run."""
    argv = [*release.qemu.program("qemu-system-x86_64"), "-nodefaults", "-display", "none", "-S", "-machine", "q35,accel=kvm",
            "-cpu", "host,hv-vpindex=on,hv-synic=on,hv-reenlightenment=on,hv-frequencies=on,invtsc=on,topoext=on", "-monitor", "stdio"]
    try:
        return subprocess.run(argv, env=release.qemu.environment(), input=b"quit\n", stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=_DEADLINE, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def work(found, cases):
    """All that is to be done, as functions and their arguments."""
    tap, vhost = peers.possible(peers.tap), peers.possible(peers.vhost_net)
    for release in found:
        means = stand_ins.Means(release.qemu.tree, kvm_works(release), tap, vhost)
        print(f"# QEMU {release.version} of {release.suite}: KVM {means.kvm}, taps {tap}, vhost-net {vhost}")
        for path in cases:
            yield check, release, found[-1], means, path
        yield counter_proof, release, found[-1], means, cases[0], "virtio-rng-pci,no-such-property=1", True
        yield counter_proof, release, found[-1], means, cases[0], "virtio-rng-pci,id=stray", False
        yield sound_counter_proof, release


def main():
    try:
        found = releases.ensure()
    except LabError as error:
        print(f"Bail out! No QEMU to start: {error}")
        return 1
    own_network()
    named = [GOLDEN / f"{name}.case" for name in sys.argv[1:]] or sorted(GOLDEN.glob("*.case"))
    todo = list(work(found, [path for path in named if words.of_case(path.read_text())]))
    print(f"1..{len(todo)}")
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(2 * len(os.sched_getaffinity(0))) as pool:
        for number, (good, title, details) in enumerate(pool.map(lambda task: task[0](*task[1:]), todo), 1):
            bad += not good
            print("\n".join([f"{'ok' if good else 'not ok'} {number} - {title}", *(f"# {line}" for line in details)]), flush=True)
    print(f"# {len(todo) - bad} of {len(todo)} are good")
    return 1 if bad or not todo else 0


if __name__ == "__main__":
    sys.exit(main())
