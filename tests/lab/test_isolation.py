# SPDX-License-Identifier: BSD-3-Clause
"""Two guests at once that have all there is: one reaches nothing of the other, neither as its user nor from within its sandbox,
and the end of one leaves the other's memory, CPUs, ports and taps alone."""

import json
from pathlib import Path

import pytest

import demo
from test_cpus import cpus, systemd_says
from test_memory import held, pages
from test_storage import add_disk

pytestmark = [pytest.mark.slow, pytest.mark.machine("four-cpus")]

_REACH = Path(__file__).resolve().parent / "inside" / "reach.py"
_A, _B = "alpha", "beta"


def text_of(number, *sections):
    """The file of one of the two: all that both can have, each its own."""
    name = (_A, _B)[number]
    return demo.guest_file(
        "[Memory]\nSize=128M\nHugePages=2M", f"[CPU]\nCount=1\nPin={2 + number}\nIsolate=yes", "[TPM]\nEnable=yes",
        "[Disk own]\nSize=16M", f"[Disk far]\nPath=/srv/{name}/far.raw\nFormat=raw\nSize=8M",
        f"[Share files]\nPath=/srv/{name}/files", "[Network lan]\nType=bridge\nBridge=br0",
        f"[Network out]\nSSH={2201 + number}", f"[Display]\nSPICE={5930 + number}\nVNC={5900 + number}", *sections)


@pytest.fixture(scope="module")
def running(lab_shared):
    """Both run; the second has the GPU and a block device, too."""
    lab = lab_shared
    _, link = add_disk(lab)
    lab.run("ip link add br0 type bridge && ip link set br0 up && ip route add default via 10.0.2.2")
    for name in (_A, _B):
        lab.run(f"systemd-sysusers --inline 'u vxm-{name} -' && mkdir -p /srv/{name}/files && touch /srv/{name}/files/letter && "
                f"chown -R vxm-{name}: /srv/{name}/files && chmod -R go= /srv/{name}/files")
    lab.put(_REACH)
    demo.install(lab, _A, text_of(0))
    demo.install(lab, _B, text_of(1, "[GPU]\nDevice=01:00.0", f"[Disk node]\nPath={link}"))
    lab.before = demo.state(lab)
    lab.run(f"systemctl start vxm-guest@{_A} vxm-guest@{_B}", check=False)
    for name in (_A, _B):
        assert lab.run(f"systemctl is-active vxm-guest@{name}", check=False).stdout == "active\n", demo.journal(lab, name)
        demo.report(lab, name)
    return lab


def found(lab, name):
    """All there is of a guest."""
    return json.loads(lab.run(f"python3 reach.py find {name}").stdout)


def as_user(name):
    return f"setpriv --reuid vxm-{name} --regid vxm-{name} --groups kvm --no-new-privs"


def in_namespaces(lab, name, *kinds):
    """As a guest's user in namespaces of its QEMU, first of all its user namespace: it is closed to others, even of this user."""
    options = " ".join(f"--{kind}" for kind in kinds)
    return (f"setpriv --groups kvm nsenter --target {demo.qemu_pid(lab, name)} --user --preserve-credentials "
            f"--setuid $(id -u vxm-{name}) --setgid $(id -g vxm-{name}) {options} setpriv --no-new-privs")


def in_sandbox(lab, name):
    """In the control group, and with it the list of devices, and in all namespaces of a guest's QEMU, as its user."""
    group = lab.run(f"systemctl show -P ControlGroup vxm-guest@{name}").stdout.strip()
    return (f"sh -c 'echo $$ >/sys/fs/cgroup{group}/cgroup.procs && exec \"$@\"' sh "
            f"{in_namespaces(lab, name, 'mount', 'net', 'ipc')}")


def reached(lab, who, things):
    """What of these things the start of a command line reaches."""
    lab.write("/run/things.json", json.dumps(things))
    done = lab.run(f"{who} python3 -c \"$(cat reach.py)\" try </run/things.json")
    return [tuple(thing) for thing in json.loads(done.stdout)]


