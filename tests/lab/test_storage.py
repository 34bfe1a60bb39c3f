# SPDX-License-Identifier: BSD-3-Clause
"""Disks, CD-ROM drives and shares: the guest sees them as its file says, they are as private as they should be, and
however it ends the host has back what was given."""

import json
from pathlib import Path

import pytest

import demo

SCRIPT = Path(__file__).resolve().parent / "inside" / "kill_disks.py"
INJECT = SCRIPT.with_name("inject.c")

# A disk that is none of the machine's: a SCSI disk in memory, which udev gives links in /dev/disk/by-id.
_DISK = """
modprobe scsi_debug dev_size_mb=8
udevadm settle
node=/dev/$(ls /sys/bus/pseudo/drivers/scsi_debug/adapter*/host*/target*/*/block)
for link in /dev/disk/by-id/*; do
        [ "$(readlink -f "$link")" != "$node" ] || { echo "$node $link"; break; }
done
"""

# Without a GPU, and with a firmware that is quick where everything is emulated.
_BASE = "[Guest]\nPreset=demo\n\n[Firmware]\nType=bios\n\n[Boot]\nCommandLine=console=ttyS0 quiet storage disks={}\n\n"

ALL = _BASE.format(7) + """
[Disk system]
Size=16M

[Disk fast]
Path=/var/lib/vxm/guests/demo/fast.raw
Size=16M
Format=raw
Bus=nvme
Cache=none
Serial=discard-1

[Disk sata]
Path=/srv/images/sata.raw
Size=8M
Bus=sata

[Disk scsi]
Path={link}
Bus=scsi
Serial=write-1

[Disk grown]
Path=/srv/images/grown.qcow2
Size=4M

[CDROM install]
Path=/srv/install.iso

[CDROM empty]

[Share music]
Path=/srv/music

[Share docs]
Path=/srv/docs
Tag=Documents
ReadOnly=yes
"""


def add_disk(lab):
    """A block device to give away: its node, and a name that lasts."""
    words = lab.run(_DISK).stdout.split()
    assert len(words) == 2, words
    return words


def owner(lab, path):
    return lab.run(f"stat -L -c %U {path}").stdout.strip()


def prepare(lab):
    lab.run("mkdir -p /srv/images /srv/music /srv/docs; head -c 65536 /dev/zero | tr '\\0' i >/srv/install.iso; "
            "echo written by the host | tee /srv/music/from-host >/srv/docs/from-host; "
            "systemd-sysusers --inline 'u vxm-demo -'; chown vxm-demo /srv/music")


def test_owner_of_a_share(lab):
    """A user of the guest who is not root has the share, another one has not; on the host all is the guest's user."""
    prepare(lab)
    demo.install(lab, text=_BASE.format(0) + "[Share music]\nPath=/srv/music\nOwner=1000\n")
    demo.start(lab)
    report = demo.report(lab)
    assert "share written: music" in report, report
    assert demo.sh(lab, "stat -c %u:%g /run/music /run/music/from-host /run/music/from-guest").split() == ["1000:1000"] * 3
    by = ("echo u{0}:x:{0}:{0}::/:/bin/sh >>/etc/passwd; start-stop-daemon -S -c u{0} -n nobody -a /bin/sh -- "
          "-c \"mkdir /run/music/{0} && echo {0} >/run/music/{0}/file\"")
    said = [demo.sh(lab, by.format(user) + " 2>&1") for user in (1000, 1001)]
    assert lab.run("stat -c '%n %U' /srv/music/1*", check=False).stdout == "/srv/music/1000 vxm-demo\n", said
    assert lab.read("/srv/music/1000/file") == "1000\n"


def told(lab):
    """What the guest's own user had to say: journald may be too late for the unit of a process that ends at once."""
    return lab.run("journalctl -q -b -o cat SYSLOG_IDENTIFIER=vxm-qemu").stdout


