# SPDX-License-Identifier: BSD-3-Clause
"""Monitors follow the guest: they show its input while it runs, and the host's again however it has ended. One that sleeps is waited for;
one that is broken, or that the guest file misses, is explained, and is nothing to the guest.

The monitors are those of monitors.py. For monitors of another make, another directory of connectors is laid over the kernel's.
"""

import time

import pytest

import demo
import killmatrix
from monitors import CARD, DP, FOR_EVER, HDMI, HDMI_2, USB_C, connector, fixed, plug

pytestmark = pytest.mark.slow

LG_HDMI, LG_DP = 0x90, 0xD0

GPU = "[GPU]\nDevice=01:00.0"
FOLLOWS = demo.guest_file(GPU, "[Monitor]\nGuestInput=hdmi-1")

_WRITE_BYTES = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_bytes(bytes.fromhex(sys.argv[2]))"


@pytest.fixture
def monitor(lab_shared):
    return plug(lab_shared)[0]


def switched(lab, name="demo"):
    """Starts a guest, and waits until its monitors have been seen to; returns the status that vxm-ddc has ended with."""
    demo.start(lab, name)
    lab.wait(f"systemctl show -P ActiveState vxm-ddc@{name} | grep -qE '^(active|failed)$'", show=f"systemctl status 'vxm-ddc@{name}'")
    return int(lab.run(f"systemctl show -P ExecMainStatus vxm-ddc@{name}").stdout)


def ended(lab, before, way="stop"):
    demo.end(lab, way)
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))
    lab.run("systemctl reset-failed")


def says(lab, *words):
    demo.assert_says(demo.journal(lab), *words)


# ---- there and back ----

@pytest.mark.parametrize("way", ["stop", "kill qemu", "kill supervisor"])
def test_follows_the_guest(lab_shared, monitor, way):
    lab = lab_shared
    demo.install(lab, text=FOLLOWS)
    before = demo.state(lab)
    assert monitor.input == DP
    assert switched(lab) == 0
    assert monitor.input == HDMI and monitor.get("orders") == 1
    says(lab, "shows the guest now, input 0x11.")
    # Not even a file that has lost the section keeps the monitor from coming back.
    demo.install(lab, text=demo.guest_file(GPU))
    ended(lab, before, way)
    assert monitor.input == DP
    says(lab, "shows the host now, input 0x0f.")


def test_power_off_inside(lab_shared, monitor):
    demo.install(lab_shared, text=FOLLOWS)
    before = demo.state(lab_shared)
    assert switched(lab_shared) == 0
    demo.report(lab_shared)
    assert monitor.input == HDMI
    ended(lab_shared, before, "power off inside")


def test_failed_start(lab_shared, monitor):
    """A guest that does not run has no picture to be shown."""
    demo.install(lab_shared, text=FOLLOWS + "\n[Boot]\nKernel=/srv/none\n")
    demo.refusal(lab_shared)
    assert monitor.get("orders") == 0


def test_input_that_is_named(lab_shared, monitor):
    """HostInput= is where it comes back to, and not what it happens to show before."""
    lab = lab_shared
    demo.install(lab, text=fixed(lab, "[Monitor]\nMatch=connector:CONNECTOR\nGuestInput=hdmi-1\nHostInput=hdmi-2"))
    assert switched(lab) == 0
    assert monitor.input == HDMI
    demo.stop(lab)
    demo.wait_undone(lab)
    assert monitor.input == HDMI_2


def test_not_waited_for(lab_shared, monitor):
    """The guest's start does not wait for a monitor, nor does its stop for long."""
    lab = lab_shared
    monitor.set(asleep=FOR_EVER)
    demo.install(lab, text=fixed(lab, "[Monitor]\nMatch=connector:CONNECTOR\nGuestInput=hdmi-1"))
    demo.start(lab)
    assert lab.run("systemctl is-active vxm-ddc@demo", check=False).stdout.strip() == "activating"
    lab.wait("systemctl is-active -q vxm-ddc@demo")
    monitor.set(asleep=0)
    lab.run("systemctl restart vxm-ddc@demo")
    assert monitor.input == HDMI
    monitor.set(asleep=FOR_EVER)
    begin = time.monotonic()
    lab.run("systemctl stop vxm-ddc@demo")
    assert time.monotonic() - begin < 15
    says(lab, "could not be switched back to the host's input 0x0f", "does not answer")
    demo.stop(lab)
    # Its note has stayed, for whoever tries again.
    monitor.set(asleep=0)
    lab.run("vxm-ddc --release demo")
    assert monitor.input == DP
    lab.run("test ! -e /run/vxm/ddc/demo && systemctl reset-failed")


