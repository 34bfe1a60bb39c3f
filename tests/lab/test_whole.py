# SPDX-License-Identifier: BSD-3-Clause
"""A guest that needs all there is: units that prepare it fail in turn, and those before it undo what they have done; it
starts, is started anew, and ends in each way there is, and whatever was changed for it is as before. Tests of one kind of
thing leave the ways of ending to this one."""

import pytest

import demo
from test_storage import add_disk

pytestmark = pytest.mark.machine("four-cpus")

# What a unit of the host's is that the guest does not go along with.
_IDLE = "[Service]\nExecStart=sleep inf\n"
# Has a unit fail, once it has done what it does, if there is such a file. One drop-in is for all of them (systemd.unit(5)).
_FAILS = "[Service]\nExecStartPost=/usr/bin/test ! -e /run/fails/%p\n"
# In the order of starting; those after which there is more of another kind to undo than before.
_UNITS = ("units", "bind", "cpus", "disks", "guest")


def install(lab):
    """All the kinds of things that a guest file can ask to be prepared."""
    _, link = add_disk(lab)
    lab.run("ip link add br0 type bridge && ip link set br0 up && mkdir /srv/music && systemd-sysusers --inline 'u vxm-demo -' && "
            "chown vxm-demo: /srv/music")
    lab.write("/run/systemd/system/idle.service", _IDLE)
    demo.install(lab, text=demo.guest_file(
        "[Memory]\nSize=256M\nHugePages=2M", "[CPU]\nPin=2-3\nIsolate=yes", "[TPM]\nEnable=yes",
        "[GPU]\nDevice=01:00.0\nStopUnits=idle.service", f"[Disk node]\nPath={link}", "[Share music]\nPath=/srv/music",
        "[Network lan]\nType=bridge\nBridge=br0", "[Display]\nVNC=5900"))
    lab.run("systemctl start idle")


def assert_undone(lab, before, what):
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))
    assert lab.run("systemctl is-active idle", check=False).stdout == "active\n", what
    left = lab.run("systemctl list-units --state=active --plain --legend=no 'vxm-*@demo*'").stdout
    assert not left, f"{what}: {left}"


def test_units_fail_in_turn(lab):
    install(lab)
    lab.run("mkdir -p /run/systemd/system/vxm-.service.d /run/fails")
    lab.write("/run/systemd/system/vxm-.service.d/90-fails.conf", _FAILS)
    lab.run("systemctl daemon-reload")
    before = demo.state(lab)
    for unit in _UNITS:
        lab.run(f"touch /run/fails/vxm-{unit}")
        assert lab.run("systemctl start vxm-guest@demo", check=False).returncode != 0
        assert lab.run(f"systemctl is-failed vxm-{unit}@demo", check=False).stdout == "failed\n", demo.journal(lab)
        assert_undone(lab, before, unit)
        lab.run(f"rm /run/fails/vxm-{unit} && systemctl reset-failed")


def test_starts_starts_anew_and_ends(lab):
    install(lab)
    before = demo.state(lab)
    demo.start(lab)
    for way in ("power off inside", "kill supervisor", "kill qemu"):
        if way == "power off inside":
            demo.report(lab)
        demo.end(lab, way)
        assert_undone(lab, before, way)
        lab.run("systemctl reset-failed", check=False)
        demo.start(lab)
    assert demo.report(lab)
    lab.run("systemctl restart vxm-guest@demo")
    assert demo.report(lab)
    # Whatever becomes of its file meanwhile.
    lab.run("rm /etc/vxm/guests/demo.guest && systemctl daemon-reload")
    demo.stop(lab)
    assert_undone(lab, before, "the end")


def test_what_helps_is_killed(lab):
    """A guest stays without a share, and ends without its TPM; nothing is undone before QEMU is gone."""
    install(lab)
    before = demo.state(lab)
    demo.start(lab)
    demo.report(lab)
    lab.run("systemctl kill --signal=KILL vxm-share@demo:music.service")
    lab.run("systemctl is-active vxm-guest@demo vxm-bind@demo vxm-cpus@demo vxm-hugepages@demo")
    lab.run("systemctl kill --signal=KILL vxm-tpm@demo.service")
    assert_undone(lab, before, "the TPM")
    assert lab.run("systemctl is-failed vxm-bind@demo", check=False).stdout != "failed\n", demo.journal(lab)