def assert_line(report, *words):
    assert any(all(word in line for word in words) for line in report), "\n".join(report)


def test_all_kinds(lab):
    node, link = add_disk(lab)
    prepare(lab)
    demo.install(lab, text=ALL.replace("{link}", link))
    before = demo.state(lab)
    demo.start(lab)
    own = "/var/lib/vxm/guests/demo"
    for path in (f"{own}/system.qcow2", f"{own}/fast.raw", "/srv/images/sata.raw", "/srv/images/grown.qcow2", node,
                 "/run/vxm/shares/demo:music"):
        assert owner(lab, path) == "vxm-demo", path
    assert lab.run("stat -c %a /srv/images/grown.qcow2").stdout.strip() == "600"
    assert lab.run("stat -c '%a %s' /srv/images/sata.raw").stdout.split() == ["600", str(8 << 20)]
    image = json.loads(lab.run(f"qemu-img info -U --output=json {own}/system.qcow2").stdout)
    assert (image["format"], image["virtual-size"]) == ("qcow2", 16 << 20)
    lines = lab.run("ps -eo uid,comm,cgroup --no-headers").stdout.splitlines()
    ours = [line.split() for line in lines if "vxm-" in line and "vxm-lab" not in line]
    assert sum(line[1] == "virtiofsd" for line in ours) == 2 and "0" not in {line[0] for line in ours}, ours

    report = demo.report(lab)
    assert_line(report, "disk: vda", "serial system", "size 16384 rw")
    assert_line(report, "disk: nvme0n1", "serial discard-1", "size 16384 rw")
    assert_line(report, "disk: sd", "serial sata", "size 8192 rw")
    assert_line(report, "disk: sd", "serial write-1", "size 8192 rw")
    assert_line(report, "disk: vd", "serial grown", "size 4096 rw")
    assert_line(report, "disk: sr0", "size 64 ", '"iiii')
    assert_line(report, "disk: sr1")
    assert_line(report, 'share: music "written by the host"')
    assert_line(report, 'share: Documents "written by the host"')
    assert "share written: music" in report and "share written: Documents" not in report
    assert "written: write-1" in report and "discarded: discard-1" in report
    assert int(lab.run(f"stat -c %b {own}/fast.raw").stdout) == 0, "what was discarded has not been given back"

    demo.stop(lab)
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))
    assert lab.run(f"head -c 20 {node}").stdout == "written by the guest"
    assert lab.read("/srv/music/from-guest") == "written by the guest\n"
    assert owner(lab, "/srv/music/from-guest") == "vxm-demo"
    story = demo.journal(lab)
    assert f"[Disk scsi] {node} belongs to the guest." in story and f"{node} is back with the host." in story
    assert story.count(" is new: ") == 4, story


def test_given_back(lab):
    """Block device and share; and images that are there are not made again."""
    node, link = add_disk(lab)
    prepare(lab)
    demo.install(lab, text=_BASE.format(2) + f"[Disk scsi]\nPath={link}\n[Disk made]\nSize=1M\n"
                 "[Share music]\nPath=/srv/music\n")
    before = demo.state(lab)
    for way in ("kill supervisor", "kill qemu"):
        demo.start(lab)
        assert owner(lab, node) == "vxm-demo"
        demo.end(lab, way)
        demo.wait_undone(lab)
        demo.assert_as_before(before, demo.state(lab))
        assert lab.run("pgrep virtiofsd", check=False).stdout == "", way
    assert demo.journal(lab).count(" is new: ") == 1


