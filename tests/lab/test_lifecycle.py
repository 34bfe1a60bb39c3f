# SPDX-License-Identifier: BSD-3-Clause
"""What can be done to a guest that runs, what becomes of one that panics, hangs or fails, and a host that stays awake."""

import json
import shlex
import time

import pytest

import demo
from vxmlab import png

_BASE = """[Guest]
Preset=demo
OS=linux
{guest}
[Firmware]
Type={firmware}

[Boot]
{devices}
CommandLine=console=ttyS0 quiet storage lifecycle disks={disks}
"""

_DISPLAY = "\n[Display]\nVNC=yes\nModel=vga\n"


# 16 MiB that are not zero, and take the guest little time.
_PATTERN = "tr '\\0' y </dev/zero | head -c 16777216"
# Without a word on the console, where each character takes its time.
_PANIC = "echo 0 >/proc/sys/kernel/printk; echo c >/proc/sysrq-trigger"


def text(*sections, guest="", firmware="bios", disks=0):
    return _BASE.format(devices=demo.DEVICES, guest=guest, firmware=firmware, disks=disks) + "".join("\n" + section for section in sections)


def vxm(lab, *arguments, check=True):
    """Runs a verb; returns what it has said, on both outputs."""
    done = lab.run(["vxm-qemu", *arguments, "demo"], check=False)
    assert not check or done.returncode == 0, done.stdout + done.stderr + demo.journal(lab)
    return done if not check else done.stdout


def status(lab):
    return json.loads(vxm(lab, "--status", "--json"))


def wait_state(lab, wanted):
    lab.wait(f"vxm-qemu --status --json demo 2>/dev/null | grep -q '\"state\": \"{wanted}\"'", show="vxm-qemu --status demo")


def wait_story(lab, *words):
    """Waits for a line with all words in the guest's journal."""
    pattern = " | ".join(f"grep -F -e {shlex.quote(word)}" for word in words)
    lab.wait(f"journalctl -q -b -u vxm-guest@demo -o cat | {pattern}", show="journalctl -b -u vxm-guest@demo -o cat")


def status_line(lab):
    return lab.run("systemctl show -P StatusText vxm-guest@demo").stdout.strip()


def uptime(lab):
    return float(demo.sh(lab, "cat /proc/uptime").split()[0])


@pytest.fixture
def tidy(lab_shared):
    """The shared machine, with no guest before and after."""
    yield lab_shared
    lab_shared.run("systemctl stop vxm-guest@demo; systemctl reset-failed 'vxm-*'; true")
    demo.wait_undone(lab_shared)


