# SPDX-License-Identifier: BSD-3-Clause
"""What the lab keeps between its runs: images, snapshots, QEMU. Each is a directory named <kind>-<key>.

A key is a digest of everything that went in, so an entry is never stale; it is built under another name and
renamed when complete, so it is never half-made. One lock serialises the builders. Who uses an entry holds a
shared lock on its directory, and only entries that nobody holds are ever removed.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from vxmlab.say import LabError, step


def root():
    """The cache's directory, made when missing."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vxm-lab"
    path = Path(os.environ.get("VXM_LAB_CACHE") or default).absolute()
    path.mkdir(parents=True, exist_ok=True)
    return path


def digest(*parts):
    """A short name for everything in parts: strings, bytes, files and directories (by their content)."""
    total = hashlib.sha256()
    for part in parts:
        for chunk in _chunks(part):
            total.update(len(chunk).to_bytes(8, "big") + chunk)
    return total.hexdigest()[:16]


def _chunks(part):
    if isinstance(part, bytes):
        yield part
    elif isinstance(part, str):
        yield part.encode()
    elif part.is_symlink():
        yield b"link " + os.readlink(part).encode()
    elif part.is_dir():
        for path in sorted(part.rglob("*")):
            yield str(path.relative_to(part)).encode()
            if path.is_symlink() or not path.is_dir():
                yield from _chunks(path)
    else:
        yield b"%o" % (part.stat().st_mode & 0o111)
        yield part.read_bytes()


@contextlib.contextmanager
def locked():
    """Keeps every other builder out; says so when it has to wait for one."""
    with open(root() / "lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            step("waiting for another lab that is preparing something ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def entry(kind, key, build, parent=None):
    """The directory of one entry; when there is none, build(directory) fills it. Needs the lock."""
    base = parent or root()
    path = base / f"{kind}-{key}"
    if path.is_dir():
        os.utime(path)
        return path
    unfinished = base / f"{kind}.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    build(unfinished)
    unfinished.rename(path)
    return path


def hold(path):
    """Marks an entry as in use until the returned descriptor is closed or the process ends."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    fcntl.flock(fd, fcntl.LOCK_SH)
    return fd


def scratch(kind):
    """A new directory <kind>-<random> that is removed by the next prune() once its user has ended, and its hold."""
    path = Path(tempfile.mkdtemp(prefix=f"new-{kind}-", dir=root()))
    fd = hold(path)
    return path.rename(path.with_name(path.name.removeprefix("new-"))), fd


def prune(kind, keep):
    """Removes all entries of a kind but the newest ones, sparing those in use. Needs the lock.

    VXM_LAB_KEEP tells how many to keep at least, for those who work on several checkouts at once.
    """
    keep = max(keep, int(os.environ.get("VXM_LAB_KEEP") or 0))
    entries = sorted(root().glob(f"{kind}-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in entries[keep:]:
        remove(path)


def remove(path):
    """Removes one entry unless a lab uses it; tells whether it is gone."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(fd)
    shutil.rmtree(path)
    return True


def clean():
    """Removes the whole cache, or says which part a running lab still needs."""
    with locked():
        kept = [path.name for path in root().iterdir() if path.is_dir() and not remove(path)]
    if kept:
        raise LabError(f"still in use by a running lab: {', '.join(sorted(kept))}; end it and try again")
    shutil.rmtree(root())
