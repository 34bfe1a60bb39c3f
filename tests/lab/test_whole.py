# SPDX-License-Identifier: BSD-3-Clause
"""A guest that needs all there is: each unit that prepares it fails in turn, and those before it undo what they have done; it
starts, is started anew, and ends."""

import pytest

import demo
from test_storage import add_disk

pytestmark = pytest.mark.machine("four-cpus")

# What a unit of the host's is that the guest does not go along with.
_IDLE = "[Service]\nExecStart=sleep inf\n"
# In the order of starting.
_UNITS = ("hugepages", "units", "bind", "net", "cpus", "disks", "tpm", "link", "guest")


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


def test_each_unit_fails_in_turn(lab):
    install(lab)
    before = demo.state(lab)
    for unit in _UNITS:
        fails = f"/run/systemd/system/vxm-{unit}@demo.service.d/90-fails.conf"
        lab.run(f"mkdir -p {fails.rsplit('/', 1)[0]}")
        lab.write(fails, "[Service]\nExecStart=\nExecStart=/bin/false\n")
        lab.run("systemctl daemon-reload")
        assert lab.run("systemctl start vxm-guest@demo", check=False, timeout=180).returncode != 0
        assert lab.run(f"systemctl is-failed vxm-{unit}@demo", check=False).stdout == "failed\n", demo.journal(lab)
        assert_undone(lab, before, unit)
        lab.run(f"rm {fails} && systemctl daemon-reload && systemctl reset-failed")


def test_starts_starts_anew_and_ends(lab):
    install(lab)
    before = demo.state(lab)
    demo.start(lab)
    assert demo.report(lab)
    lab.run("systemctl restart vxm-guest@demo", timeout=300)
    assert demo.report(lab)
    # Whatever becomes of its file meanwhile.
    lab.run("rm /etc/vxm/guests/demo.guest && systemctl daemon-reload")
    demo.stop(lab)
    assert_undone(lab, before, "the end")
