# SPDX-License-Identifier: BSD-3-Clause
"""What a running guest's processes may do: nothing beyond the guest."""

import pytest

import demo


@pytest.fixture(scope="module")
def running(lab_shared):
    demo.install(lab_shared)
    demo.start(lab_shared)
    return lab_shared


def status_of(lab, pid):
    """/proc/PID/status as a dictionary."""
    lines = lab.run(f"cat /proc/{pid}/status").stdout.splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def test_qemu_is_unprivileged(running):
    uid = running.run("id -u vxm-demo").stdout.strip()
    status = status_of(running, demo.qemu_pid(running))
    assert status["Uid"].split() == [uid] * 4 and uid != "0"
    for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[capabilities], 16) == 0, capabilities
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_supervisor_is_unprivileged_and_small(running):
    pid = demo.main_pid(running)
    status = status_of(running, pid)
    assert "0" not in status["Uid"].split()
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    pss = int(running.run(f"awk '/^Pss:/ {{ print $2 }}' /proc/{pid}/smaps_rollup").stdout)
    assert pss <= 2048, f"the supervisor has {pss} kB PSS"


def test_no_privileged_process_of_vxm(running):
    """None of vxm's programs runs as root, and none of root's processes is in a unit of vxm's."""
    lines = running.run("ps -eo uid,comm,cgroup --no-headers").stdout.splitlines()
    ours = [line for line in lines if "vxm-" in line and "vxm-lab" not in line]
    assert ours and not [line for line in ours if line.split()[0] == "0"], ours


def test_guest_user_reaches_only_its_own_nodes(running):
    """As another user on the machine, and as another guest's: the GPU's node, the sockets and the NVRAM are closed."""
    running.run("systemd-sysusers --inline 'u vxm-other -'")
    nodes = running.run("find /dev/vfio -name '[0-9]*'").stdout.split()
    assert nodes
    for path in [*nodes, "/run/vxm/sockets/demo/console", "/var/lib/vxm/guests/demo/firmware/nvram.fd"]:
        running.run(f"runuser -u vxm-demo -- test -w {path}")
        assert running.run(f"runuser -u vxm-other -- test -r {path}", check=False).returncode == 1, path


def test_qemu_sees_closed_devices(running):
    """The device cgroup lets QEMU at KVM and vfio; a block device it could read by its mode stays shut."""
    running.run("mknod -m 666 /dev/vxm-test-disk b 254 0")
    status = running.run("systemd-run --wait --pipe -q -p User=vxm-demo -p DevicePolicy=closed -p DeviceAllow='/dev/kvm rw' "
                         "head -c 1 /dev/vxm-test-disk", check=False)
    assert status.returncode != 0
    policy = running.run("systemctl show -P DevicePolicy -P DeviceAllow vxm-guest@demo").stdout
    assert policy.split("\n")[0] == "closed"
    for node in ("/dev/kvm rw", "/dev/vfio/vfio rw", "char-vfio rw"):
        assert node in policy
