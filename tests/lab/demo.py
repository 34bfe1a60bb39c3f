# SPDX-License-Identifier: BSD-3-Clause
"""What tests and demo do with the demo guest: install its file, start it, hear its report, compare before and after."""

import difflib

GUEST_FILE = "[Guest]\nPreset=demo\n\n[GPU]\nDevice=01:00.0\n"
# The same without UEFI, which takes most of a guest's boot where everything is emulated.
GUEST_FILE_BIOS = GUEST_FILE + "\n[Firmware]\nType=bios\n"
GPU, SOUND = "0000:01:00.0", "0000:01:00.1"

# Everything vxm may change, as text: driver and override of each PCI function, nodes of vfio, and vxm's own files.
_STATE = r"""
cd /sys/bus/pci/devices
for f in *; do
    driver=$(readlink "$f/driver") || driver=none
    echo "$f driver ${driver##*/} override $(cat "$f/driver_override" 2>/dev/null)"
done
find /dev/vfio -mindepth 1 ! -name vfio -printf '%p %u:%g %m\n' | sort
find /run/vxm -mindepth 1 -printf '%p %y %u:%g %m\n' | sort
"""

# Waits for the report on the guest's console: asks with a newline until it comes, at most a minute.
_REPORT = r"""
import socket, sys
console = socket.socket(socket.AF_UNIX)
console.connect("/run/vxm/sockets/%s/console")
console.settimeout(60)
console.sendall(b"\n")
text = b""
while b"VXM-REPORT-END" not in text:
    data = console.recv(65536)
    if not data:
        sys.exit("the console was closed before the report: %%r" %% text)
    text += data
sys.stdout.write(text.decode().replace("\r", "").split("VXM-REPORT-BEGIN\n")[-1].split("VXM-REPORT-END")[0])
"""

# Has the guest power itself off: to QEMU this is the guest's own doing.
_POWER_OFF = r"""
import socket
agent = socket.socket(socket.AF_UNIX)
agent.connect("/run/vxm/sockets/%s/agent")
agent.settimeout(60)
agent.sendall(b'\xff{"execute":"guest-sync-delimited","arguments":{"id":7}}\n')
while b'"return": 7' not in agent.recv(4096):
    pass
agent.sendall(b'{"execute":"guest-shutdown"}\n')
while agent.recv(4096):
    pass
"""


def install(lab, name="demo", text=GUEST_FILE):
    """Writes a guest file as a user would."""
    lab.write(f"/etc/vxm/guests/{name}.guest", text)
    lab.run("systemctl daemon-reload")


def start(lab, name="demo"):
    """Starts a guest; on failure the test shows the guest's journal."""
    done = lab.run(f"systemctl start vxm-guest@{name}", check=False, timeout=180)
    assert done.returncode == 0, journal(lab, name)


def stop(lab, name="demo"):
    lab.run(f"systemctl stop vxm-guest@{name}", timeout=180)


def report(lab, name="demo"):
    """What the guest says it sees, as a list of lines."""
    return lab.run(["python3", "-c", _REPORT % name], timeout=90).stdout.splitlines()


def power_off_inside(lab, name="demo"):
    lab.run(["python3", "-c", _POWER_OFF % name], timeout=90)


def journal(lab, name="demo", options=""):
    """The guest's story as "journalctl -u" tells it, messages only."""
    return lab.run(f"journalctl --sync; journalctl -q -b -u vxm-guest@{name} -o cat {options}").stdout


def state(lab):
    """All that must be as before when a guest is gone."""
    return lab.run(_STATE).stdout


def wait_undone(lab, name="demo"):
    """Waits until systemd has nothing left to do for the guest: units stopped, undo included."""
    units = " ".join(f"vxm-{part}@{name}.service" for part in ("guest", "bind", "units", "user"))
    lab.run(f"for i in $(seq 600); do systemctl is-active -q {units} || systemctl show -P ActiveState {units} | "
            "grep -qE '^(de)?activating' || exit 0; sleep 0.1; done; systemctl list-units 'vxm-*'; exit 1", timeout=90)


def assert_as_before(before, after):
    """Fails with the lines that differ."""
    assert before == after, "not as before:\n" + "\n".join(difflib.unified_diff(before.splitlines(), after.splitlines(),
                                                                               "before", "after", lineterm=""))


def main_pid(lab, name="demo"):
    return int(lab.run(f"systemctl show -P MainPID vxm-guest@{name}").stdout)


def qemu_pid(lab, name="demo"):
    return int(lab.run(f"pgrep -P {main_pid(lab, name)}").stdout)
