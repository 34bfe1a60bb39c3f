# SPDX-License-Identifier: BSD-3-Clause
"""The kill matrix: a helper that runs as root is killed, and its calls are made to fail, at every system call that
changes the machine; once its unit has done what it does afterwards, all has to be as before, at every single point.
killmatrix.py says which points are tried; docs/reliability.md has the figures.

All points of a matrix of vxm-bind take five minutes where everything is emulated.
"""

import pytest

import demo
import killmatrix

# All that a guest can ask of its GPU that makes for more writes.
_POLICY = "PowerControl=auto\nD3Cold=yes\nResetMethod=bus\n"
_SINGLE = "[Guest]\nPreset=demo\n\n[GPU]\nDevice=01:00.0\nSingleGpu=yes\n"

# No fewer points than these may be tried, or the matrix has gone blind: phase and kind, at least.
_AT_LEAST = {
    "cold, killed before": 6, "cold, killed after": 6, "cold, all killed": 6, "cold, EIO": 6,
    "bind, killed before": 11, "bind, killed after": 11, "bind, all killed": 11, "bind, strace": 7,
    "undo, killed before": 9, "undo, killed after": 9, "undo, all killed": 9, "undo, strace": 7,
    **{f"bind, {error}": 11 for error in ("EIO", "EBUSY", "ENODEV", "ENOSPC")},
    **{f"undo, {error}": 9 for error in ("EIO", "EBUSY", "ENODEV", "ENOSPC")},
}
# Of vxm-hugepages: the write, a record before and after it, and another one or none in the end.
_AT_LEAST_PAGES = {
    f"{phase}, {kind}": least for phase, least in (("take", 13), ("undo", 11))
    for kind in ("killed before", "killed after", "all killed", "EIO", "EBUSY", "ENODEV", "ENOSPC")
} | {"take, strace": 11, "undo, strace": 10}

# Of vxm-net, vxm-usb, vxm-input and vxm-cpus: how many calls there are depends on interfaces, devices and interrupts.
_AT_LEAST_OTHERS = {f"{phase}, {kind}": 5 for phase in ("take", "undo")
                    for kind in ("killed before", "killed after", "all killed", "EIO", "ENOSPC")}

_PAGES = "[Guest]\nPreset=demo\n\n[Memory]\nSize=128M\nHugePages=2M\n"
_TAPS = demo.guest_file("[Network lan]\nType=bridge\nBridge=br0", "[Network dmz]\nType=bridge\nBridge=br0")
_CPUS = demo.guest_file("[CPU]\nCount=1\nPin=2-3\nIsolate=yes")


def test_kill_matrix(lab, tell):
    killmatrix.assert_complete(killmatrix.run(lab, demo.GUEST_FILE + _POLICY, "vxm-bind"), tell, _AT_LEAST)


@pytest.mark.slow
@pytest.mark.machine("single-0380")
def test_kill_matrix_single_gpu(lab, tell):
    """With consoles and framebuffers to let go of, too; the desktop is stopped by a unit, and here for all of the time."""
    lab.run("systemctl stop display-manager")
    killmatrix.assert_complete(killmatrix.run(lab, _SINGLE, "vxm-bind"), tell, _AT_LEAST)


@pytest.mark.slow
def test_kill_matrix_huge_pages(lab, tell):
    """Some pages are there already, and stay; another guest has its own, and keeps them."""
    lab.run("echo 8 >/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages")
    demo.install(lab, "other", _PAGES)
    lab.run("/usr/lib/vxm/vxm-hugepages other")
    killmatrix.assert_complete(killmatrix.run(lab, _PAGES, "vxm-hugepages"), tell, _AT_LEAST_PAGES)
    lab.run("/usr/lib/vxm/vxm-hugepages --release other")
    assert lab.read("/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages") == "8\n"


@pytest.mark.slow
def test_kill_matrix_interfaces(lab, tell):
    lab.run("ip link add br0 type bridge && ip link set br0 up")
    killmatrix.assert_complete(killmatrix.run(lab, _TAPS, "vxm-net"), tell, _AT_LEAST_OTHERS)


@pytest.mark.slow
def test_kill_matrix_usb(lab, tell):
    mouse = lab.run("grep -lx 'QEMU USB Mouse' /sys/bus/usb/devices/*/product").stdout.split("/")[-2]
    killmatrix.assert_complete(killmatrix.run(lab, demo.guest_file(f"[USB]\nDevice={mouse}"), "vxm-usb"), tell, _AT_LEAST_OTHERS)


@pytest.mark.slow
def test_kill_matrix_input(lab, tell):
    killmatrix.assert_complete(killmatrix.run(lab, demo.guest_file("[Input]\nDevices=auto"), "vxm-input"), tell, _AT_LEAST_OTHERS)


@pytest.mark.slow
@pytest.mark.machine("four-cpus")
def test_kill_matrix_cpus(lab, tell):
    """Without anything in it there would be no slice that could become a partition."""
    lab.run("systemd-run -q --unit=lab-keep --slice=vxm.slice sleep infinity")
    killmatrix.assert_complete(killmatrix.run(lab, _CPUS, "vxm-cpus"), tell, _AT_LEAST_OTHERS)