# ---- monitors with habits ----

def test_sleeps(lab_shared, monitor):
    demo.install(lab_shared, text=FOLLOWS)
    before = demo.state(lab_shared)
    monitor.set(asleep=6)
    assert switched(lab_shared) == 0
    assert monitor.input == HDMI
    monitor.set(asleep=6)
    ended(lab_shared, before)


@pytest.mark.parametrize("habit, words", [
    ({"asleep": FOR_EVER}, ("could not be switched to the guest's input 0x11", "it does not answer;")),
    ({"garbled": 1}, ("could not be switched to the guest's input 0x11", "garbled or missing;")),
    ({"deaf": 1}, ("could not be switched to the guest's input 0x11", "goes on to show another input;")),
])
def test_broken(lab_shared, monitor, habit, words):
    """It is explained, the guest runs, and all is as before."""
    lab = lab_shared
    demo.install(lab, text=FOLLOWS)
    before = demo.state(lab)
    monitor.set(**habit)
    assert switched(lab) == 0
    says(lab, *words)
    assert monitor.input == DP
    assert demo.report(lab)
    monitor.set(**dict.fromkeys(habit, 0))
    ended(lab, before)


def edid(vendor, name, serial):
    """What a monitor says of itself, as hexadecimal digits."""
    data = bytearray(128)
    data[1:7] = b"\xff" * 6
    letters = [ord(letter) - 64 for letter in vendor]
    data[8:10] = (letters[0] << 10 | letters[1] << 5 | letters[2]).to_bytes(2, "big")
    data[10:12] = b"\x7f\x5b"
    data[18:20] = b"\x01\x04"
    for at, tag, text in ((72, 0xFC, name), (90, 0xFF, serial)):
        data[at + 3] = tag
        data[at + 5 : at + 18] = f"{text}\n".encode().ljust(13)
    data[127] = -sum(data[:127]) & 0xFF
    return data.hex()


def connect(lab, **edids):
    """Lays connectors of the host's GPU over the kernel's, with these EDIDs, until the machine ends or disconnect()."""
    lab.run(f"mkdir -p /run/connectors/card9 && ln -sfn /sys/bus/pci/devices/{CARD} /run/connectors/card9/device")
    for name, digits in edids.items():
        lab.write(f"/run/connectors/card9-{name.replace('_', '-')}/status", "connected\n")
        lab.run(["python3", "-c", _WRITE_BYTES, f"/run/connectors/card9-{name.replace('_', '-')}/edid", digits])
    lab.run("mount --bind /run/connectors /sys/class/drm")


def disconnect(lab):
    lab.run("umount /sys/class/drm && rm -r /run/connectors")


def test_lg(lab_shared):
    """Two of LG: they take orders at a feature of their own from another address, and do not tell what they show."""
    lab = lab_shared
    left, right = edid("GSM", "LG ULTRAGEAR", "LEFT1"), edid("GSM", "LG ULTRAGEAR", "RIGHT1")
    monitors = plug(lab, left, right)
    for monitor in monitors:
        monitor.set(feature=0xF4, source=0x50, unreadable=1, input=LG_DP)
    connect(lab, HDMI_A_1=left, HDMI_A_2=right)
    try:
        demo.install(lab, text=demo.guest_file("[Monitor left]\nMatch=serial:LEFT1\nGuestInput=hdmi-1\nHostInput=dp-1",
                                               "[Monitor right]\nMatch=connector:HDMI-A-2\nGuestInput=0x91\nHostInput=dp-1"))
        before = demo.state(lab)
        assert switched(lab) == 0
        assert [monitor.input for monitor in monitors] == [LG_HDMI, 0x91]
        assert [monitor.get("orders") for monitor in monitors] == [1, 1]
        ended(lab, before, "kill qemu")
        # The same model twice is for the user to tell apart; and which input to come back to.
        demo.install(lab, text=demo.guest_file("[Monitor]\nMatch=model:LG ULTRAGEAR\nGuestInput=hdmi-1\nHostInput=dp-1"))
        assert switched(lab) == 78
        says(lab, "Match=model:LG ULTRAGEAR fits 2 monitors: LG ULTRAGEAR (card9-HDMI-A-1) serial LEFT1, ")
        ended(lab, before)
        demo.install(lab, text=demo.guest_file("[Monitor]\nMatch=serial:LEFT1\nGuestInput=hdmi-1"))
        assert switched(lab) == 78
        says(lab, "[Monitor] HostInput=:", "does not tell which input it shows;")
        ended(lab, before)
    finally:
        disconnect(lab)


# ---- what the guest file or the machine has wrong ----

