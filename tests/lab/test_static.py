# SPDX-License-Identifier: BSD-3-Clause
"""Static binding: the guest's GPU is on vfio-pci before the host's driver, which is in the initramfs, sees it; the host's
own GPU, of the same make, is not touched; and all of it can be taken back, for one boot or for good.

The lab boots a kernel and an initramfs from outside, so each initramfs made inside is fetched and booted with.
"""

from contextlib import contextmanager

import pytest

import demo
import killmatrix

STATIC_FILE = demo.GUEST_FILE_BIOS.replace("Device=01:00.0\n", "Device=01:00.0\nBinding=static\n")
BIND = "/usr/lib/vxm/vxm-bind --static"
HOST_GPU = "0000:00:10.0"

# All that is in an initramfs, as a list of hashes and names; when it was made does not count.
_CONTENTS = r"""
rm -rf /tmp/unpacked && mkdir /tmp/unpacked && cd /tmp/unpacked && unmkinitramfs /boot/initrd.img-* . &&
find . -type f -print0 | sort -z | xargs -0 sha256sum && find . ! -type f -printf '%p %y %m %l\n' | sort
"""

# How each maker of an initramfs is told to put the GPU's driver in, as distributions do for an early splash; and how the
# machine gets to have that maker only.
MAKERS = {
    "initramfs-tools": ("echo bochs >>/etc/initramfs-tools/modules", "update-initramfs -u -k all"),
    "dracut": ("mv /usr/sbin/update-initramfs /root && echo 'force_drivers+=\" bochs \" hostonly=yes compress=\"zstd -1\"' "
               ">/etc/dracut.conf.d/lab.conf", "dracut --regenerate-all --force"),
}


def contents(lab):
    return lab.run(_CONTENTS).stdout


def fetch_initrd(lab, directory):
    directory.mkdir()
    lab.run("cp /boot/initrd.img-* /root/initrd.img")
    lab.get("initrd.img", directory)
    return directory / "initrd.img"


@contextmanager
def rebooted(lab, initrd=None, arguments=""):
    """The machine after a boot; with the kernel's log of that boot."""
    lab.power_off()
    lab.boot(initrd=initrd, arguments=arguments)
    yield lab.run("dmesg --notime").stdout.splitlines()


def drivers(lab):
    """Driver and override of the host's GPU, of the guest's, and of its sound function."""
    wanted = (HOST_GPU, demo.GPU, demo.SOUND)
    return [line.partition(" driver ")[2].rstrip() for line in demo.state(lab).splitlines()
            if line.startswith(wanted) and " driver " in line]


STATIC = ["bochs-drm override (null)", "vfio-pci override vfio-pci", "vfio-pci override vfio-pci"]
NATIVE = ["bochs-drm override (null)", "bochs-drm override (null)", "snd_hda_intel override (null)"]


def assert_bound_first(lab, kernel):
    """The script said so before bochs had come at all, and bochs has never had the guest's GPU."""
    assert drivers(lab) == STATIC
    bound = [i for i, line in enumerate(kernel) if line == f"vxm: {demo.GPU} has vfio-pci, bound in the initramfs"]
    bochs = [i for i, line in enumerate(kernel) if "bochs" in line and "Kernel command line" not in line]
    assert bound and bochs and bound[0] < bochs[0], kernel
    assert not [line for line in kernel if "bochs" in line and demo.GPU in line]
    assert [line for line in kernel if "bochs" in line and HOST_GPU in line]


def bind_journal(lab):
    return lab.run("journalctl --sync; journalctl -q -b -u vxm-static-bind -o cat").stdout


def assert_guest_leaves_it(lab):
    """A guest that comes and goes finds the GPU with vfio-pci, and leaves it there."""
    demo.start(lab)
    demo.report(lab)
    demo.stop(lab)
    demo.wait_undone(lab)
    assert drivers(lab) == STATIC


