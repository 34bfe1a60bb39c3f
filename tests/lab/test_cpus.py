# SPDX-License-Identifier: BSD-3-Clause
"""A guest's CPUs: how many it sees and as what, where its threads run, that the host keeps off them while it runs, and
has them back however it ends."""

from pathlib import Path

import pytest

import demo

pytestmark = pytest.mark.machine("four-cpus")

HELPER = "/usr/lib/vxm/vxm-cpus"
HOST = ("init.scope", "system.slice", "user.slice", "machine.slice")

GUEST = "[CPU]\nCount=2\nTopology=1:1:2\nPin=2-3\nIsolate=yes"
_WINDOWS = "[Guest]\nOS=windows"

# The interrupts that can be moved at all, by trying: a mask is written back as it is.
_MOVABLE = """
from pathlib import Path
for mask in sorted(Path("/proc/irq").glob("*/smp_affinity_list")):
    text = mask.read_text()
    try:
        mask.write_text(text)
        print(mask.parent.name, text.strip())
    except OSError:
        pass
"""


def cpus(text):
    """The numbers of “0-1,3”."""
    numbers = set()
    for part in text.strip().split(",") if text.strip() else ():
        first, _, last = part.partition("-")
        numbers.update(range(int(first), int(last or first) + 1))
    return numbers


def systemd_says(lab, unit, name):
    """AllowedCPUs or EffectiveCPUs of a unit, which systemd separates by spaces."""
    return cpus(lab.run(f"systemctl show -P {name} {unit}").stdout.strip().replace(" ", ","))


def threads(lab):
    """Name → set of CPUs, of QEMU's threads."""
    text = lab.run(f"grep -h -e ^Name: -e ^Cpus_allowed_list: /proc/{demo.qemu_pid(lab)}/task/*/status").stdout
    values = [line.split(":\t")[1] for line in text.splitlines()]
    return list(zip(values[::2], map(cpus, values[1::2])))


def is_vcpu(name):
    """Or the thread of the kernel's that KVM makes when a guest first runs: it is as the vCPU is that runs first."""
    return "/KVM" in name or name.startswith("kvm-nx-lpage-re")


def vcpus(lab):
    return sorted(max(allowed) for name, allowed in threads(lab) if name.endswith("/KVM") and len(allowed) == 1)


def movable(lab):
    return dict(line.split() for line in lab.run(["python3", "-"], input=_MOVABLE).stdout.splitlines())


def kernel_threads(lab):
    """PID and start → set of CPUs, of the kernel's threads that could be moved; those of interrupts follow these later."""
    lab.put(Path(__file__).resolve().parent / "inside/state.py")
    words = "import state; print(*('\\t'.join(thread) for thread in state.kernel_threads()), sep='\\n')"
    rows = (line.split("\t") for line in lab.run(["python3", "-"], input=words).stdout.splitlines())
    return {which: cpus(allowed) for which, name, allowed in rows if not name.startswith("irq/")}


def assert_kept_off(lab, before, fenced):
    """Those that were there before, as new ones begin with all CPUs; one that may run on no others is bound there."""
    strays = {which: allowed for which, allowed in kernel_threads(lab).items()
              if which in before and allowed & fenced and not allowed <= fenced}
    assert not strays, strays
    mask = lab.run("cat /sys/devices/virtual/workqueue/cpumask").stdout.replace(",", "")
    assert not int(mask, 16) & sum(1 << number for number in fenced), mask


def install(lab, *sections, name="demo"):
    demo.install(lab, name, demo.guest_file(*sections))


def test_isolated_guest(lab):
    install(lab, GUEST, _WINDOWS)
    before, interrupts, kernel = demo.state(lab), movable(lab), kernel_threads(lab)
    assert interrupts and any({2, 3} < allowed for allowed in kernel.values())

    for way in ("stop", "kill supervisor"):
        demo.start(lab)
        if way == "stop":
            assert_seen_inside(demo.report(lab))
        assert vcpus(lab) == [2, 3], threads(lab)
        assert all(allowed <= {0, 1} for name, allowed in threads(lab) if not is_vcpu(name)), threads(lab)
        for unit in HOST:
            assert systemd_says(lab, unit, "AllowedCPUs") == {0, 1}
        for unit in HOST[:2]:
            assert systemd_says(lab, unit, "EffectiveCPUs") == {0, 1}
        assert systemd_says(lab, "vxm-guest@demo", "EffectiveCPUs") == {0, 1, 2, 3}
        assert lab.run("systemctl show -P Slice vxm-guest@demo").stdout == "vxm.slice\n"
        assert all(not cpus(mask) & {2, 3} for mask in movable(lab).values()), movable(lab)
        assert_kept_off(lab, kernel, {2, 3})

        demo.end(lab, way)
        demo.wait_undone(lab)
        demo.assert_as_before(before, demo.state(lab))
        assert movable(lab) == interrupts
        after = kernel_threads(lab)
        assert all(after[which] == kernel[which] for which in after if which in kernel), (kernel, after)
        lab.run("systemctl reset-failed", check=False)
    story = demo.journal(lab)
    assert "The guest's CPUs run on CPUs 2-3 of the host, QEMU's other threads on 0-1." in story
    assert "The host is fenced off CPUs 2-3; it has 0-1." in story and "The host has CPUs 2-3 back." in story


