# SPDX-License-Identifier: BSD-3-Clause
"""Memory for Looking Glass: in the guest it is a PCI device, what the guest writes there is read by the one who looks and by nobody
else, no two guests share it, and it is gone when the guest is, however it ended."""

from pathlib import Path

import pytest

import demo
import killmatrix

KVMFR = Path(__file__).resolve().parent / "inside" / "kvmfr.c"

MIB = 1 << 20
BEGIN, END = b"written by the guest\0", b"up to the end\0"

LOOKING = demo.guest_file("[Display]\nLookingGlass=640x480\nLookingGlassUser=person")
OWN = demo.guest_file("[Guest]\nUser=person", "[Display]\nLookingGlass=32M\nSPICE=yes\nModel=none")

_READ = r"""
import mmap, sys
with open(sys.argv[1], "r+b", buffering=0) as f:
    memory = mmap.mmap(f.fileno(), int(sys.argv[2]))
    print(len(memory), memory[:21], memory[-14:])
"""


def read_as(lab, user, path, size=0):
    """What a client would find there, as a user: its size, begin and end; None: it is not let in. size: of what does not tell."""
    done = lab.run(["runuser", "-u", user, "--", "python3", "-c", _READ, path, str(size)], check=False)
    assert done.returncode == 0 or "PermissionError" in done.stderr, done.stderr
    return done.stdout.strip() or None


def expected(size):
    return f"{size} {BEGIN} {END}"


def test_seen_by_two_users_only(lab_shared):
    lab = lab_shared
    demo.install(lab, text=LOOKING)
    demo.install(lab, "own", OWN)
    lab.run("systemd-sysusers --inline 'u vxm-other -'")
    before = demo.state(lab)
    demo.start(lab)
    demo.start(lab, "own")
    paths = {"demo": "/run/vxm/looking-glass/demo", "own": "/run/vxm/looking-glass/own"}
    report = demo.report(lab)
    assert f"frames: {16 * MIB} bytes" in report, report
    assert any("1af4:1110" in line for line in report), report
    assert f"frames: {32 * MIB} bytes" in demo.report(lab, "own")

    assert lab.run(f"stat -c '%U:%G %a %s' {paths['demo']} {paths['own']}").stdout.splitlines() == [
        f"person:vxm-demo 660 {16 * MIB}", f"person:person 600 {32 * MIB}"]
    assert read_as(lab, "person", paths["demo"]) == expected(16 * MIB)
    assert read_as(lab, "person", paths["own"]) == expected(32 * MIB)
    assert read_as(lab, "vxm-demo", paths["demo"]) == expected(16 * MIB)
    for user, name in (("vxm-other", "demo"), ("nobody", "demo"), ("vxm-other", "own"), ("vxm-demo", "own")):
        assert read_as(lab, user, paths[name]) is None, (user, name)
    # Of the sandbox: one guest's QEMU does not reach the other's memory, even where the users would let it.
    pid = demo.qemu_pid(lab, "own")
    assert lab.run(f"nsenter -t {pid} -m sh -c 'echo x >>{paths['demo']}'", check=False).returncode != 0
    assert "looking-glass-client -f /run/vxm/looking-glass/demo" in demo.journal(lab)
    assert lab.run("runuser -u person -- test -w /run/vxm/sockets/own/spice", check=False).returncode == 0

    for name, way in (("demo", "kill qemu"), ("own", "stop")):
        demo.end(lab, way, name)
        demo.wait_undone(lab, name)
    demo.assert_as_before(before, demo.state(lab))


@pytest.mark.slow
@pytest.mark.parametrize("sections, words", [
    (("[Display]\nLookingGlass=32M\nLookingGlassUser=nobody-here",), ("[Display] LookingGlassUser=nobody-here ", "is no user")),
    (("[Display]\nLookingGlass=1G\nLookingGlassUser=person",), ("/run has no room for 1024 MiB of frames",)),
])
def test_refused(lab_shared, sections, words):
    demo.install(lab_shared, text=demo.guest_file(*sections))
    demo.assert_says(demo.refusal(lab_shared), *words)


@pytest.mark.slow
def test_kvmfr(lab_shared):
    """Of two nodes the one that is large enough goes to the guest, and to who looks; the next guest gets memory. A guest with a
    share does, too."""
    lab = lab_shared
    lab.put(KVMFR)
    lab.run("systemd-sysusers --inline 'u vxm-other -'")
    lab.run("mkdir -p kvmfr && cp kvmfr.c kvmfr/ && echo 'obj-m := kvmfr.o' >kvmfr/Makefile && "
            "make -s -C /lib/modules/$(uname -r)/build M=/root/kvmfr modules && insmod kvmfr/kvmfr.ko static_size_mb=1,16 && "
            "udevadm settle && chmod 640 /dev/kvmfr1")
    demo.install(lab, text=LOOKING)
    demo.install(lab, "own", OWN.replace("32M", "16M"))
    nodes = "stat -c '%U:%G %a' /dev/kvmfr0 /dev/kvmfr1"
    before = demo.state(lab), lab.run(nodes).stdout
    # A file that was not removed, of a start before there was a node: it goes before its record does.
    lab.run(f"echo 'file {16 * MIB} /run/vxm/looking-glass/demo' >/run/vxm/frames/demo; echo x >/run/vxm/looking-glass/demo")
    demo.start(lab)
    demo.start(lab, "own")
    assert f"frames: {16 * MIB} bytes" in demo.report(lab)
    assert lab.run(nodes).stdout.splitlines() == ["root:root 600", "person:vxm-demo 660"]
    assert lab.run("ls /run/vxm/looking-glass").stdout.split() == ["own"]
    assert read_as(lab, "person", "/dev/kvmfr1", 16 * MIB) == expected(16 * MIB)
    assert read_as(lab, "vxm-other", "/dev/kvmfr1", 16 * MIB) is None
    demo.stop(lab, "own")
    demo.end(lab, "kill supervisor")
    for name in ("demo", "own"):
        demo.wait_undone(lab, name)
    assert lab.run(nodes).stdout == before[1]
    demo.assert_as_before(before[0], demo.state(lab))
    lab.run("mkdir -p /srv/music")
    demo.install(lab, text=LOOKING + "\n[Share music]\nPath=/srv/music\nReadOnly=yes\n")
    assert "looking-glass/demo" in lab.run("/usr/lib/vxm/vxm-frames --dry-run demo").stdout


@pytest.mark.slow
def test_kill_matrix(lab, tell):
    """The record, the file, its size, owner and mode; and the way back."""
    found = killmatrix.run(lab, LOOKING, "vxm-frames")
    killmatrix.assert_complete(found, tell, {f"{phase}, {kind}": least for phase, least in (("take", 7), ("undo", 2))
                                             for kind in ("killed before", "killed after", "all killed", "EIO", "ENOSPC")})
