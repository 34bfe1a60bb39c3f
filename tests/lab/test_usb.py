# SPDX-License-Identifier: BSD-3-Clause
"""USB devices of the host in a guest: those that are there and those that come later, as often as they come and go; and the
host has all of them back.

Sticks are plugged in and out from outside, as somebody in front of the machine would.
"""

import contextlib
import itertools
import re
import time

import pytest

import demo

STICK, MOUSE = "46f4:0001", "0627:0001"
TIMES = 20

_numbers = itertools.count(1)

# What the guest says of a stick, and of the mouse.
_SEEN_STICK = STICK + " serial {} drivers usb-storage"
_SEEN_MOUSE = MOUSE + r" serial \S+ drivers usbhid"


# Gives the user “person” an entry in a node's access list, as logind does (linux/posix_acl_xattr.h); and what the owner can do to
# that, and to the mode.
_OPEN_TO_PERSON = """
import os, pwd, struct, sys
entries = [(1, 6, -1), (2, 6, pwd.getpwnam("person").pw_uid), (4, 6, -1), (16, 6, -1), (32, 4, -1)]
acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)
os.setxattr(sys.argv[1], "system.posix_acl_access", acl)
"""
_OPEN_TO_ALL = """
import os, sys
status, attributes = os.stat(sys.argv[1]), os.listxattr(sys.argv[1])
assert status.st_mode & 0o777 == 0o600 and "system.posix_acl_access" not in attributes, "somebody else is let in"
os.chmod(sys.argv[1], 0o777)
"""


# Leaves a file for each event that tells udev to look anew; see tell_udev() in usb-loan.c.
_RULE = 'SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ACTION=="change", ENV{SYNTH_UUID}=="?*-*", RUN+="/usr/bin/touch /run/told-%k"\n'


def usb_file(*devices):
    return demo.guest_file(f"[Boot]\n{demo.DEVICES}\nCommandLine=console=ttyS0 quiet usb", "[USB]\n" + "".join(f"Device={d}\n" for d in devices))


class Stick:
    """A USB stick that is plugged into a port of the lab's machine, with a new image."""

    def __init__(self, lab, directory, serial, port):
        self.lab, self.serial, self.port = lab, serial, port
        self._image = directory / f"{serial}-{next(_numbers)}.img"
        self._image.write_bytes(bytes(8 << 20))
        self.name = None  # what the host calls it, "2-3"

    def plug(self):
        """Waits until the host's kernel knows it; returns its name."""
        node = self._image.stem
        self.lab.qmp("blockdev-add", driver="file", filename=str(self._image), **{"node-name": node})
        self.lab.qmp("device_add", driver="usb-storage", id=self.serial, bus="usb.0", port=str(self.port), drive=node,
                     serial=self.serial)
        found = self.lab.wait(f"grep -lsx {self.serial} /sys/bus/usb/devices/*/serial")
        self.name = found.stdout.split()[0].split("/")[-2]
        return self.name

    def unplug(self):
        """Waits until it is gone."""
        self.lab.qmp("device_del", id=self.serial)
        self.lab.wait(f"! grep -qsx {self.serial} /sys/bus/usb/devices/*/serial")
        self.lab.qmp("blockdev-del", **{"node-name": self._image.stem})

    def wait(self, driver):
        """Waits until its interface has a driver: usbfs, once QEMU has taken it."""
        interface = f"/sys/bus/usb/devices/{self.name}:1.0"
        self.lab.wait(f"readlink {interface}/driver | grep -q '/{driver}$'", show=f"ls -l {interface}")

    def disk(self):
        """The node of its disk, once the host has it."""
        found = self.lab.wait(f"ls -d /sys/bus/usb/devices/{self.name}:1.0/host*/target*/*/block/* 2>/dev/null")
        self.lab.run("udevadm settle")
        return found.stdout.strip().split("/")[-1]