def named(lab, name):
    """What must be among the things of a guest that its own user reaches, or the test would prove nothing."""
    qemu, sockets, state = demo.qemu_pid(lab, name), f"/run/vxm/sockets/{name}", f"/var/lib/vxm/guests/{name}"
    things = {("connect", f"{sockets}/{socket}") for socket in ("console", "agent", "spice", "vnc")}
    things |= {("open", f"{state}/own.qcow2"), ("list", f"{state}/tpm"), ("list", f"{state}/firmware"), ("list", state)}
    things |= {("write", f"/run/vxm/tpm/{name}/socket"), ("write", f"/run/vxm/shares/{name}:files")}
    things |= {("open", f"/srv/{name}/far.raw"), ("open", f"/srv/{name}/files/letter")}
    things |= {("open", f"/proc/{qemu}/{part}") for part in ("mem", "environ", "maps")}
    things |= {("trace", str(qemu)), ("signal", str(qemu)), ("follow", f"/proc/{qemu}/root"), ("list", f"/proc/{qemu}/fd")}
    if name == _B:
        things |= {("open", path) for path in lab.run("find /dev/vfio -name '[0-9]*' -user vxm-beta").stdout.split()}
        things |= {("open", path) for path in lab.run("find /dev -type b -user vxm-beta").stdout.split()}
        assert len([thing for thing in things if thing[1].startswith("/dev/")]) == 2, things
    return things


@pytest.mark.parametrize("mine, theirs", [(_A, _B), (_B, _A)])
def test_nothing_of_the_other_is_reached(running, tell, mine, theirs):
    lab = running
    things = found(lab, theirs)
    own = reached(lab, in_namespaces(lab, theirs), things)
    missing = named(lab, theirs) - set(own)
    assert not missing, f"the guest's own user does not reach {sorted(missing)}"
    assert {verb for verb, _ in own} >= {"open", "list", "connect", "write", "attach", "follow", "signal", "trace"}, own
    of_process = [thing for thing in things if thing[0] in ("trace", "follow") or thing[1].endswith("/environ")]
    qemu = str(demo.qemu_pid(lab, theirs))
    assert [thing for thing in reached(lab, as_user(theirs), of_process) if qemu in thing[1].split("/")] == []
    for who in (as_user(mine), in_sandbox(lab, mine)):
        assert reached(lab, who, things) == [], who
    tell(f"of {len(things)} things of {theirs}'s its own user reaches {len(own)}, {mine} none")


def of_guest(lab, name):
    """What a guest has of what there is for all: pages, CPUs, ports, taps."""
    uid, qemu = lab.run(f"id -u vxm-{name}").stdout.strip(), demo.qemu_pid(lab, name)
    # Others come and go as QEMU has work for them.
    threads = lab.run(f"for i in /proc/{qemu}/task/*; do grep -q '^CPU .*/KVM' $i/comm && grep -H Cpus_allowed_list: $i/status; done; true").stdout
    assert threads
    taps = lab.run(f"for i in /sys/class/net/*; do [ \"$(cat $i/owner 2>/dev/null)\" != {uid} ] || "
                   "echo $i $(readlink $i/master) $(cat $i/flags) $(cat $i/carrier); done").stdout
    number = (_A, _B).index(name)
    ports = [word for word in lab.run("ss -Hltn").stdout.split() if word.endswith((f":{2201 + number}", f":{5930 + number}",
                                                                                  f":{5900 + number}"))]
    assert taps and len(set(ports)) == 3, (taps, ports)
    return {"pages": held(lab, name), "threads": threads, "taps": taps, "ports": sorted(ports), "process": qemu}


def test_the_end_of_one_is_nothing_to_the_other(running):
    lab = running
    before = of_guest(lab, _A)
    assert before["pages"] == of_guest(lab, _B)["pages"] == 128
    assert (pages(lab), pages(lab, "free")) == (128, 0)
    assert systemd_says(lab, "system.slice", "AllowedCPUs") == {0, 1}
    lab.run(f"kill -9 {demo.qemu_pid(lab, _B)}")
    demo.wait_undone(lab, _B)
    assert of_guest(lab, _A) == before
    assert (pages(lab), pages(lab, "free")) == (64, 0)
    assert systemd_says(lab, "system.slice", "AllowedCPUs") == {0, 1, 3}
    assert cpus(lab.read(f"/run/vxm/cpus/{_A}").splitlines()[0].split()[1]) == {2}
    listens = [word.rpartition(":")[2] for word in lab.run("ss -Hltn").stdout.split()]
    assert not {"2202", "5931", "5901"} & set(listens), listens
    demo.report(lab, _A)
    demo.stop(lab, _A)
    demo.wait_undone(lab, _A)
    demo.assert_as_before(lab.before, demo.state(lab))
