# SPDX-License-Identifier: BSD-3-Clause
"""The Debian package: it is built in Debian 13, lintian has nothing against it, and it comes, is replaced and goes as a package should: a
guest runs on while vxm is upgraded, and is powered off before vxm goes; what vxm has done to the machine is undone, and guests stay."""

import re

import pytest

import demo
from vxmlab import product

VERSION = re.compile(r"^Version: (.*)$", re.M)

# What meson has installed goes, as if vxm had never been on the machine. The demo guest's kernel stays, as somebody's own.
_FORGET = r"""
set -e
dpkg-deb --contents "$1" | awk '$1 !~ /^d/ { print $6 }' | sed 's,^\.,,' | xargs -d '\n' rm -f
# What the package has under other names, and directories.
rm -rf /usr/share/zsh/site-functions/_vxm /usr/share/man/man?/vxm* /usr/lib/vxm /usr/lib/dracut/modules.d/40vxm
rm -rf /etc/vxm /run/vxm /var/lib/vxm/guests /var/lib/vxm/images/downloads
groupdel vxm
systemctl daemon-reload
systemd-hwdb --usr update
journalctl --update-catalog
udevadm control --reload
# As the node is on a machine that has never had the rule.
udevadm trigger --action=change --settle /dev/kvm
"""

# All of vxm that is on the machine: files, the notes of what manages packages, units, and what others have made of its data. The lab has files
# of its own.
_LEFT = r"""
find /etc /usr /var/lib -xdev \( -name 'vxm*' -o -name '*-vxm*' -o -name '_vxm' -o -name 40vxm \) | grep -v lab | sort
systemctl list-units --plain --legend=no --all 'vxm-*' | grep -v lab
systemctl list-unit-files --plain --legend=no 'vxm-*' | grep -v lab
journalctl --dump-catalog | grep -F 'man:vxm'
systemd-hwdb query 'vxm-monitor:vGSM:p5B7F:nLG ULTRAGEAR'
true
"""

# The same package with a higher version, as the next one will have.
_NEXT = r"""
set -e
cd /root
rm -rf next && dpkg-deb --raw-extract "$1" next
sed -i 's/^Version: .*/&+next/' next/DEBIAN/control
sed -i '2i # This is the next version.' next/$(cd next && find . -path '*systemd/system/vxm-guest@.service')
dpkg-deb --root-owner-group -Zgzip --build next next.deb
"""


def sh(lab, script, *words, **options):
    return lab.run(["sh", "-c", script, "sh", *words], **options)


def left(lab):
    return sh(lab, _LEFT).stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return product.package(tmp_path_factory.mktemp("package"))


@pytest.fixture
def bare(lab, built):
    """A machine without vxm, and the package in /root/vxm.deb."""
    lab.put(built[0])
    lab.run("mv /root/vxm_*.deb /root/vxm.deb")
    sh(lab, _FORGET, "/root/vxm.deb")
    assert left(lab).split() == ["/var/lib/vxm"], left(lab)
    return lab


@pytest.mark.slow
def test_lintian_has_nothing_to_say(built):
    assert not built[1].strip(), built[1]