@pytest.fixture
def sticks(lab_shared, tmp_path):
    """Plugs in sticks by serial and port; they are unplugged in the end."""
    with contextlib.ExitStack() as stack:
        def plug(serial, port, awaited=False):
            """awaited: by a guest, which takes it from the host's driver at once."""
            stick = Stick(lab_shared, tmp_path, serial, port)
            stick.plug()
            if not awaited:
                stick.wait("usb-storage")
                stick.disk()
            stack.callback(lambda: stick.unplug() if stick.name else None)
            return stick

        yield plug
        lab_shared.run("systemctl kill --signal=KILL 'vxm-guest@*'", check=False)
        for name in ("demo", "rival"):
            demo.wait_undone(lab_shared, name)
        lab_shared.run("systemctl reset-failed 'vxm-*'; rm -f /etc/vxm/guests/*.guest; systemctl daemon-reload")


def mouse_of(lab):
    """The port of the lab's mouse, which is plugged in anew: a machine that comes from a snapshot has USB devices that have
    forgotten their configuration, and tell so (QEMU saves other state only)."""
    lab.qmp("device_del", id="mouse")
    lab.wait("! grep -qsx 'QEMU USB Mouse' /sys/bus/usb/devices/*/product")
    lab.qmp("device_add", driver="usb-mouse", id="mouse", bus="usb.0", port="2")
    lab.wait("ls -d /sys/bus/usb/drivers/usbhid/1-2:* >/dev/null 2>&1")
    lab.run("udevadm settle")
    return lab.run("grep -lx 'QEMU USB Mouse' /sys/bus/usb/devices/*/product").stdout.split("/")[-2]


def node(lab, port):
    """The node of a device."""
    return lab.run(f"cd /sys/bus/usb/devices/{port} && printf /dev/bus/usb/%03d/%03d $(cat busnum) $(cat devnum)").stdout


def owner(lab, port):
    return lab.run(["stat", "-c", "%U", node(lab, port)]).stdout.strip()


def assert_seen(lab, *expected, name="demo"):
    """The guest says that it has these USB devices and no others, within a minute: its kernel takes its time for a new one."""
    deadline = time.monotonic() + 60
    while True:
        usb = sorted(line.removeprefix("usb: ") for line in demo.report(lab, name) if line.startswith("usb: "))
        if len(usb) == len(expected) and all(re.fullmatch(pattern, line) for pattern, line in zip(sorted(expected), usb)):
            return
        assert time.monotonic() < deadline, usb


@pytest.mark.slow
def test_comes_and_goes(lab_shared, sticks):
    lab = lab_shared
    first, mouse = sticks("first", 3), mouse_of(lab)
    demo.install(lab, text=usb_file(f"{STICK} {mouse}", STICK, "9-9"))
    before = demo.state(lab)
    demo.start(lab)
    first.wait("usbfs")
    assert owner(lab, first.name) == owner(lab, mouse) == "vxm-demo"
    assert_seen(lab, _SEEN_STICK.format("first"), _SEEN_MOUSE)
    demo.assert_says(demo.journal(lab), "Device=9-9 is not there")

    # One that was not there, and then the one that was, again and again.
    second = sticks("second", 4, awaited=True)
    second.wait("usbfs")
    for _ in range(TIMES):
        first.unplug()
        first.plug()
        first.wait("usbfs")
        assert owner(lab, first.name) == "vxm-demo"
    assert_seen(lab, _SEEN_STICK.format("first"), _SEEN_STICK.format("second"), _SEEN_MOUSE)
    story = demo.journal(lab)
    assert story.count(f"{first.name} ({STICK}") >= TIMES + 1, story
    assert "Device was removed (usb-" in story, story  # ten of a kind within five minutes
    assert lab.run("systemctl list-units --failed --plain --legend=no 'vxm-*'").stdout == ""
    assert lab.run(["pgrep", "-u", "root", "-fa", "^/usr/lib/vxm/"], check=False).stdout == ""

    second.unplug()
    second.name = None
    demo.stop(lab)
    demo.wait_undone(lab)
    first.disk()
    demo.assert_as_before(before, demo.state(lab))


