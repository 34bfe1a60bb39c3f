# SPDX-License-Identifier: BSD-3-Clause
"""The ways to name a device, what is said when that is not enough, and a card that is not the one it was."""

import pytest

import demo

CARD = ["0000:01:00.0", "0000:01:00.1"]


def install(lab, section, device):
    demo.install(lab, text=demo.guest_file(f"[{section}]\nDevice={device}"))


@pytest.mark.parametrize("spelling", ["1:0.0", "01:00.0", "0000:01:00.0", "1:00.0", "0000:1:0.0", "pci-0000:01:00.0"])
def test_spellings_of_an_address(lab_shaped, spelling):
    install(lab_shaped, "GPU", spelling)
    assert demo.taken(lab_shaped) == CARD


@pytest.mark.parametrize("spelling", ["1D:0.0", "0000:1D:00.0", "1d:0.0"])
def test_case_does_not_matter(lab_shaped, spelling):
    """Of an address with a letter; there is no such device, so it is the refusal that spells it as the kernel does."""
    install(lab_shaped, "GPU", spelling)
    status, said = demo.steps(lab_shaped)
    assert status == 78 and "0000:1d:00.0" in said, said


@pytest.mark.machine("four-function")
@pytest.mark.parametrize("section, device, functions", [
    ("GPU", "1234:1111", "01:00"), ("GPU", "1234:1111:1af4:1100", "01:00"),
    ("PCI", "8086:10d3", "02:00"), ("PCI", "8086:10D3", "02:00"), ("PCI", "82574L", "02:00"),
    ("PCI", "82574l gigabit", "02:00"), ("PCI", "pci-0000:02:00.0", "02:00"),
])
def test_ids_and_names(lab_shaped, section, device, functions):
    install(lab_shaped, section, device)
    found = demo.taken(lab_shaped)
    assert found and all(function.startswith(f"0000:{functions}.") for function in found), found


def test_auto_is_the_gpu_that_the_host_does_not_use(lab_shared):
    install(lab_shared, "GPU", "auto")
    assert demo.taken(lab_shared) == CARD


@pytest.mark.machine("identical")
@pytest.mark.parametrize("device", ["1234:1111", "1234:1111:1af4:1100", "auto"])
def test_ambiguous_names_list_the_candidates(lab_shaped, device):
    install(lab_shaped, "GPU", device)
    story = demo.refusal(lab_shaped)
    assert "0000:01:00.0" in story and "0000:02:00.0" in story and device in story, story


@pytest.mark.parametrize("device", ["1234:ffff", "RX 6800", "pci-0000:09:00.0", "09:00.0"])
def test_nothing_of_that_name(lab_shaped, device):
    install(lab_shaped, "GPU", device)
    status, said = demo.steps(lab_shaped)
    assert status == 78 and "09:00.0" in said if "09:" in device else device in said, said


@pytest.mark.parametrize("device", ["01:00:0:0", "1:0.8", "01:20.0", "12345:1111", ""])
def test_malformed(lab_shaped, device):
    install(lab_shaped, "GPU", device)
    status, said = demo.steps(lab_shaped)
    assert (status == 78 and "/etc/vxm/guests/demo.guest" in said) or device == "", said


@pytest.mark.machine("four-function")
def test_named_device_starts(lab):
    install(lab, "GPU", "1234:1111:1af4:1100")
    before = demo.state(lab)
    demo.start(lab)
    assert any(line.startswith("gpu: ") for line in demo.report(lab))
    demo.stop(lab)
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))


def test_recorded_card_is_recognized(lab):
    """--record notes slot and IDs; the same hardware is fine, other hardware in that slot is refused with old and new."""
    install(lab, "GPU", "01:00.0")
    lab.run("/usr/lib/vxm/vxm-bind --record demo && systemctl daemon-reload && sync")
    assert demo.taken(lab) == CARD
    lab.power_off()
    lab.boot()
    assert demo.taken(lab) == CARD
    lab.power_off()
    lab.boot(shape_name="crowded")  # the card has moved behind a bridge that is now in its place
    demo.assert_says(demo.refusal(lab), "0000:01:00.0", "1234:1111", "1b36:000e")
    lab.power_off()
    lab.boot(shape_name="two-gpu")
    before = demo.state(lab)
    demo.start(lab)
    demo.stop(lab)
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))
