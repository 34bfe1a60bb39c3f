# SPDX-License-Identifier: BSD-3-Clause
"""Units that are stopped for a guest's life: by name, and the display manager for SingleGpu=yes. Whatever the guest's
end, what ran before runs again, after the GPU is back; what did not run stays so."""

import json
from pathlib import Path

import pytest

import demo
import killmatrix

SCRIPT = Path(__file__).resolve().parent / "inside" / "kill_units.py"
KEYS = "SingleGpu=yes\nStopUnits=lab-compute.service lab-idle.service\n"
GUEST_FILE = demo.GUEST_FILE_BIOS.replace("[GPU]\n", "[GPU]\n" + KEYS)
DESKTOP, COMPUTE, IDLE = "lab-desktop.service", "lab-compute.service", "lab-idle.service"

# Each start leaves a line, so that one that should not be is seen, also after a reboot.
_UNIT = """
[Service]
ExecStartPre=/bin/sh -c 'echo {unit} >>/var/tmp/starts'
ExecStart=/bin/sh -c 'exec sleep infinity {holds}'
"""
_HOLDS_GPU = f"<>/dev/dri/by-path/pci-{demo.GPU}-card"


def install(lab, text=GUEST_FILE, name="demo", holders=(COMPUTE,)):
    """The guest, and a host with a desktop by its alias, a program that has the GPU open, and one that could have it."""
    for unit in (DESKTOP, COMPUTE, IDLE):
        lab.write(f"/etc/systemd/system/{unit}", _UNIT.format(unit=unit, holds=_HOLDS_GPU if unit in holders else ""))
    lab.run(f"ln -sf {DESKTOP} /etc/systemd/system/display-manager.service")
    demo.install(lab, name, text)
    lab.run(f"systemctl start {DESKTOP} {COMPUTE}")
    lab.before = demo.state(lab)


def active(lab, *units):
    """Which of the units run."""
    states = lab.run(["systemctl", "is-active", *units], check=False).stdout.split()
    return [unit for unit, state in zip(units, states) if state == "active"]


def starts(lab, unit):
    return lab.read("/var/tmp/starts").split().count(unit)


def stamp(lab, unit, event):
    return int(lab.run(f"systemctl show -P {event}TimestampMonotonic {unit}").stdout)


def start_and_see_them_stopped(lab):
    demo.start(lab)
    assert active(lab, DESKTOP, COMPUTE, IDLE) == []
    assert sorted(lab.read("/run/vxm/units/demo").split()) == [COMPUTE, DESKTOP]


def assert_all_back(lab):
    """The same units run as before, and the GPU had its driver again before they were started."""
    demo.wait_undone(lab)
    lab.wait(f"systemctl is-active -q {DESKTOP} && systemctl is-active -q {COMPUTE}")
    assert active(lab, IDLE) == [] and starts(lab, IDLE) == 0
    returned = stamp(lab, "vxm-bind@demo", "InactiveEnter")
    assert stamp(lab, DESKTOP, "InactiveExit") >= returned and stamp(lab, COMPUTE, "InactiveExit") >= returned
    demo.assert_as_before(lab.before, demo.state(lab))


def test_power_off_inside(lab):
    install(lab)
    start_and_see_them_stopped(lab)
    taken = stamp(lab, "vxm-bind@demo", "InactiveExit")
    assert 0 < stamp(lab, DESKTOP, "InactiveEnter") <= taken
    demo.report(lab)
    demo.power_off_inside(lab)
    assert_all_back(lab)
    story = demo.journal(lab)
    chapters = [f"{DESKTOP} is stopped for the guest.", f"{demo.GPU}: bochs-drm → vfio-pci", "Guest has powered off.",
                f"{demo.GPU}: vfio-pci → bochs-drm", f"{DESKTOP} is started again."]
    positions = [story.find(chapter) for chapter in chapters]
    assert -1 not in positions and positions == sorted(positions), story
    assert f"{COMPUTE} is started again." in story and IDLE not in story
    assert starts(lab, DESKTOP) == 2


def test_stop_and_kill(lab):
    install(lab)
    start_and_see_them_stopped(lab)
    lab.run(f"kill -9 {demo.main_pid(lab)}")
    assert_all_back(lab)
    lab.run("systemctl reset-failed vxm-guest@demo")
    start_and_see_them_stopped(lab)
    demo.report(lab)
    demo.stop(lab)
    assert_all_back(lab)
    assert starts(lab, DESKTOP) == 3


def test_desktop_has_the_gpu_open(lab):
    """It is known by its alias only."""
    install(lab, holders=(DESKTOP, COMPUTE))
    start_and_see_them_stopped(lab)
    lab.run("systemctl kill --signal=KILL vxm-guest@demo")
    assert_all_back(lab)


def test_bind_fails_half_way(lab):
    """The sound function's override is out of reach: found only after the units have been stopped."""
    install(lab)
    lab.run(f"touch /run/decoy && mount --bind /run/decoy /sys/bus/pci/devices/{demo.SOUND}/driver_override")
    assert lab.run("systemctl start vxm-guest@demo", check=False).returncode != 0
    demo.wait_undone(lab)
    lab.run(f"umount /sys/bus/pci/devices/{demo.SOUND}/driver_override")
    assert starts(lab, DESKTOP) <= 2
    assert_all_back(lab)


