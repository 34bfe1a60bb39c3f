# SPDX-License-Identifier: BSD-3-Clause
"""Firmware, TPM and identity as the guest itself sees them, and that they stay: a TPM that is the same at each start and nobody
else's, Secure Boot through a signed boot loader, firmware that no update swaps."""

import pytest

import demo

TPM = "\n[TPM]\nEnable=yes\n"
STATE_DIRECTORY = "/var/lib/vxm/guests/demo/tpm"
STATE = f"{STATE_DIRECTORY}/tpm2-00.permall"

# A guest that boots as an installed system does: firmware, shim, boot loader, kernel, each signed by somebody the one before trusts.
ESP = "/var/lib/vxm/guests/secure/esp.img"
SECURE = f"""[Guest]
StopTimeout=20s

[Memory]
Size=512M

[CPU]
Count=1

[Firmware]
SecureBoot=yes

[Disk esp]
Path={ESP}
"""

_MAKE_ESP = f"""set -e
install -d {ESP.rpartition("/")[0]}
cd "$(mktemp -d)"
printf 'timeout 0\\n' >loader.conf
printf 'title demo\\nlinux /vmlinuz\\ninitrd /initrd.img\\noptions console=ttyS0 quiet\\n' >demo.conf
mformat -C -i {ESP} -T 131072 -h 64 -s 32 ::
mmd -i {ESP} ::/EFI ::/EFI/BOOT ::/loader ::/loader/entries
mcopy -i {ESP} /usr/lib/shim/shimx64.efi.signed ::/EFI/BOOT/BOOTX64.EFI
mcopy -i {ESP} /usr/lib/systemd/boot/efi/systemd-bootx64.efi.signed ::/EFI/BOOT/grubx64.efi
mcopy -i {ESP} loader.conf ::/loader/loader.conf
mcopy -i {ESP} demo.conf ::/loader/entries/demo.conf
mcopy -i {ESP} /var/lib/vxm/images/demo/vmlinuz /var/lib/vxm/images/demo/initrd.img ::/
"""

# Listens to a guest's console until a word comes.
_HEAR = r"""
import socket, sys
console = socket.socket(socket.AF_UNIX)
console.connect("/run/vxm/sockets/%s/console")
console.settimeout(200)
text = b""
while %r not in text:
    data = console.recv(65536)
    if not data:
        sys.exit("the console was closed: %%r" %% text)
    text += data
"""


@pytest.fixture(scope="module")
def machine(lab_shared):
    """One machine for all, with another guest's user and the disk of SECURE on it."""
    lab_shared.run("systemd-sysusers --inline 'u vxm-other -'")
    lab_shared.run(["sh", "-c", _MAKE_ESP])
    return lab_shared


def line(report, key):
    found = [text for text in report if text.startswith(f"{key}: ")]
    assert len(found) == 1, f"no “{key}”: {report}"
    return found[0].partition(": ")[2]


def hear(lab, name, words):
    """Waits for words on a guest's console: UEFI firmware that reads a disk takes its time where everything is emulated."""
    lab.run(["python3", "-c", _HEAR % (name, words)])


def is_active(lab, unit):
    return lab.run(f"systemctl is-active {unit}", check=False).stdout.strip()


def test_tpm_stays_the_same_and_private(machine):
    demo.install(machine, text=demo.GUEST_FILE_BIOS + TPM)
    before = demo.state(machine)
    demo.start(machine)
    report = demo.report(machine)
    tpm, uuid = line(report, "tpm"), line(report, "uuid")
    assert tpm.startswith("2 key "), report
    assert uuid.replace("-", "") != machine.read("/etc/machine-id").strip()

    # Root, the guest's user and its swtpm come to it; neither another guest's user nor QEMU itself.
    for path in ("/run/vxm/tpm/demo/socket", STATE):
        machine.run(f"runuser -u vxm-demo -- test -w {path}")
        assert machine.run(f"runuser -u vxm-other -- test -e {path}", check=False).returncode == 1, path
    inside = f"nsenter -t {demo.qemu_pid(machine)} -m runuser -u vxm-demo --"
    assert machine.run(f"{inside} ls {STATE.rpartition('/')[0]}", check=False).returncode != 0
    status = machine.run("cat /proc/$(pidof swtpm)/status").stdout
    fields = dict(text.split(":\t", 1) for text in status.splitlines() if ":\t" in text)
    assert fields["Uid"].split() == [machine.run("id -u vxm-demo").stdout.strip()] * 4
    assert int(fields["CapBnd"], 16) == 0 and fields["NoNewPrivs"] == "1" and fields["Seccomp"] == "2"

    demo.stop(machine)
    demo.wait_undone(machine)
    demo.assert_as_before(before, demo.state(machine))
    assert is_active(machine, "vxm-tpm@demo") == "inactive"
    assert machine.run("ls /run/vxm/tpm").stdout == ""
    assert machine.run("systemctl show -P Result vxm-guest@demo").stdout == "success\n"

    demo.start(machine)
    report = demo.report(machine)
    assert (line(report, "tpm"), line(report, "uuid")) == (tpm, uuid)

    # It cannot be given back its TPM: the guest is asked to power off, and the next start is with the same one.
    machine.run("kill -9 $(pidof swtpm)")
    demo.wait_undone(machine)
    assert is_active(machine, "vxm-tpm@demo") == "failed"
    demo.assert_says(demo.journal(machine), "Guest has ended, as asked.")
    demo.assert_as_before(before, demo.state(machine))