@pytest.mark.slow
def test_given_back_after_a_kill(lab_shared, sticks):
    """QEMU attaches no driver then; and the guest's user may have changed mode and list of what is its own."""
    lab = lab_shared
    stick = sticks("killed", 3)
    demo.install(lab, text=usb_file(stick.name, mouse_of(lab)))
    lab.run(["python3", "-c", _OPEN_TO_PERSON, node(lab, stick.name)])
    lab.write("/etc/udev/rules.d/99-lab.rules", _RULE)
    lab.run("udevadm control --reload")
    before = demo.state(lab)
    for way in ("kill qemu", "kill supervisor"):
        demo.start(lab)
        stick.wait("usbfs")
        lab.run(["runuser", "-u", "vxm-demo", "--", "python3", "-c", _OPEN_TO_ALL, node(lab, stick.name)])
        demo.end(lab, way)
        demo.wait_undone(lab)
        stick.wait("usb-storage")
        stick.disk()
        lab.run(f"rm /run/told-{stick.name}")
        demo.assert_as_before(before, demo.state(lab))
    lab.run("rm /etc/udev/rules.d/99-lab.rules && udevadm control --reload")


def test_refused(lab_shared, sticks):
    """What the host stands on, and hubs; at the start before anything has changed, later without harm to the guest."""
    lab = lab_shared
    stick = sticks("mounted", 3)
    disk = stick.disk()
    lab.run(f"mkfs.ext4 -q /dev/{disk} && mkdir -p /run/stick && mount /dev/{disk} /run/stick")
    cases = {
        stick.name: "is in use by the host: the file system on /run/stick",
        STICK: "is in use by the host: the file system on /run/stick",
        "1d6b:0002": "is a hub",
        "1-2.x": "expected ids such as 046d:c52b or a port such as 1-4.2",
    }
    for device, message in cases.items():
        demo.install(lab, text=usb_file(device))
        demo.assert_says(demo.refusal(lab), f"Device={device}", message)
    # Mounted where no file tells of it.
    lab.run(f"umount /run/stick; unshare -m sh -c 'mount /dev/{disk} /run/stick && touch /run/is-hidden && exec sleep inf' "
            "</dev/null >/dev/null 2>&1 & until [ -e /run/is-hidden ]; do sleep 0.1; done")
    demo.install(lab, text=usb_file(stick.name))
    demo.assert_says(demo.refusal(lab), f"is in use by the host: a mounted file system ({disk})")
    lab.run("pkill -x sleep; rm /run/is-hidden")


@pytest.mark.slow
def test_two_guests(lab_shared, sticks):
    lab = lab_shared
    for name in ("demo", "rival"):
        demo.install(lab, name, usb_file(STICK))
    before = demo.state(lab)
    demo.start(lab)
    demo.start(lab, "rival")
    demo.report(lab)  # QEMU claims it when the guest's kernel, or its firmware, sets it up
    stick = sticks("wanted", 3, awaited=True)
    stick.wait("usbfs")
    assert owner(lab, stick.name) == "vxm-demo"
    lab.wait("journalctl -q -b -u vxm-guest@rival -o cat | grep -q 'has gone to another guest'")
    assert_seen(lab, _SEEN_STICK.format("wanted"))
    assert_seen(lab, name="rival")

    # The other one cannot have it as long as it is there, nor open it.
    demo.end(lab, "kill qemu", "rival")
    demo.wait_undone(lab, "rival")
    done = lab.run("systemctl start vxm-guest@rival", check=False)
    assert done.returncode != 0
    demo.assert_says(demo.journal(lab, "rival"), f"{stick.name} (", "is in use by guest demo; stop that one first")
    assert lab.run(f"runuser -u vxm-rival -- sh -c 'exec 3<>{node(lab, stick.name)}'", check=False).returncode != 0

    # When it is nobody's it is anybody's.
    demo.wait_undone(lab, "rival")
    stick.unplug()
    demo.stop(lab)
    demo.wait_undone(lab)
    lab.run("systemctl reset-failed 'vxm-*'")
    stick.plug()
    stick.wait("usb-storage")
    demo.start(lab, "rival")
    demo.report(lab, "rival")
    stick.wait("usbfs")
    demo.stop(lab, "rival")
    demo.wait_undone(lab, "rival")
    stick.unplug()
    stick.name = None
    demo.assert_as_before(before, demo.state(lab))