@pytest.mark.parametrize("section, habit, words", [
    ("[Monitor]\nGuestInput=hdmi-1", {}, ("Match=auto fits 2 monitors:",)),
    ("[Monitor]\nMatch=model:None\nGuestInput=hdmi-1", {}, ("Match=model:None is none of the monitors that are connected to the host:",)),
    ("[Monitor]\nMatch=connector:CONNECTOR\nGuestInput=usb-c", {}, ("lists no input 0x1b, but 0x0f 0x11 0x12;", "Force=yes")),
    ("[Monitor]\nMatch=connector:CONNECTOR\nGuestInput=hdmi-1", {"unreadable": 1}, ("HostInput=:", "does not tell which input it shows;")),
])
def test_wrong(lab_shared, monitor, section, habit, words):
    """The unit fails, and says what to edit; the guest runs on, and nothing has been switched."""
    lab = lab_shared
    monitor.set(**habit)
    demo.install(lab, text=fixed(lab, section))
    before = demo.state(lab)
    assert switched(lab) == 78
    says(lab, *words)
    assert lab.run("systemctl is-active vxm-guest@demo").stdout.strip() == "active"
    assert monitor.get("orders") == 0
    ended(lab, before)


def test_forced(lab_shared, monitor):
    lab = lab_shared
    demo.install(lab, text=fixed(lab, "[Monitor]\nMatch=connector:CONNECTOR\nGuestInput=usb-c\nForce=yes"))
    before = demo.state(lab)
    assert switched(lab) == 0
    says(lab, "lists no input 0x1b", "Force=yes has it tried all the same.")
    assert monitor.input == USB_C
    ended(lab, before)


def test_no_module(lab_shared, monitor):
    lab = lab_shared
    demo.install(lab, text=fixed(lab, "[Monitor]\nMatch=connector:CONNECTOR\nGuestInput=hdmi-1"))
    before = demo.state(lab)
    lab.run("echo 'install i2c-dev /bin/false' >/etc/modprobe.d/none.conf; systemctl stop modprobe@i2c_dev.service; "
            "rmmod i2c_dev 2>/dev/null || :")
    try:
        assert switched(lab) == 69
        says(lab, "there is no node /dev/i2c-* for its bus; run modprobe i2c-dev")
        assert monitor.get("orders") == 0
    finally:
        lab.run("rm /etc/modprobe.d/none.conf; systemctl stop modprobe@i2c_dev.service")
    ended(lab, before)


def test_other_guests(lab_shared, monitor):
    """Of two guests that want a monitor the first has it, and the other's end does not take it away."""
    lab = lab_shared
    text = fixed(lab, "[Monitor]\nMatch=connector:CONNECTOR\nGuestInput=hdmi-1\nHostInput=dp-1")
    demo.install(lab, text=text)
    demo.install(lab, "other", text.replace("hdmi-1", "hdmi-2"))
    before = demo.state(lab)
    assert switched(lab) == 0
    assert switched(lab, "other") == 75
    demo.assert_says(demo.journal(lab, "other"), "is at guest demo; stop that first")
    demo.stop(lab, "other")
    demo.wait_undone(lab, "other")
    assert monitor.input == HDMI
    ended(lab, before)


def test_probe(lab_shared, monitor):
    lab = lab_shared
    lab.run("modprobe i2c-dev")
    lines = [line for line in lab.run("vxm-ddc --probe").stdout.splitlines()]
    assert any(line.startswith(connector(lab)) and line.rstrip().endswith("0x0f dp-1") for line in lines), lines
    assert "  inputs   0x0f dp-1, 0x11 hdmi-1, 0x12 hdmi-2" in lines
    assert all(len(line) <= 80 for line in lines), lines
    # The other GPU's monitor has no bus.
    assert any(line.startswith("  problem") for line in lines), lines
    monitor.set(asleep=FOR_EVER)
    problem = f"vxm-ddc --probe --json | jq -r '.monitors[] | select(.connector == \"{connector(lab)}\").problem'"
    assert "does not answer" in lab.run(problem).stdout
    assert monitor.get("orders") == 0


def test_kill_matrix(lab, tell):
    """The record, and the input that the monitor shows."""
    plug(lab)
    lab.run("modprobe i2c-dev")
    text = fixed(lab, "[Monitor]\nMatch=connector:CONNECTOR\nGuestInput=hdmi-1\nHostInput=dp-1\nForce=yes")
    found = killmatrix.run(lab, text, "vxm-ddc")
    killmatrix.assert_complete(found, tell, {f"{phase}, {kind}": least for phase, least in (("take", 6), ("undo", 4))
                                             for kind in ("killed before", "killed after", "all killed", "EIO", "ENOSPC")})
