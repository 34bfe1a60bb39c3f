# SPDX-License-Identifier: BSD-3-Clause
"""Running other programs on the host: their output is kept back, and shown when they fail."""

import ctypes
import functools
import os
import subprocess

from vxmlab.say import LabError

_CLONE_NEWNS = 0x00020000


def call(argv, what, **options):
    """Runs argv to its end and returns its stdout; when it fails, the error shows what it printed.

    what: the purpose, as in "cannot <what>". options: as for subprocess.run().
    """
    argv = [str(arg) for arg in argv]
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              text=True, errors="replace", **options)
    except FileNotFoundError as error:
        raise LabError(f"cannot {what}: {argv[0]} is not installed") from error
    if done.returncode != 0:
        raise LabError(f"{done.stdout.rstrip()}\ncannot {what}: {argv[0]} ended with status {done.returncode}, "
                       "see its output above")
    return done.stdout


@functools.cache
def own_mounts():
    """Gives this process a mount table of its own, so that its mounts vanish with it, however it ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS) != 0:
        raise LabError(f"cannot make a private mount table: {os.strerror(ctypes.get_errno())}; "
                       "the lab needs a machine where root may mount")
    call(["mount", "--make-rprivate", "/"], "make the mount table private")
