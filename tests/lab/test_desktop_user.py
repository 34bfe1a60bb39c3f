# SPDX-License-Identifier: BSD-3-Clause
"""[Guest] User=: a guest runs as somebody who sits at the desktop, sees nothing of what that user has besides, and leaves it alone
when it ends; its state goes along from one user to the other, and back."""

import pytest

import demo
from test_storage import add_disk, owner

pytestmark = pytest.mark.slow

STATE = "/var/lib/vxm/guests/demo"

AS_PERSON = demo.guest_file(
    "[Guest]\nUser=person\n\n[Boot]\nCommandLine=console=ttyS0 quiet storage disks=2",
    "[TPM]\nEnable=yes",
    "[CPU]\nPin=auto",
    "[Disk system]\nPath=/home/person/vm/system.raw",
    "[Disk node]\nPath={link}",
    "[Share music]\nPath=/home/person/music",
    "[Network out]",
    "[Display]\nSPICE=5930")

def sees(lab, pid, path):
    """Whether the guest's QEMU would see a file, as its user."""
    return lab.run(f"nsenter -t {pid} -m setpriv --reuid person --regid person --init-groups test -e {path}",
                   check=False).returncode == 0


def assert_reaches_no_other_program(lab, pid):
    """In all of QEMU's namespaces, the root directory of a program of that person is closed; it is the user namespace that does it."""
    lab.run("systemd-run -q --service-type=exec --unit=of-person --uid=person sleep infinity")
    other = lab.run("systemctl show -P MainPID of-person").stdout.strip()
    secret = f"/proc/{other}/root/home/person/secret"
    assert sees(lab, pid, secret)
    inside = f"nsenter -t {pid} -U -m -S $(id -u person) -G $(id -g person)"
    assert lab.run(f"{inside} test -e /proc/{pid}/root/home/person/vm/system.raw", check=False).returncode == 0
    assert lab.run(f"{inside} test -e {secret}", check=False).returncode == 1
    lab.run("systemctl stop of-person")


def prepare(lab):
    """What a user has: files, a running program's shared memory, a session; and a socket of the system for a group of hers."""
    lab.run("runuser -u person -- sh -c 'mkdir -p ~/vm ~/music; truncate -s 4M ~/vm/system.raw; echo mine >~/secret; "
            "echo written by the host >~/music/from-host; echo shared >/dev/shm/of-person'; "
            "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"/run/docker.sock\")'; "
            "chown root:person /run/docker.sock; chmod 660 /run/docker.sock")


def test_runs_as_person(lab_shared):
    lab = lab_shared
    demo.install(lab, text=demo.guest_file())
    demo.start(lab)
    demo.stop(lab)
    demo.wait_undone(lab)
    assert owner(lab, f"{STATE}/firmware") == "vxm-demo"

    node, link = add_disk(lab)
    prepare(lab)
    demo.install(lab, text=AS_PERSON.replace("{link}", link))
    before = demo.state(lab)
    demo.start(lab)
    pid = demo.qemu_pid(lab)
    assert lab.run(f"stat -c %U /proc/{pid}").stdout.strip() in ("person", "root")  # not dumpable
    assert lab.run(f"ps -o user= -p {pid}").stdout.strip() == "person"
    assert {owner(lab, path) for path in (STATE, f"{STATE}/firmware", f"{STATE}/tpm", node, "/run/vxm/sockets/demo/spice")} \
        == {"person"}
    assert lab.run(f"ps -eo user=,comm= | grep -E ' (swtpm|passt)' | sort -u").stdout.split()[::2] == ["person", "person"]
    for path in ("/home/person/secret", "/run/user/1000", "/run/docker.sock", "/run/dbus/system_bus_socket", "/run/vxm/disks/demo"):
        assert not sees(lab, pid, path), path
    for path in ("/home/person/vm/system.raw", "/run/vxm/sockets/demo/console", "/run/systemd/notify"):
        assert sees(lab, pid, path), path
    assert_reaches_no_other_program(lab, pid)
    report = demo.report(lab)
    assert any("disk: vd" in line and "serial system" in line for line in report), report
    assert 'share: music "written by the host"' in report and "share written: music" in report, report
    assert owner(lab, "/home/person/music/from-guest") == "person"

    # What is given goes back from whom it was given to, whatever the file says by then.
    demo.install(lab, text=demo.guest_file())
    demo.stop(lab)
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))
    assert lab.read("/dev/shm/of-person") == "shared\n"

    # And back to a user of its own, even if there is none any more.
    lab.run("userdel vxm-demo")
    demo.start(lab)
    assert owner(lab, f"{STATE}/firmware") == "vxm-demo"
    assert lab.run(f"ps -o user= -p {demo.qemu_pid(lab)}").stdout.strip() == "vxm-demo"
    demo.stop(lab)
    demo.wait_undone(lab)


@pytest.mark.parametrize("user, words", [
    ("nobody-here", "is no user of this machine"),
    ("root", "no guest runs as root"),
    ("daemon", "is a user of the system"),
])
def test_refused(lab_shared, user, words):
    demo.install(lab_shared, text=demo.guest_file(f"[Guest]\nUser={user}"))
    demo.assert_says(demo.refusal(lab_shared), "/etc/vxm/guests/demo.guest", f"[Guest] User={user} ", words)
