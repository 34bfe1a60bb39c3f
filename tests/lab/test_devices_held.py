# SPDX-License-Identifier: BSD-3-Clause
"""A GPU that somebody uses: who that is, is said before the first write; with StopUnits= it is let go of for the guest's
life."""

import pytest

import demo

pytestmark = pytest.mark.machine("held")

STOPS = demo.guest_file("[GPU]\nDevice=01:00.0\nStopUnits=weston-second.service")

# Holds a card's control node as sound servers do: it lets go when the card leaves.
SOUND_SERVER = """
import fcntl, os, select, struct
open("/proc/self/comm", "w").write("wireplumber")
node = os.open("/dev/snd/controlC0", os.O_RDWR | os.O_NONBLOCK)
fcntl.ioctl(node, 0xc0045516, struct.pack("i", 1))  # SNDRV_CTL_IOCTL_SUBSCRIBE_EVENTS: without it nobody is told
print("held", flush=True)
poll = select.poll()
poll.register(node, 0)
poll.poll()
"""


def is_active(lab, unit="weston-second.service"):
    return lab.run(f"systemctl is-active {unit}", check=False).stdout.strip() == "active"


def test_refused_with_who_holds_it(lab):
    demo.install(lab, text=demo.guest_file("[GPU]\nDevice=01:00.0"))
    assert is_active(lab)
    pid = lab.run("systemctl show -P MainPID weston-second").stdout.strip()
    story = demo.refusal(lab)
    demo.assert_says(story, "0000:01:00.0", "weston", pid, "weston-second.service")
    assert "StopUnits=" in story, story
    assert is_active(lab)


def hold(lab, node):
    """Has somebody's process keep a node open; returns the command that runs it, and its number as text."""
    holder = lab.spawn(f"sleep infinity <>{node} & echo $!; wait")
    return holder, holder.stdout.readline().strip()


@pytest.mark.parametrize("end", ["stop", "kill supervisor"])
def test_unit_is_stopped_for_the_guests_life(lab, end, tmp_path):
    lab.assert_desktop("gpu1", tmp_path / "before.png")
    demo.install(lab, text=STOPS)
    before = demo.state(lab)
    demo.start(lab)
    assert not is_active(lab)
    demo.report(lab)
    lab.assert_demo_picture("gpu1", tmp_path / "guest.png")
    demo.end(lab, end)
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))
    assert is_active(lab)
    lab.assert_desktop("gpu1", tmp_path / "after.png")


def test_unit_runs_again_when_the_guest_is_refused(lab):
    """What the guest lacks shows before the unit is stopped, or the unit runs again."""
    demo.install(lab, text=STOPS + "\n[Disk root]\nPath=/srv/none.img\n")
    demo.refusal(lab)
    assert is_active(lab)


def test_unit_that_did_not_run_stays_stopped(lab):
    lab.run("systemctl stop weston-second")
    demo.install(lab, text=STOPS)
    demo.start(lab)
    demo.stop(lab)
    demo.wait_undone(lab)
    assert not is_active(lab)


def test_control_node_of_the_sound_does_not_matter(lab):
    lab.run("systemctl stop weston-second")
    demo.install(lab, text=demo.guest_file("[GPU]\nDevice=01:00.0"))
    before = demo.state(lab)
    holder = lab.spawn(["python3", "-c", SOUND_SERVER])
    assert holder.stdout.readline() == "held\n"
    demo.start(lab)
    holder.communicate()
    demo.stop(lab)
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))


def test_sound_that_plays_is_refused(lab):
    lab.run("systemctl stop weston-second")
    demo.install(lab, text=demo.guest_file("[GPU]\nDevice=01:00.0"))
    holder, pid = hold(lab, "/dev/snd/pcmC0D0p")
    demo.assert_says(demo.refusal(lab), "sleep", pid, "/dev/snd/pcmC0D0p")
    lab.run(f"kill {pid}")
    holder.communicate()


def test_process_without_a_unit_of_its_own(lab):
    """Somebody's program, started by hand: its number and name are told, and the next step is not StopUnits= alone."""
    lab.run("systemctl stop weston-second")
    demo.install(lab, text=demo.guest_file("[GPU]\nDevice=01:00.0"))
    holder, pid = hold(lab, "/dev/dri/card1")
    demo.assert_says(demo.refusal(lab), "sleep", pid)
    lab.run(f"kill {pid}")
    holder.communicate()
    demo.start(lab)
    demo.stop(lab)


UDEV_RULE = """ACTION=="change", KERNEL=="card1", RUN+="/bin/sh -c 'exec 3<>/dev/dri/card1; touch /run/held; sleep 3'"\n"""


def test_udev_is_waited_for(lab):
    """udev looks at a card that has just come, and so has it open for a while: here for three seconds."""
    lab.run("systemctl stop weston-second")
    demo.install(lab, text=demo.guest_file("[GPU]\nDevice=01:00.0"))
    lab.write("/etc/udev/rules.d/99-hold.rules", UDEV_RULE)
    lab.run("udevadm control --reload && udevadm trigger --action=change /sys/class/drm/card1")
    lab.wait("test -e /run/held")
    lab.run("test -e /run/udev/queue")
    demo.start(lab)
    demo.stop(lab)
    demo.wait_undone(lab)