def test_refused(lab):
    """Who has a disk, or stands on it, is named; nothing has been touched. A share that cannot be read is told."""
    node, link = add_disk(lab)
    prepare(lab)
    root = lab.run("findmnt -no SOURCE /").stdout.strip()
    links = lab.run(f"for l in /dev/disk/by-path/*; do [ $(readlink -f $l) != {root} ] || echo $l; done").stdout
    # Mounted where no file tells of it: in another namespace, which does not have what is mounted later.
    lab.run("truncate -s 8M /srv/loop.img && mkfs.ext4 -q /srv/loop.img && mkdir /run/hidden")
    loop = lab.run("losetup -f --show /srv/loop.img").stdout.strip()
    lab.run(f"unshare -m sh -c 'mount {loop} /run/hidden && touch /run/is-hidden && exec sleep inf' "
            "</dev/null >/dev/null 2>&1 & until [ -e /run/is-hidden ]; do sleep 0.1; done")
    lab.run(f"chmod 700 /srv/music && chown 0 /srv/music && mkdir /run/mounted && mkfs.ext4 -q {node} && "
            f"mount {node} /run/mounted")
    lab.run("mkdir -m 1777 /srv/open; mkdir -m 700 /srv/private && truncate -s 1M /srv/private/a.raw && chown vxm-demo /srv/private/a.raw")
    cases = {
        "[Disk a]\nPath=/srv/private/a.raw\n": ("cannot be read and written by the guest's user", "/srv/private forbid it"),
        f"[Disk a]\nPath={links.split()[0]}\n": ("is in use by the host: the root file system",),
        f"[Disk a]\nPath={link}\n": ("is in use by the host: the file system on /run/mounted",),
        f"[Disk a]\nPath={node}\n": ("is in use by the host",),
        f"[Disk a]\nPath={loop}\n": ("is in use by the host: the kernel has it or a part of it mounted",),
        "[Disk a]\nPath=/srv/new.raw\nFormat=raw\nSize=1T\n": ("cannot be made: it needs 1048576M",),
        "[Disk a]\nPath=/srv/open/new.raw\nSize=1M\n": ("cannot be made: its directory is not root's alone",),
    }
    for text, words in cases.items():
        demo.install(lab, text=_BASE.format(0) + text)
        demo.assert_says(demo.refusal(lab), *words)

    demo.install(lab, text=_BASE.format(0) + "[Share music]\nPath=/srv/music\n")
    demo.refusal(lab)
    demo.assert_says(told(lab), "[Share music] Path=/srv/music cannot be read and written", "setfacl -m u:vxm-demo:rwx")

    lab.run("umount /run/mounted")
    disks = f"[Disk image]\nPath=/srv/images/both.raw\nSize=1M\n[Disk node]\nPath={link}\n"
    demo.install(lab, name="first", text=_BASE.format(2) + disks)
    demo.install(lab, text=_BASE.format(2) + "[Disk image]\nPath=/srv/images/both.raw\n")
    demo.start(lab, "first")
    demo.refusal(lab)
    demo.assert_says(told(lab), "[Disk image] /srv/images/both.raw is in use by guest first")
    demo.install(lab, text=_BASE.format(2) + f"[Disk node]\nPath={link}\n")
    demo.assert_says(demo.refusal(lab), f"[Disk node] {link} is in use by guest first")
    lab.run("systemctl kill --signal=KILL vxm-guest@first")


@pytest.mark.slow
def test_killed_at_every_call(lab):
    """Whatever instant vxm-disks is killed at, the run after it leaves all as before, and no half of an image."""
    node, link = add_disk(lab)
    prepare(lab)
    demo.install(lab, text=_BASE.format(3) + f"[Disk node]\nPath={link}\n[Disk qcow]\nPath=/srv/images/a.qcow2\n"
                 "Size=1M\n[Disk raw]\nPath=/srv/images/b.raw\nSize=1M\n")
    for path in (SCRIPT, INJECT, SCRIPT.with_name("state.py")):
        lab.put(path)
    lab.run("gcc -std=gnu11 -O2 -o inject inject.c")
    done = json.loads(lab.run("python3 kill_disks.py demo /srv/images", timeout=600).stdout)
    assert done["points"] > 20 and done["wrong"] == [], done
    assert owner(lab, node) == "root"
