# SPDX-License-Identifier: BSD-3-Clause
"""A guest's memory: made of huge pages that are added and taken away, locked, ballooned; and refused if there is not so much.
"As before" includes the pools of huge pages, see inside/state.py."""

import re

import demo

_POOL = "/sys/devices/system/node/node0/hugepages/hugepages-2048kB"
# 256 MiB are 128 pages.
_HUGE = demo.guest_file("[Memory]\nSize=256M\nHugePages=2M")


def pages(lab, kind="nr"):
    return int(lab.read(f"{_POOL}/{kind}_hugepages"))


def held(lab, name):
    """MiB that a guest's QEMU has in huge pages."""
    status = lab.run(f"cat /proc/{demo.qemu_pid(lab, name)}/status").stdout
    return int(re.search(r"^HugetlbPages:\s+(\d+) kB", status, re.M)[1]) // 1024


def assert_undone(lab, before, *names):
    for name in names:
        demo.wait_undone(lab, name)
    demo.assert_as_before(before, demo.state(lab))


def test_pages_are_given_back(lab):
    """With some in the pool that are the administrator's: 28 of them are used, 100 are added, and 100 go again."""
    lab.run(f"echo 28 >{_POOL}/nr_hugepages")
    demo.install(lab, text=_HUGE)
    before = demo.state(lab)
    demo.start(lab)
    assert (pages(lab), pages(lab, "free"), held(lab, "demo")) == (128, 0, 256)
    demo.end(lab, "kill supervisor")
    assert_undone(lab, before, "demo")
    story = demo.journal(lab)
    assert story.count("Huge pages on node 0: 100 added, 28 → 128.") == 1, story
    assert story.count("Huge pages on node 0: 100 given back, 128 → 28.") == 1, story


def test_the_guests_memory_is_in_huge_pages(lab):
    """All of it, and from the start on, as the kernel tells it of QEMU's mappings."""
    demo.install(lab, text=_HUGE.replace("HugePages=2M", "HugePages=2M\nLock=yes"))
    before = demo.state(lab)
    demo.start(lab)
    maps = lab.run(f"cat /proc/{demo.qemu_pid(lab)}/smaps").stdout
    ram = [part for part in re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", maps, flags=re.M) if "memory-backend-memfd" in part]
    assert ram, maps
    assert {re.search(r"KernelPageSize:\s+(\d+) kB", part)[1] for part in ram} == {"2048"}, ram
    huge = sum(int(re.search(r"Shared_Hugetlb:\s+(\d+)", part)[1]) + int(re.search(r"Private_Hugetlb:\s+(\d+)", part)[1])
               for part in ram)
    assert huge == 256 * 1024, ram
    assert int(re.search(r"VmLck:\s+(\d+)", lab.run(f"cat /proc/{demo.qemu_pid(lab)}/status").stdout)[1]) > 0
    assert any(line.startswith("memory: 2") for line in demo.report(lab))
    demo.stop(lab)
    assert_undone(lab, before, "demo")


def test_two_guests_keep_their_pages_apart(lab):
    """Started at once, each gets its own; the end of one leaves the other's alone, whoever is first."""
    demo.install(lab, "a", _HUGE)
    demo.install(lab, "b", _HUGE.replace("256M", "128M"))
    before = demo.state(lab)
    for first, second, left in (("a", "b", 64), ("b", "a", 128)):
        lab.run("systemctl start vxm-guest@a vxm-guest@b")
        assert (held(lab, "a"), held(lab, "b")) == (256, 128)
        assert (pages(lab), pages(lab, "free")) == (192, 0)
        lab.run(f"kill -9 {demo.qemu_pid(lab, first)}")
        demo.wait_undone(lab, first)
        assert (pages(lab), pages(lab, "free")) == (left, 0)
        lab.run(f"kill -9 {demo.qemu_pid(lab, second)}")
        assert_undone(lab, before, first, second)
        lab.run("systemctl reset-failed", check=False)


def test_too_much_memory_is_refused(lab_shared):
    """In one line each, and nothing is left: of the machine, of what is available, and of huge pages. The GPU is not touched."""
    lab = lab_shared
    gpu = "[GPU]\nDevice=01:00.0"
    total = int(re.search(r"MemTotal:\s+(\d+) kB", lab.read("/sys/devices/system/node/node0/meminfo"))[1]) // 1024
    nearly_all = f"Size={total // 2 * 2 - 16}M"
    for memory, words in (
        ("Size=64G", ("Size= is 64 GiB", "in all")),
        ("Size=64G\nHugePages=2M", ("Size= is 64 GiB", "in all")),
        (nearly_all, ("of the machine's ", "are available now")),
        (f"{nearly_all}\nHugePages=2M", (f"needs {total // 2 - 8} huge pages of 2 MiB", "there are 0 free ones, and memory for ")),
    ):
        demo.install(lab, text=demo.guest_file(f"[Memory]\n{memory}", gpu))
        story = demo.refusal(lab)
        demo.assert_says(story, "/etc/vxm/guests/demo.guest: [Memory] ", *words)
        assert sum("[Memory]" in line for line in story.splitlines()) == 1, story
        assert "added" not in story


def test_pages_that_cannot_be_made_are_given_back(lab):
    """There is memory, but not in one piece: what could be had is taken away again, and the desktop keeps its GPU. (A
    decoy says that no page is free, however many come.)"""
    demo.install(lab, text=demo.guest_file("[Memory]\nSize=256M\nHugePages=2M", "[GPU]\nDevice=01:00.0"))
    lab.run(f"cp {_POOL}/free_hugepages /run/decoy && mount --bind /run/decoy {_POOL}/free_hugepages")
    story = demo.refusal(lab)
    demo.assert_says(story, "needs 128 huge pages of 2 MiB (256 MiB); there are 0, more could not be made")


def test_balloon(lab):
    """Free pages that the guest reports go back to the host: QEMU holds less than it has touched."""
    demo.install(lab, text=demo.guest_file("[Memory]\nSize=256M\nBalloon=yes"))
    before = demo.state(lab)
    demo.start(lab)
    assert any("1af4:1045" in line or "1af4:1002" in line for line in demo.report(lab))  # a virtio balloon
    demo.stop(lab)
    assert_undone(lab, before, "demo")