def assert_seen_inside(report):
    """Two threads of one core; and Hyper-V where it stands, KVM behind it."""
    assert [line for line in report if line.startswith("cpu: ")] == [
        "cpu: cpu0 package 0 core 0 threads 0-1", "cpu: cpu1 package 0 core 0 threads 0-1"], report
    assert "hypervisor: 40000000 Microsoft Hv" in report and "hypervisor: 40000100 KVMKVMKVM" in report, report
    hyperv = {line.split(": ")[0]: [int(word, 16) for word in line.split(": ")[1].split()] for line in report
              if line.startswith("hyper-v ")}
    (features, more), (recommendations,) = hyperv["hyper-v features"], hyperv["hyper-v recommendations"]
    # Reference counter and TSC, SynIC and its timers, VP index, frequencies; crash; relaxed timing, TLB flush, IPI.
    assert features & 0x0a4e == 0x0a4e and more & 1 << 10, report
    assert recommendations & 0x0424 == 0x0424, report


def test_pinned_and_hidden(lab):
    """Without Isolate= nobody is fenced off; without Hyper-V and KVM nothing tells the guest where it is."""
    install(lab, "[CPU]\nCount=1\nPin=auto\nHideHypervisor=yes\nPriority=high")
    before = demo.state(lab)
    demo.start(lab)
    assert not [line for line in demo.report(lab) if line.startswith("hypervisor: ")]
    assert len(vcpus(lab)) == 1 and vcpus(lab) != [0]
    assert lab.run(f"ps -o ni= -p {demo.qemu_pid(lab)}").stdout.strip() == "-10"
    assert systemd_says(lab, "system.slice", "AllowedCPUs") == set()
    demo.stop(lab)
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))


def test_realtime(lab):
    """vCPUs come first, with a CPU to spare for QEMU's other threads: their slice is a partition of its own."""
    install(lab, "[CPU]\nCount=1\nPin=2-3\nIsolate=yes\nRealtime=yes")
    before = demo.state(lab)
    demo.start(lab)
    assert vcpus(lab) == [2]
    policies = lab.run(f"ps -L -o comm=,cls= -p {demo.qemu_pid(lab)}").stdout.splitlines()
    assert [line.split()[-1] for line in policies if "/KVM" in line] == ["FF"], policies
    assert all(line.split()[-1] == "TS" for line in policies if not is_vcpu(line)), policies
    assert lab.read("/sys/fs/cgroup/vxm.slice/cpuset.cpus.partition") == "isolated\n"
    assert systemd_says(lab, "vxm.slice", "EffectiveCPUs") == {2, 3}
    demo.report(lab)
    demo.stop(lab)
    demo.wait_undone(lab)
    demo.assert_as_before(before, demo.state(lab))


def test_two_guests_share_nothing(lab_shared):
    """The fence is around both; whoever goes gives back its own; a second run changes nothing."""
    lab = lab_shared
    for name in ("demo", "rival"):
        install(lab, "[CPU]\nCount=1\nPin=auto\nIsolate=yes", name=name)
    before = demo.state(lab)
    for first, second in (("demo", "rival"), ("rival", "demo")):
        lab.run(f"{HELPER} {first} && {HELPER} {second} && {HELPER} {second}")
        own = [cpus(lab.read(f"/run/vxm/cpus/{name}").splitlines()[0].split()[1]) for name in (first, second)]
        assert not own[0] & own[1] and 0 not in own[0] | own[1]
        assert systemd_says(lab, "system.slice", "AllowedCPUs") == {0, 1, 2, 3} - own[0] - own[1]
        assert systemd_says(lab, f"vxm-guest@{first}", "AllowedCPUs") == {0, 1, 2, 3} - own[1]
        lab.run(f"{HELPER} --release {first} && {HELPER} --release {first}")
        assert systemd_says(lab, "system.slice", "AllowedCPUs") == {0, 1, 2, 3} - own[1]
        lab.run(f"{HELPER} --release {second} && {HELPER} --release {second}")
        demo.assert_as_before(before, demo.state(lab))


@pytest.mark.parametrize("pin, said", [
    ("Pin=3-4", "[CPU] Pin=3-4: there is no CPU 4; this machine has 0-3."),
    ("Pin=0-3\nIsolate=yes", "[CPU] Pin=0-3: the host would be left without a CPU; leave it at least one."),
])
def test_refused(lab_shared, pin, said):
    install(lab_shared, f"[CPU]\n{pin}")
    demo.assert_says(demo.refusal(lab_shared), said)


def test_limits_of_before_come_back(lab_shared):
    """A slice that had a limit stays within it, and has it again."""
    lab = lab_shared
    install(lab, "[CPU]\nCount=1\nPin=3\nIsolate=yes")
    lab.run("systemctl set-property --runtime user.slice AllowedCPUs=1-3")
    before = demo.state(lab)
    lab.run(f"{HELPER} demo")
    assert systemd_says(lab, "user.slice", "AllowedCPUs") == {1, 2}
    lab.run(f"{HELPER} --release demo")
    assert systemd_says(lab, "user.slice", "AllowedCPUs") == {1, 2, 3}
    demo.assert_as_before(before, demo.state(lab))
    lab.run("systemctl set-property --runtime user.slice AllowedCPUs=")
