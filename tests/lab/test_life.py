# SPDX-License-Identifier: BSD-3-Clause
"""A guest's life on the lab: it starts on the second GPU, shows its picture there, and however it ends, drivers,
overrides, nodes and vxm's own files are as before."""

import pytest

import demo


@pytest.fixture
def started(lab):
    """A lab with the demo guest running, its boot just begun; the state before it stands in lab.before."""
    demo.install(lab, text=demo.GUEST_FILE_BIOS)
    lab.before = demo.state(lab)
    demo.start(lab)
    return lab


@pytest.fixture
def running(started):
    """As started, but the guest has booted."""
    demo.report(started)
    return started


def result_of(lab):
    return lab.run("systemctl show -P Result vxm-guest@demo").stdout.strip()


def assert_undone(lab):
    demo.wait_undone(lab)
    demo.assert_as_before(lab.before, demo.state(lab))


def test_guest_sees_the_gpu_and_shows_its_picture(lab, tmp_path):
    demo.install(lab)
    demo.start(lab)
    report = demo.report(lab)
    gpus = [line for line in report if line.startswith("gpu: ")]
    assert len(gpus) == 1 and "1234:1111" in gpus[0] and "bochs-drm" in gpus[0]
    assert any("class 0403" in line and "8086:2668" in line for line in report), report
    assert "firmware: UEFI" in report

    state = demo.state(lab)
    assert f"{demo.GPU} driver vfio-pci override vfio-pci" in state
    assert f"{demo.SOUND} driver vfio-pci override vfio-pci" in state

    lab.assert_demo_picture("gpu1", tmp_path / "guest.png")
    with pytest.raises(AssertionError):
        lab.assert_demo_picture("gpu0", tmp_path / "host.png")


def test_stop_asks_the_agent(running):
    demo.stop(running)
    story = demo.journal(running)
    assert "Guest agent answers; it powers the guest off." in story
    assert "Guest has ended, as asked." in story
    assert result_of(running) == "success"
    assert_undone(running)


def test_stop_presses_the_power_button_when_the_agent_is_silent(running):
    hold = running.spawn(["python3", "-c", "import socket, sys; s = socket.socket(socket.AF_UNIX); "
                          "s.connect('/run/vxm/sockets/demo/agent'); print('held', flush=True); sys.stdin.read()"])
    assert hold.stdout.readline() == "held\n"
    demo.stop(running)
    hold.communicate()
    assert "Guest agent does not answer; pressing the power button (ACPI)." in demo.journal(running)
    assert result_of(running) == "success"
    assert_undone(running)


def test_stop_forces_a_guest_that_does_not_listen(lab):
    demo.install(lab, text=demo.GUEST_FILE.replace("[GPU]", "StopTimeout=2s\n[GPU]"))
    lab.before = demo.state(lab)
    demo.start(lab)  # its firmware has just begun; nobody hears a power button
    demo.stop(lab)
    assert "The guest did not power off within 2 s; switching it off." in demo.journal(lab)
    assert result_of(lab) == "exit-code"
    assert_undone(lab)


def test_power_off_inside(running):
    demo.power_off_inside(running)
    assert_undone(running)
    assert "Guest has powered off." in demo.journal(running)
    assert result_of(running) == "success"


def test_kill_supervisor(started):
    started.run(f"kill -9 {demo.main_pid(started)}")
    assert_undone(started)
    assert result_of(started) == "signal"
    assert started.run("pgrep qemu-system", check=False).stdout == ""


def test_kill_qemu(started):
    started.run(f"kill -9 {demo.qemu_pid(started)}")
    assert_undone(started)
    assert "QEMU was killed by signal 9 (Killed); the guest is gone." in demo.journal(started)
    assert result_of(started) == "exit-code"


@pytest.mark.parametrize("change", ["echo '[GPU' >", "rm ", "ln -sf /dev/null "])
def test_guest_file_changes_while_the_guest_runs(lab, change):
    """Whatever its file says by then, what the guest had goes back to the host."""
    demo.install(lab, text=demo.GUEST_FILE_BIOS)
    before = demo.state(lab)
    demo.start(lab)
    lab.run(f"{change}/etc/vxm/guests/demo.guest; systemctl daemon-reload")
    demo.end(lab, "kill qemu")
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))


def test_stop_before_the_guest_runs(lab):
    """QEMU is stopped in the middle of its start-up: nothing has run that could be lost, so nothing has failed."""
    demo.install(lab)
    lab.before = demo.state(lab)
    lab.run("systemctl start --no-block vxm-guest@demo && until pgrep -f qemu-system >/dev/null; do sleep 0.02; done; "
            "systemctl stop vxm-guest@demo")
    assert result_of(lab) == "success", demo.journal(lab)
    assert_undone(lab)


