# SPDX-License-Identifier: BSD-3-Clause
"""What tests and demo do with the demo guest: install its file, start it, hear its report, compare before and after."""

import difflib
import os
import re
from pathlib import Path

GUEST_FILE = "[Guest]\nPreset=demo\n\n[GPU]\nDevice=01:00.0\n"
# The same without UEFI, which takes most of a guest's boot where everything is emulated.
GUEST_FILE_BIOS = GUEST_FILE + "\n[Firmware]\nType=bios\n"
GPU, SOUND = "0000:01:00.0", "0000:01:00.1"

_FUNCTION = re.compile(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")

# Prints everything vxm may change.
_STATE = (Path(__file__).resolve().parent / "inside" / "state.py").read_text()

# For [Boot]: the demo guest's initramfs with drivers for USB, sound and the life cycle, see demo-guest/build.
DEVICES = "Initrd=/var/lib/vxm/images/demo/devices.img"

# Says a line to the guest's console, waits for a word, and prints what came before it, after another word. Ends with status 3 when
# the guest says nothing for six minutes: to boot, it takes twenty seconds, and five times as long on a slow host.
_CONVERSE = r"""
import socket, sys
guest, line, after, until = sys.argv[1:]
console = socket.socket(socket.AF_UNIX)
console.connect(f"/run/vxm/sockets/{guest}/console")
console.settimeout(360)
console.sendall(line.encode() + b"\n")
text = b""
while until.encode() not in text:
    try:
        data = console.recv(65536)
    except TimeoutError:
        print("the guest has said nothing for six minutes, after: %r" % text, file=sys.stderr)
        sys.exit(3)
    if not data:
        sys.exit("the console was closed, after: %r" % text)
    text += data
sys.stdout.write(text.decode(errors="replace").replace("\r", "").split(after + "\n")[-1].split(until)[0])
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


class GuestHung(Exception):
    """The guest inside the lab runs, and does nothing any more."""


def install(lab, name="demo", text=GUEST_FILE):
    """Writes a guest file as a user would."""
    lab.write(f"/etc/vxm/guests/{name}.guest", text)
    lab.run("systemctl daemon-reload")


def start(lab, name="demo"):
    """Starts a guest; on failure the test shows the guest's journal."""
    done = lab.run(f"systemctl start vxm-guest@{name}", check=False)
    assert done.returncode == 0, journal(lab, name)


def stop(lab, name="demo"):
    lab.run(f"systemctl stop vxm-guest@{name}")


def _converse(lab, guest, line, after, until):
    done = lab.run(["python3", "-c", _CONVERSE, guest, line, after, until], check=False, timeout=420)
    if done.returncode == 3:
        raise GuestHung(done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def report(lab, name="demo"):
    """What the guest says it sees, as a list of lines."""
    return _converse(lab, name, "", "VXM-REPORT-BEGIN", "VXM-REPORT-END").splitlines()


def sh(lab, command, name="demo"):
    """What a shell line in the guest prints."""
    mark = f"VXM-DONE-{os.urandom(8).hex()}"  # what an earlier line has left to say comes first
    return _converse(lab, name, f"sh {command}; echo {mark}", "VXM-SH-BEGIN", mark)


def tell(lab, command, name="demo"):
    """Has the guest run a shell line that it will give no answer to; waits until it has begun, as QEMU forgets what the guest has not
    read yet when the caller hangs up."""
    _converse(lab, name, f"sh {command}", "", "VXM-SH-BEGIN")


def power_off_inside(lab, name="demo"):
    lab.run(["python3", "-c", _POWER_OFF % name])


def journal(lab, name="demo", options=""):
    """The guest's story as "journalctl -u" tells it, messages only."""
    return lab.run(f"journalctl --sync; journalctl -q -b -u vxm-guest@{name} -o cat {options}").stdout


def state(lab):
    """All that must be as before when a guest is gone."""
    return lab.run(["python3", "-"], input=_STATE).stdout


def wait_undone(lab, name="demo"):
    """Waits until systemd has nothing left to do for the guest: units stopped, undo included."""
    units = " ".join(f"vxm-{part}@{name}.service"
                     for part in ("guest", "ddc", "tpm", "netjack", "link", "usb", "input", "net", "frames", "disks", "cpus", "sleep",
                                  "bind", "units", "hugepages", "user"))
    units += f" vxm-spice@{name}.socket vxm-vnc@{name}.socket"
    units += f" $(systemctl list-units --plain --legend=no --all 'vxm-share@{name}:*' | cut -d ' ' -f 1)"
    lab.wait(f"! {{ systemctl is-active -q {units} || systemctl show -P ActiveState {units} | grep -qE '^(de)?activating'; }}",
             show="systemctl list-units 'vxm-*'")


def assert_as_before(before, after):
    """Fails with the lines that differ."""
    assert before == after, "not as before:\n" + "\n".join(difflib.unified_diff(before.splitlines(), after.splitlines(),
                                                                               "before", "after", lineterm=""))


def guest_file(*sections):
    """The text of a guest file for the demo guest without UEFI: sections as "[GPU]\\nDevice=01:00.0"."""
    return "\n\n".join(("[Guest]\nPreset=demo", "[Firmware]\nType=bios", *sections)) + "\n"


def refusal(lab, name="demo"):
    """Starts a guest that has to be refused; returns what its journal says of that, after making sure that nothing has been
    changed."""
    before = state(lab)
    cursor = lab.run("journalctl --sync; journalctl -q -n 0 --show-cursor").stdout.split("-- cursor: ")[-1].strip()
    done = lab.run(["systemctl", "start", f"vxm-guest@{name}"], check=False)
    assert done.returncode != 0, f"has not been refused:\n{journal(lab, name)}"
    wait_undone(lab, name)
    story = lab.run(f"journalctl --sync; journalctl -q -b -u vxm-guest@{name} -o cat --after-cursor '{cursor}'").stdout
    assert_as_before(before, state(lab))
    assert "→ vfio-pci" not in story, f"was refused after the first write:\n{story}"
    return story


def assert_says(story, *words):
    """Fails unless one line of a journal has all words."""
    assert any(all(word in line for word in words) for line in story.splitlines()), f"no line has {words}:\n{story}"


def steps(lab, name="demo"):
    """What vxm-bind would do for a guest, as it says; or why it would not."""
    done = lab.run(f"/usr/lib/vxm/vxm-bind --dry-run {name} 2>&1", check=False)
    return done.returncode, done.stdout


def taken(lab, name="demo"):
    """The functions that vxm-bind would take for a guest."""
    status, text = steps(lab, name)
    assert status == 0, text
    return sorted({word for line in text.splitlines() for word in line.replace("/", " ").split() if _FUNCTION.fullmatch(word)})


def main_pid(lab, name="demo"):
    return int(lab.run(f"systemctl show -P MainPID vxm-guest@{name}").stdout)


def qemu_pid(lab, name="demo"):
    return int(lab.run(f"pgrep -P {main_pid(lab, name)}").stdout)


# The ways in which a running guest ends.
_ENDS = {
    "stop": stop,
    "power off inside": power_off_inside,
    "kill supervisor": lambda lab, name: lab.run(f"kill -9 {main_pid(lab, name)}"),
    "kill qemu": lambda lab, name: lab.run(f"kill -9 {qemu_pid(lab, name)}"),
}
ENDS = tuple(_ENDS)


def end(lab, way, name="demo"):
    """Ends a guest in one of ENDS."""
    _ENDS[way](lab, name)
