# SPDX-License-Identifier: BSD-3-Clause
"""What goes wrong with devices: drivers that block or refuse, sysfs that cannot be written, cards that have left, and
guests that want the same card at the same moment. What can be given back is given back, and the rest is said."""

import json
import time
from pathlib import Path

import pytest

import demo
import killmatrix

_INSIDE = Path(__file__).resolve().parent / "inside"
_STUCK = "/sys/module/vxm_lab_stuck/parameters"
_ROUNDS = 10


def release(lab, check=True):
    return lab.run("/usr/lib/vxm/vxm-bind --release demo 2>&1", check=check)


def has_record(lab):
    return lab.run("test -e /run/vxm/bind/demo", check=False).returncode == 0


@pytest.fixture
def blocking(lab):
    """A lab in which the driver of 01:00.0 blocks in remove(), and a guest whose start has run into that."""
    demo.install(lab, text=demo.guest_file("[GPU]\nDevice=01:00.0"))
    demo.install(lab, "other", demo.guest_file("[GPU]\nDevice=02:00.0"))
    lab.run("mkdir -p /etc/systemd/system/vxm-bind@.service.d && sed -n 's,^ExecStart=\\(.*vxm-bind\\) %i,"
            "[Service]\\nExecStart=\\nExecStart=\\1 --deadline=5s %i,p' /usr/lib/systemd/system/vxm-bind@.service "
            ">/etc/systemd/system/vxm-bind@.service.d/deadline.conf && systemctl daemon-reload")
    lab.before = demo.state(lab)
    lab.run(f"modprobe vxm_lab_stuck device=0000:01:00.0 && echo 1 >{_STUCK}/block_remove")
    started = time.monotonic()
    lab.started = lab.run("systemctl start vxm-guest@demo", check=False)
    lab.took = time.monotonic() - started
    return lab


def stuck_processes(lab):
    lines = lab.run("ps -eo stat=,pid=,comm=").stdout.splitlines()
    return [line for line in lines if line.startswith("D") and "vxm" in line]


@pytest.mark.machine("identical")
def test_driver_that_blocks_costs_only_its_own_guest(blocking):
    """The write is named, nothing more is written to the card, another guest starts, and once the driver goes on, all can be
    given back. The host's own look at a card whose driver is stuck would block, too, so the test does not look there."""
    assert blocking.started.returncode != 0
    assert blocking.took < 60, f"failed only after {blocking.took:.0f} s"
    story = demo.journal(blocking)
    demo.assert_says(story, "0000:01:00.0", "unbind", "5 s")
    assert len(stuck_processes(blocking)) == 1, stuck_processes(blocking)
    assert has_record(blocking)
    # Functions of the same card that had not been touched have not been touched since.
    assert blocking.run("readlink /sys/bus/pci/devices/0000:01:00.1/driver").stdout.strip().endswith("/snd_hda_intel")

    demo.start(blocking, "other")
    demo.report(blocking, "other")
    demo.stop(blocking, "other")
    demo.wait_undone(blocking, "other")
    assert "0000:02:00.0" not in blocking.run("cat /run/vxm/bind/* 2>/dev/null").stdout

    # Nor may looking at all cards hang.
    demo.install(blocking, "third", demo.guest_file("[GPU]\nDevice=auto"))
    found = blocking.run("timeout 30 /usr/lib/vxm/vxm-bind --dry-run third 2>&1", check=False)
    assert found.returncode == 78 and "0000:01:00.0" in found.stdout and "0000:02:00.0" in found.stdout, found.stdout
    assert "0000:01:00.0" in blocking.run("timeout 30 vxm-bind --list").stdout

    # Trying again must neither hang nor touch the card.
    again = release(blocking, check=False)
    assert again.returncode != 0 and "0000:01:00.0" in again.stdout, again.stdout
    assert len(stuck_processes(blocking)) == 1, stuck_processes(blocking)
    assert has_record(blocking)

    blocking.run(f"echo 0 >{_STUCK}/block_remove")
    blocking.wait("! ps -eo stat=,comm= | grep -q '^D.*vxm'")
    release(blocking)
    assert not has_record(blocking)
    demo.assert_as_before(blocking.before, demo.state(blocking))


@pytest.mark.machine("identical")
def test_machine_with_a_driver_that_blocks_shuts_down(blocking):
    """As far as user space goes: in the end the kernel itself waits for the driver, whoever has called it."""
    blocking.run("systemctl reset-failed", check=False)
    blocking.run("systemctl poweroff", check=False)
    deadline = time.monotonic() + 120
    signs = ("reboot: Power down", "Powering off", "System Power Off")
    while not any(sign in blocking.console_log for sign in signs):
        assert time.monotonic() < deadline, blocking.console_log[-3000:]
        time.sleep(1)


