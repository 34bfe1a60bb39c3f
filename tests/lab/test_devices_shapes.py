# SPDX-License-Identifier: BSD-3-Clause
"""Every kind of machine the lab has: the device is taken, used by a guest, and given back, or it is refused for a reason
that says what the host would lose. Either way all is as before afterwards."""

import pytest

import demo

# What of each machine goes to the guest: [GPU] Device=, all functions taken, and what the guest sees of them: class and ID.
TAKEN = {
    "identical": ("02:00.0", ["0000:02:00.0", "0000:02:00.1"], ["030000 id 1234:1111", "040300 id 8086:2668"], "gpu2"),
    "four-function": ("01:00.0", [f"0000:01:00.{function}" for function in range(4)],
                      ["030000 id 1234:1111", "040300 id 8086:2668", "0c0330 id 1033:0194", "00ff00 id 1b36:0005"], "gpu1"),
    "display-0380": ("01:00.0", ["0000:01:00.0"], ["038000 id 1234:1111"], "gpu1"),
}

# What is refused, and the words of the one line that says why.
REFUSED = {
    "crowded": ("[GPU]\nDevice=02:01.0", ("0000:02:01.0", "0000:02:02.0", "default route")),
    "root-disk": ("[GPU]\nDevice=02:01.0", ("0000:02:01.0", "0000:02:02.0", "root")),
    "single": ("[GPU]\nDevice=01:00.0", ("0000:01:00.0", "SingleGpu=yes")),
}


def shaped(cases):
    return [pytest.param(shape, marks=pytest.mark.machine(shape)) for shape in cases]


@pytest.mark.parametrize("shape", shaped(TAKEN))
def test_taken_used_and_given_back(lab, shape, tmp_path):
    device, functions, seen, screen = TAKEN[shape]
    demo.install(lab, text=demo.guest_file(f"[GPU]\nDevice={device}"))
    before = demo.state(lab)
    demo.start(lab)
    during = demo.state(lab)
    bound = [line.split()[0] for line in during.splitlines() if " driver vfio-pci " in line]
    assert bound == functions
    report = demo.report(lab)
    for what in seen:
        assert any(what in line for line in report if line.startswith("pci: ")), f"{what} is not in {report}"
    lab.assert_demo_picture(screen, tmp_path / "guest.png")
    demo.stop(lab)
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))


@pytest.mark.parametrize("shape", shaped(REFUSED))
def test_refused_with_what_the_host_would_lose(lab, shape):
    section, words = REFUSED[shape]
    demo.install(lab, text=demo.guest_file(section))
    demo.assert_says(demo.refusal(lab), *words)


@pytest.mark.machine("crowded")
def test_member_that_nobody_needs_is_passed_too(lab):
    """The same network card without a job: the host loses nothing."""
    lab.run("rm /etc/systemd/network/60-crowded.network && systemctl restart systemd-networkd && "
            "ip address flush dev ens2 && ip link set ens2 down")
    demo.install(lab, text=demo.guest_file("[GPU]\nDevice=02:01.0"))
    before = demo.state(lab)
    demo.start(lab)
    report = demo.report(lab)
    assert any("id 8086:100e" in line for line in report), report
    demo.stop(lab)
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))


@pytest.mark.machine("identical")
def test_two_guests_with_a_card_each(lab):
    demo.install(lab, text=demo.guest_file("[GPU]\nDevice=01:00.0"))
    demo.install(lab, "second", demo.guest_file("[GPU]\nDevice=02:00.0"))
    before = demo.state(lab)
    demo.start(lab)
    demo.start(lab, "second")
    demo.report(lab)
    demo.report(lab, "second")
    demo.stop(lab, "second")
    demo.wait_undone(lab, "second")
    assert "0000:02:00.0 driver bochs-drm" in demo.state(lab)
    demo.stop(lab)
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))


@pytest.mark.machine("identical")
def test_one_guest_with_both_cards(lab):
    demo.install(lab, text=demo.guest_file("[GPU]\nDevice=01:00.0", "[GPU second]\nDevice=02:00.0"))
    before = demo.state(lab)
    demo.start(lab)
    assert len([line for line in demo.report(lab) if line.startswith("gpu: ")]) == 2
    demo.stop(lab)
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))


@pytest.mark.machine("four-function")
@pytest.mark.parametrize("device, functions, seen", [
    ("02:00.0", ["0000:02:00.0"], "020000 id 8086:10d3"),
    ("03:00.0", ["0000:03:00.0"], "0c0330 id 1033:0194"),
], ids=["network card", "USB controller"])
def test_any_function(lab, device, functions, seen):
    """[PCI] takes what is no GPU."""
    demo.install(lab, text=demo.guest_file(f"[PCI]\nDevice={device}"))
    before = demo.state(lab)
    demo.start(lab)
    bound = [line.split()[0] for line in demo.state(lab).splitlines() if " driver vfio-pci " in line]
    assert bound == functions
    report = demo.report(lab)
    assert any(seen in line for line in report), report
    demo.stop(lab)
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))


@pytest.mark.parametrize("section, words", [
    ("[GPU]\nDevice=00:1c.0", ("0000:00:1c.0", "no GPU")),
    ("[PCI]\nDevice=00:1c.0", ("0000:00:1c.0", "bridge")),
    ("[GPU]\nDevice=00:10.0", ("0000:00:10.0", "boots on")),
    ("[PCI]\nDevice=00:03.0", ("0000:00:03.0", "root")),
    ("[PCI]\nDevice=00:14.0", ("0000:00:14.0", "keyboard")),
], ids=["bridge as GPU", "bridge", "boot VGA", "root disk's controller", "keyboard's controller"])
def test_refused_for_what_it_is(lab_shared, section, words):
    demo.install(lab_shared, text=demo.guest_file(section))
    demo.assert_says(demo.refusal(lab_shared), *words)


def test_sound_of_a_lit_gpu(lab_shared):
    """Whether a GPU that shows nothing is lit is a matter of which of them was found first; here it is for sure."""
    lab_shared.run("for fb in /sys/bus/pci/devices/0000:01:00.0/graphics/fb*; do echo 0 >$fb/blank; done")
    demo.install(lab_shared, text=demo.guest_file("[PCI]\nDevice=01:00.1"))
    demo.assert_says(demo.refusal(lab_shared), "0000:01:00.1", "0000:01:00.0", "display")