@pytest.mark.slow
@pytest.mark.parametrize("maker", MAKERS)
def test_initramfs(lab, tmp_path, maker):
    prepare, make = MAKERS[maker]
    lab.run(prepare)
    lab.run(make, timeout=600)
    before = contents(lab)
    assert "/bochs.ko" in before and "vfio-pci.ko" not in before
    demo.install(lab, text=STATIC_FILE)

    said = lab.run(f"{BIND} --enable 2>&1", timeout=600).stdout
    assert make in said and f"{demo.GPU} goes to vfio-pci at boot." in said, said
    assert "is enabled already" in lab.run(f"{BIND} --enable 2>&1").stdout
    enabled = contents(lab)
    assert "/vfio-pci.ko" in enabled and "etc/vxm/static-devices" in enabled
    initrd = fetch_initrd(lab, tmp_path / "enabled")

    with rebooted(lab, initrd) as kernel:
        assert_bound_first(lab, kernel)
        assert lab.run("systemctl is-active vxm-static-bind", check=False).stdout == "active\n"
        for function in (demo.GPU, demo.SOUND):
            assert f"{function} was bound to vfio-pci in the initramfs." in bind_journal(lab)
        assert_guest_leaves_it(lab)

    # Nothing of what follows depends on the maker, and each boot takes a minute.
    if maker != "initramfs-tools" and not killmatrix.is_whole():
        lab.run(f"{BIND} --disable", timeout=600)
        demo.assert_as_before(before, contents(lab))
        return

    with rebooted(lab, initrd, "vxm=off") as kernel:
        assert drivers(lab) == NATIVE
        assert "vxm: vxm=off: all devices stay with the host" in kernel
        assert lab.run("systemctl is-active vxm-static-bind", check=False).stdout == "inactive\n"
        lab.run("systemctl start vxm-guest@demo", check=False)
        assert lab.run("systemctl is-active vxm-guest@demo vxm-bind@demo", check=False).stdout == "inactive\n" * 2
        assert drivers(lab) == NATIVE
        lab.run(f"{BIND} --disable", timeout=600)
        demo.assert_as_before(before, contents(lab))
        left = lab.run("find /etc /var/lib/vxm -name '*vxm-static*' -o -name static-devices -o -name '*pending'").stdout
        assert not left
        disabled = fetch_initrd(lab, tmp_path / "disabled")

    with rebooted(lab, disabled):
        assert drivers(lab) == NATIVE
        assert not bind_journal(lab)


def test_unit_alone(lab):
    """The driver is not in the initramfs: the unit is there before it, with nothing made."""
    demo.install(lab, text=STATIC_FILE)
    lab.run("systemctl enable vxm-static-bind")
    with rebooted(lab) as kernel:
        assert drivers(lab) == STATIC
        assert not [line for line in kernel if "bochs" in line and demo.GPU in line]
        assert f"{demo.GPU} was bound to vfio-pci by vxm-static-bind.service." in bind_journal(lab)
        assert_guest_leaves_it(lab)


def test_rule_alone(lab, tmp_path):
    """Neither the initramfs nor the unit has a part in it."""
    demo.install(lab, text=STATIC_FILE)
    lab.run(f"{BIND} --enable", timeout=600)
    lab.run("systemctl disable vxm-static-bind")
    with rebooted(lab) as kernel:  # with the initramfs of the image, which knows nothing of vxm
        assert drivers(lab) == STATIC
        assert not [line for line in kernel if "bochs" in line and demo.GPU in line]
        lab.run("systemctl start vxm-static-bind")
        assert f"{demo.GPU} was bound to vfio-pci by the udev rule, not in the initramfs." in bind_journal(lab)


def test_says_which_driver_was_faster(lab, tmp_path):
    """An initramfs that was not made anew after the guest file had changed."""
    lab.run(MAKERS["initramfs-tools"][0])
    lab.run(MAKERS["initramfs-tools"][1], timeout=600)
    initrd = fetch_initrd(lab, tmp_path / "stale")
    demo.install(lab, text=STATIC_FILE)
    lab.run("systemctl enable vxm-static-bind")
    with rebooted(lab, initrd):
        told = bind_journal(lab)
        assert f"{demo.GPU} had driver bochs-drm before vfio-pci: the initramfs has no part of vxm. It was taken from that " \
            "driver now. For the next boot, /usr/lib/vxm/vxm-bind --static --enable puts it there." in told
        assert drivers(lab) == STATIC


def test_nothing_asks_for_it(lab_shared):
    demo.install(lab_shared)
    done = lab_shared.run(f"{BIND} --enable", check=False)
    assert done.returncode == 78
    assert "write Binding=static into [GPU]" in done.stderr
