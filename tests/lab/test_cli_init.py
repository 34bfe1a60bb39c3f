# SPDX-License-Identifier: BSD-3-Clause
"""vxm's verbs on files and hardware, for real: each preset's `vxm init` ends in a guest that boots, of an image that has been fetched,
checked, unpacked and converted; what it is told about the machine is so; a GPU is passed through without a guest, and is back; and nothing of it
is left in the end."""

import json
from pathlib import Path

import pytest

import demo
import shapes
from vxmlab import vm

pytestmark = pytest.mark.machine("four-cpus")

SERVER = Path(__file__).resolve().parent / "inside" / "image_server.py"
IMAGES = "/var/tmp/served"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKtz lab"

# A disk that UEFI firmware boots the demo guest from: what it says on its console tells that it has come up.
_MAKE_IMAGES = f"""set -e
mkdir -p {IMAGES}
cd {IMAGES}
printf 'timeout 0\\n' >loader.conf
printf 'title demo\\nlinux /vmlinuz\\ninitrd /initrd.img\\noptions console=ttyS0 quiet\\n' >demo.conf
mformat -C -i disk.raw -T 131072 -h 64 -s 32 ::
mmd -i disk.raw ::/EFI ::/EFI/BOOT ::/loader ::/loader/entries
mcopy -i disk.raw /usr/lib/systemd/boot/efi/systemd-bootx64.efi.signed ::/EFI/BOOT/BOOTX64.EFI
mcopy -i disk.raw loader.conf ::/loader/loader.conf
mcopy -i disk.raw demo.conf ::/loader/entries/demo.conf
mcopy -i disk.raw /var/lib/vxm/images/demo/vmlinuz /var/lib/vxm/images/demo/initrd.img ::/
qemu-img convert -f raw -O qcow2 disk.raw disk.qcow2
gzip -1 -k disk.raw
XZ_OPT=-0 tar -cJf disk.tar.xz disk.raw
truncate -s 1M drivers.iso
sha256sum disk.qcow2 disk.raw.gz disk.tar.xz drivers.iso >SHA256SUMS
printf '%s\\n' '{KEY}' >/root/key.pub
ip link add br0 type bridge && ip address add 10.77.0.1/24 dev br0 && ip link set br0 up
"""

# Of each preset that fetches something: which section, the file that stands for it, and what else has to be said on a machine that emulates
# all. The name of the file is resolved by the list, as Kali's is.
_PRESETS = {
    "coding-sandbox": ("debian", "disk.qcow2", ""),
    "linux-desktop": ("debian", "disk.qcow2", ""),
    "kali": ("kali", "disk.t*.xz", ""),
    "openwrt": ("openwrt", "disk.raw.gz", "[Firmware]\nType=uefi\n"),
    "dsp": ("debian", "disk.qcow2", ""),
    # Its installer is nobody's to give away: the kernel of the demo guest stands for it.
    "windows-11": ("virtio-win", "drivers.iso", "[Firmware]\nSecureBoot=no\n[Boot]\nKernel=/var/lib/vxm/images/demo/vmlinuz\n"
                   "Initrd=/var/lib/vxm/images/demo/initrd.img\nCommandLine=console=ttyS0 quiet\n"),
}


@pytest.fixture(scope="module")
def machine(lab_shared):
    """With images, and a server for them; in machine.port."""
    lab_shared.run(["sh", "-c", _MAKE_IMAGES], timeout=600)
    lab_shared.put(SERVER, "/root")
    server = lab_shared.spawn(["python3", "/root/image_server.py", IMAGES])
    lab_shared.port = int(server.stdout.readline())
    yield lab_shared
    server.communicate()


def redirect(machine, preset):
    """Has the preset fetch from the server inside, by a drop-in as its manual tells."""
    section, file, more = _PRESETS[preset]
    url = f"http://127.0.0.1:{machine.port}"
    machine.write(f"/etc/vxm/presets/{preset}.guest.d/50-lab.conf",
                  f"[Download {section}]\nURL={url}/{file}\nSHA256=\nChecksums={url}/SHA256SUMS\n{more}")


def init(machine, name, preset, *words, check=True):
    return machine.run(["vxm", "init", name, "--preset", preset, "--memory", "512M", "--user", "anna", "--ssh-key", "/root/key.pub", *words],
                       check=check, timeout=600)


def told(machine, *words, check=True):
    """What a command tells as JSON, which is as vxm(1) promises."""
    value = json.loads(machine.run(["vxm", *words, "--json"], check=check).stdout)
    command, shape = shapes.of(["vxm", *words])
    assert command and not shapes.differs(value, shape), f"{command}: {shapes.differs(value, shape)}\n{value}"
    return value


def left(machine, name):
    return machine.run(f"ls -d /etc/vxm/guests/{name}.guest* /var/lib/vxm/guests/{name} 2>/dev/null; true").stdout


@pytest.mark.parametrize("preset", [next(iter(_PRESETS)), *(pytest.param(name, marks=pytest.mark.slow) for name in list(_PRESETS)[1:])])
def test_each_preset_ends_in_a_guest_that_boots(machine, preset):
    name = f"a-{preset}"
    redirect(machine, preset)
    words = ["--disk", "512M"] + (["--cpus", "1"] if preset != "dsp" else [])
    init(machine, name, preset, *words)
    try:
        demo.start(machine, name)
        demo.report(machine, name)
        assert machine.run(f"stat -c %U /var/lib/vxm/guests/{name}/system.qcow2").stdout == f"vxm-{name}\n"
        assert told(machine, "doctor", name, check=False)["guests"][0]["guest"] == name
    finally:
        demo.stop(machine, name)
        demo.wait_undone(machine, name)
    machine.run(f"vxm reset --yes --disks {name}")
    assert left(machine, name) == ""
    assert machine.run(f"getent passwd vxm-{name}", check=False).returncode != 0
    # What it was made of stays for the next one, whole and under a name that tells what it is.
    for path in machine.run("ls /var/lib/vxm/images/downloads/*").stdout.split():
        assert machine.run(f"sha256sum {path}").stdout.startswith(path.rpartition("/")[2].partition("-")[0]), path