@pytest.mark.slow
def test_comes_is_replaced_and_goes(bare):
    lab = bare
    # With nothing done by hand: the group, the directories, the units and the device of /dev/kvm are there.
    lab.run("dpkg -i /root/vxm.deb", timeout=600)
    # The image has no documentation of any package, see its dpkg.cfg.
    assert lab.run("dpkg -V vxm | grep -vE '^missing +/usr/share/(doc|man)(/|$)'; true").stdout == ""
    assert lab.run("systemctl is-enabled vxm-static-bind", check=False).stdout == "disabled\n"
    assert lab.run("systemctl list-units --plain --legend=no 'vxm-*' | grep -v lab; true").stdout == ""
    assert "VXM_DDC_FEATURE" in left(lab) and "man:vxm" in left(lab)
    lab.run("getent group vxm && test -d /etc/vxm/guests && test -d /run/vxm/bind && systemctl is-active dev-kvm.device")
    demo.install(lab, text=demo.GUEST_FILE_BIOS)
    lab.write("/var/lib/vxm/guests/demo/mine.img", "somebody's work")
    before = demo.state(lab)
    demo.start(lab)
    demo.report(lab)

    # The guest runs on, in the same processes, and nothing that prepared it is undone.
    supervisor, qemu, units = demo.main_pid(lab), demo.qemu_pid(lab), lab.run("systemctl list-units --plain --legend=no 'vxm-*@*'").stdout
    sh(lab, _NEXT, "/root/vxm.deb", timeout=600)
    lab.run("dpkg -i /root/next.deb", timeout=600)
    assert VERSION.search(lab.run("dpkg -s vxm").stdout)[1].endswith("+next")
    assert (demo.main_pid(lab), demo.qemu_pid(lab)) == (supervisor, qemu)
    assert lab.run("systemctl list-units --plain --legend=no 'vxm-*@*'").stdout == units
    assert "This is the next version" in lab.run("systemctl cat vxm-guest@demo").stdout
    assert lab.run("systemctl show -P NeedDaemonReload vxm-guest@demo").stdout == "no\n"
    assert "kernel" in demo.sh(lab, "echo kernel $(uname -r)")
    demo.stop(lab)
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))

    # It powers off before vxm goes, and what it had is the host's again.
    demo.start(lab)
    demo.report(lab)
    lab.run("systemctl enable vxm-guest@demo")
    said = lab.run("dpkg -r vxm 2>&1", timeout=900).stdout
    assert "Waiting for guests to power off: vxm-guest@demo.service" in said, said
    demo.assert_as_before(before, demo.state(lab))
    assert demo.journal(lab).count("Guest has ended, as asked.") == 2, demo.journal(lab)
    lab.run("test -s /var/lib/vxm/guests/demo/mine.img && test -s /etc/vxm/guests/demo.guest && ! test -e /usr/lib/vxm")

    # The disk stays, and is still the guest's once vxm is back.
    lab.write("/var/lib/vxm/images/downloads/fetched.iso", "x")
    said = lab.run("dpkg -P vxm 2>&1").stdout
    assert "Kept are the guests in /etc/vxm/guests" in said, said
    lab.run("test -s /var/lib/vxm/guests/demo/mine.img && test -s /var/lib/vxm/images/downloads/fetched.iso")
    assert lab.run("find /etc/systemd/system -name 'vxm*' ! -name '*lab*'").stdout == ""
    lab.run("dpkg -i /root/vxm.deb", timeout=600)
    demo.start(lab)
    demo.report(lab)
    lab.run("vxm stop demo && vxm reset --yes --disks demo", timeout=600)

    # With no guests, nothing is left but what somebody else has made.
    said = lab.run("dpkg -P vxm 2>&1", timeout=600).stdout
    assert "Kept" not in said and "Waiting" not in said, said
    assert left(lab).split() == ["/var/lib/vxm"], left(lab)
    assert lab.run("find /var/lib/vxm -type f").stdout.split() and not lab.run("find /var/lib/vxm -type f ! -path '*/images/demo/*'").stdout


@pytest.mark.slow
def test_what_outlives_a_boot_goes_with_it(bare):
    """Static binding, in the initramfs, and a GPU that no guest has: without the package nothing could undo either."""
    lab = bare
    lab.run("dpkg -i /root/vxm.deb", timeout=600)
    made = "stat -c %Y /boot/initrd.img-*"
    first = lab.run(made).stdout
    before = demo.state(lab)
    demo.install(lab, text=demo.GUEST_FILE_BIOS.replace("Device=01:00.0\n", "Device=01:00.0\nBinding=static\n"))
    lab.run("/usr/lib/vxm/vxm-bind --static --enable", timeout=900)
    enabled = lab.run(made).stdout
    assert enabled != first
    # An upgrade makes the initramfs anew, as there is something of vxm in it.
    sh(lab, _NEXT, "/root/vxm.deb", timeout=600)
    lab.run("dpkg -i /root/next.deb", timeout=900)
    assert lab.run(made).stdout != enabled
    assert "etc/vxm/static-devices" in lab.run("lsinitramfs /boot/initrd.img-*").stdout
    lab.run("vxm gpu passthrough 01:00.0")
    assert f"{demo.GPU} driver vfio-pci" in demo.state(lab)
    lab.run("dpkg -r vxm", timeout=900)
    assert not re.search("etc/vxm|00-vxm|vxm-static", lab.run("lsinitramfs /boot/initrd.img-*").stdout)
    assert lab.run("find /etc -name '*vxm-static*' -o -name static-devices").stdout == ""
    demo.assert_as_before(before, demo.state(lab))
    # Without it, an upgrade leaves the initramfs alone.
    lab.run("dpkg -i /root/vxm.deb", timeout=600)
    last = lab.run(made).stdout
    lab.run("dpkg -i /root/next.deb", timeout=600)
    assert lab.run(made).stdout == last