@pytest.mark.parametrize("change, repair, words", [
    ("mv /usr/bin/swtpm /root", "mv /root/swtpm /usr/bin", ("[TPM] Enable=yes, but /usr/bin/swtpm is missing; install swtpm",)),
    (f"install -D /dev/null {STATE}", f"rm {STATE}", (STATE, "is empty; put it back from a backup")),
    (f"mkdir -p {STATE_DIRECTORY} && echo state >{STATE} && chown --reference={STATE_DIRECTORY} {STATE} && chmod 000 {STATE}",
     f"rm {STATE}", (STATE, "cannot be read and written by the guest's user; run chmod 600 on it.")),
])
def test_tpm_is_refused_before_anything_is_changed(machine, change, repair, words):
    machine.run(f"mv {STATE} /root/kept 2>/dev/null; {change}")
    demo.install(machine, text=demo.GUEST_FILE_BIOS + TPM)
    try:
        demo.assert_says(demo.refusal(machine), *words)
    finally:
        machine.run(f"{repair}; systemctl reset-failed")


def test_secure_boot_through_shim_and_pinned_firmware(machine):
    demo.install(machine, "secure", SECURE)
    demo.start(machine, "secure")
    hear(machine, "secure", b"VXM-REPORT-END")
    report = demo.report(machine, "secure")
    assert line(report, "firmware") == "UEFI"
    assert line(report, "secure boot") == "on"
    machine.run("systemctl kill --signal=KILL vxm-guest@secure")
    demo.wait_undone(machine, "secure")

    # An update brings a descriptor that comes first: guests that have been set up keep theirs.
    machine.run("mkdir -p /etc/qemu/firmware && cp /usr/share/OVMF/OVMF_CODE_4M.secboot.fd /srv/new.fd && sed "
                "'s,/usr/share/OVMF/OVMF_CODE[^\"]*,/srv/new.fd,' /usr/share/qemu/firmware/40-edk2-x86_64-secure-enrolled.json "
                ">/etc/qemu/firmware/00-new.json")
    demo.install(machine, "later", SECURE)
    assert "filename=/srv/new.fd," in machine.run("/usr/lib/vxm/vxm-qemu --dry-run later").stdout
    assert "filename=/usr/share/OVMF/" in machine.run("/usr/lib/vxm/vxm-qemu --dry-run secure").stdout

    demo.install(machine, "secure", SECURE.replace("SecureBoot=yes", "SecureBoot=no"))
    demo.assert_says(demo.refusal(machine, "secure"), "SecureBoot=no, but the guest was set up with SecureBoot=yes")
    machine.run("systemctl reset-failed; rm /etc/vxm/guests/later.guest")


def test_secure_boot_refuses_what_is_not_signed_for_it(machine):
    """systemd-boot is signed by Debian, whose key the firmware does not have."""
    demo.install(machine, "secure", SECURE)
    machine.run(f"mcopy -o -i {ESP} /usr/lib/systemd/boot/efi/systemd-bootx64.efi.signed ::/EFI/BOOT/BOOTX64.EFI")
    demo.start(machine, "secure")
    hear(machine, "secure", b"Access Denied")
    machine.run("systemctl kill --signal=KILL vxm-guest@secure; rm /etc/vxm/guests/secure.guest; systemctl reset-failed")