def test_image_is_kept_and_checked(machine):
    redirect(machine, "coding-sandbox")
    init(machine, "first", "coding-sandbox", "--disk", "512M")
    kept = machine.run("ls /var/lib/vxm/images/downloads/*disk.qcow2").stdout.strip()
    machine.run(f"printf x >>{kept}")
    done = init(machine, "second", "coding-sandbox", "--disk", "512M", check=False)
    assert done.returncode == 78 and "is not what it was" in done.stderr, done.stderr
    assert left(machine, "second") == ""
    machine.run(f"rm {kept}; vxm reset --yes --disks first")


def test_nobody_but_root(machine):
    machine.run("systemd-sysusers --inline 'u anna - \"Anna\" /home/anna'")
    for words in ("init x --preset demo", "config --set-gpu 01:00.0", "gpu passthrough 01:00.0"):
        done = machine.run(f"runuser -u anna -- vxm {words}", check=False)
        assert done.returncode in (1, 78), done.stdout + done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr


def test_gpu_without_a_guest(machine):
    before = demo.state(machine)
    machine.run("vxm gpu passthrough")
    status = told(machine, "gpu", "status")["gpus"]
    assert [gpu["state"] for gpu in status] == ["host", "passthrough"]
    demo.install(machine, text=demo.GUEST_FILE_BIOS)
    refused = machine.run("systemctl start vxm-guest@demo", check=False)
    assert refused.returncode != 0
    demo.assert_says(demo.journal(machine), "is passed through for no guest")
    machine.run("vxm gpu reclaim")
    demo.assert_as_before(before, demo.state(machine))
    machine.run("vxm reset --yes demo")


def test_gpu_of_a_guest(machine):
    machine.write("/etc/vxm/guests/demo.guest", demo.GUEST_FILE_BIOS.replace("[GPU]\nDevice=01:00.0\n", ""))
    machine.run("systemctl daemon-reload; vxm config --set-gpu 01:00.0 demo")  # which reloads by itself
    demo.start(machine)
    assert told(machine, "gpu", "status", "01:00.0")["gpus"][0]["guest"] == "demo"
    assert machine.run("vxm gpu reclaim 01:00.0", check=False).returncode == 75
    assert machine.run("vxm reset --yes demo", check=False).returncode == 75
    demo.stop(machine)
    demo.wait_undone(machine)
    machine.run("vxm reset --yes demo")


def test_edit_is_read_by_systemd(machine):
    demo.install(machine)
    machine.run(["env", "EDITOR=sed -i s/Preset=demo/Preset=demo\\nDescription=Edited/", "vxm", "edit", "demo"])
    assert machine.run("systemctl show -P Description vxm-guest@demo").stdout.strip() == "Edited"
    machine.write("/etc/vxm/guests/demo.guest.d/90-later.conf", "[Memory]\nSize=512M\n")
    machine.run("touch -d '+1 minute' /etc/vxm/guests/demo.guest.d/90-later.conf")
    assert "run systemctl daemon-reload" in machine.run("vxm doctor demo", check=False).stdout
    machine.run("vxm reset --yes demo")


@pytest.mark.slow
def test_binding_at_boot(machine):
    """By vxm alone: the drop-in, the initramfs and the unit, and nothing of them afterwards. The image's initramfs is older than vxm."""
    inside = "lsinitramfs /boot/initrd.img-$(uname -r) | sort"
    machine.run("update-initramfs -u", timeout=600)
    before = machine.run(inside).stdout
    demo.install(machine, text=demo.GUEST_FILE_BIOS)
    said = machine.run("vxm config --enable-binding 2>&1", timeout=600).stdout
    assert f"{demo.GPU} goes to vfio-pci at boot." in said, said
    assert {"section": "GPU", "key": "Binding", "value": "static", "origin": "drop-in", "line": 3,
            "file": "/etc/vxm/guests/demo.guest.d/61-binding.conf"} in told(machine, "cat", "demo")["keys"]
    assert "etc/vxm/static-devices" in machine.run(inside).stdout
    assert machine.run("systemctl is-enabled vxm-static-bind").stdout == "enabled\n"
    machine.run("vxm config --disable-binding", timeout=600)
    demo.assert_as_before(before, machine.run(inside).stdout)
    assert machine.run("systemctl is-enabled vxm-static-bind", check=False).stdout == "disabled\n"
    assert not any(key["key"] == "Binding" for key in told(machine, "cat", "demo")["keys"])
    machine.run("vxm reset --yes demo")


def test_what_is_shown_fits_a_terminal(machine):
    demo.install(machine)
    for words in ("doctor", "doctor demo", "list-gpus", "list-gpus --tree", "gpu status", "--help"):
        for line in machine.run(f"vxm {words}", check=False).stdout.splitlines():
            assert len(line) <= 80, f"vxm {words}: {line}"
    assert machine.run("vxm fingerprint").stdout == f"{vm.UUID}\n"
    assert [gpu["address"] for gpu in told(machine, "list-gpus")["gpus"]] == ["0000:00:10.0", demo.GPU]
    assert told(machine, "list-gpus", "--tree")["iommu"] is True
    assert told(machine, "doctor", check=False)["host"]["findings"]
    assert machine.run("vxm argv demo").stdout == machine.run("vxm-qemu --dry-run demo").stdout
    machine.run("vxm reset --yes demo")
