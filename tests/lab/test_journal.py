# SPDX-License-Identifier: BSD-3-Clause
"""What a person reads: the journal's story, the catalog's texts, the status line."""

import pytest

import demo


@pytest.fixture(scope="module")
def told(lab_shared):
    """A lab in which the demo guest has started and stopped; its status while it ran stands in lab.status,
    and in lab.stale whether systemd asked for a reload once its file had been touched."""
    demo.install(lab_shared)
    demo.start(lab_shared)
    demo.report(lab_shared)
    lab_shared.status = lab_shared.run("systemctl status vxm-guest@demo").stdout
    lab_shared.run("touch /etc/vxm/guests/demo.guest")
    lab_shared.stale = lab_shared.run("systemctl show -P NeedDaemonReload vxm-guest@demo").stdout.strip()
    lab_shared.run("systemctl daemon-reload")
    demo.stop(lab_shared)
    demo.wait_undone(lab_shared)
    return lab_shared


def test_story_in_order(told):
    story = demo.journal(told)
    chapters = [f"{demo.GPU}: bochs-drm → vfio-pci", f"{demo.SOUND}: snd_hda_intel → vfio-pci",
                "Guest runs: 1 CPU, 256 MB, with 0000:01:00.0, 0000:01:00.1.",
                "Asking the guest to power off", "Guest agent answers", "Guest is off (guest-shutdown).",
                "Guest has ended, as asked.", f"{demo.SOUND}: vfio-pci → snd_hda_intel", f"{demo.GPU}: vfio-pci → bochs-drm",
                "All devices are back with the host, as before."]
    position = 0
    for chapter in chapters:
        position = story.find(chapter, position)
        assert position >= 0, f"“{chapter}” is missing or out of order in:\n{story}"


def test_story_is_short_and_calm(told):
    story = demo.journal(told).splitlines()
    assert len(story) <= 24, "\n".join(story)
    assert demo.journal(told, options="-p warning") == ""


def test_catalog_explains(told):
    explained = demo.journal(told, options="-x -o short")
    assert "Subject: " in explained and "Defined-By: vxm" in explained
    ids = told.run("journalctl -q -b -u vxm-guest@demo -o json --output-fields=MESSAGE_ID,VXM_GUEST | "
                   "grep -c '\"VXM_GUEST\":\"demo\"'").stdout
    assert int(ids) >= 8


def test_status_line(told):
    assert 'Status: "Running: 1 CPU, 256 MB, with 0000:01:00.0, 0000:01:00.1"' in told.status
    assert "vxm demo guest" in told.status and "Docs: man:" in told.status


def test_changed_guest_file_asks_for_reload(told):
    assert told.stale == "yes"
    assert told.run("systemctl show -P NeedDaemonReload vxm-guest@demo").stdout == "no\n"
