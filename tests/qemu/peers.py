# SPDX-License-Identifier: BSD-3-Clause
"""What QEMU connects to when it starts: a tap and vhost-net, swtpm, virtiofsd."""

import contextlib
import fcntl
import os
import socket
import struct
import subprocess

_TUNSETIFF = 0x400454ca
_IFF_TAP, _IFF_NO_PI, _IFF_VNET_HDR = 0x0002, 0x1000, 0x4000


def tap():
    """The descriptor of a new tap in this process's network; it is gone with the descriptor."""
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH22x", b"vxmtest%d", _IFF_TAP | _IFF_NO_PI | _IFF_VNET_HDR))
    except OSError:
        os.close(fd)
        raise
    return fd


def possible(make):
    """Whether tap() or vhost_net() works here."""
    try:
        os.close(make())
    except OSError:
        return False
    return True


def vhost_net():
    """The descriptor of the kernel's own end of virtio's queues."""
    return os.open("/dev/vhost-net", os.O_RDWR | os.O_CLOEXEC)


@contextlib.contextmanager
def listening(kind, path, qemu, log):
    """A real server at that socket for as long as the block runs."""
    state = path.parent / f"{path.name}.state"
    state.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(1)
        argv = _argv(kind, server.fileno(), state, qemu)
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[server.fileno()]) as process:
            try:
                yield
            finally:
                process.kill()


def _argv(kind, fd, state, qemu):
    if kind == "tpm":
        return [*qemu.program("swtpm"), "socket", "--tpm2", "--tpmstate", f"dir={state}", "--ctrl", f"type=unixio,fd={fd}"]
    return [*qemu.program("virtiofsd"), f"--fd={fd}", f"--shared-dir={state}", "--sandbox=none", "--log-level=warn"]
