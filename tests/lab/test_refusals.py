# SPDX-License-Identifier: BSD-3-Clause
"""What vxm refuses: one clear line with the value and the next step, before anything has been changed."""

import pytest

import demo


def gpu(device):
    return demo.GUEST_FILE.replace("01:00.0", device)


# What is written into the guest file, or done to the machine; what the one line must say.
REFUSALS = {
    "unknown device": (gpu("09:00.0"), "", "There is no PCI device 0000:09:00.0 in this machine; see `lspci -D`, then "
                       "correct [GPU] Device= in /etc/vxm/guests/demo.guest."),
    "malformed address": (gpu("01:00:0:0"), "", "/etc/vxm/guests/demo.guest:5: [GPU] Device=01:00:0:0: expected a PCI address "
                          "such as 01:00.0"),
    "boot VGA": (gpu("00:10.0"), "", "0000:00:10.0 is the GPU this machine boots on"),
    "no GPU": (gpu("00:04.0"), "", "0000:00:04.0 is no GPU (class 078000)"),
    "no firmware": (demo.GUEST_FILE, "mv /usr/share/qemu/firmware /usr/share/OVMF /root",
                    "UEFI firmware for guests is missing"),
    "no QEMU": (demo.GUEST_FILE, "mv /usr/bin/qemu-system-x86_64 /root", "/usr/bin/qemu-system-x86_64 is missing; install"),
    "no KVM": (demo.GUEST_FILE, "rm /dev/kvm", "/dev/kvm is missing; turn on virtualization"),
    "missing disk": (demo.GUEST_FILE + "[Disk root]\nPath=/srv/none.img\n", "",
                     "/etc/vxm/guests/demo.guest: [Disk root] Path=/srv/none.img: No such file or directory"),
    "bad value": (demo.GUEST_FILE + "[Memory]\nSize=16X\n", "",
                  "/etc/vxm/guests/demo.guest:7: [Memory] Size=16X: expected a size"),
    "no preset": (demo.GUEST_FILE.replace("demo", "dmeo"), "", "Preset=dmeo: there is no such preset"),
    "masked": ("", "", "Guest “demo” is masked: /etc/vxm/guests/demo.guest is empty, or a link to /dev/null."),
}


def assert_refused(lab, name, message):
    """Starting fails, the guest's journal holds the message once, and nothing has been changed."""
    before = demo.state(lab)
    users = lab.read("/etc/passwd")
    done = lab.run(["systemctl", "start", f"vxm-guest@{name}"], check=False)
    assert done.returncode != 0
    demo.wait_undone(lab, name)
    story = demo.journal(lab, name)
    assert story.count(message) == 1, story
    demo.assert_as_before(before, demo.state(lab))
    assert lab.read("/etc/passwd") == users
    assert "Taken" not in story and "→ vfio-pci" not in story


@pytest.mark.parametrize("case", REFUSALS)
def test_refuses(lab, case):
    text, spoil, message = REFUSALS[case]
    demo.install(lab, text=text)
    if spoil:
        lab.run(spoil)
    assert_refused(lab, "demo", message)


@pytest.mark.parametrize("name", ["Demo", "9lives", "a_b", "a-very-long-name-for-a-guest"])
def test_refuses_names_out_of_grammar(lab_shared, name):
    assert_refused(lab_shared, name, f"“{name}” is no name for a guest; use a-z, 0-9 and “-”")


def test_refuses_unknown_guest(lab_shared):
    assert_refused(lab_shared, "nobody", "There is no guest “nobody”; write /etc/vxm/guests/nobody.guest")


@pytest.mark.machine("no-iommu")
def test_refuses_without_iommu(lab):
    demo.install(lab)
    assert_refused(lab, "demo", "0000:01:00.0 cannot be given to a guest while the IOMMU is off")


def test_refuses_a_gpu_that_another_guest_has(lab):
    demo.install(lab)
    demo.install(lab, "rival")
    before = demo.state(lab)
    demo.start(lab)
    taken = demo.state(lab)
    assert lab.run("systemctl start vxm-guest@rival", check=False).returncode != 0
    demo.wait_undone(lab, "rival")
    assert "0000:01:00.0 belongs to guest demo now; stop that first: systemctl stop vxm-guest@demo" in \
        demo.journal(lab, "rival")
    demo.assert_as_before(taken, demo.state(lab))
    demo.report(lab)
    demo.stop(lab)
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))


def test_broken_file_costs_only_its_own_guest(lab):
    demo.install(lab, "broken", demo.GUEST_FILE + "[Memory]\nSize=lots\n")
    lab.run("ln -s loop.guest /etc/vxm/guests/loop.guest")
    demo.install(lab)
    told = lab.run("journalctl --sync; journalctl -q -b -t vxm-generator -o cat").stdout
    assert "/etc/vxm/guests/broken.guest:7: [Memory] Size=lots" in told
    assert "/etc/vxm/guests/loop.guest: Cannot be read: Too many levels of symbolic links." in told
    assert_refused(lab, "broken", "/etc/vxm/guests/broken.guest:7: [Memory] Size=lots")
    demo.start(lab)
    demo.report(lab)
    demo.stop(lab)