# What is written into the guest file; what the one line must say. Nothing may have been stopped.
REFUSALS = {
    "unknown unit": (GUEST_FILE.replace(IDLE, "nobody.service"),
                     "[GPU] StopUnits=nobody.service: cannot be stopped for a guest: there is no such unit; see "
                     "`systemctl list-units --all`"),
    "the bus by its alias": (GUEST_FILE.replace(IDLE, "messagebus.service"),
                             "[GPU] StopUnits=messagebus.service: cannot be stopped for a guest; it is dbus.service: "),
    "guest that could not start": (GUEST_FILE + "[Disk root]\nPath=/srv/none.img\n",
                                   "[Disk root] Path=/srv/none.img: No such file or directory"),
    "GPU that cannot be given": (GUEST_FILE.replace("01:00.0", "09:00.0"), "There is no PCI device 0000:09:00.0"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refused_before_anything_stops(lab, case):
    text, message = REFUSALS[case]
    lab.run("ln -sf /usr/lib/systemd/system/dbus.service /etc/systemd/system/messagebus.service")
    install(lab, text)
    assert lab.run("systemctl start vxm-guest@demo", check=False).returncode != 0
    demo.wait_undone(lab)
    story = demo.journal(lab)
    assert story.count(message) == 1, story
    assert active(lab, DESKTOP, COMPUTE) == [DESKTOP, COMPUTE]
    assert starts(lab, DESKTOP) == 1 and starts(lab, COMPUTE) == 1
    demo.assert_as_before(lab.before, demo.state(lab))


def test_killed_while_units_stop(lab):
    """The record stands by then; the way back waits for what has been begun, as a start would stand against it."""
    install(lab)
    lab.write(f"/etc/systemd/system/{COMPUTE}.d/slow.conf", "[Service]\nExecStop=/bin/sleep 5\n")
    lab.run("systemctl daemon-reload; systemctl start --no-block vxm-guest@demo; "
            f"until systemctl show -P ActiveState {COMPUTE} | grep -q deactivating; do sleep 0.1; done; "
            "kill -9 $(systemctl show -P MainPID vxm-units@demo)")
    assert_all_back(lab)
    assert "→ vfio-pci" not in demo.journal(lab)


def test_two_guests_share_a_unit(lab):
    """Whoever ends last starts it; and in any order, a second run changes nothing."""
    install(lab)
    install(lab, name="rival")
    helper = "/usr/lib/vxm/vxm-units"
    lab.run(f"{helper} demo; {helper} rival; {helper} rival")
    assert active(lab, DESKTOP, COMPUTE) == []
    assert lab.read("/run/vxm/units/rival") == lab.read("/run/vxm/units/demo")

    said = lab.run(f"{helper} --release demo && {helper} --release demo").stderr
    assert f"{DESKTOP} stays stopped, for guest rival." in said
    assert active(lab, DESKTOP, COMPUTE) == []
    lab.run(f"{helper} --release rival && {helper} --release rival")
    lab.wait(f"systemctl is-active -q {DESKTOP} && systemctl is-active -q {COMPUTE}")
    assert starts(lab, DESKTOP) == 2 and starts(lab, COMPUTE) == 2
    demo.assert_as_before(lab.before, demo.state(lab))

    # Stopped again while the start is still under way: it is wanted, although it does not run yet.
    lab.run(f"{helper} demo && {helper} --release demo && {helper} rival && {helper} --release rival")
    lab.wait(f"systemctl is-active -q {DESKTOP} && systemctl is-active -q {COMPUTE}")
    demo.assert_as_before(lab.before, demo.state(lab))


def test_what_can_no_longer_be_started(lab):
    """The others are; this one is told with the next step, and does not stand in the way later."""
    install(lab)
    start_and_see_them_stopped(lab)
    lab.run(f"rm /etc/systemd/system/{COMPUTE} && systemctl daemon-reload")
    lab.run("systemctl kill --signal=KILL vxm-guest@demo")
    demo.wait_undone(lab)
    lab.wait(f"systemctl is-active -q {DESKTOP}")
    assert f"{COMPUTE} cannot be started again: " in demo.journal(lab)
    demo.assert_as_before(lab.before, demo.state(lab))


def test_shutdown_starts_nothing(lab):
    install(lab)
    start_and_see_them_stopped(lab)
    demo.report(lab)
    lab.run("sync")
    lab.reboot()
    assert starts(lab, DESKTOP) == 1 and starts(lab, COMPUTE) == 1


@pytest.mark.slow
def test_killed_at_every_call(lab):
    """Whatever instant vxm-units is killed at, the run after it leaves all as before. As for kill matrices, all instants are
    tried where that is asked for."""
    install(lab)
    for unit in (DESKTOP, COMPUTE):  # started more often than systemd would let anybody else
        lab.write(f"/etc/systemd/system/{unit}.d/often.conf", "[Unit]\nStartLimitIntervalSec=0\n")
    lab.run("systemctl daemon-reload")
    lab.put(SCRIPT)
    at_most, at_least = (0, 40) if killmatrix.is_whole() else (3, 20)
    done = json.loads(lab.run(f"python3 kill_units.py {at_most} demo {DESKTOP} {COMPUTE}", timeout=900).stdout)
    assert done["points"] > at_least and done["wrong"] == [], done
    demo.assert_as_before(lab.before, demo.state(lab))