def test_start_after_a_failed_return(lab):
    """A record that is left tells how things were; a start goes on from there, and its end goes back to that."""
    demo.install(lab, text=demo.GUEST_FILE_BIOS)
    lab.before = demo.state(lab)
    lab.run("systemctl start vxm-bind@demo && cp /run/vxm/bind/demo /root && systemctl stop vxm-bind@demo")
    # As if the sound's driver had not come back.
    lab.run(f"echo {demo.SOUND} >/sys/bus/pci/drivers/snd_hda_intel/unbind && cp /root/demo /run/vxm/bind/demo")
    demo.start(lab)
    demo.report(lab)
    demo.stop(lab)
    assert_undone(lab)


def test_bind_fails_half_way(lab):
    """The sound function's override is out of reach, so its driver gets it back: the GPU has been taken by then."""
    demo.install(lab)
    lab.before = demo.state(lab)
    lab.run(f"touch /run/decoy && mount --bind /run/decoy /sys/bus/pci/devices/{demo.SOUND}/driver_override")
    done = lab.run("systemctl start vxm-guest@demo", check=False)
    assert done.returncode != 0
    demo.wait_undone(lab)
    lab.run(f"umount /sys/bus/pci/devices/{demo.SOUND}/driver_override")
    story = demo.journal(lab)
    assert f"{demo.SOUND}: driver vfio-pci did not take it (it has snd_hda_intel)" in story
    assert f"{demo.GPU}" in story and "→ bochs-drm" in story
    demo.assert_as_before(lab.before, demo.state(lab))


def test_starts_again_after_every_ending(running):
    demo.stop(running)
    demo.start(running)
    running.run(f"kill -9 {demo.main_pid(running)}")
    demo.wait_undone(running)
    running.run("systemctl reset-failed vxm-guest@demo")
    demo.start(running)
    assert any(line.startswith("gpu: ") for line in demo.report(running))
    demo.stop(running)
    assert_undone(running)


def test_starting_twice_changes_nothing(started):
    state = demo.state(started)
    demo.start(started)
    started.run("systemctl start vxm-bind@demo")
    assert demo.state(started) == state


def test_power_cut_and_reboot(started):
    started.run("sync")  # or the guest file, seconds old, might be lost with what had not been written yet
    started.power_cut()
    started.boot()
    demo.assert_as_before(started.before, demo.state(started))
    demo.start(started)
    started.run("systemctl kill --signal=KILL vxm-guest@demo")
    assert_undone(started)


def test_enabled_guest_starts_at_boot(lab):
    demo.install(lab, text=demo.GUEST_FILE_BIOS)
    before = demo.state(lab)
    lab.run("systemctl enable vxm-guest@demo")
    # An emulated machine that others slow down finds its hardware late.
    lab.write("/etc/systemd/system/dev-kvm.device.d/90-slow.conf", "[Unit]\nJobRunningTimeoutSec=3min\n")
    lab.reboot()
    lab.run("systemctl is-system-running --wait", check=False)
    assert lab.run("systemctl is-active vxm-guest@demo", check=False).stdout == "active\n", demo.journal(lab)
    demo.report(lab)
    lab.run("systemctl disable --now vxm-guest@demo")
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))


def test_disk_that_root_made_becomes_the_guests(lab):
    """Before the first start the guest has no user, so its directory and disk are root's: the unit hands them over."""
    lab.run("install -d /var/lib/vxm/guests/demo && truncate -s 64M /var/lib/vxm/guests/demo/disk.img")
    demo.install(lab, text="[Guest]\nPreset=demo\n[Firmware]\nType=bios\n[Disk root]\nPath=/var/lib/vxm/guests/demo/disk.img\n")
    demo.start(lab)
    assert any("1af4:1001" in line or "1af4:1042" in line for line in demo.report(lab))  # virtio block device
    assert lab.run("stat -c %U /var/lib/vxm/guests/demo/disk.img").stdout == "vxm-demo\n"
    demo.stop(lab)


def test_guest_without_devices(lab):
    demo.install(lab, text="[Guest]\nPreset=demo\n")
    before = demo.state(lab)
    demo.start(lab)
    assert not any(line.startswith("gpu: ") for line in demo.report(lab))
    assert lab.run("systemctl is-active vxm-bind@demo", check=False).stdout == "inactive\n"
    demo.stop(lab)
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))