def test_driver_that_refuses_to_come_back(lab):
    """That is said, how all was stays noted, and another try succeeds once the driver is willing."""
    demo.install(lab, text=demo.GUEST_FILE_BIOS)
    before = demo.state(lab)
    lab.run("modprobe vxm_lab_stuck device=0000:01:00.0")
    demo.start(lab)
    lab.run(f"echo 1 >{_STUCK}/refuse_probe")
    demo.stop(lab)
    demo.wait_undone(lab)
    story = demo.journal(lab)
    demo.assert_says(story, "0000:01:00.0", "bochs-drm", "did not take it")
    demo.assert_says(story, "--release demo")
    assert has_record(lab)
    assert lab.run("systemctl is-failed vxm-bind@demo", check=False).stdout.strip() == "failed"
    # The other function is back: one that is stuck must not keep it from the host.
    assert f"{demo.SOUND} driver snd_hda_intel" in demo.state(lab)

    assert release(lab, check=False).returncode == 1
    lab.run(f"echo 0 >{_STUCK}/refuse_probe")
    release(lab)
    assert not has_record(lab)
    demo.assert_as_before(before, demo.state(lab))


def test_driver_that_was_lost_is_found_by_the_next_start(lab):
    demo.install(lab, text=demo.GUEST_FILE_BIOS)
    before = demo.state(lab)
    lab.run("modprobe vxm_lab_stuck device=0000:01:00.0")
    demo.start(lab)
    lab.run(f"echo 1 >{_STUCK}/refuse_probe")
    demo.stop(lab)
    demo.wait_undone(lab)
    lab.run(f"echo 0 >{_STUCK}/refuse_probe")
    demo.start(lab)
    demo.stop(lab)
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))


def test_read_only_sysfs(lab):
    demo.install(lab)
    # Of what the unit may write, only the folder of its records is left. With ProtectKernelTunables=yes or ProtectControlGroups=yes,
    # systemd 257 leaves all of /sys writable in units that have the host's network, whatever else is said.
    lab.write("/etc/systemd/system/vxm-bind@.service.d/ro.conf", "[Service]\nReadWritePaths=\nReadWritePaths=/run/vxm/bind\n"
              "ProtectKernelTunables=no\nProtectControlGroups=no\nReadOnlyPaths=/sys\n")
    lab.run("systemctl daemon-reload")
    demo.assert_says(demo.refusal(lab), "/sys/bus/pci", "Read-only file system")


def test_card_that_has_left(lab):
    demo.install(lab)
    before = demo.state(lab)
    for function in (demo.SOUND, demo.GPU):
        lab.run(f"echo 1 >/sys/bus/pci/devices/{function}/remove")
    demo.assert_says(demo.refusal(lab), demo.GPU, "no PCI device")
    lab.run("echo 1 >/sys/bus/pci/rescan && udevadm settle")
    demo.start(lab)
    demo.stop(lab)
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))


def test_card_that_leaves_between_guest_and_host(lab):
    """Taken, then gone, then given back: what has left the machine is passed over, and said."""
    demo.install(lab, text=demo.GUEST_FILE_BIOS)
    lab.run("systemd-sysusers --inline 'u vxm-demo -' && /usr/lib/vxm/vxm-bind demo")
    lab.run(f"echo 1 >/sys/bus/pci/devices/{demo.SOUND}/remove")
    said = release(lab)
    assert f"{demo.SOUND} has left the machine" in said.stdout, said.stdout
    assert not has_record(lab)
    assert f"{demo.GPU} driver bochs-drm" in demo.state(lab)


@pytest.mark.machine("no-iommu")
@pytest.mark.parametrize("section", ["GPU", "PCI"])
def test_without_a_group(lab_shaped, section):
    demo.install(lab_shaped, text=demo.guest_file(f"[{section}]\nDevice=01:00.0"))
    demo.assert_says(demo.refusal(lab_shaped), "0000:01:00.0", "IOMMU")


@pytest.mark.slow
@pytest.mark.parametrize("part", range(5 if killmatrix.is_whole() else 1))
def test_one_card_and_two_guests_at_once(lab, part):
    """Fifty times, on five machines, or ten times where not all points of kill matrices are asked for either: exactly one
    starts, the other names it. inside/claims.py does the rounds."""
    for name in ("left", "right"):
        demo.install(lab, name, demo.GUEST_FILE_BIOS)
    before = demo.state(lab)
    lab.put(_INSIDE / "claims.py")
    done = lab.run(f"python3 claims.py {_ROUNDS} left right", check=False, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    rounds = json.loads(done.stdout)
    assert len(rounds) == _ROUNDS
    for number, found in enumerate(rounds, 1):
        assert len(found["started"]) == 1, f"round {number}: {found}"
        winner = found["started"][0]
        assert f"belongs to guest {winner} now" in found["said"], f"round {number}: {found}"
    demo.assert_as_before(before, demo.state(lab))
