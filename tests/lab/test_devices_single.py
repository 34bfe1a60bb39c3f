# SPDX-License-Identifier: BSD-3-Clause
"""One GPU, on which a desktop runs: with SingleGpu=yes it goes to the guest and comes back with the desktop on it, however
the guest ends. The screen is photographed at each turn."""

import pytest

import demo

pytestmark = pytest.mark.machine("single")

SINGLE = demo.guest_file("[GPU]\nDevice=01:00.0\nSingleGpu=yes")


def is_active(lab, unit="display-manager"):
    return lab.run(f"systemctl is-active {unit}", check=False).stdout.strip() == "active"


def assert_back(lab, before, picture):
    """The desktop runs and is on the screen, and all else is as before, too."""
    demo.wait_undone(lab)
    lab.assert_desktop("gpu0", picture)
    assert is_active(lab)
    demo.assert_as_before(before, demo.state(lab))


@pytest.mark.parametrize("end", demo.ENDS)
def test_desktop_guest_desktop(lab, end, tmp_path):
    lab.assert_desktop("gpu0", tmp_path / "before.png")
    demo.install(lab, text=SINGLE)
    before = demo.state(lab)
    demo.start(lab)
    assert not is_active(lab)
    demo.report(lab)
    lab.assert_demo_picture("gpu0", tmp_path / "guest.png")
    demo.end(lab, end)
    assert_back(lab, before, tmp_path / "after.png")


def test_refused_without_the_key(lab, tmp_path):
    demo.install(lab, text=SINGLE.replace("SingleGpu=yes", ""))
    demo.assert_says(demo.refusal(lab), "0000:01:00.0", "SingleGpu=yes")
    assert is_active(lab)
    lab.assert_desktop("gpu0", tmp_path / "after.png")


def test_desktop_is_spared_when_the_guest_cannot_start(lab, tmp_path):
    """What is missing shows before the desktop, and all work in it, is ended."""
    demo.install(lab, text=SINGLE + "\n[Disk root]\nPath=/srv/none.img\n")
    desktop = lab.run("systemctl show -P InvocationID display-manager").stdout
    demo.refusal(lab)
    assert lab.run("systemctl show -P InvocationID display-manager").stdout == desktop
    lab.assert_desktop("gpu0", tmp_path / "after.png")


def test_desktop_comes_back_when_taking_fails(lab, tmp_path):
    """vfio-pci cannot be had: by then the desktop is gone, so it has to come back."""
    demo.install(lab, text=SINGLE)
    before = demo.state(lab)
    lab.run("echo 'install vfio-pci /bin/false' >/etc/modprobe.d/spoiled.conf; echo 'blacklist vfio-pci' >>/etc/modprobe.d/spoiled.conf; "
            "rm /lib/modules/*/kernel/drivers/vfio/pci/vfio-pci.ko*")
    assert lab.run("systemctl start vxm-guest@demo", check=False).returncode != 0
    assert_back(lab, before, tmp_path / "after.png")


def test_twice_in_a_row(lab, tmp_path):
    demo.install(lab, text=SINGLE)
    before = demo.state(lab)
    for _ in range(2):
        demo.start(lab)
        demo.report(lab)
        lab.assert_demo_picture("gpu0", tmp_path / "guest.png")
        demo.stop(lab)
        assert_back(lab, before, tmp_path / "after.png")
