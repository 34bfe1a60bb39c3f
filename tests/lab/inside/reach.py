# SPDX-License-Identifier: BSD-3-Clause
"""Runs inside the lab: what of one guest can be reached by whoever runs this.

    python3 reach.py find GUEST       as root: all there is of the guest, as JSON on stdout
    python3 reach.py try  <found      as anybody: what of that can be reached, as JSON on stdout

A thing is a list of words: a verb and what it is about. Found are: all that belongs to the guest's user in /dev, /run/vxm,
/var/lib/vxm and /srv, its taps, and of each of its processes memory, environment, mappings, root, and each open descriptor. Reached is
what was not refused: a socket that is busy has been reached. Whatever is opened is closed again, nothing is written. Sockets of
servers that live for one connection are not connected to: it is asked whether they could be.
"""

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import pwd
import socket
import stat
import struct
import sys
from pathlib import Path

TREES = ("/dev", "/run/vxm", "/var/lib/vxm", "/srv")
QEMUS = "/run/vxm/sockets"
PARTS = ("mem", "environ", "maps", "auxv")
LINKS = ("root", "cwd", "exe")
REFUSED = (errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENXIO, errno.ESRCH)

TUNSETIFF = 0x400454ca
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
PTRACE_DETACH, PTRACE_SEIZE = 17, 0x4206


# ---- what there is ----

def kind_of(path, mode):
    if stat.S_ISSOCK(mode):
        return "connect" if path.is_relative_to(QEMUS) else "write"
    return "list" if stat.S_ISDIR(mode) else "open"


def files_of(uid):
    for tree in TREES:
        for path in Path(tree).rglob("*"):
            with contextlib.suppress(OSError):
                status = path.lstat()
                if status.st_uid == uid and not stat.S_ISLNK(status.st_mode):
                    yield [kind_of(path, status.st_mode), str(path)]


def taps_of(uid):
    for owner in Path("/sys/class/net").glob("*/owner"):
        if owner.read_text().strip() == str(uid):
            yield ["attach", owner.parent.name]


def processes_of(uid):
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if directory.stat().st_uid != uid:
                continue
            pid = directory.name
            yield from (["signal", pid], ["trace", pid], ["list", f"{directory}/fd"])
            yield from (["open", f"{directory}/{part}"] for part in PARTS)
            yield from (["follow", f"{directory}/{link}"] for link in LINKS)
            yield from (["open", f"{directory}/fd/{number}"] for number in os.listdir(directory / "fd"))


def find(guest):
    uid = pwd.getpwnam(f"vxm-{guest}").pw_uid
    return [*files_of(uid), *taps_of(uid), *processes_of(uid)]


# ---- what of it can be reached ----

def connect(path):
    with socket.socket(socket.AF_UNIX) as client:
        client.setblocking(False)
        client.connect(path)


def write(path):
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, path)


def attach(name):
    fd = os.open("/dev/net/tun", os.O_RDWR)
    try:
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
    finally:
        os.close(fd)


def trace(pid):
    """Asks to trace without stopping the process."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if libc.ptrace(PTRACE_SEIZE, int(pid), None, None) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def open_any(path):
    """For reading, or else for writing: one is enough. Waits for nobody."""
    for mode in (os.O_RDONLY, os.O_WRONLY):
        try:
            os.close(os.open(path, mode | os.O_NONBLOCK | os.O_NOCTTY))
            return
        except OSError as error:
            last = error
    raise last


VERBS = {"open": open_any, "list": os.listdir, "connect": connect, "write": write, "attach": attach, "follow": os.readlink,
         "signal": lambda pid: os.kill(int(pid), 0), "trace": trace}


def is_reached(verb, what):
    try:
        VERBS[verb](what)
    except OSError as error:
        return error.errno not in REFUSED
    return True


def main(verb, *operands):
    if verb == "find":
        result = find(*operands)
    else:
        result = [thing for thing in json.load(sys.stdin) if is_reached(*thing)]
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