def test_pause_reset_reboot(tidy, tmp_path):
    lab = tidy
    off = status(lab)
    assert off["state"] == "off" and not any(off[key] for key in set(off) - {"guest", "state"})
    off = vxm(lab, "--pause", check=False)
    assert off.returncode == 1 and "does not run; start it with vxm start demo" in off.stderr
    demo.install(lab, text=text(_DISPLAY))
    demo.start(lab)
    demo.report(lab)

    told = status(lab)
    assert told["state"] == "running" and told["pid"] == demo.qemu_pid(lab) and told["cpus"] == 1 and told["memory"] == 256 << 20
    assert lab.run("stat -c '%U %a' /run/vxm/sockets/demo /run/vxm/sockets/demo/qmp").stdout.split("\n")[:2] == ["vxm-demo 710", "vxm-demo 770"]
    denied = lab.run("setpriv --reuid nobody --clear-groups vxm-qemu --status demo", check=False)
    assert denied.returncode == 1 and "You may not talk to guest demo" in denied.stderr

    before = uptime(lab)
    assert "is paused" in vxm(lab, "--pause")
    assert "vxm resume demo" in vxm(lab, "--status")
    wait_story(lab, "Guest is paused; vxm resume demo lets it go on.")
    assert status_line(lab) == "Guest is paused; vxm resume demo lets it go on"
    begin = time.monotonic()
    lab.run("sleep 15")
    stood = time.monotonic() - begin
    assert vxm(lab, "--pause") == "Guest demo is paused already.\n"
    assert "goes on" in vxm(lab, "--resume")
    after = uptime(lab)
    assert after - before < stood - 5, (before, after, stood)
    wait_story(lab, "Guest goes on.")
    assert status_line(lab).startswith("Running: 1 CPU")

    vxm(lab, "--screendump", "/root/shot.png")
    lab.get("shot.png", tmp_path)
    picture = png.load(tmp_path / "shot.png")
    assert (picture.width, picture.height) >= (640, 480)
    demo_bars = [picture.color((2 * i + 1) * picture.width // 16, picture.height // 8) for i in range(8)]
    assert demo_bars == [0xffffff, 0xffff00, 0x00ffff, 0x00ff00, 0xff00ff, 0xff0000, 0x0000ff, 0xff8000], demo_bars

    demo.sh(lab, "touch /run/since")
    assert "by its agent" in vxm(lab, "--reboot")
    demo.report(lab)
    assert "No such file" in demo.sh(lab, "ls /run/since")
    demo.assert_says(demo.journal(lab), "Guest was reset by itself.")
    assert "was reset" in vxm(lab, "--reset")
    wait_story(lab, "Guest was reset by the host.")
    demo.report(lab)


def test_snapshots(tidy):
    lab = tidy
    demo.install(lab, text=text("[TPM]\nEnable=yes\n", "[Disk system]\nSize=16M\n", "[Disk data]\nSize=16M\nBus=sata\n",
                                firmware="uefi", disks=2))
    demo.start(lab)
    tpm = [line for line in demo.report(lab) if line.startswith("tpm: ")]
    variables = "/sys/firmware/efi/efivars/Vxm{}-12345678-1234-1234-1234-123456789abc"
    nvram = "/var/lib/vxm/guests/demo/firmware/nvram.fd"

    def put(word):
        """Writes a word into the guest's memory, onto its disks, and into a UEFI variable of that name."""
        demo.sh(lab, f"echo {word} >/run/word; for d in vda sda; do echo {word} | dd of=/dev/$d bs=512 conv=sync,fsync 2>/dev/null; done; "
                     f"printf '\\007\\000\\000\\000in-flash-{word}' >{variables.format(word)}")

    def words():
        """What stands there: the variables by their names, and whether QEMU's file of them has each."""
        inside = demo.sh(lab, "cat /run/word; for d in vda sda; do dd if=/dev/$d bs=512 count=1 iflag=direct 2>/dev/null | tr -d '\\0'; done; "
                              "cd /sys/firmware/efi/efivars; ls -d Vxm*").split()
        flash = [word for word in ("before", "behind") if lab.run(f"grep -c in-flash-{word} {nvram}", check=False).returncode == 0]
        return inside[:3], [name[3:].split("-")[0] for name in inside[3:]], flash

    first = (["before"] * 3, ["before"], ["before"])
    second = (["behind"] * 3, ["before", "behind"], ["before", "behind"])
    put("before")
    assert words() == first
    assert vxm(lab, "--snapshots") == "Guest demo has no snapshots.\n"
    assert "is saved as “first”" in vxm(lab, "--snapshot-save", "first")
    assert status(lab)["state"] == "running"
    assert "has a snapshot “first” already" in vxm(lab, "--snapshot-save", "first", check=False).stderr
    put("behind")
    assert words() == second
    vxm(lab, "--snapshot-save", "second")
    lines = vxm(lab, "--snapshots").splitlines()
    assert [line.split()[0] for line in lines] == ["TAG", "first", "second"] and lines[1].endswith("2 of 2")
    assert all(len(line) <= 80 for line in lines), lines
    assert "it is running" in vxm(lab, "--snapshot-load", "first")
    assert words() == first
    assert [line for line in demo.report(lab) if line.startswith("tpm: ")] == tpm

    # A paused guest stays so, and what has been saved outlives a restart.
    vxm(lab, "--pause")
    assert "it is paused" in vxm(lab, "--snapshot-load", "second")
    vxm(lab, "--resume")
    assert words() == second
    demo.stop(lab)
    demo.start(lab)
    assert "it is running" in vxm(lab, "--snapshot-load", "first")
    assert words() == first

    vxm(lab, "--snapshot-delete", "first")
    done = json.loads(vxm(lab, "--snapshots", "--json"))
    assert [(snapshot["tag"], snapshot["whole"]) for snapshot in done["snapshots"]] == [("second", True)] and done["obstacle"] is None
    gone = vxm(lab, "--snapshot-load", "first", check=False)
    assert gone.returncode == 1 and "has no snapshot “first”" in gone.stderr
    image = lab.run("qemu-img snapshot -U -l /var/lib/vxm/guests/demo/system.qcow2").stdout
    assert "second" in image and "first" not in image


@pytest.mark.slow
def test_disk_full(tidy):
    """The host has no room for what the guest writes: the guest waits for it, and loses nothing."""
    lab = tidy
    lab.run("mkdir -p /srv/small && mount -t tmpfs -o size=4M,mode=755 small /srv/small && systemd-sysusers --inline 'u vxm-demo -'")
    demo.install(lab, text=text("[Disk system]\nPath=/srv/small/system.qcow2\nSize=32M\n", disks=1))
    demo.start(lab)
    demo.report(lab)
    demo.tell(lab, f"{_PATTERN} | dd of=/dev/vda bs=65536 conv=fsync")
    wait_state(lab, "io-error")
    wait_story(lab, "Disk system: write has failed: the host has no space left for it", "run vxm resume demo.")
    assert status(lab)["disk_errors"] == {"system": "nospace"}
    assert status_line(lab).startswith("Guest is stopped by a disk's error; vxm resume demo")
    assert len([line for line in demo.journal(lab).splitlines() if "has failed" in line]) <= 11
    vxm(lab, "--resume")  # still no room
    wait_state(lab, "io-error")
    lab.run("mount -o remount,size=64M /srv/small")
    vxm(lab, "--resume")
    assert demo.sh(lab, "echo goes on") == "goes on\n"
    digest = demo.sh(lab, "head -c 16777216 /dev/vda | md5sum").split()[0]
    assert digest == lab.run(f"{_PATTERN} | md5sum").stdout.split()[0]
    demo.stop(lab)
    lab.run("umount /srv/small")


def panic(lab):
    demo.report(lab)
    demo.tell(lab, _PANIC)


@pytest.mark.slow
def test_panic(tidy):
    lab = tidy
    demo.install(lab, text=text(guest="OnPanic=pause\nStopTimeout=20min"))
    demo.start(lab)
    panic(lab)
    wait_state(lab, "guest-panicked")
    wait_story(lab, "Guest's system has panicked; it is paused")
    assert status_line(lab) == "Guest is panicked; vxm reset-hard demo starts it anew"
    assert "cannot go on" in vxm(lab, "--resume", check=False).stderr
    vxm(lab, "--reset")
    panic(lab)
    wait_state(lab, "guest-panicked")
    demo.stop(lab)
    wait_story(lab, "The guest is panicked, and cannot be asked to power off; switching it off.")
    assert lab.run("systemctl show -P Result vxm-guest@demo").stdout == "success\n"


@pytest.mark.slow
def test_panic_resets_and_watchdog_ends(tidy):
    lab = tidy
    demo.install(lab, text=text(guest="OnPanic=reset\nWatchdog=poweroff"))
    demo.start(lab)
    panic(lab)
    wait_story(lab, "Guest's system has panicked; it is reset")
    demo.report(lab)
    assert status(lab)["state"] == "running"
    demo.sh(lab, "echo 1 >/dev/watchdog")  # opened and closed without its magic letter: it runs now, and nobody feeds it
    wait_story(lab, "its watchdog has not been fed; it is switched off")
    demo.wait_undone(lab)
    assert lab.run("systemctl show -P Result vxm-guest@demo").stdout == "exit-code\n"


@pytest.mark.slow
def test_panic_ends(tidy):
    lab = tidy
    demo.install(lab, text=text(guest="OnPanic=poweroff"))
    demo.start(lab)
    panic(lab)
    wait_story(lab, "Guest has ended after a kernel panic")
    demo.wait_undone(lab)
    assert lab.run("systemctl show -P Result vxm-guest@demo").stdout == "exit-code\n"


def inhibitors(lab):
    done = json.loads(lab.run("busctl --json=short call org.freedesktop.login1 /org/freedesktop/login1 "
                              "org.freedesktop.login1.Manager ListInhibitors").stdout)
    return [entry[:4] for entry in done["data"][0] if entry[1] == "vxm"]


def restarted(lab, pid):
    """Waits until the guest runs again, with another supervisor than pid."""
    lab.wait(f"main=$(systemctl show -P MainPID vxm-guest@demo); test $main -gt 0 && test $main != {pid} && "
             "systemctl is-active -q vxm-guest@demo",
             show="systemctl status vxm-guest@demo; journalctl -b -o cat -u vxm-guest@demo | tail -n 40")
    return demo.main_pid(lab)


@pytest.mark.slow
def test_restart_hang_and_sleep(tidy):
    """A guest with a GPU, a TPM and a network, killed and hung: it is back with all of them, and the host stays awake."""
    lab = tidy
    lock = [["sleep:handle-lid-switch", "vxm", "Guest demo runs, and would not survive it", "block"]]
    demo.install(lab, text=text("[GPU]\nDevice=01:00.0\n", "[TPM]\nEnable=yes\n", "[Network lan]\nType=nat\n",
                                guest="Restart=on-failure\nHangTimeout=10s"))
    before = demo.state(lab)
    assert inhibitors(lab) == []
    demo.start(lab)
    pid = demo.main_pid(lab)
    first = demo.report(lab)

    assert inhibitors(lab) == lock
    assert lab.run("systemctl show -p NFileDescriptorStore -p SubState -p MainPID vxm-sleep@demo | sort").stdout.split() == [
        "MainPID=0", "NFileDescriptorStore=1", "SubState=exited"]
    refused = lab.run("systemctl suspend", check=False)
    assert refused.returncode != 0 and "Access denied" in refused.stderr, refused.stderr  # without the lock it would sleep
    lab.run("systemctl restart systemd-logind")
    assert inhibitors(lab) == lock

    saved = vxm(lab, "--snapshot-save", "one", check=False)
    assert saved.returncode == 69 and "it has a PCI device of the host" in saved.stderr and "vxm pause demo" in saved.stderr
    shot = vxm(lab, "--screendump", "/root/none.png", check=False)
    assert shot.returncode == 69 and "has no emulated display" in shot.stderr
    assert status(lab)["state"] == "running"

    def same(report):
        def gist(lines):
            return [line for line in lines if line.startswith(("gpu: ", "tpm: ", "pci: ", "interface", "network"))]
        assert gist(report) == gist(first) and any(line.startswith("gpu: ") for line in report), report

    lab.run(f"kill -9 {demo.qemu_pid(lab)}")
    pid = restarted(lab, pid)
    same(demo.report(lab))
    assert inhibitors(lab) == lock
    lab.run(f"kill -STOP {demo.qemu_pid(lab)}")
    wait_story(lab, "QEMU has not answered for 10 s (HangTimeout=); killing it.")
    pid = restarted(lab, pid)
    same(demo.report(lab))
    lab.run(f"kill -STOP {pid}; sleep 0.1; kill -9 {pid}")
    pid = restarted(lab, pid)
    assert inhibitors(lab) == lock

    # What becomes of its file does not part it from what it has.
    lab.run("rm /etc/vxm/guests/demo.guest; systemctl daemon-reload")
    assert inhibitors(lab) == lock
    demo.stop(lab)
    demo.wait_undone(lab)
    assert inhibitors(lab) == []
    demo.assert_as_before(before, demo.state(lab))


def test_no_logind(tidy):
    """Nobody to keep the host awake: the guest starts, and it is said."""
    lab = tidy
    demo.install(lab, text=text(guest="InhibitSleep=yes"))
    lab.run("systemctl mask --runtime --now systemd-logind.service")
    try:
        demo.start(lab)
        demo.assert_says(demo.journal(lab), "The host cannot be kept from sleeping while the guest runs:")
        demo.stop(lab)
    finally:
        lab.run("systemctl unmask --runtime systemd-logind.service; systemctl start systemd-logind")
